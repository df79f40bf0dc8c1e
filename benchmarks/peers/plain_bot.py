"""The peer from the shelf: python-telegram-bot and SQLAlchemy's async ORM, a commit per update, behind Starlette.

Written as its authors' examples are; only the webhook is our own, because python-telegram-bot's answers 200 before
anything is stored. It keeps what we keep of a vote: the update's number, the choice, and it counts the poll.
Its answer goes back in the webhook's reply, so that it need not call the platform (which would cost it more).
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import BigInteger, String, event, func, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Update
from telegram.ext import Application, CallbackQueryHandler, CommandHandler, ContextTypes, MessageHandler, filters

from benchmarks.peers import door


class Base(DeclarativeBase):
    pass


class Seen(Base):
    __tablename__ = "seen"
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class Vote(Base):
    __tablename__ = "votes"
    poll: Mapped[str] = mapped_column(String(16), primary_key=True)
    voter: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    choice: Mapped[str] = mapped_column(String(16))


def open_engine(path: str) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class PlainBot:
    def __init__(self, path: str) -> None:
        self.engine = open_engine(path)
        self.session = async_sessionmaker(self.engine, expire_on_commit=False)
        # python-telegram-bot handles one update after the other unless told otherwise; with SQLite's one writer
        # that is also the quicker way here.
        self.turn = asyncio.Lock()
        self.application = Application.builder().token("1:x").updater(None).build()
        self.application.add_handler(CallbackQueryHandler(self.vote, pattern=r"^[\w.]+:\d+:\w+$"))
        self.application.add_handler(CommandHandler("start", self.ignore))
        self.application.add_handler(MessageHandler(filters.TEXT, self.ignore))

    async def ignore(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        return

    async def vote(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None and query.data is not None
        _verb, poll, choice = query.data.split(":")
        async with self.session() as session, session.begin():
            if await session.get(Seen, update.update_id) is not None:
                return
            session.add(Seen(update_id=update.update_id))
            mine = await session.get(Vote, (poll, query.from_user.id))
            if mine is None:
                session.add(Vote(poll=poll, voter=query.from_user.id, choice=choice))
            else:
                mine.choice = choice
            count = select(Vote.choice, func.count()).where(Vote.poll == poll).group_by(Vote.choice)
            (await session.execute(count)).all()

    async def webhook(self, request: Request) -> Response:
        update = Update.de_json(await request.json(), self.application.bot)
        async with self.turn:
            await self.application.process_update(update)
        if update.callback_query is None:
            return Response()
        call = {"method": "answerCallbackQuery", "callback_query_id": update.callback_query.id, "text": "已记下"}
        return JSONResponse(call)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> Any:
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        # `initialize` would call getMe; there is no platform here.
        self.application._initialized = True
        gc.collect()
        gc.freeze()
        yield
        await self.engine.dispose()


def build(path: str) -> Starlette:
    bot = PlainBot(path)
    return Starlette(routes=[Route("/telegram/webhook", bot.webhook, methods=["POST"])], lifespan=bot.lifespan)


if __name__ == "__main__":
    door.serve(build)

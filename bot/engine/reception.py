"""Where every channel brings its events: what fails by a bug is tried again, and after three times set aside."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.engine.crashpoint import cp
from bot.engine.desk import Desk, MustUndo
from bot.engine.pipeline import Pipeline
from bot.engine.port import Answer, Unavailable
from bot.kit.context import Office
from bot.kit.errors import Refused
from bot.kit.event import Event
from bot.kit.words import _, speaking
from storage import inbox, incidents, ownership
from storage.base import Db

log = structlog.get_logger()

TRIES = 3
ALIVE = timedelta(minutes=5)
PAUSE = 0.2  # seconds before the second try; doubled for the third


class Reception:
    """``hear`` returns once the event is durable, and not before; ``Unavailable``: it must come again."""

    def __init__(self, desk: Desk, pipeline: Pipeline, now: Callable[[], datetime]) -> None:
        self.desk = desk
        self.pipeline = pipeline
        self.now = now
        self.last_heard: dict[str, datetime] = {}

    async def hear(self, event: Event) -> Answer:
        await self._note_alive(event.place.channel)
        cp("reception.heard")
        number = ""  # made when there is a bug to number: asking the system for randomness lets go of the GIL
        for attempt in range(TRIES):
            try:
                return await self.desk.do(lambda db: self.pipeline.hear(db, event), key=event)
            except Unavailable:
                raise
            except MustUndo as undo:
                sentence = undo.__cause__.sentence if isinstance(undo.__cause__, Refused) else ""
                return await self.desk.do(lambda db, s=sentence: self.pipeline.refused(db, event, s))  # type: ignore[misc]
            except Exception as error:
                last, number = error, number or secrets.token_hex(2).upper()
                log.exception("reception.bug", number=number, kind=type(event).__name__, attempt=attempt + 1)
                await asyncio.sleep(PAUSE * 2**attempt if attempt + 1 < TRIES else 0)
        return await self.desk.do(lambda db: self._set_aside(db, event, number, last))

    async def _note_alive(self, channel: str) -> None:
        """A channel that has gone deaf looks like a quiet one: so the last inbound is kept, every few minutes."""
        now, last = self.now(), self.last_heard.get(channel)
        if last is None or now - last > ALIVE:
            self.last_heard[channel] = now
            await self.desk.do(lambda db: ownership.keep_fact(db, f"heard:{channel}", now.isoformat()))

    def _set_aside(self, db: Db, event: Event, number: str, error: BaseException) -> Answer:
        """Noted as heard, so that it comes no more; the office is told the number, never the words."""
        inbox.note(db, event.id, self.now())
        incidents.note(db, number, type(event).__name__, type(error).__name__, self.now())
        with speaking(self.pipeline.school.language):
            ctx = self.pipeline.alone(db)
            ctx.say(_("有一个操作出错，已放到一边，编号 {number}。请把编号告诉维护的人。", number=number), to=Office())
            self.pipeline.conclude_alone(ctx, f"incident:{number}")
            return Answer(toast=_("出了点问题，编号 {number}。没有记上，已报告办公室。", number=number), alert=True)

"""企业微信 and a school put together: what the channel asks of the rows, and the one who must not lose the bot."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import structlog
from starlette.types import ASGIApp

from bot.app import RunningSchool
from bot.channels.web.signin import SignIn
from bot.channels.wecom.app import Application
from bot.channels.wecom.channel import WecomChannel
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.door import callback_route
from bot.channels.wecom.webhook import Webhook
from bot.config import Settings
from bot.kit.context import Office
from bot.kit.errors import Refused
from bot.kit.event import Account, Place
from bot.kit.words import _, speaking
from storage import cardcodes, migrate, ownership, people
from storage.base import Db
from storage.lock import OwnerLock

log = structlog.get_logger()

TROUBLE = "wecom:trouble"  # the last one that the running bot told: for ``check``, which is another process
TROUBLE_LIVES = timedelta(days=1)

CODES_LIVE = timedelta(hours=71)  # of 72 (path/94888)


def channel_of(settings: Settings, running: RunningSchool, lock: OwnerLock) -> WecomChannel:
    """``lock``: the owner's; the bot is taken back from somebody else only while we hold it."""
    wecom = settings.wecom
    assert wecom.bot_id is not None and wecom.secret is not None  # noqa: S101 the settings were checked
    hooks = {group: Webhook(key, wecom.api_base) for group, key in settings.wecom_webhooks.by_group().items()}
    rows = _Rows(running)

    async def may_return() -> bool:
        return await asyncio.to_thread(lock.held)

    return WecomChannel(
        wecom.bot_id,
        wecom.secret.get_secret_value(),
        bot_name=wecom.bot_name or "",
        url=wecom.server,
        draw=running.drawn,
        may_return=may_return,
        tell=rows.tell,
        voices=rows.voices,
        in_use=lambda: lock.held() or not lock.take(),
        app=_application(settings, rows),
        webhooks=hooks,
        max_upload=settings.uploads.max_mb * 1024 * 1024,
        memory=rows,
        language=settings.school.language,
        now=running.now,
    )


class Workbench:
    """The application as the web page needs it: who somebody from the workbench is."""

    def __init__(self, app: Application) -> None:
        self.app = app

    def sign_in_address(self, back: str, state: str) -> str:
        return self.app.sign_in_address(back, state)

    async def who_came(self, code: str) -> Account | None:
        try:
            userid = await self.app.who_came(code)
        except Trouble as trouble:
            log.warning("wecom.sign_in_failed", errcode=trouble.errcode)
            raise Refused(_("现在问不到企业微信您是谁，请过一会儿再点，或私聊机器人发“登录”。")) from None
        return Account(WecomChannel.name, userid) if userid else None


def sign_in(settings: Settings, running: RunningSchool) -> SignIn | None:
    """The way in from the workbench: for a school that has the application, and an address the platform may send to."""
    channel = running.channels["wecom"]
    assert isinstance(channel, WecomChannel)  # noqa: S101 ``channel_of`` made it
    if channel.app is None or not settings.web.public_url or settings.web.demo:
        return None
    return SignIn(Workbench(channel.app), running.school.site)


def told_lately(db: Db, now: datetime) -> str:
    """What the running bot has complained of within a day; "" for nothing."""
    at, _space, sentence = (ownership.fact(db, TROUBLE) or "").partition(" ")
    return sentence if at and now - datetime.fromisoformat(at) < TROUBLE_LIVES else ""


def with_door(application: ASGIApp, running: RunningSchool) -> ASGIApp:
    """``application`` with the callback of the self-built application before it, where that is on."""
    channel = running.channels["wecom"]
    assert isinstance(channel, WecomChannel)  # noqa: S101 ``channel_of`` made it
    if channel.app is None or channel.app.door is None:
        return application
    return callback_route(application, channel.app.door.answer)


def _application(settings: Settings, rows: _Rows) -> Application | None:
    app = settings.wecom_app
    if not app.enabled:
        return None
    assert app.corp_id is not None and app.agent_id is not None and app.secret is not None  # noqa: S101 checked
    return Application(
        app.corp_id,
        app.secret.get_secret_value(),
        app.agent_id,
        token=app.token.get_secret_value() if app.token else "",
        aes_key=app.aes_key.get_secret_value() if app.aes_key else "",
        base=settings.wecom.api_base,
        codes=KeptCodes(rows.running),
    )


class _Rows:
    """What must outlive a restart, and what only the rows know."""

    def __init__(self, running: RunningSchool) -> None:
        self.running = running

    async def keep(self, place: Place, meaning: str) -> None:
        """What the newest numbers mean in a conversation."""
        await self.running.desk.do(lambda db: ownership.keep_fact(db, _name(place), meaning))

    async def recall(self, place: Place) -> str | None:
        return await asyncio.to_thread(self._recall, place)

    def _recall(self, place: Place) -> str | None:
        with self.running.shelves.reading() as db:
            return ownership.fact(db, _name(place))

    async def tell(self, sentence: str) -> None:
        """To the office, by whatever way is left; it waits where there is none."""

        def note(db: Db) -> None:
            ownership.keep_fact(db, TROUBLE, f"{self.running.now().isoformat()} {sentence}")
            with speaking(self.running.school.language):
                ctx = self.running.pipeline.alone(db)
                name = f"wecom:{int(ctx.now.timestamp())}"
                ctx.say(sentence, to=Office(), gentle=True, name=name)
                self.running.pipeline.conclude_alone(ctx, name)

        await self.running.desk.do(note)

    async def voices(self) -> int:
        return await asyncio.to_thread(self._voices)

    def _voices(self) -> int:
        if migrate.current(self.running.shelves) is None:
            return 0
        with self.running.shelves.reading() as db:
            return people.heard_on(db, WecomChannel.name)


class KeptCodes:
    """The codes of sent cards, in rows."""

    def __init__(self, running: RunningSchool) -> None:
        self.running = running

    async def keep(self, key: str, code: str) -> None:
        until = self.running.now() + CODES_LIVE
        await self.running.desk.do(lambda db: cardcodes.keep(db, _code(key), code, until))

    async def take(self, key: str) -> str | None:
        return await self.running.desk.do(lambda db: cardcodes.take(db, _code(key), self.running.now()))


def _name(place: Place) -> str:
    return f"choices:{place.channel}:{place.id}"[:80]


def _code(key: str) -> str:
    return f"{WecomChannel.name}:{key}"[:80]

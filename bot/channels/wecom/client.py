"""The long connection of a 智能机器人, for ever: whatever ends it, it comes back; only who took it over is respected.

The published Python SDKs never come back after a clean close and fight whoever subscribed after them; so this one is
ours.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from bot.channels.wecom.connection import (
    UNSUBSCRIBED,
    Connection,
    Json,
    Kicked,
    Lost,
    Take,
    Timing,
    Trouble,
    new_number,
    silent,
)
from bot.engine.crashpoint import cp
from bot.kit.words import N_, _, speaking

__all__ = ["CREDENTIALS", "OFFICIAL", "UNSUBSCRIBED", "Client", "Trouble", "always", "nobody"]
log = structlog.get_logger()

OFFICIAL = "wss://openws.work.weixin.qq.com"
CREDENTIALS = frozenset({40001, 40013, 40091, 93019, 853000})
FREQUENT = frozenset({45009, 45033})
FREQUENT_SECONDS = 60.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 20.0  # a connection that lived so long begins its pauses anew
WRONG_SECRET = N_("企业微信不认机器人的 BotID 或 Secret：请在机器人的“长连接”设置里核对，改好后重新启动。")
UNREACHED = N_("连不上企业微信，正在不停重试。")
MISNAMED = N_(
    "有人在群里 @ 了我，叫的却不是 bot_name 里的名字：请把 [wecom] bot_name 改成机器人的显示名，一字不差，再重新启动。"
)
KICKED = N_("另一个程序用同一个机器人连上了企业微信，这里先停下等待：请只留一个，或换一个机器人。")


async def always() -> bool:
    return True


async def nobody(sentence: str) -> None:
    return


class Client:
    """``run`` connects for ever and hands every callback to ``take``; ``call`` sends a command and waits for its ack.

    ``may_return``: do we still own the school, after somebody else took the bot? ``tell``: to the office, in words.
    """

    def __init__(
        self,
        bot_id: str,
        secret: str,
        *,
        url: str = OFFICIAL,
        may_return: Callable[[], Awaitable[bool]] = always,
        tell: Callable[[str], Awaitable[None]] = nobody,
        language: str = "zh_CN",
        pause_seconds: float = 1.0,
        kicked_seconds: float = 30.0,
        timing: Timing = Timing(),  # noqa: B008 frozen
    ) -> None:
        self.bot_id = bot_id
        self._secret = secret
        self._url = url
        self._may_return = may_return
        self._tell = tell
        self._language = language
        self._pause_seconds = pause_seconds
        self._kicked_seconds = kicked_seconds
        self._timing = timing
        self._connection: Connection | None = None
        self._live = asyncio.Event()
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: set[str] = set()
        self._kicks = 0
        self._over = False
        self._refused = False  # the credentials are wrong
        self.complaint: str | None = None
        self.refusal = 0  # with which number we were not subscribed, the last time

    def __repr__(self) -> str:
        return f"<Client of bot {self.bot_id}>"

    @property
    def is_live(self) -> bool:
        return self._connection is not None and self._connection.is_live

    # --- for ever ---------------------------------------------------------------------------------------------

    async def run(self, take: Take) -> None:
        """Until it is cancelled. Wrong credentials end all tries: they would get the school's address banned."""
        self._over = False
        try:
            await self._run(take)
        finally:
            self._over = True

    async def _run(self, take: Take) -> None:
        failures = 0
        while not self._refused:
            began = time.monotonic()
            try:
                await self._once(take)
            except Lost as lost:
                log.warning("wecom.disconnected", why=str(lost))
                failures = 0 if self._was_steady(began) else failures + 1
                await asyncio.sleep(lost.pause if lost.pause is not None else self._pause(failures))
            except Kicked:
                self._was_steady(began)
                await self._wait_for_our_turn()
        await asyncio.Event().wait()

    def _was_steady(self, began: float) -> bool:
        steady = time.monotonic() - began > STEADY_SECONDS
        if steady:
            self._kicks = 0
            self._told.clear()
        return steady

    def _pause(self, failures: int) -> float:
        longest = min(LONGEST_PAUSE, self._pause_seconds * 2.0 ** min(failures, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311

    async def _once(self, take: Take) -> None:
        """One connection, from its opening to its end."""
        proxy: Literal[True] | None = None if self._url.startswith("ws://") else True
        try:
            async with connect(
                self._url, ping_interval=None, open_timeout=10, close_timeout=2, max_size=8 << 20, compression=None,
                logger=silent, proxy=proxy,
            ) as socket:  # fmt: skip
                self._connection = connection = Connection(socket, self._timing, take)
                await connection.use(lambda: self._subscribe(connection))
        except (OSError, WebSocketException, TimeoutError) as error:
            self._complain(UNREACHED)
            raise Lost(type(error).__name__) from None
        finally:
            self._live.clear()
            self._connection = None

    async def _subscribe(self, connection: Connection) -> None:
        try:
            await connection.command("aibot_subscribe", {"bot_id": self.bot_id, "secret": self._secret})
        except Trouble as trouble:
            raise await self._not_subscribed(trouble) from None
        self.complaint, self.refusal = None, 0
        connection.is_live = True
        self._live.set()
        cp("wecom.subscribed")
        log.info("wecom.connected", bot=self.bot_id)

    async def _not_subscribed(self, trouble: Trouble) -> Lost:
        self.refusal = trouble.errcode
        if trouble.errcode in CREDENTIALS:
            log.error("wecom.credentials_refused", errcode=trouble.errcode)
            self._refused = True
            await self.tell_once(WRONG_SECRET)
            return Lost("credentials", pause=0)
        if trouble.errcode in FREQUENT:
            return Lost("subscribed too often", pause=FREQUENT_SECONDS * random.uniform(1.0, 1.5))  # noqa: S311
        return Lost(f"not subscribed: {trouble.errcode}")

    def _complain(self, sentence: str) -> str:
        with speaking(self._language):
            self.complaint = _(sentence)
        return self.complaint

    async def tell_once(self, sentence: str) -> None:
        """The office hears of a trouble once, not at every try."""
        words = self._complain(sentence)
        if sentence in self._told:
            return
        self._told.add(sentence)
        try:
            await self._tell(words)
        except Exception as error:  # the office is told as far as that is possible; the connection matters more
            log.error("wecom.cannot_tell", error=type(error).__name__)

    async def _wait_for_our_turn(self) -> None:
        """Somebody else subscribed. Coming back at once would start a war: we wait, and come back only as the owner."""
        log.warning("wecom.kicked")
        await self.tell_once(KICKED)
        while True:
            wait = self._kicked_seconds * 2.0 ** min(self._kicks, 5)
            self._kicks += 1
            await asyncio.sleep(wait * random.uniform(1.0, 1.2))  # noqa: S311
            if await self._may_return():
                return

    # --- commands ---------------------------------------------------------------------------------------------

    async def call(self, cmd: str, body: Json, req_id: str | None = None) -> Json:
        """The ack. ``Trouble`` for anything but success; two commands on one ``req_id`` go one after the other."""
        number = req_id or new_number(cmd)
        turn = self._turns.setdefault(number, asyncio.Lock())
        try:
            async with turn:
                connection = self._connection
                if connection is None or not connection.is_live:
                    raise Trouble(0, "not connected", written=False)
                told = await connection.command(cmd, body, number)
        finally:
            if not turn.locked():
                self._turns.pop(number, None)
        connection.last_sign = time.monotonic()
        return told

    async def ready(self, seconds: float) -> bool:
        """Whether we are connected, now or within ``seconds``; nobody waits for a connection that nobody keeps up."""
        try:
            async with asyncio.timeout(0 if self._over else seconds):
                await self._live.wait()
        except TimeoutError:
            return False
        return True

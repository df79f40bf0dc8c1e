"""One connection of the bot, from its opening to its end: frames out with their acks, callbacks in, signs of life.

Protocol: developer.work.weixin.qq.com/document/path/101463 and the source of @wecom/aibot-node-sdk 1.0.7. A frame that
brings something is never acknowledged: what we have taken we must keep ourselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import WebSocketException

from bot.engine.crashpoint import cp

log = structlog.get_logger()

UNSUBSCRIBED = 846609  # "aibot websocket not subscribed": the socket lives, we do not
PINGS_UNANSWERED = 2
SILENT_SECONDS = 2 * 3600.0  # with no callback so long we subscribe anew, whatever the probe says
Json = dict[str, Any]
Take = Callable[[Json], None]

# Frames hold the secret and people's words. A logger of nobody's: whoever configures logging anew cannot wake it up.
silent = logging.Logger("hongzhu.wecom.frames", logging.CRITICAL + 1)


class Trouble(Exception):
    """A command did not succeed. ``errcode`` 0: no answer came; ``written`` then: it may have taken effect.

    ``wait``: seconds after which it may be tried again, where we know that better than the number says.
    """

    def __init__(self, errcode: int, errmsg: str = "", *, written: bool = True, wait: float | None = None) -> None:
        super().__init__(f"{errcode} {errmsg[:120]}")
        self.errcode = errcode
        self.errmsg = errmsg
        self.written = written
        self.wait = wait


class Lost(Exception):
    """The connection is no more; ``pause``: seconds before the next, ``None``: the usual."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


class Kicked(Exception):
    """Another connection took the bot over."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. ``probe``: with nothing heard so long we ask whether we are still subscribed; pings do not tell."""

    ping: float = 30.0
    probe: float = 40.0
    ack: float = 5.0


class Connection:
    """``use`` lives as long as the socket does; ``is_live`` between the subscription and its end."""

    def __init__(self, socket: ClientConnection, timing: Timing, take: Take) -> None:
        self._socket = socket
        self._timing = timing
        self._take = take
        self._acks: dict[str, asyncio.Future[Json]] = {}
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_live = False
        self.last_inbound = self.last_sign = time.monotonic()  # a callback; or a command that succeeded

    async def use(self, subscribe: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Subscribes, then keeps alive until the end, which is ``Lost`` or ``Kicked``."""
        reading = asyncio.create_task(self._read())
        try:
            await _first(asyncio.create_task(subscribe()), reading)
            self.is_live = True
            self.last_inbound = self.last_sign = time.monotonic()
            await _first(asyncio.create_task(self._keep_alive()), reading, self._lost)
            raise Lost("closed")
        finally:
            self._end()
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    def _end(self) -> None:
        """Whoever still waits for an answer does not get one."""
        self.is_live = False
        acks, self._acks = self._acks, {}
        for ack in acks.values():
            if not ack.done():
                ack.set_exception(Trouble(0, "connection lost"))
                ack.exception()
        if self._lost.done() and not self._lost.cancelled():
            self._lost.exception()

    def _drop(self, why: str) -> None:
        """This connection is dead although it is open."""
        self.is_live = False
        if not self._lost.done():
            self._lost.set_exception(Lost(why))

    # --- in ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        async for text in self._socket:
            frame = decoded(text)
            if frame is None:
                log.warning("wecom.unreadable_frame")
                continue
            cmd, headers = frame.get("cmd"), frame.get("headers")
            number = headers.get("req_id") if isinstance(headers, dict) else None
            if not isinstance(cmd, str) or not cmd:
                self._acknowledge(number, frame)
            elif cmd == "ping":
                await self._socket.send(json.dumps({"cmd": "pong", "headers": headers}))
            elif cmd in ("aibot_msg_callback", "aibot_event_callback"):
                self._bring(frame)

    def _acknowledge(self, number: object, frame: Json) -> None:
        waiting = self._acks.pop(number, None) if isinstance(number, str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    def _bring(self, frame: Json) -> None:
        self.last_inbound = self.last_sign = time.monotonic()
        body = frame.get("body")
        event = body.get("event") if isinstance(body, dict) else None
        if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
            raise Kicked
        cp("wecom.received")
        self._take(frame)

    # --- out --------------------------------------------------------------------------------------------------

    async def command(self, cmd: str, body: Json | None, number: str = "") -> Json:
        """The ack. ``Trouble`` for anything but success."""
        number = number or new_number(cmd)
        frame = {"cmd": cmd, "headers": {"req_id": number}, **({} if body is None else {"body": body})}
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._acks[number] = waiting
        try:
            await self._socket.send(json.dumps(frame, ensure_ascii=False))
            async with asyncio.timeout(self._timing.ack):
                told = await waiting
        except TimeoutError:
            raise Trouble(0, "no answer in time") from None
        except (OSError, WebSocketException):
            raise Trouble(0, "connection lost") from None
        finally:
            if self._acks.get(number) is waiting:
                del self._acks[number]
        return self._checked(told)

    def _checked(self, told: Json) -> Json:
        errcode = told.get("errcode")
        if errcode == 0:
            return told
        if errcode == UNSUBSCRIBED:
            self._drop("not subscribed any more")
        raise Trouble(errcode if isinstance(errcode, int) else -1, str(told.get("errmsg", "")))

    # --- are we alive -----------------------------------------------------------------------------------------

    async def _keep_alive(self) -> None:
        unanswered, next_ping = 0, time.monotonic() + self._timing.ping
        while True:
            await asyncio.sleep(min(self._timing.ping, self._timing.probe) / 4)
            now = time.monotonic()
            if now >= next_ping:
                next_ping = now + self._timing.ping
                unanswered = 0 if await self._is_answered("ping", None) else unanswered + 1
                if unanswered >= PINGS_UNANSWERED:
                    raise Lost("pings unanswered")
            if now - self.last_sign >= self._timing.probe:
                await self._probe()
            if now - self.last_inbound >= SILENT_SECONDS:
                raise Lost("nothing heard for long")

    async def _is_answered(self, cmd: str, body: Json | None) -> bool:
        try:
            await self.command(cmd, body)
        except Trouble as trouble:
            return trouble.errcode != 0
        return True

    async def _probe(self) -> None:
        """Pings pass although the subscription is dead, and a deaf bot looks like a quiet school.

        An answer to a message that never was is refused with 846605 by a server that knows us, and shown to nobody.
        """
        body = {"msgtype": "markdown", "markdown": {"content": "…"}}
        if await self._is_answered("aibot_respond_msg", body):
            self.last_sign = time.monotonic()


async def _first(mine: asyncio.Task[None], *others: asyncio.Future[None]) -> None:
    """Until the first of them ends, and as it ends; ``mine`` does not outlive it. The end of another is ``Lost``."""
    try:
        await asyncio.wait({mine, *others}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not mine.done():
            mine.cancel()
            await asyncio.gather(mine, return_exceptions=True)
    for ended in (*others, mine):
        if ended.done() and not ended.cancelled():
            ended.result()
    if mine.cancelled() or any(other.done() for other in others):
        raise Lost("closed")


def decoded(text: str | bytes) -> Json | None:
    """A frame; the server's texts may hold raw control characters."""
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def new_number(cmd: str) -> str:
    return f"{cmd}_{int(time.time() * 1000)}_{secrets.token_hex(4)}"

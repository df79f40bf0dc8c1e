"""Delivery of updates to the bot's own URL, and the poll that waits for them: the two ways out of the queue."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec

from tests.fakes.telegram_params import Params, bad
from tests.fakes.telegram_updates import KINDS, ONLY_WHEN_ASKED, Queued

if TYPE_CHECKING:
    from tests.fakes.telegram_world import World

Json = dict[str, Any]
NOT_IN_A_REPLY = ("deletewebhook", "setwebhook", "close", "logout")


class Webhook:
    """In order, one at a time; `in_order = False` gives the real server's way: in order per person, several at once."""

    def __init__(self, world: World, execute: Callable[[str, Params], Any]) -> None:
        self.world, self.execute = world, execute
        self.url = ""
        self.secret = ""
        self.max_connections = 40
        self.in_order = True
        self.timeout = 5.0
        self.first_delay, self.last_delay = 0.05, 1.0
        self.last_error = ""
        self.last_error_at = 0
        self.delivered = 0
        self.failures = 0
        self._busy: set[int] = set()  # senders with an update on its way
        self._resting: dict[int, asyncio.TimerHandle] = {}
        self._delay: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: Any = None

    # methods

    def set(self, p: Params) -> str:
        url, secret = p.text("url"), p.text("secret_token")
        if url and not re.match(r"https?://[^/\s]+", url):
            raise bad("invalid webhook URL specified")
        if len(secret) > 256:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        if p.flag("drop_pending_updates"):
            self.world.queue.clear()
        self.world.queue.allow(p.json("allowed_updates", "can't parse allowed updates JSON object"))
        self.url, self.secret = url, secret
        self.max_connections = min(100, max(1, p.integer("max_connections", 40)))
        self.last_error, self.last_error_at = "", 0
        return "Webhook was set" if url else "Webhook is already deleted"

    def delete(self, p: Params) -> str:
        if p.flag("drop_pending_updates"):
            self.world.queue.clear()
        had, self.url, self.secret = self.url, "", ""
        return "Webhook was deleted" if had else "Webhook is already deleted"

    def info(self) -> Json:
        told: Json = {"url": self.url, "has_custom_certificate": False, "pending_update_count": self.world.queue.size()}
        if self.last_error:
            told |= {"last_error_date": self.last_error_at, "last_error_message": self.last_error}
        if self.url:
            told |= {"max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self.world.queue.allowed != KINDS - ONLY_WHEN_ASKED:
            told["allowed_updates"] = sorted(self.world.queue.allowed)
        return told

    # delivery, on the server's loop

    def pump(self) -> None:
        """Starts every delivery that may start now."""
        if not self.url:
            return
        with self.world.changed:
            self.world.queue.expire()
            blocked: set[int] = set()
            for queued in self.world.queue.items.values():
                if len(self._busy) >= self.max_connections:
                    break
                line = 0 if self.in_order else sender_of(queued.body)
                if line in self._busy or line in self._resting or line in blocked:
                    blocked.add(line)
                    if self.in_order:
                        break
                    continue
                self._busy.add(line)
                task = asyncio.get_running_loop().create_task(self._deliver(queued, line))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _deliver(self, queued: Queued, line: int) -> None:
        problem, wait = await self._post(queued)
        with self.world.changed:
            self._busy.discard(line)
            if not problem:
                self._delay.pop(line, None)
                self.delivered += 1
                self.world.queue.confirm([queued.id])
            elif queued.id in self.world.queue.items:
                self.failures += 1
                self.last_error, self.last_error_at = problem, int(self.world.clock.now())
                delay = wait or self._delay.get(line, self.first_delay)
                self._delay[line] = min(self.last_delay, delay * 2)
                self._resting[line] = asyncio.get_running_loop().call_later(delay, self._rested, line)
            self.world.touch()
        self.pump()

    def _rested(self, line: int) -> None:
        self._resting.pop(line, None)
        self.pump()

    async def _post(self, queued: Queued) -> tuple[str, float]:
        """("", 0) when it arrived; otherwise what went wrong, and the server's own wish how long to wait."""
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.timeout))
        headers = {"Content-Type": "application/json"} | (
            {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        )
        try:
            async with self._session.post(self.url, data=msgspec.json.encode(queued.body), headers=headers) as answer:
                body = await answer.read()
                if not 200 <= answer.status < 300:
                    wait = float(answer.headers.get("Retry-After", 0))
                    return f"Wrong response from the webhook: {answer.status} {answer.reason}", wait
                self._obey(body, answer.headers.get("Content-Type", ""))
                return "", 0.0
        except TimeoutError:
            return "Read timeout expired", 0.0
        except (aiohttp.ClientError, OSError) as problem:
            return f"Connection failed: {problem}", 0.0

    def _obey(self, body: bytes, kind: str) -> None:
        """Executes the call that a webhook may answer with; nobody is told its outcome."""
        try:
            given = msgspec.json.decode(body) if "json" in kind else dict(parse_qsl(body.decode()))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        if not isinstance(given, dict) or not isinstance(given.get("method"), str):
            return
        method = given.pop("method").lower()
        if method not in NOT_IN_A_REPLY and not method.startswith("get"):
            self.execute(method, Params(given))

    async def close(self) -> None:
        for timer in self._resting.values():
            timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._resting.clear()
        self._busy.clear()
        if self._session is not None:
            await self._session.close()
            self._session = None


def sender_of(update: Json) -> int:
    """The line an update waits in: that of its sender, or of its chat."""
    body = next((v for k, v in update.items() if k != "update_id" and isinstance(v, dict)), {})
    who = body.get("from") or body.get("user") or body.get("chat") or {}
    return int(who.get("id", 1)) or 1

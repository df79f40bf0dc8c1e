"""Our own getUpdates loop. An update that is not durable is never confirmed, and neither is any update after it, so
that the platform brings them again; what was durable already is known by its id.

No offset is kept: after a restart we ask for whatever is unconfirmed, and once a confirmation has gone through we ask
without a number again, so that Telegram may start its numbers anew after a silent week.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from bot.channels.telegram.client import Client, Trouble, Unreadable
from bot.channels.telegram.hearing import Hearing
from bot.channels.telegram.parse import KINDS, number_of
from bot.engine.crashpoint import cp
from bot.engine.port import Unavailable
from bot.kit.event import Event
from bot.kit.words import _

log = structlog.get_logger()

STRAGGLER = 0.25  # seconds: a slow file holds back its own update, not the presses behind it
SILENT_POLLS = 3  # in a row, then every connection is opened anew
DEAD_TOKEN_PAUSE = 300.0
LONGEST_PAUSE = 60.0
LONGEST_PAUSE_FOR_US = 5.0  # it is our own shelves that fail
OTHER_POLLER = 5  # as if after so many failures
Json = dict[str, Any]


class Polling:
    """``run`` hears until it is cancelled; ``complaint`` says what keeps it from hearing, as long as it does."""

    def __init__(self, client: Client, hearing: Hearing, poll_seconds: int, retry_seconds: float) -> None:
        self.client = client
        self.hearing = hearing
        self.complaint: str | None = None
        self._poll_seconds = poll_seconds
        self._retry_seconds = retry_seconds
        self._open: dict[int, asyncio.Task[bool]] = {}  # received, not yet confirmed
        self._chains: dict[str, asyncio.Task[bool]] = {}  # the newest update of each sender

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            for task in self._open.values():
                task.cancel()
            await asyncio.gather(*self._open.values(), return_exceptions=True)
            self._open.clear()

    async def _run(self) -> None:
        offset: int | None = None
        failures = lost = 0
        while True:
            try:
                batch = await self._updates(offset)
            except Trouble as trouble:
                failures += 1
                await self.recover(trouble, failures)
                continue
            failures, self.complaint = 0, None
            if offset is not None:
                cp("telegram.confirmed")
                self._confirmed(offset)
            await self._take(batch)
            offset, healthy = self._settle()
            lost = 0 if healthy else lost + 1
            if lost:
                await asyncio.sleep(min(self._pause(lost), LONGEST_PAUSE_FOR_US))
            if offset is not None:
                cp("telegram.before_confirm")

    async def _updates(self, offset: int | None) -> list[Any]:
        """A batch that cannot be read is asked for one by one, and what still cannot be read is let go."""
        seconds = 0 if any(not task.done() for task in self._open.values()) else self._poll_seconds
        try:
            return await self.client.updates(offset, seconds, KINDS)
        except Unreadable:
            pass
        try:
            return await self.client.updates(offset, 0, KINDS, most=1)
        except Unreadable as unreadable:
            first = unreadable.first
        log.warning("telegram.unreadable_update", number=first)
        if first is None:
            raise Trouble(0, "unreadable answer")
        return [{"update_id": first}]

    async def _take(self, batch: Sequence[Any]) -> None:
        """Hears what is new of a batch, and waits for it a little.

        All are heard at once, in their order, so that the desk makes one commit of them; only a sender's second update
        waits for the first, lest a failure between two commits turn two thoughts around.
        """
        new = {n: raw for raw in batch if (n := number_of(raw)) is not None and n not in self._open}
        if new:
            self.hearing.received()
        for number, raw in new.items():
            self._begin(number, raw)
        waiting = [task for task in self._open.values() if not task.done()]
        if waiting:
            await asyncio.wait(waiting, timeout=STRAGGLER)
        elif batch and not new:
            await asyncio.sleep(self._retry_seconds)  # nothing but what can never be confirmed

    def _begin(self, number: int, raw: Json) -> None:
        events = self.hearing.parsed(raw)
        sender = events[0].sender.id if events else ""
        before = self._chains.get(sender) if sender else None
        task = asyncio.get_running_loop().create_task(self._follow(before, number, raw, events))
        self._open[number] = task
        if sender:
            self._chains[sender] = task
            task.add_done_callback(lambda done: self._unchain(sender, done))

    def _unchain(self, sender: str, done: asyncio.Task[bool]) -> None:
        if self._chains.get(sender) is done:
            del self._chains[sender]

    async def _follow(self, before: asyncio.Task[bool] | None, number: int, raw: Json, events: Sequence[Event]) -> bool:
        """Whether the update may be confirmed."""
        if before is not None:
            await asyncio.wait([before])
            if not _is_durable(before):
                return False
        tries = 0
        while True:
            try:
                for event in events:
                    answer = await self.hearing.heard(event, raw)
                    if answer is not None:
                        self.hearing.answer(event, raw, answer)
                return True
            except Unavailable:
                return False
            except Exception as error:
                if self.hearing.gives_up(number, error):
                    return True
            tries += 1
            await asyncio.sleep(self._pause(tries + 1))

    def _settle(self) -> tuple[int | None, bool]:
        """The offset that confirms the unbroken run of durable updates from the oldest on; whether nothing failed."""
        offset = None
        for number, task in sorted(self._open.items()):
            if not task.done() or not _is_durable(task):
                break
            offset = number + 1
        lost = [number for number, task in self._open.items() if task.done() and not _is_durable(task)]
        for number in lost:
            del self._open[number]  # it will come again
        return offset, not lost

    def _confirmed(self, offset: int) -> None:
        for number in [number for number in self._open if number < offset]:
            del self._open[number]

    # --- trouble ----------------------------------------------------------------------------------------------

    async def insist(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Does it, however often it takes."""
        failures = 0
        while True:
            try:
                await step()
            except Trouble as trouble:
                failures += 1
                await self.recover(trouble, failures)
            else:
                self.complaint = None
                return

    async def recover(self, trouble: Trouble, failures: int) -> None:
        """Says once what is wrong, and waits for it to pass."""
        if failures == 1:
            log.warning("telegram.cannot_hear", status=trouble.status, error=trouble.description[:80])
        if trouble.status == 409:
            await self._conflict(trouble)
        elif trouble.is_dead_token:
            self.complaint = token_is_wrong()
            await asyncio.sleep(DEAD_TOKEN_PAUSE)
        else:
            self.complaint = _("连不上 Telegram（状态 {status}），正在不停重试。", status=trouble.status)
            if trouble.status == 0 and failures % SILENT_POLLS == 0:
                await self.client.reset()
            await asyncio.sleep(max(self._pause(failures), trouble.retry_after or 0.0))

    async def _conflict(self, trouble: Trouble) -> None:
        """The settings say polling: a webhook that hangs on the token is taken off, nothing that waits is dropped."""
        if trouble.says("webhook is active"):
            log.warning("telegram.webhook_removed")
            await self.client.quietly("deleteWebhook", {"drop_pending_updates": False})
            return await asyncio.sleep(self._pause(1))
        self.complaint = _("另一个程序正用同一个令牌收消息：请只留一个，或换一个机器人。")
        await asyncio.sleep(self._pause(OTHER_POLLER))

    def _pause(self, failures: int) -> float:
        longest = min(LONGEST_PAUSE, self._retry_seconds * 2.0 ** min(failures - 1, 10))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311


def _is_durable(task: asyncio.Task[bool]) -> bool:
    return not task.cancelled() and task.result()


def token_is_wrong() -> str:
    return _("Telegram 不认这个令牌：请到 @BotFather 用 /token 查看，再改 HONGZHU_TELEGRAM__TOKEN。")

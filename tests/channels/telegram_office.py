"""What the tests of the Telegram channel share: a stand-in for the engine, and a channel on the fake platform."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.channels.telegram.channel import TelegramChannel
from bot.engine.port import Answer, Unavailable
from bot.kit.action import Action
from bot.kit.card import Button, Card, Line
from bot.kit.event import Event, Place, Said
from tests.fakes.telegram import FakeTelegram, Person

SECRET = "a-secret-of-the-school_123"


@dataclass(frozen=True)
class Rsvp(Action, verb="nt.rsvp"):
    notice: int
    answer: str


BUTTONS = [Button("能到", Rsvp(42, "y")), Button("请假", Rsvp(42, "n"))]
CARD = Card("notice:42", "教学例会", [Line("周五 15:30")], BUTTONS)


@dataclass
class Office:
    """Stands in for the engine: keeps what is heard, answers by rule, fails when told to."""

    answer: Callable[[Event], Answer] = lambda event: Answer()
    unavailable: int = 0
    broken: Callable[[Event], bool] = lambda event: False
    delay: float = 0.0
    heard: list[Event] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0
    after: Callable[[Event], None] = lambda event: None

    async def hear(self, event: Event) -> Answer:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(self.delay)
            if self.unavailable > 0:
                self.unavailable -= 1
                raise Unavailable
            if self.broken(event):
                raise ValueError("a bug")
            if all(event.id != known.id for known in self.heard):
                self.heard.append(event)
            self.after(event)
            return self.answer(event)
        finally:
            self.under_way -= 1

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Said)]


def channel(fake: FakeTelegram, **more: Any) -> TelegramChannel:
    given: dict[str, Any] = {"api_base": fake.url, "poll_seconds": 2, "retry_seconds": 0.02, "webhook_secret": SECRET}
    return TelegramChannel(fake.token, **(given | more))


@asynccontextmanager
async def listening(ears: TelegramChannel, office: Office) -> AsyncIterator[None]:
    task = asyncio.create_task(ears.listen(office.hear))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ears.close()


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)
    return found


def place(who: Any) -> Place:
    return Place("telegram", str(who.id), private=isinstance(who, Person))

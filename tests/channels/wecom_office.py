"""What the tests of the WeCom channel share: a stand-in for the engine, and a channel on the fake platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.channels.wecom.channel import WecomChannel
from bot.channels.wecom.connection import Timing
from bot.engine.port import Limits
from bot.kit.card import Button, Card, Line
from bot.kit.event import Place
from tests.channels.telegram_office import Office, Rsvp, until
from tests.fakes.wecom import FakeWecom, Person

__all__ = ["CARD", "Cards", "Office", "Rsvp", "channel", "listening", "place", "until"]
BUTTONS = [Button("能到", Rsvp(42, "y")), Button("请假", Rsvp(42, "n"))]
CARD = Card("notice:42", "教学例会", [Line("周五 15:30")], BUTTONS)


class Cards:
    """What the assembly would draw from the rows."""

    def __init__(self, *cards: Card) -> None:
        self.known = {card.key: card for card in cards or (CARD,)}
        self.drawn: list[str] = []
        self.delay = 0.0

    async def __call__(self, key: str) -> Card | None:
        self.drawn.append(key)
        await asyncio.sleep(self.delay)
        return self.known.get(key)


def channel(fake: FakeWecom, **more: Any) -> WecomChannel:
    given: dict[str, Any] = {
        "bot_name": "红烛",
        "url": fake.ws_url,
        "draw": Cards(),
        "limits": Limits(),
        "pause_seconds": 0.02,
        "kicked_seconds": 0.1,
    }
    seconds = {name: more.pop(f"{name}_seconds") for name in ("ping", "probe", "ack") if f"{name}_seconds" in more}
    return WecomChannel(fake.bot_id, fake.secret, **(given | {"timing": Timing(**seconds)} | more))


@asynccontextmanager
async def listening(ears: WecomChannel, office: Office, *, live: bool = True) -> AsyncIterator[None]:
    task = asyncio.create_task(ears.listen(office.hear))
    try:
        if live:
            assert await ears.client.ready(10)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ears.close()


def place(who: Any) -> Place:
    return Place("wecom", who.id, private=isinstance(who, Person))

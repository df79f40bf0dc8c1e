"""Tells the open browsers what is new: one reading for all who saw the same, in the order of the changes.

What is sent live and what is sent to a browser that comes back is the same question to the database, "what is above the
number you saw": nothing can fall between the two.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from bot.channels.web.render import PLACE, message
from bot.kit.context import School
from bot.kit.words import speaking
from storage import webchat
from storage.engine import Shelves

HEARTBEAT = 15.0  # seconds; a proxy or a phone closes a line that is silent for longer
TRUST = 5.0  # seconds for which a session that was good is taken to be good


@dataclass(frozen=True, slots=True)
class Frame:
    """One change: its number and what the browser gets."""

    change: int
    data: bytes


@dataclass(eq=False, slots=True)
class Ear:
    """One open browser: which conversations it hears, and which have news."""

    cursors: dict[str, int]
    dirty: set[str]
    news: asyncio.Event = field(default_factory=asyncio.Event)
    trusted: float = 0.0  # monotonic: until when

    def wake(self, place: str | None = None) -> None:
        if place is not None:
            self.dirty.add(place)
        self.news.set()

    @property
    def mark(self) -> str:
        """What the browser has seen: the group's number, then its own talk's; it comes back with this."""
        talk = next((number for place, number in self.cursors.items() if place != PLACE), 0)
        return f"{self.cursors.get(PLACE, 0)}.{talk}"


class Hub:
    """Who listens where. Everything but the reading itself happens on the one event loop."""

    def __init__(self, shelves: Shelves, school: School) -> None:
        self.shelves = shelves
        self.school = school
        self.closed = False
        self._ears: dict[str, set[Ear]] = {}
        self._reads: dict[str, dict[int, asyncio.Task[Sequence[Frame]]]] = {}

    def poke(self, place: str) -> None:
        """Something there was committed."""
        self._reads.pop(place, None)
        for ear in self._ears.get(place, ()):
            ear.wake(place)

    def recheck(self) -> None:
        """A session ended: everybody is asked for theirs again."""
        for ears in self._ears.values():
            for ear in ears:
                ear.trusted = 0.0
                ear.wake()

    def close(self) -> None:
        self.closed = True
        self.recheck()

    def open(self, cursors: Mapping[str, int]) -> Ear:
        """A new listener, who first gets everything above these numbers."""
        ear = Ear(dict(cursors), set(cursors))
        for place in cursors:
            self._ears.setdefault(place, set()).add(ear)
        return ear

    def leave(self, ear: Ear) -> None:
        for place in ear.cursors:
            self._ears[place].discard(ear)
            if not self._ears[place]:
                del self._ears[place]
                self._reads.pop(place, None)

    async def since(self, place: str, after: int) -> Sequence[Frame]:
        """What is above ``after`` there; those who ask the same between two commits share one reading."""
        reads = self._reads.setdefault(place, {})
        if after not in reads:
            reads[after] = asyncio.create_task(asyncio.to_thread(self._read, place, after))
        task = reads[after]
        try:
            return await asyncio.shield(task)
        except Exception:
            if reads.get(after) is task:
                del reads[after]
            raise

    def _read(self, place: str, after: int) -> Sequence[Frame]:
        where = "all" if place == PLACE else "me"
        with self.shelves.reading() as db:
            found = webchat.since(db, place, after)
        with speaking(self.school.language):
            return [Frame(m.change, _data(where, message(m, self.school.zone))) for m in found]


def _data(where: str, html: str) -> bytes:
    return msgspec.json.encode({"where": where, "html": html})


async def listen(hub: Hub, ear: Ear, still_in: Callable[[], Awaitable[bool]]) -> AsyncIterator[bytes]:
    """The stream of one browser, until it goes, we close, or its session ends."""
    try:
        yield b"retry: 1500\n\n"
        while not hub.closed:
            if time.monotonic() > ear.trusted:
                if not await still_in():
                    yield b"event: gone\ndata: \n\n"
                    return
                ear.trusted = time.monotonic() + TRUST
            ear.news.clear()
            async for chunk in _news(hub, ear):
                yield chunk
            if not await _wait(ear):
                yield b": still here\n\n"
    finally:
        hub.leave(ear)


async def _news(hub: Hub, ear: Ear) -> AsyncIterator[bytes]:
    while ear.dirty:
        place = ear.dirty.pop()
        while frames := await hub.since(place, ear.cursors[place]):
            for frame in frames:
                ear.cursors[place] = frame.change
                yield b"id: %s\ndata: %s\n\n" % (ear.mark.encode(), frame.data)


async def _wait(ear: Ear) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT):
            return await ear.news.wait()
    return False

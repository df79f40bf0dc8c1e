"""What the engine asks of a channel: ears that call ``hear``, a mouth that sends, and its limits in plain numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from bot.kit.card import Card
from bot.kit.event import Event, Place


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``count`` sends in any ``seconds``."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform lets through; sliding windows, the strictest reading of what it publishes.

    ``overall`` binds all conversations together, ``private`` and ``group`` each one alone. ``edit_seconds`` is the
    least time between two edits in one conversation. ``parallel``: sends under way at once. Without ``edits`` a message
    stands as it was sent until somebody presses it: only its last state is brought there.
    """

    overall: tuple[Window, ...] = ()
    private: tuple[Window, ...] = ()
    group: tuple[Window, ...] = ()
    edit_seconds: float = 0.0
    parallel: int = 8
    edits: bool = True
    presses_live: float | None = None  # seconds for which the platform keeps a press while we are down; None: for ever


class DeliveryFailed(Exception):
    """A send did not succeed. ``permanent``: it never will, the address is closed; else again after ``retry_after`` s.

    ``unknown``: it may have arrived (a timeout after the request was written). ``gone``: the message to edit is no
    more. ``moved``: the conversation goes on under this id. ``everywhere``: ``retry_after`` is for all conversations.
    ``rejected``: the platform will never take this content; the address is fine.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        unknown: bool = False,
        gone: bool = False,
        moved: str | None = None,
        everywhere: bool = False,
        rejected: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
        self.gone = gone
        self.moved = moved
        self.everywhere = everywhere
        self.rejected = rejected


@dataclass(frozen=True, slots=True)
class Document:
    name: str
    mime: str
    content: bytes


Content = str | Card | Document


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back on the open callback, after the commit. ``ok`` is false where nothing was kept.

    ``sealed``: the toast may be shown, but must not stay anywhere: it names a secret choice.
    """

    toast: str | None = None
    alert: bool = False
    ok: bool = True
    sealed: bool = False


class Unavailable(Exception):
    """Nothing was kept and nothing must be confirmed to the platform: it will come again."""


Hear = Callable[[Event], Awaitable[Answer]]


Progress = Callable[[int, int], Awaitable[None]]
"""So many parts of so many are done."""
Errand = Callable[[Progress], Awaitable[Any]]
"""Fetches something from a platform: a JSON-like value (``contacts``: a ``Contacts``), or ``Refused`` with what to do.
It must bear being done again from its beginning."""


@runtime_checkable
class Messenger(Protocol):
    """A channel that also goes on errands."""

    errands: Mapping[str, Errand]


class Channel(Protocol):
    """One platform. ``send`` gives the ids of the messages it became; a card's last one carries its buttons."""

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    async def send(self, place: Place, content: Content) -> Sequence[str]: ...

    async def edit(self, place: Place, ref: str, card: Card, *, final: bool) -> None: ...

    async def listen(self, hear: Hear) -> None:
        """Hears until it is cancelled."""
        ...

    async def close(self) -> None: ...

    async def check(self) -> Sequence[str]:
        """What is wrong with this channel, a sentence each, with what to do."""
        ...

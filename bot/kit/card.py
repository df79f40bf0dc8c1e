"""What we show: a card of blocks that say meaning, not looks. The set of blocks is closed on purpose.

Every channel renders every block (``match`` with ``assert_never``); a card that needs more links to its web page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bot.kit.action import Action


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values: 时间 · 地点 · 主题."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of answers, and out of how many."""

    counts: Sequence[tuple[str, int]]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class People:
    """A named list of people; never used to shame: only for those who may see it."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars: label and value; every channel can also say it in words."""

    title: str
    bars: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's own words, or a clause, word for word."""

    text: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept by us (``storage.files``); the channel sends or links it."""

    name: str
    file: int


Block = Line | Facts | Tally | People | Table | Chart | Quote | Attachment


class Tone(Enum):
    PLAIN = "plain"
    MAIN = "main"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    action: Action
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Card:
    """``key`` is the card's name for ever: same key, same card, wherever its copies are."""

    key: str
    title: str
    body: Sequence[Block] = ()
    buttons: Sequence[Button] = ()
    foot: str = ""

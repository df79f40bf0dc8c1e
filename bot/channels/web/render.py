"""A card -> HTML. Pure; every word goes through Jinja2's autoescape, and looks live in the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.channels import clean
from bot.kit import when
from bot.kit.card import Attachment, Block, Card, Chart, Facts, Line, People, Quote, Table, Tally
from bot.kit.words import _
from storage import webchat
from storage.webchat import Message

WEB = "web"
PLACE = "all"  # the one group of a school's own page
HERE = Path(__file__).resolve().parent
HUES = 8


def initials(text: str) -> str:
    """What stands in the picture of somebody: 王老师 → 王, 陈静怡 → 静怡, 办公室 → 办."""
    plain = clean.name(text).strip("（）")
    if plain.endswith(("老师", "校长", "书记", "主任", "室", "处")):
        return plain[:1]
    return plain[1:] if len(plain) == 3 else plain[:2]


def hue(account: str) -> int:
    """One of eight calm colours, the same each time for the same account."""
    return sum(account.encode()) % HUES


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(_=_, initials=initials, hue=hue)
    made.filters.update(name=clean.name, said=clean.text)
    made.tests["quiet"] = lambda label: label.startswith("未")
    return made


def fill(template: str, **facts: Any) -> str:
    return environment().get_template(template).render(**facts)


# --- cards ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a bar that is 1,000 units long: CSP lets no inline style set a width."""

    label: str
    count: int
    start: int
    length: int


def card(shown: Card) -> str:
    """The card's face. Its number in the chat is not in it, so that one face fits every copy."""
    return fill("card.html", card=shown, blocks=[Markup(block(b)) for b in shown.body])  # noqa: S704 made by ``block``


def block(shown: Block) -> str:
    match shown:
        case Line():
            return _block("line", text=shown.text)
        case Facts():
            return _block("facts", pairs=shown.pairs)
        case Tally():
            return _block("tally", bars=_pieces(shown), total=shown.total)
        case People():
            return _block("people", title=shown.title, names=shown.names)
        case Table():
            return _block("table", heads=shown.heads, rows=shown.rows)
        case Chart():
            return _block("chart", title=shown.title, bars=_lengths(shown.bars))
        case Quote():
            return _block("quote", text=shown.text, source=shown.source)
        case Attachment():
            return _block("attachment", name=shown.name, file=shown.file)
        case _:
            assert_never(shown)


def _block(kind: str, **facts: Any) -> str:
    made: str = getattr(environment().get_template("blocks.html").module, kind)(**facts)
    return made


def _pieces(tally: Tally) -> Sequence[Bar]:
    """Pieces of one bar, end to end; what nobody has answered yet stays empty."""
    whole = max(tally.total or 0, sum(count for _label, count in tally.counts), 1)
    bars, start = [], 0
    for label, count in tally.counts:
        length = max(count, 0) * 1000 // whole
        bars.append(Bar(label, count, start, length))
        start += length
    return bars


def _lengths(counts: Sequence[tuple[str, int]]) -> Sequence[Bar]:
    """Bars of their own; the longest is full."""
    most = max((count for _label, count in counts), default=0) or 1
    return [Bar(label, count, 0, max(count, 0) * 1000 // most) for label, count in counts]


def gist(text: str) -> str:
    """One line of it, for the list of conversations and for quotations."""
    return clean.line(next((line for line in text.splitlines() if line.strip()), ""))[: webchat.GIST]


# --- messages -------------------------------------------------------------------------------------------------


def message(shown: Message, zone: ZoneInfo, me: str | None = None) -> str:
    """One message with its frame. ``me``: whose page it is; a page that comes later finds out by itself."""
    at = shown.made_at.astimezone(zone)
    body = Markup(shown.body) if shown.kind == "card" else shown.body  # noqa: S704 drawn by ``card``, kept by the channel
    facts = {"m": shown, "body": body, "clock": f"{at:%H:%M}", "day": when.write_day(at.date())}
    return fill("message.html", **facts, mine=bool(shown.account) and shown.account == me)


def clock(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """For the list of conversations: 15:02 today, 12月2日 before."""
    local = at.astimezone(zone)
    return (
        f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else _("{m}月{d}日", m=local.month, d=local.day)
    )

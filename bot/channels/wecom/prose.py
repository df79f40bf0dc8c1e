"""A card, or somebody's words, as plain lines; and those lines as the platform's markdown, cut by bytes.

The bot's only kind of text is markdown, and nobody may style our messages from inside a name or a comment: what would
mean something there is parted by a zero-width space. Nothing is taken out, so copying gives back every visible word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.channels import clean
from bot.channels.graphemes import split
from bot.kit.card import Attachment, Block, Card, Chart, Facts, Line, People, Quote, Table, Tally
from bot.kit.words import _

ZERO = "\u200b"
BAR = 10
MARK = 20  # bytes kept for （12/34） and its line break
STARTS = re.compile(r"^([ \t]*)(?=[#>|+=~-]|\d+[.)])", re.MULTILINE)
INSIDE = re.compile(r"([*_`~\\<\[\]!$@&])")


@dataclass(frozen=True, slots=True)
class Said:
    """A paragraph; ``style`` is bold, quote or nothing."""

    text: str
    style: str = ""


def size(text: str) -> int:
    """Bytes of UTF-8, in which the platform counts its texts."""
    return len(text.encode("utf-8", "replace"))


def paragraphs(card: Card) -> list[Said]:
    """All of a card but its buttons."""
    title = Said(clean.text(card.title).strip(), "bold")
    found = [title, *(one for block in card.body for one in said(block)), Said(clean.text(card.foot))]
    return [one for one in found if not clean.is_blank(one.text)]


def said(block: Block) -> Iterator[Said]:
    match block:
        case Line():
            yield Said(clean.text(block.text))
        case Facts():
            for label, value in block.pairs:
                yield Said(fact(label, value))
        case Tally():
            yield Said(_tally(block))
        case People():
            names = _("、").join(clean.name(name) for name in block.names) or _("无")
            yield Said(_("{title}（{n}）：{names}", title=clean.line(block.title), n=len(block.names), names=names))
        case Table():
            for row in (block.heads, *block.rows):
                yield Said(" | ".join(clean.line(cell) for cell in row))
        case Chart():
            yield Said(clean.line(block.title))
            yield from map(Said, _bars(block.bars))
        case Quote():
            yield Said(clean.text(block.text), "quote")
            yield Said(f"—— {clean.line(block.source)}" if block.source else "")
        case Attachment():
            yield Said(f"📎 {clean.line(block.name)}")
        case _:
            assert_never(block)


def fact(label: str, value: str) -> str:
    """A line break in a value must not forge a line of its own."""
    return _("{label}：{value}", label=clean.line(label), value=clean.text(value).replace("\n", "\n　　"))


def _tally(tally: Tally) -> str:
    counts = " · ".join(f"{clean.line(label)} {count}" for label, count in tally.counts)
    return counts if tally.total is None else _("{counts}（共 {total}）", counts=counts, total=tally.total)


def _bars(bars: Sequence[tuple[str, int]]) -> Iterable[str]:
    longest = max((value for _label, value in bars), default=0)
    for label, value in bars:
        length = max(1, round(BAR * value / longest)) if value > 0 else 0
        yield f"{clean.line(label)} {'▇' * length}{' ' if length else ''}{value}"


# --- texts ----------------------------------------------------------------------------------------------------


def harmless(text: str) -> str:
    """Text that no markdown reader takes for more than its letters; ``clean`` first."""
    return STARTS.sub(rf"\1{ZERO}", INSIDE.sub(rf"{ZERO}\1{ZERO}", text))


def markdown(said: Sequence[Said]) -> str:
    return "\n".join(_styled(one) for one in said)


def _styled(one: Said) -> str:
    safe = harmless(one.text)
    if one.style == "bold" and "\n" not in safe and ZERO not in safe:
        return f"**{safe}**"
    return f"> {safe}" if one.style == "quote" else safe


def plain(said: Sequence[Said]) -> str:
    """For texts without markdown, in which only a link could be forged: <a href=…>."""
    return "\n".join(one.text for one in said).replace("<", f"<{ZERO}")


def parts(text: str, most: int, more: int = 0) -> list[str]:
    """In numbered parts of at most ``most`` bytes if it is too long; ``more`` messages that follow are counted in."""
    text = text if not clean.is_blank(text) else _("（空）")
    if size(text) <= most and not more:
        return [text]
    cut = split(text, most - MARK, size)
    return [_("（{n}/{all}）", n=n, all=len(cut) + more) + "\n" + part for n, part in enumerate(cut, 1)]

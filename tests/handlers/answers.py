"""The table of answers (``tables/answers.tsv``): what people type about a notice, and how it must be read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from handlers.notices.answers import Heard, hear
from handlers.notices.rules import Answer

TABLE = Path(__file__).parent / "tables" / "answers.tsv"
READINGS = {Answer.YES: "yes", Answer.LATE: "late", Answer.EARLY: "early", Answer.LEAVE: "leave"}
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Line:
    """``expected`` without its ``~``; ``yet`` is false where it is not read yet."""

    words: str
    expected: str
    who: str = ""
    note: str = ""
    yet: bool = True


class Verdict(Enum):
    RIGHT = "right"
    MISSED = "missed"  # not read: the person stays on the list of the silent and is asked again
    WRONG = "wrong"  # counted as something that was not said: the worst


def lines() -> list[Line]:
    rows = [line.split("\t") for line in TABLE.read_text().splitlines() if line and not line.startswith("# ")]
    padded = [[*row, "", ""][:4] for row in rows]
    return [
        Line(words, expected.removeprefix("~"), who, note, not expected.startswith("~"))
        for words, expected, who, note in padded
    ]


def reading(heard: Heard | None) -> str:
    """As the table writes it."""
    if heard is None:
        return NOTHING
    word = "seen" if heard.plain else READINGS[heard.answer]
    return f"{'proxy:' if heard.proxy else ''}{word}{'+question' if heard.asks else ''}"


def judge(line: Line) -> Verdict:
    heard = hear(line.words)
    if reading(heard) == line.expected and (heard is None or heard.who == line.who):
        return Verdict.RIGHT
    return Verdict.MISSED if heard is None else Verdict.WRONG

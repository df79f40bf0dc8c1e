"""The table of times, and how a reading is written in it. Also read by ``python -m benchmarks reading``.

One phrase a line: ``what is typed | how it must be read``. A line with ``@`` says when and in which school.

    2026-11-27                      a day                    2026-11-27 15:30      a point
    <2026-11-27 17:30               a deadline               a -> b                a range
    weekly 2 15:00                  a recurrence             -                     no time at all
    ! 没有30日                       refused, and why         ...?                  it must ask
    ~...                            what was meant; as yet it may ask or say nothing, but must not err
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.kit import when
from bot.kit.calendar import Calendar, Term
from bot.kit.errors import NotUnderstood
from bot.kit.when import Kind, Reading

TABLE = Path(__file__).with_name("times.txt")
ZONE = ZoneInfo("Asia/Shanghai")


def _lessons(*said: str) -> tuple[when.Stretch, ...]:
    ends = [one.split("-") for one in said]
    return tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in ends)


_LESSONS = _lessons(
    "08:00-08:40", "08:50-09:30", "10:00-10:40", "10:50-11:30", "13:50-14:30", "14:40-15:20", "15:30-16:10"
)
_WORDS = ("大课间", "早读", "午休", "晚自习", "上班")
_HOURS = _lessons("09:30-10:00", "07:40-08:00", "12:20-13:40", "18:30-20:30", "07:50-07:50")
_TERMS = (
    Term("上学期", date(2026, 9, 1), date(2027, 1, 29)),
    Term("下学期", date(2027, 2, 24), date(2027, 7, 2)),
)
SCHOOLS = {
    "": when.SchoolHours(zone=ZONE),
    "school": when.SchoolHours(
        zone=ZONE,
        lessons=_LESSONS,
        words=tuple(zip(_WORDS, _HOURS, strict=True)),
        meeting=(2, time(15, 30)),
        calendar=Calendar(terms=_TERMS),
    ),
}
"""A school that has set nothing, and one with its timetable and terms."""


@dataclass(frozen=True, slots=True)
class Phrase:
    text: str
    expected: str
    now: datetime
    school: str
    yet: bool = True  # False: not read as yet


class Verdict(Enum):
    RIGHT = "right"
    ASKED = "asked"  # not as the table has it, but nothing was taken for certain
    WRONG = "wrong"  # something was taken for certain that is not so


def phrases() -> Sequence[Phrase]:
    return tuple(_phrases())


def _phrases() -> Iterator[Phrase]:
    now, school = datetime.min.replace(tzinfo=ZONE), ""
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            _at, day, hour, *rest = line.split()
            now, school = datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=ZONE), (rest or [""])[0]
        elif line and not line.startswith("#"):
            text, _bar, expected = line.rpartition(" | ")
            meant = expected.strip()
            yield Phrase(text, meant.removeprefix("~"), now, school, yet=not meant.startswith("~"))


def read(phrase: Phrase) -> str:
    """What the program makes of it, written as in the table."""
    try:
        found = when.find(phrase.text, phrase.now, SCHOOLS[phrase.school])
    except NotUnderstood as refusal:
        return f"! {refusal.sentence}"
    return " + ".join(written(reading) for reading in found) or "-"


def written(reading: Reading) -> str:
    return _bare(reading) + ("" if reading.sure else "?")


def _bare(reading: Reading) -> str:
    if reading.rule:
        return when.pack_rule(reading.rule)
    assert reading.start is not None
    start = f"{reading.start:%Y-%m-%d %H:%M}"
    match reading.kind:
        case Kind.DAY:
            return start[:10]
        case Kind.DEADLINE:
            return f"<{start}"
        case Kind.RANGE:
            return f"{start} -> {reading.end:%Y-%m-%d %H:%M}"
        case _:
            return start


def judge(phrase: Phrase, got: str) -> Verdict:
    if got == phrase.expected or (phrase.expected[0] == got[0] == "!" and phrase.expected[2:] in got):
        return Verdict.RIGHT
    return Verdict.WRONG if certain(got) - certain(phrase.expected) else Verdict.ASKED


def certain(said: str) -> set[str]:
    """The readings in it that nobody would be asked about."""
    return set() if said[0] in "-!" else {one for one in said.split(" + ") if not one.endswith("?")}

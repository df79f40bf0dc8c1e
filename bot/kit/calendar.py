"""School days as a value: the office's own notices, then the published holidays, then Monday to Friday and saying so.

Holidays and make-up days come from chinesecalendar (data through the year it was released for; it raises
NotImplementedError beyond). Next year's arrangement appears each November: until then the answer is marked 未公布.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.kit.words import N_, _

NOTICE = N_("通知")
STATUTORY = N_("法定")
UNPUBLISHED = N_("未公布")
_LOOK_AHEAD = 366


@dataclass(frozen=True, slots=True)
class Day:
    """One line of a notice: the school works on that day, or does not, and why (运动会补课, 寒假)."""

    is_work: bool
    name: str = ""


@dataclass(frozen=True, slots=True)
class Workday:
    """``source``: 通知, 法定, or 未公布 where Monday to Friday was all we had. ``name``: the holiday, if it has one."""

    is_work: bool
    source: str
    name: str = ""

    @property
    def published(self) -> bool:
        return self.source != UNPUBLISHED

    def note(self) -> str:
        """What to show beside a date moved on account of this day."""
        source = _("未公布（按周一至周五推算）") if not self.published else _(self.source)
        return f"{self.name} {source}".strip()


@dataclass(frozen=True, slots=True)
class Term:
    """A term, both days included; its weeks run Monday to Sunday, the first is the one it starts in."""

    name: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a term ends before it starts: {self}")

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def week_of(self, day: date) -> int:
        """1 for the first week of the term."""
        return (day - self.start + timedelta(days=self.start.weekday())).days // 7 + 1


class Calendar:
    """One school's days. Immutable: a new notice makes a new calendar."""

    def __init__(self, overrides: Mapping[date, Day] | None = None, terms: Iterable[Term] = ()) -> None:
        self._overrides = dict(overrides or {})
        self.terms = tuple(sorted(terms, key=lambda term: term.start))

    def workday(self, day: date) -> Workday:
        """Whether the school works on ``day``, who says so, and the name of the day."""
        day = _plain(day)
        told = self._overrides.get(day)
        return Workday(told.is_work, NOTICE, told.name) if told else _statutory(day)

    def is_work(self, day: date) -> bool:
        """``workday(day).is_work``: what ``when.next_after`` takes."""
        return self.workday(day).is_work

    def next_workday(self, day: date) -> date:
        """The first working day after ``day``."""
        return self.on_or_after(_plain(day) + timedelta(days=1))

    def on_or_after(self, day: date) -> date:
        """``day`` itself if the school works then, else the next working day (逢假顺延)."""
        for ahead in range(_LOOK_AHEAD):
            found = _plain(day) + timedelta(days=ahead)
            if self.is_work(found):
                return found
        raise LookupError(f"no working day within a year of {day}")

    def published_through(self) -> int:
        """The last year whose arrangement has been published in the data we carry."""
        return max(year for year in _published())

    def term_on(self, day: date) -> Term | None:
        return next((term for term in self.terms if _plain(day) in term), None)


def _plain(day: date) -> date:
    """A datetime is a date to Python and never equal to one: overrides would be missed in silence."""
    if isinstance(day, datetime):
        raise TypeError(f"a date, not a time: {day!r}; take local_date() of it")
    return day


def _statutory(day: date) -> Workday:
    import chinese_calendar  # the tables of 22 years: read when somebody asks for a day

    try:
        is_work, english = bool(chinese_calendar.is_workday(day)), chinese_calendar.get_holiday_detail(day)[1]
    except NotImplementedError:
        return Workday(day.weekday() < 5, UNPUBLISHED)
    name = chinese_calendar.Holiday(english).chinese if english else ""
    return Workday(is_work, STATUTORY, name)


def _published() -> set[int]:
    import chinese_calendar

    return {day.year for day in chinese_calendar.holidays}

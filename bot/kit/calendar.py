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

_FIXED = {
    "元旦": (1, 1), "妇女节": (3, 8), "植树节": (3, 12), "劳动节": (5, 1), "五一": (5, 1), "青年节": (5, 4),
    "儿童节": (6, 1), "六一": (6, 1), "建党节": (7, 1), "七一": (7, 1), "建军节": (8, 1), "教师节": (9, 10),
    "国庆": (10, 1), "十一": (10, 1), "圣诞节": (12, 25),
}  # fmt: skip
# The moon's own dates, as month * 100 + day; from the tables every wall calendar prints, checked against lunardate.
_MOON = {
    2026: {"春节": 217, "元宵": 303, "清明": 405, "端午": 619, "中秋": 925},
    2027: {"春节": 206, "元宵": 220, "清明": 405, "端午": 609, "中秋": 915},
    2028: {"春节": 126, "元宵": 209, "清明": 404, "端午": 528, "中秋": 1003},
    2029: {"春节": 213, "元宵": 227, "清明": 404, "端午": 616, "中秋": 922},
    2030: {"春节": 203, "元宵": 217, "清明": 405, "端午": 605, "中秋": 912},
}  # fmt: skip
_SAME = {
    "元旦节": "元旦", "五一节": "五一", "五一劳动节": "五一", "三八节": "妇女节", "三八妇女节": "妇女节",
    "五四青年节": "青年节", "六一节": "六一", "六一儿童节": "六一", "国庆节": "国庆", "十一国庆节": "国庆",
    "清明节": "清明", "端午节": "端午", "中秋节": "中秋", "元宵节": "元宵", "正月十五": "元宵",
    "大年初一": "春节", "正月初一": "春节", "除夕": "除夕",
}  # fmt: skip
_WITH_DAYS_OFF = ("元旦", "春节", "清明", "五一", "端午", "中秋", "国庆")
_MOVES = timedelta(days=12)  # so far from a festival its days off and the Saturdays made up for them may lie

FESTIVALS = (*_FIXED, *_MOON[2026], *_SAME)
"""The names that ``festival`` knows."""


def festival(name: str, year: int) -> date | None:
    """The day of that festival; None where our table of the moon does not reach."""
    name = _SAME.get(name, name)
    if name in _FIXED:
        return date(year, *_FIXED[name])
    found = _MOON.get(year, {}).get("春节" if name == "除夕" else name)
    if found is None:
        return None
    on = date(year, *divmod(found, 100))
    return on - timedelta(days=1) if name == "除夕" else on


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

    def unsettled(self, day: date) -> bool:
        """Whether a notice that is not out yet may still change this day: the year is 未公布 and a festival is near."""
        if self.workday(day).published:
            return False
        near = (festival(name, day.year) for name in _WITH_DAYS_OFF)
        new_year = date(day.year + 1, 1, 1)
        return any(one is None or abs(day - one) <= _MOVES for one in (*near, new_year))

    def status(self, day: date) -> str:
        """What to say beside a date: 调休上班, 国庆节放假, 休息日, 放假安排未公布; "" for an ordinary working day."""
        found = self.workday(day)
        if found.source == NOTICE:
            kind = _("学校通知上班") if found.is_work else _("学校通知放假")
            return f"{found.name} {kind}".strip() if not found.is_work or day.weekday() >= 5 else ""
        if self.unsettled(day):
            return _("放假安排未公布")
        if found.is_work:
            return _("调休上班") if day.weekday() >= 5 else ""
        return _("{name}放假", name=found.name) if found.name else _("休息日")

    def term_from(self, day: date) -> Term | None:
        """The first term that starts on ``day`` or later."""
        return next((term for term in self.terms if term.start >= _plain(day)), None)

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

"""Recurring times as values: they pack into one line for the database and know when they come next.

An occurrence belongs to a local date. A wall time the clocks skip moves forward, one they repeat fires once.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import assert_never
from zoneinfo import ZoneInfo

from bot.kit.reading.dates import monday_of
from bot.kit.reading.moment import instant
from bot.kit.reading.write import WEEKDAYS, aware, local_date, write_day
from bot.kit.words import N_, _


class Beyond(Enum):
    """What 每月31号 means in a month without a 31st."""

    CLAMP = "clamp"  # the last day of that month
    SKIP = "skip"  # nothing in that month


@dataclass(frozen=True, slots=True)
class Daily:
    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """``weekdays``: Monday is 0. ``every`` 2 with an ``anchor``: the week of that date, and each second one from it."""

    weekdays: tuple[int, ...]
    at: time
    every: int = 1
    anchor: date | None = None

    def __post_init__(self) -> None:
        ordered = tuple(sorted(set(self.weekdays)))
        if not ordered or not set(ordered) <= set(range(7)) or self.every < 1 or (self.every > 1 and not self.anchor):
            raise ValueError(f"no such week: {self}")
        object.__setattr__(self, "weekdays", ordered)


@dataclass(frozen=True, slots=True)
class Monthly:
    day: int
    at: time
    beyond: Beyond = Beyond.CLAMP

    def __post_init__(self) -> None:
        if not 1 <= self.day <= 31:
            raise ValueError(f"no such day of the month: {self}")


@dataclass(frozen=True, slots=True)
class MonthlyNth:
    """``nth`` 1-5, or -1 for the last; a month without a fifth Friday has none."""

    nth: int
    weekday: int
    at: time

    def __post_init__(self) -> None:
        if self.nth not in (-1, 1, 2, 3, 4, 5) or self.weekday not in range(7):
            raise ValueError(f"no such weekday of the month: {self}")


@dataclass(frozen=True, slots=True)
class MonthlyLastWorkday:
    at: time


Rule = Daily | Weekly | Monthly | MonthlyNth | MonthlyLastWorkday
IsWorkday = Callable[[date], bool]
_HORIZON = 400  # days: five months between two fifth Fridays, a summer without working days


def monday_to_friday(day: date) -> bool:
    """Working days before anybody has looked into the school's calendar."""
    return day.weekday() < 5


# ---------------------------------------------------------------------------------------------- when


def falls_on(rule: Rule, day: date, workday: IsWorkday = monday_to_friday) -> bool:
    """Whether this local date is one of the rule's."""
    match rule:
        case Daily():
            return True
        case Weekly(weekdays, _at, every, anchor):
            weeks = (monday_of(day) - monday_of(anchor or day)).days // 7
            return day.weekday() in weekdays and weeks >= 0 and weeks % every == 0
        case Monthly(wanted, _at, beyond):
            last = monthrange(day.year, day.month)[1]
            return day.day == (min(wanted, last) if beyond is Beyond.CLAMP else wanted)
        case MonthlyNth(nth, weekday):
            last = monthrange(day.year, day.month)[1]
            return day.weekday() == weekday and (day.day > last - 7 if nth == -1 else (day.day - 1) // 7 + 1 == nth)
        case MonthlyLastWorkday():
            rest = range(1, monthrange(day.year, day.month)[1] - day.day + 1)
            return workday(day) and not any(workday(day + timedelta(days=ahead)) for ahead in rest)
        case _:
            assert_never(rule)


def next_after(rule: Rule, after: datetime, zone: ZoneInfo, workday: IsWorkday = monday_to_friday) -> datetime:
    """The first occurrence strictly after ``after``, in ``zone``. ``workday``: the school's calendar, if at hand."""
    moment = aware(after).astimezone(UTC)
    first = local_date(after, zone) - timedelta(days=1)  # yesterday's may have been moved into today
    if isinstance(rule, Weekly) and rule.anchor:
        first = max(first, monday_of(rule.anchor))
    for ahead in range(_HORIZON * (rule.every if isinstance(rule, Weekly) else 1)):
        day = first + timedelta(days=ahead)
        if falls_on(rule, day, workday):
            occurrence = instant(day, rule.at, zone)
            if occurrence.astimezone(UTC) > moment:
                return occurrence
    raise LookupError(f"{rule} never comes after {after}")


# ---------------------------------------------------------------------------------------------- the database's line


def pack_rule(rule: Rule) -> str:
    """``weekly 0,2 07:50``, ``weekly 2 15:00 2 2026-11-25``, ``monthly 31 15:00 clamp``, ... Written, never derived."""
    at = rule.at.isoformat("minutes" if not rule.at.second else "seconds")
    match rule:
        case Daily():
            return f"daily {at}"
        case Weekly(weekdays, _at, every, anchor):
            days = ",".join(str(day) for day in weekdays)
            return f"weekly {days} {at}" + (f" {every} {anchor.isoformat()}" if anchor else "")
        case Monthly(day, _at, beyond):
            return f"monthly {day} {at} {beyond.value}"
        case MonthlyNth(nth, weekday):
            return f"monthly-nth {nth} {weekday} {at}"
        case MonthlyLastWorkday():
            return f"monthly-last-workday {at}"
        case _:
            assert_never(rule)


def unpack_rule(text: str) -> Rule:
    """The rule ``pack_rule`` wrote; ValueError for anything else."""
    match text.split(" "):
        case ["daily", at]:
            return Daily(time.fromisoformat(at))
        case ["weekly", days, at]:
            return Weekly(_weekdays(days), time.fromisoformat(at))
        case ["weekly", days, at, every, anchor]:
            return Weekly(_weekdays(days), time.fromisoformat(at), int(every), date.fromisoformat(anchor))
        case ["monthly", day, at, beyond]:
            return Monthly(int(day), time.fromisoformat(at), Beyond(beyond))
        case ["monthly-nth", nth, weekday, at]:
            return MonthlyNth(int(nth), int(weekday), time.fromisoformat(at))
        case ["monthly-last-workday", at]:
            return MonthlyLastWorkday(time.fromisoformat(at))
        case _:
            raise ValueError(f"not a packed rule: {text!r}")


def _weekdays(text: str) -> tuple[int, ...]:
    return tuple(int(day) for day in text.split(","))


# ---------------------------------------------------------------------------------------------- in words

_NTH = {1: N_("第一个"), 2: N_("第二个"), 3: N_("第三个"), 4: N_("第四个"), 5: N_("第五个"), -1: N_("最后一个")}


def describe(rule: Rule) -> str:
    """``每月 31 日 15:00（没有 31 日的月份取当月最后一天）``."""
    at = f"{rule.at:%H:%M}"
    match rule:
        case Daily():
            return _("每天 {at}", at=at)
        case Weekly(weekdays, _at, every, anchor):
            return _describe_weekly(weekdays, at, every, anchor)
        case Monthly(day, _at, beyond):
            return _describe_monthly(day, at, beyond)
        case MonthlyNth(nth, weekday):
            return _("每月{nth}{weekday} {at}", nth=_(_NTH[nth]), weekday=_(WEEKDAYS[weekday]), at=at)
        case MonthlyLastWorkday():
            return _("每月最后一个工作日 {at}", at=at)
        case _:
            assert_never(rule)


def _describe_weekly(weekdays: tuple[int, ...], at: str, every: int, anchor: date | None) -> str:
    days = _("周一至周五") if weekdays == (0, 1, 2, 3, 4) else "、".join(_(WEEKDAYS[day]) for day in weekdays)
    if anchor is None or every == 1:
        return _("每{days} {at}", days=days, at=at)
    since = write_day(anchor)
    return _("每 {every} 周的{days} {at}（从 {anchor} 那一周算起）", every=every, days=days, at=at, anchor=since)


def _describe_monthly(day: int, at: str, beyond: Beyond) -> str:
    if day <= 28:
        return _("每月 {day} 日 {at}", day=day, at=at)
    if beyond is Beyond.CLAMP:
        return _("每月 {day} 日 {at}（没有 {day} 日的月份取当月最后一天）", day=day, at=at)
    return _("每月 {day} 日 {at}（没有 {day} 日的月份跳过）", day=day, at=at)

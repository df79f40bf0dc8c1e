"""Times written for people: 12月2日 周三 15:00. What is written here can be read back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.kit.calendar import Calendar
from bot.kit.words import N_, _

WEEKDAYS = (N_("周一"), N_("周二"), N_("周三"), N_("周四"), N_("周五"), N_("周六"), N_("周日"))
_NEAR = timedelta(days=183)
_UNITS = ((86400, N_("{n} 天")), (3600, N_("{n} 小时")), (60, N_("{n} 分钟")), (1, N_("{n} 秒")))


def aware(at: datetime) -> datetime:
    """A time without a zone is a bug of the caller, never a time of the school."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {at!r}")
    return at


def local_date(at: datetime, zone: ZoneInfo) -> date:
    """The date on the school's wall."""
    return aware(at).astimezone(zone).date()


def write(at: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """``12月2日 周三 15:00``; with ``now`` given, the year too where it would not go without saying."""
    local = aware(at).astimezone(zone)
    today = local_date(now, zone) if now else None
    return _("{day} {time}", day=write_day(local.date(), today), time=f"{local:%H:%M}")


def write_day(day: date, today: date | None = None) -> str:
    """``12月2日 周三``, or ``2028年12月2日 周六`` where that is neither this year nor soon."""
    facts = {"year": day.year, "month": day.month, "day": day.day, "weekday": _(WEEKDAYS[day.weekday()])}
    near = today is None or day.year == today.year or timedelta(0) <= day - today <= _NEAR
    return _("{month}月{day}日 {weekday}", **facts) if near else _("{year}年{month}月{day}日 {weekday}", **facts)


def echo_day(day: date, today: date | None, calendar: Calendar) -> str:
    """``10月10日 周六（调休上班）``: for whoever is to confirm it. An ordinary working day has no remark."""
    written, status = write_day(day, today), calendar.status(day)
    return _("{day}（{status}）", day=written, status=status) if status else written


def echo(at: datetime, zone: ZoneInfo, now: datetime | None, calendar: Calendar) -> str:
    """``10月10日 周六（调休上班） 15:00``."""
    local = aware(at).astimezone(zone)
    today = local_date(now, zone) if now else None
    return _("{day} {time}", day=echo_day(local.date(), today, calendar), time=f"{local:%H:%M}")


def write_span(span: timedelta | float) -> str:
    """``3 小时 20 分钟``: the two largest units. Whether it lies before or after is for the sentence to say."""
    rest = abs(int(span.total_seconds() if isinstance(span, timedelta) else span))
    parts: list[str] = []
    for size, sentence in _UNITS:
        count, left = divmod(rest, size)
        if count and len(parts) < 2:
            parts.append(_(sentence, n=count))
            rest = left
        elif parts:
            break  # 2 天 5 分钟 is more than anybody asked for
    return " ".join(parts) or _("{n} 秒", n=0)

"""When a rhythm is due: against an oracle that knows nothing of cron."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.rhythms import due, next_after

SHANGHAI = ZoneInfo("Asia/Shanghai")


def wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone)


def test_weekday_names_are_the_only_way() -> None:
    with pytest.raises(ValueError, match="weekdays"):
        next_after("55 7 * * 1-5", SHANGHAI, datetime(2026, 11, 23, tzinfo=UTC))


def test_a_school_morning_is_school_time_and_skips_the_weekend() -> None:
    friday = wall(date(2026, 11, 27), time(7, 55), SHANGHAI)
    found = next_after("55 7 * * mon-fri", SHANGHAI, friday)
    assert found == wall(date(2026, 11, 30), time(7, 55), SHANGHAI)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/Sao_Paulo", "Europe/Berlin", "America/New_York"])
@pytest.mark.parametrize("year", [1986, 1991, 2017, 2026])
def test_a_daily_rhythm_fires_once_each_local_day(zone: str, year: int) -> None:
    """Also in the hour that comes twice in autumn. In the hour that is left out in spring it may fall out."""
    where = ZoneInfo(zone)
    start = datetime(year, 1, 1, tzinfo=UTC)
    fired = due("30 1 * * *", where, start, start + timedelta(days=365))
    days = [at.astimezone(where).date() for at in fired]
    assert len(days) == len(set(days))
    assert 363 <= len(days) <= 366


def test_what_was_missed_is_listed_oldest_first() -> None:
    last = wall(date(2026, 11, 20), time(8), SHANGHAI)
    now = wall(date(2026, 11, 25), time(9), SHANGHAI)
    fired = due("55 7 * * mon-fri", SHANGHAI, last, now)
    assert [at.astimezone(SHANGHAI).day for at in fired] == [23, 24, 25]

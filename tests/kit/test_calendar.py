"""School days: the office's notice first, then the published holidays, then Monday to Friday and saying so."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta

import pytest

from bot.kit.calendar import NOTICE, STATUTORY, UNPUBLISHED, Calendar, Day, Term, Workday, festival

PUBLISHED = Calendar()


@pytest.mark.parametrize(
    ("day", "is_work", "name"),
    [
        (date(2026, 10, 10), True, "国庆节"),  # a Saturday, made up
        (date(2026, 10, 1), False, "国庆节"),
        (date(2026, 10, 8), True, ""),
        (date(2026, 11, 22), False, ""),  # a Sunday like any other
        (date(2026, 11, 23), True, ""),
        (date(2026, 1, 1), False, "元旦"),
        (date(2026, 2, 14), True, "春节"),
        (date(2026, 2, 17), False, "春节"),
    ],
)
def test_the_published_days(day: date, is_work: bool, name: str) -> None:
    assert PUBLISHED.workday(day) == Workday(is_work, STATUTORY, name)


def test_a_year_nobody_has_published_is_marked() -> None:
    first = date(PUBLISHED.published_through() + 1, 1, 1)
    for day in (first + timedelta(days=n) for n in range(7)):
        assert PUBLISHED.workday(day) == Workday(day.weekday() < 5, UNPUBLISHED)
    assert not PUBLISHED.workday(first).published
    assert PUBLISHED.workday(first).note() == "未公布（按周一至周五推算）"
    assert PUBLISHED.workday(first - timedelta(days=1)).published


def test_the_data_reach_into_this_world() -> None:
    assert PUBLISHED.published_through() >= 2026


def test_the_offices_notice_has_the_last_word() -> None:
    sports_day, make_up = date(2026, 11, 27), date(2026, 11, 28)
    notice = {sports_day: Day(False, "运动会"), make_up: Day(True, "补周五的课"), date(2027, 1, 1): Day(False, "元旦")}
    school = Calendar(notice)
    assert school.workday(sports_day) == Workday(False, NOTICE, "运动会")
    assert school.workday(make_up) == Workday(True, NOTICE, "补周五的课")
    assert school.workday(date(2027, 1, 1)).published
    assert PUBLISHED.is_work(sports_day)


def test_a_notice_changed_afterwards_does_not_change_the_calendar() -> None:
    notice = {date(2026, 11, 27): Day(False)}
    school = Calendar(notice)
    notice.clear()
    assert not school.is_work(date(2026, 11, 27))


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 9, 30), date(2026, 10, 8)),  # over the week of 国庆
        (date(2026, 10, 9), date(2026, 10, 10)),  # onto a working Saturday
        (date(2026, 11, 27), date(2026, 11, 30)),
        (date(2026, 11, 23), date(2026, 11, 24)),
    ],
)
def test_the_next_workday(day: date, following: date) -> None:
    assert PUBLISHED.next_workday(day) == following


def test_what_falls_on_a_holiday_moves_on() -> None:
    assert PUBLISHED.on_or_after(date(2026, 10, 2)) == date(2026, 10, 8)
    assert PUBLISHED.on_or_after(date(2026, 10, 10)) == date(2026, 10, 10)


def test_a_school_closed_for_ever_is_an_error_and_not_a_hang() -> None:
    start = date(2026, 11, 23)
    closed = Calendar({start + timedelta(days=n): Day(False) for n in range(500)})
    with pytest.raises(LookupError):
        closed.next_workday(start)


def test_a_time_is_not_a_day() -> None:
    with pytest.raises(TypeError):
        PUBLISHED.workday(datetime(2026, 11, 23, 10))  # noqa: DTZ001


def test_terms() -> None:
    autumn = Term("2026秋", date(2026, 9, 1), date(2027, 1, 22))
    spring = Term("2027春", date(2027, 2, 22), date(2027, 7, 9))
    school = Calendar(terms=[spring, autumn])
    assert school.terms == (autumn, spring)
    assert school.term_on(date(2026, 11, 22)) == autumn
    assert school.term_on(date(2027, 1, 22)) == autumn and school.term_on(date(2027, 1, 23)) is None
    assert [autumn.week_of(date(2026, 9, day)) for day in (1, 6, 7)] == [1, 1, 2]  # a Tuesday, a Sunday, a Monday
    with pytest.raises(ValueError, match="ends before"):
        Term("倒", date(2026, 9, 2), date(2026, 9, 1))


def test_the_tables_are_read_only_when_somebody_asks() -> None:
    code = "import sys, bot.kit.calendar as c; c.Calendar(); assert 'chinese_calendar' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------------------------------- what to say of a day


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2026, 11, 23), ""),
        (date(2026, 11, 28), "休息日"),
        (date(2026, 10, 10), "调休上班"),
        (date(2026, 10, 1), "国庆节放假"),
        (date(2027, 1, 4), "放假安排未公布"),  # three days after 元旦: it may be made up for
        (date(2027, 3, 17), ""),  # unpublished too, but no festival is near
        (date(2027, 3, 20), "休息日"),
        (date(2035, 3, 14), "放假安排未公布"),  # beyond our table of the moon
    ],
)
def test_the_status_of_a_day(day: date, status: str) -> None:
    if PUBLISHED.published_through() > 2026 and day.year > 2026:
        pytest.skip("the arrangement is out by now")
    assert PUBLISHED.status(day) == status


def test_the_offices_own_notice_has_the_last_word() -> None:
    school = Calendar({date(2026, 12, 4): Day(False, "运动会"), date(2026, 12, 5): Day(True, "运动会")})
    said = [school.status(date(2026, 12, day)) for day in (3, 4, 5)]
    assert said == ["", "运动会 学校通知放假", "运动会 学校通知上班"]
    assert Calendar({date(2027, 1, 4): Day(True)}).status(date(2027, 1, 4)) == ""


def test_our_festivals_are_those_of_the_published_calendar() -> None:
    for name in ("元旦", "春节", "清明", "五一", "端午", "中秋", "国庆"):
        on = festival(name, 2026)
        assert on is not None and not PUBLISHED.is_work(on) and PUBLISHED.workday(on).name
    assert festival("除夕", 2027) == date(2027, 2, 5) and festival("春节", 2040) is None


def test_the_next_term() -> None:
    autumn, spring = Term("上", date(2026, 9, 1), date(2027, 1, 29)), Term("下", date(2027, 2, 24), date(2027, 7, 2))
    school = Calendar(terms=[spring, autumn])
    assert school.term_from(date(2026, 9, 1)) == autumn and school.term_from(date(2026, 9, 2)) == spring
    assert school.term_from(date(2027, 3, 1)) is None

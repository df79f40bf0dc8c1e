"""The clock over the diary: nothing twice, nothing silently skipped, whatever happened meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.kit.context import Context, Staff
from bot.kit.feature import Feature, Missed
from storage import diary
from tests.office import Office, sqlite_url

feature = Feature("bells", title="铃")
broken = {"left": 0}


@feature.rhythm("morning", "55 7 * * mon-fri", missed=Missed.RUN_LATE)
def morning(ctx: Context) -> None:
    ctx.say(f"早 {ctx.school.write_time(ctx.now)}", to=Staff())


@feature.rhythm("noon", "5 12 * * mon-fri", missed=Missed.SKIP)
def noon(ctx: Context) -> None:
    ctx.say("午", to=Staff())


@feature.appointment("ring")
def ring(ctx: Context, number: int) -> None:
    if broken["left"]:
        broken["left"] -= 1
        raise RuntimeError("a bug")
    ctx.say(f"铃 {number}", to=Staff())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    broken["left"] = 0
    office = Office(sqlite_url(tmp_path), [feature])
    yield office
    office.close()


def book(office: Office, number: int, **span: float) -> None:
    at = office.time() + timedelta(**span)
    office.write(lambda db: diary.book(db, "bells.ring", str(number), at, {"number": number}))


def down(office: Office, **span: float) -> None:
    office.run(office.running.stop())
    office.time.at += timedelta(**span)
    office._open()


def test_a_rhythm_rings_once_each_school_day(office: Office) -> None:
    office.later(days=7)
    assert len([text for text in office.group if text.startswith("早")]) == 5
    assert office.group.count("午") == 5


def test_a_late_run_happens_once_however_many_were_missed(office: Office) -> None:
    down(office, days=4)
    assert len([text for text in office.group if text.startswith("早")]) == 1


def test_what_is_skipped_is_reported(office: Office) -> None:
    down(office, days=3)
    assert "午" not in office.group
    assert "bells.noon" in office["办公室"].last


def test_a_clock_that_runs_back_rings_nothing_twice(office: Office) -> None:
    book(office, 1, hours=1)
    office.later(hours=2)
    office.time.at -= timedelta(hours=3)
    office.run(office.running.clock.tick())
    office.later(hours=4)
    assert office.group.count("铃 1") == 1


def test_two_ticks_at_once_ring_once(office: Office) -> None:
    for number in range(30):
        book(office, number, minutes=5)
    office.time.at += timedelta(minutes=6)

    async def race() -> None:
        await asyncio.gather(*(office.running.clock.tick() for _ in range(5)))

    office.run(race())
    office.settle()
    assert sorted(office.group) == sorted(f"铃 {number}" for number in range(30))


def test_a_failing_appointment_is_put_off_and_kept_later(office: Office) -> None:
    broken["left"] = 2
    book(office, 1, minutes=1)
    office.later(hours=1)
    assert office.group == ["铃 1"]


def test_one_that_never_succeeds_is_given_up_and_reported(office: Office) -> None:
    broken["left"] = 99
    book(office, 1, minutes=1)
    office.later(hours=20)
    assert office.group == [text for text in office.group if "铃" not in text]
    assert "bells.ring" in office["办公室"].last


def test_a_moved_appointment_rings_at_its_new_time_only(office: Office) -> None:
    book(office, 1, hours=1)
    book(office, 1, hours=3)
    office.later(hours=2)
    assert "铃 1" not in office.group
    office.later(hours=2)
    assert office.group.count("铃 1") == 1


def test_a_struck_out_appointment_does_not_ring(office: Office) -> None:
    book(office, 1, hours=1)
    office.write(lambda db: diary.cancel(db, "bells.ring", "1"))
    office.later(hours=2)
    assert "铃 1" not in office.group

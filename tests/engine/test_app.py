"""The house as a whole: what it says of its own absence, and how it goes to bed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.nightly import Nightly
from storage import inbox, migrate, ownership, people
from tests.engine.test_road import feature
from tests.office import ZONE, Office, PaperStage, sqlite_url
from tests.stages import TelegramStage


@pytest.mark.parametrize("minutes,told", [(1, False), (7, True)])
def test_the_office_hears_of_a_gap_in_which_presses_were_lost(tmp_path: Path, minutes: int, told: bool) -> None:
    stage = TelegramStage("polling")
    stage.limits = stage.limits.__class__(presses_live=150.0)
    office = Office(sqlite_url(tmp_path), [feature], stage, staff=4)
    office.run(office.running.stop())
    office.time.at += timedelta(minutes=minutes)
    office._open()
    assert any("停过机" in text for text in office["办公室"].inbox) is told
    office.close()


def test_a_platform_that_forgets_nothing_needs_no_such_word(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), [feature], PaperStage(), staff=4)
    office.run(office.running.stop())
    office.time.at += timedelta(days=2)
    office._open()
    assert office["办公室"].inbox == []
    office.close()


def test_housekeeping_forgets_what_is_old_and_nothing_else(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), [feature], staff=4)
    office["王老师"].says("帮助")
    office.time.at += timedelta(days=9)
    office["王老师"].says("帮助")
    before = office.ask(lambda db: len(db.all(inbox.inbox.select())))
    office.write(office.running.housekeeping)
    assert (before, office.ask(lambda db: len(db.all(inbox.inbox.select())))) == (2, 1)
    assert office.ask(lambda db: ownership.fact(db, "alive")) is not None
    office.close()


def nights(office: Office, folder: Path, broken: bool = False) -> Nightly:
    def copy(now: datetime) -> Path | None:
        if broken:
            raise OSError("disk full")
        return migrate.backup(office.running.shelves, folder, 3, now, "nightly")

    return Nightly(office.running, copy)


def test_every_night_one_copy_is_made_and_a_missed_night_is_made_up_for(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), [feature], staff=4)
    office.time.at = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
    nightly, folder = nights(office, tmp_path / "copies"), tmp_path / "copies"
    counts = []
    for hours in (0, 17, 1, 5, 20, 48, 1):  # 10:00, 03:00, 04:00, 09:00, 05:00, 05:00 two days later, 06:00
        office.time.at += timedelta(hours=hours)
        office.run(nightly.look())
        counts.append(len(list(folder.glob("*.db"))) if folder.exists() else 0)
    assert counts == [0, 0, 1, 1, 2, 3, 3]
    newest = max(folder.glob("*.db"))
    with closing(sqlite3.connect(newest)) as copy:
        assert copy.execute("select count(*) from people").fetchone()[0] == len(office.ask(people.active))
    office.close()


def test_the_office_hears_in_the_morning_of_a_copy_that_failed(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), [feature], staff=4)
    office.time.at = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)
    nightly = nights(office, tmp_path, broken=True)
    office.run(nightly.look())
    office.time.at += timedelta(hours=17.5)
    office.run(nightly.look())
    office.run(nightly.look())
    office.settle()
    assert office["办公室"].inbox == []  # it is half past three
    office.time.at += timedelta(hours=5)
    office.settle()
    assert ["备份没有做成" in text for text in office["办公室"].inbox] == [True]
    office.close()

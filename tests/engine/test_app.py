"""The house as a whole: what it says of its own absence, and how it goes to bed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from storage import inbox, ownership
from tests.engine.test_road import feature
from tests.office import Office, PaperStage, sqlite_url
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

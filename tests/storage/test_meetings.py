"""The shelves of what happens around a meeting, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import followups, meetings, notices, people
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.meetings import Door, Sign
from storage.people import Person

NOW = datetime(2026, 11, 27, 7, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def shelves(database: str) -> Iterator[Shelves]:
    shelves = Shelves(database)
    metadata.create_all(shelves.writer)
    with writing(shelves) as db:
        for name in ("办公室", "王老师", "张老师"):
            people.add(db, Person(0, name))
        facts = {"ends": None, "sure": True, "deadline": None, "author": 1, "now": NOW}
        number = notices.draft(db, topic="教学例会", place="三楼", starts=NOW + HOUR, **facts)  # type: ignore[arg-type]
        notices.send(db, number, date(2026, 11, 27), NOW)
    yield shelves
    shelves.close()


@contextmanager
def writing(shelves: Shelves) -> Iterator[Db]:
    """One transaction."""
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        yield db
        db.flush()


def test_a_door_is_open_until_it_closes_and_may_be_left_open_for_longer(shelves: Shelves) -> None:
    with writing(shelves) as db:
        meetings.open_door(db, Door(1, NOW, NOW + HOUR, 1))
        meetings.open_door(db, Door(1, NOW + HOUR, NOW + 2 * HOUR, 2, "s"))
    with writing(shelves) as db:
        door = meetings.door(db, 1)
        assert door == Door(1, NOW, NOW + 2 * HOUR, 2, "s")
        assert door.open(NOW) and not door.open(NOW + 2 * HOUR) and not door.open(NOW - HOUR)
        assert meetings.close_door(db, 1, NOW + HOUR) and not meetings.close_door(db, 1, NOW + HOUR)
        assert [one.notice for one in meetings.doors_since(db, NOW)] == [1]
        assert meetings.doors_since(db, NOW + HOUR) == []


def test_who_signs_twice_keeps_the_first_time(shelves: Shelves) -> None:
    with writing(shelves) as db:
        meetings.sign(db, 1, Sign(2, NOW, False))
        meetings.sign(db, 1, Sign(3, NOW + HOUR, True, by=1))
        meetings.sign(db, 1, Sign(2, NOW + HOUR, True))
    with writing(shelves) as db:
        assert list(meetings.signed(db, 1).values()) == [Sign(2, NOW, False), Sign(3, NOW + HOUR, True, 1)]
        assert meetings.sign_of(db, 1, 3) == Sign(3, NOW + HOUR, True, 1) and meetings.sign_of(db, 1, 1) is None


def test_minutes_keep_the_last_words_of_each_kind_and_are_told_once(shelves: Shelves) -> None:
    with writing(shelves) as db:
        meetings.write(db, 1, "agenda", "一")
        meetings.write(db, 1, "agenda", "一\n二")
        meetings.write(db, 1, "chair", "李校长")
        kept = meetings.minutes_of(db, 1)
        assert (kept.chair, kept.recorder, kept.agenda, kept.resolutions) == ("李校长", "", "一\n二", "")
        assert meetings.tell(db, 1, NOW) and not meetings.tell(db, 1, NOW + HOUR)
        assert meetings.minutes_of(db, 1).told == NOW
        with pytest.raises(ValueError, match="told"):
            meetings.write(db, 1, "told", "x")


def test_papers_come_in_the_order_in_which_they_were_added(shelves: Shelves) -> None:
    with writing(shelves) as db:
        first = meetings.attach(db, notice=1, file=7, name="议程.docx", by=1, now=NOW)
        meetings.attach(db, notice=1, file=8, name="名单.xlsx", by=1, now=NOW)
        meetings.note_told(db, 1)
        meetings.attach(db, notice=1, file=9, name="补充.pdf", by=1, now=NOW)
        assert [(one.name, one.told) for one in meetings.papers_of(db, 1)] == [
            ("议程.docx", True), ("名单.xlsx", True), ("补充.pdf", False),
        ]  # fmt: skip
        assert meetings.detach(db, first) and not meetings.detach(db, first)


def test_a_link_opens_one_calendar_until_the_next_one_or_the_end(shelves: Shelves) -> None:
    with writing(shelves) as db:
        first = meetings.new_link(db, 2, NOW)
        second, other = meetings.new_link(db, 2, NOW), meetings.new_link(db, 3, NOW)
        assert meetings.behind_link(db, first) is None
        assert [getattr(meetings.behind_link(db, one), "name", None) for one in (second, other)] == ["王老师", "张老师"]
        assert meetings.revoke_link(db, 2) and not meetings.revoke_link(db, 2)
        assert meetings.behind_link(db, second) is None and not meetings.has_link(db, 2) and meetings.has_link(db, 3)


def test_a_task_is_done_once(shelves: Shelves) -> None:
    with writing(shelves) as db:
        facts = {"notice": 1, "by": 1, "now": NOW}
        late = followups.add(db, owner=2, what="乙", due=NOW + 2 * HOUR, **facts)  # type: ignore[arg-type]
        soon = followups.add(db, owner=3, what="甲", due=NOW + HOUR, **facts)  # type: ignore[arg-type]
        assert [one.id for one in followups.open_tasks(db)] == [soon, late]
        assert [one.id for one in followups.open_tasks(db, 2)] == [late]
        assert followups.turn(db, soon, followups.DONE, NOW) and not followups.turn(db, soon, followups.DROPPED, NOW)
        assert followups.turn(db, late, followups.DROPPED, NOW)
        assert [one.what for one in followups.tasks_of(db, 1)] == ["甲"] and followups.open_tasks(db) == []


def test_somebody_is_asked_to_catch_up_once(shelves: Shelves) -> None:
    with writing(shelves) as db:
        followups.expect(db, 1, 2, NOW + HOUR)
        number = followups.catchups_of(db, 1)[2].id
        assert followups.end_catchup(db, number, followups.DONE, NOW)
        assert not followups.end_catchup(db, number, followups.DROPPED, NOW)
        followups.expect(db, 1, 2, NOW + 2 * HOUR)
        assert followups.catchups_of(db, 1)[2].due == NOW + HOUR
        assert followups.catchups_mine(db, 2) == []


def test_nobody_signs_for_a_meeting_that_is_not(shelves: Shelves) -> None:
    with pytest.raises(IntegrityError), writing(shelves) as db:
        meetings.sign(db, 99, Sign(2, NOW, False))

"""The shelves of the notices and of the reminders, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import corrections, notices, nudges, people, rsvps
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.people import Person
from storage.rsvps import Given

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 23), date(2026, 11, 24)
CAPS = {"per_matter": 2, "per_day": 2}


@pytest.fixture
def shelves(database: str) -> Iterator[Shelves]:
    shelves = Shelves(database)
    metadata.create_all(shelves.writer)
    with writing(shelves) as db:
        for name in ("办公室", "王老师", "张老师"):
            people.add(db, Person(0, name))
    yield shelves
    shelves.close()


@contextmanager
def writing(shelves: Shelves) -> Iterator[Db]:
    """One transaction."""
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        yield db
        db.flush()


def draft(db: Db, topic: str = "教学例会", place: str = "三楼会议室", days: int = 4, **facts: object) -> int:
    plain = {
        "starts": NOW + timedelta(days=days),
        "ends": None,
        "sure": True,
        "deadline": None,
        "author": 1,
        "now": NOW,
    }
    return notices.draft(db, topic=topic, place=place, **{**plain, **facts})  # type: ignore[arg-type]


def given(person: int, answer: str, note: str = "", minutes: int = 0) -> Given:
    return Given(person, answer, note, NOW + timedelta(minutes=minutes))


def test_a_draft_becomes_a_notice_once_and_gets_the_next_number_of_its_day(shelves: Shelves) -> None:
    with writing(shelves) as db:
        first, second, third = draft(db), draft(db), draft(db)
        assert notices.send(db, first, TODAY, NOW) and not notices.send(db, first, TODAY, NOW)
        assert notices.send(db, second, TODAY, NOW) and notices.send(db, third, TOMORROW, NOW)
    with shelves.reading() as db:
        found = [notices.get(db, number) for number in (first, second, third)]
        assert [one.serial for one in found if one] == ["1123-01", "1123-02", "1124-01"]
        assert found[0] is not None and found[0].starts == NOW + timedelta(days=4)
        assert notices.by_serial(db, "1123-02") == found[1] and notices.by_serial(db, "0101-01") is None


def test_two_notices_never_share_a_number(shelves: Shelves) -> None:
    with writing(shelves) as db:
        first, second = draft(db), draft(db)
        notices.send(db, first, TODAY, NOW)
        notices.send(db, second, TODAY, NOW)
    with pytest.raises(IntegrityError), writing(shelves) as db:
        notices.revise(db, second, number=1)


def test_what_can_be_answered_now(shelves: Shelves) -> None:
    with writing(shelves) as db:
        _draft, soon, later, night = draft(db), draft(db, days=1), draft(db, days=2), draft(db, days=3)
        for number, leaves in ((soon, NOW), (later, NOW), (night, NOW + timedelta(hours=9))):
            notices.send(db, number, TODAY, leaves)
    with shelves.reading() as db:

        def open_at(hours: int) -> list[int]:
            return [one.id for one in notices.opened(db, NOW + timedelta(hours=hours))]

        assert open_at(0) == [soon, later] and open_at(10) == [soon, later, night] and open_at(24) == [later, night]
        begun = notices.begun(db, NOW + timedelta(hours=49), NOW + timedelta(hours=37))
        assert [one.id for one in begun] == [later]


def test_a_notice_is_read_once_a_transaction_and_anew_after_a_change(shelves: Shelves) -> None:
    with writing(shelves) as db:
        number = draft(db)
        before = notices.get(db, number)
        assert notices.get(db, number) is before
        notices.revise(db, number, place="操场")
        after = notices.get(db, number)
        assert after is not None and after.place == "操场"
        assert notices.turn(db, number, notices.DRAFT, notices.DROPPED)
        dropped = notices.get(db, number)
        assert dropped is not None and dropped.state == notices.DROPPED
        assert not notices.turn(db, number, notices.DRAFT, notices.OPEN)


def test_places_are_offered_latest_first_and_only_of_what_was_sent(shelves: Shelves) -> None:
    with writing(shelves) as db:
        for place in ("报告厅", "三楼会议室", "操场", "报告厅"):
            notices.send(db, draft(db, place=place), TODAY, NOW)
        draft(db, place="没有发出去的地方")
        assert notices.recent_places(db, 2) == ["报告厅", "操场"]


def test_the_last_word_counts_and_every_word_is_kept(shelves: Shelves) -> None:
    with writing(shelves) as db:
        number = draft(db)
        rsvps.keep(db, number, given(2, "n", "监考", 1))
        rsvps.keep(db, number, given(3, "y", "", 2))
        rsvps.keep(db, number, given(2, "l", "晚到十分钟", 3))
        assert rsvps.mine(db, number, 2) == given(2, "l", "晚到十分钟", 3)  # a read sends what was put off
    with shelves.reading() as db:
        assert rsvps.last_words(db, number) == {3: given(3, "y", "", 2), 2: given(2, "l", "晚到十分钟", 3)}
        assert [one.answer for one in rsvps.all_words(db, number, 2)] == ["n", "l"]
        assert rsvps.mine(db, number, 1) is None and rsvps.last_words(db, number + 1) == {}


def test_many_answers_in_one_transaction_are_all_kept(shelves: Shelves) -> None:
    with writing(shelves) as db:
        number = draft(db)
        for turn in range(50):
            for person in (1, 2, 3):
                rsvps.keep(db, number, given(person, "yln"[turn % 3], str(turn), turn))
    with shelves.reading() as db:
        assert {one.note for one in rsvps.last_words(db, number).values()} == {"49"}
        assert len(rsvps.all_words(db, number, 1)) == 50


def test_a_correction_is_carried_out_once(shelves: Shelves) -> None:
    with writing(shelves) as db:
        number = draft(db)
        facts = {"notice": number, "kind": "place", "before": "三楼会议室", "after": "操场", "author": 1, "now": NOW}
        first, second = corrections.plan(db, **facts), corrections.plan(db, **facts)  # type: ignore[arg-type]
        newest = corrections.planned(db, 1, NOW - timedelta(hours=1))
        assert newest is not None and newest.id == second
        assert corrections.planned(db, 2, NOW - timedelta(hours=1)) is None and corrections.planned(db, 1, NOW) is None
        assert corrections.turn(db, first, corrections.SENT, NOW)
        assert not corrections.turn(db, first, corrections.DROPPED, NOW)
        corrections.turn(db, second, corrections.DROPPED, NOW)
        assert [one.id for one in corrections.of(db, number)] == [first]


def test_who_was_told_is_noted_once(shelves: Shelves) -> None:
    with writing(shelves) as db:
        number = draft(db)
        corrections.note_told(db, number, [("web", "all"), ("telegram", "-1")])
        corrections.note_told(db, number, [("web", "all")])
        assert corrections.told_groups(db, number) == {("web", "all"), ("telegram", "-1")}


# --- reminders ------------------------------------------------------------------------------------------------


def test_at_most_two_of_one_matter_over_all_days(shelves: Shelves) -> None:
    with writing(shelves) as db:
        for day in (TODAY, TOMORROW):
            assert nudges.allowed(db, 2, "notice:1", day, **CAPS)
            nudges.note(db, 2, "notice:1", day)
        assert not nudges.allowed(db, 2, "notice:1", date(2026, 12, 24), **CAPS)
        assert nudges.allowed(db, 2, "notice:2", date(2026, 12, 24), **CAPS)
        assert nudges.times(db, 2, "notice:1") == 2 and nudges.times(db, 3, "notice:1") == 0


def test_at_most_two_a_day_over_all_matters(shelves: Shelves) -> None:
    with writing(shelves) as db:
        nudges.note(db, 2, "notice:1", TODAY)
        nudges.note(db, 2, "study:1", TODAY)
        assert not nudges.allowed(db, 2, "draft:1", TODAY, **CAPS)
        assert nudges.allowed(db, 2, "draft:1", TOMORROW, **CAPS) and nudges.allowed(db, 3, "draft:1", TODAY, **CAPS)
        assert nudges.among(db, [3, 2, 1], "draft:1", TODAY, **CAPS) == [3, 1]


def test_the_same_matter_twice_on_one_day_counts_twice(shelves: Shelves) -> None:
    with writing(shelves) as db:
        nudges.note(db, 2, "notice:1", TODAY)
        nudges.note(db, 2, "notice:1", TODAY)
        assert nudges.times(db, 2, "notice:1") == 2 and not nudges.allowed(db, 2, "study:1", TODAY, **CAPS)


def test_left_alone_for_a_day(shelves: Shelves) -> None:
    with writing(shelves) as db:
        nudges.mute(db, 2, TODAY)
        nudges.mute(db, 2, TODAY)
        assert nudges.muted(db, 2, TODAY) and not nudges.muted(db, 3, TODAY) and not nudges.muted(db, 2, TOMORROW)
        assert nudges.among(db, [1, 2, 3], "notice:1", TODAY, **CAPS) == [1, 3]
        assert nudges.allowed(db, 2, "notice:1", TOMORROW, **CAPS)


def test_who_is_away_is_asked_once_and_anew_after_a_change(shelves: Shelves) -> None:
    with writing(shelves) as db:
        assert people.away(db, TODAY) == frozenset()
        people.set_leave(db, 2, TODAY, None, "病假")
        assert people.away(db, TODAY) == {2} and people.away(db, date(2026, 11, 22)) == frozenset()
        people.end_leave(db, 2, TODAY)
        assert people.away(db, TODAY) == {2} and people.away(db, TOMORROW) == frozenset()

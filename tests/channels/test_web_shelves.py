"""The local chat and the sessions, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot import demo
from storage import files, people, sessions, webchat
from storage.base import Db, metadata
from storage.engine import Shelves

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    shelves = Shelves(database)
    metadata.create_all(shelves.writer)
    with shelves.writer.connect() as connection, connection.begin():
        yield Db(connection)
    shelves.close()


def text(db: Db, body: str, nonce: str | None = None, place: str = "all") -> int:
    return webchat.add(db, place, webchat.TEXT, body, body, NOW, account="p3", name="王老师", nonce=nonce)


def test_said_again_under_the_same_number_is_said_once(db: Db) -> None:
    assert text(db, "收到", "web:1") == text(db, "收到", "web:1")
    assert len(webchat.recent(db, "all", 10)) == 1


def test_who_was_away_gets_what_is_new_and_what_was_drawn_anew(db: Db) -> None:
    card = webchat.add(db, "all", webchat.CARD, "<b>1</b>", "例会", NOW)
    seen = text(db, "收到")
    assert webchat.redraw(db, "all", card, "<b>2</b>", "例会")
    new = text(db, "好的")
    assert [(m.seq, m.body) for m in webchat.since(db, "all", seen)] == [(card, "<b>2</b>"), (new, "好的")]
    assert webchat.last_change(db, "all") == webchat.since(db, "all", seen)[-1].change


def test_only_a_card_of_that_conversation_is_drawn_anew(db: Db) -> None:
    card, words = webchat.add(db, "all", webchat.CARD, "1", "例会", NOW), text(db, "收到")
    assert not webchat.redraw(db, "p4", card, "2", "例会")
    assert not webchat.redraw(db, "all", words, "2", "例会")
    assert not webchat.redraw(db, "all", 999, "2", "例会")


def test_a_quotation_never_reaches_into_another_conversation(db: Db) -> None:
    secret = text(db, "私下的话", place="p4")
    webchat.add(db, "all", webchat.TEXT, "回", "回", NOW, quotes=secret)
    assert webchat.recent(db, "all", 1)[0].quoted_gist is None


def test_pages_go_backwards(db: Db) -> None:
    numbers = [text(db, str(n)) for n in range(7)]
    last = webchat.recent(db, "all", 3)
    assert [m.seq for m in last] == numbers[-3:]
    assert [m.seq for m in webchat.recent(db, "all", 3, last[0].seq)] == numbers[1:4]


def test_a_file_is_for_its_owner_or_for_everybody(db: Db) -> None:
    demo.seed(db, NOW)
    ours = files.keep(db, "通知.docx", "x", b"1", NOW)
    mine = files.keep(db, "名单.xlsx", "x", b"2", NOW, owner=3)
    assert webchat.file_for(db, ours, 4) is not None
    assert webchat.file_for(db, mine, 3) is not None
    assert webchat.file_for(db, mine, 4) is None
    assert webchat.file_for(db, 99, 3) is None


def test_the_demo_school_is_seeded_once(db: Db) -> None:
    demo.seed(db, NOW)
    demo.seed(db, NOW)
    assert people.count_active(db) == 38
    assert [p.name for p in people.active(db)][:4] == ["李校长", "办公室", "王老师", "张老师"]
    assert [(g.id, g.title) for g in people.bound_groups(db)] == [("all", "全体教职工群")]
    assert len(people.addresses(db, range(1, 39))) == 38


@pytest.fixture
def session(db: Db) -> str:
    demo.seed(db, NOW)
    person = people.get(db, 3)
    assert person is not None
    made = sessions.new_id()
    sessions.begin(db, made, person, NOW, NOW + timedelta(days=30))
    return made


def test_a_session_is_kept_as_a_hash(db: Db, session: str) -> None:
    row = db.first(sessions.sessions.select())
    assert row is not None
    assert session not in str(row)
    assert len(session) >= 22


def test_a_session_ends(db: Db, session: str) -> None:
    assert sessions.behind(db, session, NOW) is not None
    assert sessions.behind(db, session, NOW + timedelta(days=30)) is None
    assert sessions.behind(db, session + "x", NOW) is None
    sessions.end(db, session)
    assert sessions.behind(db, session, NOW) is None


@pytest.mark.parametrize("change", [{"role": "office"}, {"active": False}])
def test_another_role_or_leaving_ends_every_session(db: Db, session: str, change: dict[str, str | bool]) -> None:
    people.change(db, 3, **change)
    assert sessions.behind(db, session, NOW) is None


def test_all_sessions_of_a_person_can_be_ended(db: Db, session: str) -> None:
    assert sessions.end_all(db, 4) == 0
    assert sessions.end_all(db, 3) == 1
    assert sessions.behind(db, session, NOW) is None

"""The one writer: what is durable together, what fails alone, and who may write at all."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select

from bot.engine import desk as module
from bot.engine.desk import Desk, NotOwner
from bot.engine.port import Unavailable
from storage import audit
from storage.base import Db, metadata
from storage.engine import NotDurable, Shelves
from storage.inbox import inbox
from storage.lock import OwnerLock
from storage.ownership import fact, facts, keep_fact


@pytest.fixture
def shelves(database: str) -> Iterator[Shelves]:
    shelves = Shelves(database)
    metadata.create_all(shelves.writer)
    yield shelves
    shelves.close()


@pytest.fixture
def desk(shelves: Shelves) -> Iterator[Desk]:
    desk = Desk(shelves)
    desk.start()
    yield desk
    desk.stop()


def names(shelves: Shelves) -> set[str]:
    with shelves.reading() as db:
        return {row.name for row in db.all(select(facts.c.name))}


def keep(name: str) -> module.Work[str]:
    def work(db: Db) -> str:
        keep_fact(db, name, "x")
        return name

    return work


def fail(db: Db) -> None:
    keep_fact(db, "half", "x")
    db.flush()
    raise ValueError("a bug")


async def together(desk: Desk, *works: module.Work[object]) -> list[object]:
    """All in one batch: the desk is held up until every job is in the queue."""
    gate = threading.Event()

    def hold(db: Db) -> None:
        gate.wait(10)

    first = asyncio.ensure_future(desk.do(hold))
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(desk.do(work)) for work in works]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(first, return_exceptions=True)
    return await asyncio.gather(*rest, return_exceptions=True)


async def test_many_jobs_are_one_commit(desk: Desk, shelves: Shelves) -> None:
    commits: list[frozenset[str]] = []
    desk.after_commit = commits.append

    def noted(name: str) -> module.Work[None]:
        def work(db: Db) -> None:
            keep_fact(db, name, "x")
            db.notes.add("outbox")

        return work

    await together(desk, *(noted(f"n{n}") for n in range(50)))
    assert len(commits) == 1
    assert {f"n{n}" for n in range(50)} <= names(shelves)


async def test_a_failing_job_is_undone_alone(desk: Desk, shelves: Shelves) -> None:
    good, bad, also = await together(desk, keep("a"), fail, keep("b"))
    assert (good, also) == ("a", "b")
    assert isinstance(bad, ValueError)
    assert names(shelves) == {"a", "b"}


async def test_a_write_that_was_put_off_fails_only_its_own_job(desk: Desk, shelves: Shelves) -> None:
    def naive(db: Db) -> None:
        db.later(facts.insert(), {"name": "taken", "value": "x"})

    await desk.do(keep("taken"))
    good, bad = await together(desk, keep("a"), naive)
    assert good == "a"
    assert isinstance(bad, Exception)
    assert names(shelves) == {"taken", "a"}


async def test_a_read_sees_what_was_put_off(desk: Desk) -> None:
    def work(db: Db) -> str | None:
        keep_fact(db, "now", "1")
        return fact(db, "now")

    assert await desk.do(work) == "1"


async def test_nobody_is_answered_when_the_commit_fails(shelves: Shelves, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(shelves)
    desk.start()

    def broken(name: str) -> None:
        if name == "desk.before_commit":
            raise OSError("the disk is gone")

    monkeypatch.setattr(module, "cp", broken)
    results = await together(desk, keep("a"), keep("b"))
    monkeypatch.undo()
    assert all(isinstance(result, Unavailable) for result in results)
    assert names(shelves) == set()
    assert await desk.do(keep("c")) == "c"
    desk.stop()


async def test_an_earlier_owner_can_write_no_more(desk: Desk, shelves: Shelves) -> None:
    lost = threading.Event()
    desk.lost = lost.set
    newer = Desk(shelves)
    newer.start()
    with pytest.raises(NotOwner):
        await desk.do(keep("late"))
    assert lost.is_set()
    assert await newer.do(keep("mine")) == "mine"
    assert names(shelves) == {"mine"}
    newer.stop()


def test_only_one_process_holds_the_school(database: str) -> None:
    one, two = OwnerLock(Shelves(database)), OwnerLock(Shelves(database))
    assert one.take()
    assert not two.take()
    one.release()
    assert two.take()
    assert two.held()
    two.release()


async def test_another_writer_is_waited_for(tmp_path: object) -> None:
    """SQLite only: a deferred BEGIN fails at once when somebody wrote in between; ours waits for its turn."""
    shelves = Shelves(f"sqlite:///{tmp_path}/x.db")
    metadata.create_all(shelves.writer)
    desk = Desk(shelves)
    desk.start()
    other = sqlite3.connect(str(shelves.path), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO facts VALUES ('other', 'x')")
    job = asyncio.ensure_future(desk.do(keep("mine")))
    done, _ = await asyncio.wait([job], timeout=0.3)
    assert not done
    other.execute("COMMIT")
    assert await job == "mine"
    assert names(shelves) == {"other", "mine"}
    desk.stop()
    other.close()
    shelves.close()


async def test_a_full_database_refuses_and_recovers(tmp_path: object) -> None:
    shelves = Shelves(f"sqlite:///{tmp_path}/x.db")
    metadata.create_all(shelves.writer)
    desk = Desk(shelves)
    desk.start()
    pages = await desk.do(lambda db: db.connection.exec_driver_sql("PRAGMA page_count").scalar())
    await desk.do(lambda db: db.connection.exec_driver_sql(f"PRAGMA max_page_count={pages}").all())
    with pytest.raises(Unavailable):
        for n in range(200):
            await desk.do(lambda db, n=n: keep_fact(db, f"big{n}", "x" * 100_000))
    await desk.do(lambda db: db.connection.exec_driver_sql("PRAGMA max_page_count=100000").all())
    assert await desk.do(keep("after")) == "after"
    with shelves.reading() as db:
        assert db.connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    desk.stop()
    shelves.close()


def test_weak_settings_refuse_to_start(tmp_path: object) -> None:
    shelves = Shelves(f"sqlite:///{tmp_path}/x.db")
    shelves.check_durable()

    @event.listens_for(shelves.writer, "connect")
    def _weaken(dbapi: sqlite3.Connection, _record: object) -> None:
        dbapi.execute("PRAGMA synchronous=NORMAL")

    with pytest.raises(NotDurable, match="synchronous"):
        shelves.check_durable()
    shelves.close()


def test_a_naive_time_is_refused_at_the_last_door(shelves: Shelves) -> None:
    with pytest.raises(Exception, match="naive"), shelves.writer.connect() as connection, connection.begin():
        connection.execute(inbox.insert(), {"id": "x", "day": datetime(2026, 1, 1)})  # noqa: DTZ001


def test_what_is_taken_back_leaves_no_gap_in_the_audit_chain(shelves: Shelves) -> None:
    """A command is noted before its handler refuses; the next in the same batch follows on the line before."""
    now = datetime.now(UTC)
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        audit.note(db, "first", 1, "", now)
        mark = db.mark()
        audit.note(db, "refused", 1, "", now)
        assert db.back(mark)
        audit.note(db, "second", 1, "", now)
        db.flush()
    with shelves.reading() as db:
        assert [line[2] for line in audit.lines(db)] == ["first", "second"]
        assert audit.broken_at(db) is None

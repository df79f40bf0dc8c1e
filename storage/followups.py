"""What comes after a meeting: tasks that somebody took on, and the reading of those who were not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Table, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

OPEN, DONE, DROPPED = "open", "done", "dropped"

tasks = Table(
    "meeting_tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=True, index=True),  # None: of no meeting
    Column("owner", Id, ForeignKey("people.id"), nullable=False),
    Column("what", String(200), nullable=False),
    Column("due", Instant, nullable=False),
    Column("state", String(12), nullable=False),
    Column("by", Id, ForeignKey("people.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("done_at", Instant, nullable=True),
    Index("ix_meeting_tasks_state", "state"),
)
catchups = Table(
    "meeting_catchups",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("due", Instant, nullable=False),
    Column("state", String(12), nullable=False),
    Column("done_at", Instant, nullable=True),
    Index("uq_meeting_catchups_notice_person", "notice", "person", unique=True),
)


@dataclass(frozen=True, slots=True)
class Task:
    id: int
    notice: int | None
    owner: int
    what: str
    due: datetime
    state: str
    by: int
    made_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Catchup:
    """What somebody who was not there is asked to read, until when."""

    id: int
    notice: int
    person: int
    due: datetime
    state: str
    done_at: datetime | None


_task = select(tasks).where(tasks.c.id == bindparam("id"))
_open = select(tasks).where(tasks.c.state == OPEN).order_by(tasks.c.due, tasks.c.id)
_of = select(tasks).where(tasks.c.notice == bindparam("notice"), tasks.c.state != DROPPED).order_by(tasks.c.id)
_turn = (
    update(tasks)
    .where(tasks.c.id == bindparam("b_id"), tasks.c.state == OPEN)
    .values(state=bindparam("b_to"), done_at=bindparam("b_at"))
)
_catchup = select(catchups).where(catchups.c.id == bindparam("id"))
_catchups = select(catchups).where(catchups.c.notice == bindparam("notice")).order_by(catchups.c.id)
_mine = (
    select(catchups).where(catchups.c.person == bindparam("person"), catchups.c.state == OPEN).order_by(catchups.c.id)
)
_caught = (
    update(catchups)
    .where(catchups.c.id == bindparam("b_id"), catchups.c.state == OPEN)
    .values(state=bindparam("b_to"), done_at=bindparam("b_at"))
)


def add(db: Db, *, notice: int | None, owner: int, what: str, due: datetime, by: int, now: datetime) -> int:
    """A task for somebody; its number."""
    facts = {"notice": notice, "owner": owner, "what": what, "due": due, "by": by, "made_at": now}
    return db.insert(insert(tasks).values(**facts, state=OPEN))


def task(db: Db, number: int) -> Task | None:
    row = db.first(_task, {"id": number})
    return Task(**row._mapping) if row else None


def open_tasks(db: Db, owner: int | None = None) -> Sequence[Task]:
    """What is still to be done, the most urgent first; of everybody, or of one."""
    found = [Task(**row._mapping) for row in db.all(_open)]
    return [one for one in found if owner in (None, one.owner)]


def tasks_of(db: Db, notice: int) -> Sequence[Task]:
    """Of a meeting, done or not."""
    return [Task(**row._mapping) for row in db.all(_of, {"notice": notice})]


def turn(db: Db, number: int, to: str, now: datetime) -> bool:
    """Done or dropped; ``False`` when it was neither any more open."""
    return db.run(_turn, {"b_id": number, "b_to": to, "b_at": now}) == 1


def expect(db: Db, notice: int, person: int, due: datetime) -> None:
    """Asks somebody to catch up, once."""
    row = {"notice": notice, "person": person, "due": due, "state": OPEN}
    db.run(upsert(db, catchups, ("notice", "person")), row)


def catchup(db: Db, number: int) -> Catchup | None:
    row = db.first(_catchup, {"id": number})
    return Catchup(**row._mapping) if row else None


def catchups_of(db: Db, notice: int) -> Mapping[int, Catchup]:
    """By person."""
    return {row.person: Catchup(**row._mapping) for row in db.all(_catchups, {"notice": notice})}


def catchups_mine(db: Db, person: int) -> Sequence[Catchup]:
    """What this person is still asked to read."""
    return [Catchup(**row._mapping) for row in db.all(_mine, {"person": person})]


def end_catchup(db: Db, number: int, to: str, now: datetime) -> bool:
    """Done, or dropped because they were there after all; ``False`` when it was neither any more open."""
    return db.run(_caught, {"b_id": number, "b_to": to, "b_at": now}) == 1

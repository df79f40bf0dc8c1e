"""Our later selves: appointments (once), the last run of each rhythm, and slow work under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

WAITING, DONE, GIVEN_UP = "waiting", "done", "given up"
MAX_TRIES = 5

appointments = Table(
    "appointments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("key", String(120), nullable=False),
    Column("args", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Index("uq_appointments_name_key", "name", "key", unique=True),
    Index(
        "ix_appointments_due",
        "at",
        sqlite_where=Column("state") == WAITING,
        postgresql_where=Column("state") == WAITING,
    ),
)
rhythms = Table(
    "rhythms",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("ran_at", Instant, nullable=False),
)
works = Table(
    "works",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("note", Text, nullable=False),
    Column("person", Id, nullable=True),
    Column("channel", String(16), nullable=False),
    Column("place", String(64), nullable=False),
    Column("private", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    sqlite_autoincrement=True,  # its number is in the keys of what it sent: a number used again would silence that
)


@dataclass(frozen=True, slots=True)
class Appointment:
    id: int
    name: str
    key: str
    args: dict[str, int | str]
    at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class Job:
    """Slow work that somebody asked for, and where its outcome belongs."""

    id: int
    name: str
    payload: bytes
    note: dict[str, int | str]
    person: int | None
    channel: str
    place: str
    private: bool
    tries: int


def book(db: Db, name: str, key: str, at: datetime, args: dict[str, int | str]) -> None:
    """Books once per (name, key); booking again sets it anew, whatever had become of it."""
    statement = upsert(db, appointments, ("name", "key"), ("at", "args", "state", "tries"))
    db.run(
        statement,
        {"name": name, "key": key, "args": _pack(args), "at": at, "state": WAITING, "tries": 0},
    )
    db.notes.add("diary")


def cancel(db: Db, name: str, key: str) -> int:
    """Strikes out what still waits."""
    a = appointments.c
    return db.run(delete(appointments).where(a.name == name, a.key == key, a.state == WAITING))


_next = select(func.min(appointments.c.at)).where(appointments.c.state == WAITING)
_due = (
    select(appointments)
    .where(appointments.c.state == WAITING, appointments.c.at <= bindparam("now"))
    .order_by(appointments.c.at, appointments.c.id)
    .limit(bindparam("most"))
)


def next_at(db: Db) -> datetime | None:
    """When the next appointment is due."""
    found: datetime | None = db.value(_next)
    return found


def due(db: Db, now: datetime, most: int = 500) -> Sequence[Appointment]:
    rows = db.all(_due, {"now": now, "most": most})
    return [Appointment(r.id, r.name, r.key, _unpack(r.args), r.at, r.tries) for r in rows]


_claim = (
    update(appointments)
    .where(
        appointments.c.id == bindparam("b_id"), appointments.c.state == WAITING, appointments.c.at == bindparam("b_at")
    )
    .values(state=DONE)
)


def claim(db: Db, appointment: Appointment) -> bool:
    """Takes the appointment in the transaction that keeps it; ``False``: another hand was quicker, or it was moved."""
    return db.run(_claim, {"b_id": appointment.id, "b_at": appointment.at}) == 1


def put_off(db: Db, appointment: Appointment, until: datetime) -> bool:
    """After a failure: again at ``until``, or given up after five tries (``False``)."""
    over = appointment.tries + 1 >= MAX_TRIES
    at = update(appointments).where(appointments.c.id == appointment.id)
    db.run(at.values(tries=appointment.tries + 1, at=until, state=GIVEN_UP if over else WAITING))
    db.notes.add("diary")
    return not over


def coming(db: Db, name: str) -> Sequence[Appointment]:
    """What is booked under this name."""
    a = appointments
    rows = db.all(select(a).where(a.c.name == name, a.c.state == WAITING).order_by(a.c.at))
    return [Appointment(r.id, r.name, r.key, _unpack(r.args), r.at, r.tries) for r in rows]


def forget_old(db: Db, before: datetime) -> int:
    return db.run(delete(appointments).where(appointments.c.state != WAITING, appointments.c.at < before))


def ran(db: Db, rhythm: str, at: datetime) -> None:
    db.run(upsert(db, rhythms, ("name",), ("ran_at",)), {"name": rhythm, "ran_at": at})


def last_run(db: Db, rhythm: str) -> datetime | None:
    found: datetime | None = db.value(select(rhythms.c.ran_at).where(rhythms.c.name == rhythm))
    return found


# --- slow work ------------------------------------------------------------------------------------------------


def start_work(
    db: Db,
    name: str,
    payload: bytes,
    note: dict[str, int | str],
    *,
    person: int | None,
    channel: str,
    place: str,
    private: bool,
) -> int:
    db.notes.add("works")
    values: dict[str, Any] = {"name": name, "payload": payload, "note": _pack(note), "person": person}
    where: dict[str, Any] = {"channel": channel, "place": place, "private": int(private), "tries": 0}
    return db.insert(insert(works).values(**values, **where))


def works_waiting(db: Db) -> Sequence[Job]:
    rows = db.all(select(works).order_by(works.c.id))
    return [
        Job(r.id, r.name, r.payload, _unpack(r.note), r.person, r.channel, r.place, bool(r.private), r.tries)
        for r in rows
    ]


def try_work(db: Db, work: int) -> None:
    """Counts a try before it begins, so that work which kills us is not begun for ever."""
    db.run(update(works).where(works.c.id == work).values(tries=works.c.tries + 1))


def end_work(db: Db, work: int) -> bool:
    """Removes the work; ``False`` when it had ended already."""
    return db.run(delete(works).where(works.c.id == work)) == 1


def _pack(args: dict[str, int | str]) -> str:
    return msgspec.json.encode(args).decode()


def _unpack(text: str) -> dict[str, int | str]:
    return msgspec.json.decode(text, type=dict[str, int | str])

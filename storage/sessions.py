"""Who is logged in at the web page. Only a hash of the id is kept: a stolen backup opens no door.

The question ``behind`` asks everything at once: is it ours, is it still good, does the person still work here and in
the same role. A change of role, or leaving, ends every session without anybody having to remember to.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, delete, insert, select

from storage.base import Db, Id, Instant, metadata
from storage.people import Person, people

sessions = Table(
    "web_sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),  # as it was at login
    Column("made_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)
_behind = (
    select(people)
    .join(sessions, sessions.c.person == people.c.id)
    .where(
        sessions.c.hash == bindparam("hash"),
        sessions.c.until > bindparam("now"),
        sessions.c.role == people.c.role,
        people.c.active,
    )
)


def _hash(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()


def new_id() -> str:
    """128 random bits."""
    return secrets.token_urlsafe(16)


def begin(db: Db, session: str, person: Person, now: datetime, until: datetime) -> None:
    db.run(insert(sessions).values(hash=_hash(session), person=person.id, role=person.role, made_at=now, until=until))


def behind(db: Db, session: str, now: datetime) -> Person | None:
    """The person of a session that is still good."""
    row = db.first(_behind, {"hash": _hash(session), "now": now})
    return Person(row.id, row.name, row.department, row.politics, row.role, row.phone, row.active) if row else None


def end(db: Db, session: str) -> None:
    db.run(delete(sessions).where(sessions.c.hash == _hash(session)))


def end_all(db: Db, person: int) -> int:
    """Every session of a person, wherever it is open; how many."""
    return db.run(delete(sessions).where(sessions.c.person == person))


def forget_old(db: Db, now: datetime) -> int:
    return db.run(delete(sessions).where(sessions.c.until <= now))

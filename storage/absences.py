"""Leave from a meeting that waits for the office's yes, or has it. The reason stands with the answer (``rsvps``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, String, Table, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata

NEW, ASKED, GRANTED, DECLINED, WITHDRAWN = "new", "asked", "granted", "declined", "withdrawn"

absences = Table(
    "notice_absences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("by", Id, ForeignKey("people.id"), nullable=True),  # who decided
    Column("at", Instant, nullable=False),
    Index("uq_notice_absences_notice_person", "notice", "person", unique=True),
)


@dataclass(frozen=True, slots=True)
class Absence:
    id: int
    notice: int
    person: int
    state: str
    by: int | None
    at: datetime


_get = select(absences).where(absences.c.id == bindparam("id"))
_of = select(absences).where(absences.c.notice == bindparam("notice"), absences.c.person == bindparam("person"))
_all = select(absences).where(absences.c.notice == bindparam("notice")).order_by(absences.c.id)
_turn = (
    update(absences)
    .where(absences.c.id == bindparam("b_id"), absences.c.state == bindparam("b_from"))
    .values(state=bindparam("b_to"), by=bindparam("b_by"), at=bindparam("b_at"))
)


def get(db: Db, number: int) -> Absence | None:
    row = db.first(_get, {"id": number})
    return Absence(**row._mapping) if row else None


def mine(db: Db, notice: int, person: int) -> Absence | None:
    row = db.first(_of, {"notice": notice, "person": person})
    return Absence(**row._mapping) if row else None


def asked(db: Db, notice: int) -> frozenset[int]:
    """Who ever asked for leave from this notice; asked once a transaction, for every answer wants to know."""
    found: frozenset[int] = db.memo(("absences", notice), lambda: frozenset(of(db, notice)))
    return found


def of(db: Db, notice: int) -> Mapping[int, Absence]:
    """By person."""
    return {row.person: Absence(**row._mapping) for row in db.all(_all, {"notice": notice})}


def ask(db: Db, notice: int, person: int, now: datetime) -> int | None:
    """The number of a request that the office has not seen yet; ``None`` where it waits or was granted already."""
    known = mine(db, notice, person)
    db.forget(("absences", notice))
    if known is None:
        facts = {"notice": notice, "person": person, "state": NEW, "at": now}
        return db.insert(insert(absences).values(**facts))
    if known.state in (NEW, ASKED, GRANTED):
        return None
    return known.id if turn(db, known.id, known.state, NEW, None, now) else None


def turn(db: Db, number: int, state: str, to: str, by: int | None, now: datetime) -> bool:
    """``False`` when it was not in ``state`` any more."""
    return db.run(_turn, {"b_id": number, "b_from": state, "b_to": to, "b_by": by, "b_at": now}) == 1

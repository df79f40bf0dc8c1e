"""Answers given for somebody by a colleague: who said what for whom, and whether the person let it stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata

TOLD, KEPT, REFUSED = "told", "kept", "refused"

proxies = Table(
    "notice_proxies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False, index=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("by", Id, ForeignKey("people.id"), nullable=False),
    Column("answer", String(1), nullable=False),
    Column("state", String(12), nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Proxy:
    id: int
    notice: int
    person: int
    by: int
    answer: str
    state: str
    at: datetime


_get = select(proxies).where(proxies.c.id == bindparam("id"))
_of = select(proxies).where(proxies.c.notice == bindparam("notice")).order_by(proxies.c.id)
_turn = (
    update(proxies)
    .where(proxies.c.id == bindparam("b_id"), proxies.c.state == TOLD)
    .values(state=bindparam("b_to"), at=bindparam("b_at"))
)


def note(db: Db, *, notice: int, person: int, by: int, answer: str, now: datetime) -> int:
    """One answer that was given for somebody; its number."""
    facts = {"notice": notice, "person": person, "by": by, "answer": answer, "at": now}
    return db.insert(insert(proxies).values(**facts, state=TOLD))


def get(db: Db, number: int) -> Proxy | None:
    row = db.first(_get, {"id": number})
    return Proxy(**row._mapping) if row else None


def of(db: Db, notice: int) -> Sequence[Proxy]:
    return [Proxy(**row._mapping) for row in db.all(_of, {"notice": notice})]


def turn(db: Db, number: int, to: str, now: datetime) -> bool:
    """``False`` when the person has said so already."""
    return db.run(_turn, {"b_id": number, "b_to": to, "b_at": now}) == 1

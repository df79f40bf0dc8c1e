"""What somebody asked about a notice, and what the office answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata

questions = Table(
    "notice_questions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False, index=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("text", String(200), nullable=False),
    Column("reply", String(400), nullable=False),  # empty: not answered yet
    Column("by", Id, ForeignKey("people.id"), nullable=True),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Question:
    id: int
    notice: int
    person: int
    text: str
    reply: str
    by: int | None
    at: datetime


_get = select(questions).where(questions.c.id == bindparam("id"))
_reply = (
    update(questions)
    .where(questions.c.id == bindparam("b_id"))
    .values(reply=bindparam("b_reply"), by=bindparam("b_by"))
)


def put(db: Db, notice: int, person: int, text: str, now: datetime) -> int:
    facts = {"notice": notice, "person": person, "text": text[:200], "at": now}
    return db.insert(insert(questions).values(**facts, reply=""))


def get(db: Db, number: int) -> Question | None:
    row = db.first(_get, {"id": number})
    return Question(**row._mapping) if row else None


def reply(db: Db, number: int, text: str, by: int) -> None:
    """The last reply stands."""
    db.run(_reply, {"b_id": number, "b_reply": text[:400], "b_by": by})

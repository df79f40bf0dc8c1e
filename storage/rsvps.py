"""What people answered to meeting notices: the last word of each, and every word they ever said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Row, String, Table, bindparam, delete, false, insert, select

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

GONE = "-"  # in the history: what was answered for them was taken back

answers = Table(
    "notice_answers",
    metadata,
    Column("notice", Id, ForeignKey("notices.id"), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("answer", String(1), nullable=False),
    Column("note", String(200), nullable=False),  # 监考, 晚到十分钟: for the office's eyes only
    Column("at", Instant, nullable=False),
    Column("plain", Boolean, nullable=False, server_default=false()),  # a bare 收到: acknowledged, no word of coming
)
history = Table(
    "notice_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False, index=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("answer", String(1), nullable=False),
    Column("note", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Id, nullable=True),  # who said it for them; None: they did
)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody answered; ``note`` is never shown in a group."""

    person: int
    answer: str
    note: str
    at: datetime
    by: int | None = None  # who said it for them
    plain: bool = False  # a bare 收到


_add_history = insert(history)
_drop = delete(answers).where(answers.c.notice == bindparam("notice"), answers.c.person == bindparam("person"))
_answers = select(answers).where(answers.c.notice == bindparam("notice")).order_by(answers.c.at, answers.c.person)
_mine = select(answers).where(answers.c.notice == bindparam("notice"), answers.c.person == bindparam("person"))


def keep(db: Db, notice: int, given: Given) -> None:
    """The last word of a person on a notice, and one more line of its history; both written before the commit."""
    row = {"notice": notice, "person": given.person, "answer": given.answer, "note": given.note, "at": given.at}
    last = {**row, "plain": given.plain}
    db.later(upsert(db, answers, ("notice", "person"), ("answer", "note", "at", "plain")), last)
    db.later(_add_history, {**row, "by": given.by})


def take_back(db: Db, notice: int, person: int, at: datetime) -> None:
    """An answer that was not theirs: what they said themselves before counts again; the history keeps both."""
    own = [given for given in all_words(db, notice, person) if given.by is None and given.answer != GONE]
    db.run(_drop, {"notice": notice, "person": person})
    db.run(_add_history, {"notice": notice, "person": person, "answer": GONE, "note": "", "at": at, "by": None})
    if own:
        keep(db, notice, own[-1])


def _given(row: Row[Any]) -> Given:
    return Given(row.person, row.answer, row.note, row.at, plain=row.plain)


def last_words(db: Db, notice: int) -> Mapping[int, Given]:
    """The last word of everybody who answered, by person, in the order of answering."""
    rows = db.all(_answers, {"notice": notice})
    return {row.person: _given(row) for row in rows}


def mine(db: Db, notice: int, person: int) -> Given | None:
    row = db.first(_mine, {"notice": notice, "person": person})
    return _given(row) if row else None


def all_words(db: Db, notice: int, person: int) -> Sequence[Given]:
    """Everything one person ever answered, oldest first."""
    of = select(history).where(history.c.notice == notice, history.c.person == person).order_by(history.c.id)
    return [Given(row.person, row.answer, row.note, row.at, row.by) for row in db.all(of)]

"""Pasted 接龙: every version that was read, so that the next one is compared with what was known.

A roll is known by its title: which notice it is about is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata

rolls = Table(
    "notice_rolls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=True, index=True),  # None: about none of ours, or not said
    Column("about", Integer, nullable=False),  # 1: it is known whether it is about a notice
    Column("title", String(80), nullable=False),
    Column("poster", Id, ForeignKey("people.id"), nullable=False),
    Column("lines", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


class Entry(msgspec.Struct, frozen=True):
    """A line of a roll: the name as typed, what was written behind it, and who that is (0: nobody we know)."""

    name: str
    remark: str
    person: int = 0


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    notice: int | None
    known: bool
    title: str
    poster: int
    lines: Sequence[Entry]
    at: datetime


_get = select(rolls).where(rolls.c.id == bindparam("id"))
_of = select(rolls).where(rolls.c.notice == bindparam("notice")).order_by(rolls.c.id)
_titled = (
    select(rolls)
    .where(rolls.c.title == bindparam("title"), rolls.c.about == 1, rolls.c.at > bindparam("since"))
    .order_by(rolls.c.id.desc())
)
_waiting = (
    select(rolls)
    .where(rolls.c.title == bindparam("title"), rolls.c.about == 0, rolls.c.at >= bindparam("since"))
    .order_by(rolls.c.id)
)
_decide = update(rolls).where(rolls.c.id == bindparam("b_id")).values(notice=bindparam("b_notice"), about=1)


def _version(row: object) -> Version:
    lines = msgspec.json.decode(row.lines, type=list[Entry])  # type: ignore[attr-defined]
    return Version(row.id, row.notice, row.about == 1, row.title, row.poster, lines, row.at)  # type: ignore[attr-defined]


def put(
    db: Db, *, notice: int | None, known: bool, title: str, poster: int, lines: Sequence[Entry], now: datetime
) -> int:
    facts = {"notice": notice, "about": int(known), "title": title[:80], "poster": poster, "at": now}
    return db.insert(insert(rolls).values(**facts, lines=msgspec.json.encode(list(lines)).decode()))


def get(db: Db, number: int) -> Version | None:
    row = db.first(_get, {"id": number})
    return _version(row) if row else None


def of(db: Db, notice: int) -> Sequence[Version]:
    """Every version about this notice, oldest first."""
    return [_version(row) for row in db.all(_of, {"notice": notice})]


def about(db: Db, title: str, since: datetime) -> Version | None:
    """The newest version of this title of which is known whether it is about a notice."""
    row = db.first(_titled, {"title": title[:80], "since": since})
    return _version(row) if row else None


def undecided(db: Db, title: str, since: datetime) -> Sequence[Version]:
    """Versions of this title that wait for somebody to say what they are about, oldest first."""
    return [_version(row) for row in db.all(_waiting, {"title": title[:80], "since": since})]


def decide(db: Db, number: int, notice: int | None) -> None:
    db.run(_decide, {"b_id": number, "b_notice": notice})

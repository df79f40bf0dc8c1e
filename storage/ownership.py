"""One owner per school: the fencing epoch that every transaction checks, and small facts of the running house."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text, bindparam, insert, select, update

from storage.base import Db, metadata
from storage.dialect import upsert

ownership = Table(
    "ownership",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
)
facts = Table(
    "facts",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
)

_epoch = select(ownership.c.epoch).where(ownership.c.id == 1)
_held = _epoch.with_for_update(read=True)  # PostgreSQL; SQLite's writer holds the whole file already
_fact = select(facts.c.value).where(facts.c.name == bindparam("name"))


def epoch(db: Db) -> int:
    return int(db.value(_epoch) or 0)


def hold(db: Db) -> int:
    """The same, and nobody else becomes the owner before this transaction has ended."""
    return int(db.value(_held) or 0)


def take(db: Db) -> int:
    """Becomes the owner: whoever was it before can write no more. The new epoch."""
    new = epoch(db) + 1
    if new == 1:
        db.run(insert(ownership).values(id=1, epoch=1))
    else:
        db.run(update(ownership).where(ownership.c.id == 1).values(epoch=new))
    return new


def fact(db: Db, name: str) -> str | None:
    """A small fact that must outlive a restart: a channel's offset, the last digest."""
    found: str | None = db.value(_fact, {"name": name})
    return found


def keep_fact(db: Db, name: str, value: str) -> None:
    db.later(upsert(db, facts, ("name",), ("value",)), {"name": name, "value": value})

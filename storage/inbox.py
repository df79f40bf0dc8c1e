"""What we have heard already: an id, nothing else. A stored update would hold who pressed which candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Column, Index, String, Table, bindparam, delete, insert, select

from storage.base import Db, Instant, metadata

KEPT = timedelta(days=8)  # a platform may start its numbers anew after a week of silence; then an old id may come again

inbox = Table(
    "inbox",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("day", Instant, nullable=False),  # the start of its day: when to forget it, not when it was pressed
    Index("ix_inbox_day", "day"),
)

_add = insert(inbox)
_heard = select(inbox.c.id).where(inbox.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(slots=True)
class _Known:
    asked: set[str] = field(default_factory=set)
    heard: set[str] = field(default_factory=set)
    days: dict[date, datetime] = field(default_factory=dict)


def remember(db: Db, events: Sequence[str]) -> None:
    """Asks for many at once; ``heard`` then answers from memory."""
    known = db.memo("inbox", _Known)
    known.asked.update(events)
    known.heard.update(row.id for row in db.all(_heard, {"ids": list(events)}))


def heard(db: Db, event: str) -> bool:
    """Was this heard before, in this transaction or an earlier one?"""
    known = db.memo("inbox", _Known)
    if event not in known.asked:
        remember(db, [event])
    return event in known.heard


def note(db: Db, event: str, now: datetime) -> None:
    """Notes the event. A second note of the same id fails the whole transaction: that is its purpose."""
    known = db.memo("inbox", _Known)
    known.asked.add(event)
    known.heard.add(event)
    today = now.date()
    if today not in known.days:
        known.days[today] = now.replace(hour=0, minute=0, second=0, microsecond=0)
    db.later(_add, {"id": event, "day": known.days[today]})


def forget_old(db: Db, now: datetime) -> int:
    return db.run(delete(inbox).where(inbox.c.day < now - KEPT))

"""Corrections and cancellations of meeting notices, and the groups that were told of the notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, ForeignKey, String, Table, Text, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

DRAFT, SENT, DROPPED = "draft", "sent", "dropped"

changes = Table(
    "notice_changes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # time | place | topic | cancel
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("author", Id, ForeignKey("people.id"), nullable=False),
    Column("at", Instant, nullable=False),
)
told = Table(
    "notice_groups",
    metadata,
    Column("notice", Id, ForeignKey("notices.id"), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("group", String(64), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Change:
    """A correction, or (kind ``cancel``) a cancellation; ``before`` and ``after`` are the feature's own packing."""

    id: int
    notice: int
    kind: str
    before: str
    after: str
    state: str
    author: int
    at: datetime


_change = select(changes).where(changes.c.id == bindparam("id"))
_turn_change = (
    update(changes)
    .where(changes.c.id == bindparam("b_id"), changes.c.state == DRAFT)
    .values(state=bindparam("b_to"), at=bindparam("b_at"))
)


def plan(db: Db, *, notice: int, kind: str, before: str, after: str, author: int, now: datetime) -> int:
    """A correction that nobody has heard of yet; its number."""
    facts = {"notice": notice, "kind": kind, "before": before, "after": after, "author": author, "at": now}
    return db.insert(insert(changes).values(**facts, state=DRAFT))


def get(db: Db, number: int) -> Change | None:
    row = db.first(_change, {"id": number})
    return Change(**row._mapping) if row else None


def turn(db: Db, number: int, to: str, now: datetime) -> bool:
    """``False`` when it was sent or dropped already."""
    return db.run(_turn_change, {"b_id": number, "b_to": to, "b_at": now}) == 1


def planned(db: Db, author: int, since: datetime) -> Change | None:
    """The newest correction of this person that waits for a yes."""
    c = changes.c
    row = db.first(
        select(changes).where(c.state == DRAFT, c.author == author, c.at > since).order_by(c.id.desc()).limit(1)
    )
    return Change(**row._mapping) if row else None


def of(db: Db, notice: int) -> Sequence[Change]:
    """What was corrected and told, oldest first."""
    sent = select(changes).where(changes.c.notice == notice, changes.c.state == SENT).order_by(changes.c.id)
    return [Change(**row._mapping) for row in db.all(sent)]


def note_told(db: Db, notice: int, groups: Sequence[tuple[str, str]]) -> None:
    for channel, group in groups:
        db.run(upsert(db, told, ("notice", "channel", "group")), {"notice": notice, "channel": channel, "group": group})


def told_groups(db: Db, notice: int) -> set[tuple[str, str]]:
    """Channel and id of each group the card was sent to, as they were called then."""
    rows = db.all(select(told.c.channel, told.c.group).where(told.c.notice == notice))
    return {(row.channel, row.group) for row in rows}

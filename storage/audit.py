"""What was done, by whom, to what: a chain in which nothing can be changed, inserted or cut out unseen.

Each line carries the hash of the line before. A line holds a class, an actor and an object, and never a choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, String, Table, bindparam, insert, select

from storage.base import Db, Id, Instant, metadata

START = "0" * 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

audit = Table(
    "audit",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("what", String(64), nullable=False),
    Column("actor", Id, nullable=True),
    Column("object", String(80), nullable=False),
    Column("hash", String(64), nullable=False),
)

_add = insert(audit)
_last = select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
_from = select(audit).where(audit.c.seq > bindparam("after")).order_by(audit.c.seq)


@dataclass(slots=True)
class _Head:
    seq: int
    hash: str
    now: datetime | None = None
    at: datetime = EPOCH


def note(db: Db, what: str, actor: int | None, thing: str, now: datetime) -> None:
    """Adds a line at the end of the chain, with this transaction."""
    head: _Head = db.memo("audit.head", lambda: _head(db))
    if head.now is not now:  # the events of one batch share their moment
        head.now, head.at = now, now.astimezone(UTC).replace(microsecond=0)
    head.seq += 1
    head.hash = _digest(head.hash, head.seq, head.at, what, actor, thing)
    line = {"seq": head.seq, "at": head.at, "what": what, "actor": actor, "object": thing, "hash": head.hash}
    db.later(_add, line)


def _head(db: Db) -> _Head:
    row = db.first(_last)
    return _Head(row.seq, row.hash) if row else _Head(0, START)


def _digest(before: str, seq: int, at: datetime, what: str, actor: int | None, thing: str) -> str:
    text = "\x1f".join([before, str(seq), at.isoformat(), what, "" if actor is None else str(actor), thing])
    return hashlib.sha256(text.encode()).hexdigest()


def head(db: Db) -> tuple[int, str]:
    """The number and the hash of the last line: what is published outside, so that a cut tail is seen."""
    found = _head(db)
    return found.seq, found.hash


def broken_at(db: Db, published: tuple[int, str] | None = None) -> int | None:
    """The first line that does not follow from the one before, or the published line that is gone; ``None``: whole."""
    before, expected = START, 1
    seen = published is None or published[0] == 0
    for row in db.all(_from, {"after": 0}):
        if row.seq != expected or row.hash != _digest(before, row.seq, row.at, row.what, row.actor, row.object):
            return expected
        if published and row.seq == published[0]:
            if row.hash != published[1]:
                return int(row.seq)
            seen = True
        before, expected = row.hash, expected + 1
    return None if seen or published is None else published[0]


def lines(db: Db, after: int = 0) -> Sequence[tuple[int, datetime, str, int | None, str]]:
    return [(r.seq, r.at, r.what, r.actor, r.object) for r in db.all(_from, {"after": after})]

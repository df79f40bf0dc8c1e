"""Wrong one-time codes, counted by conversation: six digits must not be found by trying."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Column, Integer, String, Table, bindparam, delete, select

from storage.base import Db, Instant, metadata
from storage.dialect import upsert

tries = Table(
    "tries",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("since", Instant, nullable=False),
    Column("wrong", Integer, nullable=False),
)

_get = select(tries).where(tries.c.channel == bindparam("channel"), tries.c.place == bindparam("place"))


def wrong(db: Db, channel: str, place: str, now: datetime, window: timedelta) -> int:
    """How many wrong codes came from there within ``window`` of the first."""
    row = db.first(_get, {"channel": channel, "place": place})
    return int(row.wrong) if row is not None and now - row.since < window else 0


def note(db: Db, channel: str, place: str, now: datetime, window: timedelta) -> int:
    """One more; how many now. A window that is over begins anew."""
    row = db.first(_get, {"channel": channel, "place": place})
    fresh = row is None or now - row.since >= window
    since, count = (now, 1) if fresh or row is None else (row.since, int(row.wrong) + 1)
    statement = upsert(db, tries, ("channel", "place"), ("since", "wrong"))
    db.run(statement, {"channel": channel, "place": place, "since": since, "wrong": count})
    return count


def forget(db: Db, channel: str, place: str) -> None:
    """The right code came at last."""
    db.run(delete(tries).where(tries.c.channel == channel, tries.c.place == place))

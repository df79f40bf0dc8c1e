"""What went wrong three times and was set aside: a number, a class, a hash of the event's id; never its words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, String, Table, insert, select

from storage.base import Db, Id, Instant, metadata

incidents = Table(
    "incidents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", String(8), nullable=False),
    Column("what", String(80), nullable=False),
    Column("error", String(80), nullable=False),
    Column("at", Instant, nullable=False),
)


def note(db: Db, number: str, what: str, error: str, now: datetime) -> None:
    db.run(insert(incidents).values(number=number, what=what[:80], error=error[:80], at=now))


def since(db: Db, moment: datetime) -> Sequence[Row[Any]]:
    return db.all(select(incidents).where(incidents.c.at >= moment).order_by(incidents.c.id))

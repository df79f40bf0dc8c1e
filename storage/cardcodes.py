"""Codes with which a card that was sent may be changed once more, later: some platforms give one with every send."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, String, Table, Text, delete, select

from storage.base import Db, Instant, metadata
from storage.dialect import upsert

codes = Table(
    "card_codes",
    metadata,
    Column("name", String(80), primary_key=True),  # the channel's own name for one message
    Column("code", Text, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)


def keep(db: Db, name: str, code: str, until: datetime) -> None:
    db.run(upsert(db, codes, ("name",), ("code", "until")), {"name": name, "code": code, "until": until})


def take(db: Db, name: str, now: datetime) -> str | None:
    """The code, once, while it is good."""
    row = db.first(select(codes).where(codes.c.name == name))
    if row is None:
        return None
    db.run(delete(codes).where(codes.c.name == name))
    return str(row.code) if row.until > now else None


def forget_old(db: Db, now: datetime) -> int:
    return db.run(delete(codes).where(codes.c.until <= now))

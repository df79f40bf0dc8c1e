"""Half-filled forms: one per person and conversation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, String, Table, Text, bindparam, delete, select

from storage.base import Db, Instant, metadata
from storage.dialect import upsert

askings = Table(
    "askings",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("account", String(64), primary_key=True),
    Column("form", String(64), nullable=False),
    Column("values", Text, nullable=False),
    Column("field", String(32), nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Asking:
    """Which form waits for which field; ``values`` is the form's own packing."""

    form: str
    values: str
    field: str
    at: datetime


_get = select(askings).where(
    askings.c.channel == bindparam("channel"),
    askings.c.place == bindparam("place"),
    askings.c.account == bindparam("account"),
)


def get(db: Db, channel: str, place: str, account: str) -> Asking | None:
    row = db.first(_get, {"channel": channel, "place": place, "account": account})
    return Asking(row.form, row.values, row.field, row.at) if row else None


def put(db: Db, channel: str, place: str, account: str, asking: Asking) -> None:
    db.run(
        upsert(db, askings, ("channel", "place", "account"), ("form", "values", "field", "at")),
        {
            "channel": channel,
            "place": place,
            "account": account,
            "form": asking.form,
            "values": asking.values,
            "field": asking.field,
            "at": asking.at,
        },
    )


def drop(db: Db, channel: str, place: str, account: str) -> bool:
    """Forgets the form; ``False`` when there was none."""
    at = (askings.c.channel == channel) & (askings.c.place == place) & (askings.c.account == account)
    return db.run(delete(askings).where(at)) == 1

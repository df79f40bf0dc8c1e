"""Files we made or were given to pass on: tables, summaries, drafts. Small; removed with what they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, LargeBinary, String, Table, bindparam, delete, insert, select

from storage.base import Db, Id, Instant, metadata

KEPT = timedelta(days=180)

files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(160), nullable=False),
    Column("mime", String(80), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("owner", Id, nullable=True),  # whose it is to fetch; None: anybody on the roster
    Column("made_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # an old link must never lead to a newer file
)


@dataclass(frozen=True, slots=True)
class File:
    id: int
    name: str
    mime: str
    content: bytes
    owner: int | None


_get = select(files).where(files.c.id == bindparam("id"))


def keep(db: Db, name: str, mime: str, content: bytes, now: datetime, owner: int | None = None) -> int:
    return db.insert(insert(files).values(name=name, mime=mime, content=content, owner=owner, made_at=now))


def get(db: Db, file: int) -> File | None:
    row = db.first(_get, {"id": file})
    return File(row.id, row.name, row.mime, row.content, row.owner) if row else None


def remove(db: Db, file: int) -> None:
    """Gone before its time: what stood on it is no longer true."""
    db.run(delete(files).where(files.c.id == file))


def forget_old(db: Db, before: datetime) -> int:
    return db.run(delete(files).where(files.c.made_at < before))

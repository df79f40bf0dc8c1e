"""What happens around a meeting: the door, the minutes, the papers. A meeting is a notice (``storage.notices``).

What has to be done afterwards is on ``storage.followups``.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert
from storage.people import Person, people

MINUTES = ("chair", "recorder", "agenda", "resolutions")
"""What the recorder may write; everything else in the minutes is counted, never typed."""

doors = Table(
    "meeting_doors",
    metadata,
    Column("notice", Id, ForeignKey("notices.id"), primary_key=True),
    Column("opened", Instant, nullable=False),
    Column("closes", Instant, nullable=False),
    Column("by", Id, ForeignKey("people.id"), nullable=False),
    Column("secret", String(64), nullable=False),  # what the changing code is made of; empty: a tap is enough
    Index("ix_meeting_doors_closes", "closes"),
)
signs = Table(
    "meeting_signs",
    metadata,
    Column("notice", Id, ForeignKey("notices.id"), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("late", Boolean, nullable=False),  # after the meeting had begun
    Column("by", Id, ForeignKey("people.id"), nullable=True),  # the office, for a phone that was left at home
)
minutes = Table(
    "meeting_minutes",
    metadata,
    Column("notice", Id, ForeignKey("notices.id"), primary_key=True),
    *(Column(name, Text, nullable=False, server_default="") for name in MINUTES),
    Column("told", Instant, nullable=True),  # when the absent got them
)
papers = Table(
    "meeting_papers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice", Id, ForeignKey("notices.id"), nullable=False, index=True),
    Column("file", Id, nullable=False),
    Column("name", String(160), nullable=False),
    Column("by", Id, ForeignKey("people.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("told", Boolean, nullable=False),  # the groups have heard of it
)
links = Table(
    "calendar_links",
    metadata,
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Door:
    """The window at the door of a meeting; it is open in ``[opened, closes)``."""

    notice: int
    opened: datetime
    closes: datetime
    by: int
    secret: str = ""

    def open(self, now: datetime) -> bool:
        return self.opened <= now < self.closes


@dataclass(frozen=True, slots=True)
class Sign:
    """``by``: who signed for somebody without a phone; ``None``: they did."""

    person: int
    at: datetime
    late: bool
    by: int | None = None


@dataclass(frozen=True, slots=True)
class Minutes:
    """What was typed; empty where nothing was. ``resolutions`` and ``agenda`` hold one point a line."""

    notice: int
    chair: str = ""
    recorder: str = ""
    agenda: str = ""
    resolutions: str = ""
    told: datetime | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    id: int
    notice: int
    file: int
    name: str
    by: int
    at: datetime
    told: bool


# --- the door -------------------------------------------------------------------------------------------------

_door = select(doors).where(doors.c.notice == bindparam("notice"))
_recent = select(doors).where(doors.c.closes > bindparam("since")).order_by(doors.c.opened, doors.c.notice)
_close = (
    update(doors)
    .where(doors.c.notice == bindparam("b_notice"), doors.c.closes > bindparam("b_now"))
    .values(closes=bindparam("b_now"))
)
_sign_of = select(signs).where(signs.c.notice == bindparam("notice"), signs.c.person == bindparam("person"))
_signs = select(signs).where(signs.c.notice == bindparam("notice")).order_by(signs.c.at, signs.c.person)


def open_door(db: Db, door: Door) -> None:
    """Opens it, or leaves it open until another time; who has signed stays signed."""
    row: dict[str, Any] = {"notice": door.notice, "opened": door.opened, "closes": door.closes, "by": door.by}
    row |= {"secret": door.secret}
    db.run(upsert(db, doors, ("notice",), ("closes", "by", "secret")), row)


def door(db: Db, notice: int) -> Door | None:
    row = db.first(_door, {"notice": notice})
    return Door(**row._mapping) if row else None


def doors_since(db: Db, since: datetime) -> Sequence[Door]:
    """Those that were open after this moment, the oldest first."""
    return [Door(**row._mapping) for row in db.all(_recent, {"since": since})]


def close_door(db: Db, notice: int, now: datetime) -> bool:
    """``False`` when it was closed already."""
    return db.run(_close, {"b_notice": notice, "b_now": now}) == 1


def sign(db: Db, notice: int, sign: Sign) -> None:
    """Once: who signs again keeps the first time. Written before the commit."""
    row = {"notice": notice, "person": sign.person, "at": sign.at, "late": sign.late, "by": sign.by}
    db.later(upsert(db, signs, ("notice", "person")), row)


def sign_of(db: Db, notice: int, person: int) -> Sign | None:
    row = db.first(_sign_of, {"notice": notice, "person": person})
    return Sign(row.person, row.at, row.late, row.by) if row else None


def signed(db: Db, notice: int) -> Mapping[int, Sign]:
    """By person, in the order of signing."""
    rows = db.all(_signs, {"notice": notice})
    return {row.person: Sign(row.person, row.at, row.late, row.by) for row in rows}


# --- the minutes ----------------------------------------------------------------------------------------------

_minutes = select(minutes).where(minutes.c.notice == bindparam("notice"))
_tell = (
    update(minutes)
    .where(minutes.c.notice == bindparam("b_notice"), minutes.c.told.is_(None))
    .values(told=bindparam("b_now"))
)


def minutes_of(db: Db, notice: int) -> Minutes:
    row = db.first(_minutes, {"notice": notice})
    return Minutes(**row._mapping) if row else Minutes(notice)


def write(db: Db, notice: int, field: str, text: str) -> None:
    """``field`` is one of ``MINUTES``; the last text counts."""
    if field not in MINUTES:
        raise ValueError(field)
    db.run(upsert(db, minutes, ("notice",), (field,)), {"notice": notice, field: text})


def tell(db: Db, notice: int, now: datetime) -> bool:
    """The absent have the minutes now; ``False`` when they had them before."""
    db.run(upsert(db, minutes, ("notice",)), {"notice": notice})
    return db.run(_tell, {"b_notice": notice, "b_now": now}) == 1


# --- the papers -----------------------------------------------------------------------------------------------

_papers = select(papers).where(papers.c.notice == bindparam("notice")).order_by(papers.c.id)


def attach(db: Db, *, notice: int, file: int, name: str, by: int, now: datetime) -> int:
    """One more paper of a meeting; its number."""
    return db.insert(insert(papers).values(notice=notice, file=file, name=name, by=by, at=now, told=False))


def paper(db: Db, number: int) -> Paper | None:
    row = db.first(select(papers).where(papers.c.id == number))
    return Paper(**row._mapping) if row else None


def papers_of(db: Db, notice: int) -> Sequence[Paper]:
    return [Paper(**row._mapping) for row in db.all(_papers, {"notice": notice})]


def note_told(db: Db, notice: int) -> None:
    """The groups have heard of every paper there is now."""
    db.run(update(papers).where(papers.c.notice == notice).values(told=True))


def detach(db: Db, paper: int) -> bool:
    return db.run(delete(papers).where(papers.c.id == paper)) == 1


# --- the calendar link ----------------------------------------------------------------------------------------

_columns: list[Any] = [people.c[name] for name in ("id", "name", "department", "politics", "role", "phone", "active")]
_behind = (
    select(*_columns)
    .join(links, links.c.person == people.c.id)
    .where(links.c.hash == bindparam("hash"), people.c.active)
)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_link(db: Db, person: int, now: datetime) -> str:
    """192 random bits that open a person's calendar; the link they had before opens nothing any more. Only its hash
    is kept, so it is known to us this once."""
    token = secrets.token_urlsafe(24)
    row = {"person": person, "hash": _hash(token), "at": now}
    db.run(upsert(db, links, ("person",), ("hash", "at")), row)
    return token


def behind_link(db: Db, token: str) -> Person | None:
    """Whose calendar it is, while they work here. Found by its hash: how long the search takes tells nothing of it."""
    row = db.first(_behind, {"hash": _hash(token)})
    return Person(*tuple(row)) if row else None


def has_link(db: Db, person: int) -> bool:
    return db.value(select(links.c.person).where(links.c.person == person)) is not None


def revoke_link(db: Db, person: int) -> bool:
    """``False`` where there was none."""
    return db.run(delete(links).where(links.c.person == person)) == 1

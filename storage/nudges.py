"""Who was reminded of what, and how often: one shelf for every feature, because a person has one day.

A *matter* is named like its card (``notice:42``). ``day`` is the school's own date, not UTC's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, String, Table, bindparam, func, select

from storage.base import Db, Id, metadata
from storage.dialect import upsert

nudges = Table(
    "nudges",
    metadata,
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("matter", String(80), primary_key=True),
    Column("times", Integer, nullable=False),
    Column("along", Integer, nullable=False, server_default="0"),  # times it went along in another matter's message
    Index("ix_nudges_matter", "matter"),
    Index("ix_nudges_day", "day"),
)
mutes = Table(
    "nudge_mutes",
    metadata,
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("day", Date, primary_key=True),
)

_of_matter = (
    select(nudges.c.person, func.sum(nudges.c.times + nudges.c.along).label("times"))
    .where(nudges.c.matter == bindparam("matter"))
    .group_by(nudges.c.person)
)
_of_day = (
    select(nudges.c.person, func.sum(nudges.c.times).label("times"))
    .where(nudges.c.day == bindparam("day"))
    .group_by(nudges.c.person)
)
_muted = select(mutes.c.person).where(mutes.c.day == bindparam("day"))
_times = select(nudges.c.times, nudges.c.along).where(
    nudges.c.person == bindparam("person"), nudges.c.day == bindparam("day"), nudges.c.matter == bindparam("matter")
)


def allowed(db: Db, person: int, matter: str, day: date, *, per_matter: int, per_day: int) -> bool:
    """May this person be reminded of this matter today? The caps are the school's (``School.reminders_per_...``)."""
    return bool(among(db, [person], matter, day, per_matter=per_matter, per_day=per_day))


def among(db: Db, persons: Sequence[int], matter: str, day: date, *, per_matter: int, per_day: int) -> Sequence[int]:
    """Those of ``persons`` who may be reminded of this matter today, in the same order; three statements in all."""
    matters = {row.person: int(row.times) for row in db.all(_of_matter, {"matter": matter})}
    days = {row.person: int(row.times) for row in db.all(_of_day, {"day": day})}
    muted = {row.person for row in db.all(_muted, {"day": day})}
    return [
        person
        for person in persons
        if person not in muted and matters.get(person, 0) < per_matter and days.get(person, 0) < per_day
    ]


def note(db: Db, person: int, matter: str, day: date, *, along: bool = False) -> None:
    """Counts one reminder; call it in the transaction that sends it. ``along``: it had a place in a message that is
    counted for another matter, so it is one more for the matter and none for the day."""
    key = {"person": person, "day": day, "matter": matter}
    row = db.first(_times, key)  # one writer: nobody counts between the read and the write
    times, rode = (int(row.times), int(row.along)) if row else (0, 0)
    counted = {"times": times, "along": rode + 1} if along else {"times": times + 1, "along": rode}
    db.run(upsert(db, nudges, ("person", "day", "matter"), ("times", "along")), {**key, **counted})


def mute(db: Db, person: int, day: date) -> None:
    """今天别提醒, 本周别再提醒: no reminder of anything on that day. Asking twice is as good as once."""
    db.run(upsert(db, mutes, ("person", "day")), {"person": person, "day": day})


def muted(db: Db, person: int, day: date) -> bool:
    return person in {row.person for row in db.all(_muted, {"day": day})}


def times(db: Db, person: int, matter: str) -> int:
    """How often the person was reminded of this matter, over all days."""
    return next((int(row.times) for row in db.all(_of_matter, {"matter": matter}) if row.person == person), 0)

"""The ballot box: elections, who is on the roll, sealed envelopes, and - only after the count - ballots without a name.

Only ``handlers.stars`` may import this shelf (import-linter). What is never here: a time of a vote, a choice beside a
person, a private key. An envelope says nothing without the key, and the key lives in a file outside the database.
``WITHOUT ROWID`` on SQLite: a rowid would keep the order in which rows came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import cached_property
from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    LargeBinary,
    Row,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    true,
    update,
)

from storage.base import Db, Id, Instant, metadata

elections = Table(
    "elections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("settings", Text, nullable=False),  # frozen at the opening, word for word
    Column("settings_hash", String(64), nullable=False),
    Column("pk", LargeBinary, nullable=True),
    Column("opened_at", Instant, nullable=True),
    Column("closes", Instant, nullable=False),
    Column("count_at", Instant, nullable=True),  # until then somebody may object
    Column("offered", Boolean, nullable=False),  # everybody has voted, and the office was asked whether to close
    Column("result", Text, nullable=True),  # counts by seat, the abstentions first; null: nothing was opened
    sqlite_autoincrement=True,  # the card of a vote that was dropped must never open a newer one
)
roll = Table(
    "roll",
    metadata,
    Column("election", Id, ForeignKey("elections.id"), primary_key=True, autoincrement=False),
    Column("person", Id, ForeignKey("people.id"), primary_key=True, autoincrement=False),
    Column("voted", Boolean, nullable=False),
    Column("envelope", LargeBinary, nullable=True),
    Column("mac", LargeBinary, nullable=True),
    UniqueConstraint("election", "envelope"),
    sqlite_with_rowid=False,
)
ballots = Table(
    "ballots",
    metadata,
    Column("election", Id, ForeignKey("elections.id"), primary_key=True, autoincrement=False),
    Column("ballot", LargeBinary(16), primary_key=True, autoincrement=False),
    Column("choice", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)
trackers = Table(
    "trackers",
    metadata,
    Column("election", Id, ForeignKey("elections.id"), primary_key=True, autoincrement=False),
    Column("code", String(16), primary_key=True),
    sqlite_with_rowid=False,
)


class State(Enum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSING = "closing"  # nobody may vote, nothing is opened yet
    COUNTED = "counted"  # the ballots lie there without names; the key still exists
    SEALED = "sealed"  # the key is gone
    PUBLISHED = "published"
    DISPUTED = "disputed"  # something does not fit: nothing was opened
    VOID = "void"


LIVE = (State.OPEN, State.CLOSING, State.COUNTED, State.SEALED, State.DISPUTED)


@dataclass(frozen=True, slots=True)
class Candidate:
    person: int
    name: str
    department: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is frozen at the opening. A seat is a candidate's place in the list, from 1; seat 0 is an abstention."""

    title: str
    candidates: tuple[Candidate, ...]
    closes: datetime
    electors: tuple[int, ...] = ()
    least: int = 5  # fewer ballots than this are never opened
    objection: int = 10  # minutes between the list of receipts and the count
    receipt: str = "inclusion"


@dataclass(frozen=True)
class Election:
    id: int
    state: State
    text: str  # the settings as they were frozen
    settings_hash: str
    pk: bytes | None
    opened_at: datetime | None
    closes: datetime
    count_at: datetime | None
    offered: bool
    result: tuple[int, ...] | None

    @cached_property
    def settings(self) -> Settings:
        return msgspec.json.decode(self.text, type=Settings)

    @cached_property
    def electors(self) -> frozenset[int]:
        return frozenset(self.settings.electors)

    @property
    def title(self) -> str:
        return self.settings.title

    @property
    def live(self) -> bool:
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Elector:
    """A line of the roll. ``envelope`` and ``mac`` are there from the vote until the count."""

    person: int
    voted: bool
    envelope: bytes | None
    mac: bytes | None


@dataclass(frozen=True, slots=True)
class Turnout:
    voted: int
    size: int


def freeze(settings: Settings) -> tuple[str, str]:
    """The one text that stands for these settings, and its SHA-256."""
    text = msgspec.json.encode(settings).decode()
    return text, digest(text)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- elections ------------------------------------------------------------------------------------------------

_get = select(elections).where(elections.c.id == bindparam("id"))
_latest = (
    select(elections.c.id)
    .where(elections.c.state != State.DRAFT.value)
    .order_by(elections.c.opened_at.desc(), elections.c.id.desc())
    .limit(1)
)
_of = (
    select(elections)
    .where(elections.c.closes >= bindparam("first"), elections.c.closes < bindparam("end"))
    .where(elections.c.state != State.DRAFT.value)
    .order_by(elections.c.closes, elections.c.id)
)
_LATEST = "ballots.latest"


def _election(row: Row[Any]) -> Election:
    return Election(
        id=row.id,
        state=State(row.state),
        text=row.settings,
        settings_hash=row.settings_hash,
        pk=bytes(row.pk) if row.pk is not None else None,
        opened_at=row.opened_at,
        closes=row.closes,
        count_at=row.count_at,
        offered=row.offered,
        result=tuple(msgspec.json.decode(row.result, type=list[int])) if row.result is not None else None,
    )


def get(db: Db, election: int) -> Election | None:
    """Remembered within the transaction; every writer below forgets it."""

    def ask() -> Election | None:
        row = db.first(_get, {"id": election})
        return _election(row) if row else None

    found: Election | None = db.memo(("ballots", election), ask)
    return found


def latest(db: Db) -> Election | None:
    """The election opened last, whatever became of it. At most one is live at a time."""
    number: int | None = db.memo(_LATEST, lambda: db.value(_latest))
    return None if number is None else get(db, number)


def of(db: Db, first: datetime, end: datetime) -> Sequence[Election]:
    """Those whose deadline lies in ``[first, end)``."""
    return [_election(row) for row in db.all(_of, {"first": first, "end": end})]


def draft(db: Db, settings: Settings) -> int:
    """A new election that nobody sees yet; its number."""
    text, hashed = freeze(settings)
    values = {"settings": text, "settings_hash": hashed, "closes": settings.closes, "offered": False}
    return db.insert(insert(elections).values(state=State.DRAFT.value, **values))


def drop(db: Db, election: int) -> bool:
    """Forgets a draft."""
    _forget(db, election)
    e = elections.c
    return db.run(delete(elections).where(e.id == election, e.state == State.DRAFT.value)) == 1


def open_(db: Db, election: int, settings: Settings, pk: bytes, now: datetime) -> str:
    """Draft -> open, with everything frozen and the roll written; the hash of the settings."""
    text, hashed = freeze(settings)
    facts = {"settings": text, "settings_hash": hashed, "pk": pk, "opened_at": now, "closes": settings.closes}
    if not move(db, election, (State.DRAFT,), State.OPEN, **facts):
        raise RuntimeError("this election is open already")
    blank = {"election": election, "voted": False, "envelope": None, "mac": None}
    db.run(insert(roll), [{**blank, "person": person} for person in settings.electors])
    return hashed


def move(db: Db, election: int, before: Sequence[State], after: State, **facts: object) -> bool:
    """From one state to the next; ``False``: it was not in such a state, and nothing was changed."""
    _forget(db, election)
    at = and_(elections.c.id == election, elections.c.state.in_([state.value for state in before]))
    return db.run(update(elections).where(at).values(state=after.value, **facts)) == 1


def mark_offered(db: Db, election: int) -> None:
    _forget(db, election)
    db.run(update(elections).where(elections.c.id == election).values(offered=True))


def _forget(db: Db, election: int) -> None:
    db.forget(("ballots", election))
    db.forget(_LATEST)


# --- envelopes ------------------------------------------------------------------------------------------------

_silent = select(roll.c.person).where(roll.c.election == bindparam("election"), roll.c.voted == false())
_roll = select(roll).where(roll.c.election == bindparam("election")).order_by(roll.c.person)
_vote = (
    update(roll)
    .where(roll.c.election == bindparam("b_election"), roll.c.person == bindparam("b_person"))
    .values(voted=true(), envelope=bindparam("b_envelope"), mac=bindparam("b_mac"))
)
_turnout = (
    select(func.count().label("size"), func.count().filter(roll.c.voted).label("voted"))
    .select_from(roll)
    .where(roll.c.election == bindparam("election"))
)


def keep(db: Db, election: int, person: int, envelope: bytes, mac: bytes) -> bool:
    """Puts the envelope in the box, in place of an earlier one; ``True``: with it everybody has voted.

    Who is silent is asked once a transaction and before the first write, so that a batch of votes stays one statement.
    """
    waiting = silent(db, election)
    db.later(_vote, {"b_election": election, "b_person": person, "b_envelope": envelope, "b_mac": mac})
    waiting.discard(person)
    return not waiting


def silent(db: Db, election: int) -> set[int]:
    """Who is on the roll and has not voted."""
    found: set[int] = db.memo(
        ("ballots.silent", election), lambda: {row.person for row in db.all(_silent, {"election": election})}
    )
    return found


def turnout(db: Db, election: int) -> Turnout:
    row = db.first(_turnout, {"election": election})
    return Turnout(row.voted, row.size) if row else Turnout(0, 0)


def lines(db: Db, election: int) -> Sequence[Elector]:
    """The roll with its envelopes."""
    return [
        Elector(row.person, row.voted, _bytes(row.envelope), _bytes(row.mac))
        for row in db.all(_roll, {"election": election})
    ]


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def strip(db: Db, election: int) -> None:
    """Envelopes and seals go; that somebody voted stays, for the minutes."""
    db.run(update(roll).where(roll.c.election == election).values(envelope=None, mac=None))


def empty(db: Db, election: int) -> None:
    """A void vote keeps nothing of what was in the box."""
    strip(db, election)
    db.run(delete(ballots).where(ballots.c.election == election))


# --- after the close ------------------------------------------------------------------------------------------

_codes = select(trackers.c.code).where(trackers.c.election == bindparam("election")).order_by(trackers.c.code)
_recount = (
    select(ballots.c.choice, func.count().label("n"))
    .where(ballots.c.election == bindparam("election"))
    .group_by(ballots.c.choice)
)


def keep_codes(db: Db, election: int, codes: Iterable[str]) -> None:
    """The receipts as they are published."""
    rows = [{"election": election, "code": code} for code in sorted(codes)]
    if rows:
        db.run(insert(trackers), rows)


def codes(db: Db, election: int) -> Sequence[str]:
    return [row.code for row in db.all(_codes, {"election": election})]


def keep_ballots(db: Db, election: int, opened: Iterable[tuple[bytes, int]]) -> None:
    """Ballots under fresh random ids, written in the order of those ids and in one go: no order tells of another."""
    rows = [{"election": election, "ballot": ballot, "choice": seat} for ballot, seat in sorted(opened)]
    if rows:
        db.run(insert(ballots), rows)


def recount(db: Db, election: int) -> dict[int, int]:
    """How many stored ballots there are for each seat, counted by the database."""
    return {row.choice: row.n for row in db.all(_recount, {"election": election})}


def pack_counts(counts: Sequence[int]) -> str:
    return msgspec.json.encode(list(counts)).decode()

"""A roster file that waits for its confirmation: what it says, line by line. Its words go once it is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import msgspec
from sqlalchemy import Column, ForeignKey, String, Table, Text, bindparam, insert, select, update

from storage.base import Db, Id, Instant, metadata

WAITING, DONE, DROPPED = "waiting", "done", "dropped"

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False, index=True),  # who sent it, and alone may confirm it
    Column("name", String(160), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("plan", String(64), nullable=False),  # the digest of what the preview promised
    Column("state", String(8), nullable=False),
    Column("made_at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One person as the file says; ``None`` where the file says nothing, so that nothing is changed."""

    row: int
    name: str
    department: str | None = None
    politics: str | None = None
    role: str | None = None
    status: str | None = None
    first: date | None = None
    last: date | None = None
    telegram: str | None = None
    wecom: str | None = None
    phone: str | None = None
    staff_no: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A roster file as read. ``columns``: the letter of each column; ``problems``: a sentence for each bad cell.

    An address book has no cells: ``rows`` says how each of its lines is called.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    unused: Sequence[str] = ()
    lines: Sequence[Line] = ()
    problems: Sequence[str] = ()
    rows: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_file(self) -> bool:
        return not self.rows


@dataclass(frozen=True, slots=True)
class Import:
    """``plan``: the digest of the preview while it waits; afterwards what was done, in words."""

    id: int
    person: int
    name: str
    sheet: Sheet
    plan: str
    state: str
    made_at: datetime


_get = select(imports).where(imports.c.id == bindparam("id"))
_waiting = (
    select(imports)
    .where(imports.c.person == bindparam("person"), imports.c.state == WAITING)
    .order_by(imports.c.id.desc())
    .limit(1)
)


def keep(db: Db, person: int, name: str, sheet: Sheet, now: datetime) -> int:
    """Keeps a file to be confirmed; an earlier one of the same person that still waits is dropped."""
    mine = (imports.c.person == person) & (imports.c.state == WAITING)
    db.run(update(imports).where(mine).values(state=DROPPED, sheet=_EMPTY))
    values = {"person": person, "name": name[:160], "sheet": _pack(sheet), "plan": "", "state": WAITING, "made_at": now}
    return db.insert(insert(imports).values(**values))


def get(db: Db, number: int) -> Import | None:
    row = db.first(_get, {"id": number})
    return Import(row.id, row.person, row.name, _unpack(row.sheet), row.plan, row.state, row.made_at) if row else None


def waiting(db: Db, person: int) -> Import | None:
    """The newest file of this person that waits to be confirmed."""
    row = db.first(_waiting, {"person": person})
    return get(db, row.id) if row else None


def promise(db: Db, number: int, plan: str) -> None:
    """What the preview shows now is what a confirmation will mean."""
    db.run(update(imports).where(imports.c.id == number).values(plan=plan))


def decide(db: Db, number: int, state: str, outcome: str = "") -> bool:
    """Done or dropped, once; the file's words are gone with it. ``False``: it was decided already."""
    at = (imports.c.id == number) & (imports.c.state == WAITING)
    return db.run(update(imports).where(at).values(state=state, sheet=_EMPTY, plan=outcome)) == 1


def _pack(sheet: Sheet) -> str:
    return msgspec.json.encode(sheet).decode()


def _unpack(text: str) -> Sheet:
    return msgspec.json.decode(text, type=Sheet)


_EMPTY = _pack(Sheet())

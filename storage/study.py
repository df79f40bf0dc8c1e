"""Study reminders: plans, their occurrences (one per plan and local date), and what each person did about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert
from storage.people import Person, people

DRAFT, ACTIVE, ENDED, DROPPED = "draft", "active", "ended", "dropped"
SENT, MISSED = "sent", "missed"
OPEN, LATER, LEARNED = "open", "later", "learned"

plans = Table(
    "study_plans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("at", Instant, nullable=True),  # once, then; or by the rule
    Column("rule", String(80), nullable=True),
    Column("tenths", Integer, nullable=False),  # of a 学时
    Column("late_hours", Integer, nullable=False),  # missed while we were down: sent late within these, else skipped
    Column("state", String(8), nullable=False, index=True),
    Column("made_by", Id, ForeignKey("people.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
)
occurrences = Table(
    "study_occurrences",
    metadata,
    Column("id", Id, primary_key=True),
    Column("plan", Id, ForeignKey("study_plans.id"), nullable=False),
    Column("day", Date, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(8), nullable=False),
    Column("late", Boolean, nullable=False),
    UniqueConstraint("plan", "day"),
)
marks = Table(
    "study_marks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("occurrence", Id, ForeignKey("study_occurrences.id"), nullable=False),
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("state", String(8), nullable=False),
    Column("at", Instant, nullable=True),  # when it was learned, or is to be reminded again
    Column("note", Text, nullable=False, server_default=""),  # 心得: for their own eyes
    UniqueConstraint("occurrence", "person"),
    Index("ix_study_marks_person", "person", "state"),
)
halts = Table(
    "study_halts",
    metadata,
    Column("plan", Id, ForeignKey("study_plans.id"), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """``at`` for once, ``rule`` (packed) for again and again; ``tenths`` of a 学时."""

    id: int
    title: str
    at: datetime | None
    rule: str | None
    tenths: int
    late_hours: int
    state: str
    made_by: int
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Occurrence:
    id: int
    plan: int
    day: date
    due_at: datetime
    state: str
    late: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """What one person did about one occurrence."""

    id: int
    occurrence: int
    person: int
    state: str
    at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class Item:
    """A mark with what it is about."""

    mark: Mark
    occurrence: Occurrence
    plan: Plan


# --- plans ----------------------------------------------------------------------------------------------------

_plan = select(plans).where(plans.c.id == bindparam("id"))
_active = select(plans).where(plans.c.state == ACTIVE).order_by(plans.c.id)


def draft(db: Db, plan: Plan) -> int:
    """Keeps a plan that waits for its yes (``plan.id`` and ``plan.state`` are ignored); its number."""
    facts = {"title": plan.title, "at": plan.at, "rule": plan.rule, "tenths": plan.tenths, "made_by": plan.made_by}
    made = {"late_hours": plan.late_hours, "state": DRAFT, "made_at": plan.made_at}
    return db.insert(insert(plans).values(**facts, **made))


def plan(db: Db, number: int) -> Plan | None:
    row = db.first(_plan, {"id": number})
    return Plan(**row._mapping) if row else None


def active(db: Db) -> Sequence[Plan]:
    return [Plan(**row._mapping) for row in db.all(_active)]


def newest_draft(db: Db, person: int, since: datetime) -> Plan | None:
    mine = (plans.c.made_by == person) & (plans.c.state == DRAFT) & (plans.c.made_at >= since)
    row = db.first(select(plans).where(mine).order_by(plans.c.id.desc()).limit(1))
    return Plan(**row._mapping) if row else None


def move(db: Db, number: int, before: str, after: str) -> bool:
    """From one state to the next; ``False`` where it was not in the first."""
    at = (plans.c.id == number) & (plans.c.state == before)
    return db.run(update(plans).where(at).values(state=after)) == 1


def set_rule(db: Db, number: int, rule: str) -> None:
    db.run(update(plans).where(plans.c.id == number).values(rule=rule))


# --- occurrences ----------------------------------------------------------------------------------------------


def occur(db: Db, number: int, day: date, due_at: datetime, state: str, *, late: bool = False) -> int | None:
    """The plan's occurrence of a day, for the first and only time; ``None``: that day has been dealt with."""
    if db.value(select(occurrences.c.id).where(occurrences.c.plan == number, occurrences.c.day == day)) is not None:
        return None
    values = {"plan": number, "day": day, "due_at": due_at, "state": state, "late": late}
    return db.insert(insert(occurrences).values(**values))


def occurrence(db: Db, number: int) -> Occurrence | None:
    row = db.first(select(occurrences).where(occurrences.c.id == number))
    return Occurrence(**row._mapping) if row else None


def last_sent(db: Db, number: int) -> Occurrence | None:
    """The newest occurrence of a plan that went out."""
    mine = (occurrences.c.plan == number) & (occurrences.c.state == SENT)
    row = db.first(select(occurrences).where(mine).order_by(occurrences.c.day.desc()).limit(1))
    return Occurrence(**row._mapping) if row else None


def between(db: Db, first: date, last: date) -> Sequence[tuple[Plan, Occurrence]]:
    """What went out or was missed on these days, by date."""
    statement = (
        select(plans, *_labelled("o", occurrences))
        .join(occurrences, occurrences.c.plan == plans.c.id)
        .where(occurrences.c.day >= first, occurrences.c.day <= last)
        .order_by(occurrences.c.day, occurrences.c.id)
    )
    names = [c.name for c in plans.c]
    return [(Plan(*(getattr(r, name) for name in names)), _occurrence(r)) for r in db.all(statement)]


# --- what people did ------------------------------------------------------------------------------------------


def _labelled(prefix: str, table: Table) -> list[Any]:
    return [column.label(f"{prefix}_{column.name}") for column in table.c]


def _occurrence(row: Row[Any]) -> Occurrence:
    return Occurrence(*(getattr(row, f"o_{c.name}") for c in occurrences.c))


def _item(row: Row[Any]) -> Item:
    mark = Mark(*(getattr(row, f"m_{c.name}") for c in marks.c))
    return Item(mark, _occurrence(row), Plan(*(getattr(row, f"p_{c.name}") for c in plans.c)))


def _items() -> Select[Any]:
    return (
        select(*_labelled("m", marks), *_labelled("o", occurrences), *_labelled("p", plans))
        .join(occurrences, occurrences.c.id == marks.c.occurrence)
        .join(plans, plans.c.id == occurrences.c.plan)
    )


_item_of = _items().where(marks.c.id == bindparam("id"))
_of_person = (
    _items()
    .where(marks.c.person == bindparam("person"), occurrences.c.due_at >= bindparam("since"))
    .order_by(occurrences.c.due_at.desc(), marks.c.id.desc())
)


def expect(db: Db, number: int, person: int) -> int:
    """This person is asked; the mark's number."""
    return db.insert(insert(marks).values(occurrence=number, person=person, state=OPEN, at=None, note=""))


def item(db: Db, mark: int) -> Item | None:
    row = db.first(_item_of, {"id": mark})
    return _item(row) if row else None


def items_of(db: Db, person: int, since: datetime) -> Sequence[Item]:
    """What this person was asked since then, the newest first."""
    return [_item(row) for row in db.all(_of_person, {"person": person, "since": since})]


_set = update(marks).where(marks.c.id == bindparam("b_id")).values(state=bindparam("b_state"), at=bindparam("b_at"))


def set_mark(db: Db, mark: int, state: str, at: datetime | None) -> None:
    db.run(_set, {"b_id": mark, "b_state": state, "b_at": at})


def set_note(db: Db, mark: int, note: str) -> None:
    db.run(update(marks).where(marks.c.id == mark).values(note=note))


def marks_of(db: Db, number: int) -> Sequence[tuple[Person, Mark]]:
    """Everybody who was asked and is still on the roster, with what they did."""
    statement = (
        select(people.c.name, people.c.department, *_labelled("m", marks))
        .join(marks, marks.c.person == people.c.id)
        .where(marks.c.occurrence == number, people.c.active)
        .order_by(people.c.id)
    )
    return [
        (Person(row.m_person, row.name, row.department), Mark(*(getattr(row, f"m_{c.name}") for c in marks.c)))
        for row in db.all(statement)
    ]


def learned(db: Db, person: int, since: datetime) -> tuple[int, int]:
    """How often, and how many tenths of a 学时, since then."""
    statement = (
        select(func.count().label("times"), func.coalesce(func.sum(plans.c.tenths), 0).label("tenths"))
        .select_from(marks)
        .join(occurrences, occurrences.c.id == marks.c.occurrence)
        .join(plans, plans.c.id == occurrences.c.plan)
        .where(marks.c.person == person, marks.c.state == LEARNED, occurrences.c.due_at >= since)
    )
    row = db.first(statement)
    return (int(row.times), int(row.tenths)) if row else (0, 0)


# --- no more, please ------------------------------------------------------------------------------------------


def halt(db: Db, number: int, person: int) -> None:
    db.run(upsert(db, halts, ("plan", "person")), {"plan": number, "person": person})


def resume(db: Db, person: int, number: int | None = None) -> int:
    """Reminds again, of one plan or of all; of how many."""
    mine = halts.c.person == person
    return db.run(delete(halts).where(mine if number is None else mine & (halts.c.plan == number)))


def halted(db: Db, number: int) -> frozenset[int]:
    return frozenset(row.person for row in db.all(select(halts.c.person).where(halts.c.plan == number)))

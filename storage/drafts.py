"""Drafts put before the staff for comment: the text in clauses, what people said to them, who has nothing to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert
from storage.people import people

NEW, OPEN, CLOSED = "new", "open", "closed"
LIVE, WITHDRAWN, REPLACED = "live", "withdrawn", "replaced"
COMMENT, QUESTION = "comment", "question"
WHOLE = 0  # the position of what was said to the draft as a whole

drafts = Table(
    "drafts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("kind", String(16), nullable=False),  # what the staff congress must pass: 分配 考核 奖惩 聘任 福利, or ""
    Column("how", String(12), nullable=False),  # articles | numbers | paragraphs
    Column("preface", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("author", Id, ForeignKey("people.id"), nullable=False),
    Column("approver", String(64), nullable=False),  # who answers for its being shown; "" until somebody does
    Column("until", Instant, nullable=True),
    Column("made_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=True),
    Column("file", Id, nullable=True),  # in storage.files, where the text is too long to be sent in messages
    Index("ix_drafts_state", "state"),
    sqlite_autoincrement=True,  # the card of a draft that was given up must never show a newer one
)
clauses = Table(
    "draft_clauses",
    metadata,
    Column("draft", Id, ForeignKey("drafts.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("label", String(32), nullable=False),
    Column("heading", String(120), nullable=False),
    Column("text", Text, nullable=False),
)
comments = Table(
    "draft_comments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("draft", Id, ForeignKey("drafts.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("point", String(32), nullable=False),  # 第二款, where somebody was that exact
    Column("person", Id, ForeignKey("people.id"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("words", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_draft_comments_draft_state", "draft", "state"),
    Index("ix_draft_comments_person", "person"),
)
clears = Table(
    "draft_clears",
    metadata,
    Column("draft", Id, ForeignKey("drafts.id"), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), primary_key=True),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Clause:
    """One numbered piece; ``heading`` is its chapter, ``text`` is word for word."""

    position: int
    label: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    id: int
    title: str
    kind: str
    how: str
    preface: str
    state: str
    author: int
    approver: str
    until: datetime | None
    made_at: datetime
    opened_at: datetime | None
    file: int | None


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said; ``id`` is the serial number they were given, unique over all drafts."""

    id: int
    draft: int
    position: int
    point: str
    person: int
    kind: str
    words: str
    state: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """A comment as it stands in the summary."""

    id: int
    position: int
    point: str
    kind: str
    words: str
    name: str
    department: str


@dataclass(frozen=True, slots=True)
class Counts:
    """``comments`` live ones, ``clear`` people with nothing to say, ``clauses`` of the draft."""

    comments: int
    clear: int
    clauses: int


def _draft(row: Row[Any]) -> Draft:
    return Draft(**row._mapping)


_get = select(drafts).where(drafts.c.id == bindparam("id"))
_open = select(drafts).where(drafts.c.state == OPEN).order_by(drafts.c.id)
_closed = (
    select(drafts).where(drafts.c.state == CLOSED, drafts.c.until >= bindparam("since")).order_by(drafts.c.until.desc())
)
_opened = (
    select(drafts)
    .where(drafts.c.opened_at >= bindparam("first"), drafts.c.opened_at < bindparam("last"))
    .order_by(drafts.c.opened_at, drafts.c.id)
)
_waiting = select(drafts).where(drafts.c.state == NEW, drafts.c.author == bindparam("author")).order_by(drafts.c.id)
_clauses = select(clauses).where(clauses.c.draft == bindparam("draft")).order_by(clauses.c.position)
_live = (comments.c.draft == bindparam("draft"), comments.c.state == LIVE)
_count = select(
    select(func.count())
    .select_from(comments)
    .where(*_live, comments.c.kind == COMMENT)
    .scalar_subquery()
    .label("comments"),
    select(func.count())
    .select_from(clears)
    .where(clears.c.draft == bindparam("draft"))
    .scalar_subquery()
    .label("clear"),
    select(func.count())
    .select_from(clauses)
    .where(clauses.c.draft == bindparam("draft"))
    .scalar_subquery()
    .label("clauses"),
)
_commented = select(comments.c.person).where(*_live, comments.c.kind == COMMENT).distinct()
_cleared = select(clears.c.person).where(clears.c.draft == bindparam("draft"))
_said = (
    select(comments, people.c.name, people.c.department)
    .join(people, people.c.id == comments.c.person)
    .where(*_live)
    .order_by(comments.c.position, comments.c.id)
)
_mine = select(comments).where(*_live, comments.c.person == bindparam("person")).order_by(comments.c.id)


# --- drafts ---------------------------------------------------------------------------------------------------


def add(
    db: Db, *, title: str, kind: str, how: str, preface: str, author: int, now: datetime, pieces: Sequence[Clause]
) -> int:
    """Keeps a draft that nobody has seen yet; its number."""
    facts = {"title": title, "kind": kind, "how": how, "preface": preface, "author": author, "made_at": now}
    blank = {"state": NEW, "approver": "", "until": None, "opened_at": None, "file": None}
    number = db.insert(insert(drafts).values(**facts, **blank))
    rows = [
        {"draft": number, "position": p.position, "label": p.label, "heading": p.heading, "text": p.text}
        for p in pieces
    ]
    db.run(insert(clauses), rows)
    return number


def get(db: Db, draft: int) -> Draft | None:
    row = db.first(_get, {"id": draft})
    return _draft(row) if row else None


def open_ones(db: Db) -> Sequence[Draft]:
    """Published and not closed; one whose time is over may still be among them."""
    return [_draft(row) for row in db.all(_open)]


def closed_since(db: Db, since: datetime) -> Sequence[Draft]:
    """Closed, the deadline at or after ``since``; the latest first."""
    return [_draft(row) for row in db.all(_closed, {"since": since})]


def opened_between(db: Db, first: datetime, last: datetime) -> Sequence[Draft]:
    return [_draft(row) for row in db.all(_opened, {"first": first, "last": last})]


def unpublished(db: Db, author: int) -> Sequence[Draft]:
    """What this person has begun and not published, the oldest first."""
    return [_draft(row) for row in db.all(_waiting, {"author": author})]


def set_terms(db: Db, draft: int, *, title: str, kind: str, until: datetime, approver: str) -> None:
    db.run(update(drafts).where(drafts.c.id == draft).values(title=title, kind=kind, until=until, approver=approver))


def publish(db: Db, draft: int, now: datetime, file: int | None) -> bool:
    """``False``: it was published already, or is gone."""
    new = update(drafts).where(drafts.c.id == draft, drafts.c.state == NEW)
    return db.run(new.values(state=OPEN, opened_at=now, file=file)) == 1


def close(db: Db, draft: int) -> bool:
    """``False``: it was not open."""
    return db.run(update(drafts).where(drafts.c.id == draft, drafts.c.state == OPEN).values(state=CLOSED)) == 1


def extend(db: Db, draft: int, until: datetime) -> None:
    db.run(update(drafts).where(drafts.c.id == draft).values(until=until))


def forget(db: Db, draft: int) -> bool:
    """Removes a draft that was never published, text and all. ``False``: it was published, or is gone."""
    found = get(db, draft)
    if found is None or found.state != NEW:
        return False
    db.run(delete(clauses).where(clauses.c.draft == draft))
    return db.run(delete(drafts).where(drafts.c.id == draft)) == 1


def forget_begun(db: Db, before: datetime) -> int:
    """Removes what was begun before this moment and never published; how many."""
    rows = db.all(select(drafts.c.id).where(drafts.c.state == NEW, drafts.c.made_at < before))
    return sum(forget(db, row.id) for row in rows)


def text(db: Db, draft: int) -> Sequence[Clause]:
    """The clauses in their order, from position 1."""
    return [Clause(r.position, r.label, r.heading, r.text) for r in db.all(_clauses, {"draft": draft})]


# --- what people say ------------------------------------------------------------------------------------------


def comment(
    db: Db, draft: int, person: int, words: str, now: datetime, *, position: int, point: str = "", kind: str = COMMENT
) -> int:
    """Keeps what somebody said; its serial number. Whoever comments has something to say after all."""
    if kind == COMMENT:
        db.run(delete(clears).where(clears.c.draft == draft, clears.c.person == person))
    facts = {"draft": draft, "person": person, "position": position, "point": point, "kind": kind, "words": words}
    return db.insert(insert(comments).values(**facts, state=LIVE, made_at=now))


def get_comment(db: Db, number: int) -> Comment | None:
    row = db.first(select(comments).where(comments.c.id == number))
    return Comment(**row._mapping) if row else None


def set_aside(db: Db, number: int, state: str) -> bool:
    """``WITHDRAWN`` or ``REPLACED``; the words stay as history. ``False``: it was no longer live."""
    live = update(comments).where(comments.c.id == number, comments.c.state == LIVE)
    return db.run(live.values(state=state)) == 1


def mine(db: Db, draft: int, person: int) -> Sequence[Comment]:
    """The live comments and questions of one person, the oldest first."""
    return [Comment(**row._mapping) for row in db.all(_mine, {"draft": draft, "person": person})]


def clear(db: Db, draft: int, person: int, now: datetime) -> None:
    """This person has nothing to say. Twice is as good as once."""
    db.later(upsert(db, clears, ("draft", "person")), {"draft": draft, "person": person, "at": now})


def said(db: Db, draft: int) -> Sequence[Said]:
    """Everything that stands, by clause and then by age."""
    rows = db.all(_said, {"draft": draft})
    return [Said(r.id, r.position, r.point, r.kind, r.words, r.name, r.department) for r in rows]


def counts(db: Db, draft: int) -> Counts:
    row = db.first(_count, {"draft": draft})
    return Counts(row.comments, row.clear, row.clauses) if row else Counts(0, 0, 0)


def commented(db: Db, draft: int) -> set[int]:
    """Who has a comment that stands."""
    return {row.person for row in db.all(_commented, {"draft": draft})}


def cleared(db: Db, draft: int) -> set[int]:
    """Who said that they have nothing to say."""
    return {row.person for row in db.all(_cleared, {"draft": draft})}

"""Meeting notices. Answers are on ``storage.rsvps``, corrections on ``storage.corrections``.

A notice has a number only from the moment it is sent: ``1123-01`` is the first of 23 November.
"""

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
    String,
    Table,
    Text,
    bindparam,
    false,
    func,
    insert,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.people import Person

DRAFT, OPEN, CLOSED, CANCELLED, DROPPED = "draft", "open", "closed", "cancelled", "dropped"
PARTY = "党员"  # a circle of its own, beside the departments

notices = Table(
    "notices",
    metadata,
    Column("id", Id, primary_key=True),
    Column("state", String(12), nullable=False),
    Column("day", Date, nullable=True),  # of sending, at the school; with ``number`` the serial
    Column("number", Integer, nullable=True),
    Column("topic", String(200), nullable=False),
    Column("place", String(80), nullable=False),
    Column("starts", Instant, nullable=False),
    Column("ends", Instant, nullable=True),
    Column("sure", Boolean, nullable=False),  # False: something of the time was assumed
    Column("deadline", Instant, nullable=True),  # answers until then; None: until it starts
    Column("author", Id, ForeignKey("people.id"), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("leaves_at", Instant, nullable=True),  # when the cards go out: now, or after the quiet hours
    Column("audience", Text, nullable=False, server_default=""),  # departments, one a line; empty: everybody
    Column("bring", String(120), nullable=False, server_default=""),  # 听课本
    Column("loud", Boolean, nullable=False, server_default=false()),  # @所有人 was asked for
    Index("ix_notices_state", "state"),
    Index("ix_notices_starts", "starts"),
    Index("uq_notices_day_number", "day", "number", unique=True),
)


@dataclass(frozen=True, slots=True)
class Notice:
    id: int
    state: str
    day: date | None
    number: int | None
    topic: str
    place: str
    starts: datetime
    ends: datetime | None
    sure: bool
    deadline: datetime | None
    author: int
    made_at: datetime
    leaves_at: datetime | None
    audience: str = ""
    bring: str = ""
    loud: bool = False

    @property
    def circles(self) -> Sequence[str]:
        """The departments that are asked; none: everybody."""
        return self.audience.split("\n") if self.audience else ()

    def asks(self, person: Person) -> bool:
        """Whether this person is of those who are asked; who is on leave that day is another question."""
        return among(person, self.circles)

    @property
    def serial(self) -> str:
        """``1123-01``; empty before it is sent."""
        return f"{self.day:%m%d}-{self.number:02d}" if self.day and self.number else ""

    @property
    def closes(self) -> datetime:
        """Answers count until then."""
        return min(self.deadline, self.starts) if self.deadline else self.starts


def among(person: Person, circles: Sequence[str]) -> bool:
    """Whether one of these departments, or the party, has this person; no circle: everybody."""
    return not circles or person.department in circles or (PARTY in circles and PARTY in person.politics)


def _notice(row: Row[Any]) -> Notice:
    return Notice(**row._mapping)


_get = select(notices).where(notices.c.id == bindparam("id"))
_open = (
    select(notices)
    .where(notices.c.state == OPEN, notices.c.leaves_at <= bindparam("now"), notices.c.starts > bindparam("now"))
    .order_by(notices.c.id)
)
_sent = select(notices).where(notices.c.state.in_((OPEN, CLOSED, CANCELLED))).order_by(notices.c.id.desc())
_newest = (
    select(notices)
    .where(notices.c.state.in_((OPEN, CLOSED, CANCELLED)))
    .order_by(notices.c.state == CANCELLED, notices.c.id.desc())
    .limit(1)
)
_begun = (
    select(notices)
    .where(
        notices.c.state.in_((OPEN, CLOSED)), notices.c.starts <= bindparam("now"), notices.c.starts > bindparam("since")
    )
    .order_by(notices.c.starts.desc())
)
_drafted = (
    select(notices)
    .where(notices.c.state == DRAFT, notices.c.author == bindparam("author"), notices.c.made_at > bindparam("since"))
    .order_by(notices.c.id.desc())
    .limit(1)
)
_within = (
    select(notices)
    .where(
        notices.c.state.in_((OPEN, CLOSED, CANCELLED)),
        notices.c.starts >= bindparam("first"),
        notices.c.starts < bindparam("past"),
    )
    .order_by(notices.c.starts, notices.c.id)
)
_numbered = select(func.max(notices.c.number)).where(notices.c.day == bindparam("day"))
_turn = (
    update(notices)
    .where(notices.c.id == bindparam("b_id"), notices.c.state == bindparam("b_from"))
    .values(state=bindparam("b_to"))
)
_send = (
    update(notices)
    .where(notices.c.id == bindparam("b_id"), notices.c.state == DRAFT)
    .values(state=OPEN, day=bindparam("b_day"), number=bindparam("b_number"), leaves_at=bindparam("b_leaves"))
)


_SEVERAL = "notices.several"


def _key(notice: int) -> tuple[str, int]:
    return "notices.get", notice


def get(db: Db, notice: int) -> Notice | None:
    """Asked once a transaction: a burst of taps is about one notice."""

    def ask() -> Notice | None:
        row = db.first(_get, {"id": notice})
        return _notice(row) if row else None

    found: Notice | None = db.memo(_key(notice), ask)
    return found


def opened(db: Db, now: datetime) -> Sequence[Notice]:
    """What can be answered now, oldest first: sent, out of the door, not begun."""
    return [_notice(row) for row in db.all(_open, {"now": now})]


def several(db: Db, now: datetime) -> bool:
    """Is more than one open? Asked once a transaction, for every answer wants to know."""
    found: bool = db.memo(_SEVERAL, lambda: len(opened(db, now)) > 1)
    return found


def begun(db: Db, now: datetime, since: datetime) -> Sequence[Notice]:
    """What began in ``(since, now]``, newest first."""
    return [_notice(row) for row in db.all(_begun, {"now": now, "since": since})]


def newest(db: Db) -> Notice | None:
    """The last one sent; one that was cancelled only where there is no other."""
    row = db.first(_newest)
    return _notice(row) if row else None


def by_serial(db: Db, serial: str) -> Notice | None:
    """The newest of this serial: numbers come again each year."""
    rows = db.all(_sent.limit(400))
    return next((notice for notice in map(_notice, rows) if notice.serial == serial), None)


def newest_draft(db: Db, author: int, since: datetime) -> Notice | None:
    row = db.first(_drafted, {"author": author, "since": since})
    return _notice(row) if row else None


def within(db: Db, first: datetime, past: datetime) -> Sequence[Notice]:
    """Meetings that were announced and start in ``[first, past)``."""
    return [_notice(row) for row in db.all(_within, {"first": first, "past": past})]


def recent_places(db: Db, most: int) -> Sequence[str]:
    """Where the last meetings were, the latest first."""
    last = func.max(notices.c.id)
    rows = db.all(
        select(notices.c.place, last)
        .where(notices.c.number.is_not(None))
        .group_by(notices.c.place)
        .order_by(last.desc())
    )
    return [row.place for row in rows[:most]]


# --- the notice's life ----------------------------------------------------------------------------------------


def draft(
    db: Db,
    *,
    topic: str,
    place: str,
    starts: datetime,
    ends: datetime | None,
    sure: bool,
    deadline: datetime | None,
    author: int,
    now: datetime,
    audience: Sequence[str] = (),
    bring: str = "",
    loud: bool = False,
) -> int:
    """A notice nobody has seen yet; its number in the table."""
    facts: dict[str, Any] = {"topic": topic, "place": place, "starts": starts, "ends": ends, "sure": sure}
    facts |= {"audience": "\n".join(audience), "bring": bring, "loud": loud}
    return db.insert(insert(notices).values(**facts, state=DRAFT, deadline=deadline, author=author, made_at=now))


def revise(db: Db, notice: int, **facts: Any) -> None:
    db.forget(_key(notice))
    db.forget(_SEVERAL)
    db.run(update(notices).where(notices.c.id == notice).values(**facts))


def send(db: Db, notice: int, day: date, leaves_at: datetime) -> bool:
    """Opens a draft and gives it the next number of the day; ``False`` when it is no draft any more."""
    db.forget(_key(notice))
    db.forget(_SEVERAL)
    number = int(db.value(_numbered, {"day": day}) or 0) + 1
    return db.run(_send, {"b_id": notice, "b_day": day, "b_number": number, "b_leaves": leaves_at}) == 1


def turn(db: Db, notice: int, state: str, to: str) -> bool:
    """From one state to another; ``False`` when it was not in the first."""
    db.forget(_key(notice))
    db.forget(_SEVERAL)
    return db.run(_turn, {"b_id": notice, "b_from": state, "b_to": to}) == 1

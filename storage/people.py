"""The roster: people, their accounts on platforms, their leave, and the groups we speak in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Row,
    String,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.sql.functions import count

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

people = Table(
    "people",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("department", String(64), nullable=False, server_default=""),
    Column("politics", String(32), nullable=False, server_default=""),  # 政治面貌
    Column("role", String(16), nullable=False, server_default="staff"),
    Column("phone", String(32), nullable=False, server_default=""),
    Column("active", Boolean, nullable=False),
    Column("staff_no", String(32), nullable=False, server_default=""),  # 工号: tells two of one name apart
)
accounts = Table(
    "accounts",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), nullable=True, index=True),
    Column("talk", String(64), nullable=True),  # where we may write to them in private; None: they never came
    Column("seen_at", Instant, nullable=True),
    Column("closed", Boolean, nullable=False),
)
leaves = Table(
    "leaves",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=True),  # None: until further notice
    Column("kind", String(32), nullable=False),
)
groups = Table(
    "groups",
    metadata,
    Column("channel", String(16), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("title", String(128), nullable=False, server_default=""),
    Column("bound_at", Instant, nullable=True),  # None: we are in it, but the office has not said it is ours
    Column("closed", Boolean, nullable=False),
)
codes = Table(
    "codes",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("purpose", String(16), nullable=False),  # bind | login
    Column("until", Instant, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    department: str = ""
    politics: str = ""
    role: str = "staff"
    phone: str = ""
    active: bool = True
    staff_no: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person can be reached in private."""

    person: int
    channel: str
    talk: str


@dataclass(frozen=True, slots=True)
class Group:
    channel: str
    id: str
    title: str
    bound_at: datetime | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Leave:
    id: int
    person: int
    first: date
    last: date | None
    kind: str


_columns = [people.c[name] for name in Person.__slots__]


def _person(row: Row[Any]) -> Person:
    """``row`` begins with ``_columns``."""
    return Person(*row[: len(_columns)])


_get = select(*_columns).where(people.c.id == bindparam("id"))
_named = select(*_columns).where(people.c.name == bindparam("name"), people.c.active).order_by(people.c.id)
_active = select(*_columns).where(people.c.active).order_by(people.c.id)
_account = (
    select(*_columns, accounts.c.id.label("account"), accounts.c.talk, accounts.c.seen_at, accounts.c.closed)
    .join(accounts, accounts.c.person == people.c.id)
    .where(accounts.c.channel == bindparam("channel"))
)
_behind = _account.where(accounts.c.id == bindparam("id"))
_behind_many = _account.where(accounts.c.id.in_(bindparam("ids", expanding=True)))
_BEHIND = "people.behind"  # what this transaction remembers of accounts; every writer below forgets it
_AWAY = "people.away"  # and of leaves
_away = select(leaves.c.person).where(
    leaves.c.first <= bindparam("on"), or_(leaves.c.last.is_(None), leaves.c.last >= bindparam("on"))
)


def get(db: Db, person: int) -> Person | None:
    row = db.first(_get, {"id": person})
    return _person(row) if row else None


def named(db: Db, name: str) -> Sequence[Person]:
    """Everybody active of exactly this name; two people may share one."""
    return [_person(row) for row in db.all(_named, {"name": name})]


def active(db: Db) -> Sequence[Person]:
    return [_person(row) for row in db.all(_active)]


def everybody(db: Db) -> Sequence[Person]:
    """The whole roster, those who have left too."""
    return [_person(row) for row in db.all(select(*_columns).order_by(people.c.id))]


def holding(db: Db, role: str) -> Sequence[Person]:
    """Active people of this role."""
    return [_person(row) for row in db.all(_active.where(people.c.role == role))]


def expected(db: Db, on: date) -> Sequence[Person]:
    """Who is asked and who counts on a day: active and not on leave."""
    away = exists().where(
        leaves.c.person == people.c.id,
        leaves.c.first <= on,
        or_(leaves.c.last.is_(None), leaves.c.last >= on),
    )
    return [_person(row) for row in db.all(_active.where(~away))]


def on_leave(db: Db, on: date) -> Sequence[tuple[Person, Leave]]:
    statement = (
        select(*_columns, leaves.c.id.label("leave"), leaves.c.first, leaves.c.last, leaves.c.kind)
        .join(leaves, leaves.c.person == people.c.id)
        .where(people.c.active, leaves.c.first <= on, or_(leaves.c.last.is_(None), leaves.c.last >= on))
        .order_by(people.c.id)
    )
    return [(_person(r), Leave(r.leave, r.id, r.first, r.last, r.kind)) for r in db.all(statement)]


def away(db: Db, on: date) -> frozenset[int]:
    """Who is on leave on a day; asked once a transaction, for every tap wants to know."""
    known: dict[date, frozenset[int]] = db.memo(_AWAY, dict)
    if on not in known:
        known[on] = frozenset(row.person for row in db.all(_away, {"on": on}))
    return known[on]


def add(db: Db, person: Person) -> int:
    """Adds somebody (``person.id`` is ignored); their number."""
    return db.insert(
        insert(people).values(
            name=person.name,
            department=person.department,
            politics=person.politics,
            role=person.role,
            phone=person.phone,
            active=person.active,
            staff_no=person.staff_no,
        )
    )


def change(db: Db, person: int, **facts: str | bool) -> None:
    db.forget(_BEHIND)
    db.run(update(people).where(people.c.id == person).values(**facts))


def set_leave(db: Db, person: int, first: date, last: date | None, kind: str) -> int:
    db.forget(_AWAY)
    return db.insert(insert(leaves).values(person=person, first=first, last=last, kind=kind))


def end_leave(db: Db, person: int, last: date) -> int:
    """Ends every leave that reaches past ``last``; how many."""
    reach = and_(leaves.c.person == person, or_(leaves.c.last.is_(None), leaves.c.last > last))
    db.forget(_AWAY)
    return db.run(update(leaves).where(reach).values(last=last))


def leaves_of(db: Db, person: int | None = None) -> Sequence[Leave]:
    """Every leave of a person, or of everybody, the oldest first."""
    statement = select(leaves).order_by(leaves.c.first, leaves.c.id)
    rows = db.all(statement if person is None else statement.where(leaves.c.person == person))
    return [Leave(r.id, r.person, r.first, r.last, r.kind) for r in rows]


def clear_leave(db: Db, person: int, first: date, last: date | None) -> None:
    """Nothing is left of the person's leave in ``first..last``; a leave that begins earlier ends the day before."""
    db.forget(_AWAY)
    touching = [leaves.c.person == person, or_(leaves.c.last.is_(None), leaves.c.last >= first)]
    if last is not None:
        touching.append(leaves.c.first <= last)
    db.run(update(leaves).where(*touching, leaves.c.first < first).values(last=first - timedelta(days=1)))
    db.run(delete(leaves).where(*touching, leaves.c.first >= first))


# --- accounts -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Behind:
    """Who is behind an account, and what we know of the account."""

    person: Person | None
    talk: str | None
    seen_at: datetime | None
    closed: bool


def behind(db: Db, channel: str, account: str) -> Behind | None:
    """``None`` for an account we never bound. Ids are compared exactly; a channel lower-cases what it must."""
    known: dict[tuple[str, str], Behind | None] = db.memo(_BEHIND, dict)
    if (channel, account) not in known:
        row = db.first(_behind, {"channel": channel, "id": account})
        known[channel, account] = _who(row) if row else None
    return known[channel, account]


def remember(db: Db, wanted: Sequence[tuple[str, str]]) -> None:
    """Asks for many accounts at once; ``behind`` then answers from memory until somebody's row is written."""
    known: dict[tuple[str, str], Behind | None] = db.memo(_BEHIND, dict)
    for channel in {channel for channel, _ in wanted}:
        ids = [account for of, account in wanted if of == channel]
        known.update({(channel, account): None for account in ids})
        for row in db.all(_behind_many, {"channel": channel, "ids": ids}):
            known[channel, row.account] = _who(row)


def _who(row: Row[Any]) -> Behind:
    return Behind(_person(row), row.talk, row.seen_at, row.closed)


def bind(db: Db, person: int, channel: str, account: str, *, talk: str | None, now: datetime | None) -> None:
    """Ties the account to the person; an account belongs to one person, a person may have several."""
    db.forget(_BEHIND)
    db.run(
        upsert(db, accounts, ("channel", "id"), ("person", "talk", "seen_at", "closed")),
        {"channel": channel, "id": account, "person": person, "talk": talk, "seen_at": now, "closed": False},
    )


def heard_on(db: Db, channel: str) -> int:
    """How many accounts were ever heard on a channel."""
    heard = select(count()).select_from(accounts).where(accounts.c.channel == channel, accounts.c.seen_at.is_not(None))
    return int(db.value(heard) or 0)


def account_owners(db: Db) -> dict[tuple[str, str], int]:
    """Whose each account is, by channel and id."""
    rows = db.all(select(accounts.c.channel, accounts.c.id, accounts.c.person).where(accounts.c.person.is_not(None)))
    return {(row.channel, row.id): row.person for row in rows}


def unbound(db: Db) -> Sequence[Person]:
    """Active people without any account: they need a code."""
    mine = exists().where(accounts.c.person == people.c.id)
    return [_person(row) for row in db.all(_active.where(~mine))]


def told_apart(found: Sequence[Person]) -> list[str]:
    """Their names for a list; with the department where two of them share one."""
    names = [person.name for person in found]
    return [
        f"{person.name}（{person.department}）" if person.department and names.count(person.name) > 1 else person.name
        for person in found
    ]


def unreachable(db: Db) -> Sequence[Person]:
    """Active people to whom we cannot write in private: not bound, never came, or closed the talk."""
    talk = exists().where(accounts.c.person == people.c.id, accounts.c.talk.is_not(None), accounts.c.closed.is_(False))
    return [_person(row) for row in db.all(_active.where(~talk))]


def unheard(db: Db) -> Sequence[tuple[Person, str, bool]]:
    """Who of them has accounts all the same: on which channel, and whether the talk was open once and is closed."""
    other = accounts.alias("other")
    talk = exists().where(other.c.person == people.c.id, other.c.talk.is_not(None), other.c.closed.is_(False))
    statement = (
        select(*_columns, accounts.c.channel, accounts.c.closed)
        .join(accounts, accounts.c.person == people.c.id)
        .where(people.c.active, ~talk)
        .order_by(accounts.c.channel, people.c.id)
    )
    return [(_person(row), row.channel, row.closed) for row in db.all(statement)]


def open_talks(db: Db, channel: str) -> int:
    """Where we may write first: every account that never came is its own conversation; how many were opened."""
    db.forget(_BEHIND)
    never = (accounts.c.channel == channel) & accounts.c.talk.is_(None) & accounts.c.closed.is_(False)
    return db.run(update(accounts).where(never).values(talk=accounts.c.id))


def unbind(db: Db, channel: str, account: str) -> None:
    db.forget(_BEHIND)
    db.run(delete(accounts).where(accounts.c.channel == channel, accounts.c.id == account))


_seen = (
    update(accounts)
    .where(accounts.c.channel == bindparam("b_channel"), accounts.c.id == bindparam("b_id"))
    .values(seen_at=bindparam("b_now"), talk=bindparam("b_talk"), closed=False)
)


def seen(db: Db, channel: str, account: str, talk: str | None, now: datetime) -> None:
    """Notes that the account spoke; ``talk`` opens (or keeps) its private conversation."""
    db.forget(_BEHIND)
    db.later(_seen, {"b_channel": channel, "b_id": account, "b_now": now, "b_talk": talk})


def close_talk(db: Db, channel: str, talk: str) -> None:
    """The person blocked us or is gone from the platform: nothing more is sent there."""
    db.forget(_BEHIND)
    db.run(update(accounts).where(accounts.c.channel == channel, accounts.c.talk == talk).values(closed=True))


def accounts_of(db: Db, person: int) -> Sequence[Row[Any]]:
    return db.all(select(accounts).where(accounts.c.person == person).order_by(accounts.c.channel, accounts.c.id))


def account_at(db: Db, channel: str, talk: str) -> str | None:
    """Whose private conversation this is: the id of the account."""
    found: str | None = db.value(select(accounts.c.id).where(accounts.c.channel == channel, accounts.c.talk == talk))
    return found


def addresses(db: Db, persons: Iterable[int]) -> dict[int, Address]:
    """The private address of each, on the channel where they were last seen; who cannot be reached is left out."""
    wanted = list(persons)
    statement = (
        select(accounts.c.person, accounts.c.channel, accounts.c.talk)
        .where(accounts.c.person.in_(wanted), accounts.c.talk.is_not(None), accounts.c.closed.is_(False))
        .order_by(
            accounts.c.seen_at.nulls_first(), accounts.c.channel
        )  # an account that never spoke only for want of one
    )
    return {row.person: Address(row.person, row.channel, row.talk) for row in db.all(statement)}


# --- groups ---------------------------------------------------------------------------------------------------


def _group(row: Row[Any]) -> Group:
    return Group(row.channel, row.id, row.title, row.bound_at, row.closed)


_group_of = select(groups).where(groups.c.channel == bindparam("channel"), groups.c.id == bindparam("id"))
_bound = select(groups).where(groups.c.bound_at.is_not(None), groups.c.closed.is_(False))


def bound_groups(db: Db) -> Sequence[Group]:
    return [_group(row) for row in db.all(_bound)]


def group(db: Db, channel: str, number: str) -> Group | None:
    row = db.first(_group_of, {"channel": channel, "id": number})
    return _group(row) if row else None


def meet_group(db: Db, channel: str, number: str, title: str) -> None:
    """We are in this group now (again); binding is a separate, deliberate step."""
    known = group(db, channel, number)
    if known is None:
        db.run(insert(groups).values(channel=channel, id=number, title=title, bound_at=None, closed=False))
    else:
        at = and_(groups.c.channel == channel, groups.c.id == number)
        db.run(update(groups).where(at).values(title=title or known.title, closed=False))


def bind_group(db: Db, channel: str, number: str, now: datetime | None) -> None:
    """``now``: it is the school's; ``None``: it is no longer."""
    db.run(update(groups).where(groups.c.channel == channel, groups.c.id == number).values(bound_at=now))


def close_group(db: Db, channel: str, number: str) -> None:
    db.run(update(groups).where(groups.c.channel == channel, groups.c.id == number).values(closed=True))


def move_group(db: Db, channel: str, number: str, to: str) -> None:
    """The platform gave the group another id; what we knew of it goes along. Twice is as good as once."""
    old = group(db, channel, number)
    if old is None:
        return
    meet_group(db, channel, to, old.title)
    if old.bound_at is not None:
        bind_group(db, channel, to, old.bound_at)
    db.run(delete(groups).where(groups.c.channel == channel, groups.c.id == number))


# --- one-time codes -------------------------------------------------------------------------------------------


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def issue_code(db: Db, person: int, purpose: str, code: str, until: datetime) -> None:
    """Keeps the hash of a one-time code; an earlier one for the same purpose is void."""
    db.run(delete(codes).where(codes.c.person == person, codes.c.purpose == purpose))
    db.run(insert(codes).values(hash=_hash(code), person=person, purpose=purpose, until=until))


def issue_fresh_code(db: Db, person: int, purpose: str, until: datetime, now: datetime, draw: Callable[[], str]) -> str:
    """Draws until the code is nobody else's, and keeps it: two codes of six digits do meet when 500 are drawn."""
    db.run(delete(codes).where(codes.c.until < now))
    code = draw()
    while db.value(select(codes.c.person).where(codes.c.hash == _hash(code))) is not None:
        code = draw()
    issue_code(db, person, purpose, code, until)
    return code


def owner_of_code(db: Db, purpose: str, code: str, now: datetime) -> int | None:
    """Whose code this is, if it is still good; it stays good."""
    row = db.first(select(codes).where(codes.c.hash == _hash(code), codes.c.purpose == purpose))
    return int(row.person) if row is not None and row.until >= now else None


def redeem_code(db: Db, purpose: str, code: str, now: datetime) -> int | None:
    """The person of a code that is still good, once; ``None`` otherwise."""
    row = db.first(select(codes).where(codes.c.hash == _hash(code), codes.c.purpose == purpose))
    if row is None or row.until < now:
        return None
    db.run(delete(codes).where(codes.c.hash == row.hash))
    return int(row.person)


def count_active(db: Db) -> int:
    return int(db.value(select(count()).select_from(people).where(people.c.active)) or 0)

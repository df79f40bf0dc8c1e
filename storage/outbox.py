"""What we owe the world: one row per recipient with a deterministic key, and the copies of every card."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)

from storage.base import Db, Id, Instant, metadata
from storage.dialect import upsert

QUEUED, SENT, DEAD = "queued", "sent", "dead"
LEFT_BEHIND = "left:"  # before the ref of a copy that stayed in a conversation which goes on elsewhere
KEPT = timedelta(days=30)  # the record that something was sent; its words go with the sending

outbox = Table(
    "outbox",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("channel", String(16), nullable=False),
    Column("place", String(64), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("kind", String(8), nullable=False),  # text | card | file
    Column("card", String(80), nullable=True),
    Column("body", Text, nullable=True),
    Column("choices", Text, nullable=True),  # a tag, then what can be tapped instead of typed, one a line
    Column("file", Id, nullable=True),
    Column("person", Id, nullable=True),  # for whom, so that what cannot be delivered can be named
    Column("urgent", Boolean, nullable=False),  # an answer to somebody who waits
    Column("gentle", Boolean, nullable=False),  # waits for the end of quiet hours
    Column("receipt", Boolean, nullable=False),  # of no use after twelve hours
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", String(200), nullable=True),
    Column("ref", String(64), nullable=True),
    Index(
        "ix_outbox_queued", "seq", sqlite_where=Column("state") == QUEUED, postgresql_where=Column("state") == QUEUED
    ),
)
copies = Table(
    "copies",
    metadata,
    Column("card", String(80), primary_key=True),
    Column("channel", String(16), primary_key=True),
    Column("place", String(64), primary_key=True),
    Column("ref", String(64), primary_key=True),
    Column("private", Boolean, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("shown", Integer, nullable=False),
    Column("final", Boolean, nullable=False),
    Index(
        "ix_copies_stale",
        "card",
        sqlite_where=Column("wanted") > Column("shown"),
        postgresql_where=Column("wanted") > Column("shown"),
    ),
    Index("ix_copies_message", "channel", "place", "ref"),
)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One thing to send to one conversation."""

    seq: int
    channel: str
    place: str
    private: bool
    kind: str
    card: str | None
    body: str | None
    choices: str | None
    file: int | None
    person: int | None
    urgent: bool
    gentle: bool
    receipt: bool
    made_at: datetime
    due_at: datetime
    tries: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A card as it stands in one conversation; ``wanted > shown``: it no longer shows what is true."""

    card: str
    channel: str
    place: str
    ref: str
    private: bool
    wanted: int
    shown: int
    final: bool


def put(db: Db, rows: Sequence[Mapping[str, Any]]) -> None:
    """Puts parcels in the box; one whose ``key`` is there already is dropped: it was sent, or will be."""
    statement = upsert(db, outbox, ("key",))
    for row in rows:
        seq = db.serials.next("outbox", lambda: db.value(select(func.max(outbox.c.seq))))
        db.later(statement, {**_BLANK, **row, "seq": seq})
    if rows:
        db.notes.add("outbox")


_BLANK: dict[str, Any] = {
    "card": None,
    "body": None,
    "choices": None,
    "file": None,
    "person": None,
    "urgent": False,
    "gentle": False,
    "receipt": False,
    "state": QUEUED,
    "tries": 0,
    "error": None,
    "ref": None,
}
_last_to = (
    select(outbox.c.card, outbox.c.key)
    .where(
        outbox.c.channel == bindparam("channel"),
        outbox.c.place == bindparam("place"),
        outbox.c.receipt.is_(False),
    )
    .order_by(outbox.c.seq.desc())
    .limit(1)
)
_fields = [c for c in outbox.c if c.name not in ("state", "error", "ref", "key")]
_queued = (
    select(*_fields, outbox.c.key)
    .where(outbox.c.state == QUEUED, outbox.c.channel == bindparam("channel"), outbox.c.seq > bindparam("after"))
    .order_by(outbox.c.seq)
    .limit(bindparam("most"))
)
_newest = select(func.max(outbox.c.seq))


def _parcel(row: Row[Any]) -> Parcel:
    return Parcel(*tuple(row))  # the columns stand in the order of the fields; by name it costs three times as much


def queued(db: Db, channel: str, after: int, most: int = 1000) -> Sequence[Parcel]:
    """What waits for a channel, by age, behind the number ``after``."""
    return [_parcel(row) for row in db.all(_queued, {"channel": channel, "after": after, "most": most})]


def newest(db: Db) -> int:
    """The highest number that was given out."""
    return int(db.value(_newest) or 0)


_sent = (
    update(outbox)
    .where(outbox.c.seq == bindparam("b_seq"))
    .values(state=SENT, ref=bindparam("b_ref"), body=None, tries=outbox.c.tries + 1)
)


def sent(db: Db, seq: int, ref: str) -> None:
    """The platform has it; its words are no longer ours to keep."""
    db.later(_sent, {"b_seq": seq, "b_ref": ref[:64]})


def failed(db: Db, seq: int, error: str, *, dead: bool) -> None:
    state = DEAD if dead else QUEUED
    db.run(update(outbox).where(outbox.c.seq == seq).values(state=state, error=error[:200], tries=outbox.c.tries + 1))


def last_to(db: Db, channel: str, place: str) -> tuple[str | None, str] | None:
    """The card and the key of what this conversation was told last, answers apart: what a bare 1 may be about."""
    row = db.first(_last_to, {"channel": channel, "place": place})
    return (row.card, row.key) if row else None


def undelivered(db: Db, since: datetime) -> Sequence[Row[Any]]:
    """What could not be delivered: seq, person, channel, place, card, error, made_at."""
    o = outbox.c
    return db.all(
        select(o.seq, o.person, o.channel, o.place, o.card, o.error, o.made_at)
        .where(o.state == DEAD, o.made_at >= since)
        .order_by(o.seq)
    )


def waiting(db: Db) -> int:
    return int(db.value(select(func.count()).select_from(outbox).where(outbox.c.state == QUEUED)) or 0)


def forget_old(db: Db, before: datetime) -> int:
    """Removes what was sent or given up before this moment."""
    return db.run(delete(outbox).where(outbox.c.state != QUEUED, outbox.c.made_at < before))


def move(db: Db, channel: str, place: str, to: str) -> None:
    """A conversation goes on under another id. Old messages cannot be edited from there, and their ids are given out
    again: a copy keeps its wish to be shown, and the next one is a message of its own."""
    db.run(update(outbox).where(outbox.c.channel == channel, outbox.c.place == place).values(place=to))
    left = (copies.c.channel == channel) & (copies.c.place == place)
    db.run(update(copies).where(left).values(place=to, ref=LEFT_BEHIND + copies.c.ref))
    db.notes.add("outbox")


# --- copies of cards ------------------------------------------------------------------------------------------


def add_copy(db: Db, copy: Copy) -> None:
    db.later(
        upsert(db, copies, ("card", "channel", "place", "ref"), ("shown",)),
        {
            "card": copy.card,
            "channel": copy.channel,
            "place": copy.place,
            "ref": copy.ref[:64],
            "private": copy.private,
            "wanted": copy.wanted,
            "shown": copy.shown,
            "final": copy.final,
        },
    )


_want = (
    update(copies)
    .where(copies.c.card == bindparam("b_card"), copies.c.final.is_(False))
    .values(wanted=copies.c.wanted + 1)
)
_want_final = (
    update(copies)
    .where(copies.c.card == bindparam("b_card"), copies.c.final.is_(False))
    .values(wanted=copies.c.wanted + 1, final=True)
)


def want(db: Db, card: str, *, final: bool) -> None:
    """Every copy of this card is to be shown anew; with ``final`` for the last time."""

    def write(db: Db) -> None:
        db.later(_want_final if final else _want, {"b_card": card})

    db.finally_(f"copies:{card}:{final}", write)
    db.notes.add(f"card:{card}")
    if final:
        db.notes.add(f"final:{card}")


_copy = select(copies).where(
    copies.c.card == bindparam("card"),
    copies.c.channel == bindparam("channel"),
    copies.c.place == bindparam("place"),
    copies.c.ref == bindparam("ref"),
)
_stale = select(copies).where(copies.c.wanted > copies.c.shown).order_by(copies.c.card)
_stale_but = _stale.where(or_(copies.c.final, copies.c.channel.not_in(bindparam("still", expanding=True))))
_of = select(copies.c.card).where(
    copies.c.channel == bindparam("channel"), copies.c.place == bindparam("place"), copies.c.ref == bindparam("ref")
)


def stale(db: Db, still: Sequence[str] = ()) -> Sequence[Copy]:
    """Those that no longer show what is true; on ``still`` channels, which change nothing, only for the last time."""
    rows = db.all(_stale_but, {"still": list(still)}) if still else db.all(_stale)
    return [Copy(**row._mapping) for row in rows]


def again(db: Db, copy: Copy) -> Copy | None:
    """The copy as it is now; ``None``: it was dropped."""
    where = {"card": copy.card, "channel": copy.channel, "place": copy.place, "ref": copy.ref}
    row = db.first(_copy, where)
    return Copy(**row._mapping) if row else None


def card_of(db: Db, channel: str, place: str, ref: str) -> str | None:
    """Which card a message of ours is."""
    found: str | None = db.value(_of, {"channel": channel, "place": place, "ref": ref})
    return found


def copies_of(db: Db, card: str) -> Sequence[Copy]:
    return [Copy(**row._mapping) for row in db.all(select(copies).where(copies.c.card == card))]


_shown = (
    update(copies)
    .where(
        copies.c.card == bindparam("b_card"),
        copies.c.channel == bindparam("b_channel"),
        copies.c.place == bindparam("b_place"),
        copies.c.ref == bindparam("b_ref"),
    )
    .values(shown=bindparam("b_shown"))
)


def shown(db: Db, copy: Copy) -> None:
    """This copy now shows the state it was drawn from (``copy.wanted`` as it was read before drawing)."""
    db.later(
        _shown,
        {
            "b_card": copy.card,
            "b_channel": copy.channel,
            "b_place": copy.place,
            "b_ref": copy.ref,
            "b_shown": copy.wanted,
        },
    )


def drop_copy(db: Db, copy: Copy) -> None:
    """The message is gone, or can no longer be changed."""
    c = copies.c
    db.run(
        delete(copies).where(c.card == copy.card, c.channel == copy.channel, c.place == copy.place, c.ref == copy.ref)
    )


def sent_by_key(db: Db, keys: Iterable[str]) -> set[str]:
    """Which of these parcels were sent."""
    return {r.key for r in db.all(select(outbox.c.key).where(outbox.c.key.in_(list(keys)), outbox.c.state == SENT))}

"""The chat of our own web page: what was said in the group, and what the bot showed anywhere.

What a person types to the bot in private is never here: a ballot may be typed there. ``change`` numbers every insert
and every edit of the whole school, so that a browser that was away asks for what is above the last number it saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Row, String, Table, Text, bindparam, delete, func, insert, or_, select, update

from storage.base import Db, Id, Instant, metadata
from storage.files import File, files

TEXT, CARD, FILE = "text", "card", "file"
GIST = 80

messages = Table(
    "web_messages",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("change", Id, nullable=False),
    Column("place", String(64), nullable=False),
    Column("account", String(64), nullable=False),  # "": the bot
    Column("name", String(64), nullable=False),  # as it was when they spoke
    Column("kind", String(8), nullable=False),
    Column("body", Text, nullable=False),  # the words; a card's HTML as it was drawn; a file's name
    Column("gist", String(GIST), nullable=False),  # one line, for lists and quotations
    Column("file", Id, nullable=True),
    Column("quotes", Id, nullable=True),
    Column("nonce", String(80), nullable=True, unique=True),  # the browser's own id: sent again is not said again
    Column("made_at", Instant, nullable=False),
    Index("ix_web_messages_change", "place", "change"),
    Index("ix_web_messages_place", "place", "seq"),
)


@dataclass(frozen=True, slots=True)
class Message:
    seq: int
    change: int
    place: str
    account: str
    name: str
    kind: str
    body: str
    gist: str
    file: int | None
    quotes: int | None
    made_at: datetime
    quoted_name: str | None = None
    quoted_gist: str | None = None


_quoted = messages.alias("quoted")
_fields = [column for column in messages.c if column.name != "nonce"]
_message = select(*_fields, _quoted.c.name.label("quoted_name"), _quoted.c.gist.label("quoted_gist")).outerjoin_from(
    messages, _quoted, (_quoted.c.seq == messages.c.quotes) & (_quoted.c.place == messages.c.place)
)
_recent = (
    _message.where(messages.c.place == bindparam("place"), messages.c.seq < bindparam("before"))
    .order_by(messages.c.seq.desc())
    .limit(bindparam("most"))
)
_since = (
    _message.where(messages.c.place == bindparam("place"), messages.c.change > bindparam("after"))
    .order_by(messages.c.change)
    .limit(bindparam("most"))
)
_add = insert(messages)
_by_nonce = select(messages.c.seq).where(messages.c.nonce == bindparam("nonce"))
_highest = select(func.max(messages.c.change))
_highest_in = select(func.max(messages.c.change)).where(messages.c.place == bindparam("place"))
_NO_END = 2**62


def _read(row: Row[Any]) -> Message:
    return Message(**row._mapping)


def _next(db: Db) -> int:
    return db.serials.next("web_messages", lambda: db.value(_highest))


def add(
    db: Db,
    place: str,
    kind: str,
    body: str,
    gist: str,
    now: datetime,
    *,
    account: str = "",
    name: str = "",
    file: int | None = None,
    quotes: int | None = None,
    nonce: str | None = None,
) -> int:
    """A new message; its number. One whose ``nonce`` is known was said already: the number it has."""
    known = said(db, nonce) if nonce else None
    if known is not None:
        return known
    seq = _next(db)
    facts = {"account": account, "name": name, "file": file, "quotes": quotes, "nonce": nonce, "made_at": now}
    db.run(_add, {**facts, "seq": seq, "change": seq, "place": place, "kind": kind, "body": body, "gist": gist[:GIST]})
    return seq


def said(db: Db, nonce: str) -> int | None:
    """The number of what was said under this nonce."""
    known = db.value(_by_nonce, {"nonce": nonce})
    return None if known is None else int(known)


def redraw(db: Db, place: str, seq: int, body: str, gist: str) -> bool:
    """A card's new face; ``False`` where there is no such card."""
    at = (messages.c.seq == seq) & (messages.c.place == place) & (messages.c.kind == CARD)
    return db.run(update(messages).where(at).values(body=body, gist=gist[:GIST], change=_next(db))) > 0


def recent(db: Db, place: str, most: int, before: int = _NO_END) -> Sequence[Message]:
    """The last messages of a conversation that are older than the number ``before``, the oldest first."""
    return [_read(row) for row in db.all(_recent, {"place": place, "before": before, "most": most})][::-1]


def since(db: Db, place: str, after: int, most: int = 200) -> Sequence[Message]:
    """What is new or was drawn anew above the change ``after``, in the order of the changes."""
    return [_read(row) for row in db.all(_since, {"place": place, "after": after, "most": most})]


def last_change(db: Db, place: str) -> int:
    return int(db.value(_highest_in, {"place": place}) or 0)


def forget_old(db: Db, before: datetime) -> int:
    return db.run(delete(messages).where(messages.c.made_at < before))


_file = select(files).where(
    files.c.id == bindparam("file"), or_(files.c.owner.is_(None), files.c.owner == bindparam("person"))
)


def file_for(db: Db, file: int, person: int) -> File | None:
    """A file that this person may fetch: their own, or one that is everybody's on the roster."""
    row = db.first(_file, {"file": file, "person": person})
    return File(row.id, row.name, row.mime, row.content, row.owner) if row else None

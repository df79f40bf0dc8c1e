"""A raw update -> what came in. Pure: a ``dict`` from JSON in, events out; nothing at all makes it raise.

Facts: core.telegram.org/bots/api, Bot API 10. Unknown kinds, broken fields and voices without a person give no event.
An id holds the date or the message beside ``update_id``: after a silent week Telegram starts its numbers anew, and an
old number may come again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from bot.kit.event import Account, Event, Joined, Left, Moved, Place, Said, Tapped

CHANNEL = "telegram"
KINDS = ("message", "edited_message", "callback_query", "my_chat_member", "message_reaction")
"""``allowed_updates``, sent with every call: the server keeps an old setting; reactions come only when asked for."""

NOBODY = frozenset({1087968824, 777000, 136817688})
"""GroupAnonymousBot, Telegram itself, Channel_Bot: voices that may be anybody's, so they are nobody's."""

YES = ("👍", "👌", "✅", "❤")
INSIDE = frozenset({"creator", "administrator", "member"})
START = re.compile(r"/start(?:\s+([A-Za-z0-9_-]{1,64}))?")
COMMAND = re.compile(r"/([^\s@/]{1,64})@([A-Za-z0-9_]{3,32})(?![A-Za-z0-9_])")
LAST_SECOND = 1 << 33
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """Which bot we are. ``username`` is not known before the first answer of the platform."""

    id: int
    username: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A file that is still at the platform; ``size`` in bytes, 0 where it does not say."""

    id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Attached(Said):
    """Words with a file, which the channel fetches before anybody hears of it."""

    file: File | None = None


@dataclass(frozen=True, slots=True)
class _Raw:
    number: int
    body: Json
    me: Me
    now: datetime

    def id(self, suffix: object) -> str:
        return f"{CHANNEL}:{self.me.id}:{self.number}:{suffix}"


def parse(raw: object, me: Me, now: datetime) -> list[Event]:
    """The events of one update; ``now`` stands in where the platform gives no time (a tap has none)."""
    number = number_of(raw)
    if number is None or not isinstance(raw, dict):
        return []
    for kind, read in _READERS:
        body = raw.get(kind)
        if isinstance(body, dict):
            return read(_Raw(number, body, me, now))
    return []


def number_of(raw: object) -> int | None:
    """The ``update_id``, by which an update is confirmed."""
    return _int(raw.get("update_id")) if isinstance(raw, dict) else None


def query_of(raw: object) -> str | None:
    """The open callback that waits for a word, if this update is a tap."""
    query = raw.get("callback_query") if isinstance(raw, dict) else None
    found = query.get("id") if isinstance(query, dict) else None
    return found if isinstance(found, str) and found else None


# --- the kinds of updates -------------------------------------------------------------------------------------


def _tapped(raw: _Raw) -> list[Event]:
    message, data = raw.body.get("message"), raw.body.get("data")
    sender = _person(raw.body.get("from"))
    if sender is None or not isinstance(data, str) or not isinstance(message, dict):
        return []
    place, ref = _place(message), _int(message.get("message_id"))
    if place is None or ref is None:
        return []
    return [Tapped(raw.id(ref), raw.now, sender, place, _words(data), str(ref))]


def _said(raw: _Raw) -> list[Event]:
    place, date = _place(raw.body), _int(raw.body.get("date"))
    if place is None or date is None:
        return []
    service = _served(raw, place, date)
    if service is not None:
        return [service]
    sender = _person(raw.body.get("from"))
    if sender is None or "sender_chat" in raw.body:
        return []
    text = _addressed(_text(raw.body), raw.me)
    file = _file(raw.body.get("document"))
    if text is None or not (text or file):
        return []
    start = START.fullmatch(text) if place.private else None
    at, quotes = _time(date, raw.now), _quoted(raw.body)
    if start is not None and start[1] is None:
        return [Joined(raw.id(date), at, sender, place)]
    if start is not None:
        text = f"绑定 {start[1]}"
    passed_on = "forward_origin" in raw.body or "forward_date" in raw.body
    if file is not None:
        return [Attached(raw.id(date), at, sender, place, text, quotes, passed_on=passed_on, file=file)]
    return [Said(raw.id(date), at, sender, place, text, quotes, passed_on=passed_on)]


def _edited(raw: _Raw) -> list[Event]:
    """A second thought in words; a file is not fetched twice, and an edited /start starts nothing."""
    place, sender = _place(raw.body), _person(raw.body.get("from"))
    date = _int(raw.body.get("edit_date"))
    text = _addressed(_text(raw.body), raw.me)
    if place is None or sender is None or date is None or not text or "sender_chat" in raw.body:
        return []
    first = _int(raw.body.get("date"))
    first_at = _time(first, raw.now) if first is not None else None
    passed_on = "forward_origin" in raw.body
    return [
        Said(
            raw.id(date), _time(date, raw.now), sender, place, text, _quoted(raw.body), edited=True,
            passed_on=passed_on, first_at=first_at,
        )
    ]  # fmt: skip


def _reacted(raw: _Raw) -> list[Event]:
    place, sender = _place(raw.body), _person(raw.body.get("user"))
    ref, date = _int(raw.body.get("message_id")), _int(raw.body.get("date"))
    if place is None or sender is None or ref is None or date is None:
        return []
    new = _emoji(raw.body.get("new_reaction")) - _emoji(raw.body.get("old_reaction"))
    said = next((sign for sign in YES if sign in new), None)
    return [Said(raw.id(date), _time(date, raw.now), sender, place, said, str(ref))] if said else []


def _standing(raw: _Raw) -> list[Event]:
    """We came in, or were put out (in private: were unblocked, or blocked)."""
    place, date = _place(raw.body), _int(raw.body.get("date"))
    if place is None or date is None:
        return []
    before, after = _is_inside(raw.body.get("old_chat_member")), _is_inside(raw.body.get("new_chat_member"))
    by, at = _person(raw.body.get("from")) or _itself(place), _time(date, raw.now)
    if after and not before:
        return [Joined(raw.id(date), at, by, place, _title(raw.body))]
    return [] if after else [Left(raw.id(date), at, by, place)]


def _served(raw: _Raw, place: Place, date: int) -> Event | None:
    """Telegram's own messages; for an anonymous admin who set them off stands the group itself."""
    by, at = _person(raw.body.get("from")) or _itself(place), _time(date, raw.now)
    to, came_from = _int(raw.body.get("migrate_to_chat_id")), _int(raw.body.get("migrate_from_chat_id"))
    if to is not None:
        return Moved(raw.id(date), at, by, place, str(to))
    if came_from is not None:
        return Moved(raw.id(date), at, by, Place(CHANNEL, str(came_from), private=False), place.id)
    newcomers = raw.body.get("new_chat_members")
    if isinstance(newcomers, list) and any(isinstance(n, dict) and _int(n.get("id")) == raw.me.id for n in newcomers):
        return Joined(raw.id(date), at, by, place, _title(raw.body))
    return None


_READERS: tuple[tuple[str, Callable[[_Raw], list[Event]]], ...] = (
    ("callback_query", _tapped),
    ("message", _said),
    ("edited_message", _edited),
    ("message_reaction", _reacted),
    ("my_chat_member", _standing),
)


# --- fields ---------------------------------------------------------------------------------------------------


def _int(value: object) -> int | None:
    return value if type(value) is int and -(1 << 63) < value < 1 << 63 else None


def _words(text: str) -> str:
    """Without what no shelf can keep: lone surrogates and NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def _time(seconds: int, now: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < LAST_SECOND else now


def _person(user: object) -> Account | None:
    if not isinstance(user, dict) or user.get("is_bot") is True:
        return None
    number = _int(user.get("id"))
    return Account(CHANNEL, str(number)) if number is not None and number > 0 and number not in NOBODY else None


def _itself(place: Place) -> Account:
    return Account(CHANNEL, place.id)


def _place(body: Json) -> Place | None:
    chat = body.get("chat")
    if not isinstance(chat, dict):
        return None
    number, kind = _int(chat.get("id")), chat.get("type")
    if number is None or kind not in ("private", "group", "supergroup"):
        return None
    return Place(CHANNEL, str(number), private=kind == "private")


def _title(body: Json) -> str:
    title = body["chat"].get("title")
    return _words(title) if isinstance(title, str) else ""


def _text(body: Json) -> str:
    for key in ("text", "caption"):
        if isinstance(body.get(key), str):
            return _words(body[key])
    return ""


def _addressed(text: str, me: Me) -> str | None:
    """Without our name in front (@hongzhu_bot 发通知, /help@hongzhu_bot); ``None`` for a command to another bot."""
    command = COMMAND.match(text)
    if command is not None and me.username is not None:
        if command[2].lower() != me.username.lower():
            return None
        return f"/{command[1]}{text[command.end() :]}".strip()
    mention = _mention(me.username).match(text) if me.username and "@" in text else None
    return text[mention.end() :] if mention else text


@lru_cache(maxsize=64)
def _mention(username: str) -> re.Pattern[str]:
    return re.compile(rf"\s*@{re.escape(username)}(?![A-Za-z0-9_])[\s,，:：]*", re.IGNORECASE)


def _quoted(body: Json) -> str | None:
    quoted = body.get("reply_to_message")
    number = _int(quoted.get("message_id")) if isinstance(quoted, dict) else None
    return str(number) if number is not None else None


def _file(document: object) -> File | None:
    if not isinstance(document, dict):
        return None
    number, name, size = document.get("file_id"), document.get("file_name"), _int(document.get("file_size"))
    if not isinstance(number, str) or not number:
        return None
    return File(_words(number), _words(name) if isinstance(name, str) else "", size or 0)


def _emoji(reactions: object) -> set[str]:
    """Without the variation selector, which some clients add and some do not."""
    if not isinstance(reactions, list):
        return set()
    found = (r.get("emoji") for r in reactions if isinstance(r, dict))
    return {emoji.replace("\ufe0f", "") for emoji in found if isinstance(emoji, str)}


def _is_inside(member: object) -> bool:
    if not isinstance(member, dict):
        return False
    status = member.get("status")
    if status == "restricted":
        return member.get("is_member") is True
    return isinstance(status, str) and status in INSIDE

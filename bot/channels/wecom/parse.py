"""A frame of the long connection -> what came in. Pure: a ``dict`` in, an ``Incoming`` or nothing out; never raises.

Facts: developer.work.weixin.qq.com/document/path/100719 and 101027. No name comes with a message, and the @ is plain
text in front of it. A click names its card by the ``task_id`` that we gave it: our own ref and the card's key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

from bot.channels.wecom.task import Task
from bot.kit.event import Account, Event, Joined, Place, Said, Tapped

CHANNEL = "wecom"
LAST_SECOND = 1 << 33
LONGEST_ID = 100  # characters of a msgid that are kept as they are
SPACES = " \t\u00a0\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
Json = dict[str, Any]
Kind = Literal["msg", "card", "enter"]


@dataclass(frozen=True, slots=True)
class Me:
    """Which bot we are; ``name`` as it stands behind the @ in a group, "" where it is not configured."""

    bot_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """A file that is still at the platform, for five minutes."""

    url: str
    aes_key: str


@dataclass(frozen=True, slots=True)
class Attached(Said):
    """A file, which the channel fetches before anybody hears of it."""

    file: File | None = None


@dataclass(frozen=True, slots=True)
class Click:
    """What the card's update must repeat: which card, of what kind; ``chosen`` is how many options were chosen."""

    task_id: str
    card_type: str
    chosen: int
    response_code: str = ""

    @property
    def task(self) -> Task:
        return Task.unpack(self.task_id)


@dataclass(frozen=True, slots=True)
class Incoming:
    """``userid`` is spelled as the platform did, for answers to it; the account in the event is lower-cased."""

    event: Event
    kind: Kind
    req_id: str
    userid: str
    click: Click | None = None
    strange: bool = False  # said in a group to a name that is not ours, although only what calls us comes in
    quoted: str = ""  # the words of the message that was answered: the platform gives no number of it


def parse(frame: object, me: Me, now: datetime) -> Incoming | None:
    """``now`` stands in where the platform gives no time (a message has none)."""
    body = frame.get("body") if isinstance(frame, dict) else None
    headers = frame.get("headers") if isinstance(frame, dict) else None
    number = headers.get("req_id") if isinstance(headers, dict) else None
    if not isinstance(body, dict) or not isinstance(number, str):
        return None
    said = _sender(body)
    if said is None:
        return None
    event_id = _id(body, me)
    if event_id is None:
        return None
    raw = _Raw(body, me, event_id, _time(body.get("create_time"), now), Account(CHANNEL, said.lower()), said, number)
    if body.get("msgtype") == "event":
        return _event(raw)
    return _message(raw)


@dataclass(frozen=True, slots=True)
class _Raw:
    body: Json
    me: Me
    id: str
    at: datetime
    sender: Account
    userid: str
    req_id: str

    @property
    def place(self) -> Place | None:
        """The group, or the private talk; a group without its id is no place."""
        chat = _words(self.body.get("chatid"))
        if self.body.get("chattype") == "group" or chat:
            return Place(CHANNEL, chat, private=False) if chat and len(chat) <= 64 else None
        return Place(CHANNEL, self.sender.id, private=True)


def _message(raw: _Raw) -> Incoming | None:
    place, kind = raw.place, raw.body.get("msgtype")
    part = raw.body.get(kind) if isinstance(kind, str) else None
    if place is None or not isinstance(part, dict):
        return None
    event: Event
    strange = False
    if kind == "file":
        url, key = _words(part.get("url")), _words(part.get("aeskey"))
        if not url:
            return None
        event = Attached(raw.id, raw.at, raw.sender, place, "", file=File(url, key))
    else:
        whole = _said(str(kind), part)
        text = whole if place.private else without_mention(whole, raw.me.name)
        strange = not place.private and text == whole and "@" in text
        if not text.strip():
            return None
        event = Said(raw.id, raw.at, raw.sender, place, text.strip())
    return Incoming(event, "msg", raw.req_id, raw.userid, strange=strange, quoted=_quote(raw.body.get("quote")))


def _quote(quote: object) -> str:
    kind = quote.get("msgtype") if isinstance(quote, dict) else None
    part = quote.get(kind) if isinstance(quote, dict) and isinstance(kind, str) else None
    return _said(str(kind), part) if isinstance(part, dict) else ""


def _said(kind: str, part: Json) -> str:
    if kind in ("text", "voice"):
        return _words(part.get("content"))
    if kind != "mixed":
        return ""  # a picture or a film says nothing to us
    items = part.get("msg_item")
    texts = [item.get("text") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return "\n".join(filter(None, (_words(text.get("content")) for text in texts if isinstance(text, dict))))


def _event(raw: _Raw) -> Incoming | None:
    event = raw.body.get("event")
    kind = event.get("eventtype") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(kind, str):
        return None
    if kind == "enter_chat":
        return Incoming(Joined(raw.id, raw.at, raw.sender, Place(CHANNEL, raw.sender.id, private=True)), "enter",
                        raw.req_id, raw.userid)  # fmt: skip
    detail = event.get("template_card_event")
    place = raw.place
    if kind != "template_card_event" or not isinstance(detail, dict) or place is None:
        return None
    click, token = clicked(detail)
    tapped = Tapped(raw.id, raw.at, raw.sender, place, token, click.task.ref)
    return Incoming(tapped, "card", raw.req_id, raw.userid, click)


def clicked(detail: Json) -> tuple[Click, str]:
    """The click, and the token of the button or option. The official table and the examples spell the names apart."""
    chosen = _options(detail.get("selected_items") or detail.get("selecteditems"))
    key = _words(detail.get("event_key") or detail.get("eventkey"))
    card_type = _words(detail.get("card_type") or detail.get("cardtype"))
    click = Click(_words(detail.get("task_id") or detail.get("taskid")), card_type, len(chosen))
    return click, token_of(chosen[0] if chosen else key)


def token_of(key: str) -> str:
    """Keys are numbered, because two buttons may mean the same and keys must differ: 3|nt.rsvp:42:y."""
    return key.partition("|")[2]


def _options(items: object) -> Sequence[str]:
    rows = items.get("selected_item") or items.get("selecteditem") if isinstance(items, dict) else None
    found: list[str] = []
    for row in rows if isinstance(rows, list) else []:
        ids = (row.get("option_ids") or row.get("optionids")) if isinstance(row, dict) else None
        options = (ids.get("option_id") or ids.get("optionid")) if isinstance(ids, dict) else None
        found += [_words(one) for one in options if isinstance(one, str)] if isinstance(options, list) else []
    return found


# --- fields ---------------------------------------------------------------------------------------------------


def without_mention(text: str, name: str) -> str:
    """What is said to us, without our name: @红烛 收到 · 收到 @红烛. Other people's names stay: they are plain text."""
    found = _mention(name).search(text)
    if found is None:
        return text
    before, after = text[: found.start()].rstrip(), text[found.end() :]
    return f"{before} {after}" if before and after else before or after


@lru_cache(maxsize=64)
def _mention(name: str) -> re.Pattern[str]:
    """Spaces inside the name may have become others; without a name, whatever stands behind the first @ in front."""
    if not name.strip():
        return re.compile(rf"\A[{SPACES}]*@[^{SPACES}\n]{{1,32}}(?:[{SPACES},，:：\n]+|\Z)")
    words = rf"[{SPACES}]+".join(re.escape(word) for word in name.split())
    return re.compile(rf"@{words}[{SPACES},，:：\n]*", re.IGNORECASE)


def _sender(body: Json) -> str | None:
    sender = body.get("from")
    userid = _words(sender.get("userid")) if isinstance(sender, dict) else ""
    return userid if 0 < len(userid) <= 64 else None


def _id(body: Json, me: Me) -> str | None:
    """The msgid: callbacks come again with the same one. One that is too long for our shelf is hashed."""
    number = _words(body.get("msgid"))
    if not number:
        return None
    if len(number) > LONGEST_ID:
        number = hashlib.sha256(number.encode()).hexdigest()
    return f"{CHANNEL}:{me.bot_id[:32]}:{number}"


def _time(seconds: object, now: datetime) -> datetime:
    if type(seconds) is int and 0 < seconds < LAST_SECOND:
        return datetime.fromtimestamp(seconds, UTC)
    return now


def _words(text: object) -> str:
    """A text without what no shelf can keep: lone surrogates and NUL."""
    if not isinstance(text, str):
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")

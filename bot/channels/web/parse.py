"""What a browser sent -> an event. Pure: bytes and the visitor's own account in, a value or ``Unreadable`` out.

A browser only ever says "the group" or "my private talk"; whose talk that is, the session decides. So nobody can name
another person's conversation.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal, TypeVar

import msgspec

from bot.channels.web.render import PLACE, WEB
from bot.kit.event import Account, Event, Joined, Place, Said, Submitted, Tapped, Upload
from bot.kit.words import _

MAX_TEXT = 4000
MAX_BODY = 64 * 1024
ENDINGS = (".docx", ".xlsx", ".pptx", ".pdf", ".csv", ".md", ".txt")

_ID = re.compile(r"[0-9A-Za-z_-]{8,64}")
_NUMBER = re.compile(r"[0-9]{1,18}")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")  # PostgreSQL keeps no NUL; nobody means the others


class Unreadable(Exception):
    """What came is not what our page sends. ``sentence`` is for the person, ``status`` for the browser."""

    def __init__(self, sentence: str, status: int = 422) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


Where = Literal["all", "me"]


class Say(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    place: Where
    text: str
    quotes: str | None = None


class Tap(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    place: Where
    token: str
    message: str | None = None


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    place: Where
    form: str
    values: dict[str, str]


S = TypeVar("S", bound=msgspec.Struct)


def _decode(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable(_("没看懂这个请求，请刷新页面再试。"), 400) from error


def place_of(where: str, account: str, *, member: bool) -> Place:
    """The group, for its members, or the visitor's own private talk."""
    if where == "me":
        return Place(WEB, account, private=True)
    if where != PLACE or not member:
        raise Unreadable(_("您不在这个群里。"), 403)
    return Place(WEB, PLACE, private=False)


def _event_id(nonce: str) -> str:
    """The browser's own number of the deed: a double click or a request sent again is the same deed."""
    if not _ID.fullmatch(nonce):
        raise Unreadable(_("没看懂这个请求，请刷新页面再试。"), 400)
    return f"{WEB}:{nonce}"


def _number(text: str | None) -> str | None:
    return text if text is not None and _NUMBER.fullmatch(text) else None


def words(text: str) -> str:
    """What was typed, without what no keyboard types; ``Unreadable`` where it is empty or too long."""
    cleaned = _CONTROLS.sub("", text.replace("\r\n", "\n")).strip()
    if not cleaned:
        raise Unreadable(_("还没有写字。"))
    if len(cleaned) > MAX_TEXT:
        raise Unreadable(_("太长了（{n} 字），请分成几条，每条不超过 {most} 字。", n=len(cleaned), most=MAX_TEXT))
    return cleaned


def said(body: bytes, account: str, now: datetime, *, member: bool) -> Said:
    say = _decode(body, Say)
    place = place_of(say.place, account, member=member)
    text, quotes = words(say.text), _number(say.quotes)
    return Said(_event_id(say.id), now, Account(WEB, account), place, text, quotes=quotes)


def tapped(body: bytes, account: str, now: datetime, *, member: bool) -> Tapped:
    tap = _decode(body, Tap)
    place = place_of(tap.place, account, member=member)
    if not 0 < len(tap.token.encode()) <= 64:
        raise Unreadable(_("这个按钮已经失效了，请用最新的消息。"))
    return Tapped(_event_id(tap.id), now, Account(WEB, account), place, tap.token, message=_number(tap.message))


def submitted(body: bytes, account: str, now: datetime, *, member: bool) -> Submitted:
    form = _decode(body, Submit)
    place = place_of(form.place, account, member=member)
    values = {key: _CONTROLS.sub("", value).strip() for key, value in form.values.items()}
    if any(len(value) > MAX_TEXT for value in values.values()):
        raise Unreadable(_("太长了，每一栏请不超过 {most} 字。", most=MAX_TEXT))
    return Submitted(_event_id(form.id), now, Account(WEB, account), place, form.form[:80], values)


def uploaded(nonce: str, where: str, name: str, content: bytes, account: str, now: datetime, *, member: bool) -> Said:
    """A file. Its name is kept without its folders; what it is, its ending says."""
    place = place_of(where, account, member=member)
    plain = " ".join(_CONTROLS.sub("", re.split(r"[/\\]", name)[-1]).split())
    if not plain.lower().endswith(ENDINGS):
        raise Unreadable(_("这种文件我读不了。能读的是：{endings}", endings=" ".join(ENDINGS)), 415)
    if not content:
        raise Unreadable(_("这个文件是空的。"))
    stem, _dot, ending = plain.rpartition(".")
    upload = Upload(f"{stem[:120]}.{ending}", content)
    return Said(_event_id(nonce), now, Account(WEB, account), place, "", upload=upload)


def opened(account: str, now: datetime) -> Event:
    """Somebody opened their private talk for the first time; said again, it is the same event."""
    return Joined(f"{WEB}:opened:{account}", now, Account(WEB, account), Place(WEB, account, private=True))

"""Which way a message leaves: an open welcome, an answer, a push; then the application, or the group's webhook.

What exactly the platform refuses, and with which number, is documented for few cases; so whatever is neither a limit,
nor about the content, nor passing, means that this way is closed, and the next one is tried.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from bot.channels.wecom.client import UNSUBSCRIBED, Client, Trouble
from bot.channels.wecom.media import Files
from bot.channels.wecom.pace import Pace
from bot.channels.wecom.parse import CHANNEL, Incoming
from bot.engine.port import DeliveryFailed, Window
from bot.kit.event import Place
from bot.kit.words import _

log = structlog.get_logger()

WELCOME_SECONDS = 4.5  # of five
FRESH_SECONDS = 120.0  # so long an answer in private goes back on the question
RESPOND_SECONDS = 24 * 3600.0 - 60.0
TALK = (Window(30, 60.0), Window(1000, 3600.0))
"""30 a minute and 1000 an hour in one conversation, answers and pushes together (101463)."""
ACTIVE_SECONDS = 60.0  # whoever spoke or pressed in private so long ago finds room for the answer before any push
KNOWN = 4096
RATE = {846607: 60.0, 45009: 60.0, 45033: 5.0}
PASSING = frozenset({-1, 846601, 846602})
INVALID_CHAT, INVALID_REQ = 93006, 846605
CONTENT = frozenset({40007, 40008, 40033, 40035, 40058, 41016, 44004, 45002, 600039}) | frozenset(range(42014, 42060))
Json = dict[str, Any]
Route = Callable[[Json], Awaitable[None]]


class Elsewhere(Protocol):
    """Another door to the same place: the application for a person, a webhook for a group."""

    async def post(self, place: Place, payload: Json) -> None:
        """``Trouble`` for anything but success."""
        ...


@dataclass(slots=True)
class _Open:
    """The ways to answer that a conversation has left open."""

    enter: str = ""
    enter_at: float = -1e9
    msg: str = ""
    msg_at: float = -1e9
    heard_at: float = -1e9


@dataclass(slots=True)
class Routes:
    """``post`` brings one message body to a place."""

    client: Client
    files: Files
    people: Elsewhere | None = None
    groups: Mapping[str, Elsewhere] = field(default_factory=dict)
    pace: Pace = field(default_factory=lambda: Pace(TALK))
    _open: OrderedDict[str, _Open] = field(default_factory=OrderedDict)
    _by_app: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def opened(self, incoming: Incoming) -> None:
        """Somebody spoke or came: for a while they can be answered."""
        place = incoming.event.place.id
        self._by_app.pop(place, None)
        way = self._open.setdefault(place, _Open())
        self._open.move_to_end(place)
        way.heard_at = time.monotonic()
        if incoming.kind == "enter":
            way.enter, way.enter_at = incoming.req_id, time.monotonic()
        elif incoming.kind == "msg":
            way.msg, way.msg_at = incoming.req_id, time.monotonic()
        while len(self._open) > KNOWN:
            self._open.popitem(last=False)

    def opened_by_app(self, userid: str) -> None:
        """They spoke to the application: that is where they look for an answer."""
        self._by_app[userid] = None
        self._by_app.move_to_end(userid)
        while len(self._by_app) > KNOWN:
            self._by_app.popitem(last=False)

    def prefers_app(self, place: Place) -> bool:
        return place.id in self._by_app

    async def post(self, place: Place, payload: Json, *, answers: bool = False) -> None:
        """``Trouble`` of the last way where all are closed. What ``answers`` somebody may take the last places."""
        last: Trouble | None = None
        for route in self._routes(place, answers):
            try:
                return await route(payload)
            except Trouble as trouble:
                if not _is_closed(trouble):
                    raise
                log.info("wecom.way_closed", errcode=trouble.errcode, private=place.private)
                last = _clearer(last, trouble)
        raise last or Trouble(0, "no way", written=False)

    def _routes(self, place: Place, answers: bool) -> Iterator[Route]:
        way = self._open.get(place.id, _Open())
        elsewhere = self.people if place.private else self.groups.get(place.id)
        if elsewhere is not None and place.id in self._by_app:
            yield lambda payload: elsewhere.post(place, payload)
        now = time.monotonic()
        if way.enter and now - way.enter_at < WELCOME_SECONDS:
            yield lambda payload: self._welcome(place, way, payload)
        fresh = now - way.msg_at
        if way.msg and place.private and fresh < FRESH_SECONDS:
            yield lambda payload: self._respond(place, way, payload, answers)
        yield lambda payload: self._send(place, payload, answers)
        if way.msg and not (place.private and fresh < FRESH_SECONDS) and fresh < RESPOND_SECONDS:
            yield lambda payload: self._respond(place, way, payload, answers)
        if elsewhere is not None and place.id not in self._by_app:
            yield lambda payload: elsewhere.post(place, payload)

    def _counted(self, place: Place, *, answers: bool) -> AbstractContextManager[None]:
        """One message by the bot. In private a push leaves room for answers to whoever is there just now."""
        way = self._open.get(place.id)
        is_there = way is not None and time.monotonic() - way.heard_at < ACTIVE_SECONDS
        return self.pace.taken(place.id, leaves_room=place.private and is_there and not answers)

    async def _welcome(self, place: Place, way: _Open, payload: Json) -> None:
        """Once, and only a text or a card; the text is plain there."""
        if "document" in payload:
            raise Trouble(INVALID_REQ, "not for a welcome")
        number, way.enter = way.enter, ""
        if payload["msgtype"] == "markdown":
            plain = payload["markdown"]["content"].replace("**", "")  # ours: others' asterisks stand apart
            payload = {"msgtype": "text", "text": {"content": plain}}
        with self._counted(place, answers=True):
            await self.client.call("aibot_respond_welcome_msg", payload, number)

    async def _respond(self, place: Place, way: _Open, payload: Json, answers: bool) -> None:
        body = await self._brought(payload)
        with self._counted(place, answers=answers):
            await self.client.call("aibot_respond_msg", body, way.msg)

    async def _send(self, place: Place, payload: Json, answers: bool) -> None:
        body = {"chatid": place.id, "chat_type": 1 if place.private else 2, **await self._brought(payload)}
        with self._counted(place, answers=answers):
            await self.client.call("aibot_send_msg", body)

    async def _brought(self, payload: Json) -> Json:
        if "document" not in payload:
            return payload
        return {"msgtype": "file", "file": {"media_id": await self.files.brought(payload["document"])}}


def _is_closed(trouble: Trouble) -> bool:
    """Refused for where it goes, so that another way may be open."""
    code = trouble.errcode
    return code != 0 and code not in (UNSUBSCRIBED, *RATE) and code not in PASSING and code not in CONTENT


def _clearer(before: Trouble | None, now: Trouble) -> Trouble:
    """Of two refusals the one that says more: an answer that came too late says nothing about the conversation."""
    return before if before is not None and now.errcode == INVALID_REQ else now


def is_about_content(trouble: Trouble) -> bool:
    return trouble.errcode in CONTENT


def failure(trouble: Trouble, place: Place) -> DeliveryFailed:
    """For the postman: what to do about it. A group is never closed for good: nothing would tell us that it is back."""
    code = trouble.errcode
    if code == 0 and not trouble.written:
        return DeliveryFailed(_("连不上企业微信"), retry_after=2.0, everywhere=True)
    if code == 0:
        return DeliveryFailed(_("企业微信没有回音"), unknown=True)
    if code == UNSUBSCRIBED:
        return DeliveryFailed(_("企业微信断开了，正在重连"), retry_after=1.0, everywhere=True)
    if code in RATE:
        return DeliveryFailed(_("发得太快"), retry_after=trouble.wait or RATE[code])
    if code in PASSING or code in CONTENT:
        return DeliveryFailed(_("企业微信拒绝了（{code}）", code=code))
    if place.private:
        gone = code in (INVALID_CHAT, INVALID_REQ, 81013, 60111)
        return DeliveryFailed(_("对方还没有给机器人发过消息（{code}）", code=code), permanent=gone)
    return DeliveryFailed(_("这个群现在发不进去（{code}），请在群里 @ 我一次", code=code))


def private_talk(userid: str) -> Place:
    return Place(CHANNEL, userid.lower(), private=True)

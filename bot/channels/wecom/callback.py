"""The application's callback: verified, opened, heard until it is durable, and only then confirmed.

developer.work.weixin.qq.com/document/path/90238 to 90241: an answer within five seconds, three tries in all. A try that
comes while the first is still with our shelves waits for the same commit; what took too long is refused, so that it
comes again, and heard once all the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog

from bot.channels.wecom import plainxml, render
from bot.channels.wecom.crypto import Forged, Seal
from bot.channels.wecom.parse import CHANNEL, Click, Incoming, token_of
from bot.channels.wecom.plainxml import Node, card_xml, cdata
from bot.engine.crashpoint import cp
from bot.engine.port import Answer
from bot.kit.event import Account, Joined, Place, Said, Tapped
from bot.kit.words import speaking

if TYPE_CHECKING:
    from bot.channels.wecom.clicks import Clicks
    from bot.channels.wecom.hearing import Hearing
    from bot.channels.wecom.routes import Routes

log = structlog.get_logger()

LARGEST_BODY = 64 * 1024
PATIENCE = 4.4  # seconds of the platform's five
DRAW_SECONDS = 0.6  # what was kept is confirmed within a second, however the card looks
STALE = timedelta(minutes=10)  # three tries take fifteen seconds; what is older is somebody's copy
KNOWN = 4096
SEALED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]{1,65536})(?:\]\]>)?\s*</Encrypt>")
MINE = "app:"
LOCKED = frozenset({"inactive_alert", "close_inactive_agent", "low_active_alert", "low_active"})
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Mail:
    """A callback that was opened."""

    node: Node
    userid: str
    at: datetime
    id: str


class Callback:
    """``answer`` is what the web server's route calls with the query and the body."""

    def __init__(self, corp_id: str, agent_id: int, token: str, aes_key: str) -> None:
        self._corp = corp_id
        self._agent = agent_id
        self._seal = Seal(token, aes_key, corp_id)
        self._hearing: Hearing | None = None
        self._clicks: Clicks | None = None
        self._routes: Routes | None = None
        self._waiting: OrderedDict[str, asyncio.Future[bytes]] = OrderedDict()
        self.last_alert: str | None = None

    def __repr__(self) -> str:
        return f"<Callback of application {self._agent}>"

    def attach(self, hearing: Hearing, clicks: Clicks, routes: Routes) -> None:
        self._hearing, self._clicks, self._routes = hearing, clicks, routes

    async def answer(self, method: str, query: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """The status and the body for the platform. Every refusal looks the same."""
        try:
            if method == "GET":
                return 200, self._open(query, query.get("echostr", ""))
            if method != "POST":
                return 405, b""
            if len(body) > LARGEST_BODY:
                return 413, b""
            mail = self._mail(query, body)
        except (Forged, plainxml.Unreadable):
            return 403, b""
        return await self._hear(mail)

    # --- who says so ------------------------------------------------------------------------------------------

    def _open(self, query: Mapping[str, str], sealed: str) -> bytes:
        """Checks the signature before anything else is done with it."""
        given, stamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
        message = self._seal.open(given, stamp, nonce, sealed)
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
            raise Forged
        return message

    def _mail(self, query: Mapping[str, str], body: bytes) -> _Mail:
        """The envelope is not parsed at all: of it only the sealed text is wanted, and that is signed."""
        found = SEALED.findall(body)
        if len(found) != 1:
            raise Forged
        node = plainxml.read(self._open(query, found[0].decode()))
        sent = datetime.fromtimestamp(int(query["timestamp"]), UTC)
        if abs(self._now() - sent) > STALE or node.get("ToUserName") != self._corp:
            raise Forged
        userid, made = node.get("FromUserName"), node.get("CreateTime")
        if not 0 < len(userid) <= 64 and node.get("MsgType") != "event":
            raise Forged
        at = datetime.fromtimestamp(int(made), UTC) if made.isascii() and made.isdigit() and len(made) < 11 else sent
        return _Mail(node, userid, at, event_id(node, self._agent))

    def _now(self) -> datetime:
        return self._hearing.rules.now() if self._hearing is not None else datetime.now(UTC)

    # --- what is said -----------------------------------------------------------------------------------------

    async def _hear(self, mail: _Mail) -> tuple[int, bytes]:
        incoming = self._incoming(mail)
        if incoming is None:
            return 200, b""
        if self._hearing is None or self._hearing.hear is None:
            return 503, b""
        waiting = self._waiting.get(mail.id)
        if waiting is None or (waiting.done() and waiting.cancelled()):
            waiting = self._begin(incoming)
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await asyncio.shield(waiting)
        except TimeoutError:
            return 503, b""
        except asyncio.CancelledError:
            if waiting.cancelled():  # nothing was kept: it must come again
                self._waiting.pop(mail.id, None)
                return 503, b""
            raise
        cp("wecom.before_confirm")
        return 200, answer

    def _begin(self, incoming: Incoming) -> asyncio.Future[bytes]:
        assert self._hearing is not None and self._routes is not None  # noqa: S101 the caller has looked
        waiting = self._waiting[incoming.event.id] = asyncio.get_running_loop().create_future()
        while len(self._waiting) > KNOWN:
            self._waiting.popitem(last=False)
        self._routes.opened_by_app(incoming.event.sender.id)
        if self._hearing.taken(incoming) is None:
            waiting.set_result(b"")
        return waiting

    def is_mine(self, incoming: Incoming) -> bool:
        return incoming.req_id.startswith(MINE)

    async def heard(self, incoming: Incoming, answer: Answer | None) -> None:
        """It is durable now (or was nothing to keep): what goes back on the open request."""
        waiting = self._waiting.get(incoming.event.id)
        if waiting is None or waiting.done():
            return
        if answer is not None and not answer.ok:
            waiting.cancel()
            return
        face = await self._face(incoming, answer) if incoming.click is not None else b""
        if not waiting.done():
            waiting.set_result(face)

    async def _face(self, incoming: Incoming, answer: Answer | None) -> bytes:
        """The card anew, as the passive answer: only whoever pressed sees it."""
        assert self._clicks is not None and self._hearing is not None  # noqa: S101 attached
        assert incoming.click is not None  # noqa: S101 the caller has looked
        card, note = await self._clicks.faced(incoming, answer, DRAW_SECONDS)
        click = incoming.click
        with speaking(self._clicks.language):
            if note and not render.says(note, click.card_type):
                self._hearing.later(self._hearing.mouth.passing(incoming, note))
            fits = render.fits(card, click.card_type, click.task.part)
            face = self._clicks.face(card, click, note, fits)
        stamp, nonce = str(int(time.time())), secrets.token_hex(6)
        inner = (
            f"<xml><ToUserName>{cdata(incoming.userid)}</ToUserName><FromUserName>{cdata(self._corp)}</FromUserName>"
            f"<CreateTime>{stamp}</CreateTime><MsgType>{cdata('update_template_card')}</MsgType>{card_xml(face)}</xml>"
        )
        sealed, signed = self._seal.close(inner.encode(), stamp, nonce)
        return (
            f"<xml><Encrypt>{cdata(sealed)}</Encrypt><MsgSignature>{cdata(signed)}</MsgSignature>"
            f"<TimeStamp>{stamp}</TimeStamp><Nonce>{cdata(nonce)}</Nonce></xml>"
        ).encode()

    def _incoming(self, mail: _Mail) -> Incoming | None:
        sender = Account(CHANNEL, mail.userid.lower())
        place = Place(CHANNEL, sender.id, private=True)
        kind, what = mail.node.get("MsgType"), mail.node.get("Event")
        req = MINE + mail.id
        if kind == "text":
            said = Said(mail.id, mail.at, sender, place, mail.node.get("Content"))
            return Incoming(said, "msg", req, mail.userid) if said.text else None
        if kind == "event" and what in ("template_card_event", "template_card_menu_event"):
            click, token = _clicked(mail.node)
            tapped = Tapped(mail.id, mail.at, sender, place, token, click.task.ref)
            return Incoming(tapped, "card", req, mail.userid, click)
        if kind == "event" and what == "subscribe":
            return Incoming(Joined(mail.id, mail.at, sender, place), "enter", req, mail.userid)
        if kind == "event" and what in LOCKED:
            log.error("wecom.application_sleeps", kind=what)
            self.last_alert = what
        return None


def event_id(node: Node, agent: int) -> str:
    """A message has an id. An event has none, and two of one person in one second are two: so all its fields count."""
    number = node.get("MsgId")
    if number and node.get("MsgType") != "event":
        return f"{CHANNEL}:app{agent}:{number[:40]}"
    return f"{CHANNEL}:app{agent}:{hashlib.sha256(_flat(node).encode('utf-8', 'replace')).hexdigest()}"


def _flat(node: Node) -> str:
    """All fields, whatever their order among brothers of other names; lengths keep neighbours apart."""
    inside = sorted(_flat(child) for child in node.children)
    parts = [node.name, node.text.strip() if not inside else "", *inside]
    return "(" + "".join(f"{len(part)}:{part}" for part in parts) + ")"


def _clicked(node: Node) -> tuple[Click, str]:
    items = node.find("SelectedItems")
    rows = items.all("SelectedItem") if items is not None else []
    ids = [row.find("OptionIds") for row in rows]
    chosen = [one.text.strip() for box in ids if box is not None for one in box.all("OptionId")]
    click = Click(node.get("TaskId"), node.get("CardType"), len(chosen), node.get("ResponseCode"))
    return click, token_of(chosen[0] if chosen else node.get("EventKey"))

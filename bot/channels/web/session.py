"""Who is on the other side: a session cookie at a real school, a piece of the address in the demo.

In the demo two tabs may be two people, so the person stands in the address (/as/p17/) and not in a cookie. That door
exists only there, and opens only to this very machine.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bot.channels.web.channel import WebChannel
from bot.channels.web.parse import Unreadable
from bot.channels.web.render import WEB
from bot.kit.event import Account, Place
from bot.kit.words import _
from storage import people, sessions
from storage.base import Db
from storage.people import Person

COOKIE = "hongzhu"
LASTS = timedelta(days=30)
LEAST_CODE = 20  # characters: nobody tries out 120 bits
_ACCOUNT = re.compile(r"p[0-9]{1,18}|g[0-9a-f]{8}")
_GUEST = re.compile(r"g[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """``person`` is ``None`` for a guest of the demo. ``base``: where their pages begin."""

    account: str
    person: Person | None
    base: str

    @property
    def member(self) -> bool:
        """Who is not on the roster sees nothing of the group."""
        return self.person is not None

    @property
    def talk(self) -> Place:
        return Place(WEB, self.account, private=True)

    @property
    def name(self) -> str:
        return self.person.name if self.person else _("访客")

    @property
    def role(self) -> str:
        return self.person.role if self.person else "guest"


def account_of(person: int) -> str:
    return f"p{person}"


class Door:
    """Finds the visitor of a request, lets people in by a one-time link, and out again."""

    def __init__(self, channel: WebChannel, *, demo: bool, secure: bool) -> None:
        self.channel = channel
        self.demo = demo
        self.secure = secure

    def find(self, db: Db, request: Request) -> Visitor | None:
        """``None``: nobody we know; they get nothing."""
        if self.demo:
            return self._named(db, request)
        session = request.cookies.get(COOKIE)
        person = sessions.behind(db, session, self.channel.now()) if session else None
        return Visitor(account_of(person.id), person, "/") if person else None

    def _named(self, db: Db, request: Request) -> Visitor | None:
        account = request.path_params.get("who", "")
        if not _ACCOUNT.fullmatch(account) or not _this_machine(request):
            return None
        behind = people.behind(db, WEB, account)
        person = behind.person if behind and behind.person and behind.person.active else None
        if person is None and not _GUEST.fullmatch(account):
            return None
        return Visitor(account, person, f"/as/{account}/")

    async def enter(self, request: Request) -> Response:
        """Uses the link up. The new session has a new id, whatever the browser brought along."""
        code, old, new = request.path_params["code"], request.cookies.get(COOKIE), sessions.new_id()
        if len(code) < LEAST_CODE or not await self.channel.desk.do(lambda db: self._admit(db, code, old, new)):
            raise Unreadable(_("这个链接已经用过或过期了，请再要一个新的。"), 403)
        response = JSONResponse({"ok": True})
        self.seat(response, new)
        return response

    def seat(self, response: Response, new: str) -> None:
        """The session goes along with the answer."""
        response.set_cookie(
            COOKIE,
            new,
            max_age=int(LASTS.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="strict",
        )

    def _admit(self, db: Db, code: str, old: str | None, new: str) -> bool:
        number = people.redeem_code(db, "login", code, self.channel.now())
        person = people.get(db, number) if number is not None else None
        return person is not None and self._let_in(db, person, old, new)

    def admit_account(self, db: Db, account: Account | None, old: str | None, new: str) -> str:
        """A session for whoever another platform says it is; their name, "" where we do not know the account."""
        behind = people.behind(db, account.channel, account.id) if account else None
        person = behind.person if behind else None
        return person.name if person is not None and self._let_in(db, person, old, new) else ""

    def _let_in(self, db: Db, person: Person, old: str | None, new: str) -> bool:
        now = self.channel.now()
        if not person.active:
            return False
        if old:
            sessions.end(db, old)
        sessions.begin(db, new, person, now, now + LASTS)
        account = account_of(person.id)
        people.bind(db, person.id, WEB, account, talk=account, now=now)
        return True

    async def leave(self, request: Request) -> Response:
        session = request.cookies.get(COOKIE)
        if session:
            await self.channel.desk.do(lambda db: sessions.end(db, session))
            self.channel.hub.recheck()
        response = JSONResponse({"ok": True})
        response.delete_cookie(COOKIE, path="/", secure=self.secure, httponly=True, samesite="strict")
        return response

    async def guest(self, request: Request) -> Response:
        """A new stranger each time (demo only)."""
        return RedirectResponse(f"/as/g{secrets.token_hex(4)}/", 303)


def _this_machine(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False

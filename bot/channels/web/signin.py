"""Signing in through a platform that knows its people: a press in its workbench instead of a one-time link.

The browser goes to the platform with a word of ours and comes back with it and a code. The word is good once, for ten
minutes, and only in the browser it was given to; so nobody is signed in as somebody else by a link that was sent to
them. Where it goes afterwards is not for a request to say: always to our own front page. The code, the word and the
session stand in no log.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.channels.web.pages import Pages
from bot.channels.web.session import COOKIE, Door
from bot.kit.errors import Refused
from bot.kit.event import Account
from bot.kit.words import _
from storage import sessions

log = structlog.get_logger()

PATH = "/in"
BACK = "/in/back"
WORD = "hongzhu_in"  # the cookie of whoever is on the way
LIVES = timedelta(minutes=10)
MOST = 2000  # on the way at once
LONGEST_CODE = 512


class Platform(Protocol):
    """Who knows the people. ``Refused`` with a sentence where it cannot be asked now."""

    def sign_in_address(self, back: str, state: str) -> str: ...

    async def who_came(self, code: str) -> Account | None:
        """The account behind a code, which is good once; ``None`` for a stranger or a code that is not good."""
        ...


@dataclass(frozen=True, slots=True)
class SignIn:
    """``site``: our pages as the platform knows them, "https://..."; never what a request says of itself."""

    platform: Platform
    site: str


class Sign:
    """The two pages of it."""

    def __init__(self, through: SignIn, door: Door, pages: Pages) -> None:
        self.through = through
        self.door = door
        self.pages = pages
        self._given: OrderedDict[str, datetime] = OrderedDict()  # hashes of words, and until when they are good

    async def away(self, request: Request) -> Response:
        """To the platform."""
        word = secrets.token_hex(16)
        self._given[_hash(word)] = self.door.channel.now() + LIVES
        while len(self._given) > MOST:
            self._given.popitem(last=False)
        answer = RedirectResponse(self.through.platform.sign_in_address(self.through.site + BACK, word), 303)
        # lax: the way back begins at the platform, and a strict cookie would stay behind
        answer.set_cookie(
            WORD, word, max_age=int(LIVES.total_seconds()), path=PATH, secure=self.door.secure, httponly=True,
            samesite="lax",
        )  # fmt: skip
        return answer

    async def back(self, request: Request) -> Response:
        """From the platform, with a code that says who it is."""
        answer = await self._back(request)
        answer.delete_cookie(WORD, path=PATH, secure=self.door.secure, httponly=True, samesite="lax")
        return answer

    async def _back(self, request: Request) -> Response:
        asked = request.query_params
        word, code = asked.get("state", ""), asked.get("code", "")
        if not self._take(word, request.cookies.get(WORD, "")) or not 0 < len(code) <= LONGEST_CODE:
            return self.pages.told(
                _("没有登录"), _("这一次登录过期了，或者不是从这里开始的。请回到工作台再点一次。"), 403
            )
        try:
            account = await self.through.platform.who_came(code)
        except Refused as refusal:
            return self.pages.told(_("没有登录"), refusal.sentence, 503)
        old, new = request.cookies.get(COOKIE), sessions.new_id()
        name = await self.door.channel.desk.do(lambda db: self.door.admit_account(db, account, old, new))
        if not name:
            log.info("web.sign_in_unknown", known_there=account is not None)
            sentence = _("我还不认识您的账号：请向办公室要绑定码，私聊机器人发“绑定 123456”，再回来点一次。")
            return self.pages.told(_("没有登录"), sentence, 403)
        answer = self.pages.told(_("认出您了"), _("{name}您好，正在进入。", name=name), 200)
        # A strict cookie does not go along with a redirect that began elsewhere; with a page's own step it does.
        answer.headers["refresh"] = "0; url=/"
        self.door.seat(answer, new)
        return answer

    def _take(self, word: str, mine: str) -> bool:
        """Whether we gave this word, to this browser, and it was not used; now it is."""
        until = self._given.pop(_hash(word), None)
        same = hmac.compare_digest(word.encode("utf-8", "replace"), mine.encode("utf-8", "replace"))
        return until is not None and same and self.door.channel.now() < until


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "replace")).hexdigest()

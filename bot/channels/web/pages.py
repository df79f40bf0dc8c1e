"""What a browser asks to see. Everything is read in one transaction that cannot write; the desk is not troubled."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from bot.channels import clean
from bot.channels.web import render
from bot.channels.web.channel import MEGABYTE
from bot.channels.web.parse import ENDINGS, Unreadable
from bot.channels.web.render import PLACE, WEB
from bot.channels.web.session import Door, Visitor, account_of
from bot.kit.words import N_, _
from storage import people, webchat
from storage.base import Db

PAGE = 50  # messages at a time
ROLES = {"principal": N_("校长"), "office": N_("办公室")}
# What a browser is told a file is; anything else is just bytes. Never a type that a browser would run.
TYPES = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".png": "image/png",
    ".ics": "text/calendar; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Talk:
    """One conversation as the page shows it."""

    where: str
    title: str
    messages: Sequence[Markup]
    more: bool
    gist: str
    clock: str
    empty: str
    hints: Sequence[str]
    count: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody one can be in the demo."""

    account: str
    name: str
    department: str
    role: str


@cache
def version() -> str:
    """Changes with our own files, so that a browser may keep them for ever."""
    files = sorted((render.HERE / "static").iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def _words(upload_bytes: int) -> dict[str, str]:
    """The few sentences that the browser says by itself."""
    return {
        "offline": _("连不上，没有发出去。请稍后再试，打的字还在。"),
        "lost": _("连接断了，正在重连…"),
        "private": _("红烛私聊您：{gist}"),
        "reply": _("回复"),
        "file": _("[文件]"),
        "unread": _("{n} 条新消息"),
        "big": _("文件太大了，最多 {n} MB。", n=upload_bytes // MEGABYTE),
    }


class Pages:
    """The pages of one school."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.channel = door.channel

    async def front(self, request: Request) -> Response:
        """``/`` of the demo: one begins as the office."""
        return RedirectResponse(f"/as/{await asyncio.to_thread(self._first)}/", 303)

    def _first(self) -> str:
        with self.channel.shelves.reading() as db:
            office = [*people.holding(db, "office"), *people.active(db)]
        return account_of(office[0].id) if office else "guest"

    async def chat(self, request: Request) -> Response:
        facts = await asyncio.to_thread(self._chat, request)
        if facts is None:
            return self.refused(again=not self.door.demo)
        return HTMLResponse(self._fill("page.html", **facts))

    def _chat(self, request: Request) -> dict[str, Any] | None:
        with self.channel.shelves.reading() as db:
            visitor = self.door.find(db, request)
            if visitor is None:
                return None
            talks = [self._group(db, visitor)] if visitor.member else []
            talks.append(self._private(db, visitor))
            group = webchat.last_change(db, PLACE) if visitor.member else 0
            return {
                "base": visitor.base,
                "account": visitor.account,
                "me": visitor.name,
                "after": f"{group}.{webchat.last_change(db, visitor.account)}",
                "talks": talks,
                "demo": self.door.demo,
                "staff": self._staff(db) if self.door.demo else [],
                "endings": " ".join(ENDINGS),
                "max_bytes": self.channel.upload_bytes,
                "words": _words(self.channel.upload_bytes),
            }

    def _group(self, db: Db, visitor: Visitor) -> Talk:
        group = people.group(db, WEB, PLACE)
        title = group.title if group and group.title else _("全体教职工群")
        empty = _("群里还没有人说话。")
        if self.door.demo:
            empty = _("群里还没有人说话。\n办公室可以私聊红烛：发通知 周五下午三点半 三楼会议室 教学例会")
        return self._talk(db, visitor, "all", PLACE, title, empty, people.count_active(db))

    def _private(self, db: Db, visitor: Visitor) -> Talk:
        empty = _("这里只有您和红烛。您在这里打的字不会存在聊天记录里，只留在这个浏览器。")
        return self._talk(db, visitor, "me", visitor.account, _("红烛（私聊）"), empty, 0)

    def _talk(self, db: Db, visitor: Visitor, where: str, place: str, title: str, empty: str, count: int) -> Talk:
        zone, found = self.channel.school.zone, webchat.recent(db, place, PAGE + 1)
        shown, last = found[-PAGE:], found[-1] if found else None
        return Talk(
            where,
            title,
            [Markup(render.message(m, zone, visitor.account)) for m in shown],  # noqa: S704 rendered
            len(found) > PAGE,
            f"{clean.name(last.name)}：{last.gist}" if last and where == "all" else last.gist if last else "",
            render.clock(last.made_at, self.channel.now(), zone) if last else "",
            empty,
            self.channel.hints(visitor.role, where == "me"),
            count,
        )

    def _staff(self, db: Db) -> Sequence[Choice]:
        """Whoever one can be: the leaders first, then everybody, then a stranger."""
        staff = sorted(people.active(db), key=lambda person: (person.role == "staff", person.id))
        known = [
            Choice(account_of(p.id), p.name, p.department, _(ROLES[p.role]) if p.role in ROLES else "") for p in staff
        ]
        return [*known, Choice("guest", _("访客"), _("不在名单上的人"), "")]

    async def older(self, request: Request) -> Response:
        """What was said before the number ``before``."""
        before, where = request.query_params.get("before", ""), request.query_params.get("place", "")
        if not before.isdecimal() or len(before) > 18:
            raise Unreadable(_("没看懂这个请求，请刷新页面再试。"), 400)
        return await asyncio.to_thread(self._older, request, int(before), where)

    def _older(self, request: Request, before: int, where: str) -> Response:
        with self.channel.shelves.reading() as db:
            visitor = self.known(db, request)
            if where == "all" and not visitor.member:
                raise Unreadable(_("您不在这个群里。"), 403)
            place = PLACE if where == "all" else visitor.account
            found = webchat.recent(db, place, PAGE + 1, before)
        zone = self.channel.school.zone
        html = "".join(render.message(m, zone, visitor.account) for m in found[-PAGE:])
        return JSONResponse({"html": html, "more": len(found) > PAGE})

    async def file(self, request: Request) -> Response:
        """A file, for those whose it is. Its kind and its name as saved are ours to say."""
        return await asyncio.to_thread(self._file, request)

    def _file(self, request: Request) -> Response:
        with self.channel.shelves.reading() as db:
            person = self.known(db, request).person
            found = webchat.file_for(db, request.path_params["file"], person.id) if person else None
        if found is None:
            raise Unreadable(_("没有这个文件，或者它不是给您的。"), 404)
        ending = "." + found.name.rpartition(".")[2].lower()
        plain = f"file-{found.id}{ending if ending in TYPES or ending in ENDINGS else ''}"
        named = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.name, safe='')}"
        kind = TYPES.get(ending, "application/octet-stream")
        return Response(found.content, media_type=kind, headers={"content-disposition": named})

    def known(self, db: Db, request: Request) -> Visitor:
        visitor = self.door.find(db, request)
        if visitor is None:
            raise Unreadable(_("请先登录。"), 401)
        return visitor

    async def login(self, request: Request) -> Response:
        """Only shows a button: a link preview or a curious chat program uses nothing up."""
        sentence = _("这个链接只给您本人用，只能用一次。点下面的按钮就进去了。")
        return HTMLResponse(self._fill("door.html", title=_("红烛"), sentence=sentence, login=True, again=False))

    def told(self, title: str, sentence: str, status: int) -> Response:
        """A page with one sentence on it, and the way to the front page."""
        page = self._fill("door.html", title=title, sentence=sentence, login=False, again=status == 200)
        return HTMLResponse(page, status)

    def refused(self, *, again: bool) -> Response:
        sentence = _("请私聊红烛发“登录”，或向办公室要一个登录链接。") if again else _("演示学校里没有这个人。")
        page = self._fill("door.html", title=_("还没有登录"), sentence=sentence, login=False, again=True)
        return HTMLResponse(page, 401)

    def _fill(self, template: str, **facts: Any) -> str:
        school = self.channel.school
        return render.fill(
            template, school=school.name, language=school.language.replace("_", "-"), version=version(), **facts
        )

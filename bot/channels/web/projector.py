"""The page for the projector at the door of a meeting: a QR code and four digits that change by the school's clock.

Only the office opens it. What it shows comes from the feature's feed ``projector``; the page asks for it every two
seconds. The QR leads to a page that says what to send to the bot, or sends it for whoever is logged in there.
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from bot.channels.web import render
from bot.channels.web.pages import Pages, version
from bot.channels.web.parse import Unreadable
from bot.kit.context import View
from bot.kit.words import _

OFFICE = ("office", "principal")


class Projector:
    """The pages of one school's doors."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.channel = pages.channel

    async def page(self, request: Request) -> Response:
        facts = await asyncio.to_thread(self._facts, request)
        words = {"closed": _("签到已结束"), "lost": _("连接断了，正在重连…")}
        return HTMLResponse(self._fill("projector.html", title=facts["topic"], facts=facts, words=words))

    async def now(self, request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(self._facts, request))

    async def code(self, request: Request) -> Response:
        """The QR of this moment; empty where a tap is enough or the door is closed."""
        facts = await asyncio.to_thread(self._facts, request)
        if not facts["code"]:
            raise Unreadable(_("现在没有二维码。"), 404)
        notice = request.path_params["notice"]
        site = self.channel.school.site or str(request.base_url).rstrip("/")
        return Response(_svg(f"{site}/sign/{notice}/{facts['code']}"), media_type="image/svg+xml")

    def _facts(self, request: Request) -> dict[str, Any]:
        channel, feed = self.channel, self.channel.feeds.get("projector")
        with channel.shelves.reading() as db:
            if self.pages.known(db, request).role not in OFFICE:
                raise Unreadable(_("这件事只有办公室或校长可以做。"), 403)
            text = feed(View(db, channel.now(), channel.school), str(request.path_params["notice"])) if feed else None
        if text is None:
            raise Unreadable(_("这场会议没有开签到。"), 404)
        found: dict[str, Any] = msgspec.json.decode(text)
        return found

    async def sign(self, request: Request) -> Response:
        """What the QR opens: whoever is logged in presses once, anybody else reads what to say to the bot."""
        code = request.path_params["code"]
        if len(code) != 4 or not (code.isascii() and code.isdigit()):
            raise Unreadable(_("这个二维码不对，请再扫一次。"), 404)
        known = await asyncio.to_thread(self._is_known, request)
        return HTMLResponse(self._fill("sign.html", title=_("签到"), code=code, known=known))

    def _is_known(self, request: Request) -> bool:
        with self.channel.shelves.reading() as db:
            visitor = self.pages.door.find(db, request)
        return visitor is not None and visitor.member

    def _fill(self, template: str, **facts: Any) -> str:
        school = self.channel.school
        language = school.language.replace("_", "-")
        return render.fill(template, school=school.name, language=language, version=version(), **facts)


def _svg(link: str) -> bytes:
    import segno  # only where somebody projects

    out = BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", xmldecl=False, border=2, dark="#000", light="#fff")
    return out.getvalue()

"""The web application: routes behind the guard, and in front of everything the bare branch of the webhooks.

The page is plain HTML from the server and one file of plain JavaScript. htmx was weighed: what this page needs (send
again under the same id, keep the words when nothing was recorded, show what only the browser may know, come back to a
stream at a number, change a counter without losing the focus) is what htmx leaves to scripts anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any
from urllib.parse import unquote

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.channels.web import live, parse
from bot.channels.web.channel import MEGABYTE, WebChannel
from bot.channels.web.feeds import Feeds
from bot.channels.web.guard import Guard
from bot.channels.web.pages import Pages
from bot.channels.web.parse import Unreadable
from bot.channels.web.projector import Projector
from bot.channels.web.render import HERE, PLACE
from bot.channels.web.session import Door, Visitor
from bot.channels.web.signin import BACK, PATH, Sign, SignIn
from bot.engine.port import Unavailable
from bot.kit.event import Event
from bot.kit.words import _, speaking

log = structlog.get_logger()
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})

Endpoint = Callable[[Request], Awaitable[Response]]
Webhook = Callable[[bytes, str | None], Awaitable[tuple[int, bytes]]]


def build(
    channel: WebChannel, *, hosts: Collection[str], demo: bool, secure: bool = False, sign_in: SignIn | None = None
) -> ASGIApp:
    """The application. ``hosts``: every ``Host`` a request may have, without its port; ``secure``: people use https.

    ``sign_in``: a platform that knows its people, beside the one-time link.
    """
    if demo and not set(hosts) <= LOOPBACK:
        raise ValueError("the demo, where anybody may be anybody, is for this machine only")
    server = Server(channel, demo=demo, secure=secure)
    routes = server.demo_routes() if demo else [*server.school_routes(), *server.sign_in_routes(sign_in)]
    app = Starlette(routes=[*routes, *server.common_routes()], exception_handlers=server.failures())
    return Guard(app, hosts)


def webhook_route(app: ASGIApp, hear: Webhook, path: str = "/telegram/webhook") -> ASGIApp:
    """Puts a platform's door in front of ``app``: the body and its secret header go to ``hear``, its answer goes back.

    Nothing stands between. No Host or Origin is asked for: the platform's secret is the key, and ``hear`` checks it.
    """

    async def branch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != path or scope["type"] != "http":
            return await app(scope, receive, send)
        status, answer = 405, b""
        if scope["method"] == "POST":
            secret = next((v for k, v in scope["headers"] if k == b"x-telegram-bot-api-secret-token"), None)
            body = await _whole(receive)
            status, answer = (
                (413, b"") if body is None else await hear(body, secret.decode("latin-1") if secret else None)
            )
        # Telegram executes a call in the answer only if it is told that it is JSON (core.telegram.org/bots/api).
        headers = [(b"content-length", b"%d" % len(answer)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return branch


async def _whole(receive: Receive, most: int = MEGABYTE) -> bytes | None:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body") and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
    return body if len(body) <= most else None


class Server:
    """The routes of one school."""

    def __init__(self, channel: WebChannel, *, demo: bool, secure: bool) -> None:
        self.channel = channel
        self.door = Door(channel, demo=demo, secure=secure)
        self.pages = Pages(self.door)
        self.feeds = Feeds(channel, channel.feeds)
        self.projector = Projector(self.pages)

    # --- which paths there are --------------------------------------------------------------------------------

    def school_routes(self) -> Sequence[Route]:
        return [
            *self._talk_routes(""),
            self._get("/calendar/{secret}.ics", self.feeds.calendar),
            self._get("/sign/{notice:int}/{code}", self.projector.sign),
            self._get("/login/{code}", self.pages.login),
            self._post("/login/{code}", self.door.enter),
            self._post("/logout", self.door.leave),
        ]

    def sign_in_routes(self, through: SignIn | None) -> Sequence[Route]:
        if through is None:
            return []
        sign = Sign(through, self.door, self.pages)
        return [self._get(PATH, sign.away), self._get(BACK, sign.back)]

    def demo_routes(self) -> Sequence[Route]:
        front = self._get("/", self.pages.front)
        return [front, self._get("/as/guest/", self.door.guest), *self._talk_routes("/as/{who}")]

    def _talk_routes(self, base: str) -> Sequence[Route]:
        return [
            self._get(f"{base}/", self.pages.chat),
            self._get(f"{base}/older", self.pages.older),
            self._get(f"{base}/stream", self.stream),
            self._get(f"{base}/file/{{file:int}}", self.pages.file),
            self._get(f"{base}/projector/{{notice:int}}", self.projector.page),
            self._get(f"{base}/projector/{{notice:int}}/now", self.projector.now),
            self._get(f"{base}/projector/{{notice:int}}/qr.svg", self.projector.code),
            self._post(f"{base}/say", self.say),
            self._post(f"{base}/tap", self.tap),
            self._post(f"{base}/submit", self.submit),
            self._post(f"{base}/upload", self.upload),
            self._post(f"{base}/open", self.open),
        ]

    def common_routes(self) -> Sequence[Route | Mount]:
        return [self._get("/healthz", self.health), Mount("/static", _Kept(directory=HERE / "static"))]

    def _get(self, path: str, endpoint: Endpoint) -> Route:
        return Route(path, self._speaking(endpoint), methods=["GET"])

    def _post(self, path: str, endpoint: Endpoint) -> Route:
        return Route(path, self._speaking(endpoint), methods=["POST"])

    def _speaking(self, endpoint: Endpoint) -> Endpoint:
        async def speak(request: Request) -> Response:
            with speaking(self.channel.school.language):
                return await endpoint(request)

        return speak

    def failures(self) -> dict[Any, Callable[[Request, Any], Response]]:
        """What is said when something is refused, cannot be kept, or is a bug of ours."""
        return {Unreadable: self._unreadable, Unavailable: self._unavailable, Exception: self._bug}

    def _unreadable(self, request: Request, error: Unreadable) -> Response:
        return JSONResponse({"error": error.sentence}, error.status)

    def _unavailable(self, request: Request, error: Unavailable) -> Response:
        with speaking(self.channel.school.language):
            return JSONResponse({"error": _("暂时无法记录，请稍后再试。")}, 503)

    def _bug(self, request: Request, error: Exception) -> Response:
        log.error(
            "web.bug", error=type(error).__name__, path=request.scope.get("route", request.scope).__class__.__name__
        )
        with speaking(self.channel.school.language):
            return JSONResponse({"error": _("出了点问题，请稍后再试。")}, 500)

    # --- what people do ---------------------------------------------------------------------------------------

    async def say(self, request: Request) -> Response:
        return await self._take(request, parse.said)

    async def tap(self, request: Request) -> Response:
        return await self._take(request, parse.tapped)

    async def submit(self, request: Request) -> Response:
        return await self._take(request, parse.submitted)

    async def _take(self, request: Request, read: Callable[..., Event]) -> Response:
        visitor = await self._visitor(request)
        body = await _body(request, parse.MAX_BODY)
        event = read(body, visitor.account, self.channel.now(), member=visitor.member)
        return await self._answer(event, visitor)

    async def upload(self, request: Request) -> Response:
        """The file is the body, nothing around it; its name comes percent-encoded in a header: no log has it."""
        visitor = await self._visitor(request)
        content = await _body(request, self.channel.upload_bytes)
        name, asked = unquote(request.headers.get("x-file-name", "")), request.query_params
        where, now = asked.get("place", ""), self.channel.now()
        event = parse.uploaded(asked.get("id", ""), where, name, content, visitor.account, now, member=visitor.member)
        return await self._answer(event, visitor)

    async def open(self, request: Request) -> Response:
        """Their private talk is empty and they look at it."""
        visitor = await self._visitor(request)
        await self.channel.take(parse.opened(visitor.account, self.channel.now()))
        return JSONResponse({"ok": True})

    async def _answer(self, event: Event, visitor: Visitor) -> Response:
        answer = await self.channel.take(event, visitor.name)
        clock = f"{event.at.astimezone(self.channel.school.zone):%H:%M}"
        return JSONResponse({"ok": answer.ok, "toast": answer.toast, "alert": answer.alert, "clock": clock})

    async def _visitor(self, request: Request) -> Visitor:
        return await asyncio.to_thread(self._find, request)

    def _find(self, request: Request) -> Visitor:
        with self.channel.shelves.reading() as db:
            return self.pages.known(db, request)

    # --- what they hear ---------------------------------------------------------------------------------------

    async def stream(self, request: Request) -> Response:
        visitor = await self._visitor(request)
        seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
        ear = self.channel.hub.open(_cursors(seen, visitor))

        async def still_in() -> bool:
            with contextlib.suppress(Unreadable):
                now = await self._visitor(request)
                return now.member == visitor.member
            return False

        sent = live.listen(self.channel.hub, ear, still_in)
        return StreamingResponse(sent, media_type="text/event-stream", headers={"x-accel-buffering": "no"})

    async def health(self, request: Request) -> Response:
        ready = self.channel.listening
        return PlainTextResponse("ok" if ready else "starting", 200 if ready else 503)


def _cursors(seen: str, visitor: Visitor) -> dict[str, int]:
    """``seen`` is ``Ear.mark``; whatever it is not, means from the beginning."""
    group, _dot, talk = seen.partition(".")
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) <= 18 else 0 for part in (group, talk)]
    mine = {visitor.account: numbers[1]}
    return {PLACE: numbers[0], **mine} if visitor.member else mine


async def _body(request: Request, most: int) -> bytes:
    """The body, unless it is longer than ``most`` bytes; then no more of it is read."""
    length = request.headers.get("content-length", "0")
    size, chunks = int(length) if length.isdecimal() else 0, []
    if size <= most:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                break
            chunks.append(chunk)
    if size > most:
        raise Unreadable(_("太大了，最多 {n} KB。", n=most // 1024), 413)
    return b"".join(chunks)


class _Kept(StaticFiles):
    """Our own files; their address changes with them, so a browser may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response

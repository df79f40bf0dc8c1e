"""The first door, in front of every route: whose Host, from whose page, and what a browser may do with the answer."""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE = (b"cache-control", b"no-store")


class Guard:
    """Refuses a foreign ``Host`` (DNS rebinding), a POST from a foreign page, and a foreign page that reads along.

    ``hosts``: names without a port, in lower case; IPv6 in brackets.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return await send({"type": "websocket.close", "code": 1008})
        answer = _marked(send)
        if not self._welcome(scope):
            return await _forbid(answer)
        await self.app(scope, receive, answer)

    def _welcome(self, scope: Scope) -> bool:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        hosts = [value for key, value in headers if key == b"host"]
        if len(hosts) != 1 or _name(hosts[0]) not in self.hosts:
            return False
        seen = dict(headers)
        site = seen.get(b"sec-fetch-site", b"same-origin")
        if scope["method"] in ("GET", "HEAD"):
            return site in (b"same-origin", b"none") or seen.get(b"sec-fetch-mode") == b"navigate"
        return site == b"same-origin" and _same(seen.get(b"origin"), hosts[0])


def _name(host: bytes) -> str:
    """The host without its port."""
    text = host.decode("latin-1").lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]


def _same(origin: bytes | None, host: bytes) -> bool:
    """A page of ours always names its origin; https may end at a proxy in front of us."""
    return origin is not None and origin.lower() in (b"http://" + host.lower(), b"https://" + host.lower())


def _marked(send: Send) -> Send:
    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            if not any(key == NO_STORE[0] for key, _value in headers):
                headers.append(NO_STORE)
            message = {**message, "headers": [*headers, *HEADERS]}
        await send(message)

    return marked


async def _forbid(send: Send) -> None:
    await send(
        {"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain; charset=utf-8")]}
    )
    await send({"type": "http.response.body", "body": "这个地址或来源不被允许。".encode()})

"""The door of the application's callback in front of the web application, as bare ASGI: nothing stands between.

No Host or Origin is asked for: the platform's signature is the key, and the answerer checks it. A body that is too long
is not read to its end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]
Answer = Callable[[str, Mapping[str, str], bytes], Awaitable[tuple[int, bytes]]]

LARGEST_BODY = 64 * 1024
PATH = "/wecom/callback"


def callback_route(app: App, answer: Answer, path: str = PATH) -> App:
    """Puts the door at ``path`` in front of ``app``."""

    async def branch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("path") != path:
            return await app(scope, receive, send)
        body = await _whole(receive)
        query = query_of(scope.get("query_string", b""))
        status, said = (413, b"") if body is None else await answer(scope["method"], query, body)
        headers = [(b"content-length", b"%d" % len(said)), (b"content-type", b"text/plain; charset=utf-8")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    return branch


def query_of(raw: bytes) -> dict[str, str]:
    """The parameters; a + in them is a +: base64 has it. Of a name that comes twice the first counts."""
    found: dict[str, str] = {}
    for pair in raw.decode("latin-1").split("&")[:20]:
        name, _equals, value = pair.partition("=")
        found.setdefault(unquote(name), unquote(value))
    return found


async def _whole(receive: Receive) -> bytes | None:
    """The body, unless it is longer than may be; then no more of it is read."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY or message["type"] == "http.disconnect":
            return None
        if not message.get("more_body"):
            return bytes(body)

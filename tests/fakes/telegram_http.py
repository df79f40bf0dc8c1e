"""Reading and writing HTTP, and breaking it on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tests.fakes.telegram_params import Params, Upload
from tests.fakes.telegram_world import Json

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]


class Cuttable(HttpToolsProtocol):
    """Hands the connection to the application, so that it can be cut in the middle of a call."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]


async def read_params(scope: Scope, receive: Receive) -> Params:
    values: Json = (
        dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)) if scope["query_string"] else {}
    )
    if scope["method"] == "GET":
        return Params(values)
    kind = next((v for k, v in scope["headers"] if k == b"content-type"), b"")
    if kind.startswith(b"multipart/"):
        return await read_multipart(scope, receive, values)
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if not body:
        return Params(values)
    try:
        given = msgspec.json.decode(body) if b"json" in kind else dict(parse_qsl(body.decode(), keep_blank_values=True))
    except (msgspec.DecodeError, UnicodeDecodeError):
        given = {}
    return Params(values | given if isinstance(given, dict) else values)


async def read_multipart(scope: Scope, receive: Receive, values: Json) -> Params:
    from starlette.requests import Request

    params = Params(values)
    async with Request(scope, receive).form(max_part_size=1 << 27) as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                params.values[name] = value
            else:
                params.files[name] = Upload(
                    value.filename or "file", value.content_type or "application/octet-stream", await value.read()
                )
    return params


def refusal(status: int, description: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"ok": False, "error_code": status, "description": description})


async def answer(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def cut(scope: Scope, receive: Receive) -> None:
    scope["transport"].abort()
    await hung_up(receive)


async def hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def half_an_answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})

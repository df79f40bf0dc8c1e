"""python-telegram-bot on aiohttp, thirteen times quicker than on httpx. The only file that imports either of them.

Every answer but success leaves ``do_request`` as our own error: python-telegram-bot's would quote the token, log the
body, or (RetryAfter) warn.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import msgspec
from telegram import Bot, InputFile
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.channels.telegram.client import Trouble, Unreadable
from bot.engine.port import Document

CONNECT_SECONDS = 10.0
CONNECTIONS = 100
NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
NO_ANSWER = (aiohttp.ClientError, TimeoutError, OSError)
FIRST = re.compile(rb'"update_id"\s*:\s*(\d{1,18})\b')


class Carried(TelegramError):
    """Brings our own error through python-telegram-bot, which lets its own kind pass."""

    def __init__(self, error: Trouble | Unreadable) -> None:
        super().__init__("carried")
        self.error = error


class Transport:
    """Calls by method name with plain values; raises ``Trouble`` or ``Unreadable``, without a cause."""

    def __init__(self, token: str, base: str) -> None:
        _hush()
        self._request = _Request(base)
        self._files = f"{base}/file/bot{token}/"
        # One request object serves both of the Bot's roles: our sessions share nothing but a pool that is large enough.
        self._bot = Bot(token, f"{base}/bot", f"{base}/file/bot", self._request, self._request)

    def __repr__(self) -> str:
        return "<Transport>"

    async def call(self, method: str, params: dict[str, Any], seconds: float) -> Any:
        # In lower case, which the Bot API takes as well: the camel-cased names would earn a warning each.
        given = {key: _file(value) if isinstance(value, Document) else value for key, value in params.items()}
        error: Trouble | Unreadable
        try:
            return await self._bot.do_api_request(method.lower(), given, read_timeout=seconds)
        except Carried as carried:
            error = carried.error
        except TelegramError as unexpected:
            error = Trouble(0, type(unexpected).__name__)
        raise error

    async def download(self, path: str, most: int, seconds: float) -> bytes | None:
        """``None`` for more than ``most`` bytes."""
        status, content = await self._request.fetch(self._files + quote(path), most + 1, seconds)
        if status != 200:
            raise Trouble(max(status, 400), "the file cannot be had")
        return content if len(content) <= most else None

    async def close(self) -> None:
        await self._request.shutdown()


class _Request(BaseRequest):
    """Opens its session with the first request and again after ``shutdown``."""

    def __init__(self, base: str) -> None:
        self._proxies = not _is_loopback(base)  # HTTPS_PROXY and NO_PROXY are heeded for the real platform
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        return 20.0

    async def initialize(self) -> None:
        return

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS), trust_env=self._proxies, auto_decompress=True
            )
        return self._session

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        seconds = read_timeout if isinstance(read_timeout, int | float) else 20.0
        more = _body(request_data)
        status, payload, trouble = 0, b"", None
        try:
            async with self._open().request(
                method, url, timeout=_timeout(seconds), allow_redirects=False, **more
            ) as answer:
                status, payload = answer.status, await answer.read()
        except NOT_SENT as error:
            trouble = Trouble(0, type(error).__name__, written=False)
        except NO_ANSWER as error:
            trouble = Trouble(0, type(error).__name__)
        if trouble is None and not 200 <= status <= 299:
            trouble = _refusal(status, payload)
        if trouble is not None:
            raise Carried(trouble)
        return status, payload

    async def fetch(self, url: str, most: int, seconds: float) -> tuple[int, bytes]:
        """At most ``most`` bytes of what stands at ``url``."""
        trouble, content = None, bytearray()
        try:
            async with self._open().get(
                url, timeout=aiohttp.ClientTimeout(total=seconds), allow_redirects=False
            ) as answer:
                status = answer.status
                async for chunk in answer.content.iter_chunked(1 << 16):
                    content += chunk
                    if len(content) >= most:
                        break
            return status, bytes(content[:most])
        except NO_ANSWER as error:
            trouble = Trouble(0, type(error).__name__)
        raise trouble

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        found = _decoded(payload)
        if isinstance(found, dict) and "result" in found:
            return found
        first = FIRST.search(payload)
        raise Carried(Unreadable(int(first[1]) if first else None))


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=seconds)


def _body(data: RequestData | None) -> dict[str, Any]:
    if data is None:
        return {}
    if not data.contains_files:
        return {"data": msgspec.json.encode(data.parameters), "headers": {"Content-Type": "application/json"}}
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return {"data": form}


def _file(document: Document) -> InputFile:
    name = "".join(c for c in document.name if c not in '"\\\r\n')
    return InputFile(document.content, filename=name or "file", attach=True)


def _refusal(status: int, payload: bytes) -> Trouble:
    told = _decoded(payload)
    told = told if isinstance(told, dict) else {}
    parameters = told.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    wait, moved = parameters.get("retry_after"), parameters.get("migrate_to_chat_id")
    return Trouble(
        status,
        str(told.get("description") or "no description"),
        retry_after=float(wait) if isinstance(wait, int | float) else None,
        moved=moved if isinstance(moved, int) else None,
    )


def _decoded(payload: bytes) -> Any:
    """``None`` for what cannot be read. The second reader takes lone surrogates, which the first refuses."""
    for read in (msgspec.json.decode, json.loads):
        try:
            return read(payload)
        except (ValueError, RecursionError):
            continue
    return None


def _is_loopback(base: str) -> bool:
    host = urlsplit(base).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _hush() -> None:
    """python-telegram-bot logs addresses (with the token) and parameters (with people's words) at DEBUG."""
    logger = logging.getLogger("telegram")
    if logger.level < logging.WARNING:
        logger.setLevel(logging.WARNING)

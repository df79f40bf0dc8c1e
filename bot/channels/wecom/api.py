"""The HTTP interface of a self-built application: one token for all who send, and errors as numbers.

developer.work.weixin.qq.com/document/path/91039 and 90236. The secret and the token stand in addresses, so no
exception of a library ever leaves here, not even as a cause.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from bot.channels.wecom.client import CREDENTIALS, Trouble

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = structlog.get_logger()

OFFICIAL = "https://qyapi.weixin.qq.com"
SECONDS = 10.0
MARGIN = 300.0  # seconds before its end from which a token is fetched anew
REFUSED_SECONDS = 60.0  # a wrong secret is not tried at every send: the platform would shut out our whole address
STALE_TOKEN = frozenset({40014, 42001})
Json = dict[str, Any]


class Http:
    """JSON over HTTPS; the session opens with the first call. Its exceptions never show an address."""

    def __init__(self, base: str) -> None:
        self._base = base.rstrip("/")
        self._session: ClientSession | None = None

    async def json(self, method: str, path: str, query: Json, body: bytes | None = None) -> Json:
        """The answer with ``errcode`` 0; else ``Trouble``."""
        return await self._call(method, path, query, {"data": body, "headers": {"Content-Type": "application/json"}})

    async def bring(self, path: str, query: Json, name: str, content: bytes) -> Json:
        """A file."""
        from aiohttp import FormData

        form = FormData(quote_fields=False)  # the platform shows a percent-encoded name as it is
        name = "".join(c for c in name if c.isprintable() and c not in '"\\')[:100] or "file"
        form.add_field("media", content, filename=name, content_type="application/octet-stream")
        return await self._call("POST", path, query, {"data": form})

    async def _call(self, method: str, path: str, query: Json, more: Json) -> Json:
        import aiohttp

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS))
        try:
            async with self._session.request(method, self._base + path, params=query, **more) as answer:
                told = msgspec.json.decode(await answer.read()) if answer.status == 200 else None
        except aiohttp.ClientConnectorError:
            raise Trouble(0, "not connected", written=False) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Trouble(0, type(error).__name__) from None
        if not isinstance(told, dict):
            raise Trouble(-1, f"status {answer.status}")
        errcode = told.get("errcode", 0)
        if errcode != 0:
            raise Trouble(errcode if isinstance(errcode, int) else -1, str(told.get("errmsg", "")))
        return told

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


class Api:
    """Calls with the application's token: fetched by one for all, and once more where it was taken back early."""

    def __init__(self, corp_id: str, corp_secret: str, base: str = OFFICIAL) -> None:
        self.corp_id = corp_id
        self._secret = corp_secret
        self.http = Http(base)
        self._token = ""
        self._until = 0.0
        self._fetching = asyncio.Lock()
        self._refused = (0.0, 0, "")  # until when, with what

    def __repr__(self) -> str:
        return f"<Api of {self.corp_id}>"

    async def get(self, path: str, **query: Any) -> Json:
        return await self._again(lambda token: self.http.json("GET", path, {"access_token": token, **query}))

    async def post(self, path: str, body: Json) -> Json:
        """Byte for byte the same where it is repeated: the platform's check for duplicates compares that."""
        written = msgspec.json.encode(body)
        return await self._again(lambda token: self.http.json("POST", path, {"access_token": token}, written))

    async def bring(self, name: str, content: bytes) -> Json:
        def call(token: str) -> Any:
            return self.http.bring("/cgi-bin/media/upload", {"access_token": token, "type": "file"}, name, content)

        return await self._again(call)

    async def _again(self, call: Any) -> Json:
        token = await self.token()
        try:
            return await call(token)  # type: ignore[no-any-return]
        except Trouble as trouble:
            if trouble.errcode not in STALE_TOKEN:
                raise
        log.info("wecom.token_taken_back")
        if token == self._token:
            self._token = ""
        return await call(await self.token())  # type: ignore[no-any-return]

    async def token(self) -> str:
        """The token as it is good now."""
        if not self._token or time.monotonic() >= self._until:
            async with self._fetching:
                if not self._token or time.monotonic() >= self._until:
                    await self._fetch()
        return self._token

    async def _fetch(self) -> None:
        until, errcode, errmsg = self._refused
        if time.monotonic() < until:
            raise Trouble(errcode, errmsg)
        query = {"corpid": self.corp_id, "corpsecret": self._secret}
        try:
            told = await self.http.json("GET", "/cgi-bin/gettoken", query)
        except Trouble as trouble:
            if trouble.errcode in CREDENTIALS:
                self._refused = (time.monotonic() + REFUSED_SECONDS, trouble.errcode, trouble.errmsg)
            raise
        token, lives = told.get("access_token"), told.get("expires_in", 7200)
        if not isinstance(token, str) or not token:
            raise Trouble(-1, "no access_token")
        self._token = token
        self._until = time.monotonic() + max(60.0, float(lives) - MARGIN)

    async def close(self) -> None:
        await self.http.close()

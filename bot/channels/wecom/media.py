"""Files over the long connection: what people sent is fetched and opened, what we send is brought up in pieces.

developer.work.weixin.qq.com/document/path/101463: an address lives five minutes; its content is sealed with a key of
its own. Pieces of at most 512 KB, at most a hundred, the first number is 0 (so does the node SDK).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from collections import OrderedDict
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bot.channels.wecom.client import Client, Trouble
from bot.channels.wecom.crypto import Forged, media
from bot.channels.wecom.parse import File
from bot.engine.port import Document

if TYPE_CHECKING:
    from aiohttp import ClientSession

CHUNK = 512 * 1024
LARGEST = 20 << 20  # bytes of a file that we may send
FETCH_SECONDS = 60.0
MEDIA_SECONDS = 48 * 3600.0
KNOWN = 200
RETRIES = 2
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


class NotFetched(Exception):
    """A file did not come. ``passing``: another try may help; else it is too large, gone, or not what was sealed."""

    def __init__(self, why: str, *, passing: bool = False, too_large: bool = False) -> None:
        super().__init__(why)
        self.passing = passing
        self.too_large = too_large


class Files:
    """Fetches and brings. The session is opened with the first file."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._session: ClientSession | None = None
        self._media: OrderedDict[int, tuple[str, float]] = OrderedDict()

    async def fetch(self, file: File, most: int) -> tuple[str, bytes]:
        """The name and the content. ``NotFetched`` where there is none, or more than ``most`` bytes of it."""
        import aiohttp

        parts = urlsplit(file.url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise NotFetched("no https")
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS))
        try:
            async with self._session.get(file.url) as answer:
                if answer.status != 200:
                    raise NotFetched(str(answer.status), passing=answer.status >= 500 or answer.status == 429)
                sealed = await _capped(answer, most + 32)
                name = file_name(answer.headers.get("Content-Disposition", ""))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise NotFetched(type(error).__name__, passing=True) from None
        try:
            content = await asyncio.to_thread(media, file.aes_key, sealed) if file.aes_key else sealed
        except (Forged, ValueError):
            raise NotFetched("not sealed as it should be") from None
        if len(content) > most:
            raise NotFetched("too large", too_large=True)
        return name, content

    async def brought(self, document: Document) -> str:
        """Brought up once for everybody: the platform takes thirty a minute, and keeps them three days."""
        mark = hash((document.name, document.content))
        known = self._media.get(mark)
        if known is None or time.monotonic() - known[1] > MEDIA_SECONDS:
            known = self._media[mark] = (await self.bring(document), time.monotonic())
            while len(self._media) > KNOWN:
                self._media.popitem(last=False)
        return known[0]

    async def bring(self, document: Document) -> str:
        """The media id of a file that is the platform's now. ``Trouble`` where it was refused."""
        content = document.content
        pieces = [content[at : at + CHUNK] for at in range(0, len(content), CHUNK)] or [b""]
        told = await self._client.call(
            "aibot_upload_media_init",
            {
                "type": "file",
                "filename": document.name[:100],
                "total_size": len(content),
                "total_chunks": len(pieces),
                "md5": hashlib.md5(content).hexdigest(),  # noqa: S324 the platform's choice
            },
        )
        number = _text(told, "upload_id")
        for index, piece in enumerate(pieces):
            await self._piece(number, index, piece)
        return _text(await self._client.call("aibot_upload_media_finish", {"upload_id": number}), "media_id")

    async def _piece(self, number: str, index: int, piece: bytes) -> None:
        """A piece that came twice is ignored over there, so it may be sent again."""
        body = {"upload_id": number, "chunk_index": index, "base64_data": base64.b64encode(piece).decode()}
        for attempt in range(RETRIES + 1):
            try:
                await self._client.call("aibot_upload_media_chunk", body)
                return
            except Trouble as trouble:
                if attempt == RETRIES or not trouble.written:
                    raise
                await asyncio.sleep(0.5 * 2**attempt)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _capped(answer: Any, most: int) -> bytes:
    if (answer.content_length or 0) > most:
        raise NotFetched("too large", too_large=True)
    found = bytearray()
    async for chunk in answer.content.iter_chunked(64 * 1024):
        found += chunk
        if len(found) > most:
            raise NotFetched("too large", too_large=True)
    return bytes(found)


def file_name(disposition: str) -> str:
    """From ``attachment; filename*=UTF-8''%E5...`` or ``filename="..."``; "" where it says nothing."""
    header = Message()
    header["Content-Disposition"] = disposition
    try:
        name = header.get_filename("")
    except (LookupError, ValueError):
        name = ""
    name = unquote(name) if re.search(r"%[0-9A-Fa-f]{2}", name) else name
    return name.replace("\\", "/").rpartition("/")[2]


def _text(told: dict[str, Any], key: str) -> str:
    body = told.get("body")
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, str) or not found:
        raise Trouble(-1, f"no {key}")
    return found

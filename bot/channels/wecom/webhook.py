"""A group's 消息推送 (the old 群机器人): a way into a group that has gone cold, and an @ that is sure to be one.

developer.work.weixin.qq.com/document/path/99110: twenty a minute, 4096 bytes of markdown, 2048 of text, no buttons that
answer. Whoever has the key can post, so it stands in no log, no error and no ``repr``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bot.channels.wecom import prose
from bot.channels.wecom.api import OFFICIAL, Http
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.pace import Pace
from bot.engine.port import Document, Window
from bot.kit.event import Place

MOST_MARKDOWN, MOST_TEXT = 4096, 2048
LIMIT = (Window(20, 60.0),)
CARD_REFUSED = 42031
Json = dict[str, Any]


class Webhook:
    def __init__(self, key: str, base: str = OFFICIAL) -> None:
        self._key = key
        self._http = Http(base)
        self._pace = Pace(LIMIT)

    def __repr__(self) -> str:
        return "<Webhook>"

    async def post(self, place: Place, payload: Json) -> None:
        """A message body of the bot. ``Trouble`` for a card: its buttons would be dead here, so it is told in words."""
        if "document" in payload:
            return await self._file(payload["document"])
        if payload["msgtype"] != "markdown":
            raise Trouble(CARD_REFUSED, "no cards that answer")
        parts = prose.parts(payload["markdown"]["content"], MOST_MARKDOWN)
        with self._pace.taken("", len(parts)):
            for part in parts:
                await self._send({"msgtype": "markdown", "markdown": {"content": part}})

    async def mention(self, words: str, userids: Sequence[str]) -> None:
        """A text with an @ that reaches people, whatever markdown makes of it."""
        parts = prose.parts(words, MOST_TEXT)
        with self._pace.taken("", len(parts)):
            for part in parts:
                await self._send({"msgtype": "text", "text": {"content": part, "mentioned_list": list(userids)}})

    async def _file(self, document: Document) -> None:
        query = {"key": self._key, "type": "file"}
        with self._pace.taken(""):
            told = await self._http.bring("/cgi-bin/webhook/upload_media", query, document.name, document.content)
            await self._send({"msgtype": "file", "file": {"media_id": told.get("media_id", "")}})

    async def _send(self, body: Json) -> None:
        await self._http.json("POST", "/cgi-bin/webhook/send", {"key": self._key}, msgspec.json.encode(body))

    async def close(self) -> None:
        await self._http.close()

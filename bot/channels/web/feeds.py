"""What programs fetch by a secret link: calendars. No cookie, no page, GET only.

The secret is looked up by its hash, so how long that takes tells nothing of it. Whoever tries out secrets is stopped:
after a few misses in a minute nothing more is looked up for them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.channels.web.channel import Feed, WebChannel
from bot.kit.context import View
from bot.kit.words import _, speaking

LONGEST = 64  # characters of a secret; ours have 32
MISSES, WINDOW = 20, timedelta(minutes=1)
KNOWN = 2000  # callers whose misses are remembered at most
KEEP = "private, max-age=300"


class Misses:
    """How often somebody was wrong within the last minute."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self._since: dict[str, tuple[datetime, int]] = {}

    def too_many(self, who: str) -> bool:
        since, count = self._since.get(who, (self.now(), 0))
        return count >= MISSES and self.now() - since < WINDOW

    def note(self, who: str) -> None:
        now = self.now()
        since, count = self._since.get(who, (now, 0))
        fresh = now - since >= WINDOW
        if len(self._since) >= KNOWN and who not in self._since:
            self._since = {one: seen for one, seen in self._since.items() if now - seen[0] < WINDOW}
            if len(self._since) >= KNOWN:
                self._since.clear()
        self._since[who] = (now, 1) if fresh else (since, count + 1)


class Feeds:
    """The feeds of one school, by their names."""

    def __init__(self, channel: WebChannel, feeds: Mapping[str, Feed]) -> None:
        self.channel = channel
        self.feeds = feeds
        self.misses = Misses(channel.now)

    async def calendar(self, request: Request) -> Response:
        who = request.client.host if request.client else ""
        if self.misses.too_many(who):
            return PlainTextResponse(_("请求太多，请一分钟后再试。"), 429, {"retry-after": "60"})
        text = await asyncio.to_thread(self._written, "calendar", request.path_params["secret"])
        if text is None:
            self.misses.note(who)
            return PlainTextResponse(_("没有这个日历，或者链接已经停用。"), 404)
        return Response(text.encode(), media_type="text/calendar; charset=utf-8", headers={"cache-control": KEEP})

    def _written(self, name: str, secret: str) -> str | None:
        feed, channel = self.feeds.get(name), self.channel
        if feed is None or not 0 < len(secret) <= LONGEST or not secret.isascii():
            return None
        with channel.shelves.reading() as db, speaking(channel.school.language):
            return feed(View(db, channel.now(), channel.school), secret)

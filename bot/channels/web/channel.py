"""The page of our own as a channel: here we are the platform, so what was said in the group is kept by us.

What a person types in private is heard and not kept: a ballot may be typed there. Their own browser shows it to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import assert_never

from bot.channels.web import render
from bot.channels.web.live import Hub
from bot.engine.desk import Desk
from bot.engine.port import Answer, Content, DeliveryFailed, Document, Hear, Limits, Unavailable
from bot.kit.card import Card
from bot.kit.context import School, View
from bot.kit.event import Account, Event, Joined, Place, Said
from bot.kit.words import _, speaking
from storage import files, people, webchat
from storage.base import Db
from storage.engine import Shelves

MEGABYTE = 1024 * 1024
Hints = Callable[[str, bool], Sequence[str]]
Feed = Callable[[View, str], str | None]  # what a program fetches by a secret link


def _no_hints(role: str, private: bool) -> Sequence[str]:
    """What may be said, for a role (``guest``, ``staff``, ...), in private or in the group."""
    return (_("帮助"),)


class WebChannel:
    """``name`` "web"; the group is ``Place("web", "all")``, a private talk is named as its account: "p17", "g5c1"."""

    name = render.WEB
    limits = Limits(
        edit_seconds=0.2
    )  # the page is ours and has no limits; five new faces a second are as live as an eye sees

    def __init__(
        self,
        desk: Desk,
        shelves: Shelves,
        school: School,
        now: Callable[[], datetime],
        *,
        upload_bytes: int = 10 * MEGABYTE,
        hints: Hints = _no_hints,
        feeds: Mapping[str, Feed] | None = None,
    ) -> None:
        self.desk = desk
        self.shelves = shelves
        self.school = school
        self.now = now
        self.upload_bytes = upload_bytes
        self.hints = hints
        self.feeds = feeds or {}
        self.hub = Hub(shelves, school)
        self._hear: Hear | None = None
        self._closed = asyncio.Event()

    # --- the mouth --------------------------------------------------------------------------------------------

    async def send(self, place: Place, content: Content) -> Sequence[str]:
        with speaking(self.school.language):
            work = self._writing(place, content)
        number = await self.desk.do(work)
        self.hub.poke(place.id)
        return [str(number)]

    def _writing(self, place: Place, content: Content) -> Callable[[Db], int]:
        now, name = self.now(), _("红烛")
        match content:
            case str():
                return lambda db: webchat.add(db, place.id, webchat.TEXT, content, render.gist(content), now, name=name)
            case Card():
                face, gist = render.card(content), render.gist(content.title)
                return lambda db: webchat.add(db, place.id, webchat.CARD, face, gist, now, name=name)
            case Document():
                return lambda db: self._add_file(db, place, content, now, name)
            case _:
                assert_never(content)

    def _add_file(self, db: Db, place: Place, sent: Document, now: datetime, name: str) -> int:
        behind = people.behind(db, self.name, place.id) if place.private else None
        owner = behind.person.id if behind and behind.person else None
        file = files.keep(db, sent.name, sent.mime, sent.content, now, owner)
        return webchat.add(db, place.id, webchat.FILE, sent.name, render.gist(sent.name), now, name=name, file=file)

    async def edit(self, place: Place, ref: str, card: Card, *, final: bool) -> None:
        with speaking(self.school.language):
            face, gist = render.card(card), render.gist(card.title)
        if not await self.desk.do(lambda db: webchat.redraw(db, place.id, int(ref), face, gist)):
            raise DeliveryFailed("no such message", gone=True)
        self.hub.poke(place.id)

    # --- the ears ---------------------------------------------------------------------------------------------

    async def listen(self, hear: Hear) -> None:
        """From now on the pages have somebody to talk to. The first time, the group itself is news."""
        self._hear = hear
        try:
            if await asyncio.to_thread(self._group_is_new):
                group = Place(self.name, render.PLACE, private=False)
                account = Account(self.name, "")
                await hear(Joined(f"{self.name}:group", self.now(), account, group, title=_("全体教职工群")))
            await self._closed.wait()
        finally:
            self._hear = None

    def _group_is_new(self) -> bool:
        with self.shelves.reading() as db:
            return people.group(db, self.name, render.PLACE) is None

    @property
    def listening(self) -> bool:
        return self._hear is not None

    async def take(self, event: Event, name: str = "") -> Answer:
        """Hears what a browser sent and gives the answer, after the commit. ``Unavailable``: nothing was recorded.

        Words in the group are first put where everybody sees them: the answer must not stand above the question. Sent
        again with the same id they are not said twice.
        """
        if self._hear is None:
            raise Unavailable("not listening")
        if isinstance(event, Said) and not event.place.private:
            await self._put_in_group(event, name)
        return await self._hear(event)

    async def _put_in_group(self, said: Said, name: str) -> None:
        now, quotes = self.now(), int(said.quotes) if said.quotes else None

        def write(db: Db) -> int:
            kind, body, file = webchat.TEXT, said.text, None
            if said.upload is not None:
                kind, body = webchat.FILE, said.upload.name
                if webchat.said(db, said.id) is None:
                    file = files.keep(db, body, "application/octet-stream", said.upload.content, now)
            return webchat.add(
                db, said.place.id, kind, body, render.gist(body), now,
                account=said.sender.id, name=name, file=file, quotes=quotes, nonce=said.id,
            )  # fmt: skip

        await self.desk.do(write)
        self.hub.poke(said.place.id)

    async def close(self) -> None:
        """Ends every open stream, so that nothing holds up the server."""
        self._closed.set()
        self.hub.close()

    async def check(self) -> Sequence[str]:
        return []

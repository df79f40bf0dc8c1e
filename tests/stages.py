"""The same dialogues on real wires: Telegram by polling and by webhook, and the web page, all through HTTP.

A stage turns what a person does into what their phone would send, and reads back what their phone would show.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import httpx
import uvicorn

from bot.app import RunningSchool
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.web.channel import WebChannel
from bot.channels.web.server import build, webhook_route
from bot.engine.port import Answer, Channel, Document, Hear, Limits
from bot.kit.event import Event, Joined, Said, Tapped
from storage.people import Person
from tests.channels.wecom_stage import WecomStage
from tests.fakes.telegram import FakeTelegram
from tests.office import PaperStage, Seen, Stage

HOSTS = ("127.0.0.1", "localhost")
FIRST = 100_000  # Telegram's numbers of the people on the roster begin here


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Door:
    """A web server on the school's own loop, on a port of its own."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.is_open = asyncio.Event()

    async def open(self, app: Any) -> None:
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
        self.server = Server(config)
        self.task = asyncio.create_task(self.server.serve([self.socket]))
        while not self.server.started:  # noqa: ASYNC110 uvicorn has no event for it
            await asyncio.sleep(0.005)
        self.is_open.set()

    async def close(self) -> None:
        self.server.should_exit = True
        await self.task


# --- Telegram -------------------------------------------------------------------------------------------------


class _Hooked(TelegramChannel):
    """The channel with its own door, opened before the webhook is set."""

    door: Door

    async def listen(self, hear: Hear) -> None:
        async def nothing(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 404, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        await self.door.open(webhook_route(nothing, self.webhook))
        await super().listen(hear)

    async def close(self) -> None:
        await super().close()
        await self.door.close()


class TelegramStage(Stage):
    channel = "telegram"

    def __init__(self, mode: str, *, supergroup: bool = True, bot_admin: bool = False) -> None:
        self.mode = mode
        self.fake = FakeTelegram()
        self.fake.start()
        self.room = self.fake.group("全体教职工群", supergroup=supergroup, bot_admin=bot_admin)
        self.group = str(self.room.id)
        self.users: dict[str, Any] = {}
        self.limits = Limits()  # no waiting in dialogues; the real ones have tests and a benchmark of their own

    def account(self, number: int) -> str:
        return str(FIRST + number)

    talk = account

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        facts: dict[str, Any] = {
            "api_base": self.fake.url, "limits": self.limits, "retry_seconds": 0.05, "poll_seconds": 2,
            "now": running.now,
        }  # fmt: skip
        if self.mode == "polling":
            return [TelegramChannel(self.fake.token, **facts)]
        door = Door()
        url = f"{door.url}/telegram/webhook"
        channel = _Hooked(self.fake.token, mode="webhook", webhook_url=url, webhook_secret="geheim", **facts)
        channel.door = door
        return [channel]

    def prepare(self, cast: Sequence[Person]) -> None:
        for person in cast:
            self._user(self.account(person.id), person.name)

    def upgrades(self) -> None:
        """The group becomes a supergroup, with another number; people go on there."""
        self.room = self.room.upgrades()
        self.group = str(self.room.id)
        self._heard()

    def _user(self, account: str, name: str) -> Any:
        if account not in self.users:
            self.users[account] = self.fake.user(name, id=int(account), started=True)
            self.room.add(self.users[account])
        return self.users[account]

    async def deliver(self, event: Event) -> Answer:
        return await asyncio.to_thread(self._act, event)

    def _act(self, event: Event) -> Answer:
        who = self._user(event.sender.id, "访客")
        match event:
            case Tapped():
                press = who.forges(self._message(event), event.token)
                toast = press.wait(10)
                self._heard()
                return Answer(toast, bool(press.alert))
            case Said() if event.upload is not None:
                before = len(who.inbox)
                room = None if event.place.private else self.room
                who.sends_document(event.upload.name, event.upload.content, caption=event.text, in_=room)
            case Said():
                before = len(who.inbox)
                room = None if event.place.private else self.room
                who.says(event.text, in_=room, reply_to=self._quoted(event))
            case Joined():
                before = len(who.inbox)
                who.starts()
            case _:
                raise NotImplementedError(event)
        self._heard()
        new = who.inbox[before:]
        return Answer(new[0].text if new else None)

    def _quoted(self, said: Said) -> Any:
        """What is answered to: a message of the bot, else somebody's words that the bot need not have heard."""
        if said.quotes is None:
            return None
        chat = self.room if not said.place.private else self.users[said.sender.id].private
        found = self._by_ref(said.place.id, said.quotes)
        return found or self.fake.new_message(chat, self._user(str(FIRST), "别人").as_dict(), text="（别的话）")

    def _heard(self) -> None:
        self.fake.wait(lambda: self.fake.pending == 0, timeout=20)

    def _message(self, tap: Tapped) -> Any:
        found = self._by_ref(tap.place.id, tap.message or "")
        known = [*([found] if found else []), *self._all(tap.place.id), *self.room.from_bot]
        assert known, "nobody can press a button where the bot has said nothing"
        return known[0]

    def _all(self, place: str) -> list[Any]:
        """What our bot has said; an anonymous administrator is a bot, too."""
        said = self.room.from_bot if place == self.group else self.users[place].inbox
        return [message for message in said if message.sender["id"] == self.fake.bot_id]

    def _by_ref(self, place: str, ref: str) -> Any:
        return next((message for message in self._all(place) if str(message.id) == ref), None)

    def messages(self, place: str) -> list[Seen]:
        if place != self.group and place not in self.users:
            return []
        return [self._seen(message) for message in self._all(place) if not message.deleted]

    def _seen(self, message: Any) -> Seen:
        buttons = [(label, data) for row in message.buttons for label, data in row]
        document = None
        if message.document is not None:
            facts = message.document
            document = Document(facts.get("file_name", ""), facts.get("mime_type", ""), message.file)
        text = message.text or (document.name if document else "")
        return Seen(str(message.id), text, buttons, message.edits, document)

    async def settled(self) -> None:
        await asyncio.to_thread(self._heard)

    def close(self) -> None:
        self.fake.stop()


# --- the web page ---------------------------------------------------------------------------------------------


class _Paged(WebChannel):
    """The channel with its own door."""

    door: Door

    async def listen(self, hear: Hear) -> None:
        await asyncio.gather(super().listen(hear), self.door.open(build(self, hosts=HOSTS, demo=True)))

    async def close(self) -> None:
        await super().close()
        await self.door.close()


class WebStage(Stage):
    channel = "web"
    group = "all"

    def account(self, number: int) -> str:
        return f"p{number}" if number < 9000 else f"g{number:08x}"

    talk = account

    def __init__(self) -> None:
        self.browser = httpx.Client(trust_env=False, timeout=30)
        self.files: dict[str, Document] = {}

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        self.running = running
        channel = _Paged(running.desk, running.shelves, running.school, running.now)
        channel.door = self.door = Door()
        return [channel]

    async def deliver(self, event: Event) -> Answer:
        return await asyncio.to_thread(self._act, event)

    async def settled(self) -> None:
        await self.door.is_open.wait()

    def _act(self, event: Event) -> Answer:
        deed = {"id": event.id.rpartition(":")[2], "place": "me" if event.place.private else "all"}
        base, more = self._base(event.sender.id), {"origin": self.door.url}
        match event:
            case Tapped():
                tapped = {**deed, "token": event.token, "message": event.message}
                answer = self.browser.post(f"{base}tap", json=tapped, headers=more)
            case Said() if event.upload is not None:
                more["x-file-name"] = quote(event.upload.name)
                answer = self.browser.post(f"{base}upload", params=deed, content=event.upload.content, headers=more)
            case Said():
                said = {**deed, "text": event.text, "quotes": event.quotes}
                answer = self.browser.post(f"{base}say", json=said, headers=more)
            case Joined():
                answer = self.browser.post(f"{base}open", headers=more)
            case _:
                raise NotImplementedError(event)
        found = answer.json()
        return Answer(found.get("toast") or found.get("error"), bool(found.get("alert")), found.get("ok", False))

    def _base(self, account: str) -> str:
        return f"{self.door.url}/as/{account}/"

    def messages(self, place: str) -> list[Seen]:
        """All of them, also those for which one must press 更早的消息."""
        base = self._base(place if place != self.group else self.account(1))
        where = "all" if place == self.group else "me"
        page = _Page(where)
        page.feed(self.browser.get(base).text)
        seen = page.seen
        while page.more:
            found = self.browser.get(f"{base}older", params={"before": page.first, "place": where}).json()
            page = _Page(where, here=True, more=found["more"])
            page.feed(found["html"])
            seen = [*page.seen, *seen]
        return [self._with_file(base, one) for one in seen]

    def _with_file(self, base: str, seen: Seen) -> Seen:
        if seen.document is not None:
            if seen.document.mime not in self.files:
                got = self.browser.get(base + seen.document.mime)
                self.files[seen.document.mime] = Document(seen.text, got.headers["content-type"], got.content)
            seen.document = self.files[seen.document.mime]
        return seen

    def close(self) -> None:
        self.browser.close()


BLOCKS = ("p", "h4", "h5", "li", "dt", "tr", "blockquote", "footer")


class _Page(HTMLParser):
    """What the bot has said in one conversation of the page, a line for each block. ``where``: ``all`` or ``me``."""

    def __init__(self, where: str, *, here: bool = False, more: bool = False) -> None:
        super().__init__()
        self.seen: list[Seen] = []
        self.more = more  # there is more before
        self.first = ""  # the number of the oldest message, whoever said it
        self._want = where
        self._here = here
        self._mine: Seen | None = None
        self._open: list[str] = []  # the tags inside the message
        self._words = 0  # how deep we were when its own words began; 0: not in them
        self._label: list[str] | None = None
        self._token = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {key: value or "" for key, value in attrs}
        if tag == "section":
            self._here = facts.get("data-where") == self._want
        if self._here and tag == "button" and facts.get("class") == "older":
            self.more = True
        if self._mine is not None:
            self._inside(tag, facts)
        elif tag == "li" and self._here and "data-seq" in facts:
            self.first = self.first or facts["data-seq"]
            if not facts.get("data-account"):
                self._mine, self._open = Seen(facts["data-seq"], ""), []
                self.seen.append(self._mine)

    def _inside(self, tag: str, facts: dict[str, str]) -> None:
        assert self._mine is not None
        if tag in ("br", "img", "input", "hr", "rect"):
            return
        self._open.append(tag)
        classes = facts.get("class", "").split()
        if not self._words and ("bubble" in classes or "card" in classes):
            self._words = len(self._open)
        if self._words and tag in BLOCKS and self._mine.text:
            self._mine.text += "\n"
        if tag == "button" and "data-token" in facts:
            self._label, self._token = [], facts["data-token"]
        if tag == "a" and facts.get("href", "").startswith("file/"):
            self._mine.document = Document("", facts["href"], b"")

    def handle_endtag(self, tag: str) -> None:
        if self._mine is None or tag in ("br", "img", "input", "hr", "rect"):
            return
        if not self._open:
            self._mine = None
            return
        if self._label is not None and tag == "button":
            self._mine.buttons.append(("".join(self._label).strip(), self._token))
            self._label = None
        if self._words == len(self._open):
            self._words = 0
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._mine is None or not self._words or self._open[-1:] == ["em"]:
            return
        if self._label is not None:
            self._label.append(data)
        elif data.strip() or self._open[-1:] == ["bdi"]:
            self._mine.text += data


STAGES = {
    "paper": PaperStage,
    "telegram-polling": lambda: TelegramStage("polling"),
    "telegram-webhook": lambda: TelegramStage("webhook"),
    "web": WebStage,
    "wecom": WecomStage,
}

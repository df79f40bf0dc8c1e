"""The state behind the fake: clock, chats, messages, the queue of updates, and the book of what people saw.

Everything is touched under one lock (`World.changed`), from the test's thread and from the server's loop alike;
every change wakes whoever waits for a condition.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tests.fakes.telegram_updates import UpdateQueue

if TYPE_CHECKING:
    from tests.fakes.telegram_chats import Chat
    from tests.fakes.telegram_people import Person, Press

Json = dict[str, Any]
T = TypeVar("T")


class FakeClock:
    """The fake's wall clock: real time, moved. Seconds since 1970."""

    def __init__(self) -> None:
        self._moved = 0.0
        self._frozen: float | None = None
        self.on_change: Callable[[], None] = lambda: None

    def now(self) -> float:
        return (time.time() if self._frozen is None else self._frozen) + self._moved

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        self._moved += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        self.on_change()

    def set(self, moment: datetime) -> None:
        if moment.tzinfo is None:
            raise ValueError("a naive datetime says nothing")
        self._moved += moment.timestamp() - self.now()
        self.on_change()

    def freeze(self) -> None:
        self._frozen = time.time() if self._frozen is None else self._frozen


class Diary:
    """Append-only record of what people saw and what the bot confirmed; one JSON object a line when it has a file."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.lines: list[Json] = []
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644) if path else None

    def note(self, what: str, **facts: Any) -> None:
        line = {"ns": time.monotonic_ns(), "what": what, **facts}
        self.lines.append(line)
        if self._file is not None:
            os.write(self._file, msgspec.json.encode(line) + b"\n")

    def of(self, *kinds: str) -> list[Json]:
        return [line for line in self.lines if line["what"] in kinds]

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


@dataclass(slots=True)
class Call:
    """One call of the bot, as the server saw it. `at` is time.monotonic(); status 0 = the connection was cut."""

    method: str
    params: Json
    at: float
    status: int = 0
    description: str = ""
    result: Any = None
    ended: float = 0.0


@dataclass(eq=False)
class Message:
    """A message as people see it now."""

    chat: Chat
    id: int
    sender: Json
    date: int
    text: str = ""  # a caption counts as text
    entities: list[Json] = field(default_factory=list)
    markup: Json | None = None
    reply_to: Message | None = None
    extra: Json = field(default_factory=dict)  # document, service fields
    edit_date: int = 0
    edits: int = 0
    versions: list[str] = field(default_factory=list)
    deleted: bool = False
    pinned: bool = False
    reactions: dict[int, list[Json]] = field(default_factory=dict)

    @property
    def from_bot(self) -> bool:
        return bool(self.sender.get("is_bot"))

    @property
    def buttons(self) -> list[list[tuple[str, str | None]]]:
        """Rows of (label, callback data); data is None for a link button."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [[(b["text"], b.get("callback_data")) for b in row] for row in rows]

    @property
    def labels(self) -> list[str]:
        return [label for row in self.buttons for label, _ in row]

    @property
    def document(self) -> Json | None:
        return self.extra.get("document")

    @property
    def file(self) -> bytes:
        """The bytes of the attached document."""
        assert self.document is not None, "no document in this message"
        return self.chat.world.files[self.document["file_id"]].data

    def as_dict(self, with_reply: bool = True) -> Json:
        told: Json = {"message_id": self.id, "from": self.sender, "chat": self.chat.as_dict(), "date": self.date}
        if self.edit_date:
            told["edit_date"] = self.edit_date
        if with_reply and self.reply_to is not None and not self.reply_to.deleted:
            told["reply_to_message"] = self.reply_to.as_dict(with_reply=False)
        if self.text:
            told["caption" if "document" in self.extra else "text"] = self.text
        if self.entities:
            told["caption_entities" if "document" in self.extra else "entities"] = self.entities
        told.update(self.extra)
        if self.markup and "inline_keyboard" in self.markup:
            told["reply_markup"] = self.markup
        return told

    def __repr__(self) -> str:
        return f"<Message {self.chat.id}/{self.id} {self.text[:40]!r} {self.labels}>"


@dataclass(slots=True)
class StoredFile:
    data: bytes
    name: str
    mime: str
    path: str


class World:
    """People, chats, files, updates. The server and the people side are written on top of it."""

    def __init__(self, token: str, name: str, username: str, privacy: bool, seed: int | None, log: Any) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.version = 0
        self.random = random.Random(seed)
        self.token = token
        self.name, self.username = name, username
        self.privacy = privacy
        self.privacy_hears_mentions = True
        self.callback_age_limit = 60.0  # seconds of the fake's clock in which a press can still be answered
        self.press_lives = 150.0  # seconds a press waits in the queue: so in the real server's source
        self.strict_schema = False
        self.clock = FakeClock()
        self.clock.on_change = self.touch
        self.diary = Diary(log)
        self.calls: list[Call] = []
        self.in_flight = 0
        self.people: dict[int, Person] = {}
        self.chats: dict[int, Chat] = {}
        self.presses: dict[str, Press] = {}
        self.files: dict[str, StoredFile] = {}
        self.commands: list[Json] = []
        self.queue = UpdateQueue(self.clock.now, self.random, self.diary.note)
        self.wake: Callable[[], None] = lambda: None  # set by the server: somebody may be polling
        self._next_message = 0

    # waiting

    def touch(self) -> None:
        """Something changed: wake those who wait for a condition."""
        with self.changed:
            self.version += 1
            self.changed.notify_all()

    def wait(self, condition: Callable[[], T], timeout: float = 5.0, what: str = "") -> T:
        """Waits until `condition()` is true and returns its value; looks again after every change."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                value = condition()
                if value:
                    return value
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"waited {timeout} s for {what or condition}; {self.story()}")
                self.changed.wait(left)

    def story(self) -> str:
        """The last calls and the pending updates, for a failing test."""
        last = "\n  ".join(f"{c.method} {c.params} -> {c.status} {c.description}" for c in self.calls[-6:])
        return f"{self.queue.size()} updates pending; last calls of the bot:\n  {last or '(none)'}"

    # the bot

    @property
    def bot_id(self) -> int:
        return int(self.token.split(":")[0])

    def bot_user(self) -> Json:
        return {"id": self.bot_id, "is_bot": True, "first_name": self.name, "username": self.username}

    # messages

    def new_message(self, chat: Chat, sender: Json, **more: Any) -> Message:
        """Ids count per supergroup, but together over private chats and basic groups: as the real ones do."""
        if chat.kind == "supergroup":
            chat.last_message += 1
            number = chat.last_message
        else:
            self._next_message += 1
            number = self._next_message
        message = Message(chat, number, sender, int(self.clock.now()), **more)
        message.versions.append(message.text)
        chat.book[number] = message
        return message

    def store_file(self, data: bytes, name: str, mime: str) -> str:
        number = len(self.files) + 1
        file_id = f"BQACAgUAAx{number:08d}{self.random.getrandbits(64):016x}"
        self.files[file_id] = StoredFile(data, name, mime, f"documents/file_{number}{os.path.splitext(name)[1]}")
        return file_id

    def document(self, file_id: str) -> Json:
        stored = self.files[file_id]
        return {
            "file_id": file_id,
            "file_unique_id": f"AgAD{file_id[10:18]}",
            "file_name": stored.name,
            "mime_type": stored.mime,
            "file_size": len(stored.data),
        }

    # updates

    def emit(self, kind: str, body: Json, lives: float = 86400.0) -> int | None:
        """Queues an update if the bot asked for its kind; returns its id. Unwanted kinds are lost for good."""
        with self.changed:
            if self.strict_schema:
                self.check_schema({"update_id": 1, kind: body})
            number = self.queue.add(kind, body, lives)
            self.touch()
            self.wake()
            return number

    def check_schema(self, update: Json) -> None:
        from aiogram.types import Update  # three seconds of import, so only when asked for

        Update.model_validate(update)

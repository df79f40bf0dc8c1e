"""The state behind the fake WeCom: clock, people, conversations, messages as each viewer sees them, and the book.

Everything is touched under one lock (`World.changed`), from the test's thread and from the server's loop alike; every
change wakes whoever waits for a condition.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tests.fakes.telegram_world import Diary, FakeClock

if TYPE_CHECKING:
    from tests.fakes.wecom_people import Group, Person, Press

Json = dict[str, Any]
T = TypeVar("T")


class Refused(Exception):
    """The platform says no: an errcode and its text."""

    def __init__(self, errcode: int, errmsg: str = "") -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode, self.errmsg = errcode, errmsg or f"error {errcode}"


@dataclass(eq=False)
class Message:
    """What the bot (or the app, or a group webhook) said in one conversation."""

    world: World
    talk: str  # the chatid or the userid
    id: int
    kind: str  # markdown | template_card | file | text | ...
    text: str = ""
    card: Json | None = None
    via: str = "bot"  # bot | app | webhook
    at: float = 0.0
    file: tuple[str, bytes] | None = None
    quotes: str | None = None  # the req_id it answers
    views: dict[str, Json] = field(default_factory=dict)  # userid -> the card as that person sees it after updates
    updates: int = 0
    recalled: bool = False
    mentioned: list[str] = field(default_factory=list)
    msgid: str = ""

    @property
    def task_id(self) -> str:
        return str((self.card or {}).get("task_id", ""))

    def card_for(self, who: str) -> Json | None:
        return self.views.get(who, self.card)

    def text_for(self, who: str) -> str:
        """Everything there is to read on it."""
        card = self.card_for(who)
        return self.text if card is None else words(card)

    def choices_for(self, who: str) -> list[tuple[str, str]]:
        """(label, key) of every button or option that can be chosen now."""
        return choices(self.card_for(who) or {})

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in choices(self.card or {})]

    def __repr__(self) -> str:
        return f"<Message {self.talk}/{self.id} {self.kind} {(self.text or words(self.card or {}))[:40]!r}>"


def words(card: Json) -> str:
    """The texts of a card, from top to bottom, without its buttons."""
    title, lines = card.get("main_title", {}), []
    lines += [title.get("title", ""), title.get("desc", "")]
    emphasis = card.get("emphasis_content", {})
    lines += [emphasis.get("title", ""), emphasis.get("desc", ""), card.get("sub_title_text", "")]
    for row in card.get("horizontal_content_list", []):
        lines.append(f"{row.get('keyname', '')} {row.get('value', '')}")
    for row in card.get("vertical_content_list", []):
        lines.append(f"{row.get('title', '')} {row.get('desc', '')}")
    lines.append(card.get("replace_text", ""))
    return "\n".join(line for line in lines if line.strip())


def choices(card: Json) -> list[tuple[str, str]]:
    if card.get("replace_text"):
        return []
    found = [(b.get("text", ""), b.get("key", "")) for b in card.get("button_list", []) if not b.get("replaced")]
    for box in [card.get("checkbox"), *card.get("select_list", [])]:
        if box and not box.get("disable"):
            found += [(option.get("text", ""), option.get("id", "")) for option in box.get("option_list", [])]
    return found


@dataclass(slots=True)
class Talk:
    """One conversation as the limits see it."""

    id: str
    activated_at: float | None = None
    sent: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Req:
    """A req_id that the server gave out with a callback."""

    id: str
    kind: str  # msg | card | enter
    talk: str
    who: str
    at: float
    task_id: str = ""
    used: bool = False
    press: Press | None = None


@dataclass(slots=True)
class Call:
    """One command (or HTTP call) of the bot, as the server saw it."""

    cmd: str
    body: Json
    at: float
    errcode: int | None = None
    errmsg: str = ""


@dataclass(slots=True)
class Stored:
    name: str
    data: bytes
    key: bytes = b""  # encrypted for the long connection with this key
    until: float = 0.0


class World:
    """People, groups, messages, req_ids. The server and the people side are written on top of it."""

    def __init__(self, bot_id: str, secret: str, name: str, corp_id: str, seed: int | None, log: Any) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.version = 0
        self.random = random.Random(seed)
        self.bot_id, self.secret, self.name, self.corp_id = bot_id, secret, name, corp_id
        self.clock = FakeClock()
        self.clock.on_change = self.touch
        self.diary = Diary(log)
        self.calls: list[Call] = []
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.talks: dict[str, Talk] = {}
        self.messages: list[Message] = []
        self.reqs: dict[str, Req] = {}
        self.task_ids: dict[str, Message] = {}
        self.files: dict[str, Stored] = {}
        self.folded: list[str] = []  # texts longer than 建议: shown folded
        self.dropped: list[Json] = []  # what the platform silently threw away
        # what nobody could verify (reference, section 15): either way
        self.enter_activates = False
        self.cold_code = 846605
        self.keeps_messages = True  # callbacks that found no connection come after the next subscribe
        self.updates_may_change_type = False
        self.updates_count = False  # card updates count for the 30 a minute
        self.limited = True
        self.emit: Callable[[Json, bool], bool] = lambda frame, keep: False

    # waiting

    def touch(self) -> None:
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
                self.changed.wait(min(left, 0.25))

    def story(self) -> str:
        last = "\n  ".join(f"{c.cmd} {str(c.body)[:300]} -> {c.errcode} {c.errmsg}" for c in self.calls[-6:])
        return f"last calls of the bot:\n  {last or '(none)'}"

    def calls_of(self, *commands: str) -> list[Call]:
        with self.changed:
            return [call for call in self.calls if call.cmd in commands]

    # conversations

    def talk(self, id: str) -> Talk:
        return self.talks.setdefault(id, Talk(id))

    def viewers(self, talk: str) -> list[str]:
        return list(self.groups[talk].members) if talk in self.groups else [talk]

    def say(self, talk: str, kind: str, **more: Any) -> Message:
        message = Message(self, talk, len(self.messages) + 1, kind, at=self.clock.now(), **more)
        self.messages.append(message)
        shown = message.text or words(message.card or {})
        self.diary.note(
            "sent",
            chat=talk,
            message=message.id,
            kind=kind,
            via=message.via,
            text=shown,
            task_id=message.task_id,
            buttons=choices(message.card or {}),
            quotes=message.quotes,
        )
        self.touch()
        return message

    def new_req(self, kind: str, talk: str, who: str, **more: Any) -> Req:
        req = Req(
            f"req_{len(self.reqs) + 1}_{self.random.getrandbits(48):012x}", kind, talk, who, self.clock.now(), **more
        )
        self.reqs[req.id] = req
        return req

    def store(self, name: str, data: bytes, key: bytes = b"", lives: float = 300.0) -> str:
        number = f"f{len(self.files) + 1}{self.random.getrandbits(64):016x}"
        self.files[number] = Stored(name, data, key, self.clock.now() + lives)
        return number

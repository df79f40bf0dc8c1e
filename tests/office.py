"""A school office that a test can talk to. The same dialogue runs on every stage: paper (in memory), web, Telegram.

    def test_a_second_thought_replaces_the_first(office):
        office["办公室"].says("发通知 周五下午三点半 三楼会议室 教学例会").confirms()
        office["王老师"].taps("请假")
        office["王老师"].taps("能到")
        assert office.card.tally == {"能到": 1, ...}

Every step waits until nothing that is due is left to do, so there is no sleeping and no luck.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from bot.app import RunningSchool
from bot.engine.port import Answer, Channel, Content, DeliveryFailed, Document, Hear, Limits
from bot.engine.router import build
from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.card import Block, Card, Facts, Tally
from bot.kit.context import School, View, Way
from bot.kit.event import Account, Event, Joined, Place, Said, Tapped, Upload
from bot.kit.feature import Feature, Month
from storage import outbox, people
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.people import Person

T = TypeVar("T")
ZONE = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=ZONE)  # the office opens
CAST = (("李校长", "principal"), ("办公室", "office"), ("王老师", "staff"), ("张老师", "staff"))
GROUP = "群"
VISITORS = 9000  # their numbers begin here


class FakeTime:
    """The school's clock, moved by hand; it also runs backwards, if a test is that cruel."""

    def __init__(self, start: datetime = MONDAY) -> None:
        self.at = start.astimezone(UTC)

    def __call__(self) -> datetime:
        return self.at


@dataclass(slots=True)
class Seen:
    """A message as somebody sees it."""

    ref: str
    text: str
    buttons: list[tuple[str, str]] = field(default_factory=list)  # label, token
    edits: int = 0
    document: Document | None = None


class Stage:
    """Where a dialogue is played. ``account`` and ``talk`` of a person are made from their number on the roster."""

    channel = "paper"
    group = "group"
    call = ""  # what words in the group must begin with
    toasts_stay = False  # what a press is answered with is seen later, too
    ways: Mapping[str, Way] = {}  # how its people find the bot
    edits = True  # a message that was sent is changed without anybody pressing it

    def account(self, number: int) -> str:
        return f"u{number}"

    def talk(self, number: int) -> str:
        return f"u{number}"

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        raise NotImplementedError

    def prepare(self, cast: Sequence[Person]) -> None:
        """The platform's own people and rooms, before the school starts."""

    async def deliver(self, event: Event) -> Answer:
        """Somebody did something; what they were answered at once."""
        raise NotImplementedError

    def messages(self, place: str) -> list[Seen]:
        raise NotImplementedError

    async def settled(self) -> None:
        """Nothing that the platform still has to bring."""

    def close(self) -> None:
        """The platform goes away; the school is closed already."""


class Paper(Channel):
    """A channel without a platform: what is sent is kept as it was drawn."""

    def __init__(self) -> None:
        self.places: dict[str, list[Seen]] = {}
        self.cards: dict[tuple[str, str], Card] = {}
        self.hear: Hear | None = None
        self.broken: Callable[[Place], DeliveryFailed | None] = lambda place: None

    name = "paper"
    limits = Limits()

    async def send(self, place: Place, content: Content) -> Sequence[str]:
        if failure := self.broken(place):
            raise failure
        kept = self.places.setdefault(place.id, [])
        seen = Seen(str(len(kept) + 1), "")
        self._show(place.id, seen, content)
        kept.append(seen)
        return [seen.ref]

    async def edit(self, place: Place, ref: str, card: Card, *, final: bool) -> None:
        seen = self.places[place.id][int(ref) - 1]
        self._show(place.id, seen, card)
        seen.edits += 1

    def _show(self, place: str, seen: Seen, content: Content) -> None:
        match content:
            case str():
                seen.text = content
            case Card():
                seen.text, seen.buttons = plain(content), [(b.label, b.action.pack()) for b in content.buttons]
                self.cards[place, seen.ref] = content
            case Document():
                seen.text, seen.document = content.name, content

    async def listen(self, hear: Hear) -> None:
        self.hear = hear
        await asyncio.Event().wait()

    async def close(self) -> None:
        return

    async def check(self) -> Sequence[str]:
        return ()


def plain(card: Card) -> str:
    """A card in words, for reading in tests."""
    lines = [card.title]
    for block in card.body:
        if isinstance(block, Facts):
            lines += [f"{name}：{value}" for name, value in block.pairs]
        else:
            lines.append(str(getattr(block, "text", None) or block))
    return "\n".join([*lines, card.foot])


class PaperStage(Stage):
    def __init__(self) -> None:
        self.paper = Paper()

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        self.running = running
        return [self.paper]

    async def deliver(self, event: Event) -> Answer:
        return await self.running.reception.hear(event)

    def messages(self, place: str) -> list[Seen]:
        return self.paper.places.get(place, [])


class Somebody:
    """A person with a phone. Verbs return the person, so that a story can go on in one line."""

    def __init__(self, office: Office, name: str, number: int | None) -> None:
        self.office = office
        self.name = name
        self.number = number
        self.answer = Answer()

    @property
    def account(self) -> Account:
        return Account(self.office.stage.channel, self.office.stage.account(self._place_in_line))

    @property
    def talk(self) -> Place:
        return Place(self.office.stage.channel, self.office.stage.talk(self._place_in_line), private=True)

    @property
    def _place_in_line(self) -> int:
        """On the roster, or among the visitors."""
        return self.number if self.number is not None else VISITORS + list(self.office.people).index(self.name)

    @property
    def toast(self) -> str | None:
        """What the last tap was answered with, at once."""
        return self.answer.toast

    @property
    def inbox(self) -> list[str]:
        """Every private message from the bot, oldest first."""
        return [seen.text for seen in self.office.stage.messages(self.talk.id)]

    @property
    def last(self) -> str:
        return self.inbox[-1] if self.inbox else ""

    @property
    def documents(self) -> list[Document]:
        return [m.document for m in self.office.stage.messages(self.talk.id) if m.document is not None]

    def says(
        self, text: str, *, in_group: bool = False, quotes: str | None = None, file: tuple[str, bytes] | None = None
    ) -> Somebody:
        """Types in private, or in the group. ``quotes``: the ref of the message answered."""
        place = self.office.room if in_group else self.talk
        upload = Upload(*file) if file else None
        self._does(Said(self._id(), self._at(), self.account, place, text, quotes, upload))
        return self

    def passes_on(self, text: str, *, in_group: bool = False) -> Somebody:
        """Forwards what somebody else wrote."""
        place = self.office.room if in_group else self.talk
        self._does(Said(self._id(), self._at(), self.account, place, text, passed_on=True))
        return self

    def taps(self, label: str, *, in_: str | None = None, reason: str | None = None) -> Somebody:
        """Presses the newest button of that label, in private first, then in the group (or only ``in_`` 私聊/群)."""
        place, seen, token = self._find(label, in_)
        self._does(Tapped(self._id(), self._at(), self.account, place, token, seen.ref))
        if reason is not None:
            self.says(reason)
        return self

    def forges(self, token: str, *, in_group: bool = True) -> Somebody:
        """Presses a button that nobody offered."""
        place = self.office.room if in_group else self.talk
        self._does(Tapped(self._id(), self._at(), self.account, place, token, "1"))
        return self

    def confirms(self) -> Somebody:
        return self.taps("确认发送")

    def comes(self) -> Somebody:
        """Opens the private talk."""
        self._does(Joined(self._id(), self._at(), self.account, self.talk))
        return self

    def brings_bot(self, title: str = "全体教职工群") -> Somebody:
        """Adds the bot to the group."""
        self._does(Joined(self._id(), self._at(), self.account, self.office.room, title))
        return self

    def sees(self, label: str) -> bool:
        """Is there a button of that label?"""
        try:
            self._find(label, None)
        except AssertionError:
            return False
        return True

    def told(self, words: str) -> bool:
        """Were these words said to them just now, on the open callback or in private?"""
        return words in (self.toast or "") or any(words in text for text in self.inbox[-3:])

    def finds_closed(self, label: str) -> bool:
        """There is no such button left; or it stands, and pressing it shows the card without it."""
        if self.office.stage.edits or not self.sees(label):
            return not self.sees(label)
        place, seen, token = self._find(label, None)
        self._does(Tapped(self._id(), self._at(), self.account, place, token, seen.ref))
        now = next(one for one in self.office.stage.messages(place.id) if one.ref == seen.ref)
        return not any(shown == label for shown, _token in now.buttons)

    def _find(self, label: str, in_: str | None) -> tuple[Place, Seen, str]:
        places = [p for p, word in ((self.talk, "私聊"), (self.office.room, GROUP)) if in_ in (None, word)]
        for place in places:
            for seen in reversed(self.office.stage.messages(place.id)):
                for shown, token in seen.buttons:
                    if shown == label:
                        return place, seen, token
        raise AssertionError(f"{self.name} sees no button {label!r}")

    def _does(self, event: Event) -> None:
        self.answer = self.office.run(self.office.stage.deliver(event))
        self.office.settle()

    def _id(self) -> str:
        return f"{self.office.stage.channel}:test:{uuid.uuid4()}"

    def _at(self) -> datetime:
        return self.office.time()


@dataclass(slots=True)
class Shown:
    """A card as the rows make it now."""

    key: str
    card: Card

    @property
    def tally(self) -> dict[str, int]:
        for block in self.card.body:
            if isinstance(block, Tally):
                return dict(block.counts)
        return {}

    @property
    def text(self) -> str:
        return plain(self.card)

    @property
    def labels(self) -> list[str]:
        return [button.label for button in self.card.buttons]


class Office:
    """Starts a school on ``stage`` with ``staff`` people (the cast first) and one bound group."""

    def __init__(
        self,
        url: str,
        features: Sequence[Feature],
        stage: Stage | None = None,
        *,
        staff: int = 38,
        start: datetime = MONDAY,
        fresh: bool = True,
        secrets: Path | None = None,
    ) -> None:
        self.stage = stage or PaperStage()
        self.time = FakeTime(start)
        self.url = url
        self.secrets = secrets or _beside(url)
        self.features = features
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="school", daemon=True)
        self._thread.start()
        self.people: dict[str, Somebody] = {}
        if fresh:
            self._seed(staff)
        self._open()

    def _seed(self, staff: int) -> None:
        shelves = Shelves(self.url)
        metadata.create_all(shelves.writer)
        names = [*CAST, *((f"老师{n:02d}", "staff") for n in range(len(CAST) + 1, staff + 1))]
        with shelves.writer.connect() as connection, connection.begin():
            db = Db(connection)
            people.meet_group(db, self.stage.channel, self.stage.group, "全体教职工群")
            people.bind_group(db, self.stage.channel, self.stage.group, self.time())
            for name, role in names[:staff]:
                number = people.add(db, Person(0, name, "教学部", "群众", role))
                account, talk = self.stage.account(number), self.stage.talk(number)
                people.bind(db, number, self.stage.channel, account, talk=talk, now=self.time())
            db.flush()
        shelves.close()

    def _open(self) -> None:
        shelves = Shelves(self.url)
        with shelves.reading() as db:
            cast = people.active(db)
        for person in cast:
            self.people[person.name] = Somebody(self, person.name, person.id)
        self.stage.prepare(cast)
        hours, quiet = when.SchoolHours(zone=ZONE), when.QuietHours()
        facts: dict[str, Any] = {"secrets": self.secrets, "call": self.stage.call, "ways": self.stage.ways}
        school = School("红烛中学", hours, quiet, Calendar(), **facts)
        router = build(self.features)
        self.running = RunningSchool(shelves, school, router, now=self.time, channels=self.stage.channels)
        self.run(self.running.start())
        self.settle()

    def __getitem__(self, name: str) -> Somebody:
        """Somebody by name; a name that is not on the roster is a visitor."""
        return self.people.setdefault(name, Somebody(self, name, None))

    @property
    def room(self) -> Place:
        return Place(self.stage.channel, self.stage.group, private=False)

    @property
    def group(self) -> list[str]:
        """Every message of the bot in the group, as it stands now."""
        return [seen.text for seen in self.stage.messages(self.room.id)]

    @property
    def board(self) -> str:
        """All that stands in the group now, as one text."""
        return "\n".join(self.group)

    def face(self, number: int, of: Somebody | None = None) -> str:
        """A message of the group, or of somebody's private talk, as it stands; or, where only a press shows a card
        anew, as it would then."""
        place = of.talk if of is not None else self.room
        seen = self.stage.messages(place.id)[number]
        with self.reading() as db:
            key = outbox.card_of(db, place.channel, place.id, seen.ref)
        return seen.text if self.stage.edits or key is None else self.shown(key).text

    @property
    def card(self) -> Shown:
        """The newest card in the group."""
        for seen in reversed(self.stage.messages(self.room.id)):
            with self.reading() as db:
                key = outbox.card_of(db, self.room.channel, self.room.id, seen.ref)
            if key is not None:
                return self.shown(key)
        raise AssertionError("there is no card in the group")

    def shown(self, key: str) -> Shown:
        with self.reading() as db:
            card = self.running.router.draw(View(db, self.time(), self.running.school), key)
        assert card is not None, key
        return Shown(key, card)

    def section(self, title: str, month: date) -> Sequence[Block]:
        """What a feature tells of a month."""
        with self.reading() as db:
            view = View(db, self.time(), self.running.school)
            return next(feature.sections[title] for feature in self.features if title in feature.sections)(
                view, Month(month)
            )

    def reading(self) -> Any:
        return self.running.shelves.reading()

    def ask(self, question: Callable[[Db], T]) -> T:
        """A question to the shelves."""
        with self.reading() as db:
            return question(db)

    def write(self, work: Callable[[Db], T]) -> T:
        """Something done at the desk that no person does."""
        result = self.run(self.running.desk.do(work))
        self.settle()
        return result

    def later(self, *, to: str | None = None, **span: float) -> None:
        """Time passes: ``later(hours=3)`` or ``later(to="周四 10:00")``; what falls due on the way happens in order."""
        goal = self.time() + timedelta(**span)
        if to is not None:
            reading = when.read(to, self.time().astimezone(ZONE), self.running.school.hours)
            assert reading is not None and reading.start is not None, to
            goal = reading.start.astimezone(UTC)
        while (next_at := self._next_due()) is not None and next_at <= goal:
            self.time.at = max(next_at, self.time.at)
            self.run(self.running.clock.tick())
            self.settle()
        self.time.at = goal
        self.run(self.running.clock.tick())
        self.settle()

    def _next_due(self) -> datetime | None:
        due = [self.running.clock._next(), self.running.postman.next_due()]
        return min((at for at in due if at is not None), default=None)

    def settle(self) -> None:
        """Until nothing that is due is left to do."""
        self.run(self._settled())

    async def _settled(self) -> None:
        for _ in range(200):
            await self.stage.settled()
            await self.running.postman.idle()
            if self.running.workshop.idle:
                return
            await asyncio.sleep(0.02)  # a child is working
        raise AssertionError("the school does not come to rest")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def restart(self) -> None:
        """Stops the school and opens it again on the same database."""
        self.run(self.running.stop())
        self._open()

    def close(self) -> None:
        self.run(self.running.stop())
        self.stage.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _beside(url: str) -> Path:
    """Where keys live: beside the SQLite file, or in a folder of its own where the database is a server."""
    file = make_url(url).database if url.startswith("sqlite") else None
    return Path(file).parent / "secrets" if file else Path(tempfile.mkdtemp(prefix="secrets-"))


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'school.db'}"

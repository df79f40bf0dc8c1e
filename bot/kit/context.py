"""One typed context: facts of this event, or a verb; nothing else is ever added to it.

The verbs only note effects. The pipeline turns them into rows in the same transaction, so that what a handler
kept and what it said are durable together or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.event import Place, Upload
from storage.base import Db
from storage.people import Person


@dataclass(frozen=True, slots=True)
class Way:
    """How a teacher finds the bot on a platform. ``steps`` stands within a sentence: 在企业微信里搜索“红烛”并打开.

    ``first``: we may write to somebody there who never came; their account is then the address of their talk.
    """

    title: str
    steps: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class School:
    """What is true of the school whatever happens: its name, its zone, its hours."""

    name: str
    hours: when.SchoolHours
    quiet: when.QuietHours
    calendar: Calendar
    language: str = "zh_CN"
    site: str = ""  # where our own pages are, "https://..." without a slash at its end; empty: nowhere
    reminders_per_matter: int = 2
    reminders_per_day: int = 2
    remind_before: timedelta = timedelta(minutes=60)
    ways: Mapping[str, Way] = field(default_factory=dict)  # by channel
    call: str = ""  # what words must begin with in a group that we hear only then: "@红烛 "
    secrets: Path = Path("secrets")  # where keys live: outside the database and its backups

    @property
    def zone(self) -> ZoneInfo:
        return self.hours.zone

    @property
    def writes_first(self) -> frozenset[str]:
        """The channels where we may write to an account that never wrote to us."""
        return frozenset(channel for channel, way in self.ways.items() if way.first)

    def read_time(self, text: str, now: datetime) -> when.Reading | None:
        return when.read(text, now, self.hours)

    def write_time(self, at: datetime, now: datetime | None = None) -> str:
        return when.write(at, self.zone)

    def echo_time(self, at: datetime) -> str:
        """For whoever is to confirm it: ``10月10日 周六（调休上班） 15:00``."""
        return when.echo(at, self.zone, None, self.calendar)


@dataclass(frozen=True, slots=True)
class Staff:
    """Everybody: one message in each bound group."""


@dataclass(frozen=True, slots=True)
class Persons:
    """Each of these in private, on the channel where they were last seen."""

    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Office:
    """Whoever holds the office role, in private."""


Audience = Staff | Persons | Office | Place


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    to: Audience
    gentle: bool  # may wait for the end of quiet hours
    receipt: bool  # of no use after 12 hours: dropped and logged rather than sent late
    name: str | None  # the same name to the same conversation is sent once
    choices: tuple[str, ...]  # the question's tag, then what can be tapped instead of typed (made by engine.asking)


@dataclass(frozen=True, slots=True)
class Post:
    key: str
    to: Audience
    gentle: bool


@dataclass(frozen=True, slots=True)
class Redraw:
    key: str
    final: bool


@dataclass(frozen=True, slots=True)
class Send:
    file: int
    name: str
    to: Audience
    gentle: bool = False


@dataclass(frozen=True, slots=True)
class Book:
    appointment: str
    at: datetime
    args: dict[str, int | str]
    key: str


@dataclass(frozen=True, slots=True)
class Start:
    work: str
    payload: bytes
    note: dict[str, int | str]


Effect = Say | Post | Redraw | Send | Book | Start


@dataclass(slots=True)
class View:
    """What is needed to draw a card or a section: the rows, the time, the school."""

    db: Db
    now: datetime
    school: School


@dataclass(slots=True)
class Context(View):
    """``person`` is ``None`` for somebody who is not on the roster. ``quoted`` is the key of the card answered to."""

    place: Place
    person: Person | None = None
    quoted: str | None = None
    upload: Upload | None = None
    bind: Callable[[Person], None] = lambda person: None
    effects: list[Effect] = field(default_factory=list)

    @property
    def me(self) -> Person:
        """The person on the roster; only for handlers that ask for a role above guest."""
        assert self.person is not None  # noqa: S101 the router has checked the role
        return self.person

    def say(
        self,
        text: str,
        to: Audience | None = None,
        *,
        gentle: bool = False,
        receipt: bool = False,
        name: str | None = None,
        choices: tuple[str, ...] = (),
    ) -> None:
        """A message; to this conversation unless told otherwise."""
        self.effects.append(Say(text, to or self.place, gentle, receipt, name, choices))

    def post(self, key: str, to: Audience, *, gentle: bool = False) -> None:
        """A new copy of the card ``key`` for everybody in the audience."""
        self.effects.append(Post(key, to, gentle))

    def redraw(self, key: str) -> None:
        """Every copy of the card, where it is cheap; the face is drawn later, from the rows as they then are."""
        self.effects.append(Redraw(key, final=False))

    def settle(self, key: str) -> None:
        """Every copy of the card, for the last time; must arrive, or be sent anew."""
        self.effects.append(Redraw(key, final=True))

    def send(self, file: int, name: str, to: Audience | None = None, *, gentle: bool = False) -> None:
        """A file kept in ``storage.files``."""
        self.effects.append(Send(file, name, to or self.place, gentle))

    def book(self, appointment: str, at: datetime, key: str, **args: int | str) -> None:
        """Our later selves: runs once at ``at``; the same ``key`` books once.

        Where ``at`` is :00 or :30 sharp it runs up to 79 seconds later, never before.
        """
        self.effects.append(Book(appointment, at, args, key))

    def start(self, work: str, payload: bytes, **note: int | str) -> None:
        """Slow work in a child process; its outcome comes back to the feature's ``done`` with ``note``."""
        self.effects.append(Start(work, payload, note))

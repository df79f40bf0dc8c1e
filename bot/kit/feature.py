"""How a feature says what it answers to. Registration is plain data; ``engine.router`` checks it whole at start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from bot.kit.action import Action
from bot.kit.card import Block, Card
from bot.kit.context import Context, View
from bot.kit.event import Said
from bot.kit.form import Form
from bot.kit.reply import Reply
from bot.kit.role import Role

A = TypeVar("A", bound=Action)
F = TypeVar("F", bound=Form)
M = TypeVar("M")
S = TypeVar("S")


class Missed(Enum):
    """What becomes of a rhythm that was due while we were down. There is no default: somebody must have thought."""

    RUN_LATE = "run_late"  # once, on waking, however many were missed
    SKIP = "skip"  # not at all; it is logged and the office is told


@dataclass(frozen=True, slots=True)
class Command:
    words: tuple[str, ...]
    who: Role
    handler: Callable[..., Reply]
    form: type[Form] | None
    private: bool
    help: str
    whole: bool = False  # only when nothing else is said: 体检 is a command, 体检安排在周五 is not
    verbatim: bool = False  # the rest is given as it was typed: a text to keep, not words to read


@dataclass(frozen=True, slots=True)
class Phrase:
    read: Callable[[str], Any]
    scope: Callable[[Context, Said], Any]
    who: Role
    handler: Callable[[Context, Any, Any], Reply]
    feature: str
    passed_on: bool = False


@dataclass(frozen=True, slots=True)
class OnAction:
    action: type[Action]
    who: Role
    handler: Callable[[Context, Any], Reply]
    sealed: bool  # the audit line names no actor (ballots)
    private: bool  # pressed in a group it is answered with a hint to come in private


@dataclass(frozen=True, slots=True)
class OnForm:
    form: type[Form]
    who: Role
    handler: Callable[[Context, Any], Reply]


@dataclass(frozen=True, slots=True)
class Rhythm:
    name: str
    cron: str  # weekday names, never numbers: APScheduler counts 0 as Monday
    missed: Missed
    handler: Callable[[Context], None]


@dataclass(frozen=True, slots=True)
class Work:
    """Bytes and the note in, a JSON-like value out; runs in a child: no database, no network.

    Without a ``function`` it is an errand: a channel of ours fetches the value from its platform.
    """

    name: str
    function: Callable[[bytes, dict[str, int | str]], Any] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``value`` is what the work returned; ``failed`` a sentence for the person, where it did not end."""

    note: dict[str, int | str]
    value: Any = None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Month:
    first: date


@dataclass(slots=True)
class Feature:
    """``name`` prefixes what outlives deploys (appointments, rhythms, work): ``notices.chase``."""

    name: str
    title: str
    commands: list[Command] = field(default_factory=list)
    phrases: list[Phrase] = field(default_factory=list)
    actions: list[OnAction] = field(default_factory=list)
    forms: list[OnForm] = field(default_factory=list)
    cards: dict[str, Callable[[View, int], Card | None]] = field(default_factory=dict)
    appointments: dict[str, Callable[..., None]] = field(default_factory=dict)
    rhythms: list[Rhythm] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    outcomes: dict[str, Callable[[Context, Outcome], Reply]] = field(default_factory=dict)
    sections: dict[str, Callable[[View, Month], Sequence[Block]]] = field(default_factory=dict)
    uploads: list[Command] = field(default_factory=list)
    arrivals: list[Callable[[Context, bool], Reply]] = field(default_factory=list)
    feeds: dict[str, Callable[[View, str], str | None]] = field(default_factory=dict)

    def command(
        self,
        *words: str,
        who: Role = Role.STAFF,
        form: type[Form] | None = None,
        private: bool = False,
        help: str = "",
        whole: bool = False,
        verbatim: bool = False,
    ) -> Callable[[Callable[..., Reply]], Callable[..., Reply]]:
        """Words people type first. The handler takes ``(ctx, rest_of_the_text)``, or ``(ctx, form)`` with a form.

        ``private``: typed in a group it is answered in private. ``whole``: meant only when it is all that was said.
        ``verbatim``: the rest comes as it was typed, full-width signs and all; else it comes folded.
        """

        def register(handler: Callable[..., Reply]) -> Callable[..., Reply]:
            self.commands.append(Command(words, who, handler, form, private, help, whole, verbatim))
            if form is not None:
                self.forms.append(OnForm(form, who, handler))
            return handler

        return register

    def form(self, form: type[F], who: Role = Role.STAFF) -> Callable[[Callable[[Context, F], Reply]], Any]:
        """The handler of a form that is started by a tap (``Ask``), once it is whole."""

        def register(handler: Callable[[Context, F], Reply]) -> Callable[[Context, F], Reply]:
            self.forms.append(OnForm(form, who, handler))
            return handler

        return register

    def phrase(
        self,
        read: Callable[[str], M | None],
        scope: Callable[[Context, Said], S | None],
        who: Role = Role.STAFF,
        *,
        passed_on: bool = False,
    ) -> Callable[[Callable[[Context, M, S], Reply]], Callable[[Context, M, S], Reply]]:
        """Words that mean something only about something: ``read`` is pure, ``scope`` finds it, or ``None``.

        ``passed_on``: also where they are somebody else's, forwarded.
        """

        def register(handler: Callable[[Context, M, S], Reply]) -> Callable[[Context, M, S], Reply]:
            self.phrases.append(Phrase(read, scope, who, handler, self.name, passed_on))
            return handler

        return register

    def action(
        self, action: type[A], who: Role = Role.STAFF, *, sealed: bool = False, private: bool = False
    ) -> Callable[[Callable[[Context, A], Reply]], Callable[[Context, A], Reply]]:
        """A tap. Who may press is decided from the database, each time."""

        def register(handler: Callable[[Context, A], Reply]) -> Callable[[Context, A], Reply]:
            self.actions.append(OnAction(action, who, handler, sealed, private))
            return handler

        return register

    def card(self, prefix: str) -> Callable[[Callable[[View, int], Card | None]], Callable[[View, int], Card | None]]:
        """How the card ``prefix:number`` looks, from the rows as they are. ``None``: it is no more."""

        def register(draw: Callable[[View, int], Card | None]) -> Callable[[View, int], Card | None]:
            self.cards[prefix] = draw
            return draw

        return register

    def appointment(self, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
        """Once, at a time we book with ``ctx.book("<feature>.<name>", ...)``; a row in the diary."""

        def register(handler: Callable[..., None]) -> Callable[..., None]:
            self.appointments[f"{self.name}.{name}"] = handler
            return handler

        return register

    def rhythm(
        self, name: str, cron: str, *, missed: Missed
    ) -> Callable[[Callable[[Context], None]], Callable[[Context], None]]:
        """Again and again, at school time."""

        def register(handler: Callable[[Context], None]) -> Callable[[Context], None]:
            self.rhythms.append(Rhythm(f"{self.name}.{name}", cron, missed, handler))
            return handler

        return register

    def work(
        self, name: str
    ) -> Callable[[Callable[[bytes, dict[str, int | str]], Any]], Callable[[bytes, dict[str, int | str]], Any]]:
        """Slow work, started with ``ctx.start("<feature>.<name>", ...)``."""

        def register(
            function: Callable[[bytes, dict[str, int | str]], Any],
        ) -> Callable[[bytes, dict[str, int | str]], Any]:
            self.works.append(Work(f"{self.name}.{name}", function))
            return function

        return register

    def errand(self, name: str) -> None:
        """What a channel fetches for us (``engine.port.Messenger``), started and ended like slow work."""
        self.works.append(Work(f"{self.name}.{name}", None))

    def done(self, name: str) -> Callable[[Callable[[Context, Outcome], Reply]], Callable[[Context, Outcome], Reply]]:
        """What becomes of the outcome of slow work, for the person and the place that started it."""

        def register(handler: Callable[[Context, Outcome], Reply]) -> Callable[[Context, Outcome], Reply]:
            self.outcomes[f"{self.name}.{name}"] = handler
            return handler

        return register

    def section(self, title: str) -> Callable[[Callable[[View, Month], Sequence[Block]]], Any]:
        """What reports and the console may know of us."""

        def register(draw: Callable[[View, Month], Sequence[Block]]) -> Callable[[View, Month], Sequence[Block]]:
            self.sections[title] = draw
            return draw

        return register

    def upload(
        self, *endings: str, who: Role = Role.OFFICE, help: str = ""
    ) -> Callable[[Callable[[Context, str], Reply]], Any]:
        """A file sent without words, by its ending (``.docx``). The handler finds it in ``ctx.upload``."""

        def register(handler: Callable[[Context, str], Reply]) -> Callable[[Context, str], Reply]:
            self.uploads.append(Command(endings, who, handler, None, True, help))
            return handler

        return register

    def arrival(self, handler: Callable[[Context, bool], Reply]) -> Callable[[Context, bool], Reply]:
        """Somebody opened the private talk, or the bot came into a group (``True``)."""
        self.arrivals.append(handler)
        return handler

    def feed(self, name: str) -> Callable[[Callable[[View, str], str | None]], Any]:
        """A text that a program fetches by a secret link (``/calendar/<secret>.ics``); ``None``: no such link."""

        def register(write: Callable[[View, str], str | None]) -> Callable[[View, str], str | None]:
            self.feeds[name] = write
            return write

        return register

"""Word, verb, form -> handler. Built once at start from the table of contents; a clash refuses to start."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.kit.action import MAX_BYTES, Action, BadToken
from bot.kit.card import Card
from bot.kit.context import Context, View
from bot.kit.event import Event, Said, Tapped
from bot.kit.feature import Command, Feature, OnAction, OnForm, Outcome, Phrase, Rhythm, Work
from bot.kit.reply import Reply

_ENDINGS = " 。.!?！？~～…\n"


class Clash(Exception):
    """Two features claim the same name; the sentence says which and where."""


@dataclass(slots=True)
class Router:
    """Everything the features declared, by name."""

    commands: dict[str, Command] = field(default_factory=dict)
    phrases: list[Phrase] = field(default_factory=list)
    actions: dict[str, OnAction] = field(default_factory=dict)
    forms: dict[str, OnForm] = field(default_factory=dict)
    cards: dict[str, Callable[[View, int], Card | None]] = field(default_factory=dict)
    appointments: dict[str, Callable[..., None]] = field(default_factory=dict)
    rhythms: dict[str, Rhythm] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    outcomes: dict[str, Callable[[Context, Outcome], Reply]] = field(default_factory=dict)
    uploads: dict[str, Command] = field(default_factory=dict)
    arrivals: list[Callable[[Context, bool], Reply]] = field(default_factory=list)
    feeds: dict[str, Callable[[View, str], str | None]] = field(default_factory=dict)
    features: Sequence[Feature] = ()
    longest: int = 0

    def command(self, text: str) -> tuple[Command, str] | None:
        """The command a text begins with (the longest word wins) and the rest of it."""
        plain = normal(text)
        for size in range(min(self.longest, len(plain)), 0, -1):
            found = self.commands.get(plain[:size].lower())
            if found is not None and not (found.whole and plain[size:].strip(_ENDINGS)):
                rest = _typed(text, size) if found.verbatim else plain[size:]
                return found, rest.lstrip(" :：,，、\n")
        return None

    def action(self, token: str) -> tuple[OnAction, Action]:
        """``BadToken`` for what no button of ours ever carried."""
        if len(token.encode()) > MAX_BYTES:
            raise BadToken("too long")
        verb, *parts = token.split(":")
        found = self.actions.get(verb)
        if found is None:
            raise BadToken(verb)
        return found, found.action.unpack(parts)

    def is_sealed(self, event: Event) -> bool:
        """Whether this is a tap that nobody may learn of from us."""
        found = self.actions.get(event.token.partition(":")[0]) if isinstance(event, Tapped) else None
        return found is not None and found.sealed

    def draw(self, view: View, key: str) -> Card | None:
        """The card as it is now; ``None`` where there is nothing to show any more."""
        prefix, _, number = key.rpartition(":")
        drawer = self.cards.get(prefix)
        return drawer(view, int(number)) if drawer is not None else None


def build(features: Iterable[Feature]) -> Router:
    """``Clash`` before anything is registered, where two features claim one name."""
    router = Router(features=tuple(features))
    for feature in router.features:
        _add(router, feature)
    router.longest = max((len(word) for word in router.commands), default=0)
    for name in router.works:
        if name not in router.outcomes:
            raise Clash(f"work {name!r} has nobody to take its outcome: declare @feature.done")
    return router


def _add(router: Router, feature: Feature) -> None:
    for command in feature.commands:
        for word in command.words:
            _claim(router.commands, normal(word).lower(), command, feature)
    for action in feature.actions:
        _claim(router.actions, action.action.verb, action, feature)
    for form in feature.forms:
        _claim(router.forms, form.form.name, form, feature)
    for upload in feature.uploads:
        for ending in upload.words:
            _claim(router.uploads, ending, upload, feature)
    for rhythm in feature.rhythms:
        _claim(router.rhythms, rhythm.name, rhythm, feature)
    for work in feature.works:
        _claim(router.works, work.name, work, feature)
    named: Any
    for mine, theirs in (
        (router.cards, feature.cards),
        (router.appointments, feature.appointments),
        (router.outcomes, feature.outcomes),
        (router.feeds, feature.feeds),
    ):
        for name, named in theirs.items():
            _claim(mine, name, named, feature)
    router.phrases.extend(feature.phrases)
    router.arrivals.extend(feature.arrivals)


def _claim(table: dict[str, Any], name: str, entry: Any, feature: Feature) -> None:
    if not name:
        raise Clash(f"{feature.name}: {entry!r} has no name")
    if name in table:
        raise Clash(f"{feature.name}: {name!r} is taken already")
    table[name] = entry


def normal(text: str) -> str:
    """Full-width folded, spaces joined, a leading slash dropped: how words are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).split(" ")).strip().removeprefix("/")


def _typed(text: str, size: int) -> str:
    """What was typed behind the first ``size`` signs of the folded text."""
    end = next((n for n in range(size, len(text)) if len(normal(text[:n])) >= size), len(text))
    return text[end:]


def unheard(said: Said) -> str:
    """What to log when nobody answers: how the handler would be declared. Never the words themselves."""
    return (
        f"nobody answers a text of {len(said.text)} characters: declare @feature.command(...) or @feature.phrase(...)"
    )

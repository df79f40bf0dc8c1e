"""Many stories, one after the other, until the bot was killed as often as was asked for, at every point there is."""

from __future__ import annotations

import os
import random
import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.crash import platform
from tests.crash.checker import Checker
from tests.crash.keeper import Keeper
from tests.crash.points import ONCE, RARE, all_points
from tests.crash.story import Story
from tests.crash.wecom_story import WecomStory, spawn

KILLS_A_STORY = 20
SEED = int(os.environ.get("HONGZHU_SEED", "20261123"))
RANDOM = 0.15  # of the kills come at any moment
STOPS = 0.05  # are no kills: the bot is asked to stop
POLLING_ONLY = {"telegram.answered", "telegram.confirmed"}


def kills(default: int) -> int:
    """``HONGZHU_KILLS`` is the number on SQLite; on PostgreSQL it is a fifth of it."""
    asked = os.environ.get("HONGZHU_KILLS")
    return default if asked is None else int(asked) * default // 500


@dataclass
class Deck:
    """The point of the next kill: where we were killed least."""

    dice: random.Random
    channel: str = "telegram"
    hits: Counter[str] = field(init=False)
    missed: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.hits = Counter(dict.fromkeys(all_points(self.channel), 0))

    def draw(self, webhook: bool) -> tuple[str, int]:
        luck = self.dice.random()
        if luck < RANDOM + STOPS:
            return "random" if luck < RANDOM else "asked to stop", 1
        points = [point for point in self.hits if "." in point and not (webhook and point in POLLING_ONLY)]
        weight = {point: self.hits[point] + 0.5 * self.missed[point] + self.dice.random() for point in points}
        point = min(points, key=weight.__getitem__)
        return point, 1 if point in ONCE or self.missed[point] else self.dice.choice((1, 1, 2, 3, 5))

    def note(self, wanted: str, came: str) -> None:
        self.hits[came] += 1
        self.missed[wanted] += wanted != came

    @property
    def kills(self) -> int:
        return self.hits.total() - self.hits["asked to stop"]

    @property
    def never(self) -> list[str]:
        rare = RARE.get(self.channel, set())
        return [point for point, hits in self.hits.items() if not hits and point not in rare]


@dataclass
class Campaign:
    """``run`` stops at the first story in which something is wrong."""

    fresh: Callable[[int], str]  # the url of an empty database for a story
    folder: Path
    total: int
    mutant: str = ""
    channel: str = "telegram"
    checkers: list[Checker] = field(default_factory=list)
    seconds: float = 0.0
    trouble: str = ""

    def __post_init__(self) -> None:
        self.deck = Deck(random.Random(SEED), self.channel)

    def run(self) -> Campaign:
        began = time.monotonic()
        log = self.folder / "book.jsonl"
        spawned = spawn(log) if self.channel == "wecom" else platform.spawn(log)
        with spawned as fake, Keeper(self.folder, self.mutant) as keeper:
            number = 0
            while self.deck.kills < self.total and not self.trouble:
                self._story(number, keeper, fake, log)
                number += 1
        self.seconds = time.monotonic() - began
        return self

    def _story(self, number: int, keeper: Keeper, fake: Any, log: Path) -> None:
        seed = SEED * 1000 + number
        folder = self.folder / f"story{number}"
        folder.mkdir()
        # Every second story sends one message at a time: there a kill can repeat no more than one.
        is_wecom = self.channel == "wecom"  # its application has a door in every story
        port = free_port() if number % 4 == 3 or is_wecom else 0
        options: dict[str, Any] = {"parallel": 1 if number % 2 else 16, "port": port}
        story = (WecomStory if is_wecom else Story)(keeper, fake, log, self.fresh(number), folder, seed, **options)
        story.begin()
        self.checkers.append(story.checker)
        last = min(self.deck.kills + KILLS_A_STORY, self.total)
        while self.deck.kills < last and not story.checker.violations:
            point, count = self.deck.draw(bool(story.port))
            self.deck.note(point, story.live(point, count))
        if not story.checker.violations:
            story.rest()
        most = max(story.checker.at_kill.values(), default=0)
        if story.parallel == 1 and most > 1:
            story.checker.wrong("copies", f"one kill sent {most} messages again, though one was under way")
        if story.checker.violations:
            told = "\n  ".join(story.checker.violations[:12])
            self.trouble = f"story {number}, HONGZHU_SEED={SEED} ({options}, log in {folder}):\n  {told}\n"
            self.trouble += f"killed at: {', '.join(story.checker.points)}\nthe log ends with:\n  "
            self.trouble += "\n  ".join(end_of(folder / "bot.log"))

    @property
    def figures(self) -> dict[str, Any]:
        presses = [did for checker in self.checkers for did in checker.presses.values()]
        return {
            "kills": self.deck.kills,
            "violations": sum(len(checker.violations) for checker in self.checkers),
            "stories": len(self.checkers),
            "seconds": round(self.seconds, 1),
            "effects": sum(len(done) for checker in self.checkers for done in checker.done.values()),
            "messages": sum(len(posts) for checker in self.checkers for posts in checker.posts.values()),
            "presses": len(presses),
            "presses without a word": sum(not did.outcome for did in presses),
            "second copies": sum((checker.copies for checker in self.checkers), Counter()).total(),
            "killed at": dict(sorted(self.deck.hits.items())),
            "second copies by point": dict(sum((checker.copies for checker in self.checkers), Counter())),
        }


def end_of(log: Path, lines: int = 30) -> list[str]:
    written = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    return [line[:200] for line in written[-lines:]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Killed at every step of a click, of a word and of a send on 企业微信: what people were told is true afterwards."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from storage import people
from storage.engine import Shelves
from tests.channels import wecom_bot
from tests.channels.wecom_bot import NAMES, counts
from tests.fakes.wecom import FakeWecom
from tests.office import sqlite_url

ROOT = Path(__file__).resolve().parents[2]
TEACHERS = [name for name, role in NAMES.items() if role == "staff"]
POINTS = [
    "wecom.subscribed:1", "wecom.received:1", "wecom.received:3", "reception.heard:3", "pipeline.noted:2",
    "pipeline.handled:3", "pipeline.kept:2", "desk.before_commit:6", "desk.committed:6", "desk.released:7",
    "wecom.committed:2", "wecom.committed:4", "wecom.answered:2", "postman.leaving:1", "wecom.posted:1",
    "postman.sent:2", "postman.marked:1", "postman.edited:1",
]  # fmt: skip


class Story:
    """The same small story, whatever happens to the bot in it."""

    def __init__(self, folder: Path) -> None:
        self.url = sqlite_url(folder)
        self.fake = FakeWecom()
        self.fake.start()
        self.people = {name: self.fake.user(name, known=True) for name in NAMES}
        self.room = self.fake.group("教研组", members=list(self.people.values()), known=True)
        self.presses: dict[str, list[Any]] = {name: [] for name in TEACHERS}
        self.words = dict.fromkeys(TEACHERS, 0)
        wecom_bot.seed(self.url, self.room.id)

    @contextlib.contextmanager
    def life(self, crash: str = "", mutant: str = "") -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "tests.channels.wecom_bot", self.url, self.fake.ws_url, self.fake.bot_id]
        given = {**os.environ, "HONGZHU_CRASH": crash, "HONGZHU_MUTANT": mutant}
        bot = subprocess.Popen([*command, self.fake.secret], cwd=ROOT, env=given, stdout=subprocess.DEVNULL)
        try:
            self.soon(lambda: self.fake.connected or bot.poll() is not None, 30)
            yield bot
        finally:
            bot.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                bot.wait(10)
            bot.kill()
            bot.wait()
            self.soon(lambda: not self.fake.connected, 10)

    def soon(self, condition: Any, seconds: float = 1.5) -> bool:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def play(self, bot: subprocess.Popen[bytes]) -> None:
        """Everybody presses and speaks once more; who gets no receipt does not mind."""
        dead = lambda: bot.poll() is not None  # noqa: E731
        if not any(m.card for m in self.room.from_bot):
            self.people["bangong"].says("点名", in_=self.room)
            self.soon(lambda: dead() or any(m.card for m in self.room.from_bot), 5)
        for name in TEACHERS:
            person, card = self.people[name], next((m for m in self.room.from_bot if m.card), None)
            self.words[name] += 1
            before = len(person.inbox)
            person.says("加一")
            self.soon(lambda p=person, b=before: dead() or len(p.inbox) > b)
            if card is not None and self.fake.connected:
                press = person.presses(card, "到")
                self.presses[name].append(press)
                self.soon(lambda p=press: dead() or p.answered)

    def kept(self) -> dict[str, tuple[int, int]]:
        shelves = Shelves(self.url)
        with shelves.reading() as db:
            names = {person.id: person.name for person in people.active(db)}
            rows = {names[row.person]: (row.presses, row.words) for row in db.all(select(counts))}
        shelves.close()
        return rows

    def violations(self) -> list[str]:
        found, kept = [], self.kept()
        for name in TEACHERS:
            presses, words = kept.get(name, (0, 0))
            answered = sum(
                (press.answered and "次" in press.text) or "记下了" in press.text for press in self.presses[name]
            )
            if answered > presses:
                found.append(f"{name} was answered {answered} presses and {presses} are kept")
            if presses > len(self.presses[name]):
                found.append(f"{name} pressed {len(self.presses[name])} times and {presses} are kept")
            if words != self.words[name]:
                found.append(f"{name} said it {self.words[name]} times and {words} are kept")
            told = {m.text for m in self.people[name].inbox}
            found += [f"{name} was never told {n}" for n in range(1, words + 1) if f"记下第{n}次" not in told]
        if not any(m.card for m in self.room.from_bot):
            found.append("the card never came")
        return found

    def run(self, crash: str, mutant: str = "") -> tuple[list[str], bool]:
        """The violations; whether it did die."""
        with self.life(crash, mutant) as bot:
            self.play(bot)
            died = bot.poll() is not None
        with self.life(mutant=mutant) as bot:
            self.soon(lambda: self.fake.connected, 30)
            self.play(bot)
            self.soon(lambda: not self.violations(), 5)
        return self.violations(), died

    def close(self) -> None:
        self.fake.stop()


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    story = Story(tmp_path)
    yield story
    story.close()


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_nothing_that_was_answered_is_lost_and_nothing_is_doubled(story: Story, point: str) -> None:
    violations, died = story.run(point)
    assert died, "this step was never passed"
    assert violations == []


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutant", "point"), [("answer first", "pipeline.handled:3"), ("no memory", "wecom.committed:2")]
)
def test_the_checker_notices_a_bot_that_is_wrong(story: Story, mutant: str, point: str) -> None:
    violations, died = story.run(point, mutant)
    assert died and violations != []

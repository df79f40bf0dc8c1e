"""Everything that 企业微信 does to a bot, one after the other, while people press, speak and write: one campaign.

No kill: one life. What the bot waits for the platform is a tenth of what it waits in earnest, so a minute is six
seconds; what the platform itself counts (a click's five seconds, three tries of a callback) is as long as it is.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.crash import snapshot
from tests.crash.book import Book
from tests.crash.campaign import SEED, end_of, free_port
from tests.crash.checker import STANDING, Post
from tests.crash.keeper import Keeper
from tests.crash.wecom_checker import WecomChecker
from tests.crash.wecom_story import WecomStory, spawn

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("crash-wecom")]
SCALE = 0.1
SERVICE = 60.0 * SCALE  # seconds in which a press must be answered again
STAFF, WRITERS = 28, 20


@dataclass
class FaultChecker(WecomChecker):
    def _copy(self, chat: int, serial: str, first: Post, second: Post) -> None:
        """An ack that was lost may cost a second message, never a second effect."""
        self.copies["an ack lost"] += 1

    def at_rest(self, book: Book, now: snapshot.Snapshot) -> None:
        """What a group got without our knowing is listed as not delivered; whether it did come is looked for anyway."""
        now.dead = [one for one in now.dead if one[1] is not None]
        super().at_rest(book, now)


class Faults:
    """What is done to the bot; each name is a fault of the list that issue 3 asks for."""

    def __init__(self, story: WecomStory, path: Path) -> None:
        self.story, self.fake, self.path = story, story.fake, path

    def all(self) -> list[tuple[str, Callable[[], None]]]:
        fault = self.fake.fault
        return [
            ("kick", lambda: self.fake.close("kick")),
            ("clean close", lambda: self.fake.close("clean")),
            ("cut, and everything comes again", self.comes_again),
            ("846609 while pings pass", lambda: self.fake.set(deaf=True)),
            ("ack lost after delivery", lambda: fault("aibot_send_msg", lose="ack", times=3)),
            ("ack of a click's answer lost", lambda: fault("aibot_respond_update_msg", lose="ack", times=3)),
            ("a click's answer refused", lambda: fault("aibot_respond_update_msg", errcode=846605, times=3)),
            ("45009", lambda: fault("aibot_send_msg", errcode=45009, times=2)),
            ("846607", lambda: fault("aibot_send_msg", errcode=846607, times=2)),
            ("42001 storm", self.storm),
            ("five seconds missed", lambda: self.stalled(5.5)),
            ("callbacks, the database stalled for 12 s", lambda: self.stalled(12.0)),
        ]

    def comes_again(self) -> None:
        for teacher in self.story.teachers[WRITERS:]:
            self.story.words += 1
            teacher.says(f"收到 {self.story.words}", twice=True)
        self.fake.close("cut")

    def storm(self) -> None:
        """The token is taken back while twenty are written to through the application."""
        before = self.fake.state["tokens"]
        self.fake.ask("app", expire=True)
        self.story._announce()
        self.fake.wait(lambda: self.fake.state["tokens"] > before, 20)

    def stalled(self, seconds: float) -> None:
        """Somebody else holds the database, and people go on."""
        with contextlib.closing(sqlite3.connect(self.path, isolation_level=None, timeout=10)) as db:
            db.execute("BEGIN IMMEDIATE")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self.story.act()
                time.sleep(0.1)
            db.execute("ROLLBACK")


@contextlib.contextmanager
def busy(story: WecomStory) -> Iterator[None]:
    """People go on, whatever happens."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.03):
            story.act()

    hands = threading.Thread(target=go_on, name="hands")
    hands.start()
    try:
        yield
    finally:
        over.set()
        hands.join()


def until_answered(story: WecomStory) -> float:
    """Seconds until a press is answered on its card again."""
    teacher, began = story.teachers[-1], time.monotonic()
    card = next(m for m in story.group.inbox if f"〔卡{STANDING}〕" in m["text"] and m["choices"])
    while time.monotonic() - began < 60:
        press = teacher.presses({"message": card["message"]}, "能到")["press"]
        for _look in range(20):
            if story.fake.ask("press", id=press)["answered"]:
                return time.monotonic() - began
            time.sleep(0.02)
    return 60.0


def test_one_campaign_of_faults(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    path, log = tmp_path / "school.db", tmp_path / "book.jsonl"
    back: dict[str, float] = {}
    with spawn(log) as fake, Keeper(tmp_path) as keeper:
        more: dict[str, Any] = {"port": free_port(), "staff": STAFF, "writing": WRITERS, "scale": SCALE}
        story = WecomStory(keeper, fake, log, f"sqlite:///{path}", tmp_path, SEED, **more)
        story.begin()
        checker = story.checker
        story.checker = FaultChecker(checker.group, checker.roster, checker.unreachable, writers=checker.writers)
        life = story.start().wait_ready()
        fake.wait(lambda: story.group.inbox, 20)
        for writer in story.writers:
            story.words += 1
            fake.ask("app", who=writer.ref, text=f"收到 {story.words}")
        for name, happens in Faults(story, path).all():
            with busy(story):
                time.sleep(0.3)
                happens()
                back[name] = round(until_answered(story), 2)
        rested = story.wait_for_rest()
        life.kill()
        story.checker.at_rest(story.book, snapshot.take(story.url, tmp_path))
        dropped, tokens = fake.state["dropped"], fake.state["tokens"]
    found = story.checker
    figures: dict[str, Any] = {"back in service after, s": back, "violations": len(found.violations)}
    figures |= {"effects": sum(map(len, found.done.values())), "presses": len(found.presses), "deeds": story.deeds}
    figures |= {"answered on the card": sum(bool(did.outcome) for did in found.presses.values())}
    figures |= {"messages that came twice": found.copies.total()}
    record_property("crash", figures)
    told = "\n  ".join([*found.violations[:12], *end_of(tmp_path / "bot.log", 12)])
    assert rested and not found.violations, told
    assert tokens == 2, "one fetched for all at the beginning, and one when the token was taken back"
    assert dropped == 0 and max(back.values()) < SERVICE, back

"""Somebody else writes to the same SQLite file: a backup tool, an administrator. We wait; we do not fail.

A deferred ``BEGIN`` does not wait: where another wrote between its read and its write, SQLite says BUSY at once.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.crash import platform, snapshot
from tests.crash.keeper import Keeper
from tests.crash.story import Story

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(120)]
Record = Callable[[str, object], None]
WORDS = 12
PATIENCE = 6.0  # seconds in which words that dawdle for 50 ms each must be kept


@contextmanager
def school(folder: Path, mutant: str = "") -> Iterator[Story]:
    log = folder / "book.jsonl"
    with platform.spawn(log) as fake, Keeper(folder, mutant) as keeper:
        story = Story(keeper, fake, log, f"sqlite:///{folder}/school.db", folder, 1)
        story.begin()
        story.start().wait_ready()
        fake.wait(lambda: story.group.inbox, 20)
        yield story


@contextmanager
def another_writer(path: Path) -> Iterator[list[int]]:
    """Writes a row of its own every few milliseconds, and says how often it did."""
    over, wrote = threading.Event(), [0]

    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=10)) as other:
            while not over.wait(0.01):
                other.execute("BEGIN IMMEDIATE")
                other.execute("INSERT INTO facts VALUES (?, 'x')", (f"other{wrote[0]}",))
                other.execute("COMMIT")
                wrote[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield wrote
    finally:
        over.set()
        thread.join()


def kept(story: Story) -> int:
    now = snapshot.take(story.url, story.folder)
    return sum(len(choices) for choices in now.history.values())


def kept_beside_another_writer(story: Story) -> tuple[int, int]:
    """Words that read, dawdle and write: how many are kept in time, and how often the other wrote."""
    with another_writer(story.folder / "school.db") as wrote:
        for n in range(1, WORDS + 1):
            story.teachers[n % len(story.teachers)].says(f"慢 {n}")
            time.sleep(0.1)
        deadline = time.monotonic() + PATIENCE
        while kept(story) < WORDS and time.monotonic() < deadline:
            time.sleep(0.05)
        return kept(story), wrote[0]


def test_another_writer_is_waited_for(tmp_path: Path, record_property: Record) -> None:
    with school(tmp_path) as story:
        count, others = kept_beside_another_writer(story)
        record_property("crash", {"kept": count, "of": WORDS, "writes of another process between": others})
        assert count == WORDS
        assert others >= 3, "nobody else wrote: this shows nothing"
        story.wait_for_rest()
        story.check_rest()
    assert not story.checker.violations


def test_a_plain_begin_is_seen(tmp_path: Path, record_property: Record) -> None:
    with school(tmp_path, "plain begin") as story:
        count, others = kept_beside_another_writer(story)
    record_property("crash", {"mutant": "plain begin", "kept": count, "of": WORDS, "writes of another process": others})
    assert count < WORDS, "the mutant lives: plain BEGIN"


def test_a_lock_that_is_held_long_delays_and_loses_nothing(tmp_path: Path) -> None:
    with school(tmp_path) as story, closing(sqlite3.connect(tmp_path / "school.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        press = story.teachers[0].presses(story.group.inbox[0], "能到")
        story.teachers[1].says("收到 1")
        time.sleep(6.0)  # longer than we wait for a lock
        other.execute("ROLLBACK")
        assert story.fake.toast(press, 15) == "已记下：能到"
        story.wait_for_rest()
        story.check_rest()
    assert not story.checker.violations, story.checker.violations

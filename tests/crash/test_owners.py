"""Two processes at once: one writes, the other stands by and takes over; who was the owner once can write no more."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.crash import platform, snapshot
from tests.crash.keeper import Keeper, Life
from tests.crash.story import Story

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(180)]
Record = Callable[[str, object], None]
STARTS = 20
TAKEOVERS = 5
DEEDS = 25


@pytest.fixture
def story(database: str, tmp_path: Path) -> Iterator[Story]:
    yield from a_story(database, tmp_path)


def a_story(url: str, folder: Path, mutant: str = "") -> Iterator[Story]:
    log = folder / "book.jsonl"
    with platform.spawn(log) as fake, Keeper(folder, mutant) as keeper:
        story = Story(keeper, fake, log, url, folder, 1)
        story.begin()
        yield story


def bury(story: Story, dead: Life, point: str) -> None:
    """The snapshot between two owners: whoever stands by must not move meanwhile."""
    dead.kill()
    story.checker.after_kill(story.book, point, snapshot.take(story.url, story.folder))


def people_act(story: Story, deeds: int = DEEDS) -> None:
    for _ in range(deeds):
        story.act()
        time.sleep(0.005)


def a_press_is_answered(story: Story) -> None:
    card = story.fake.wait(lambda: next(iter(story.group.inbox), None), 20)
    assert story.fake.toast(story.teachers[0].presses(card, "能到"), 20) in ("已记下：能到", "已经收到过了。")


# --- one owner ------------------------------------------------------------------------------------------------


def test_of_two_that_start_at_once_one_writes_and_the_other_takes_over(story: Story, record_property: Record) -> None:
    starts = STARTS if story.url.startswith("sqlite") else STARTS // 4
    for _ in range(starts):
        owner, other = one_owner(story.start(), story.start())
        a_press_is_answered(story)
        people_act(story)
        other.signal(signal.SIGSTOP)
        bury(story, owner, "the owner")
        other.signal(signal.SIGCONT)
        other.wait_ready()
        assert other.epoch == owner.epoch + 1
        a_press_is_answered(story)
        bury(story, other, "who took over")
    story.rest()
    record_property("crash", {"starts of two at once": starts, "violations": len(story.checker.violations)})
    assert not story.checker.violations, story.checker.violations[:5]


def one_owner(one: Life, two: Life) -> tuple[Life, Life]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for owner, other in ((one, two), (two, one)):
            if owner.ready.is_set() and other.standing_by.is_set():
                assert not other.ready.is_set(), "two owners"
                return owner, other
        time.sleep(0.005)
    states = [(life.ready.is_set(), life.standing_by.is_set(), life.dead.is_set()) for life in (one, two)]
    raise AssertionError(f"nobody became the owner, or nobody stood by: ready, standing by, dead: {states}")


# --- the fence ------------------------------------------------------------------------------------------------

UNDER_WAY = ("copies", "face")
"""No fence calls back what has left already: a message or an edit that was on its way when its sender fell asleep."""


def test_an_owner_that_was_asleep_can_write_no_more(story: Story, record_property: Record) -> None:
    late = [wake_a_fenced_owner(story) for _ in range(TAKEOVERS)]
    story.rest()
    wrong = [v for v in story.checker.violations if not v.startswith(UNDER_WAY)]
    told = {"takeovers": TAKEOVERS, "seconds until the old owner was gone": late, "violations": len(wrong)}
    record_property("crash", told | {"under way when it fell asleep": len(story.checker.violations) - len(wrong)})
    assert not wrong, wrong[:5]
    assert None not in late, "fence: the old owner still works"


def test_a_missing_fence_is_seen(tmp_path: Path, record_property: Record) -> None:
    for story in a_story(f"sqlite:///{tmp_path}/school.db", tmp_path, "no fence"):
        late = wake_a_fenced_owner(story)
        record_property("crash", {"mutant": "no fence", "the old owner still works": late is None})
        assert late is None, "the mutant lives: no fence"


def wake_a_fenced_owner(story: Story) -> float | None:
    """Stops the owner, lets another take over, wakes it. Seconds until it went by itself; ``None``: it did not."""
    old = story.start().wait_ready()
    a_press_is_answered(story)
    people_act(story)
    fall_asleep(story, old)
    story.checker.after_kill(story.book, "asleep", snapshot.take(story.url, story.folder))
    break_the_lock(story)
    new = story.start().wait_ready()
    assert new.epoch == old.epoch + 1
    people_act(story)
    old.signal(signal.SIGCONT)
    began = time.monotonic()
    while not old.dead.wait(0.02) and time.monotonic() < began + 4:
        story.act()
    late = round(time.monotonic() - began, 2) if old.dead.is_set() else None
    assert late is None or old.status == 0
    if late is None:
        old.kill()
    story.wait_for_rest()
    bury(story, new, "after the fence")
    return late


def fall_asleep(story: Story, life: Life) -> None:
    """At any moment; but with SQLite's write lock in hand it would block whoever takes over: that needs no fence."""
    for _ in range(200):
        life.signal(signal.SIGSTOP)
        time.sleep(0.02)
        if not story.url.startswith("sqlite") or not is_writing(story.folder / "school.db"):
            return
        life.signal(signal.SIGCONT)
        time.sleep(0.01)
    raise AssertionError("the owner never rests")


def is_writing(path: Path) -> bool:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.05)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return True
    return False


def break_the_lock(story: Story) -> None:
    """Somebody removes the lock file; a network forgets the session that holds the advisory lock."""
    if story.url.startswith("sqlite"):
        os.unlink(story.folder / "school.db.lock")
        return
    with connected(story.url) as db:
        mine = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = "
        db.execute(mine + "(select oid from pg_database where datname = current_database())")


def connected(url: str) -> psycopg.Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)

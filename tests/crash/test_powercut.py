"""``kill -9`` leaves the page cache alone, so it cannot miss a flush. What the kernel was asked for can be seen:
between a commit and the answer that rests on it there must be a flush of the database.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash import platform
from tests.crash.keeper import Keeper
from tests.crash.story import Story

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(120)]
PRESSES = 20
CALLS = "trace=fdatasync,fsync,write,sendto,sendmsg"
MARK = re.compile(r'write\(199.*?"at ([a-z_.]+)\\n"')
FLUSH = re.compile(r"(?:fdatasync|fsync)\(\d+<[^>]*\.db(?:-wal)?>(?:\) += 0| <unfinished)")
ANSWER = re.compile(r"send(?:to|msg)\(.*answercallbackquery", re.IGNORECASE)


def untraceable() -> str:
    """Why strace cannot be used here; empty if it can."""
    if shutil.which("strace") is None:
        return "没有 strace（apt install strace），断电次序测试跳过"
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return f"这里不许 ptrace，断电次序测试跳过：{tried.stderr.strip()[:100]}" if tried.returncode else ""


def traced(folder: Path, mutant: str = "") -> list[str]:
    """The system calls of a bot that twenty people press, one after the other."""
    if reason := untraceable():
        pytest.skip(reason)
    trace, log = folder / "trace", folder / "book.jsonl"
    strace = ["strace", "-f", "-y", "-s", "256", "--seccomp-bpf", "-e", CALLS, "-o", str(trace)]
    with platform.spawn(log) as fake, Keeper(folder, mutant, strace) as keeper:
        story = Story(keeper, fake, log, f"sqlite:///{folder}/school.db", folder, 1)
        story.begin()
        story.plan.marks = str(folder / "marks")
        life = story.start().wait_ready()
        fake.wait(lambda: story.group.inbox, 20)
        card = story.group.inbox[0]
        for n in range(PRESSES):
            press = story.teachers[n % len(story.teachers)].presses(card, "能到" if n % 3 else "请假")
            assert fake.toast(press, 10).startswith("已记下")
            time.sleep(0.05)  # the edits and receipts that follow have their commits too
        life.kill()
    return trace.read_text(encoding="utf-8", errors="replace").splitlines()


def unflushed(lines: list[str]) -> tuple[int, int]:
    """How many answers there were, and how many left without a flush since the commit they rest on began."""
    answers, bad, began, flushes, of_batch, durable = 0, 0, 0, 0, 0, False
    for line in lines:
        if FLUSH.search(line):
            flushes += 1
        elif mark := MARK.search(line):
            match mark[1]:
                case "desk.before_commit":
                    began = flushes
                case "desk.committed":
                    of_batch = began
                case "telegram.committed":
                    durable = flushes > of_batch
        elif ANSWER.search(line):
            answers += 1
            bad += not durable
            durable = False
    return answers, bad


def test_every_answer_comes_after_a_flush(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    answers, bad = unflushed(traced(tmp_path))
    record_property("crash", {"answers": answers, "without a flush": bad})
    assert answers >= PRESSES
    assert bad == 0


def test_the_trace_shows_a_missing_flush(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    answers, bad = unflushed(traced(tmp_path, "synchronous normal"))
    record_property("crash", {"mutant": "synchronous normal", "answers": answers, "without a flush": bad})
    assert bad >= 1, "the mutant lives: synchronous=NORMAL"


def test_weak_settings_are_refused_at_the_start(tmp_path: Path) -> None:
    log = tmp_path / "book.jsonl"
    with platform.spawn(log) as fake, Keeper(tmp_path, "weak settings") as keeper:
        story = Story(keeper, fake, log, f"sqlite:///{tmp_path}/school.db", tmp_path, 1)
        story.begin()
        life = story.start()
        assert life.wait_dead() == 1
        assert not life.ready.is_set()
        assert "NotDurable" in (tmp_path / "bot.log").read_text(encoding="utf-8")
        assert not story.group.inbox

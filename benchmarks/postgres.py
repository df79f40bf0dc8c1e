"""Durable votes through the desk on PostgreSQL, beside SQLite: no HTTP, the same road from the event to the commit.

Run as a program this module is our child: it opens a school on the url it is given and measures itself when told to.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime

from benchmarks.plan import Plan
from benchmarks.processes import Child, python, stopping
from benchmarks.report import Row

TASKS, STAFF = 32, 60
CHAPTER = f"写字台：{TASKS} 人同时按，从事件到提交，不经 HTTP"


# --- the run --------------------------------------------------------------------------------------------------


def measure(plan: Plan) -> list[Row]:
    from tests import postgres

    if postgres.MISSING:
        raise RuntimeError(postgres.MISSING)
    seconds = 1.5 if plan.quick else 3.0
    folder = plan.fresh("postgres")
    server = postgres.start(folder / "server")
    url = server.fresh_database()
    rates: dict[str, list[float]] = {"PostgreSQL": [], "SQLite": []}
    try:
        with stopping([]) as children:
            for at in (url, f"sqlite:///{folder / 'school.db'}"):
                child = Child(python("-m", "benchmarks.postgres", at, str(seconds)), plan.complaints, stdin=True)
                children.append(child)
                child.ready()
            for _ in range(plan.rounds):
                for child, found in zip(children, rates.values(), strict=True):
                    found.append(_ask(child))
    finally:
        server.drop(url)
    ratios = [a / b for a, b in zip(rates["PostgreSQL"], rates["SQLite"], strict=True)]
    rows = [Row(CHAPTER, name, "票/s", found) for name, found in rates.items()]
    return [*rows, Row(CHAPTER, "PostgreSQL 与 SQLite 之比", "倍", ratios)]


def _ask(child: Child) -> float:
    assert child.process.stdin is not None
    child.process.stdin.write("go\n")
    child.process.stdin.flush()
    rate: float = child.ready()["rate"]
    return rate


# --- our child ------------------------------------------------------------------------------------------------


async def _serve(url: str, seconds: float) -> None:
    from benchmarks import house
    from benchmarks.button import feature

    running = house.open_school(url, [feature])
    house.hire(running.shelves, range(1, STAFF + 1))
    await running.start()
    print("{}", flush=True)
    number = 0
    while await asyncio.to_thread(sys.stdin.readline):
        pressed = await _press(running, number, seconds)
        print(f'{{"rate": {pressed / seconds}}}', flush=True)
        number += pressed + TASKS
    await running.stop()


async def _press(running: object, number: int, seconds: float) -> int:
    """How many were durable within that time."""
    from bot.app import RunningSchool
    from bot.kit.event import Account, Place, Tapped

    assert isinstance(running, RunningSchool)
    hear, done, over = running.reception.hear, 0, time.perf_counter() + seconds

    async def finger(first: int) -> None:
        nonlocal done
        mine = first
        while time.perf_counter() < over:
            who = str(mine % STAFF + 1)
            place = Place("telegram", who, private=True)
            sender = Account("telegram", who)
            tap = Tapped(f"telegram:1:{mine}:7", datetime.now(UTC), sender, place, f"be.press:1:{mine % 5}", "7")
            answer = await hear(tap)
            assert answer.toast == "已记下", answer
            done += time.perf_counter() < over
            mine += TASKS

    await asyncio.gather(*(finger(number + n) for n in range(TASKS)))
    return done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    asyncio.run(_serve(given.url, given.seconds))


if __name__ == "__main__":
    main()

"""Many appointments waiting, a thousand due: how late is the last of a hundred, from due to the commit of its handler.

Ours: the real clock on the real desk; the handler owes one person a message (a row in the outbox). Beside it
APScheduler 3 with its SQLAlchemy store, the way it is usually used; there the handler only notes the time.
Run as a program this module is our child.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.plan import Plan
from benchmarks.processes import Child, python, stopping
from benchmarks.report import Bar, Row

DUE = 1000
CHAPTER = f"定时：到期 {DUE} 件，从到期到提交"


# --- the run --------------------------------------------------------------------------------------------------


def measure(plan: Plan) -> list[Row]:
    waiting, peers_waiting = (20_000, 2_000) if plan.quick else (100_000, 10_000)
    ours: list[dict[str, float]] = []
    spread: list[dict[str, float]] = []
    peers: list[dict[str, float]] = []
    for number in range(plan.rounds):
        folder = plan.fresh(f"timers-{number}")
        ours.append(_ask(plan, folder, "benchmarks.timers", "at-once", waiting))
        spread.append(_ask(plan, folder, "benchmarks.timers", "spread", waiting))
        peers.append(_ask(plan, folder, "benchmarks.peers.plain_clock", "at-once", peers_waiting))
    bar = Bar("<", 50.0, 20.0)
    ratios = [theirs["p99"] / mine["p99"] for mine, theirs in zip(ours, peers, strict=True)]
    note = f"等待 {waiting:,} 件（APScheduler {peers_waiting:,} 件）；同一秒：均匀落在一秒里；同一刻：全在同一瞬间到期"
    return [
        Row(CHAPTER, "同一秒到期，晚 p99", "ms", _all(spread, "p99"), bar, note),
        Row(CHAPTER, "同一刻到期，晚 p99", "ms", _all(ours, "p99"), None, note),
        Row(CHAPTER, "同一刻到期，事件循环最长停顿", "ms", _all(ours, "stall")),
        Row(CHAPTER, "APScheduler 3 + SQLAlchemy，晚 p99", "ms", _all(peers, "p99")),
        Row(CHAPTER, "APScheduler 是我们的几倍", "倍", ratios),
    ]


def _all(found: Sequence[dict[str, float]], name: str) -> list[float]:
    return [one[name] for one in found]


def _ask(plan: Plan, folder: Path, module: str, mode: str, waiting: int) -> dict[str, float]:
    database = folder / f"{module.rpartition('.')[2]}-{mode}.db"
    with stopping([]) as children:
        child = Child(python("-m", module, str(database), mode, str(waiting)), plan.complaints)
        children.append(child)
        return child.ready(120.0)


# --- our child ------------------------------------------------------------------------------------------------


def told(late: Sequence[float], stall: float) -> str:
    found = sorted(seconds * 1000 for seconds in late)
    p50, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    return json.dumps({"p50": p50, "p99": p99, "max": found[-1], "stall": stall * 1000, "count": len(found)})


def moments(first: float, mode: str) -> list[float]:
    """When each of the thousand is due, as a timestamp."""
    return [first + (number / DUE if mode == "spread" else 0.0) for number in range(DUE)]


class Stall:
    """How long the event loop was away at most."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self, every: float = 0.005) -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(every)
            self.longest = max(self.longest, time.perf_counter() - began - every)


async def _ours(database: str, mode: str, waiting: int) -> None:
    from benchmarks import house
    from bot.kit.context import Context, Persons
    from bot.kit.feature import Feature
    from storage import diary
    from storage.base import Db

    feature = Feature("bench", title="bench")
    kept: list[int] = []
    late: dict[int, float] = {}
    due: list[float] = []

    @feature.appointment("owe")
    def owe(ctx: Context, number: int) -> None:
        ctx.say("该交材料了。", to=Persons([number % 60 + 1]))
        kept.append(number)

    running = house.open_school(f"sqlite:///{database}", [feature])
    house.hire(running.shelves, range(1, 61))
    _fill(running.shelves, waiting)
    await running.start()
    after = running.desk.after_commit

    def committed(notes: frozenset[str]) -> None:
        now = time.time()
        for number in kept:
            late.setdefault(number, now - due[number])
        kept.clear()
        after(notes)

    def book(db: Db) -> None:
        for number, at in enumerate(due):
            diary.book(db, "bench.owe", str(number), datetime.fromtimestamp(at, UTC), {"number": number})

    due += moments(time.time() + 3.0, mode)
    await running.desk.do(book)
    running.desk.after_commit = committed
    await asyncio.sleep(due[0] - time.time() - 0.5)
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    async with asyncio.timeout(60):
        while len(late) < DUE:  # noqa: ASYNC110 the last comes from another thread
            await asyncio.sleep(0.1)
    watching.cancel()
    await running.stop()
    print(told(list(late.values()), stall.longest), flush=True)


def _fill(shelves: Any, waiting: int) -> None:
    """What waits for the days to come."""
    from storage import diary

    first = datetime.now(UTC) + timedelta(days=1)
    blank = {"name": "bench.later", "args": "{}", "state": diary.WAITING, "tries": 0}
    step = timedelta(days=30) / waiting
    with shelves.writer.connect() as connection, connection.begin():
        rows = [{**blank, "key": str(number), "at": first + step * number} for number in range(waiting)]
        connection.execute(insert(diary.appointments), rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("mode", choices=["at-once", "spread"])
    parser.add_argument("waiting", type=int)
    given = parser.parse_args()
    asyncio.run(_ours(given.database, given.mode, given.waiting))


if __name__ == "__main__":
    main()

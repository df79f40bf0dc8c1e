"""300 private messages and 5 group posts under Telegram's strictest limits, while a teacher presses ten times a second.

Ours: the real outbox, postman and Telegram channel against the fake platform in its own process (strict windows, every
call 50 ms). Beside it python-telegram-bot as one finds it: everything at once, and ``sleep(retry_after)`` when refused.
Run as a program this module is our child.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import wecom
from benchmarks.plan import Plan
from benchmarks.processes import Child, python, stopping, wait_until
from benchmarks.report import Bar, Row

PEOPLE, GROUPS = 300, 5
LATENCY = 0.05
PER_SECOND = 30
SENDS = PEOPLE + GROUPS
FLOOR = (math.ceil(SENDS / PER_SECOND) - 1) * 1.0 + LATENCY
TEACHER, FIRST = 900_000_001, 100_000_001
PRESS_EVERY = 0.1
LIMIT = 60.0
CHAPTER = f"群发：{PEOPLE} 条私聊 + {GROUPS} 条群消息，严格限速，每次调用 {LATENCY * 1000:.0f} ms"
WINDOWS = math.ceil(SENDS / PER_SECOND)
NOTE = (
    f"限速的下限 {FLOOR:.2f} s：{SENDS} 条、任意一秒内至多 {PER_SECOND} 条，最后一条在第 {WINDOWS} 个窗口，"
    f"前面整 {WINDOWS - 1} 秒，再加一次往返"
)


@dataclass(frozen=True, slots=True)
class Found:
    seconds: float
    refusals: int
    presses: list[float]  # seconds until the platform had the answer
    unanswered: int

    def at(self, share: float) -> float:
        found = sorted(self.presses)
        return found[min(len(found) - 1, int(len(found) * share))] * 1000


# --- the run --------------------------------------------------------------------------------------------------


def measure(plan: Plan) -> list[Row]:
    ours: list[Found] = []
    peers: list[Found] = []
    for number in range(min(plan.rounds, 3)):
        folder = plan.fresh(f"broadcast-{number}")
        ours.append(_once(plan, folder, "benchmarks.broadcast"))
        if not (plan.quick and number):
            peers.append(_once(plan, folder, "benchmarks.peers.plain_broadcast"))
    name = "python-telegram-bot + 重试"
    return [
        Row(CHAPTER, "用时", "s", [one.seconds for one in ours], None, NOTE),
        Row(CHAPTER, "用时与下限之比", "倍", [one.seconds / FLOOR for one in ours], Bar("<=", 1.10, 1.05)),
        Row(CHAPTER, "被拒（429）", "次", [float(one.refusals) for one in ours], Bar("<=", 0, 0)),
        Row(CHAPTER, "期间按钮得到回答 p50", "ms", [one.at(0.5) for one in ours]),
        Row(CHAPTER, "期间按钮得到回答 p99", "ms", [one.at(0.99) for one in ours], Bar("<=", 500)),
        Row(CHAPTER, "没有得到回答的按钮", "次", [float(one.unanswered) for one in ours], Bar("<=", 0)),
        Row(CHAPTER, f"{name}，用时", "s", [one.seconds for one in peers]),
        Row(CHAPTER, f"{name}，被拒（429）", "次", [float(one.refusals) for one in peers]),
        Row(CHAPTER, f"{name}，按钮回答 p99", "ms", [one.at(0.99) for one in peers]),
        *wecom.measure(plan),
    ]


def _once(plan: Plan, folder: Path, module: str) -> Found:
    from tests.fakes.telegram_control import RemoteTelegram

    options = ("--limits", "strict", "--latency", str(LATENCY))
    with RemoteTelegram.spawn(0, None, *options) as fake, stopping([]) as children:
        teacher = fake.user("王老师", id=TEACHER, started=True)
        for number in range(PEOPLE):
            fake.user(f"老师{number:03d}", id=FIRST + number, started=True)
        groups = [fake.group(f"群{n}").ref["chat"] for n in range(GROUPS)]
        database = folder / f"{module.rpartition('.')[2]}.db"
        given = json.dumps({"port": fake.port, "token": fake.token, "groups": groups, "database": str(database)})
        child = Child(python("-m", module, given), plan.complaints, stdin=True)
        children.append(child)
        child.ready()
        wait_until(lambda: teacher.inbox, 20, "the card")
        time.sleep(3.2)  # no window remembers anything
        return _watch(fake, teacher, child)


def _watch(fake: Any, teacher: Any, child: Child) -> Found:
    since = fake.state["calls"]
    over = threading.Event()
    pressed: dict[str, float] = {}
    fingers = threading.Thread(target=_press, args=(teacher, over, pressed), name="fingers")
    fingers.start()
    try:
        time.sleep(0.5)
        before = fake.state["sent"].get("all", 0)
        assert child.process.stdin is not None
        began = time.monotonic()
        child.process.stdin.write("go\n")
        child.process.stdin.flush()
        wait_until(lambda: fake.state["sent"].get("all", 0) - before >= SENDS, LIMIT, "the broadcast", pause=0.25)
    finally:
        over.set()
        fingers.join()
    time.sleep(1.0)
    return _found(fake.ask("calls", since=since), began, pressed)


def _press(teacher: Any, over: threading.Event, pressed: dict[str, float]) -> None:
    """A press every tenth of a second, whatever became of the one before."""
    next_at = time.monotonic()
    while not over.is_set():
        began = time.monotonic()
        pressed[teacher.presses("按一下", "好")["press"]] = began
        next_at += PRESS_EVERY
        over.wait(max(next_at - time.monotonic(), 0.0))


def _found(calls: Sequence[dict[str, Any]], began: float, pressed: dict[str, float]) -> Found:
    sent = [c["ended"] for c in calls if c["method"].lower() == "sendmessage" and c["status"] == 200]
    answered: dict[str, float] = {}
    for call in calls:
        if call["method"].lower() == "answercallbackquery" and call["status"] == 200:
            answered.setdefault(str(call["params"]["callback_query_id"]), call["ended"])
    took = [answered[press] - at for press, at in pressed.items() if press in answered]
    refusals = sum(call["status"] == 429 for call in calls)
    return Found(sorted(sent)[SENDS - 1] - began, refusals, took, len(pressed) - len(took))


# --- our child ------------------------------------------------------------------------------------------------


async def heard_go() -> None:
    """Until the parent says go."""
    await asyncio.to_thread(sys.stdin.readline)


async def _ours(given: dict[str, Any]) -> None:
    from benchmarks import house
    from benchmarks.button import Press, feature
    from bot.channels.telegram.channel import TelegramChannel
    from bot.kit.context import Context, Persons, Staff
    from storage.base import Db

    base = f"http://127.0.0.1:{given['port']}"
    running = house.open_school(
        f"sqlite:///{given['database']}",
        [feature],
        lambda running: [TelegramChannel(given["token"], api_base=base, username="hongzhu_bot")],
    )
    house.hire(running.shelves, [TEACHER, *range(FIRST, FIRST + PEOPLE)])
    house.bind_groups(running.shelves, given["groups"])
    teacher, *others = house.numbers(running.shelves)
    assert Press.verb

    def act(work: Any) -> Any:
        def run(db: Db) -> None:
            ctx: Context = running.pipeline.alone(db)
            work(ctx)
            running.pipeline.conclude_alone(ctx, f"bench:{time.monotonic_ns()}")

        return running.desk.do(run)

    def broadcast(ctx: Context) -> None:
        ctx.post("bench:2", Staff())
        ctx.say("请在周五前交学习心得。", to=Persons(others))

    await running.start()
    await act(lambda ctx: ctx.post("bench:1", Persons([teacher])))
    print("{}", flush=True)
    await heard_go()
    await act(broadcast)
    await asyncio.sleep(LIMIT)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("given", type=json.loads)
    asyncio.run(_ours(parser.parse_args().given))


if __name__ == "__main__":
    main()

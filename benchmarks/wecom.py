"""A broadcast on 企业微信 under its published limits: 300 private messages, and a morning's worth of posts in 5 groups.

Ours against the strict fake in its own process, every call 50 ms, while a teacher presses five times a second, on the
card in their own talk and on the one in a group that is being written to. Run as a program this module is our child.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.plan import Plan
from benchmarks.processes import Child, python, stopping, wait_until
from benchmarks.report import Bar, Row

PEOPLE, GROUPS, POSTS = 300, 5, 60
LATENCY = 0.05
PUBLISHED = ((30, 60.0), (1000, 3600.0))  # in one conversation, answers and pushes together (path/101463)
SENDS = PEOPLE + GROUPS * POSTS
TEACHER, FIRST = "wanglaoshi", "laoshi"
PRESS_EVERY = 0.2
WINDOW, LIMIT = 60.5, 180.0


def floor_of(messages: int) -> float:
    """Seconds before which the last of so many messages cannot stand in one conversation.

    At most ``count`` in any ``seconds``: message n needs (n - 1) // count whole windows before it, in each window; then
    one round trip. Conversations do not bind one another, so a broadcast's floor is that of its fullest conversation.
    """
    return max((messages - 1) // count * seconds for count, seconds in PUBLISHED) + LATENCY


FLOOR = max(floor_of(1), floor_of(POSTS))
CHAPTER = f"企业微信群发：{PEOPLE} 人各 1 条 + {GROUPS} 个群各 {POSTS} 条，严格限速，每次调用 {LATENCY * 1000:.0f} ms"
NOTE = (
    f"限速的下限 {FLOOR:.2f} s：一个会话里每分钟至多 30 条、每小时至多 1000 条，各会话互不相限；{POSTS} 条的群里，"
    f"最后一条前面有 {(POSTS - 1) // 30} 个整分钟，再加一次往返。私聊各一条不受限"
)


def measure(plan: Plan) -> list[Row]:
    """One round: it takes a minute by the platform's own rule, and a second one would wait as long."""
    found = _once(plan, plan.fresh("broadcast-wecom"))
    return [
        Row(CHAPTER, "用时", "s", [found["seconds"]], None, NOTE),
        Row(CHAPTER, "用时与下限之比", "倍", [found["seconds"] / FLOOR], Bar("<=", 1.10, 1.05)),
        Row(CHAPTER, "三百条私聊用时", "s", [found["private"]]),
        Row(CHAPTER, "被拒或被悄悄丢掉", "次", [found["refused"]], Bar("<=", 0, 0)),
        Row(CHAPTER, "没有到的", "条", [found["missing"]], Bar("<=", 0, 0)),
        Row(CHAPTER, "期间按钮得到回答 p50", "ms", [found["p50"]]),
        Row(CHAPTER, "期间按钮得到回答，最慢", "ms", [found["slowest"]], Bar("<=", 1000, 500)),
        Row(CHAPTER, "没有得到回答的按钮", "次", [found["unanswered"]], Bar("<=", 0, 0)),
    ]


def _once(plan: Plan, folder: Path) -> dict[str, float]:
    from tests.fakes.wecom_control import RemoteWecom

    with RemoteWecom.spawn(0, None, "--latency", str(LATENCY)) as fake, stopping([]) as children:
        teacher = fake.user(TEACHER, known=True)
        people = [fake.user(f"{FIRST}{number:03d}", known=True) for number in range(PEOPLE)]
        groups = [fake.group(f"教研组{n}", members=[teacher], known=True) for n in range(GROUPS)]
        given = {"ws": fake.ws_url, "bot": fake.bot_id, "secret": fake.secret, "groups": [g.id for g in groups]}
        child = Child(
            python("-m", "benchmarks.wecom", json.dumps(given | {"database": str(folder / "school.db")})),
            plan.complaints, stdin=True,
        )  # fmt: skip
        children.append(child)
        child.ready()
        cards = [wait_until(lambda one=one: one.inbox, 20, "the card")[0] for one in (teacher, groups[0])]
        return _watch(fake, teacher, cards, [p.id for p in people], [g.id for g in groups], child)


def _watch(
    fake: Any, teacher: Any, cards: list[Any], people: Sequence[str], groups: Sequence[str], child: Child
) -> dict[str, float]:
    time.sleep(WINDOW)  # no window remembers the cards
    since, over = fake.state["calls"], threading.Event()
    pressed: list[str] = []
    fingers = threading.Thread(target=_press, args=(teacher, cards, over, pressed), name="fingers")
    fingers.start()
    try:
        time.sleep(0.5)
        before = fake.state["messages"]
        assert child.process.stdin is not None
        began = time.monotonic()
        child.process.stdin.write("go\n")
        child.process.stdin.flush()
        wait_until(lambda: fake.state["messages"] - before >= SENDS, LIMIT, "the broadcast", pause=0.25)
    finally:
        over.set()
        fingers.join()
    time.sleep(1.0)
    return _found(fake, fake.ask("calls", since=since), began, pressed, (people, groups))


def _press(teacher: Any, cards: list[Any], over: threading.Event, pressed: list[str]) -> None:
    """On the two cards in turn, whatever became of the press before."""
    next_at = time.monotonic()
    while not over.is_set():
        card = cards[len(pressed) % 2]
        pressed.append(teacher.presses({"message": card["message"]}, "好")["press"])
        next_at += PRESS_EVERY
        over.wait(max(next_at - time.monotonic(), 0.0))


def _found(
    fake: Any,
    calls: Sequence[dict[str, Any]],
    began: float,
    pressed: list[str],
    to: tuple[Sequence[str], Sequence[str]],
) -> dict[str, float]:
    sends = [call for call in calls if call["cmd"] == "aibot_send_msg" and call["errcode"] == 0]
    arrived = {place: [c["at"] - began for c in sends if c["body"]["chatid"] == place] for place in (*to[0], *to[1])}
    wanted = dict.fromkeys(to[0], 1) | dict.fromkeys(to[1], POSTS)
    answers = [fake.ask("press", id=press) for press in pressed]
    took = sorted(answer["seconds"] * 1000 for answer in answers if answer["answered"])
    return {
        "seconds": max(at for times in arrived.values() for at in times),
        "private": max(at for place in to[0] for at in arrived[place]),
        "refused": float(sum(bool(call["errcode"]) for call in calls) + fake.state["dropped"]),
        "missing": float(sum(abs(wanted[place] - len(times)) for place, times in arrived.items())),
        "p50": took[len(took) // 2],
        "slowest": took[-1],
        "unanswered": float(len(answers) - len(took)),
    }


# --- our child ------------------------------------------------------------------------------------------------


async def _ours(given: dict[str, Any]) -> None:
    from benchmarks import house
    from benchmarks.broadcast import heard_go
    from benchmarks.button import Press, feature
    from bot.channels.wecom.channel import WecomChannel
    from bot.kit.context import Context, Persons, Staff
    from storage.base import Db

    running = house.open_school(
        f"sqlite:///{given['database']}",
        [feature],
        lambda running: [
            WecomChannel(given["bot"], given["secret"], bot_name="红烛", url=given["ws"], draw=running.drawn)
        ],
    )
    house.hire(running.shelves, [TEACHER, *(f"{FIRST}{number:03d}" for number in range(PEOPLE))], "wecom")
    house.bind_groups(running.shelves, given["groups"], "wecom")
    teacher, *others = house.numbers(running.shelves)
    assert Press.verb

    def act(work: Any) -> Any:
        def run(db: Db) -> None:
            ctx: Context = running.pipeline.alone(db)
            work(ctx)
            running.pipeline.conclude_alone(ctx, f"bench:{time.monotonic_ns()}")

        return running.desk.do(run)

    def cards(ctx: Context) -> None:
        ctx.post("bench:1", Persons([teacher]))
        ctx.post("bench:2", Staff())

    def broadcast(ctx: Context) -> None:
        ctx.say("请在周五前交学习心得。", to=Persons(others))
        for number in range(POSTS):
            ctx.say(f"开学安排第 {number + 1} 项", to=Staff())

    await running.start()
    await act(cards)
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

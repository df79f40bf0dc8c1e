"""From ``python -m bot run`` to the first answer, and what the process weighs when nobody talks to it."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks import product
from benchmarks.plan import Plan
from benchmarks.processes import Child, python
from benchmarks.report import Bar, Row

CHAPTER = "启动和空闲"


def measure(plan: Plan) -> list[Row]:
    fresh, again = [], []
    for number in range(plan.rounds):
        folder = plan.fresh(f"startup-{number}")
        fresh.append(_seconds(folder, plan))
        again.append(_seconds(folder, plan))
    idle = 3.0 if plan.quick else 10.0
    memory, spent = zip(*(_idle(plan, number, idle) for number in range(1 if plan.quick else 2)), strict=True)
    bar = Bar("<", 2000.0, 1000.0)
    note = "演示学校；从 exec 到网页的第一个 200。空闲：网页 + Telegram 轮询，60 人"
    return [
        Row(CHAPTER, "第一次启动（空文件夹）到第一个回答", "ms", fresh, bar, note),
        Row(CHAPTER, "再启动到第一个回答", "ms", again, bar, note),
        Row(CHAPTER, f"空闲 {idle:.0f} s 后的内存（RSS）", "MB", list(memory), Bar("<", 110.0, 90.0)),
        Row(CHAPTER, "空闲时的 CPU", "ms/s", list(spent)),
    ]


def _seconds(folder: Path, plan: Plan) -> float:
    """Milliseconds until the front page of the demo school is there."""
    port = product.free_port()
    began = time.perf_counter()
    child = Child(python("-m", "bot", "run", "--port", str(port)), plan.complaints, cwd=folder)
    try:
        product.answers(child, port, "/")
        return (time.perf_counter() - began) * 1000
    finally:
        child.stop()


def _idle(plan: Plan, number: int, seconds: float) -> tuple[float, float]:
    with product.opened(plan.fresh(f"idle-{number}"), plan.complaints, "polling") as school:
        time.sleep(seconds / 2)
        before = school.child.cpu()
        time.sleep(seconds / 2)
        return school.child.memory(), (school.child.cpu() - before) / (seconds / 2) * 1000

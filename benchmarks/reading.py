"""What is typed and what is read: phrases read right, asked about, and taken for something they are not.

The tables lie with the tests (``tests/kit/times.txt``); beside them as many phrases made at random as one likes. A
*certain* reading is one that nobody is asked about: precision is how many of these are so, recall how many of the
times that are certain to a person are certain to the program.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from benchmarks.plan import Plan
from benchmarks.report import Bar, Row
from tests.kit import phrases, times
from tests.kit.times import Phrase, Verdict

CHAPTER = "读懂时间"
SEED = 20261122
NONE_WRONG = Bar("<=", 0.0, 0.0)


def measure(plan: Plan) -> list[Row]:
    made = _made(2_000 if plan.quick else 20_000)
    return [
        *_rows(times.phrases(), "词表", f"tests/kit/times.txt，其中 {_traps()} 句不是时间"),
        *_rows(made, "随机造句", f"种子 {SEED}，2026 至 2029 年的任意时刻"),
    ]


def _rows(said: Sequence[Phrase], name: str, note: str) -> list[Row]:
    began = time.perf_counter()
    read = [times.read(phrase) for phrase in said]
    spent = time.perf_counter() - began
    verdicts = Counter(times.judge(phrase, got) for phrase, got in zip(said, read, strict=True))
    right, sure, meant = _certain(said, read)
    share = 100.0 / len(said)
    return [
        Row(
            CHAPTER, f"{name} {len(said)} 句：读对", "%", [verdicts[Verdict.RIGHT] * share], Bar(">=", 95.0, 97.0), note
        ),
        Row(CHAPTER, f"{name}：改为询问", "%", [verdicts[Verdict.ASKED] * share]),
        Row(CHAPTER, f"{name}：读错而没有问", "句", [float(verdicts[Verdict.WRONG])], NONE_WRONG),
        Row(CHAPTER, f"{name}：精确率", "%", [100.0 * right / sure], Bar(">=", 100.0, 100.0), "不问就用的读法里，对的"),
        Row(
            CHAPTER, f"{name}：召回率", "%", [100.0 * right / meant], Bar(">=", 90.0, 95.0), "该不问就读对的里，读对的"
        ),
        Row(CHAPTER, f"{name}：读一句", "µs", [spent / len(said) * 1e6], Bar("<=", 2000.0, 500.0)),
    ]


def _certain(said: Sequence[Phrase], read: Sequence[str]) -> tuple[int, int, int]:
    """Certain readings that are so, all certain readings, and all that should be."""
    right = sure = meant = 0
    for phrase, got in zip(said, read, strict=True):
        found, wanted = times.certain(got), times.certain(phrase.expected)
        right, sure, meant = right + len(found & wanted), sure + len(found), meant + len(wanted)
    return right, sure, meant


def _made(count: int) -> Sequence[Phrase]:
    dice, start = Random(SEED), datetime(2026, 1, 5, 6, tzinfo=times.ZONE)
    moments = (start + timedelta(days=dice.randrange(1400), minutes=dice.randrange(16 * 60)) for _ in range(count * 2))
    weekdays = [now for now in moments if now.weekday() < 6][:count]  # a Sunday's 下周 is asked about
    said = ((phrases.some_time(dice, now), now) for now in weekdays)
    return [Phrase(one.text, one.expected, now, "") for one, now in said]


def _traps() -> int:
    return sum(phrase.expected == "-" for phrase in times.phrases())

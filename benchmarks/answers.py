"""What is typed about a notice and what it is counted as: the table of ``tests/handlers/tables/answers.tsv``.

Precision is how many of the answers that are counted are so; recall how many of those that are plain to a person are
counted. What is missed costs one reminder; what is wrong costs a wrong list, so none may be.
"""

from __future__ import annotations

import time
from collections import Counter

from benchmarks.plan import Plan
from benchmarks.report import Bar, Row
from tests.handlers import answers
from tests.handlers.answers import NOTHING, Verdict

CHAPTER = "读懂答复"


def counts() -> Counter[Verdict]:
    """How many lines of the table are right, missed and wrong."""
    return Counter(answers.judge(line) for line in answers.lines())


def measure(plan: Plan) -> list[Row]:
    lines = answers.lines()
    began = time.perf_counter()
    judged = [(line, answers.judge(line)) for line in lines]
    spent = time.perf_counter() - began
    found = Counter(verdict for _line, verdict in judged)
    meant = [verdict for line, verdict in judged if line.expected != NOTHING]
    read = [verdict for verdict in meant if verdict is not Verdict.MISSED] + [
        verdict for line, verdict in judged if line.expected == NOTHING and verdict is Verdict.WRONG
    ]
    traps = sum(line.expected == NOTHING for line in lines)
    note = f"tests/handlers/tables/answers.tsv，其中 {traps} 句不是答复"
    share, right = 100.0 / len(lines), read.count(Verdict.RIGHT)
    return [
        Row(CHAPTER, f"词表 {len(lines)} 句：读对", "%", [found[Verdict.RIGHT] * share], Bar(">=", 85.0, 90.0), note),
        Row(CHAPTER, "记成没有说过的话", "句", [float(found[Verdict.WRONG])], Bar("<=", 0.0, 0.0)),
        Row(CHAPTER, "没读懂（会再问一次）", "句", [float(found[Verdict.MISSED])]),
        Row(CHAPTER, "精确率", "%", [100.0 * right / len(read)], Bar(">=", 100.0, 100.0), "记下的答复里，对的"),
        Row(CHAPTER, "召回率", "%", [100.0 * right / len(meant)], Bar(">=", 75.0, 90.0), "人看得明白的答复里，记下的"),
        Row(CHAPTER, "读一句", "µs", [spent / len(lines) * 1e6], Bar("<=", 2000.0, 500.0)),
    ]

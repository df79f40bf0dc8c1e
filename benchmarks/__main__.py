"""python -m benchmarks [names] [--rounds N] [--quick]: every figure the project claims, measured side by side.

Medians of interleaved rounds in one go; every server in its own process, the load in another; nothing leaves this
machine, and only processes started here are stopped. The table goes to the screen and to artifacts/bench.json.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from benchmarks import machine, report
from benchmarks.plan import Plan
from benchmarks.report import Report, Row

CHAPTERS = ("votes", "startup", "timers", "broadcast", "postgres", "reading", "answers")
OUT = Path(__file__).resolve().parents[1] / "artifacts" / "bench.json"


def main() -> None:
    given = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="hongzhu-bench-"))
    try:
        found = _run(given.names or CHAPTERS, Plan(folder, given.rounds or (1 if given.quick else 3), given.quick))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found.write(OUT)
    _close(found)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("names", nargs="*", choices=[*CHAPTERS, []], help="默认全部")
    parser.add_argument("--rounds", type=int, help="默认 3 轮")
    parser.add_argument("--quick", action="store_true", help="一轮，一分多钟；数字粗一些")
    return parser.parse_args()


def _run(names: Sequence[str], plan: Plan) -> Report:
    found = Report(machine.describe(plan.folder))
    sys.stdout.write(machine.line(found.machine) + "\n")
    began = time.monotonic()
    for name in names:
        measure: Callable[[Plan], list[Row]] = import_module(f"benchmarks.{name}").measure
        try:
            rows = measure(plan)
        except Exception as error:  # the other chapters are still worth their time
            found.skipped[name] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
            continue
        found.rows += rows
        for chapter in dict.fromkeys(row.chapter for row in rows):
            report.show([row for row in rows if row.chapter == chapter])
    found.seconds = time.monotonic() - began
    return found


def _close(found: Report) -> None:
    bars = [row for row in found.rows if row.bar is not None]
    met = len(bars) - len(found.fails)
    sys.stdout.write(f"\n标准 {len(bars)} 项，达到 {met} 项；用时 {found.seconds:.0f} s；写在 artifacts/bench.json\n")
    for row in found.fails:
        sys.stdout.write(f"  ✗ {row.chapter.partition('：')[0]}：{row.what} {row.median:,.2f} {row.unit}\n")
    for name, why in found.skipped.items():
        sys.stdout.write(f"  没有测成：{name}（{why.splitlines()[0][:160]}）\n")
    sys.exit(1 if found.fails or found.skipped else 0)


if __name__ == "__main__":
    main()

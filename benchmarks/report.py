"""What a run has found: rows with a bar and an aim, as a table for people and as JSON for the record."""

from __future__ import annotations

import json
import statistics
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Bar:
    """``sign`` is ">=", "<=" or "<"; ``aim`` is where we want to be, ``least`` what must hold."""

    sign: str
    least: float
    aim: float | None = None

    def holds(self, value: float) -> bool:
        return self._meets(value, self.least)

    def reaches(self, value: float) -> bool:
        return self.aim is not None and self._meets(value, self.aim)

    def _meets(self, value: float, mark: float) -> bool:
        return {">=": value >= mark, "<=": value <= mark, "<": value < mark}[self.sign]


@dataclass(slots=True)
class Row:
    """One figure over all rounds; what is judged against the bar is the median."""

    chapter: str
    what: str
    unit: str
    values: list[float]
    bar: Bar | None = None
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def verdict(self) -> str:
        if self.bar is None or not self.values:
            return ""
        if not self.bar.holds(self.median):
            return "✗ 不到"
        return "★ 到目标" if self.bar.reaches(self.median) else "✓"

    def as_dict(self) -> dict[str, Any]:
        bar = None if self.bar is None else {"sign": self.bar.sign, "least": self.bar.least, "aim": self.bar.aim}
        holds = None if self.bar is None else self.bar.holds(self.median)
        return {
            "chapter": self.chapter, "what": self.what, "unit": self.unit, "values": self.values,
            "median": self.median, "bar": bar, "holds": holds, "note": self.note,
        }  # fmt: skip


@dataclass(slots=True)
class Report:
    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  # a chapter that could not run, and why
    seconds: float = 0.0

    @property
    def fails(self) -> list[Row]:
        return [row for row in self.rows if row.bar is not None and not row.bar.holds(row.median)]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {
            "machine": self.machine, "seconds": round(self.seconds, 1),
            "rows": [row.as_dict() for row in self.rows], "skipped": self.skipped,
        }  # fmt: skip
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


HEADS = ("项目", "最小", "中位", "最大", "单位", "标准", "目标", "结果")


def show(rows: Sequence[Row]) -> None:
    """Prints one chapter."""
    lines = [_line(row) for row in rows]
    widths = [max(_width(line[n]) for line in [HEADS, *lines]) for n in range(len(HEADS))]
    out = sys.stdout
    out.write(f"\n{rows[0].chapter}\n")
    for line in (HEADS, *lines):
        cells = [_pad(cell, widths[n], left=n in (0, 4, 7)) for n, cell in enumerate(line)]
        out.write(("  " + "  ".join(cells)).rstrip() + "\n")
    for note in dict.fromkeys(row.note for row in rows if row.note):
        out.write(f"  · {note}\n")
    out.flush()


def _line(row: Row) -> tuple[str, ...]:
    bar = row.bar
    least = f"{bar.sign} {_number(bar.least)}" if bar else ""
    aim = _number(bar.aim) if bar and bar.aim is not None else ""
    low, middle, high = min(row.values), row.median, max(row.values)
    return row.what, _number(low), _number(middle), _number(high), row.unit, least, aim, row.verdict


def _number(value: float) -> str:
    if value and abs(value) < 10 and value != int(value):
        return f"{value:.2f}"
    return f"{value:,.1f}" if abs(value) < 100 and value != int(value) else f"{value:,.0f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _pad(text: str, width: int, *, left: bool) -> str:
    space = " " * (width - _width(text))
    return text + space if left else space + text

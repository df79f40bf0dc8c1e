"""The figures of the crash tests: in the summary of the run, and in artifacts/crash.json.

A test calls ``record_property("crash", {...})``; that travels with its report from the worker to where the summary is.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.crash.points import ROOT

FILE = ROOT / "artifacts" / "crash.json"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = {
        report.nodeid.split("::")[-1]: value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "crash"
    }
    if not found:
        return
    terminalreporter.section("crash tests")
    for test, figures in sorted(found.items()):
        terminalreporter.write_line(f"{test}:")
        for name, value in figures.items():
            terminalreporter.write_line(f"    {name}: {_told(value)}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(found, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _told(value: Any) -> str:
    return " · ".join(f"{key} {number}" for key, number in value.items()) if isinstance(value, dict) else str(value)

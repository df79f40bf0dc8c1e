"""Under what the figures were measured."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any


def describe(folder: Path) -> dict[str, Any]:
    """``folder``: where the databases of this run lie."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M", time.gmtime()) + " UTC",
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "fsync_ms": round(fsync_p50(folder) * 1000, 3),
        "load": round(os.getloadavg()[0], 1),
    }


def fsync_p50(folder: Path, times: int = 200) -> float:
    """Seconds to write 4 KiB and have them on the disk."""
    path = folder / "fsync"
    took = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    path.unlink()
    return statistics.median(took)


def line(machine: dict[str, Any]) -> str:
    return (
        f"{machine['cores']} 核 · Python {machine['python']} · SQLite {machine['sqlite']} · "
        f"fsync {machine['fsync_ms']} ms · 负载 {machine['load']} · {machine['at']}"
    )

"""Children of a run: started, asked how they do, and stopped by their own number, whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TICK = os.sysconf("SC_CLK_TCK")


class Died(RuntimeError):
    """A child ended or kept silent; the message is the end of what it complained about."""


class Child:
    """A process of ours and the place where its complaints go."""

    def __init__(
        self,
        command: Sequence[str],
        complaints: Path,
        *,
        cwd: Path = ROOT,
        env: Mapping[str, str] | None = None,
        stdin: bool = False,
    ) -> None:
        self.complaints = complaints
        with open(complaints, "ab") as errors:
            self.process = subprocess.Popen(
                command, cwd=cwd, stdout=subprocess.PIPE, stderr=errors, text=True,
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                env={**clean_environment(), "PYTHONPATH": str(ROOT), **(env or {})},
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def line(self, seconds: float = 60.0) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.process.stdout, selectors.EVENT_READ)
            if not waiting.select(seconds):
                raise Died(f"silent for {seconds} s\n{self._last_words()}")
        text = self.process.stdout.readline()
        if not text:
            raise Died(self._last_words())
        return text

    def ready(self, seconds: float = 60.0) -> dict[str, Any]:
        """The next line it prints, which is JSON."""
        found: dict[str, Any] = json.loads(self.line(seconds))
        return found

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self) -> float:
        """Resident megabytes."""
        for text in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if text.startswith("VmRSS:"):
                return int(text.split()[1]) / 1024
        raise Died("no VmRSS")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        for stream in (self.process.stdout, self.process.stdin):
            if stream is not None:
                stream.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        return f"{self.process.args}\n{self.complaints.read_text(errors='replace')[-3000:]}"


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def clean_environment() -> dict[str, str]:
    """Settings of whoever runs us are no part of the run; nor is a proxy, for everything here is on loopback."""
    unwanted = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {k: v for k, v in os.environ.items() if not k.startswith("HONGZHU_") and k.upper() not in unwanted}


@contextmanager
def stopping(children: list[Child]) -> Iterator[list[Child]]:
    """Stops, the last first, whatever was put into the list meanwhile."""
    try:
        yield children
    finally:
        for child in reversed(children):
            child.stop()


def wait_until(condition: Any, seconds: float, what: str, pause: float = 0.02) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise Died(f"waited {seconds} s for {what}")
        time.sleep(pause)
    return found

"""Scripted trouble: what shall happen to the next calls of a method."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Fault:
    """`status` answers that status. `cut`: "before" (no effect), "after" (took effect, no answer), "body" (took effect,
    half an answer). `hang`: seconds, or True until release() or stop(). With `effect=True` status and hang come after
    the effect."""

    method: str = "*"  # a method name in any case, "file" for downloads, "*" for everything
    times: float = 1
    status: int = 0
    description: str = ""
    retry_after: int = 0
    cut: str = ""
    hang: float | bool = False
    effect: bool = False
    chat_id: int | None = None
    happened: int = 0
    released: asyncio.Event | None = field(default=None, repr=False)

    @property
    def takes_effect(self) -> bool:
        return self.effect or self.cut in ("after", "body")

    def answer(self) -> tuple[int, dict[str, Any]]:
        words = {
            429: f"Too Many Requests: retry after {self.retry_after}",
            502: "Bad Gateway",
            500: "Internal Server Error",
        }
        told: dict[str, Any] = {"ok": False, "error_code": self.status}
        told["description"] = self.description or words.get(self.status, f"Error {self.status}")
        return self.status, told | ({"parameters": {"retry_after": self.retry_after}} if self.retry_after else {})


class Faults:
    """In the order they were written; each is used up after `times` calls."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.planned.append(fault)
        return fault

    def clear(self) -> None:
        self.planned.clear()

    def next(self, method: str, chat_id: Any) -> Fault | None:
        for fault in self.planned:
            if fault.method.lower() not in ("*", method) or (
                fault.chat_id is not None and str(fault.chat_id) != str(chat_id)
            ):
                continue
            fault.happened += 1
            if fault.happened >= fault.times:
                self.planned.remove(fault)
            return fault
        return None

"""Scripted trouble: what shall happen to the next commands of the bot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Fault:
    """`errcode`: refused with it. `lose`: "ack" (it took effect, no answer) or "frame" (no effect, no answer).
    `delay`: seconds before the answer, after the effect. `close`: "clean" or "cut" instead of the answer; with
    `effect` after it took effect. For HTTP calls `cmd` is the path's last two parts ("message/send")."""

    cmd: str = "*"
    times: float = 1
    errcode: int = 0
    errmsg: str = ""
    lose: str = ""
    delay: float = 0.0
    close: str = ""
    effect: bool = False
    chatid: str | None = None
    status: int = 0
    happened: int = 0

    @property
    def takes_effect(self) -> bool:
        return self.lose == "ack" or self.effect or not (self.errcode or self.lose or self.close or self.status)


class Faults:
    """In the order they were written; each is used up after `times` commands."""

    def __init__(self) -> None:
        self.planned: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        self.planned.append(fault)
        return fault

    def clear(self) -> None:
        self.planned.clear()

    def next(self, cmd: str, chatid: object) -> Fault | None:
        for fault in self.planned:
            if fault.cmd not in ("*", cmd) or (fault.chatid is not None and fault.chatid != chatid):
                continue
            fault.happened += 1
            if fault.happened >= fault.times:
                self.planned.remove(fault)
            return fault
        return None

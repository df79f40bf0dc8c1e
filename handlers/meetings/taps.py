"""What buttons mean. An id and a choice; who may press is decided from the database, each time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.kit.action import Action


class Act(StrEnum):
    """What the office does about one meeting."""

    DESK = "d"
    OPEN = "o"
    CODED = "c"
    SHUT = "x"
    SHEET = "s"
    REPLIES = "r"
    MINUTES = "m"
    EXPORT = "e"
    CHAIR = "h"
    RECORDER = "w"
    AGENDA = "a"
    RESOLVED = "v"
    TASK = "t"
    TELL = "b"
    PAPER = "p"
    LATER = "l"  # 补签


class Step(StrEnum):
    """What a teacher does about the calendar."""

    FILE = "f"
    LINK = "l"
    STOP = "x"


@dataclass(frozen=True)
class SignHere(Action, verb="mt.sign"):
    notice: int


@dataclass(frozen=True)
class OnMeeting(Action, verb="mt.do"):
    notice: int
    act: Act


@dataclass(frozen=True)
class GetPapers(Action, verb="mt.papers"):
    notice: int


@dataclass(frozen=True)
class Done(Action, verb="mt.done"):
    task: int


@dataclass(frozen=True)
class DropTask(Action, verb="mt.drop"):
    task: int


@dataclass(frozen=True)
class DropPaper(Action, verb="mt.unfile"):
    paper: int


@dataclass(frozen=True)
class CaughtUp(Action, verb="mt.read"):
    catchup: int


@dataclass(frozen=True)
class OnCalendar(Action, verb="mt.cal"):
    step: Step

"""Eight teachers, an office and a stranger at their phones, and a bot that is killed under their hands.

One story: a school of its own on the fake that outlives everything, some lives of the bot, each with a crash point or a
random end; then a last life in which everything must come to rest.
"""

from __future__ import annotations

import random
import signal
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.crash import snapshot
from tests.crash.book import Book
from tests.crash.bot import Plan, Seed
from tests.crash.checker import LABELS, STANDING, Checker
from tests.crash.keeper import Keeper, Life
from tests.crash.platform import Platform
from tests.fakes.telegram_control import Remote

TEACHERS = 8
OPENING = datetime(2026, 11, 23, 2, 5, tzinfo=UTC)  # a Monday, 10:05 in the school
LONGEST_LIFE = 1.6  # seconds after which a life that does not come to its crash point ends at random
MOST_DEEDS = 30  # of people in one life; after that they only look now and then
REST = 90.0  # seconds in which everything must have come to rest


@dataclass
class Story:
    keeper: Keeper
    fake: Platform
    log: Path
    url: str
    folder: Path
    seed: int
    parallel: int = 16
    port: int = 0  # 0: the bot polls; else the port of its webhook
    dice: random.Random = field(init=False)
    teachers: list[Remote] = field(default_factory=list)
    number: int = 0  # of the last notice
    words: int = 0
    deeds: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.book = Book(self.log)

    # --- the school -------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Everybody is there, one has blocked the bot, one has never come; the first notice stands in the group."""
        self.book.skip()
        names = [f"老师{n}" for n in range(1, TEACHERS + 1)]
        self.teachers = [self.fake.user(name, started=True) for name in names]
        self.office, blocked = self.fake.user("办公室", started=True), self.fake.user("封老师", started=True)
        absent, self.stranger = self.fake.user("未来老师"), self.fake.user("访客", started=True)
        staff = [*self.teachers, self.office, blocked, absent]
        self.group = self.fake.group("全体教职工群", members=[*staff, self.stranger])
        roles = [*((name, "staff") for name in names), ("办公室", "office"), ("封老师", "staff"), ("未来老师", "staff")]
        people = [(name, role, str(account(one))) for (name, role), one in zip(roles, staff, strict=True)]
        self.keeper.seed(Seed(self.url, people, str(self.group.ref["chat"])))
        self.plan = Plan(
            url=self.url,
            api_base=f"http://127.0.0.1:{self.fake.port}",
            token=self.fake.token,
            ahead=(OPENING - datetime.now(UTC)) / timedelta(seconds=1),
            log=str(self.folder / "bot.log"),
            parallel=self.parallel,
            port=self.port,
        )
        cut_off = frozenset({account(blocked), account(absent)})
        self.checker = Checker(self.group.ref["chat"], snapshot.take(self.url, self.folder).people, cut_off)
        blocked.blocks()
        self._announce()

    def _announce(self) -> None:
        self.number += 1
        self.office.says(f"通知 {self.number}")

    # --- a life -----------------------------------------------------------------------------------------------

    def live(self, point: str, count: int = 1) -> str:
        """People act until the bot is dead. Where it was killed: at ``point`` (passed ``count`` times), or "random".

        "asked to stop" is an end in good order (SIGTERM): nothing may be lost by it either.
        """
        life = self.start(point, count)
        limit = LONGEST_LIFE if "." in point else self.dice.uniform(0.01, 0.6)
        self._act_until(life, time.monotonic() + limit)
        if not life.dead.is_set():
            life.signal(signal.SIGTERM if point == "asked to stop" else signal.SIGKILL)
        end = self._end(life, point)
        self.checker.after_kill(self.book, end, snapshot.take(self.url, self.folder))
        for _ in range(self.dice.randint(0, 3)):
            self.act()
        return end

    def _end(self, life: Life, point: str) -> str:
        status = life.wait_dead()
        if life.killed_itself:
            return point
        expected = (0, -signal.SIGTERM) if point == "asked to stop" else (-signal.SIGKILL,)
        if status not in expected:
            self.checker.wrong("damage", f"the bot ended by itself, with {status}")
        return point if point == "asked to stop" else "random"

    def start(self, point: str = "random", count: int = 1) -> Life:
        crash = f"{point}:{count}" if "." in point else ""
        plan = Plan(**{name: getattr(self.plan, name) for name in Plan.__struct_fields__} | {"crash": crash})
        return self.keeper.start(plan)

    def _act_until(self, life: Life, deadline: float) -> None:
        deeds = 0
        while not life.dead.is_set() and (left := deadline - time.monotonic()) > 0:
            self.act()
            deeds += 1
            pause = self.dice.uniform(0.0, 0.01) if deeds < MOST_DEEDS else 0.05
            life.dead.wait(min(pause, left))

    def rest(self) -> None:
        """A last life without a kill: everything must be done when it ends."""
        life = self.start().wait_ready()
        if not self.wait_for_rest():
            life.signal(signal.SIGUSR1)
            time.sleep(0.5)
        life.kill()
        self.check_rest()
        self.leave()

    def leave(self) -> None:
        if self.port:
            self.fake.take_off_the_webhook()

    def wait_for_rest(self) -> bool:
        """Until nothing is left to hear, to say, to draw or to keep; ``False``: it takes too long."""
        deadline = time.monotonic() + REST
        while time.monotonic() < deadline:
            pending = self._waits()  # first: what is confirmed by now is in the snapshot
            now = snapshot.take(self.url, self.folder)
            if not (pending or now.queued or now.stale or now.waiting):
                return True
            time.sleep(0.05)
        return False

    def _waits(self) -> bool:
        """Has the platform anything that we have not taken yet?"""
        return bool(self.fake.state["pending"])

    def check_rest(self) -> None:
        self.checker.at_rest(self.book, snapshot.take(self.url, self.folder))

    # --- people -----------------------------------------------------------------------------------------------

    def act(self) -> None:
        self.deeds += 1
        who, luck = self.dice.choice(self.teachers), self.dice.random()
        if luck < 0.05:
            self._announce()
        elif luck < 0.15:
            self.words += 1
            who.says(f"收到 {self.words}", in_=self.group if self.dice.random() < 0.3 else None)
        elif luck < 0.20:
            self._press(self.stranger, STANDING, "y")
        elif luck < 0.26:
            self._press(who, STANDING, self.dice.choice("xw"))
        elif luck < 0.36:
            self._press(who, self.number, self.dice.choice("yln"))
        else:
            self._press(who, STANDING, self.dice.choice("yln"))

    def _press(self, who: Remote, note: int, choice: str) -> None:
        """The newest copy of that card, where it is there already."""
        card = next((m for m in reversed(self.group.inbox) if f"〔卡{note}〕" in m["text"]), None)
        if card is None:
            return
        label = {**LABELS, "x": "代答", "w": "反悔"}[choice]
        try:
            who.presses(card, label)
        except RuntimeError:  # the button has just gone: the finger was quicker than the eye
            who.forges(card, f"t.ans:{note}:{choice}")


def account(person: Remote) -> int:
    return int(person.ref["person"])

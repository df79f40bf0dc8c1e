"""The same story on 企业微信: the group on the long connection, two teachers who write to the application instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.crash import snapshot
from tests.crash.bot import Plan, Seed, Wecom
from tests.crash.checker import LABELS, STANDING
from tests.crash.story import OPENING, TEACHERS, Story
from tests.crash.wecom_checker import WecomChecker
from tests.fakes.wecom_control import RemoteWecom

WRITERS = 2
AGAIN = 30.0  # seconds for which a message comes again after a break: everything in a life


def spawn(log: Path) -> RemoteWecom:
    fake = RemoteWecom.spawn(0, log, "--unlimited")
    fake.set(again=AGAIN)
    fake.ask("advance", seconds=(OPENING - datetime.now(UTC)).total_seconds())  # mail of another time is refused
    return fake


@dataclass
class WecomStory(Story):
    fake: Any
    teachers: list[Any] = field(default_factory=list)
    staff: int = TEACHERS
    writing: int = WRITERS
    scale: float = 1.0

    def begin(self) -> None:
        self.book.skip()
        first = 1000 + self.seed % 1000 * 100
        names = [f"老师{n}" for n in range(1, self.staff + 1)]
        ids = [str(first + n) for n in range(self.staff + 3)]
        self.teachers = [self.fake.user(one, name, known=True) for one, name in zip(ids, names, strict=False)]
        self.office, self.stranger = (self.fake.user(ids[-n], known=True) for n in (3, 2))
        self.writers = self.teachers[: self.writing]
        self.group = self.fake.group(
            "全体教职工群", members=[*self.teachers, self.office, self.stranger], id=str(first + 99), known=True
        )
        roles = [*((name, "staff") for name in names), ("办公室", "office")]
        accounts = [*ids[: self.staff], self.office.id, ids[-1]]  # the last is on the roster, and nowhere else
        people = [
            (name, role, one) for (name, role), one in zip([*roles, ("未来老师", "staff")], accounts, strict=True)
        ]
        self.keeper.seed(Seed(self.url, people, self.group.id, channel="wecom"))
        app = self.fake.ask("app", callback_url=f"http://127.0.0.1:{self.port}/wecom/callback")
        app = {("corp_secret" if name == "secret" else name): value for name, value in app.items()}
        self.plan = Plan(
            url=self.url,
            api_base="",
            token="",
            ahead=(OPENING - datetime.now(UTC)) / timedelta(seconds=1),
            log=str(self.folder / "bot.log"),
            parallel=self.parallel,
            port=self.port,
            wecom=Wecom(self.fake.ws_url, self.fake.url, self.fake.bot_id, self.fake.secret, app, self.scale),
        )
        roster = snapshot.take(self.url, self.folder).people
        writers = frozenset(int(one.id) for one in self.writers)
        self.checker = WecomChecker(int(self.group.id), roster, frozenset({int(ids[-1])}), writers=writers)
        self._announce()

    def leave(self) -> None:
        self.fake.wait(lambda: not self.fake.state["connected"], 10)
        self.fake.ask("forget")  # what was said in this school is nothing to the next

    def _waits(self) -> bool:
        return bool(self.fake.state["kept"])

    def act(self) -> None:
        self.deeds += 1
        if self.number == 1 and not self.group.inbox:
            return  # one sender's words do not wait for another's: nobody can answer what is not there yet
        who, luck = self.dice.choice(self.teachers), self.dice.random()
        if luck < 0.05:
            self._announce()
        elif who in self.writers:
            self.words += 1
            self.fake.ask("app", who=who.ref, text=f"收到 {self.words}")
        elif luck < 0.20:
            self.words += 1
            who.says(f"收到 {self.words}", in_=self.group if self.dice.random() < 0.3 else None)
        elif luck < 0.24:
            self._press(self.stranger, STANDING, "y")
        elif luck < 0.30:
            self._press(who, STANDING, self.dice.choice("xw"))
        elif luck < 0.40:
            self._press(who, self.number, self.dice.choice("yln"))
        else:
            self._press(who, STANDING, self.dice.choice("yln"))

    def _press(self, who: Any, note: int, choice: str) -> None:
        """The card as it was sent: whoever pressed it sees another face, but the same buttons."""
        card = next((m for m in self.group.inbox if f"〔卡{note}〕" in m["text"] and m["choices"]), None)
        if card is None:
            return
        label = {**LABELS, "x": "代答", "w": "反悔"}[choice]
        try:
            who.presses({"message": card["message"]}, label)
        except RuntimeError:
            who.forges({"message": card["message"]}, f"9|t.ans:{note}:{choice}")

"""300 votes for the star teacher, ten a second, while the bot is killed every half to three seconds; then the count.

The real feature with its real sealed ballots: nobody can read a vote before the count, so it is the published result
that must be what the voters last chose, by the fake's book. None lost, none counted twice, and every step of the count
is killed once as well.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.crash import platform, snapshot
from tests.crash.book import Book, Line
from tests.crash.bot import Plan, Seed
from tests.crash.campaign import SEED
from tests.crash.keeper import Keeper, Life
from tests.crash.story import OPENING

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(300)]
VOTES, SECOND_THOUGHTS = 300, 30  # so many presses, so many of them by somebody who has voted before
A_SECOND = 10
CANDIDATES = ("赵老师", "钱老师", "孙老师")
SEATS = {"赵老师": 1, "钱老师": 2, "孙老师": 3, "弃权": 0}
AFTER_THE_CLOSE = timedelta(days=4, hours=7)  # Monday 10:05 -> Friday 17:05
STEPS = ("pipeline.claimed", "desk.before_commit", "desk.committed", "postman.sent")
QUESTIONS = {
    "voted": "select count(*) from roll where voted",
    "who": "select a.id from roll r join accounts a on a.person = r.person where r.voted",
    "ballots": "select choice, count(*) from ballots group by choice",
    "state": "select state from elections",
}


@dataclass
class Vote:
    """What the voters did and saw."""

    ballots: dict[int, int] = field(default_factory=dict)  # voter -> the message with the ballot
    last: dict[int, str] = field(default_factory=dict)  # voter -> the last name pressed
    answered: set[int] = field(default_factory=set)
    pressed: int = 0
    words: Counter[str] = field(default_factory=Counter)
    result: str = ""

    def read(self, book: Book) -> None:
        for line in book.new():
            reader = getattr(self, f"_{line['what']}", None)
            if reader is not None:
                reader(line)

    def _message(self, line: Line) -> None:
        labels = [label for row in line["buttons"] for label, _ in row]
        if "弃权" in labels:
            self.ballots[line["chat"]] = line["message"]
        if line["chat"] < 0 and "结果" in line["text"]:
            self.result = line["text"]

    def _pressed(self, line: Line) -> None:
        if line["data"].startswith("st.cast:"):
            self.pressed += 1
            self.last[line["by"]] = line["label"]

    def _toast(self, line: Line) -> None:
        if line["data"].startswith("st.cast:"):
            self.words[line["text"].split("：")[0]] += 1
            self.answered.add(line["by"])


class Polls:
    """The polling station."""

    def __init__(self, url: str, folder: Path, fake: platform.Platform, keeper: Keeper) -> None:
        self.url, self.folder, self.fake, self.keeper = url, folder, fake, keeper
        self.dice = random.Random(SEED)
        self.vote, self.book = Vote(), Book(folder / "book.jsonl")
        self.ahead = (OPENING - datetime.now(UTC)) / timedelta(seconds=1)
        self.kills = self.at_a_step = 0
        self.wrong: list[str] = []
        names = [*CANDIDATES, *(f"老师{n}" for n in range(1, VOTES - SECOND_THOUGHTS - len(CANDIDATES)))]
        self.office = fake.user("办公室", started=True)
        self.voters = [fake.user(name, started=True).ref["person"] for name in names] + [self.office.ref["person"]]
        self.group = fake.group("全体教职工群")
        roles = [*((name, "staff") for name in names), ("办公室", "office")]
        people = [(name, role, str(voter)) for (name, role), voter in zip(roles, self.voters, strict=True)]
        keeper.seed(Seed(url, people, str(self.group.ref["chat"]), "stars"))

    def start(self, crash: str = "") -> Life:
        return self.keeper.start(
            Plan(
                url=self.url,
                api_base=f"http://127.0.0.1:{self.fake.port}",
                token=self.fake.token,
                ahead=self.ahead,
                log=str(self.folder / "bot.log"),
                crash=crash,
                features="stars",
                secrets=str(self.folder / "secrets"),
            )
        )

    def ask(self) -> dict[str, list[snapshot.Row]]:
        with snapshot.asking(self.url, self.folder / "copy") as ask:
            return {name: ask(question) for name, question in QUESTIONS.items()}

    def bury(self, life: Life) -> None:
        """Who was answered is on the roll, in the snapshot right after the kill; the count tells the rest."""
        if not life.dead.is_set():
            life.signal(9)
        life.wait_dead()
        self.kills += 1
        self.vote.read(self.book)
        kept = {int(row[0]) for row in self.ask()["who"]}
        lost = self.vote.answered - kept
        if lost:
            self.wrong.append(f"answered and not durable: {len(lost)} votes, kill {self.kills}")

    def open(self) -> None:
        life = self.start().wait_ready()
        self.office.says(f"评选 12月明星教师 候选人 {'、'.join(CANDIDATES)} 截止 周五17:00")
        draft = self.fake.wait(lambda: next((m for m in self.office.inbox if m["buttons"]), None), 20)
        self.office.presses(draft, "确认开始")
        self.fake.wait(self._everybody_has_a_ballot, 60)
        life.kill()

    def _everybody_has_a_ballot(self) -> bool:
        self.vote.read(self.book)
        return self.vote.ballots.keys() >= set(self.voters)

    def cast(self) -> None:
        """Ten presses a second, whether the bot lives or not."""
        voters = self.voters[:]
        self.dice.shuffle(voters)
        presses = voters + self.dice.sample(voters, SECOND_THOUGHTS)
        life, doom = self.start(), time.monotonic() + self.dice.uniform(0.5, 3)
        began = time.monotonic()
        for number, voter in enumerate(presses):
            self.press(voter)
            while (left := began + (number + 1) / A_SECOND - time.monotonic()) > 0:
                time.sleep(max(0.0, min(left, doom - time.monotonic())))
                if time.monotonic() >= doom:
                    self.bury(life)
                    life, doom = self.start(), time.monotonic() + self.dice.uniform(0.5, 3)
        life.wait_ready()
        self.fake.wait(lambda: not self.fake.state["pending"], 30)
        self.bury(life)

    def press(self, voter: int) -> None:
        ballot = {"chat": voter, "message": self.vote.ballots[voter]}
        name = self.dice.choice(list(SEATS))
        self.fake.ask("do", who={"person": voter}, does="presses", args=[ballot, name])

    def count(self) -> None:
        """Past the deadline, past the objections: killed at every step, and it comes to its end all the same."""
        for later in (AFTER_THE_CLOSE, timedelta(minutes=15), timedelta(minutes=1), timedelta(minutes=1)):
            self.ahead += later / timedelta(seconds=1)
            for step in STEPS:
                life = self.start(step)
                while not life.dead.wait(0.01) and not life.ready.is_set():
                    continue
                life.dead.wait(0.5)
                self.bury(life)
                self.at_a_step += life.killed_itself
        life = self.start().wait_ready()
        self.fake.wait(self._published, 30)
        life.kill()

    def _published(self) -> bool:
        self.vote.read(self.book)
        return bool(self.vote.result)


def shown(result: str) -> dict[int, int]:
    """The published numbers, by seat."""
    return {seat: int(found[1]) for name, seat in SEATS.items() if (found := re.search(rf"{name} (\d+)", result))}


def conduct(url: str, folder: Path, record_property: Callable[[str, object], None]) -> None:
    with platform.spawn(folder / "book.jsonl") as fake, Keeper(folder) as keeper:
        polls = Polls(url, folder, fake, keeper)
        polls.open()
        polls.cast()
        before = polls.ask()["voted"][0][0]
        polls.count()
        rows = polls.ask()
    vote, counted = polls.vote, {int(seat): int(n) for seat, n in rows["ballots"]}
    wanted = Counter(SEATS[name] for name in vote.last.values())
    told = {"votes": vote.pressed, "voters": len(polls.voters), "kills": polls.kills, "on the roll": before}
    told |= {"of them at a step of the count": polls.at_a_step}
    told |= {"lost": (wanted - Counter(counted)).total(), "counted twice": (Counter(counted) - wanted).total()}
    record_property("crash", told | {"words on the button": dict(vote.words), "violations": len(polls.wrong)})
    assert not polls.wrong, f"HONGZHU_SEED={SEED}: {polls.wrong}"
    assert vote.pressed == VOTES
    assert polls.at_a_step >= len(STEPS)
    assert before == len(polls.voters)
    assert rows["state"] == [("published",)]
    assert counted == dict(wanted)
    assert shown(vote.result) == {seat: wanted[seat] for seat in SEATS.values()}


def test_300_votes_and_a_kill_every_few_seconds(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    conduct(f"sqlite:///{tmp_path / 'school.db'}", tmp_path, record_property)

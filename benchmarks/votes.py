"""Durable votes through the real webhook: ours beside a plain bot and beside the bare machine, in turn.

Every server has its process and its database, heard the same presses, and answers 200 only after its commit. A server
that waits for its turn is stopped (SIGSTOP), so that nobody measures its neighbour.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks import load, product
from benchmarks.load import Order, Outcome
from benchmarks.plan import Plan
from benchmarks.processes import Child, python
from benchmarks.product import FIRST, PATH, SECRET, STAFF, Product
from benchmarks.report import Bar, Row

CONNECTIONS, BURST_CONNECTIONS, BURST = 32, 40, 300
FIRST_UPDATE = 2_000_000_000
NAMES = {"stars": "明星教师投票", "notices": "会议通知回执", "plain": "PTB + ORM", "bare": "裸 ASGI"}


@dataclass(slots=True)
class Server:
    """Something that takes presses. ``heard``: how many it has durably; ``word``: what a good answer has in it."""

    name: str
    child: Child
    port: int
    tokens: list[str]
    heard: Callable[[], int]
    pause: Callable[[], None]
    resume: Callable[[], None]
    word: str
    chat: int | None = None
    message: int = 77
    number: int = FIRST_UPDATE
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def turn(self) -> Iterator[None]:
        self.resume()
        try:
            yield
        finally:
            self.pause()

    def take(
        self, mode: Literal["closed", "open", "burst"], seconds: float = 0.0, connections: int = CONNECTIONS
    ) -> Outcome:
        """Loads it, and makes sure that whatever was answered is kept."""
        order = Order(
            port=self.port, path=PATH, secret=SECRET, voters=list(range(FIRST, FIRST + STAFF)), tokens=self.tokens,
            number=self.number, chat=self.chat, message=self.message, mode=mode, connections=connections,
            seconds=seconds, count=BURST,
        )  # fmt: skip
        with self.turn():
            before, spent = self.heard(), self.child.cpu()
            found = load.run(order)
            kept = self.heard() - before
            if mode == "closed":
                self.cpu.append((self.child.cpu() - spent) / max(found.sent, 1) * 1e6)
        self.number = found.number
        if found.refused or kept < found.sent or not all(self.word in sample for sample in found.samples):
            raise AssertionError(f"{self.name}: answered {found.sent}, kept {kept}, {found.refused}, {found.samples}")
        return found


# --- the servers ----------------------------------------------------------------------------------------------


@contextmanager
def servers(plan: Plan) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        found = {
            "stars": stack.enter_context(_ours(plan, "stars", product.open_vote, "已投")),
            "notices": stack.enter_context(_ours(plan, "notices", product.open_notice, "已记下")),
            "plain": stack.enter_context(_peer(plan, "plain_bot")),
            "bare": stack.enter_context(_peer(plan, "bare_asgi")),
        }
        yield found


@contextmanager
def _ours(plan: Plan, name: str, prepare: Callable[[Product], None], word: str) -> Iterator[Server]:
    with product.opened(plan.fresh(name), plan.complaints) as school:
        prepare(school)
        server = Server(
            name, school.child, school.port, list(school.tokens), school.heard, school.pause, school.resume, word,
            chat=school.chat, message=school.message,
        )  # fmt: skip
        school.pause()
        yield server


@contextmanager
def _peer(plan: Plan, name: str) -> Iterator[Server]:
    database = plan.fresh(name) / "peer.db"
    child = Child(python("-m", f"benchmarks.peers.{name}", str(database)), plan.complaints)
    try:
        port = child.ready()["port"]
        tokens = [f"v:1:{choice}" for choice in "abcde"]
        yield Server(
            name, child, port, tokens, lambda: _seen(database),
            lambda: os.kill(child.pid, signal.SIGSTOP), lambda: os.kill(child.pid, signal.SIGCONT), "已记下",
        )  # fmt: skip
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGCONT)
        child.stop()


def _seen(database: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        found: int = db.execute("select count(*) from seen").fetchone()[0]
        return found


# --- what is measured -----------------------------------------------------------------------------------------


def measure(plan: Plan) -> list[Row]:
    with servers(plan) as found:
        rates = _rates(plan, found)
        steady = {name: _steadily(plan, found[name]) for name in ("stars", "notices")}
        bursts = _bursts(plan, found)
        cpu = {name: server.cpu for name, server in found.items()}
    return _votes(rates, cpu) + _tails(rates, steady) + _last_of_a_burst(bursts)


def _rates(plan: Plan, found: dict[str, Server]) -> dict[str, list[Outcome]]:
    seconds = 1.5 if plan.quick else 3.0
    rates: dict[str, list[Outcome]] = {name: [] for name in found}
    for _ in range(plan.rounds):
        for name, server in found.items():
            rates[name].append(server.take("closed", seconds))
    return rates


def _steadily(plan: Plan, server: Server) -> list[Outcome]:
    return [server.take("open", 2.0 if plan.quick else 4.0) for _ in range(min(plan.rounds, 3))]


def _bursts(plan: Plan, found: dict[str, Server]) -> dict[str, list[Outcome]]:
    names = ("stars", "notices", "plain", "bare")
    bursts: dict[str, list[Outcome]] = {name: [] for name in names}
    for _ in range(plan.rounds):
        for name in names:
            bursts[name].append(found[name].take("burst", connections=BURST_CONNECTIONS))
    return bursts


def _votes(rates: dict[str, list[Outcome]], cpu: dict[str, list[float]]) -> list[Row]:
    chapter = f"持久的票：真 webhook，{CONNECTIONS} 条连接，提交以后才答 200"
    note = "比值在同一轮里算，再取中位；明星教师的每一票都封成密封信封（libsodium），另有一条私聊回执进发件箱"
    rows = [Row(chapter, f"{NAMES[name]}", "票/s", [one.rate for one in rates[name]], None, note) for name in NAMES]
    for mine in ("stars", "notices"):
        for peer, bar in (("plain", Bar(">=", 15.0, 40.0)), ("bare", Bar(">=", 25.0, 60.0))):
            unit, by = ("倍", 1.0) if peer == "plain" else ("%", 100.0)
            ratios = [a.rate / b.rate * by for a, b in zip(rates[mine], rates[peer], strict=True)]
            rows.append(Row(chapter, f"{NAMES[mine]} 与 {NAMES[peer]} 之比", unit, ratios, bar))
    return rows + [Row(chapter, f"{NAMES[name]}，每票 CPU", "µs", cpu[name]) for name in NAMES]


def _tails(rates: dict[str, list[Outcome]], steady: dict[str, list[Outcome]]) -> list[Row]:
    chapter = f"等多久：{CONNECTIONS} 条连接压满，和每秒 500 票（从该发的那一刻算起）"
    rows = [Row(chapter, f"{NAMES[name]}，压满 p99", "ms", [one.p99 * 1000 for one in rates[name]]) for name in NAMES]
    for name, found in steady.items():
        rows.append(Row(chapter, f"{NAMES[name]}，500/s p50", "ms", [one.p50 * 1000 for one in found]))
        rows.append(Row(chapter, f"{NAMES[name]}，500/s p99", "ms", [one.p99 * 1000 for one in found]))
    return rows


def _last_of_a_burst(bursts: dict[str, list[Outcome]]) -> list[Row]:
    chapter = f"齐按：{BURST} 次同时从 {BURST_CONNECTIONS} 条连接进来，最后一个何时得到回答"
    bar = Bar("<=", 250.0, 60.0)
    return [
        Row(
            chapter,
            NAMES[name],
            "ms",
            [one.last * 1000 for one in found],
            bar if name in ("stars", "notices") else None,
        )
        for name, found in bursts.items()
    ]

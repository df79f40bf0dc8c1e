"""Starts bots, tells when they are dead, and kills them: the tests' end of ``tests.crash.bot``."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.crash.bot import MUTANT, Order, Plan, Seed
from tests.crash.points import ROOT

PATIENCE = 30.0  # seconds after which a process that should have spoken is given up


class Life:
    """One process of the bot, from its fork to its death."""

    def __init__(self, keeper: Keeper, number: int) -> None:
        self.keeper = keeper
        self.number = number
        self.ready = threading.Event()
        self.standing_by = threading.Event()
        self.dead = threading.Event()
        self.status: int | None = None
        self.epoch = 0
        self.signalled = False

    @property
    def killed_itself(self) -> bool:
        """It came to its crash point."""
        return self.status == -signal.SIGKILL and not self.signalled

    def signal(self, number: int) -> None:
        self.signalled = self.signalled or number == signal.SIGKILL
        self.keeper.order(Order("signal", self.number, number=number))

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self.wait_dead()

    def wait_ready(self) -> Life:
        assert self.ready.wait(PATIENCE), f"the bot did not start (exit {self.status}); see {self.keeper.log}"
        return self

    def wait_dead(self) -> int:
        assert self.dead.wait(PATIENCE), "the bot does not die"
        assert self.status is not None
        return self.status


class Keeper:
    """``with Keeper(folder) as keeper``: a fork server. ``mutant``: what is broken in it on purpose."""

    def __init__(self, folder: Path, mutant: str = "", under: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "bot.log"
        self.lives: dict[int, Life] = {}
        self._numbers = itertools.count(1)
        self._waiting = threading.Event()
        environment = {k: v for k, v in os.environ.items() if k not in ("HONGZHU_CRASH", MUTANT)}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*under, sys.executable, "-m", "tests.crash.bot"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=environment | ({MUTANT: mutant} if mutant else {}),
            )
        self._reader = threading.Thread(target=self._read, name="keeper", daemon=True)
        self._reader.start()
        assert self._waiting.wait(PATIENCE), f"the fork server did not start; see {self.log}"

    def seed(self, seed: Seed) -> None:
        life = self._begin(Order("seed", next(self._numbers), seed=seed))
        assert life.wait_dead() == 0, f"the school could not be seeded; see {self.log}"

    def start(self, plan: Plan) -> Life:
        return self._begin(Order("live", next(self._numbers), plan=plan))

    def order(self, order: Order) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(order) + b"\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """The server kills what still lives, and ends."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self._reader.join(10)
        self.process.stdout.close()

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self, order: Order) -> Life:
        life = self.lives[order.life] = Life(self, order.life)
        self.order(order)
        return life

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = msgspec.json.decode(line)
            life = self.lives.get(told["life"])
            match told["what"]:
                case "waiting":
                    self._waiting.set()
                case "ready" if life is not None:
                    life.epoch = told["epoch"]
                    life.ready.set()
                case "standing by" if life is not None:
                    life.standing_by.set()
                case "died" if life is not None:
                    life.status = told["status"]
                    life.dead.set()

"""The product as it is assembled: ``python -m bot run`` on a seeded school, with the fake Telegram as its platform.

What is voted on is set up as a school does it: the secretary types, confirms, and the buttons are read from the
messages that people got.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.processes import Child, Died, python, wait_until

OFFICE, FIRST, STAFF = 900_000_001, 100_000_001, 60
SECRET = "bench-secret-0123456789"
PATH = "/telegram/webhook"
CONFIG = """
[school]
name = "红烛中学"
[database]
url = "sqlite:///{database}"
backup_dir = "{folder}/backups"
[web]
port = {port}
[telegram]
enabled = true
api_base = "http://127.0.0.1:{fake}"
mode = "{mode}"
{webhook}
bot_username = "hongzhu_bot"
allow_cross_border = true
[quiet]
start = "00:00"
end = "00:00"
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Product:
    """A running school. ``tokens`` are the buttons that voters press, on ``message`` in ``chat`` (none: in private)."""

    folder: Path
    fake: Any
    child: Child
    port: int
    tokens: Sequence[str] = ()
    message: int = 77
    chat: int | None = None
    people: dict[int, Any] = field(default_factory=dict)
    group: Any = None

    @property
    def voters(self) -> list[int]:
        return list(range(FIRST, FIRST + STAFF))

    @property
    def database(self) -> Path:
        return self.folder / "school.db"

    def heard(self) -> int:
        """How many events are durably noted."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            found: int = db.execute("select count(*) from inbox").fetchone()[0]
            return found

    def pause(self) -> None:
        """Whoever waits for its turn takes no CPU from the others."""
        for pid in (self.child.pid, self.fake.process.pid):
            os.kill(pid, signal.SIGSTOP)

    def resume(self) -> None:
        for pid in (self.fake.process.pid, self.child.pid):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def opened(folder: Path, complaints: Path, mode: str = "webhook") -> Iterator[Product]:
    """A school of sixty with one group, running; everybody has talked to the bot."""
    from tests.fakes.telegram_control import RemoteTelegram

    options = ("--limits", "strict") if mode == "webhook" else ()
    with RemoteTelegram.spawn(0, None, *options) as fake:
        port = free_port()
        people = {n: fake.user(f"老师{n - FIRST + 1:03d}", id=n, started=True) for n in range(FIRST, FIRST + STAFF)}
        people[OFFICE] = fake.user("办公室", id=OFFICE, started=True)
        group = fake.group("全体教职工群", members=list(people.values()))
        config = write_config(folder, port, fake.port, mode)
        _seed(folder, group.ref["chat"])
        child = start(config, port, fake.token, complaints)
        try:
            answers(child, port)
            if mode == "webhook":
                wait_until(lambda: fake.state["webhook"]["url"], 20, "the webhook")
            yield Product(folder, fake, child, port, people=people, group=group)
        finally:
            for pid in (child.pid, fake.process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            child.stop()


def write_config(folder: Path, port: int, fake: int, mode: str = "webhook") -> Path:
    path = folder / "config.toml"
    webhook = f'webhook_url = "http://127.0.0.1:{port}{PATH}"' if mode == "webhook" else ""
    facts = {"database": folder / "school.db", "folder": folder, "port": port, "fake": fake}
    path.write_text(CONFIG.format(**facts, mode=mode, webhook=webhook), encoding="utf-8")
    return path


def start(config: Path, port: int, token: str, complaints: Path) -> Child:
    secrets = {"HONGZHU_TELEGRAM__TOKEN": token, "HONGZHU_TELEGRAM__WEBHOOK_SECRET": SECRET}
    command = python("-m", "bot", "run", "--config", str(config), "--port", str(port))
    return Child(command, complaints, cwd=config.parent, env=secrets)


def answers(child: Child, port: int, path: str = "/healthz", seconds: float = 30.0) -> None:
    """Returns with the first 200."""
    deadline = time.monotonic() + seconds
    while not _asks(port, path):
        if child.process.poll() is not None or time.monotonic() > deadline:
            raise Died(f"does not answer\n{child.complaints.read_text(errors='replace')[-3000:]}")
        time.sleep(0.005)


def _asks(port: int, path: str) -> bool:
    """A page was given out; where the first answer only says where the page is, it is asked for there."""
    head = _get(port, path)
    where = next((line[9:].strip() for line in head.splitlines() if line.lower().startswith("location:")), "")
    if head.startswith("HTTP/1.1 303") and where.startswith("/"):
        head = _get(port, where)
    return head.startswith("HTTP/1.1 200")


def _get(port: int, path: str) -> str:
    """The head of the answer; nothing where there is none yet."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1.0) as wire:
            wire.settimeout(5.0)
            wire.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            return wire.recv(2048).decode("latin-1")
    except OSError:
        return ""


def _seed(folder: Path, group: int) -> None:
    from benchmarks import house
    from storage import migrate
    from storage.engine import Shelves

    shelves = Shelves(f"sqlite:///{folder / 'school.db'}")
    migrate.upgrade(shelves, folder / "backups", 1, datetime.now(UTC))
    house.hire(shelves, [OFFICE, *range(FIRST, FIRST + STAFF)], office=OFFICE)
    house.bind_groups(shelves, [group])
    shelves.close()


# --- what is voted on -----------------------------------------------------------------------------------------


def open_vote(school: Product) -> None:
    """A secret ballot with five candidates."""
    names = "、".join(f"老师{number:03d}" for number in range(1, 6))
    voter = school.people[FIRST]
    _confirmed(school, f"评选 明星教师 候选人 {names} 截止 {_next_week()} 17:00", "确认开始")
    ballot = wait_until(lambda: _with(voter.inbox, "st.cast:"), 30, "the ballot")
    school.tokens = [token for token in _tokens(ballot) if token.startswith("st.cast:")]
    school.message = ballot["message"]


def open_notice(school: Product) -> None:
    """A meeting that people say yes to, or that they come late."""
    _confirmed(school, f"发通知 {_next_week()}下午3点半 三楼会议室 教学例会", "确认发送")
    card = wait_until(lambda: _with(school.group.messages, "能到"), 30, "the notice")
    school.tokens = [token for label, token in _buttons(card) if label.startswith(("能到", "晚到"))]
    school.message, school.chat = card["message"], card["chat"]


def _confirmed(school: Product, words: str, label: str) -> None:
    office = school.people[OFFICE]
    office.says(words)
    card = wait_until(lambda: _with(office.inbox, label), 30, label)
    office.presses({"chat": card["chat"], "message": card["message"]}, label)


def _with(messages: Sequence[dict[str, Any]], label: str) -> dict[str, Any] | None:
    """The newest message with a button of that label or token."""
    for message in reversed(messages):
        if any(shown.startswith(label) or token.startswith(label) for shown, token in _buttons(message)):
            return message
    return None


def _buttons(message: dict[str, Any]) -> list[tuple[str, str]]:
    return [(label, token or "") for row in message["buttons"] for label, token in row]


def _tokens(message: dict[str, Any]) -> list[str]:
    return [token for _label, token in _buttons(message)]


def _next_week() -> str:
    day = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=7)
    return f"{day.month}月{day.day}日"

"""What is durable at one moment: read right after a kill, before anybody starts the bot again.

SQLite: a copy of the file, its log and its index, opened elsewhere. PostgreSQL: one transaction of our own. The checker
reads plain SQL and nothing of the program, so that a mistake in the program's own questions cannot hide itself.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

Row = Sequence[Any]
Ask = Callable[[str], list[Row]]
TABLES = {
    "inbox": "select id from inbox",
    "history": "select note, person, choice from test_crash_history order by seq",
    "answers": "select note, person, choice, times from test_crash_answers",
    "notes": "select id, over from test_crash_notes",
    "dues": "select note from test_crash_dues order by seq",
    "outbox": "select place, ref, state, person, kind, error from outbox",
    "stale": "select card from copies where wanted > shown and (final or channel != 'wecom')",
    "appointments": "select name, key, state from appointments",
    "audit": "select seq, at, what, actor, object, hash from audit order by seq",
    "people": "select p.id, p.name, p.role, a.id from people p join accounts a on a.person = p.id",
}


@dataclass
class Snapshot:
    inbox: set[str] = field(default_factory=set)  # the platform's own id
    history: dict[tuple[int, int], list[str]] = field(default_factory=dict)  # (note, person) -> choices in order
    answers: dict[tuple[int, int], tuple[str, int]] = field(default_factory=dict)
    over: dict[int, bool] = field(default_factory=dict)  # note -> is it over
    dues: list[int] = field(default_factory=list)
    sent: set[tuple[str, str]] = field(default_factory=set)  # (chat, message) that is marked as sent
    queued: int = 0
    dead: list[tuple[str, int | None, str]] = field(default_factory=list)  # (place, person, error)
    stale: list[str] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)  # appointments: name, key
    audit: list[tuple[int, str, str, int | None, str, str]] = field(default_factory=list)
    people: dict[int, tuple[str, str, int]] = field(default_factory=dict)  # id -> name, role, account
    damage: list[str] = field(default_factory=list)


def take(url: str, folder: Path) -> Snapshot:
    with asking(url, folder) as ask:
        found = _read(ask)
        if url.startswith("sqlite"):
            found.damage = _damage(ask)
        return found


@contextmanager
def asking(url: str, folder: Path) -> Iterator[Ask]:
    """For questions in plain SQL; ``folder`` takes the copy."""
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(_copied(Path(target.database or ""), folder))) as copy:
            yield lambda question: copy.execute(question).fetchall()
        return
    plain = target.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain) as db:
        db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # one moment for all questions
        yield lambda question: db.execute(question).fetchall()


def _copied(path: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("", "-wal", "-shm"):
        source, target = Path(f"{path}{ending}"), folder / f"copy.db{ending}"
        target.unlink(missing_ok=True)
        if source.exists():
            shutil.copyfile(source, target)
    return folder / "copy.db"


def _read(ask: Ask) -> Snapshot:
    rows = {name: ask(question) for name, question in TABLES.items()}
    found = Snapshot()
    found.inbox = {str(r[0]).split(":")[2] for r in rows["inbox"]}
    for note, person, choice in rows["history"]:
        found.history.setdefault((note, person), []).append(choice)
    found.answers = {(r[0], r[1]): (r[2], r[3]) for r in rows["answers"]}
    found.over = {r[0]: bool(r[1]) for r in rows["notes"]}
    found.dues = [r[0] for r in rows["dues"]]
    found.sent = {(str(r[0]), str(r[1])) for r in rows["outbox"] if r[2] == "sent" and r[1]}
    found.queued = sum(r[2] == "queued" for r in rows["outbox"])
    found.dead = [(r[0], r[3], r[5] or "") for r in rows["outbox"] if r[2] == "dead"]
    found.stale = [r[0] for r in rows["stale"]]
    found.waiting = [(r[0], r[1]) for r in rows["appointments"] if r[2] == "waiting"]
    found.audit = [(r[0], _iso(r[1]), r[2], r[3], r[4], r[5]) for r in rows["audit"]]
    found.people = {r[0]: (r[1], r[2], int(r[3])) for r in rows["people"]}
    return found


def _damage(ask: Ask) -> list[str]:
    """SQLite only: is the file whole?"""
    whole = [str(r[0]) for r in ask("PRAGMA integrity_check") if r[0] != "ok"]
    return whole + [f"foreign key of {r[0]}" for r in ask("PRAGMA foreign_key_check")]


def _iso(value: Any) -> str:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).isoformat()

"""A number that was shown or written into a key is never given out again, even when its row is gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from storage import ballots, diary, drafts, files, migrate, people
from storage.ballots import Settings
from storage.base import Db
from storage.drafts import Clause
from storage.engine import Shelves
from storage.people import Person

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PIECES = [Clause(1, "第一条", "", "第一条　为规范考勤，制定本办法。")]


def work(db: Db) -> int:
    number = diary.start_work(db, "x.y", b"", {}, person=None, channel="web", place="p1", private=True)
    diary.end_work(db, number)
    return number


def file(db: Db) -> int:
    number = files.keep(db, "a.txt", "text/plain", b"", NOW)
    files.remove(db, number)
    return number


def draft(db: Db) -> int:
    author = people.add(db, Person(0, "办公室", role="office"))
    number = drafts.add(db, title="x", kind="", how="articles", preface="", author=author, now=NOW, pieces=PIECES)
    drafts.forget(db, number)
    return number


def election(db: Db) -> int:
    number = ballots.draft(db, Settings(title="x", candidates=(), closes=NOW + timedelta(days=1), least=5))
    ballots.drop(db, number)
    return number


@pytest.mark.parametrize("makes", [work, file, draft, election])
def test_a_number_is_used_once(database: str, tmp_path: Path, makes: Callable[[Db], int]) -> None:
    shelves = Shelves(database)
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        assert makes(db) < makes(db) < makes(db)
    shelves.close()


def test_the_first_shelves_were_told_so(tmp_path: Path) -> None:
    shelves = Shelves(f"sqlite:///{tmp_path / 'school.db'}")
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    with shelves.writer.connect() as connection:
        made = connection.execute(text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")).scalars()
        assert set(made) >= {"works", "files", "drafts", "elections"}
    shelves.close()

"""The road of the schema: what the scripts make is what the shelves say, on both databases, and nothing is lost."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from storage import migrate, people
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.migrations.new import import_shelves
from storage.people import Person

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def shelves_of(url: str) -> Shelves:
    return Shelves(url)


def test_the_head_that_is_written_down_is_the_head_of_the_scripts() -> None:
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_current_head() == migrate.HEAD


def test_the_scripts_make_what_the_shelves_say(database: str, tmp_path: Path) -> None:
    import_shelves()
    shelves = shelves_of(database)
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    with shelves.reader.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, metadata)
        tables = set(inspect(connection).get_table_names())
    assert [one for one in found if not _of_a_test(one)] == []
    assert {"people", "outbox", "audit", "works"} <= tables
    shelves.close()


def _of_a_test(difference: object) -> bool:
    return "test_" in str(difference)


def test_an_ordinary_start_changes_nothing_and_copies_nothing(database: str, tmp_path: Path) -> None:
    shelves = shelves_of(database)
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    assert migrate.upgrade(shelves, tmp_path / "backups", 3, NOW) is None
    assert not (tmp_path / "backups").exists()
    shelves.close()


def older(shelves: Shelves, folder: Path) -> None:
    """A database as an earlier version left it, with somebody in it."""
    migrate.upgrade(shelves, folder, 3, NOW)
    with shelves.writer.connect() as connection, connection.begin():
        people.add(Db(connection), Person(0, "王老师"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))


def test_a_backup_is_taken_before_the_schema_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelves = shelves_of(f"sqlite:///{tmp_path / 'school.db'}")
    older(shelves, tmp_path / "backups")
    monkeypatch.setattr(migrate, "_run", lambda engine, sqlite: None)
    saved = migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    assert saved is not None
    with closing(sqlite3.connect(saved)) as copy:
        migrate.check(copy)
        assert copy.execute("SELECT name FROM people").fetchall() == [("王老师",)]
    shelves.close()


def test_a_database_of_a_later_version_is_refused_untouched(tmp_path: Path) -> None:
    shelves = shelves_of(f"sqlite:///{tmp_path / 'school.db'}")
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    with shelves.writer.connect() as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.TooNew):
        migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    assert migrate.current(shelves) == "9999"
    shelves.close()


def test_old_backups_make_room_for_new_ones(tmp_path: Path) -> None:
    shelves = shelves_of(f"sqlite:///{tmp_path / 'school.db'}")
    migrate.upgrade(shelves, tmp_path / "backups", 3, NOW)
    for second in range(6):
        migrate.backup(shelves, tmp_path / "backups", 3, NOW.replace(second=second), "manual")
    kept = sorted(file.name for file in (tmp_path / "backups").iterdir())
    assert [name[17:23] for name in kept] == ["020003", "020004", "020005"]
    shelves.close()


def test_a_copy_taken_while_we_write_is_whole(tmp_path: Path) -> None:
    shelves = shelves_of(f"sqlite:///{tmp_path / 'school.db'}")
    migrate.upgrade(shelves, tmp_path / "backups", 100, NOW)
    for number in range(20):
        with shelves.writer.connect() as connection, connection.begin():
            people.add(Db(connection), Person(0, f"老师{number}"))
            made = migrate.backup(shelves, tmp_path / "backups", 100, NOW.replace(minute=number), "load")
        assert made is not None
        with closing(sqlite3.connect(made)) as copy:
            migrate.check(copy)
            assert copy.execute("SELECT count(*) FROM people").fetchone() == (number,)
    shelves.close()

"""Brings the shelves to today's shape, on an engine of its own, after a backup copy.

``HEAD`` is written here so that an ordinary start need not load Alembic (300 ms); a test holds it against the scripts.
SQLite rebuilds a table to change it: with foreign keys on, that empties what points to it. So they are off here, and
``foreign_key_check`` follows (docs: sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.pool import NullPool

from storage.engine import Shelves

HEAD = "0004"
SCRIPTS = Path(__file__).parent / "migrations"


class TooNew(RuntimeError):
    """The database was written by a later version of the program."""


def current(shelves: Shelves) -> str | None:
    """The revision of the database; ``None``: it is empty."""
    with shelves.reader.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def upgrade(shelves: Shelves, backups: Path, keep: int, now: datetime) -> Path | None:
    """Migrates if that is needed; the backup that was taken first, if there was anything to copy."""
    revision = current(shelves)
    if revision == HEAD:
        return None
    saved = backup(shelves, backups, keep, now, f"before-{HEAD}") if revision is not None else None
    engine = _engine(shelves)
    try:
        _run(engine, shelves.sqlite)
    finally:
        engine.dispose()
        shelves.writer.dispose()
        shelves.reader.dispose()
    return saved


def _engine(shelves: Shelves) -> Engine:
    engine = create_engine(shelves.url, poolclass=NullPool)
    if shelves.sqlite:

        @event.listens_for(engine, "connect")
        def _connect(dbapi: sqlite3.Connection, _record: object) -> None:
            dbapi.isolation_level = None
            dbapi.execute("PRAGMA journal_mode=WAL")
            dbapi.execute("PRAGMA synchronous=FULL")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _run(engine: Engine, sqlite: bool) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise TooNew(str(error)) from error
    if sqlite:
        with engine.connect() as connection:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise RuntimeError(f"foreign key broken after migration in {broken[0]}")


def backup(shelves: Shelves, folder: Path, keep: int, now: datetime, name: str) -> Path | None:
    """A copy that can be restored, checked before it counts. ``None`` where PostgreSQL's pg_dump is not at hand."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"hongzhu-{now:%Y%m%d-%H%M%S}-{name}"
    made: Path | None
    if shelves.path is not None:
        made = _copy_sqlite(shelves.path, folder / f"{stem}.db")
    else:
        made = _dump_postgresql(shelves, folder / f"{stem}.dump")
    for old in sorted(folder.glob("hongzhu-*"))[:-keep]:
        old.unlink()
    return made


def _copy_sqlite(source: Path, target: Path) -> Path:
    draft = target.with_suffix(".part")
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(draft)) as copy:
        live.backup(copy)
        check(copy)
    draft.rename(target)
    return target


def check(copy: sqlite3.Connection) -> None:
    """``RuntimeError`` where a SQLite file is not whole."""
    if copy.execute("PRAGMA integrity_check").fetchone() != ("ok",):
        raise RuntimeError("integrity_check failed")
    if copy.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise RuntimeError("foreign_key_check failed")


def _dump_postgresql(shelves: Shelves, target: Path) -> Path | None:
    program = shutil.which("pg_dump")
    if program is None:
        return None
    url = shelves.url.set(drivername="postgresql", password=None).render_as_string()
    # The password goes by the environment: other people of the machine can read a command line.
    environment = {**os.environ, "PGPASSWORD": str(shelves.url.password or "")}
    command = [program, "--format=custom", f"--file={target}", f"--dbname={url}"]
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603 our own words only
    return target

"""Opens the shelves: SQLite or PostgreSQL, durable or not at all.

SQLite: WAL, ``synchronous=FULL``, foreign keys on, ``BEGIN IMMEDIATE`` for the writer, one writing connection.
PostgreSQL: ``synchronous_commit=on`` for our session; ``fsync`` and ``full_page_writes`` are checked.
Sources: sqlite.org/wal.html, sqlite.org/pragma.html; postgresql.org/docs/15/runtime-config-wal.html.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import NullPool, QueuePool

from storage.base import Db

WAL_BUG_FIXED = (3, 51, 3)  # sqlite.org/wal.html: the WAL-reset bug needs two connections that write or checkpoint


class NotDurable(RuntimeError):
    """The database would lose what it said it kept; we do not start on it."""


class Damaged(RuntimeError):
    """The file is not, or no longer, a whole database. It is kept as it is: only a person restores."""


class Shelves:
    """The engines of one school: ``writer`` for its one writing thread, ``reader`` for pages and drawing."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.sqlite = self.url.get_backend_name() == "sqlite"
        if self.sqlite and self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self.writer = _engine(self._writing_url(), self.sqlite, "BEGIN IMMEDIATE")
        self.reader = _engine(self.url.render_as_string(hide_password=False), self.sqlite, "BEGIN", reads_only=True)

    @property
    def path(self) -> Path | None:
        """The SQLite file, or ``None`` on PostgreSQL."""
        return Path(self.url.database) if self.sqlite and self.url.database else None

    @contextmanager
    def reading(self) -> Iterator[Db]:
        """A transaction that cannot write."""
        with self.reader.connect() as connection, connection.begin():
            yield Db(connection)

    def check_durable(self) -> None:
        """``NotDurable`` where a commit would not survive a power cut."""
        with self.writer.connect() as connection:
            for setting, good in _settings(connection, self.sqlite):
                if not good:
                    raise NotDurable(setting)

    def check_whole(self) -> None:
        """``Damaged`` where SQLite's own check finds anything (sqlite.org/pragma.html#pragma_quick_check)."""
        if self.path is None or not self.path.exists():
            return
        try:
            with self.reader.connect() as connection:
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except DatabaseError as error:
            raise Damaged(str(error.orig)) from error
        if found != "ok":
            raise Damaged(str(found))

    def warnings(self) -> list[str]:
        """What is worth saying at start though it does not stop us."""
        if self.sqlite and sqlite3.sqlite_version_info < WAL_BUG_FIXED:
            return [f"SQLite {sqlite3.sqlite_version}"]
        return []

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()

    def _writing_url(self) -> str:
        url = self.url if self.sqlite else self.url.update_query_dict({"application_name": self.session_name})
        return url.render_as_string(hide_password=False)

    @property
    def session_name(self) -> str:
        """By this PostgreSQL knows the writing sessions of this school, ours and an earlier owner's."""
        return f"hongzhu {self.lock_number}"

    @property
    def lock_number(self) -> int:
        """The advisory lock that stands for this school on PostgreSQL: 63 bits of the database and schema name."""
        name = f"{self.url.host}/{self.url.database}/{self.url.query.get('options', '')}"
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


# sqlite.org/rescode.html: busy, locked, read-only, I/O error, corrupt, full, cannot open, not a database
_OUTAGES = {5, 6, 8, 10, 11, 13, 14, 26}


def is_outage(error: BaseException) -> bool:
    """The database cannot keep anything just now (full, locked, unreachable), as against a bug of ours."""
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _OUTAGES
    state = getattr(error.orig, "sqlstate", None) or ""
    # postgresql.org/docs/15/errcodes-appendix.html: connection, resources, operator intervention, system error
    return connection_lost(error) or state[:2] in {"08", "53", "57", "58"}


def transaction_gone(connection: Connection) -> bool:
    """SQLite gives up a whole transaction by itself when the disk is full (sqlite.org/lang_transaction.html, 2.3)."""
    return getattr(connection.connection.dbapi_connection, "in_transaction", True) is False


def connection_lost(error: BaseException) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _engine(url: str, sqlite: bool, begin: str, reads_only: bool = False) -> Engine:
    if not sqlite:
        engine = create_engine(url, pool_pre_ping=True, pool_size=4, insertmanyvalues_page_size=500)
        event.listen(engine, "connect", _durable_session)
        if reads_only:
            return engine.execution_options(postgresql_readonly=True)
        return engine
    engine = create_engine(
        url, poolclass=QueuePool if reads_only else NullPool, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = (
            None  # we send BEGIN ourselves: the driver's own is deferred, and a deferred one fails at once
        )
        for pragma in ("busy_timeout=5000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            dbapi.execute(f"PRAGMA {pragma}")
        if reads_only:
            dbapi.execute("PRAGMA query_only=ON")
        else:
            dbapi.execute("PRAGMA cache_size=-16000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _durable_session(dbapi: Any, _record: Any) -> None:
    with dbapi.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        cursor.execute("SET timezone = 'UTC'")
    dbapi.commit()


def _settings(connection: Connection, sqlite: bool) -> Iterator[tuple[str, bool]]:
    if sqlite:
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
        yield f"journal_mode={mode}", mode == "wal"
        yield f"synchronous={level}", level is not None and int(level) >= 2
        yield f"foreign_keys={keys}", keys == 1
        return
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        value = connection.execute(text(f"SHOW {name}")).scalar()
        yield f"{name}={value}", value not in ("off", "local")

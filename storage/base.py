"""What every shelf stands on: named constraints, UTC instants, and ``Db``, one transaction seen from above."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Dialect,
    Executable,
    Integer,
    MetaData,
    Row,
    Table,
    TypeDecorator,
)
from sqlalchemy.sql.util import find_tables

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts rows only in a column that is exactly INTEGER


class Instant(TypeDecorator[datetime]):
    """A moment, kept in UTC. A naive datetime is a bug and is refused here, at the last door."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Params = Mapping[str, Any]


class Db:
    """One transaction. Reads and writes run at once, except what is put off with ``later``.

    ``later`` gathers writes of many events and sends each kind as one ``executemany`` before the commit (measured: a
    tenth of the cost of one statement each). A read of a table that has writes waiting sends them first, so nobody can
    tell the difference.
    """

    def __init__(self, connection: Connection, serials: Serials | None = None) -> None:
        self.connection = connection
        self.serials = serials or Serials()
        self.writes = 0  # writes that ``back`` cannot take back
        self._waiting: list[tuple[Executable, dict[str, Any], frozenset[str]]] = []
        self._tables: set[str] = set()
        self._memo: dict[object, Any] = {}
        self.notes: set[str] = set()  # what the engine wants to know after the commit: "outbox", "diary", ...
        self.at_end: dict[str, Callable[[Db], None]] = {}

    def all(self, statement: Executable, params: Params | None = None) -> Sequence[Row[Any]]:
        self._settle(statement)
        return self.connection.execute(statement, params).all()

    def first(self, statement: Executable, params: Params | None = None) -> Row[Any] | None:
        self._settle(statement)
        return self.connection.execute(statement, params).first()

    def value(self, statement: Executable, params: Params | None = None) -> Any:
        """The first column of the first row, or ``None``."""
        row = self.first(statement, params)
        return None if row is None else row[0]

    def run(self, statement: Executable, params: Params | Sequence[Params] | None = None) -> int:
        """Writes now; how many rows it touched."""
        self.writes += 1
        self._settle(statement)
        result: CursorResult[Any] = self.connection.execute(statement, params)
        return result.rowcount

    def insert(self, statement: Executable, params: Params | None = None) -> int:
        """Writes now; the number of the new row."""
        self.writes += 1
        self._settle(statement)
        result: CursorResult[Any] = self.connection.execute(statement, params)
        key = result.inserted_primary_key
        return int(key[0]) if key else 0

    def later(self, statement: Executable, params: dict[str, Any]) -> None:
        """Writes before the commit, together with its like. ``statement`` must be a module's constant."""
        tables = tables_of(statement)
        self._waiting.append((statement, params, tables))
        self._tables |= tables

    def finally_(self, name: str, work: Callable[[Db], None]) -> None:
        """Runs ``work`` once before the commit, however often it was asked for under this name."""
        self.at_end.setdefault(name, work)

    def memo(self, key: object, question: Callable[[], Any]) -> Any:
        """The answer to a question whose rows change only through code that calls ``forget``."""
        if key not in self._memo:
            self._memo[key] = question()
        return self._memo[key]

    def forget(self, key: object) -> None:
        self._memo.pop(key, None)

    def mark(self) -> tuple[int, int]:
        return self.writes, len(self._waiting)

    def back(self, mark: tuple[int, int]) -> bool:
        """Takes back what was put off since ``mark``; ``False`` where something was written for good already."""
        if self.writes != mark[0] or len(self._waiting) < mark[1]:
            return False
        if len(self._waiting) > mark[1]:
            del self._waiting[mark[1] :]
            self._memo.clear()  # it may count on what was just taken back: the end of the audit chain does
        return True

    def flush(self) -> None:
        """Sends what was put off: one ``executemany`` a kind, in the order in which the kinds first came."""
        for work in list(self.at_end.values()):
            work(self)
        self.at_end.clear()
        self._send()

    def _settle(self, statement: Executable) -> None:
        if self._waiting and not self._tables.isdisjoint(tables_of(statement)):
            self.writes += 1
            self._send()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._tables.clear()
        kinds: dict[int, tuple[Executable, list[dict[str, Any]]]] = {}
        for statement, params, _tables in waiting:
            kinds.setdefault(id(statement), (statement, []))[1].append(params)
        for statement, rows in kinds.values():
            prepared = _prepare(statement, self.connection.dialect, rows[0])
            if prepared is None:
                self.connection.execute(statement, rows)
            else:
                self.connection.exec_driver_sql(prepared.sql, prepared.parameters(rows))

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What happens inside is undone alone if it raises."""
        self._memo.clear()
        with self.connection.begin_nested():
            try:
                yield
                self.flush()
            except BaseException:
                self._waiting.clear()
                self._tables.clear()
                self.at_end.clear()
                self._memo.clear()
                raise


class Serials:
    """Numbers given out by the school's one writer, so that a row's number is known before the row is written."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def next(self, name: str, highest: Callable[[], int | None]) -> int:
        """The next number; ``highest`` is asked once, for the greatest that is taken."""
        if name not in self._next:
            self._next[name] = highest() or 0
        self._next[name] += 1
        return self._next[name]


_known: dict[int, tuple[Executable, frozenset[str]]] = {}


def tables_of(statement: Executable) -> frozenset[str]:
    """The names of the tables a statement reads or writes; remembered, because statements are constants."""
    known = _known.get(id(statement))
    if known is not None and known[0] is statement:
        return known[1]
    found = find_tables(statement, include_crud=True, include_joins=True, include_selects=True, include_aliases=True)  # type: ignore[arg-type]
    names = frozenset(table.name for table in found if isinstance(table, Table))
    if len(_known) > 2000:
        _known.clear()
    _known[id(statement)] = (statement, names)
    return names


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A writing statement as the driver takes it.

    SQLAlchemy works out every row of an ``executemany`` anew, which costs as much as the driver's work (measured: 8 µs
    of a vote's 85). What is the same for all rows is worked out here once.
    """

    statement: Executable  # kept alive, for it is known by its id
    sql: str
    values: tuple[tuple[str, Callable[[Any], Any] | None], ...]  # in the order of the placeholders
    fixed: dict[str, Any]  # what the statement itself brings
    positional: bool

    def parameters(self, rows: Sequence[dict[str, Any]]) -> list[Any]:
        whole = [{**self.fixed, **row} for row in rows] if self.fixed else rows
        columns = [_column([row[name] for row in whole], maker) for name, maker in self.values]
        lines = zip(*columns, strict=True)
        if self.positional:
            return list(lines)
        names = [name for name, _maker in self.values]
        return [dict(zip(names, line, strict=True)) for line in lines]


def _column(values: list[Any], maker: Callable[[Any], Any] | None) -> list[Any]:
    """What the driver gets; the rows of a batch share their moment, which is worked out once."""
    if maker is None:
        return values
    made, last, result = [], _NOTHING, None
    for value in values:
        if value is not last:
            last, result = value, maker(value)
        made.append(result)
    return made


_NOTHING: Any = object()
_ready: dict[tuple[int, str, tuple[str, ...]], _Prepared] = {}


def _prepare(statement: Executable, dialect: Dialect, row: dict[str, Any]) -> _Prepared | None:
    """``None`` for what only SQLAlchemy can work out row by row: defaults in Python, lists of values."""
    key = (id(statement), dialect.name, tuple(row))
    known = _ready.get(key)
    if known is not None and known.statement is statement:
        return known
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(row))  # type: ignore[attr-defined]
    unusual = ("insert_prefetch", "update_prefetch", "post_compile_params", "literal_execute_params")
    if any(getattr(compiled, name, ()) for name in (*unusual, "escaped_bind_names")):
        return None
    binds = {name: bind for bind, name in compiled.bind_names.items()}
    names = compiled.positiontup if compiled.positional else list(binds)
    makers = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
    fixed = {name: value for name, value in compiled.params.items() if not binds[name].required}
    values = tuple((name, makers[name]) for name in names)
    if len(_ready) > 500:
        _ready.clear()
    _ready[key] = _Prepared(statement, compiled.string, values, fixed, compiled.positional)
    return _ready[key]

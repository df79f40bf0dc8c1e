"""One owner per school: a file lock beside the SQLite file, an advisory lock on PostgreSQL. The loser stands by."""

from __future__ import annotations

import fcntl
import os
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from storage.engine import Shelves, connection_lost

# An owner that fell asleep in the middle of a transaction still holds its rows; we would wait for it for ever.
_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = :name AND usename = current_user AND pid <> pg_backend_pid()"
)


def _was_ended(error: OperationalError) -> bool:
    """Also while it was still being opened, when SQLAlchemy does not yet know a lost connection from any other error.

    57P01 is admin_shutdown (postgresql.org/docs/current/errcodes-appendix.html); the sentence is libpq's, for a session
    that was ended before it could be told so.
    """
    ended = getattr(error.orig, "sqlstate", None) == "57P01"
    return ended or "server closed the connection unexpectedly" in str(error.orig)


class OwnerLock:
    """Held until ``release`` or until this process dies."""

    def __init__(self, shelves: Shelves) -> None:
        self.shelves = shelves
        self._file: IO[str] | None = None
        self._connection: Connection | None = None

    def take(self) -> bool:
        """``False``: somebody else owns the school."""
        if self.shelves.path is not None:
            return self._take_file()
        try:
            return self._take_advisory()
        except OperationalError as error:
            if not (connection_lost(error) or _was_ended(error)):
                raise
            return False  # whoever was quicker has just ended our session

    def held(self) -> bool:
        """Still ours? A PostgreSQL lock goes with its connection."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except Exception:
            return False
        return True

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _take_file(self) -> bool:
        assert self.shelves.path is not None  # noqa: S101 the caller has looked
        file = open(f"{self.shelves.path}.lock", "a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        connection = self.shelves.writer.connect()
        connection.detach()  # out of the pool: closing it must end the session, for the lock is the session's
        ours = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": self.shelves.lock_number}).scalar()
        if not ours:
            connection.close()
            return False
        connection.execute(_END_OTHERS, {"name": self.shelves.session_name})
        connection.commit()
        self._connection = connection
        return True

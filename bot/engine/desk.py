"""The one writer of a school: many jobs, one transaction, one flush; answers leave only after the commit.

While a batch commits, the next one gathers: the batch grows with the load. A batch runs without savepoints; only when a
job fails is it rolled back and run again with one savepoint for each job, so that a failing job undoes itself alone. A
failed commit answers nobody.
"""

from __future__ import annotations

import queue
import threading
import time
from asyncio import AbstractEventLoop, Future, get_running_loop
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from bot.engine.crashpoint import cp
from bot.engine.port import Unavailable
from storage import ownership
from storage.base import Db, Serials
from storage.engine import Shelves, connection_lost, is_outage, transaction_gone

T = TypeVar("T")
Work = Callable[[Db], T]
MOST = 256
BUSY = 8  # so many in one batch are load, not chance
PAUSE = 0.001  # seconds


class NotOwner(Unavailable):
    """Another process owns this school now; we may write no more."""


class MustUndo(Exception):
    """A job wrote and then refused: only a savepoint can undo that, so the batch runs again with them."""


@dataclass(slots=True)
class Job:
    work: Work[Any]
    loop: AbstractEventLoop | None
    future: Future[Any] | None
    key: object = None  # what ``prepare`` may fetch for many jobs at once
    result: Any = None
    error: BaseException | None = None


class Desk:
    """``start`` takes the ownership; ``do`` runs a job and waits for its commit; ``stop`` ends after what is queued."""

    def __init__(self, shelves: Shelves, prepare: Callable[[Db, Sequence[object]], None] | None = None) -> None:
        self.shelves = shelves
        self.prepare = prepare
        self.epoch = 0
        self.after_commit: Callable[[frozenset[str]], None] = lambda notes: None
        self.lost: Callable[[], None] = lambda: None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._serials = Serials()
        self._connection: Connection | None = None

    def start(self) -> None:
        """Takes the ownership and starts the writing thread."""
        with self.shelves.writer.connect() as connection, connection.begin():
            self.epoch = ownership.take(Db(connection))
        cp("desk.owned")
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join()
            self._thread = None

    async def do(self, work: Work[T], key: object = None) -> T:
        """Runs ``work`` in the next batch; returns once it is durable. ``Unavailable``: nothing was kept."""
        loop = get_running_loop()
        future: Future[T] = loop.create_future()
        self._jobs.put(Job(work, loop, future, key))
        return await future

    def do_now(self, work: Work[T]) -> T:
        """The same for a caller without an event loop (the command line, tests)."""
        done = threading.Event()
        job = Job(work, None, None)
        job.key = done
        self._jobs.put(job)
        done.wait()
        if job.error is not None:
            raise job.error
        return job.result  # type: ignore[no-any-return]

    # --- the writing thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._gather()
            if batch:
                self._commit(batch)
            if len(batch) >= BUSY:
                self._let_come()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _let_come(self) -> None:
        """Under load: until the answers just given have brought the next presses, five milliseconds at most.

        This thread and the event loop share one interpreter. To start on the first few presses while the loop still
        takes in the others makes two transactions of one, and each takes the interpreter from the other's hands.
        """
        seen = -1
        for _ in range(5):
            waiting = self._jobs.qsize()
            if waiting == seen or waiting >= MOST:
                return
            seen = waiting
            time.sleep(PAUSE)

    def _gather(self) -> tuple[list[Job], bool]:
        batch: list[Job] = []
        job = self._jobs.get()
        while job is not None:
            batch.append(job)
            if len(batch) >= MOST:
                return batch, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[Job]) -> None:
        notes: set[str] = set()
        try:
            notes = self._try(batch, self._together)
        except NotOwner as error:
            self._fail(batch, error)
        except Exception:
            try:
                notes = self._try(batch, self._one_by_one)
            except Exception as error:
                self._fail(batch, error)
        cp("desk.committed")
        if notes:
            self.after_commit(frozenset(notes))
        self._release(batch)
        cp("desk.released")

    def _try(self, batch: list[Job], run: Callable[[Db, list[Job]], None]) -> set[str]:
        """One transaction. Everything but a durable commit raises, and then nothing was kept."""
        connection = self._connect()
        try:
            with connection.begin():
                db = Db(connection, self._serials)
                if ownership.hold(db) != self.epoch:
                    raise NotOwner
                run(db, batch)
                db.flush()
                cp("desk.before_commit")
            return db.notes
        except BaseException:
            self._serials = Serials()
            if connection.closed or connection.invalidated:
                self._connection = None
            raise

    def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed or self._connection.invalidated:
            self._connection = self.shelves.writer.connect()
        return self._connection

    def _together(self, db: Db, batch: list[Job]) -> None:
        if self.prepare is not None:
            self.prepare(db, [job.key for job in batch if job.key is not None])
        for job in batch:
            job.error = None
            job.result = job.work(db)

    def _one_by_one(self, db: Db, batch: list[Job]) -> None:
        for job in batch:
            job.error = None
            try:
                with db.savepoint():
                    job.result = job.work(db)
            except Exception as error:
                if connection_lost(error) or transaction_gone(db.connection):
                    raise
                job.error = Unavailable(type(error).__name__) if is_outage(error) else error

    def _fail(self, batch: list[Job], error: BaseException) -> None:
        """Nobody is answered and nothing is confirmed: the platform, or the caller, comes again."""
        if isinstance(error, NotOwner):
            self.lost()
        for job in batch:
            job.error = error if isinstance(error, Unavailable) else Unavailable(type(error).__name__)
            job.error.__cause__ = error if job.error is not error else None

    def _release(self, batch: list[Job]) -> None:
        loops: dict[AbstractEventLoop, list[Job]] = {}
        for job in batch:
            if job.loop is not None:
                loops.setdefault(job.loop, []).append(job)
            elif isinstance(job.key, threading.Event):
                job.key.set()
        for loop, jobs in loops.items():
            try:
                loop.call_soon_threadsafe(_resolve, jobs)
            except RuntimeError:  # the loop is closed: nobody waits any more, and what was kept is kept
                continue


def _resolve(jobs: list[Job]) -> None:
    for job in jobs:
        if job.future is None or job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)

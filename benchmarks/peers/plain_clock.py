"""APScheduler 3 with its SQLAlchemy store on SQLite, a job per appointment: how a thousand due at once are kept."""

from __future__ import annotations

import argparse
import asyncio
import pickle
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlalchemy import create_engine, event, insert

from benchmarks.timers import DUE, Stall, moments, told

late: list[float] = []


async def owe(at: float) -> None:
    late.append(time.time() - at)


def open_store(database: str) -> SQLAlchemyJobStore:
    engine = create_engine(f"sqlite:///{database}")

    @event.listens_for(engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")

    return SQLAlchemyJobStore(engine=engine)


def fill(scheduler: AsyncIOScheduler, store: SQLAlchemyJobStore, at: list[tuple[str, datetime]]) -> None:
    """The rows that ``add_job`` would write one commit each, in one commit."""
    job = scheduler.add_job(owe, "date", run_date=at[0][1], args=[at[0][1].timestamp()], id="pattern")
    rows = []
    for name, moment in at:
        state = job.__getstate__() | {"id": name, "args": (moment.timestamp(),), "next_run_time": moment}
        state["trigger"] = type(job.trigger)(run_date=moment)
        rows.append({"id": name, "next_run_time": moment.timestamp(), "job_state": pickle.dumps(state)})
    job.remove()
    with store.engine.begin() as connection:
        connection.execute(insert(store.jobs_t), rows)


async def run(database: str, mode: str, waiting: int) -> None:
    store = open_store(database)
    scheduler = AsyncIOScheduler(
        jobstores={"default": store}, timezone=UTC,
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 10_000},
    )  # fmt: skip
    scheduler.start(paused=True)
    first = datetime.now(UTC) + timedelta(days=1)
    step = timedelta(days=30) / waiting
    fill(scheduler, store, [(f"later-{n}", first + step * n) for n in range(waiting)])
    due = [datetime.fromtimestamp(at, UTC) for at in moments(time.time() + 3.0, mode)]
    fill(scheduler, store, [(f"due-{n}", at) for n, at in enumerate(due)])
    scheduler.resume()
    stall = Stall()
    watching = asyncio.create_task(stall.watch())
    async with asyncio.timeout(60):
        while len(late) < DUE:  # noqa: ASYNC110 the last comes from another thread
            await asyncio.sleep(0.1)
    watching.cancel()
    scheduler.shutdown(wait=False)
    print(told(late, stall.longest), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("database")
    parser.add_argument("mode", choices=["at-once", "spread"])
    parser.add_argument("waiting", type=int)
    given = parser.parse_args()
    asyncio.run(run(given.database, given.mode, given.waiting))


if __name__ == "__main__":
    main()

"""The limit: a bare ASGI function, a typed decode of four fields, and one thread that commits raw sqlite3 in groups.

The same job (heard before? the vote, the count, a durable commit, then 200) and nothing else: no roster, no roles, no
outbox, no audit, no features. Nobody could run a school on it; it shows what the machine can do.
"""

from __future__ import annotations

import asyncio
import gc
import queue
import sqlite3
import threading
from typing import Any

import msgspec

from benchmarks.peers import door

MOST = 512
TABLES = """
create table if not exists seen (update_id integer primary key);
create table if not exists votes (poll text, voter integer, choice text, primary key (poll, voter)) without rowid;
"""
HEARD = "insert into seen values (?) on conflict do nothing"
VOTE = "insert into votes values (?, ?, ?) on conflict (poll, voter) do update set choice = excluded.choice"
TALLY = "select choice, count(*) from votes where poll = ? group by choice"


class User(msgspec.Struct):
    id: int


class Query(msgspec.Struct):
    id: str
    data: str
    user: User = msgspec.field(name="from")


class Update(msgspec.Struct):
    update_id: int
    callback_query: Query | None = None


read = msgspec.json.Decoder(Update).decode
Waiting = tuple[Update, asyncio.Future[None]]


class Writer:
    """While one group commits, the next one gathers."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.jobs: queue.SimpleQueue[Waiting] = queue.SimpleQueue()

    def start(self) -> None:
        self.loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, daemon=True).start()

    def vote(self, update: Update) -> asyncio.Future[None]:
        done = self.loop.create_future()
        self.jobs.put((update, done))
        return done

    def _run(self) -> None:
        db = sqlite3.connect(self.path, isolation_level=None)
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.executescript(TABLES)
        while True:
            batch = self._gather()
            db.execute("begin immediate")
            for update, _done in batch:
                self._one(db, update)
            db.execute("commit")
            self.loop.call_soon_threadsafe(_resolve, batch)

    def _gather(self) -> list[Waiting]:
        batch = [self.jobs.get()]
        while len(batch) < MOST:
            try:
                batch.append(self.jobs.get_nowait())
            except queue.Empty:
                break
        return batch

    def _one(self, db: sqlite3.Connection, update: Update) -> None:
        query = update.callback_query
        if query is None or db.execute(HEARD, (update.update_id,)).rowcount == 0:
            return
        _verb, poll, choice = query.data.split(":")
        db.execute(VOTE, (poll, query.user.id, choice))
        db.execute(TALLY, (poll,)).fetchall()


def _resolve(batch: list[Waiting]) -> None:
    for _update, done in batch:
        if not done.done():
            done.set_result(None)


def build(path: str) -> Any:
    writer = Writer(path)

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(writer, receive, send)
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        update = read(body)
        await writer.vote(update)
        answer = b""
        if update.callback_query is not None:
            call = {"method": "answerCallbackQuery", "callback_query_id": update.callback_query.id, "text": "已记下"}
            answer = msgspec.json.encode(call)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return application


async def _lifespan(writer: Writer, receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            writer.start()
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


if __name__ == "__main__":
    door.serve(build)

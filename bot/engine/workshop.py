"""Slow work in a child process with limits of time and memory. The request is a row, the outcome an event.

A restart takes up what was not finished; a bomb kills only the child. Work is a plain function of bytes.
Run as a program this module *is* the child: one request on standard input, one answer on standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import resource
import sys
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from bot.engine.desk import Desk
from bot.engine.pipeline import Pipeline
from bot.engine.router import Router
from bot.kit.errors import Refused
from bot.kit.feature import Outcome
from bot.kit.words import _, speaking
from storage import diary
from storage.diary import Job

log = structlog.get_logger()

SECONDS = 30
MEMORY = 1 << 30
TRIES = 2


class Request(msgspec.Struct):
    module: str
    function: str
    payload: bytes
    note: dict[str, int | str]


class Response(msgspec.Struct):
    value: Any = None
    refused: str | None = None


@dataclass(slots=True)
class Workshop:
    """``run`` works until it is cancelled; ``wake`` after a commit that started work."""

    desk: Desk
    router: Router
    pipeline: Pipeline
    _wake: asyncio.Event | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _busy: bool = False

    def wake(self, notes: frozenset[str]) -> None:
        if "works" in notes and self._loop is not None and self._wake is not None:
            self._busy = True
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake.set)

    @property
    def idle(self) -> bool:
        return not self._busy

    async def run(self) -> None:
        self._loop, self._wake, self._busy = asyncio.get_running_loop(), asyncio.Event(), True
        while True:
            self._wake.clear()
            jobs = await asyncio.to_thread(self._waiting)
            for job in jobs:
                await self._one(job)
            if not jobs and not self._wake.is_set():
                self._busy = False
                await self._wake.wait()

    def _waiting(self) -> list[Job]:
        with self.desk.shelves.reading() as db:
            return list(diary.works_waiting(db))

    async def _one(self, job: Job) -> None:
        outcome = await self._try(job)
        try:
            await self.desk.do(lambda db: self.pipeline.take_outcome(db, job, outcome))
        except Exception:
            log.exception("workshop.outcome", work=job.name)
            await self.desk.do(lambda db: diary.end_work(db, job.id))

    async def _try(self, job: Job) -> Outcome:
        with speaking(self.pipeline.school.language):
            sorry = _("这个文件处理不了（太大、损坏或太复杂），没有保存。请换成 .txt 或 .docx 再发一次。")
        work = self.router.works.get(job.name)
        if work is None or job.tries >= TRIES:
            return Outcome(job.note, failed=sorry)
        await self.desk.do(lambda db: diary.try_work(db, job.id))
        request = Request(work.function.__module__, work.function.__qualname__, job.payload, job.note)
        response = await _child(request)
        if response is None:
            return Outcome(job.note, failed=sorry)
        return Outcome(job.note, response.value, response.refused)


async def _child(request: Request) -> Response | None:
    """The answer of a child of its own; ``None`` where it crashed, took too long or wanted too much."""
    command = (sys.executable, "-m", "bot.engine.workshop")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(SECONDS + 5):
            out, _err = await process.communicate(msgspec.msgpack.encode(request))
        return msgspec.msgpack.decode(out, type=Response) if process.returncode == 0 else None
    except (TimeoutError, msgspec.DecodeError):
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _serve() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Request)
    function = getattr(importlib.import_module(request.module), request.function)
    try:
        response = Response(value=function(request.payload, request.note))
    except Refused as refusal:
        response = Response(refused=refusal.sentence)
    sys.stdout.buffer.write(msgspec.msgpack.encode(response))


if __name__ == "__main__":
    _serve()

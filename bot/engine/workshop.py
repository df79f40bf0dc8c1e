"""Slow work in a child process with limits of time and memory. The request is a row, the outcome an event.

A restart takes up what was not finished; a bomb kills only the child. Work is a plain function of bytes.
What must be fetched from a platform is an errand of a channel, started and ended in the same way.
Run as a program this module *is* the child: one request on standard input, one answer on standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from bot.engine.desk import Desk
from bot.engine.pipeline import Pipeline
from bot.engine.port import Errand
from bot.engine.router import Router
from bot.kit.context import Persons
from bot.kit.errors import Refused
from bot.kit.event import Place
from bot.kit.feature import Outcome
from bot.kit.words import _, speaking
from storage import diary
from storage.base import Db
from storage.diary import Job

log = structlog.get_logger()

SECONDS = 30
MEMORY = 1 << 30
TRIES = 2
ERRAND_SECONDS, AGAIN_SECONDS = 180, 5.0


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
    """``run`` works until it is cancelled; ``wake`` after a commit that started work.

    ``errands``: what our channels fetch, by name. An errand waits for others, so the work behind it does not wait.
    """

    desk: Desk
    router: Router
    pipeline: Pipeline
    errands: Mapping[str, Errand] = field(default_factory=dict)
    progress_seconds: float = 10.0
    _wake: asyncio.Event | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _busy: bool = False
    _away: dict[int, asyncio.Task[None]] = field(default_factory=dict)

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
        try:
            while True:
                await self._round(self._wake)
        finally:
            for task in self._away.values():
                task.cancel()
            await asyncio.gather(*self._away.values(), return_exceptions=True)

    async def _round(self, wake: asyncio.Event) -> None:
        wake.clear()
        jobs = [job for job in await asyncio.to_thread(self._waiting) if job.id not in self._away]
        for job in jobs:
            work = self.router.works.get(job.name)
            if work is not None and work.function is None:
                self._away[job.id] = asyncio.create_task(self._errand(job, wake), name=job.name)
            else:
                await self._one(job, self._try)
        if not jobs and not wake.is_set():
            self._busy = bool(self._away)
            await wake.wait()

    def _waiting(self) -> list[Job]:
        with self.desk.shelves.reading() as db:
            return list(diary.works_waiting(db))

    async def _errand(self, job: Job, wake: asyncio.Event) -> None:
        pause = 0.0
        try:
            await self._one(job, self._fetch)
        except Exception as error:  # the shelves do not take its end now: the row is there, and it is tried again
            pause = AGAIN_SECONDS
            log.error("workshop.errand_end", work=job.name, error=type(error).__name__)
        finally:
            del self._away[job.id]
            asyncio.get_running_loop().call_later(pause, wake.set)

    async def _one(self, job: Job, attempt: Callable[[Job], Awaitable[Outcome]]) -> None:
        outcome = await attempt(job)
        try:
            await self.desk.do(lambda db: self.pipeline.take_outcome(db, job, outcome))
        except Exception:
            log.exception("workshop.outcome", work=job.name)
            await self.desk.do(lambda db: diary.end_work(db, job.id))

    async def _try(self, job: Job) -> Outcome:
        with speaking(self.pipeline.school.language):
            sorry = _("这个文件处理不了（太大、损坏或太复杂），没有保存。请换成 .txt 或 .docx 再发一次。")
        work = self.router.works.get(job.name)
        if work is None or work.function is None or job.tries >= TRIES:
            return Outcome(job.note, failed=sorry)
        await self.desk.do(lambda db: diary.try_work(db, job.id))
        request = Request(work.function.__module__, work.function.__qualname__, job.payload, job.note)
        response = await _child(request)
        if response is None:
            return Outcome(job.note, failed=sorry)
        return Outcome(job.note, response.value, response.refused)

    # --- errands ----------------------------------------------------------------------------------------------

    async def _fetch(self, job: Job) -> Outcome:
        errand = self.errands.get(job.name.rpartition(".")[2])
        with speaking(self.pipeline.school.language):
            nobody, sorry = _("这要由接入的平台来办，现在没有接。"), _("没有办成，请过几分钟再试。")
        if errand is None or job.tries >= TRIES:
            return Outcome(job.note, failed=nobody if errand is None else sorry)
        await self.desk.do(lambda db: diary.try_work(db, job.id))
        try:
            async with asyncio.timeout(ERRAND_SECONDS):
                return Outcome(job.note, await errand(_Teller(self, job)))
        except Refused as refusal:
            return Outcome(job.note, failed=refusal.sentence)
        except Exception as error:  # theirs or ours: whoever asked is told, and no address of a platform is logged
            log.warning("workshop.errand", work=job.name, error=type(error).__name__)
            return Outcome(job.note, failed=sorry)


class _Teller:
    """Tells whoever asked how far it is; seldom, and not at all where it is done soon."""

    def __init__(self, workshop: Workshop, job: Job) -> None:
        self.workshop, self.job = workshop, job
        self.last = time.monotonic()

    async def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.last < self.workshop.progress_seconds or done >= total:
            return
        self.last = time.monotonic()
        await self.workshop.desk.do(lambda db: self._tell(db, done, total))

    def _tell(self, db: Db, done: int, total: int) -> None:
        job, pipeline = self.job, self.workshop.pipeline
        to = Place(job.channel, job.place, private=True) if job.private else Persons([job.person or 0])
        with speaking(pipeline.school.language):
            ctx = pipeline.alone(db)
            ctx.say(_("还在读，已读 {done} / {total}。", done=done, total=total), to=to, receipt=True)
            pipeline.conclude_alone(ctx, f"w:{job.id}:{done}")


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

"""APScheduler as a clock, never as a memory: it wakes us at the next due row; what is due is asked of the diary."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.engine.crashpoint import cp
from bot.engine.desk import Desk
from bot.engine.pipeline import Pipeline
from bot.engine.port import Unavailable
from bot.kit.context import Office
from bot.kit.feature import Missed, Rhythm
from bot.kit.words import _, speaking
from scheduler import rhythms
from storage import diary
from storage.base import Db
from storage.diary import Appointment

log = structlog.get_logger()

LATE = timedelta(minutes=10)  # later than this a rhythm was missed, not merely slow
LOOK_AGAIN = 30  # seconds: a clock that jumped, a wake-up that was lost
PUT_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))


class Clock:
    """``tick`` does everything that is due by ``now``; ``start`` lets APScheduler call it at the right moments."""

    def __init__(self, desk: Desk, pipeline: Pipeline, now: Callable[[], datetime]) -> None:
        self.desk = desk
        self.pipeline = pipeline
        self.now = now
        self._scheduler: AsyncIOScheduler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ticking = asyncio.Lock()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.desk.do(self._baseline)
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=defaults)
        self._scheduler.add_job(self.tick, "interval", seconds=LOOK_AGAIN, id="look again")
        self._scheduler.start()
        await self.tick()

    def stop(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def wake(self, notes: frozenset[str]) -> None:
        """After a commit that booked something: it may be due before what we wait for."""
        if "diary" in notes and self._loop is not None and self._scheduler is not None:
            asyncio.run_coroutine_threadsafe(self._arm(), self._loop)

    async def tick(self) -> None:
        """Keeps every appointment and rhythm that is due. Safe to call at any time, as often as one likes."""
        async with self._ticking:
            try:
                await self._keep_appointments()
                for rhythm in self.pipeline.router.rhythms.values():
                    await self._keep_rhythm(rhythm)
            except Unavailable as error:
                log.warning("clock.unavailable", error=str(error))
        await self._arm()

    async def _arm(self) -> None:
        if self._scheduler is None:
            return
        at = await asyncio.to_thread(self._next)
        if at is not None:
            delay = max((at - self.now()).total_seconds(), 0.0)
            run = datetime.now(UTC) + timedelta(seconds=delay)
            # More than one at once: a tick that is just ending would swallow this one, and what is due be half a minute
            # late. Ticks wait for one another by their own lock.
            self._scheduler.add_job(
                self.tick, "date", run_date=run, id="next due", replace_existing=True, max_instances=9
            )

    def _next(self) -> datetime | None:
        with self.desk.shelves.reading() as db:
            moments = [diary.next_at(db)]
            for rhythm in self.pipeline.router.rhythms.values():
                last = diary.last_run(db, rhythm.name) or self.now()
                moments.append(rhythms.next_after(rhythm.cron, self.pipeline.school.zone, last))
        return min((at for at in moments if at is not None), default=None)

    # --- appointments -----------------------------------------------------------------------------------------

    async def _keep_appointments(self) -> None:
        while due := await asyncio.to_thread(self._due):
            await asyncio.gather(*(self._keep(appointment) for appointment in due))

    def _due(self) -> list[Appointment]:
        with self.desk.shelves.reading() as db:
            return list(diary.due(db, self.now()))

    async def _keep(self, appointment: Appointment) -> None:
        cp("clock.due")
        try:
            await self.desk.do(lambda db: self.pipeline.keep_appointment(db, appointment))
        except Unavailable:
            raise
        except Exception:
            log.exception("clock.appointment_failed", name=appointment.name, tries=appointment.tries + 1)
            until = self.now() + PUT_OFF[min(appointment.tries, len(PUT_OFF) - 1)]
            await self.desk.do(lambda db: self._put_off(db, appointment, until))

    def _put_off(self, db: Db, appointment: Appointment, until: datetime) -> None:
        if diary.put_off(db, appointment, until):
            return
        with speaking(self.pipeline.school.language):
            ctx = self.pipeline.alone(db)
            ctx.say(_("有一件定时的事试了多次没有做成：{name}。请查看日志。", name=appointment.name), to=Office())
            self.pipeline.conclude_alone(ctx, f"given-up:{appointment.id}")

    # --- rhythms ----------------------------------------------------------------------------------------------

    def _baseline(self, db: Db) -> None:
        """A rhythm that never ran begins now; what lies before it was never promised."""
        for name in self.pipeline.router.rhythms:
            if diary.last_run(db, name) is None:
                diary.ran(db, name, self.now())

    async def _keep_rhythm(self, rhythm: Rhythm) -> None:
        last = await asyncio.to_thread(self._last, rhythm.name)
        now = self.now()
        due = rhythms.due(rhythm.cron, self.pipeline.school.zone, last or now, now)
        if not due:
            return
        at = due[-1]
        if now - at > LATE and rhythm.missed is Missed.SKIP:
            await self.desk.do(lambda db: self._skip(db, rhythm, at))
            return
        try:
            await self.desk.do(lambda db: self.pipeline.keep_rhythm(db, rhythm.name, at))
        except Unavailable:
            raise
        except Exception:
            log.exception("clock.rhythm_failed", name=rhythm.name)
            await self.desk.do(lambda db: diary.ran(db, rhythm.name, at))

    def _last(self, name: str) -> datetime | None:
        with self.desk.shelves.reading() as db:
            return diary.last_run(db, name)

    def _skip(self, db: Db, rhythm: Rhythm, at: datetime) -> None:
        diary.ran(db, rhythm.name, at)
        with speaking(self.pipeline.school.language):
            ctx = self.pipeline.alone(db)
            when = ctx.school.write_time(at, ctx.now)
            ctx.say(
                _("停机期间错过了一次定时任务（{name}，{time}），按设定没有补发。", name=rhythm.name, time=when),
                to=Office(),
            )
            self.pipeline.conclude_alone(ctx, f"skipped:{rhythm.name}:{int(at.timestamp())}")

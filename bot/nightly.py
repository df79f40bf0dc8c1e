"""The copy of every night: it makes itself, and the office is told in the morning when it could not be made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, time

import structlog

from bot.app import RunningSchool
from bot.engine.port import Unavailable
from bot.kit.context import Office
from bot.kit.when import local_date
from bot.kit.words import _, speaking
from storage import ownership
from storage.base import Db

log = structlog.get_logger()

HOUR = time(3, 20)  # of the school's day: nobody is there, and the rounds of 03:00 are over
LOOK_EVERY = 60.0
TRIED, MADE = "backup.tried", "backup.made"  # the days


class Nightly:
    """``copy`` makes a checked copy, or returns ``None`` where the means are missing. ``run`` never ends."""

    def __init__(self, running: RunningSchool, copy: Callable[[datetime], object | None]) -> None:
        self.running = running
        self.copy = copy

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.warning("nightly.unavailable", error=str(error))
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Makes the copy that is due. Who slept through the night makes it on waking; a new school has nothing yet."""
        now = self.running.now()
        today = local_date(now, self.running.school.zone).isoformat()
        last = await asyncio.to_thread(self._last)
        if last is not None and (last >= today or now.astimezone(self.running.school.zone).time() < HOUR):
            return
        made = None if last is None else await asyncio.to_thread(self._made, now)
        await self.running.desk.do(lambda db: self._note(db, today, made))

    def _last(self) -> str | None:
        with self.running.shelves.reading() as db:
            return ownership.fact(db, TRIED)

    def _made(self, now: datetime) -> bool:
        try:
            return self.copy(now) is not None
        except Exception as error:  # whatever it is: the office must hear of it, and the school goes on
            log.error("nightly.failed", error=type(error).__name__)
            return False

    def _note(self, db: Db, today: str, made: bool | None) -> None:
        ownership.keep_fact(db, TRIED, today)
        if made:
            ownership.keep_fact(db, MADE, today)
        if made is not False:
            return
        with speaking(self.running.school.language):
            ctx = self.running.pipeline.alone(db)
            words = _("昨夜的备份没有做成。请维护的人看看磁盘和 backup_dir，再手动做一次：python -m bot backup")
            ctx.say(words, to=Office(), gentle=True, name=f"backup:{today}")
            self.running.pipeline.conclude_alone(ctx, f"backup:{today}")

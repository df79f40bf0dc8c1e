"""When a rhythm is due: pure arithmetic over cron lines, at school time, once per local moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger


@cache
def _trigger(cron: str, zone: ZoneInfo) -> CronTrigger:
    if any(character.isdigit() for character in cron.split()[4]):
        raise ValueError(f"{cron!r}: name the weekdays (mon-fri); numbers mean other days to APScheduler than to cron")
    return CronTrigger.from_crontab(cron, timezone=zone)


def next_after(cron: str, zone: ZoneInfo, last: datetime) -> datetime | None:
    """The first firing after ``last``; in the hour that comes twice in autumn it fires once."""
    wall = last.astimezone(zone).replace(tzinfo=None)
    after = last
    for _ in range(8):
        found: datetime | None = _trigger(cron, zone).get_next_fire_time(None, after + timedelta(microseconds=1))
        if found is None or found.astimezone(zone).replace(tzinfo=None) > wall:
            return found
        # In the fold APScheduler 3 gives the same instant for ever (agronholm/apscheduler#1021): step over it.
        after = max(after, found) + timedelta(minutes=30)
    return None


def due(cron: str, zone: ZoneInfo, last: datetime, now: datetime) -> list[datetime]:
    """Every firing in ``(last, now]``, oldest first; at most a thousand."""
    found: list[datetime] = []
    at = next_after(cron, zone, last)
    while at is not None and at <= now and len(found) < 1000:
        found.append(at)
        at = next_after(cron, zone, at)
    return found

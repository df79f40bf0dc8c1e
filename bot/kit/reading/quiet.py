"""When we may speak: never at :00 or :30 sharp, when all the world's timers fire, and not in the quiet hours."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.kit.reading.moment import instant
from bot.kit.reading.write import aware

_SPREAD = 240  # seconds over which a night's messages leave in the morning


def on_the_mark(at: datetime) -> bool:
    return at.minute in (0, 30) and at.second == 0 and at.microsecond == 0


def off_the_hour(at: datetime, key: str) -> datetime:
    """An instant at :00 or :30 sharp comes 60 to 179 seconds earlier, always the same for one ``key``; others stay."""
    if not on_the_mark(aware(at)):
        return at
    seconds = 60 + zlib.crc32(key.encode()) % 120  # the built-in hash() differs from process to process
    return (at.astimezone(UTC) - timedelta(seconds=seconds)).astimezone(at.tzinfo)


def just_after(at: datetime, key: str) -> datetime:
    """The same the other way: 20 to 79 seconds *later*, for what must not happen before its time (a deadline)."""
    if not on_the_mark(aware(at)):
        return at
    return (at.astimezone(UTC) + timedelta(seconds=20 + zlib.crc32(key.encode()) % 60)).astimezone(at.tzinfo)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """No message in ``[start, end)``, local time; delayed, never dropped. Equal ends: no quiet hours."""

    start: time = time(21, 0)
    end: time = time(7, 0)

    def covers(self, at: time) -> bool:
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def next_allowed(self, at: datetime, zone: ZoneInfo) -> datetime:
        """``at`` itself, or a few minutes past the end of the quiet hours it falls in, in the order of the night."""
        local = aware(at).astimezone(zone)
        if not self.covers(local.time()):
            return at
        opening = self._opening(local, zone)
        left = (opening - local.astimezone(UTC)) / self._length()
        allowed = opening + timedelta(seconds=60 + int(_SPREAD * (1 - min(left, 1.0))))
        allowed = allowed.astimezone(zone)
        return allowed + timedelta(seconds=1) if on_the_mark(allowed) else allowed

    def _opening(self, local: datetime, zone: ZoneInfo) -> datetime:
        tomorrow = self.start > self.end and local.time() >= self.start
        opening = instant(local.date() + timedelta(days=tomorrow), self.end, zone)
        if opening <= local.astimezone(UTC):  # the clocks went back over the end: it comes twice
            opening = opening.replace(fold=1)
        return opening.astimezone(UTC)

    def _length(self) -> timedelta:
        start, end = (timedelta(hours=t.hour, minutes=t.minute) for t in (self.start, self.end))
        return (end - start) % timedelta(days=1)

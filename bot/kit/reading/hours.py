"""What the words of a day mean in this school: 放学, 第三节, 大课间, 例会时间. All of it comes from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from zoneinfo import ZoneInfo

from bot.kit.calendar import Calendar
from bot.kit.reading.words import Part

SHANGHAI = ZoneInfo("Asia/Shanghai")
_NOON, _EVENING = time(12, 0), time(18, 0)

Stretch = tuple[time, time]
"""From when to when, local wall times of one day."""


@dataclass(frozen=True, slots=True)
class SchoolHours:
    """The hours a school lives by: what 下班前, 放学前, 明早 and 周三第三节 mean here.

    ``lessons``: the timetable, the first lesson first. ``words``: other words of the day (大课间, 早读) and their
    times. ``meeting``: the weekday (Monday is 0) and hour of 例会. What is not set is asked for, never guessed.
    """

    zone: ZoneInfo = SHANGHAI
    morning: time = time(8, 0)
    noon: time = time(12, 0)
    afternoon: time = time(14, 0)
    evening: time = time(19, 0)
    school_out: time = time(16, 30)
    off_work: time = time(17, 30)
    lessons: tuple[Stretch, ...] = ()
    words: tuple[tuple[str, Stretch], ...] = ()
    meeting: tuple[int, time] | None = None
    calendar: Calendar = Calendar()  # noqa: RUF009 immutable

    def usual(self, part: Part) -> time | None:
        """The hour meant by 明早 or 今晚; nothing for 凌晨, which nobody means without saying the hour."""
        usual: time | None = getattr(self, part.default) if part.default else None
        return usual

    def anchor(self, word: str) -> time:
        """下班 or 放学."""
        return self.off_work if word == "下班" else self.school_out

    def lesson(self, number: int, part: str = "") -> Stretch | None:
        """第三节, or 下午第一节: the first lesson of that half of the day. None where there is no such lesson."""
        lessons = [one for one in self.lessons if not part or self._half(one[0]) == part]
        return lessons[number - 1] if 1 <= number <= len(lessons) else None

    def named(self, word: str) -> Stretch | None:
        """大课间, if the school has said when it is."""
        return dict(self.words).get(word)

    @staticmethod
    def _half(start: time) -> str:
        return "上午" if start < _NOON else "下午" if start < _EVENING else "晚上"

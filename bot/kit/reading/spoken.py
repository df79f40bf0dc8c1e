"""A reading in words, for the echo: with its weekday, and whether the school works on that day."""

from __future__ import annotations

from datetime import datetime, time

from bot.kit.reading.moment import END_OF_DAY
from bot.kit.reading.scene import Scene
from bot.kit.reading.write import echo, echo_day
from bot.kit.words import _


def day(scene: Scene, at: datetime) -> str:
    return echo_day(at.date(), scene.now.date(), scene.hours.calendar)


def moment(scene: Scene, at: datetime) -> str:
    return echo(at, scene.hours.zone, scene.now, scene.hours.calendar)


def span(scene: Scene, start: datetime, end: datetime) -> str:
    """``11月23日 周一 14:00-16:00``, ``11月30日 周一 至 12月2日 周三``."""
    if start.time() == time(0) and end.time() == END_OF_DAY:
        return _("{start} 至 {end}", start=day(scene, start), end=day(scene, end))
    from_words = moment(scene, start)
    if start.date() == end.date():
        return _("{start}-{end}", start=from_words, end=f"{end:%H:%M}")
    return _("{start} 至 {end}", start=from_words, end=moment(scene, end))

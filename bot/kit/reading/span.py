"""From one moment to another: 下午两点到四点, 14:00-16:00, 下周一到周三, 12月2日-5日."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.kit.errors import NotUnderstood
from bot.kit.reading.clock import DAY_MINUTES, Clock, clock
from bot.kit.reading.moment import END_OF_DAY, Moment, instant, moment
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import PARTS, UNSAID
from bot.kit.words import _

_TO = re.compile(r"\s*(?:起|开始)?\s*(?:到|至|-{1,2}|~)\s*")
_LONGEST = timedelta(days=330)  # 12月5日到12月2日 is a slip, not a year
_EVENING, _NIGHT_ENDS = 18 * 60, 12 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """``last``: the end, or 23:59 of the last day where only days were said. ``end``: the place in the text."""

    start: datetime
    last: datetime
    end: int
    sure: bool


def span(scene: Scene, opening: Moment) -> Span | None:
    """The range that ``opening`` begins, if something follows to end it."""
    link = _TO.match(scene.text, opening.end)
    until = (_day_after(scene, link.end(), opening) or _hour_after(scene, link.end(), opening)) if link else None
    if until is None:
        return None
    found = _between(scene, opening, until)
    step = timedelta(days=opening.day.step)
    if opening.minutes is not None and step and found.last <= scene.now:
        found = _between(scene, _moved(opening, step), _moved(until, step))
    if found.last <= found.start or found.last - found.start > _LONGEST:
        raise NotUnderstood(_("结束时间早于开始时间，请再写一次"))
    return found


def _between(scene: Scene, opening: Moment, until: Moment) -> Span:
    zone = scene.hours.zone
    whole_day = until.minutes is None
    last = instant(until.day.date, END_OF_DAY, zone) if whole_day else until.at(zone)
    return Span(opening.at(zone), last, until.end, opening.sure and until.sure)


def _moved(each: Moment, step: timedelta) -> Moment:
    return replace(each, day=replace(each.day, date=each.day.date + step), sure=False)


def _day_after(scene: Scene, pos: int, opening: Moment) -> Moment | None:
    """The last day, counted from the first: 下周一到周三."""
    if not opening.day_said and opening.minutes is None:
        return None
    found = moment(replace(scene, base=opening.day.date), pos, anchored=True)
    if found is None or not found.day_said:
        return None
    alike = (opening.minutes is None) == (found.minutes is None)
    return replace(found, sure=found.sure and alike and opening.day_said)


def _hour_after(scene: Scene, pos: int, opening: Moment) -> Moment | None:
    said = clock(scene, pos, anchored=True) if opening.clock else None
    if said is None or opening.clock is None or opening.minutes is None:
        return None
    minutes, sure = _closing(opening.clock, opening.minutes, said)
    return replace(opening, end=said.end, minutes=minutes, sure=sure)


def _closing(opened: Clock, opening: int, said: Clock) -> tuple[int, bool]:
    """The first meaning of the last hour that lies after the first one; 晚上10点到1点 runs into the next day."""
    found = [said.minutes()] if said.part else _meanings(opened, said)
    for minutes, sure in found:
        if minutes > opening:
            return minutes, sure
    overnight = [minutes for minutes, _sure in found if opening >= _EVENING and minutes <= _NIGHT_ENDS]
    if not overnight:
        raise NotUnderstood(_("结束时间早于开始时间，请再写一次"))
    return overnight[0] + DAY_MINUTES, False


def _meanings(opened: Clock, said: Clock) -> list[tuple[int, bool]]:
    """Leaning on the part of the first hour, then as said alone, then as figures, then in the afternoon."""
    plain = said.hour * 60 + said.minute
    if said.exact:
        return [(plain, said.sure)]
    leaning = said.within(PARTS[opened.part]) if opened.part else None
    alone = said.within(UNSAID)
    later = [(plain + DAY_MINUTES // 2, False)] if said.hour < 12 else []
    return [meaning for meaning in (leaning, alone, (plain, False)) if meaning] + later

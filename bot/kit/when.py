"""The only place where times are read (下周三下午三点) and written (12月2日 周三 15:00).

The grammar is a handful of ordered rules over plain text: ``reading.words`` makes it plain and blots out what only
looks like a time, ``reading.days`` and ``reading.clock`` read days and hours, ``reading.moment`` puts them together,
``reading.repeat`` reads recurrences. What is not certainly a time is None; an impossible one is NotUnderstood, with
the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from enum import Enum

from bot.kit.reading import doubts, spoken
from bot.kit.reading.hours import SchoolHours, Stretch
from bot.kit.reading.lapse import lapse
from bot.kit.reading.moment import END_OF_DAY, Moment, instant, moment
from bot.kit.reading.quiet import QuietHours, just_after, off_the_hour
from bot.kit.reading.repeat import repeat
from bot.kit.reading.rules import (
    Beyond,
    Daily,
    Monthly,
    MonthlyLastWorkday,
    MonthlyNth,
    Rule,
    Weekly,
    describe,
    next_after,
    pack_rule,
    unpack_rule,
)
from bot.kit.reading.scene import Scene
from bot.kit.reading.span import span
from bot.kit.reading.traps import masked
from bot.kit.reading.vague import STARTS, vague
from bot.kit.reading.words import COUNT, NUMERALS, plain
from bot.kit.reading.write import aware, echo, echo_day, local_date, write, write_day, write_span
from bot.kit.words import _

__all__ = [
    "Beyond", "Daily", "Kind", "Monthly", "MonthlyLastWorkday", "MonthlyNth", "QuietHours", "Reading", "Rule",
    "SchoolHours", "Stretch", "Weekly", "describe", "echo", "echo_day", "find", "instant", "just_after", "local_date",
    "next_after", "off_the_hour", "pack_rule", "read", "unpack_rule", "write", "write_day", "write_span",
]  # fmt: skip


class Kind(Enum):
    POINT = "point"
    DAY = "day"
    DEADLINE = "deadline"
    RANGE = "range"
    RECURRENCE = "recurrence"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. A DAY starts at 00:00, a DEADLINE is its last moment, a RANGE of days ends at 23:59."""

    kind: Kind
    start: datetime | None  # in the school's zone; None for a RECURRENCE
    end: datetime | None  # RANGE only
    rule: Rule | None  # RECURRENCE only
    span: tuple[int, int]  # in the text as it was typed
    sure: bool  # False: something was assumed, so ask
    words: str  # for the echo: 12月2日 周三 15:00

    @property
    def latest(self) -> datetime | None:
        """The last moment meant, for a question that asks "until when": 周五 is Friday 23:59, a range its end."""
        if self.kind is Kind.DAY and self.start:
            return self.start.replace(hour=END_OF_DAY.hour, minute=END_OF_DAY.minute)
        return self.end or self.start

    @property
    def has_hour(self) -> bool:
        """Whether an hour was said: not so for 周五, and not for 周末 or 下周一到周三."""
        days = self.kind is Kind.RANGE and self.start and self.end and self.end.time() == END_OF_DAY
        return self.kind is not Kind.DAY and not (days and self.start and self.start.time() == time(0))


SCHOOL = SchoolHours()


def find(text: str, now: datetime, hours: SchoolHours = SCHOOL) -> list[Reading]:
    """All the times in ``text``, left to right. NotUnderstood for one that cannot be (2月30日)."""
    local = aware(now).astimezone(hours.zone)
    scene = Scene(masked(plain(text)), local, hours, base=local.date())
    found: list[Reading] = []
    pos = 0
    while start := _STARTS.search(scene.text, pos):
        reading, end = _read_at(scene, start.start())
        pos = max(end, start.end())
        if reading:
            found = _joined(scene.text, found, reading)
            scene = replace(
                scene, floor=end, topic=_topic(reading, scene), fog=scene.fog and not (reading.start and reading.sure)
            )
        elif end > start.start():
            scene = replace(scene, fog=True)
    return found


def _joined(text: str, found: list[Reading], reading: Reading) -> list[Reading]:
    """With what came before: 周三改到周五 is Friday, 周三和周四 neither of them alone."""
    last = found[-1] if found else None
    if last is None or last.rule:
        return [*found, reading]
    if reading.rule:  # 12月1日-5日，每天下午4点: on those days only
        return [
            *found,
            replace(reading, sure=reading.sure and not doubts.one_sentence(text[last.span[1] : reading.span[0]])),
        ]
    between = text[last.span[1] : reading.span[0]]
    if doubts.taken_back(between):
        return [*found[:-1], reading]
    if Kind.DEADLINE not in (last.kind, reading.kind) and doubts.together(between):
        return [*found[:-1], replace(last, sure=False), replace(reading, sure=False)]
    return [*found, reading]


def read(text: str, now: datetime, hours: SchoolHours = SCHOOL) -> Reading | None:
    """The first time in ``text``, or None where there is none."""
    return next(iter(find(text, now, hours)), None)


def _topic(reading: Reading, scene: Scene) -> date | None:
    """周五开会，三点到: the day spoken of holds for the hours that follow."""
    return reading.start.date() if reading.start and reading.kind is not Kind.DEADLINE else scene.topic


# ---------------------------------------------------------------------------------------------- the rules, in order

_Found = tuple[Reading | None, int]  # None with an end: understood as no time, read on from there


def _read_at(scene: Scene, pos: int) -> _Found:
    if not scene.glued(pos):
        for rule in _RULES:
            found = rule(scene, pos)
            if found:
                return _weighed(scene, found)
    return None, vague(scene, pos) or pos


def _weighed(scene: Scene, found: _Found) -> _Found:
    """Less sure where the words around it say so."""
    reading, end = found
    if reading is None or not reading.sure:
        return found
    before, after = scene.before(reading.span[0], 8), scene.text[end : end + 20]
    if reading.rule:
        less = doubts.limited(before.rstrip(), after) or doubts.doubted(before, after, False)
    else:
        less = doubts.doubted(before, after, reading.kind is Kind.DEADLINE)
    return (replace(reading, sure=False), end) if less else found


def _recurrence(scene: Scene, pos: int) -> _Found | None:
    found = repeat(scene, pos)
    if found is None:
        return None
    span, words = (pos, found.end), describe(found.rule)
    return Reading(Kind.RECURRENCE, None, None, found.rule, span, found.sure, words), found.end


def _lapse(scene: Scene, pos: int) -> _Found | None:
    """半小时后, 三天内: counted from now."""
    found = lapse(scene, pos)
    if found is None:
        return None
    if doubts.counted_from_elsewhere(scene.text[max(0, pos - 6) : pos]):
        return None, found.end  # 会后三天内
    kind = Kind.DEADLINE if found.limit else Kind.POINT
    return _reading(scene, kind, found.at, (pos, found.end), found.sure)


def _moment(scene: Scene, pos: int) -> _Found | None:
    """A day, a point, a range, or with 截止 or 前 a deadline."""
    prefix = _PREFIX.match(scene.text, pos)
    start = prefix.end() if prefix else pos
    found = moment(scene, start, anchored=prefix is not None)
    if found is None:
        return None
    if _DAYS_BEFORE.match(scene.text, found.end):  # 12月2日前三天: another day, which we cannot count yet
        return None, found.end + 1
    suffix = _SUFFIX.match(scene.text, found.end)
    if prefix or suffix or found.closing:
        return _deadline(scene, pos, found, suffix.end() if suffix else found.end)
    return _span(scene, pos, found) or _stretch(scene, pos, found) or _plain_moment(scene, pos, found)


def _deadline(scene: Scene, pos: int, found: Moment, end: int) -> _Found:
    found = found.ahead(scene)
    midnight = found.minutes == 0 or found.last is not None  # 周五零点前: which of its two midnights?
    return _reading(scene, Kind.DEADLINE, found.by(scene.hours.zone), (pos, end), found.sure and not midnight)


def _plain_moment(scene: Scene, pos: int, found: Moment) -> _Found:
    found = found.ahead(scene)
    about = _ABOUT.match(scene.text, found.end)
    open_ended = found.minutes is None and doubts.hour_unset(scene.text[found.end :])
    kind, sure = Kind.DAY if found.minutes is None else Kind.POINT, found.sure and not about and not open_ended
    return _reading(scene, kind, found.at(scene.hours.zone), (pos, about.end() if about else found.end), sure)


def _stretch(scene: Scene, pos: int, found: Moment) -> _Found | None:
    """第三节, 周末: one name for a beginning and an end."""
    found, zone = found.ahead(scene), scene.hours.zone
    if found.last is not None:
        start, last = found.at(zone), replace(found, minutes=found.last).at(zone)
    elif found.minutes is None and found.day.until:
        start, last = found.at(zone), instant(found.day.until, END_OF_DAY, zone)
    else:
        return None
    words = spoken.span(scene, start, last)
    return Reading(Kind.RANGE, start, last, None, (pos, found.end), found.sure, words), found.end


def _span(scene: Scene, pos: int, opening: Moment) -> _Found | None:
    found = span(scene, opening)
    if found is None:
        return None
    words = spoken.span(scene, found.start, found.last)
    return Reading(Kind.RANGE, found.start, found.last, None, (pos, found.end), found.sure, words), found.end


_RULES: tuple[Callable[[Scene, int], _Found | None], ...] = (_recurrence, _lapse, _moment)


def _reading(scene: Scene, kind: Kind, at: datetime, place: tuple[int, int], sure: bool) -> _Found:
    words = spoken.day(scene, at) if kind is Kind.DAY else spoken.moment(scene, at)
    words = _("{time}前", time=words) if kind is Kind.DEADLINE else words
    return Reading(kind, at, None, None, place, sure, words), place[1]


# ---------------------------------------------------------------------------------------------- where to look

_STARTS = re.compile(
    rf"[0-9{NUMERALS}每天双单隔今明后大昨前去本这上下周星礼凌清早晨中正午傍晚夜深半放月年截最不至差例升课{STARTS}]"
)
_PREFIX = re.compile(
    r"截[止至](?:时间|日期|日)?\s*(?:[是为改到至于在:]\s*)*|最[晚迟](?:[于在到]|不晚于|不超过)?\s*|不[晚迟]于\s*|至迟[于在]?\s*"
)
_SUFFIX = re.compile(
    rf"\s*(?:下班|放学)?(?:之前|以前|前(?!往|后|台|排|途|期|半|几|端|言|沿|任|辈|景|瞻|夕|奏|置|列|锋|线|身|面(?!试|谈|向|授)|提(?:是|下|条件)|{COUNT}\s*[天日周个]))|\s*(?:截止|截至|为止|之内|以内)"
)
_DAYS_BEFORE = re.compile(rf"(?:的?前|之前)(?:{COUNT}|几|半)\s*个?(?:天|日|周|星期|小时|晚)")
_ABOUT = re.compile(r"左右|前后|之后|以后|后(?![勤备台续面期])")

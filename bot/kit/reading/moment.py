"""A day and an hour put together: 12月2日(周三)下午三点, 周五放学前, 今晚, or an hour alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.kit.errors import NotUnderstood
from bot.kit.reading.clock import DAY_MINUTES, Clock, clock
from bot.kit.reading.dates import Day
from bot.kit.reading.days import day
from bot.kit.reading.scene import Scene
from bot.kit.reading.stretch import Named, named
from bot.kit.reading.words import DAY_OF_WEEK, NUMBER, PART, PARTS, WEEK, Part, number, weekday_number
from bot.kit.reading.write import WEEKDAYS, write_day
from bot.kit.words import _

END_OF_DAY = time(23, 59)


def instant(on: date, at: time, zone: ZoneInfo) -> datetime:
    """That wall time in that zone. A time the clocks skip moves forward; one they repeat is the first of the two."""
    return datetime.combine(on, at.replace(fold=0), zone).astimezone(UTC).astimezone(zone)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, and perhaps an hour in it. ``minutes`` None: the whole day."""

    day: Day
    end: int
    sure: bool
    minutes: int | None = None
    clock: Clock | None = None  # the hour as said, for 下午两点到四点 to lean on
    part: Part | None = None  # only 上午 was said: ``minutes`` is the usual hour
    closing: bool = False  # 放学前 has already said "before"
    day_said: bool = True
    last: int | None = None  # 第三节 has an end of its own

    def at(self, zone: ZoneInfo) -> datetime:
        days, minutes = divmod(self.minutes or 0, DAY_MINUTES)
        return instant(self.day.date + timedelta(days=days), time(minutes // 60, minutes % 60), zone)

    def by(self, zone: ZoneInfo) -> datetime:
        """The last moment, read as a deadline: a day ends at 23:59, and so does 晚上12点 of that day."""
        if self.minutes is None or self.minutes == DAY_MINUTES:
            return instant(self.day.until or self.day.date, END_OF_DAY, zone)
        return instant(self.day.date, self.part.until, zone) if self.part else self.at(zone)

    def ahead(self, scene: Scene) -> Moment:
        """Moved on to the next such day or week, where the hour has passed and the words allow it."""
        if self.minutes is None or not self.day.step or self.at(scene.hours.zone) > scene.now:
            return self
        later = replace(self.day, date=self.day.date + timedelta(days=self.day.step), sure=False)
        return replace(self, day=later, sure=False)


# What our own echo says beside a date (``Calendar.status``): people copy it.
_REMARK = re.compile(r"\s*\((?:调休上班|休息日|放假安排未公布|[^()]{1,8}放假|[^()]{0,8}学校通知[上放][班假])\)")
_LEANS = re.compile(rf"{WEEK}|{NUMBER}[日号]")
_BETWEEN = re.compile(r"\s*(?:[的,、]|T(?=[0-9]))?\s*")
_WEEKDAY_NOTE = re.compile(rf"\s*(?:\(\s*{WEEK}?(?P<a>{DAY_OF_WEEK})\s*\)|,?{WEEK}(?P<b>{DAY_OF_WEEK}))")
_DATE_NOTE = re.compile(
    rf"\s*(?:,\s*)?(?P<bracket>\()?\s*(?={NUMBER}\s*月|[0-9]{{1,4}}[年./-][0-9]|(?P<loose>(?:本|这|下下|下)个?{WEEK}|{NUMBER}[日号]\s*\)))"
)
_CLOSE = re.compile(r"\s*\)")
_ANCHOR = re.compile(
    r"(?P<part>上午|中午|下午|晚上?)?(?P<word>放学|下了?班)(?:(?P<before>之前|以前|前(?!后))|之后|以后|后(?!服务)|时)"
)
_MEETING = re.compile(r"例会(?:(?P<at>时间|的时候)|(?P<before>之前|以前|前)|(?P<after>之后|以后|后))")
_PART_ALONE = re.compile(rf"(?P<part>{PART})(?!的?{NUMBER}(?:[点时]|:))")
_DUSK = 18 * 60
_SOON = timedelta(days=183)
_LATE = re.compile(r"[早晚][点些到来去走退交于饭餐读自]|[早晚]会(?!议)|[早晚]一[点些]")  # 明天晚到十分钟, 周三早读
_OPENING = re.compile(rf"(?P<part>{PART})?\s*(?P<hour>{NUMBER})(?=\s*(?:-|~|到|至)\s*{NUMBER}\s*[点时])")


def moment(scene: Scene, pos: int, anchored: bool = False) -> Moment | None:
    """The moment at ``pos``; ``anchored``: something before it (截止, 到) says that a time follows."""
    found = day(scene, pos)
    if found is None:
        return _without_day(scene, pos, anchored)
    found = _checked(scene, found)
    remark = _REMARK.match(scene.text, found.end)
    found = replace(found, end=remark.end()) if remark else found
    if scene.fog and found.sure and _LEANS.match(scene.text, pos):
        found = replace(found, sure=False)  # 下周安排：周三……: of which week?
    gap = _BETWEEN.match(scene.text, found.end)
    inside = within_day(scene, gap.end() if gap else found.end, found)
    if inside and found.until:
        raise NotUnderstood(_("“{said}”不止一天，请写明是哪一天", said=scene.text[pos : found.end]))
    halved = scene.text[found.end - 1] in "今明昨"  # 今晚到明早: 晚到 or 今晚?
    return inside or Moment(found, found.end, found.sure and not halved)


def _without_day(scene: Scene, pos: int, anchored: bool) -> Moment | None:
    clear = scene.topic is None and not scene.fog
    implied = Day(scene.topic or scene.now.date(), pos, sure=clear, step=0 if scene.topic else 1)
    found = (
        _said_hour(scene, pos, implied, anchored)
        or _anchor(scene, pos, implied)
        or _meeting(scene, pos, None)
        or _named(implied, named(scene, pos, anchored=False), alone=True)
    )
    return replace(found, day_said=False) if found else None


def within_day(scene: Scene, pos: int, on: Day) -> Moment | None:
    """The hour, or the part of the day, that follows the day ``on``."""
    return (
        _said_hour(scene, pos, on, anchored=True)
        or _anchor(scene, pos, on)
        or _meeting(scene, pos, on)
        or _named(on, named(scene, pos, anchored=True))
        or _part_alone(scene, pos, on)
    )


def _said_hour(scene: Scene, pos: int, on: Day, anchored: bool) -> Moment | None:
    said = clock(scene, pos, anchored) or _opening(scene, pos, anchored)
    if said is None:
        return None
    minutes, sure = said.minutes()
    return Moment(on, said.end, sure and on.sure, minutes, said)


def _opening(scene: Scene, pos: int, anchored: bool) -> Clock | None:
    """The 2 of 下午2-4点."""
    match = _OPENING.match(scene.text, pos)
    if match is None or not (anchored or match["part"]) or number(match["hour"]) > 24:
        return None
    hour = number(match["hour"])
    return Clock(match["part"] or "", hour, 0, hour > 12, match.end())


def _anchor(scene: Scene, pos: int, on: Day) -> Moment | None:
    match = _ANCHOR.match(scene.text, pos)
    if match is None:
        return None
    at = scene.hours.anchor(match["word"].replace("了", ""))
    before, part = match["before"] is not None, match["part"]
    minutes = at.hour * 60 + at.minute
    sure = before and (not part or part[0] == "下" or (part[0] == "晚" and minutes >= _DUSK))
    if part in ("上午", "中午"):  # the children go home for lunch, and when that is we were not told
        minutes = scene.hours.noon.hour * 60 + scene.hours.noon.minute
    return Moment(on, match.end(), on.sure and sure, minutes, closing=before)


def _meeting(scene: Scene, pos: int, on: Day | None) -> Moment | None:
    """例会时间, 例会前: the weekly meeting of the settings, on its own day or, less surely, on another."""
    match = _MEETING.match(scene.text, pos)
    if match is None or scene.hours.meeting is None:
        return None
    weekday, at = scene.hours.meeting
    minutes = at.hour * 60 + at.minute
    if on is None:
        ahead = (weekday - scene.now.weekday()) % 7
        on = Day(scene.now.date() + timedelta(days=ahead), pos, sure=not scene.fog, step=7, weekday_said=True)
    sure = on.sure and on.date.weekday() == weekday and not match["after"]
    return Moment(on, match.end(), sure, minutes, closing=match["before"] is not None)


def _named(on: Day, found: Named | None, alone: bool = False) -> Moment | None:
    if found is None:
        return None
    sure, last = on.sure and found.sure and not alone, found.last if found.last > found.start else None
    last = None if found.side else last
    return Moment(on, found.end, sure, found.start, closing=found.side == "前", last=last)


def _part_alone(scene: Scene, pos: int, on: Day) -> Moment | None:
    match = _PART_ALONE.match(scene.text, pos)
    usual = scene.hours.usual(PARTS[match["part"]]) if match else None
    if match is None or usual is None or _LATE.match(scene.text, pos):
        return None
    return Moment(on, match.end(), False, usual.hour * 60 + usual.minute, part=PARTS[match["part"]])


def _checked(scene: Scene, found: Day) -> Day:
    """12月2日(周三), 下周三(12月2日): two ways of saying one day must agree."""
    date_note = _DATE_NOTE.match(scene.text, found.end)
    if date_note and (date_note["bracket"] or (found.weekday_said and not date_note["loose"])):
        return _with_date(scene, found, date_note)
    note = None if found.weekday_said else _WEEKDAY_NOTE.match(scene.text, found.end)
    return _with_weekday(scene, found, note) if note else found


def _with_weekday(scene: Scene, found: Day, note: re.Match[str]) -> Day:
    """The weekday must be right; or it tells us that the past day was meant, and not next year's."""
    said = weekday_number(note["a"] or note["b"])
    agreed = replace(found, end=note.end(), weekday_said=True)
    if found.date.weekday() == said:
        soon = found.date - scene.now.date() < _SOON  # 1月4日周一 says which year, too
        return replace(agreed, sure=agreed.sure or (soon and not found.year_said))
    if not found.year_said and found.date.year > scene.now.year and (found.date.month, found.date.day) != (2, 29):
        past = replace(agreed, date=found.date.replace(year=scene.now.year))
        if past.date.weekday() == said:
            return past
    raise NotUnderstood(_("{day}，不是{said}，请核对后再写一次", day=write_day(found.date), said=_(WEEKDAYS[said])))


def _with_date(scene: Scene, found: Day, note: re.Match[str]) -> Day:
    """The date says which day; the word before it must be able to mean that one."""
    dated = day(scene, note.end())
    if dated is None or (dated.weekday_said and not note["loose"]):
        return found
    dated = dated if note["loose"] else _checked(scene, dated)
    close = _CLOSE.match(scene.text, dated.end) if note["bracket"] else None
    if note["bracket"] and not close:
        return found  # 周三(12月2日报名截止): about something else
    same_weekday = found.weekday_said and dated.date.weekday() == found.date.weekday()
    near = same_weekday and (found.step == 7 or not note["loose"])  # 周三（2日） is any Wednesday, 下周三 is not
    if dated.date != found.date and not near:
        said = write_day(found.date)
        raise NotUnderstood(_("{day}和{said}不是同一天，请核对后再写一次", day=write_day(dated.date), said=said))
    sure = dated.sure and (dated.date == found.date or found.step == 7)  # 周三 alone is any Wednesday
    return replace(dated, end=close.end() if close else dated.end, sure=sure, weekday_said=True)

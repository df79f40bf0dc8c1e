"""Recurrences as people say them: 每周一三五早上7:50, 双周周三, 每月最后一个工作日."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import time, timedelta

from bot.kit.errors import NotUnderstood
from bot.kit.reading.clock import DAY_MINUTES, clock
from bot.kit.reading.dates import Day
from bot.kit.reading.moment import END_OF_DAY, Moment, within_day
from bot.kit.reading.rules import Beyond, Daily, Monthly, MonthlyLastWorkday, MonthlyNth, Rule, Weekly
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import DAY_OF_WEEK, NUMBER, WEEK, number, weekday_number
from bot.kit.words import _


@dataclass(frozen=True, slots=True)
class Repeat:
    """A rule as read; ``sure`` is False where the hour, or the first of the fortnights, was ours."""

    rule: Rule
    end: int
    sure: bool


def repeat(scene: Scene, pos: int) -> Repeat | None:
    """The recurrence at ``pos``, or None."""
    for pattern, rule in _RULES:
        match = pattern.match(scene.text, pos)
        if match:
            at, end, sure = _hour(scene, match.end())
            made = rule(scene, match, at)
            return Repeat(made, end, sure and not (isinstance(made, Weekly) and made.every > 1)) if made else None
    return None


def _hour(scene: Scene, pos: int) -> tuple[time, int, bool]:
    """When on these days: as said; 23:59 for 每周五前; else the school's morning, and then we are not sure."""
    on = Day(scene.base, pos)
    gap = _GAP.match(scene.text, pos)
    said = within_day(scene, gap.end() if gap else pos, on)
    end = _over_a_range(scene, said) if said else pos
    before = _BEFORE.match(scene.text, end)
    if said is None:
        return (END_OF_DAY, before.end(), False) if before else (scene.hours.morning, pos, False)
    if said.minutes is None or said.minutes > DAY_MINUTES or (said.minutes == DAY_MINUTES and not before):
        raise NotUnderstood(_("每天重复的事请用 00:00 到 23:59 之间的时间"))
    at = END_OF_DAY if said.minutes == DAY_MINUTES else time(said.minutes // 60, said.minutes % 60)
    return at, before.end() if before else end, said.sure and end == said.end and not before


def _over_a_range(scene: Scene, said: Moment) -> int:
    """每周一8:00-9:00 repeats from its beginning; the end must not be left lying about as a time of its own."""
    link = _TO.match(scene.text, said.end)
    closing = clock(scene, link.end(), anchored=True) if link else None
    return closing.end if closing else said.end


_GAP = re.compile(r"\s*的?\s*(?:(?:每[天日]|天天)的?)?\s*")  # 每周一至周五每天7:30
_BEFORE = re.compile(r"之前|以前|前(?![往后台])")
_TO = re.compile(r"\s*(?:到|至|-|~)\s*")

# ---------------------------------------------------------------------------------------------- rules


def _daily(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    """每天 alone is how people talk; it is a rule when an hour follows or nothing else is said."""
    following = scene.text[match.end() :].strip()
    spoken = within_day(scene, match.end(), Day(scene.base, match.end())) is not None
    return Daily(at) if spoken or not following else None


def _workdays(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    return Weekly((0, 1, 2, 3, 4), at)


def _weekly(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    return Weekly(_days(match), at)


def _fortnightly(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    """Which of the two weeks only the school knows; we begin with the next such day and are not sure."""
    days = _days(match)
    tomorrow = scene.base + timedelta(days=1)
    first = next(tomorrow + timedelta(days=n) for n in range(7) if (tomorrow + timedelta(days=n)).weekday() in days)
    return Weekly(days, at, every=2, anchor=first)


def _odd_weeks(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    raise NotUnderstood(_("单周要看校历，请写成“每两周的周三”，并说明从哪一天开始"))


def _days(match: re.Match[str]) -> tuple[int, ...]:
    signs = re.findall(rf"{DAY_OF_WEEK}|[1-7]", re.sub(r"星期|礼拜|周", "", match["days"]))
    numbers = [weekday_number(sign) for sign in signs]
    if re.search(_SPAN_SIGN, match["days"]):
        first, last = numbers[0], numbers[-1]
        return tuple((first + n) % 7 for n in range((last - first) % 7 + 1))
    return tuple(numbers)


def _monthly(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    day = number(match["day"])
    if not 1 <= day <= 31:
        raise NotUnderstood(_("没有{day}号，请写 1 到 31 之间的日子", day=day))
    if match["more"]:
        raise NotUnderstood(_("一次只能定每月的一天，请分成两条来写"))
    return Monthly(day, at)


def _month_end(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    return Monthly(31, at, Beyond.CLAMP)


def _monthly_nth(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    nth = number(match["nth"]) if match["nth"] else -1
    if nth not in (-1, 1, 2, 3, 4, 5):
        raise NotUnderstood(_("一个月没有第{nth}个{weekday}", nth=nth, weekday=match["weekday"]))
    return MonthlyNth(nth, weekday_number(match["weekday"][-1]), at)


def _last_workday(scene: Scene, match: re.Match[str], at: time) -> Rule | None:
    return MonthlyLastWorkday(at)


_SPAN_SIGN = "[到至~-]"
_MORE = "[一二三四五六日天](?![点时十楼班年条个人节名位次组])"  # 每周一三点: three o'clock
_LIST = rf"(?P<days>{DAY_OF_WEEK}{_SPAN_SIGN}{WEEK}?{DAY_OF_WEEK}|{DAY_OF_WEEK}(?:[、,和及]?{WEEK}?{_MORE})*)"
_MONTH = r"每个?月的?"

Make = Callable[[Scene, re.Match[str], time], Rule | None]
_RULES: tuple[tuple[re.Pattern[str], Make], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (rf"(?:双{WEEK}|隔{WEEK}|每?隔一个?{WEEK}|每(?:两|二|2)个?{WEEK})的?{WEEK}?{_LIST}", _fortnightly),
        (rf"单{WEEK}的?{WEEK}?{_LIST}", _odd_weeks),
        (rf"(?:每[个逢]?|(?<![每相])逢){WEEK}的?{WEEK}?{_LIST}", _weekly),
        (rf"{WEEK}(?P<days>{DAY_OF_WEEK}{_SPAN_SIGN}{WEEK}?{DAY_OF_WEEK})的?(?:每[天日]|天天)", _weekly),
        (r"每个?(?:工作日|上学日|上课日|教学日)|(?:工作日|上学日|上课日|教学日)的?(?:每[天日]|天天)", _workdays),
        (r"每一?[天日]|天天|每(?=早|晚|中午|上午|下午|夜)", _daily),
        (rf"每[个逢]?{WEEK}(?P<days>[1-7](?:[、,和]{WEEK}?[1-7])*)(?![0-9次天节课遍小:点.个年])", _weekly),
        (rf"{_MONTH}最后一?个?工作日", _last_workday),
        (rf"{_MONTH}(?:最后一[天日]|月?[底末])", _month_end),
        (rf"{_MONTH}(?:第(?P<nth>{NUMBER})个?|(?:最后|倒数第)一?个?)(?P<weekday>{WEEK}{DAY_OF_WEEK})", _monthly_nth),
        (rf"{_MONTH}(?:第(?P<day>一)天|(?P<more>)(?!))", _monthly),
        (rf"{_MONTH}(?P<day>{NUMBER})[号日](?P<more>(?:[、,和及]|到|至|-){NUMBER}[号日])?", _monthly),
        (rf"{_MONTH}(?P<day>{NUMBER})(?P<more>\s*[、,和及到至~-]\s*{NUMBER})[号日]", _monthly),
    )
)

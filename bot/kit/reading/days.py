"""Days: 今天, 下周三, 12月2日, 28号, 月底, 两周后的周二. Ordered rules, the first that fits has the say."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bot.kit.errors import NotUnderstood
from bot.kit.reading.words import (
    COUNT,
    DAY_OF_WEEK,
    NUMBER,
    PART,
    WEEK,
    Scene,
    number,
    weekday_number,
    year_number,
)
from bot.kit.words import _


@dataclass(frozen=True, slots=True)
class Day:
    """A day as read. ``step``: how many days on, should its hour have passed already (周三 said on a Wednesday)."""

    date: date
    end: int
    sure: bool = True
    step: int = 0
    year_said: bool = True
    weekday_said: bool = False


def day(scene: Scene, pos: int) -> Day | None:
    """The day at ``pos``, or None; NotUnderstood for a day no calendar has."""
    for pattern, rule in _RULES:
        match = pattern.match(scene.text, pos)
        found = rule(scene, match) if match else None
        if found:
            return found
    return None


def real(year: int, month: int, day_of_month: int) -> date:
    """The date, or NotUnderstood naming what is wrong with it."""
    if not 1 <= month <= 12:
        raise NotUnderstood(_("没有{month}月，请再写一次日期", month=month))
    if not 1 <= day_of_month <= monthrange(year, month)[1]:
        raise NotUnderstood(_("{year}年{month}月没有{day}日，请再写一次日期", year=year, month=month, day=day_of_month))
    return date(year, month, day_of_month)


def months_on(start: date, months: int) -> tuple[date, bool]:
    """The same day ``months`` later, or the last of that month; and whether the day could be kept."""
    index = start.year * 12 + start.month - 1 + months
    year, month = index // 12, index % 12 + 1
    kept = min(start.day, monthrange(year, month)[1])
    return date(year, month, kept), kept == start.day


def last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def monday_of(day_in_week: date) -> date:
    return day_in_week - timedelta(days=day_in_week.weekday())


# ---------------------------------------------------------------------------------------------- dates


def _full(scene: Scene, match: re.Match[str]) -> Day | None:
    return Day(real(year_number(match["year"]), number(match["month"]), number(match["day"])), match.end())


def _named_year(scene: Scene, match: re.Match[str]) -> Day | None:
    year = scene.now.year + {"今": 0, "本": 0, "明": 1, "去": -1}[match["year"]]
    return Day(real(year, number(match["month"]), number(match["day"])), match.end())


def _month_day(scene: Scene, match: re.Match[str]) -> Day | None:
    return _coming(scene, number(match["month"]), number(match["day"]), match.end())


def _coming(scene: Scene, month: int, day_of_month: int, end: int) -> Day:
    """This year; next year where it has passed, and then we say so."""
    passed = (month, day_of_month) < (scene.base.month, scene.base.day)
    return Day(real(scene.base.year + passed, month, day_of_month), end, sure=not passed, year_said=False)


_MEASURES = re.compile(
    r"\s*(?:[分元人%个条名份件篇页米平倍万亿千百斤度℃折岁届]|天(?!气)|小时|公里|公斤|厘米|毫米|课时|学时|年(?!级)|[A-Za-z])"
)


def _figures(scene: Scene, match: re.Match[str]) -> Day | None:
    """12-02, 12/2, 12.2: a date only where it can be one and is not the measure of something."""
    sign, first, second = match["sign"], match["month"], match["day"]
    month, day_of_month = int(first), int(second)
    short = len(first) + len(second) < (4 if sign == "-" else 3)
    if short or not 1 <= month <= 12 or not 1 <= day_of_month <= monthrange(2024, month)[1]:
        return None
    if _MEASURES.match(scene.text, match.end()):
        return None
    found = _coming(scene, month, day_of_month, match.end())
    certain = sign != "-" or "0" in (first[0], second[0])  # 10-12 may count anything
    return Day(found.date, found.end, found.sure and certain, year_said=False)


_COUNTED = re.compile(r"(?:[选投荐编第]|支持|同意|赞成|反对|弃权)\s*$")  # 投3号: a candidate, not the third


def _number_of_month(scene: Scene, match: re.Match[str]) -> Day | None:
    value = number(match["day"])
    if not 1 <= value <= 31 or _COUNTED.search(scene.before(match.start(), 3)):
        return None
    first = scene.base.replace(day=1)
    month = months_on(first, 1)[0] if value < scene.base.day else first
    while value > monthrange(month.year, month.month)[1]:
        month = months_on(month, 1)[0]  # 31号 said in November
    return Day(month.replace(day=value), match.end(), sure=month == first)


# What makes 5日 the fifth and not five days: the words after it, or 到 before it.
_HINT = re.compile(rf"\s*(?:\(?{WEEK}|{PART}|前|之前|以前|到|至|-|~|{NUMBER}[点时:])")
_LINK = re.compile(r"[到至~、和-]\s*$")


def _bare_day(scene: Scene, match: re.Match[str]) -> Day | None:
    told = _HINT.match(scene.text, match.end()) or _LINK.search(scene.before(match.start(), 3))
    return _number_of_month(scene, match) if told else None


def _in_month(scene: Scene, match: re.Match[str]) -> Day | None:
    month, _kept = months_on(scene.now.date().replace(day=1), match["which"].count("下"))
    return Day(real(month.year, month.month, number(match["day"])), match.end())


def _month_end(scene: Scene, match: re.Match[str]) -> Day | None:
    if match["named"]:
        month = number(match["named"])
        year = scene.base.year + (month < scene.base.month)
        real(year, month, 1)
        return Day(last_of(year, month), match.end(), sure=year == scene.base.year)
    month_start, _kept = months_on(scene.now.date().replace(day=1), (match["which"] or "").count("下"))
    return Day(last_of(month_start.year, month_start.month), match.end())


def _year_end(scene: Scene, match: re.Match[str]) -> Day | None:
    return Day(date(scene.now.year + (match["which"] == "明"), 12, 31), match.end())


# ---------------------------------------------------------------------------------------------- near days

_NEAR = {"大后": 3, "后": 2, "明": 1, "今": 0, "昨": -1, "前": -2}


def _near(scene: Scene, match: re.Match[str]) -> Day | None:
    before = scene.before(match.start(), 1)
    if before and before in {"后": "明今", "前": "提目之以"}.get(match["word"], ""):
        return None  # 明后天 is two days, 目前天气 is none
    return Day(scene.now.date() + timedelta(days=_NEAR[match["word"]]), match.end())


def _near_part(scene: Scene, match: re.Match[str]) -> Day | None:
    """今晚, 明早: the part of the day is left for the clock to read."""
    if match["word"] == "明" and scene.before(match.start(), 1) in tuple("说声表证文聪发"):
        return None
    return Day(scene.now.date() + timedelta(days=_NEAR[match["word"]]), match.end())


def _later(scene: Scene, match: re.Match[str]) -> Day | None:
    count, unit = number(match["count"]), match["unit"]
    if unit == "月":
        found, kept = months_on(scene.now.date(), count)
        return Day(found, match.end(), sure=kept)
    found = scene.now.date() + timedelta(days=count * (1 if unit in "天日" else 7))
    if match["weekday"]:
        found = monday_of(found) + timedelta(days=weekday_number(match["weekday"]))
    return Day(found, match.end(), weekday_said=bool(match["weekday"]))


# ---------------------------------------------------------------------------------------------- weekdays


_SEVERAL = re.compile(r"[、,和及]?[一二三四五六日天](?![点时十楼班年条个人节名位次组月])")


def _weekday(scene: Scene, match: re.Match[str]) -> Day | None:
    which, wanted, before = match["which"] or "", weekday_number(match["weekday"]), scene.before(match.start(), 1)
    if (before == "一" and which.startswith("下")) or (before in tuple("早晚以") and which == "上"):
        return None  # 通知一下|周三, 早上|周三
    found = _of_week(scene, which, wanted) if which else _next_weekday(scene, wanted)
    loose = before in tuple("等剩留定放余") and which == "下"  # 等下周三: 等下|周三?
    several = _SEVERAL.match(scene.text, match.end())  # 周六日: the first of them is not the whole of it
    return Day(found.date, match.end(), found.sure and not loose and not several, found.step, weekday_said=True)


def _next_weekday(scene: Scene, wanted: int) -> Day:
    ahead = (wanted - scene.base.weekday()) % 7
    return Day(scene.base + timedelta(days=ahead), 0, sure=ahead > 0, step=7)


def _of_week(scene: Scene, which: str, wanted: int) -> Day:
    """Weeks begin on Monday; on a Sunday half of the people think otherwise, so we are not sure."""
    today = scene.now.date()
    sunday = today.weekday() == 6
    weeks = -which.count("上") + which.count("下")
    found = monday_of(today) + timedelta(days=7 * weeks + wanted)
    if weeks == 0 and sunday and found < today:
        found += timedelta(days=7)  # nobody calls a meeting for last Wednesday
    return Day(found, 0, sure=not (sunday and (weeks > 0 or wanted != 6)) and not (weeks == 0 and found < today))


# ---------------------------------------------------------------------------------------------- the order

_YEAR = r"(?P<year>(?:19|20|21)[0-9]{2}|[一二][〇零一二三四五六七八九]{3})"
_MONTH, _DAY = rf"(?P<month>{NUMBER})", rf"(?P<day>{NUMBER})"
_NOT_A_DAY = (  # 3号楼, 28号文: things with numbers
    "(?!楼|文件|文(?!艺|化|明)|会议室|教室|教学楼|选手|选项|线|门|桌|机位|位|同学|候选|厅|馆|院|令|方案|题|学生|考场|考生|"
    "码|球|召|称|角|脉|床|柜|作品|宿舍|座|柱|井|岗|窗|仓|实验|车)"
)
_TO_DAY = rf"\s*[到至~-]\s*{NUMBER}(?:号{_NOT_A_DAY}|日(?![游均制]))"  # 12月2-5日

Rule = Callable[[Scene, re.Match[str]], Day | None]
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (rf"{_YEAR}\s*年\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]?", _full),
        (rf"{_YEAR}(?P<sep>[-/.])(?P<month>[0-9]{{1,2}})(?P=sep)(?P<day>[0-9]{{1,2}})(?![0-9]|(?P=sep)[0-9])", _full),
        (rf"(?P<year>[今明去本])年的?\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]", _named_year),
        (rf"(?P<which>本|这个?|当|下下个?|下个?)月的?\s*{_DAY}\s*[日号]", _in_month),
        (rf"{_MONTH}\s*月\s*{_DAY}\s*(?:[日号]|(?={_TO_DAY}))", _month_day),
        (rf"(?:(?P<which>本|这个?|当|下下个?|下个?)?|(?P<named>{NUMBER}))月份?[底末]", _month_end),
        (r"(?P<which>[今明本])?年[底末]", _year_end),
        (
            rf"(?P<count>{COUNT})(?:个)?(?P<unit>天|日|周|星期|礼拜|(?<=个)月)(?:之后|以后|后(?![勤备台续面]))"
            rf"(?:的?{WEEK}(?P<weekday>{DAY_OF_WEEK}))?",
            _later,
        ),
        (r"(?P<word>大后|后|明|今|昨|前)天", _near),
        (r"(?P<word>明|今|昨)日", _near),
        (rf"(?P<word>[明今昨])(?={PART})", _near_part),
        (
            rf"(?P<which>上上|上|下下|下|这|本)?一?个?{WEEK}(?:的?{WEEK})?(?P<weekday>{DAY_OF_WEEK}|[1-7](?![0-9:.]))",
            _weekday,
        ),
        (r"(?P<month>[0-9]{1,2})(?P<sign>[-/.])(?P<day>[0-9]{1,2})(?![0-9:点时]|(?P=sign)[0-9])", _figures),
        (rf"{_DAY}(?:号{_NOT_A_DAY}|(?={_TO_DAY}))", _number_of_month),
        (rf"{_DAY}日", _bare_day),
    )
)

"""Dates that are numbers: 12月2日, 2026-12-02, 12/2, 28号, 下个月5号. Each rule takes the scene and its match."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.kit.errors import NotUnderstood
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import NUMBER, PART, WEEK, number, year_number
from bot.kit.words import _

_Date = date


@dataclass(frozen=True, slots=True)
class Day:
    """A day as read. ``step``: how many days on, should its hour have passed already (周三 said on a Wednesday).

    ``until``: the last of several days (周末, 12月上旬).
    """

    date: date
    end: int
    sure: bool = True
    step: int = 0
    year_said: bool = True
    weekday_said: bool = False
    until: _Date | None = None


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


# ---------------------------------------------------------------------------------------------- with a month


def full(scene: Scene, match: re.Match[str]) -> Day | None:
    return Day(real(year_number(match["year"]), number(match["month"]), number(match["day"])), match.end())


def short_year(scene: Scene, match: re.Match[str]) -> Day | None:
    """27年3月1日, 26.12.05: the century goes without saying; figures with signs may still be something else."""
    found = real(2000 + int(match["year"]), int(match["month"]), int(match["day"]))
    return Day(found, match.end(), sure="年" in match[0])


def named_year(scene: Scene, match: re.Match[str]) -> Day | None:
    year = scene.now.year + {"今": 0, "本": 0, "明": 1, "后": 2, "去": -1}[match["year"]]
    return Day(real(year, number(match["month"]), number(match["day"])), match.end())


def month_day(scene: Scene, match: re.Match[str]) -> Day | None:
    return coming(scene, number(match["month"]), number(match["day"]), match.end())


def coming(scene: Scene, month: int, day_of_month: int, end: int) -> Day:
    """This year; next year where it has passed, and then we say so."""
    passed = (month, day_of_month) < (scene.base.month, scene.base.day)
    return Day(real(scene.base.year + passed, month, day_of_month), end, sure=not passed, year_said=False)


_MEASURES = re.compile(
    r"\s*(?:[分元人%个条名份件篇页米平倍万亿千百斤度℃折岁届版章节克吨秒级折块毛角寸吋升瓦伏]|英寸|毫升|天(?!气)|小时|公里|公斤|厘米|毫米|课时"
    r"|学时|学分|年(?!级)|月(?!考)|班|教室|[A-Za-z])"
)
_AMOUNTS = re.compile(
    r"(?:[版分数均绩点共约重高长宽深温价费额比率度图表第款项号]|平均|版本号?|成绩|合计|总计|进度|人数|附件|第|血压|视力|房间)[是为:]?\s*$"
)
_HALF_SAID = re.compile(r"[\u4e00-\u9fffA-Za-z]\s*$")
_LEADING = re.compile(
    r"(?:[于在到至从自是为定改期日间止即将把请和与及前后时午早晚]|老师|同事|通知|会议|截[止至]|最[迟晚])\s*$"
)
_DATED = re.compile(rf"\s*(?:[日号]|\(?{WEEK}|{PART}|前|之前|以前|到|至|-|~|{NUMBER}[点时:]|截)")


def figures(scene: Scene, match: re.Match[str]) -> Day | None:
    """12-02, 12/2, 12.2: a date only where it can be one and is not the measure of something."""
    sign, first, second = match["sign"], match["month"], match["day"]
    month, day_of_month = int(first), int(second)
    short = len(first) + len(second) < (4 if sign == "-" else 3) and not match["mark"]
    if short or not 1 <= month <= 12 or not 1 <= day_of_month <= monthrange(2024, month)[1]:
        return None
    before = scene.before(match.start(), 4)
    if _MEASURES.match(scene.text, match.end()) or _AMOUNTS.search(before):
        return None
    found = coming(scene, month, day_of_month, match.end())
    certain = sign != "-" or "0" in (first[0], second[0])  # 10-12 may count anything
    told = match["mark"] or _DATED.match(scene.text, match.end())
    loose = _HALF_SAID.search(before) and not _LEADING.search(before) and not told
    return Day(found.date, found.end, found.sure and bool(certain or match["mark"]) and not loose, year_said=False)


def two_days(scene: Scene, match: re.Match[str]) -> Day | None:
    """12月3、4日: two days that follow one another. Others are left apart, and unsure."""
    first, last = number(match["day"]), number(match["last"])
    if last != first + 1:
        return None
    found = coming(scene, number(match["month"]), first, match.end())
    real(found.date.year, found.date.month, last)
    return Day(found.date, match.end(), found.sure, year_said=False, until=found.date.replace(day=last))


def figures_span(scene: Scene, match: re.Match[str]) -> Day | None:
    """11.28-29, 12/3-5."""
    month, first, last = (int(match[key]) for key in ("month", "day", "last"))
    if not 1 <= month <= 12 or not first < last <= monthrange(2024, month)[1]:
        return None
    if _MEASURES.match(scene.text, match.end()) or _AMOUNTS.search(scene.before(match.start(), 4)):
        return None
    found = coming(scene, month, first, match.end())
    return replace(found, until=real(found.date.year, month, last))


# ---------------------------------------------------------------------------------------------- without a month


def two_numbers(scene: Scene, match: re.Match[str]) -> Day | None:
    """28日、29日."""
    found, last = number_of_month(scene, match), number(match["last"])
    if re.search("[、,和0-9-]$", scene.before(match.start(), 1)):
        return None  # 4、5、6日
    if found is None or last != found.date.day + 1:
        return None
    return replace(found, until=real(found.date.year, found.date.month, last))


_COUNTED = re.compile(
    r"(?:[选投荐编第〕\]】]|[学编座工考序房门卡账证型批代档]号|支持|同意|赞成|反对|弃权)\s*$"
)  # 投3号: a candidate, not the third


def number_of_month(scene: Scene, match: re.Match[str]) -> Day | None:
    value = number(match["day"])
    if not 1 <= value <= 31 or _COUNTED.search(scene.before(match.start(), 3)):
        return None
    first = scene.base.replace(day=1)
    month = months_on(first, 1)[0] if value < scene.base.day else first
    while value > monthrange(month.year, month.month)[1]:
        month = months_on(month, 1)[0]  # 31号 said in November
    alone = not _AND.search(scene.before(match.start(), 3))  # 28日、30日: not the only one
    return Day(month.replace(day=value), match.end(), sure=month == first and alone)


# What makes 5日 the fifth and not five days: the words after it, or 到 before it.
_HINT = re.compile(rf"\s*(?:\(?{WEEK}|{PART}|前|之前|以前|到|至|-|~|{NUMBER}[点时:]|\))")
_LINK, _AND = re.compile(r"[到至~、和-]\s*$"), re.compile(r"[、和]\s*$")


def bare_day(scene: Scene, match: re.Match[str]) -> Day | None:
    told = _HINT.match(scene.text, match.end()) or _LINK.search(scene.before(match.start(), 3))
    return number_of_month(scene, match) if told else None


def in_month(scene: Scene, match: re.Match[str]) -> Day | None:
    month, _kept = months_on(scene.now.date().replace(day=1), match["which"].count("下") - match["which"].count("上"))
    return Day(real(month.year, month.month, number(match["day"])), match.end())

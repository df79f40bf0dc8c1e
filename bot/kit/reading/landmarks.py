"""Days known by their place in a month, a week, a term or the year: 本月最后一个周五, 周末, 第12周周三, 元旦前."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from bot.kit.calendar import FESTIVALS, festival
from bot.kit.errors import NotUnderstood
from bot.kit.reading.dates import Day, last_of, monday_of, months_on, real
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import DAY_OF_WEEK, NUMBER, PART, WEEK, number, weekday_number
from bot.kit.words import _

# ---------------------------------------------------------------------------------------------- in a month


def _month(scene: Scene, match: re.Match[str]) -> tuple[date, bool]:
    """The first of the month spoken of, and whether nothing about its year was assumed."""
    today = scene.now.date()
    if match["which"]:
        return months_on(today.replace(day=1), match["which"].count("下"))
    if not match["named"]:
        return today.replace(day=1), True
    month = number(match["named"])
    if match["year"]:
        return real(_year(scene, match["year"]), month, 1), True
    year = scene.base.year + (month < scene.base.month)
    return real(year, month, 1), year == scene.base.year


def _year(scene: Scene, said: str) -> int:
    return int(said) if said.isdigit() else scene.now.year + "今明后".find(said.replace("本", "今"))


def _month_end(scene: Scene, match: re.Match[str]) -> Day | None:
    first, sure = _month(scene, match)
    return Day(last_of(first.year, first.month), match.end(), sure)


def _third(scene: Scene, match: re.Match[str]) -> Day | None:
    """12月上旬, 本月中旬: ten days."""
    first, sure = _month(scene, match)
    start = {"上": 1, "中": 11, "下": 21}[match["third"]]
    last = last_of(first.year, first.month) if start == 21 else first.replace(day=start + 9)
    return Day(first.replace(day=start), match.end(), sure and last >= scene.now.date(), until=last)


def _about(scene: Scene, match: re.Match[str]) -> Day | None:
    """月初, 月中: about then, so never sure."""
    first, _sure = _month(scene, match)
    early = match["about"] == "初"
    if not match["which"] and not match["named"] and scene.now.day > (10 if early else 20):
        first, _kept = months_on(first, 1)
    start = 1 if early else 11
    return Day(first.replace(day=start), match.end(), sure=False, until=first.replace(day=start + 9))


def _nth(scene: Scene, match: re.Match[str]) -> Day | None:
    """本月最后一个周五, 12月第一个工作日. NotUnderstood where the month has no fifth Friday."""
    first, sure = _month(scene, match)
    days = [first + timedelta(days=n) for n in range((last_of(first.year, first.month) - first).days + 1)]
    calendar = scene.hours.calendar
    if match["weekday"]:
        days = [day for day in days if day.weekday() == weekday_number(match["weekday"])]
    elif match["work"]:
        sure = sure and not any(calendar.unsettled(day) for day in days)
        days = [day for day in days if calendar.is_work(day)]
    nth = number(match["nth"]) if match["nth"] else len(days)
    if not 1 <= nth <= len(days):
        raise NotUnderstood(_("{month}月没有“{said}”，请写明日期", month=first.month, said=match["place"]))
    found = days[nth - 1]
    return Day(found, match.end(), sure and found >= scene.now.date(), weekday_said=bool(match["weekday"]))


def _year_end(scene: Scene, match: re.Match[str]) -> Day | None:
    year = _year(scene, match["year"]) if match["year"] else scene.now.year
    return Day(date(year, 12, 31), match.end())


# ---------------------------------------------------------------------------------------------- weeks and workdays


def _weekend(scene: Scene, match: re.Match[str]) -> Day | None:
    """Saturday and Sunday. Without 本 or 下 it is too easily a word of a greeting to be sure."""
    which, before, today = match["which"] or "", scene.before(match.start(), 1), scene.now.date()
    if before in tuple("每双单一") or (before in tuple("早晚以") and which == "上"):
        return None
    saturday = monday_of(today) + timedelta(days=5 + 7 * (which.count("下") - which.count("上")))
    sure = bool(which) and today.weekday() != 6
    return Day(saturday, match.end(), sure, until=saturday + timedelta(days=1))


def _workdays_later(scene: Scene, match: re.Match[str]) -> Day | None:
    last, sure = workdays_on(scene, number(match["count"]))
    return Day(last, match.end(), sure)


def workdays_on(scene: Scene, count: int) -> tuple[date, bool]:
    """The ``count``-th working day after today, and whether the calendar between is settled."""
    calendar, day, sure = scene.hours.calendar, scene.now.date(), True
    for _step in range(count):
        passed = day
        day = calendar.next_workday(day)
        between = (passed + timedelta(days=n) for n in range(1, (day - passed).days + 1))
        sure = sure and not any(calendar.unsettled(one) for one in between)
    return day, sure


def _term_week(scene: Scene, match: re.Match[str]) -> Day | None:
    """第12周周三, counted from the first week of the term in the settings."""
    if scene.before(match.start(), 1) == "月":
        return None  # 12月第一周周五: a week of the month, and nobody agrees which
    calendar, today, week = scene.hours.calendar, scene.now.date(), number(match["week"])
    term = calendar.term_on(today) if not match["opening"] else None
    term = term or calendar.term_from(today)
    if term is None:
        raise NotUnderstood(_("不知道{said}是哪一天：还没有设置这学期的起止日期。请写几月几日", said=match[0]))
    found = monday_of(term.start) + timedelta(days=7 * (week - 1) + weekday_number(match["weekday"]))
    if week < 1 or found > monday_of(term.end) + timedelta(days=6):
        last = term.week_of(term.end)
        raise NotUnderstood(_("{term}只有{last}周，没有{said}，请再写一次", term=term.name, last=last, said=match[0]))
    return Day(found, match.end(), sure=term.start <= today <= found, weekday_said=True)


# ---------------------------------------------------------------------------------------------- festivals and terms


def _festival(scene: Scene, match: re.Match[str]) -> Day | None:
    """元旦前 ends on the day before; 国庆 alone may be the topic and not the day."""
    found = _festival_day(scene, match)
    if found is None:
        return None
    on, sure = found
    if match["eve"]:
        return Day(on - timedelta(days=1), match.end(), sure)
    if match["break"]:
        return _before_holiday(scene, on, match)
    if _BEFORE.match(scene.text, match.end()):
        return Day(on - timedelta(days=1), match.end(), sure=False)
    alone = scene.text.strip() == match[0] or _TO.search(scene.before(match.start(), 2))
    told = match["that"] or _HOUR.match(scene.text, match.end())
    return Day(on, match.end(), sure and bool(told)) if alone or told else None


def _festival_day(scene: Scene, match: re.Match[str]) -> tuple[date, bool] | None:
    today, year = scene.now.date(), match["year"]
    if year:
        on = festival(match["name"], _year(scene, year))
        return (on, True) if on else None
    this, following = (festival(match["name"], today.year + n) for n in (0, 1))
    on = this if this and this >= today else following
    return (on, (on - today).days < 183) if on else None


def _before_holiday(scene: Scene, on: date, match: re.Match[str]) -> Day:
    """清明放假前一天: only the published arrangement says which day that is."""
    calendar = scene.hours.calendar
    first = on
    while not calendar.is_work(first - timedelta(days=1)) and (on - first).days < 10:
        first -= timedelta(days=1)
    if calendar.unsettled(first):
        raise NotUnderstood(
            _("{year}年的放假安排还没有公布，不知道{said}是哪一天，请写几月几日", year=on.year, said=match[0])
        )
    return Day(first - timedelta(days=1), match.end())


def _term_edge(scene: Scene, match: re.Match[str]) -> Day | None:
    """寒假前, 期末前, 开学前: by the terms in the settings, and shown for a look."""
    calendar, today = scene.hours.calendar, scene.now.date()
    term, coming = calendar.term_on(today), calendar.term_from(today)
    if match["opening"]:
        return Day(coming.start - timedelta(days=1), match.end(), sure=False) if coming else None
    summer = term is not None and term.end.month in (5, 6, 7, 8)
    wrong = ("寒" in match[0] and summer) or ("暑" in match[0] and not summer)
    return Day(term.end, match.end(), sure=False) if term and not wrong else None


_BEFORE = re.compile(r"\s*(?:之前|以前|前(?![后夕往期]))")
_TO = re.compile(r"[于在到至是]\s*$|止:?\s*$")
_HOUR = re.compile(rf"\s*(?:{PART}(?![会餐饭宴自读])|{NUMBER}[点时]|[0-9]{{1,2}}:[0-9])")
_NAMES = "(?:" + "|".join(sorted(FESTIVALS, key=len, reverse=True)) + ")(?![月日号点时周个人届中小年级班楼:])"
_YEAR = r"(?:(?P<year>20[0-9]{2}|[今明后本])年的?)?"
_WHICH = rf"(?:(?P<which>本|这个?|当|下下个?|下个?)|{_YEAR}(?P<named>{NUMBER}))"
_MONTH_SAID, _MAYBE_MONTH = rf"{_WHICH}月", rf"{_WHICH}?月份?"
_NOT_A_THIRD = "(?=前|之前|以前|内|$|[,。;!]|交|完|开|举|检|召|进|左)"

Rule = Callable[[Scene, re.Match[str]], Day | None]
RULES: tuple[tuple[re.Pattern[str], Rule], ...] = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (
            rf"{_MONTH_SAID}份?的?(?P<place>(?:第(?P<nth>{NUMBER})个?|最后一?个?)"
            rf"(?:{WEEK}(?P<weekday>{DAY_OF_WEEK})|(?P<work>工作日)|[天日](?!气)))",
            _nth,
        ),
        (rf"{_MONTH_SAID}份?的?(?P<third>[上中下])旬", _third),
        (rf"{_MAYBE_MONTH}[底末]", _month_end),
        (rf"{_MAYBE_MONTH}的?(?P<about>[初中]){_NOT_A_THIRD}", _about),
        (r"(?:(?P<year>20[0-9]{2}|[今明后本])年的?年?|年)[底末](?!考)", _year_end),
        (rf"(?P<which>上|下下|下|这|本)?一?个?{WEEK}末(?!愉快|快乐|好|作业|班|了)", _weekend),
        (rf"(?P<count>{NUMBER})个?工作日(?:之后|以后|后)", _workdays_later),
        (
            rf"(?:(?P<opening>开学)|[本这]学期)?的?第(?P<week>{NUMBER})(?:教学)?周的?[,( ]?"
            rf"{WEEK}(?P<weekday>{DAY_OF_WEEK})",
            _term_week,
        ),
        (
            rf"{_YEAR}(?P<name>{_NAMES})"
            r"(?:(?P<break>放假的?前一天)|(?P<eve>的?前一天)|(?P<that>当[天日]|那天|这天))?",
            _festival,
        ),
        (
            r"(?:放?(?:寒假|暑假)|(?:本|这)?(?:学期|期)(?:末|结束)|(?P<opening>开学))(?=之前|以前|前)",
            _term_edge,
        ),
    )
)

"""Days: 今天, 下周三, 两周后的周二; with ``dates`` and ``landmarks`` all there are. The first that fits."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from bot.kit.reading import dates, landmarks
from bot.kit.reading.dates import Day, monday_of, months_on
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import COUNT, DAY_OF_WEEK, NUMBER, PART, WEEK, number, weekday_number


def day(scene: Scene, pos: int) -> Day | None:
    """The day at ``pos``, or None; NotUnderstood for a day no calendar has."""
    for pattern, rule in _RULES:
        match = pattern.match(scene.text, pos)
        found = rule(scene, match) if match else None
        if found:
            return found
    return None


# ---------------------------------------------------------------------------------------------- near days

_NEAR = {"大后": 3, "后": 2, "明": 1, "今": 0, "昨": -1, "前": -2, "大前": -3}
_STILL_UP = 5  # until this hour many have not gone to bed, and 明天 is the coming day


def _near(scene: Scene, match: re.Match[str]) -> Day | None:
    before = scene.before(match.start(), 1)
    if before and before in {"后": "明今", "前": "提目之以", "明": "赶"}.get(match["word"], ""):
        return None  # 明后天 is two days, 目前天气 is none, 赶明儿 is some day
    late = scene.now.hour < _STILL_UP and _NEAR[match["word"]] > 0  # 明天, said after midnight
    return Day(scene.now.date() + timedelta(days=_NEAR[match["word"]]), match.end(), sure=not late)


def _near_part(scene: Scene, match: re.Match[str]) -> Day | None:
    """今晚, 明早: the part of the day is left for the clock to read."""
    if match["word"] == "明" and scene.before(match.start(), 1) in tuple("说声表证文聪发"):
        return None
    late = scene.now.hour < _STILL_UP and match["word"] == "明"
    return Day(scene.now.date() + timedelta(days=_NEAR[match["word"]]), match.end(), sure=not late)


def _several_near(scene: Scene, match: re.Match[str]) -> Day | None:
    """明后两天, 今明两天."""
    first = scene.now.date() + timedelta(days=_NEAR[match["first"]])
    return Day(first, match.end(), until=first + timedelta(days=1))


def _later(scene: Scene, match: re.Match[str]) -> Day | None:
    unit, today = match["unit"], scene.now.date()
    if match["half"]:
        return Day(today + timedelta(days=15), match.end(), sure=False)  # 半个月后
    count = number(match["count"])
    if unit == "月":
        found, kept = months_on(today, count)
        return Day(found, match.end(), sure=kept)
    found = today + timedelta(days=count * (1 if unit in "天日" else 7))
    if match["weekday"]:
        found = monday_of(found) + timedelta(days=weekday_number(match["weekday"]))
    sunday = bool(match["weekday"]) and today.weekday() == 6 and unit not in "天日"
    return Day(found, match.end(), sure=not sunday or count > 1, weekday_said=bool(match["weekday"]))


# ---------------------------------------------------------------------------------------------- weekdays


_SEVERAL = re.compile(
    rf"(?!第?{NUMBER}[、,到至~-]?{NUMBER}节)[、,和及]?[一二三四五六日天](?![点时十楼班年条个人节名位次组月日号])"
)
_NOT_DAYS = re.compile(
    r"历(?!史)|丰(?!富|收|台)|鸣|福(?!利|州|建)|报(?!名|到|告|送|备|销|社)|记|程表"
)  # 周日历, 周一报


def _weekday(scene: Scene, match: re.Match[str]) -> Day | None:
    which, wanted, before = match["which"] or "", weekday_number(match["weekday"]), scene.before(match.start(), 1)
    if (before == "一" and which.startswith("下")) or (before in tuple("早晚以") and which == "上"):
        return None  # 通知一下|周三, 早上|周三
    if _NOT_DAYS.match(scene.text, match.end()):
        return None
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
    "码|球|召|称|角|脉|床|柜|作品|宿舍|座|柱|井|岗|窗|仓|实验|车|卡|票|机|试卷|答案|同意|附件|店|库|字|员|场)"
)
_TO_DAY = rf"\s*[到至~-]\s*{NUMBER}(?:号{_NOT_A_DAY}|日(?![游均制]))"  # 12月2-5日
# 12月5下午三点: the sign of the day left out
_SIGN_LEFT_OUT = rf"(?=\s*(?:{PART}(?!间)|前(?![后往台期])|之前|以前|截|\(?{WEEK}|{NUMBER}[点:]|[,;。]|$))"
# The two halves of 12.2-12.5 and of 12/2 下午 are figures, too.
_FIGURES = (
    rf"(?P<month>[0-9]{{1,2}})(?P<sign>[-/.])(?P<day>[0-9]{{1,2}})(?P<mark>(?<!-.)(?<!-..)(?:日|号{_NOT_A_DAY}))?"
    r"(?![0-9:点时日号]|(?P=sign)[0-9])"
)

Rule = Callable[[Scene, re.Match[str]], Day | None]
_RULES: tuple[tuple[re.Pattern[str], Rule], ...] = (
    *landmarks.RULES,
    *(
        (re.compile(pattern), rule)
        for pattern, rule in (
            (rf"{_YEAR}\s*年\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]?", dates.full),
            (
                rf"{_YEAR}(?P<sep>[-/.])(?P<month>[0-9]{{1,2}})(?P=sep)(?P<day>[0-9]{{1,2}})"
                r"(?![0-9]|(?P=sep)(?![0-9]{4}[年./-])[0-9])",
                dates.full,
            ),
            (r"(?P<year>2[0-9])年(?P<month>[0-9]{1,2})月(?P<day>[0-9]{1,2})[日号]", dates.short_year),
            (
                r"(?P<year>2[5-9]|3[0-9])(?P<sep>[-/.])(?P<month>0[1-9]|1[0-2])(?P=sep)(?P<day>[0-2][0-9]|3[01])"
                r"(?![0-9]|(?P=sep))",
                dates.short_year,
            ),
            (rf"(?P<year>[今明后去本])年的?\s*{_MONTH}\s*月\s*{_DAY}\s*[日号]", dates.named_year),
            (rf"(?P<which>本|这个?|当|下下个?|下个?|上个?)月的?\s*{_DAY}\s*[日号]", dates.in_month),
            (rf"{_MONTH}月{_DAY}[日号]?[、,和](?P<last>{NUMBER})[日号]", dates.two_days),
            (rf"{_MONTH}\s*月\s*{_DAY}\s*(?:[日号]|(?={_TO_DAY})|{_SIGN_LEFT_OUT})", dates.month_day),
            (
                rf"(?:(?P<half>半)|(?P<count>{COUNT}))(?:个)?(?P<unit>天|日|周|星期|礼拜|(?<=个)月)"
                rf"(?:之后|以后|后(?![勤备台续面]))(?:的?{WEEK}(?P<weekday>{DAY_OF_WEEK})|的?今[天日])?",
                _later,
            ),
            (r"(?P<first>今|明)[明后](?:两|二)[天日]", _several_near),
            (r"(?P<word>大[后前]|后|明|今|昨|前)(?:天|儿个?(?![童子女科]))", _near),
            (r"(?P<word>明|今|昨)日", _near),
            (rf"(?P<word>[明今昨])(?={PART})", _near_part),
            (
                rf"(?P<which>上上|上|下下|下|这|本)?一?个?{WEEK}(?:的?{WEEK})?"
                rf"(?P<weekday>{DAY_OF_WEEK}|[1-7](?![0-9:.]))",
                _weekday,
            ),
            (
                r"(?P<month>[0-9]{1,2})(?P<sign>[/.])(?P<day>[0-9]{1,2})[~至到-](?P<last>[0-9]{1,2})[日号]?(?![0-9.:点/月时-])",
                dates.figures_span,
            ),
            (_FIGURES, dates.figures),
            (rf"{_DAY}[日号]?[、,和](?P<last>{NUMBER})(?:日|号{_NOT_A_DAY})", dates.two_numbers),
            (rf"{_DAY}(?:号{_NOT_A_DAY}|(?={_TO_DAY}))", dates.number_of_month),
            (rf"{_DAY}日", dates.bare_day),
        )
    ),
)

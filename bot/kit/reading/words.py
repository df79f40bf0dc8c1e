"""The vocabulary of time: plain text, numbers, the words of a day, and what only looks like a time.

Everything here keeps the length of the text, so a place in the plain text is the same place in what was typed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

# ---------------------------------------------------------------------------------------------- plain text

_PLAIN = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width signs and digits
    | str.maketrans("\u3000\u00a0—–―−〜﹣", "  ----~-")
    | str.maketrans("後點號週禮兩個時鐘鍾這內從淩", "后点号周礼两个时钟钟这内从凌")
    | str.maketrans("學雙單間遲為於裡裏結晝幾", "学双单间迟为于里里结昼几")
)


def plain(text: str) -> str:
    """Half-width signs and simplified time words; one character for one character."""
    return text.translate(_PLAIN)


# ---------------------------------------------------------------------------------------------- numbers

_ONES = "一二三四五六七八九"
NUMERALS = "零〇" + _ONES + "两十廿百千万"
CHINESE = rf"(?:[{_ONES}]?十[{_ONES}]?|廿[{_ONES}]?|[零〇][{_ONES}]|[零〇两{_ONES}])"
NUMBER = rf"(?:[0-9]{{1,2}}|{CHINESE})"  # 0-99: hours, minutes, months, days
COUNT = rf"(?:[0-9]{{1,3}}|{CHINESE})"  # how many days or minutes
WEEK = "(?:周|星期|礼拜)"
DAY_OF_WEEK = "[一二三四五六日天]"

_VALUES = {"零": 0, "〇": 0, "两": 2} | {sign: value for value, sign in enumerate(_ONES, 1)}


def number(text: str) -> int:
    """The value of something that matched ``NUMBER`` or ``COUNT``."""
    if text[0] in "0123456789":
        return int(text)
    total = 0
    for sign in text:
        if sign in "十廿":
            total = max(total, 1) * 10 if sign == "十" else 20
        else:
            total += _VALUES[sign]
    return total


def year_number(text: str) -> int:
    """2026 from "2026" or "二〇二六"."""
    return int("".join(sign if sign.isdigit() and sign.isascii() else str(_VALUES[sign]) for sign in text))


def weekday_number(sign: str) -> int:
    """Monday is 0, as in ``date.weekday()``; Sunday has three names."""
    return "一二三四五六日".index({"天": "日"}.get(sign, sign)) if not sign.isdigit() else int(sign) - 1


# ---------------------------------------------------------------------------------------------- parts of the day


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day: which spoken hours fit it, and what it means when no hour is said.

    ``hours`` are (first, last, add, sure): 下午 3 adds 12. Hours from 24 on belong to the next day.
    """

    default: str | None  # the field of SchoolHours
    until: time  # 周三上午前: the end of that part
    hours: tuple[tuple[int, int, int, bool], ...]


_DAWN = Part(None, time(6), ((0, 6, 0, True), (12, 12, -12, False)))
_MORNING = Part("morning", time(12), ((5, 12, 0, True),))
_NOON = Part("noon", time(13), ((11, 14, 0, True), (1, 2, 12, True)))
_AFTERNOON = Part("afternoon", time(18), ((1, 7, 12, True), (8, 9, 12, False), (12, 19, 0, True)))
_DUSK = Part(None, time(19), ((4, 8, 12, True), (16, 20, 0, True)))
_EVENING = Part("evening", time(23, 59), ((5, 11, 12, True), (17, 24, 0, True), (12, 12, 12, False), (0, 4, 24, False)))
# Nothing said: a school does not meet before dawn, and seven may be either end of the day.
UNSAID = Part(None, time(23, 59), ((1, 6, 12, False), (7, 7, 0, False), (0, 0, 0, True), (8, 24, 0, True)))

PARTS: dict[str, Part] = {
    "凌晨": _DAWN,
    **dict.fromkeys(("清晨", "清早", "早晨", "早上", "上午", "早", "晨"), _MORNING),
    **dict.fromkeys(("中午", "正午", "午间"), _NOON),
    **dict.fromkeys(("下午", "午后"), _AFTERNOON),
    "傍晚": _DUSK,
    **dict.fromkeys(("晚上", "晚间", "夜里", "夜间", "深夜", "晚"), _EVENING),
}
PART = "(?:" + "|".join(sorted(PARTS, key=len, reverse=True)) + ")"


SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class SchoolHours:
    """The hours a school lives by: what 下班前, 放学前 and 明早 mean here."""

    zone: ZoneInfo = SHANGHAI
    morning: time = time(8, 0)
    noon: time = time(12, 0)
    afternoon: time = time(14, 0)
    evening: time = time(19, 0)
    school_out: time = time(16, 30)
    off_work: time = time(17, 30)

    def usual(self, part: Part) -> time | None:
        """The hour meant by 明早 or 今晚; nothing for 凌晨, which nobody means without saying the hour."""
        usual: time | None = getattr(self, part.default) if part.default else None
        return usual

    def anchor(self, word: str) -> time:
        """下班 or 放学."""
        return self.off_work if word == "下班" else self.school_out


# ---------------------------------------------------------------------------------------------- not a time

# 两点建议: 点 counts arguments here, not hours. Only words no meeting begins with.
POINTS = "(?:建议|意见|要求|希望|不足|优点|缺点|亮点|体会|想法|启示|感受|看法|疑问|收获|心得|共识|原因|理由|感想|遗憾)"
_TITLES = "(?:老师|主任|校长|书记|组长|同学)"
_NAME = rf"[^\W0-9请各由让带的和与跟给找有班副总全老新男女{NUMERALS}]"
_TRAPS = re.compile(
    "|".join(
        (
            rf"(?<![晨早午间后晚里夜0-9{NUMERALS}]){NUMBER}点{POINTS}",
            r"(?<![今明昨天日])[早晚]一点(?![半零〇一二三四五六十整钟前])",
            r"一点(?:点|儿|一滴|也|都|不|小)|三点(?:一线|水)",
            # School weeks need the term, and the nth weekday of one month needs a rule of its own: not this week's.
            rf"(?<!每)第?{COUNT}{WEEK}的?{WEEK}{DAY_OF_WEEK}|第{COUNT}(?:{WEEK}|天|月|点)",
            rf"(?<!每月)(?<!每月的)(?<!每个月)(?<!每个月的)(?:第{COUNT}个?|最后一?个?){WEEK}{DAY_OF_WEEK}",
            rf"{WEEK}[{_ONES}](?:次(?!日)|遍|节课|课时)|{WEEK}[{_ONES}两]天(?![气黑亮])",  # 每周三次
            rf"{WEEK}{DAY_OF_WEEK}{_NAME}{_TITLES}(?!们)",  # 周一鸣老师
            rf"{COUNT}个?半?(?:天|周|星期|礼拜|小时|钟头|分钟|年)(?:之前|以前|前)|{COUNT}个月(?:之前|以前|前)",
            r"半个?(?:小时|天|月|年)(?:之前|以前|前)",
            rf"每一?年的?(?:{NUMBER}月(?:{NUMBER}[日号])?)?",  # no yearly rule yet: nothing is better than one day
            rf"差{NUMBER}分钟?到?{NUMBER}点",
            r"比[例分][^0-9]?[0-9]+:[0-9]+",
        )
    )
)
BLANK = "□"


def masked(text: str) -> str:
    """The plain text with everything that only looks like a time blotted out."""
    return _TRAPS.sub(lambda trap: BLANK * len(trap[0]), text)


# ---------------------------------------------------------------------------------------------- the scene

_GLUED_DIGIT = re.compile(r"(?:[0-9第几A-Za-z$¥]|[0-9][.:/-])$")
_GLUED_NUMERAL = re.compile(rf"[0-9{NUMERALS}第几]$")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is read, when it was said, and how far we have come."""

    text: str  # plain and masked
    now: datetime  # in the school's zone
    hours: SchoolHours
    base: date  # the day 周三 and 28号 are counted from; in 周一到周三 the first day
    floor: int = 0  # the end of the last reading
    topic: date | None = None  # the day spoken of: 周五开会，三点到

    def before(self, pos: int, width: int = 2) -> str:
        """The characters just before, as far as no earlier reading has used them."""
        return self.text[max(self.floor, pos - width) : pos]

    def glued(self, pos: int) -> bool:
        """Whether a number at ``pos`` is the tail of a longer one: 1.12.2, 第三, 二十|三."""
        sign = self.text[pos : pos + 1]
        if sign.isdigit():
            return bool(_GLUED_DIGIT.search(self.before(pos)))
        if sign in NUMERALS:
            return bool(_GLUED_NUMERAL.search(self.before(pos)))
        return sign in "周星礼" and self.before(pos, 1) != "" and self.before(pos, 1) in NUMERALS + "周第0123456789"

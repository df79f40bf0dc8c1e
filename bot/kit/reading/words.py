"""The vocabulary of time: plain text, numbers, the parts of a day.

Everything here keeps the length of the text, so a place in the plain text is the same place in what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

# ---------------------------------------------------------------------------------------------- plain text

_PLAIN = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width signs and digits
    | str.maketrans("\u3000\u00a0—–―−〜﹣￥：﹕∶", "  ----~-¥:::")
    | str.maketrans("後點號週禮兩個時鐘鍾這內從淩", "后点号周礼两个时钟钟这内从凌")
    | str.maketrans("學雙單間遲為於裡裏結晝幾節課從兒", "学双单间迟为于里里结昼几节课从儿")
)


def plain(text: str) -> str:
    """Half-width signs and simplified time words; one character for one character."""
    return text.translate(_PLAIN)


# ---------------------------------------------------------------------------------------------- numbers

ONES = "一二三四五六七八九"
NUMERALS = "零〇" + ONES + "两十廿百千万"
CHINESE = rf"(?:[{ONES}]?十[{ONES}]?|廿[{ONES}]?|[零〇][{ONES}]|[零〇两{ONES}])"
NUMBER = rf"(?:[0-9]{{1,2}}|{CHINESE})"  # 0-99: hours, minutes, months, days
COUNT = rf"(?:[0-9]{{1,3}}|{CHINESE})"  # how many days or minutes
WEEK = "(?:周|星期|礼拜)"
DAY_OF_WEEK = "[一二三四五六日天]"

_VALUES = {"零": 0, "〇": 0, "两": 2} | {sign: value for value, sign in enumerate(ONES, 1)}


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

    default: str | None  # the field of SchoolHours (``reading.hours``)
    until: time  # 周三上午前: the end of that part
    hours: tuple[tuple[int, int, int, bool], ...]


_DAWN = Part(None, time(6), ((0, 6, 0, True), (12, 12, -12, False)))
_MORNING = Part("morning", time(12), ((5, 12, 0, True),))
_NOON = Part("noon", time(13), ((11, 14, 0, True), (1, 2, 12, True)))
_AFTERNOON = Part("afternoon", time(18), ((1, 7, 12, True), (8, 9, 12, False), (12, 19, 0, True)))
_DUSK = Part(None, time(19), ((4, 8, 12, True), (16, 20, 0, True)))
_EVENING = Part("evening", time(23, 59), ((5, 11, 12, True), (17, 24, 0, True), (12, 12, 12, False), (0, 4, 24, False)))
_MIDNIGHT = Part(None, time(23, 59), ((11, 11, 12, False), (12, 12, 12, False), (0, 4, 24, False), (23, 24, 0, True)))
# Nothing said: a school does not meet before dawn, and seven may be either end of the day.
UNSAID = Part(None, time(23, 59), ((1, 6, 12, False), (7, 7, 0, False), (0, 0, 0, True), (8, 24, 0, True)))

PARTS: dict[str, Part] = {
    "凌晨": _DAWN,
    **dict.fromkeys(("清晨", "清早", "早晨", "早上", "上午", "早", "晨"), _MORNING),
    **dict.fromkeys(("中午", "正午", "午间"), _NOON),
    **dict.fromkeys(("下午", "午后"), _AFTERNOON),
    "傍晚": _DUSK,
    **dict.fromkeys(("半夜", "午夜"), _MIDNIGHT),
    **dict.fromkeys(("晚上", "晚间", "夜里", "夜间", "深夜", "晚"), _EVENING),
}
PART = "(?:" + "|".join(sorted(PARTS, key=len, reverse=True)) + ")"


BLANK = "□"  # what a trap leaves behind

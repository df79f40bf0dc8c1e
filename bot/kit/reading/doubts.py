"""What stands around a time may take it back: 原定周三改到周五, 周三还是周四, 平时下午三点, 周三除外."""

from __future__ import annotations

import re

from bot.kit.reading.stretch import COMMON
from bot.kit.reading.words import NUMBER, NUMERALS

# Where these stand, the reading is right as far as it goes, and somebody must look at it.
_BEFORE = re.compile(
    r"(?:平时|通常|往常|以往|大概|大约|可能|也许|估计|暂定|预计|初步定|争取|大约在|或者?|还是|如果|要是|假如|若|别|不要|除了?|非|不是|不在|取消了?|后)"
    r"(?:于|在|是)?\s*$"
)
# 周一上午9点或10点: the second hour was not read, so the first is not the whole of it.
_ANOTHER_HOUR = re.compile(r"\s*(?:[、/和及或]|或者)\s*(?:[上下中]午|晚上)?[0-9一二三四五六七八九十两]{1,3}[点时:]")
_EVERY = re.compile(r"每(?![位人个名班组科年所])[^,。;\s]{0,5}$")  # a rule that was not understood as one
_AFTER = re.compile(
    r"\s*[-~]\s*[0-9]|\s*(?:吗|么(?!的)|呢|吧|嘛|\?|还是|或者?|上下|除外|以外|之外|再说|再定|待定|另行|未定|可以吗|行吗|行不行|好吗|怎么样|如何)"
)
_NOT = re.compile(
    r"\s*(?:不(?![少得超早晚迟准许要限])|没|停(?![车止电水]))|[^,。;]{0,12}(?:取消|不开了|停开|暂停|作废|不用来|不去了|对调|调换"
    r"|改(?![革进善造编写])|推迟|(?<!请)提前(?![0-9一二三四五六七八九十两半]+分)|延期|顺延|延后|调整)"
)
_COUNTED_FROM = re.compile(r"(?:[后起]|之日|以来|(?<!上)内|之前|起的?)\s*$")
_FROM_NOW = re.compile(r"(?:从?(?:现在|即刻|此刻)起?|今后|往后|从现在开始)\s*$")
_RATHER = re.compile(
    r"[^0-9,。;]{0,8}?(?:改|调|推迟|提前|延后|延期|顺延|挪|变更|推)(?:整|期|动|换)?(?:为|到|至|成|在|于)?\s*\(?\s*$"
)
_CORRECTED = re.compile(
    r"[,。;.\s(]*(?:哦|噢|啊|呃|额)*\s*(?:不对|不是|错了|说错了?|写错了?|更正|改成|改为|应为|应该?是|而是|哦不|不,)"
)
_TOGETHER = re.compile(r"\s*(?:[、/,&+]|和|及|与|以及|跟|或者?|还是|,?或是)?\s*$")
_LIMITED = re.compile(r"(?:起|开始|始|期间|间|内|外|末|期|到|至|号|日|月|前|周[一二三四五六日天]|[0-9])[的,]?\s*$")
_LIMITS = re.compile(
    r"[^。;]{0,10}?(?:[日号月周天]起(?![床立草来])|为止|截止|截至|除外|例外|停止|结束|[到至].{1,5}[底月日号周末止]"
    r"|连续|共[0-9一二三四五六七八九十]+[次周])"
)
# 周三第七节: the day is right, the hour is the timetable's and was not set.
_SCHOOL_HOUR = re.compile(
    rf"\s*[的,]?\s*(?:[上中下]午|晚上)?(?:第?{NUMBER}[、,到至~-]?{NUMBER}?节(?!课时|目|日)"
    rf"|{COMMON}|课[后间前]|会[后前]|饭[后前]|[早中晚午]饭|周会|例会时间|凌晨|午夜|半夜|一?大?早(?!会)"
    rf"|起(?!床|草|来|立|点)|开始(?!上)|的?前[一两{NUMERALS}]天)"
)


def doubted(before: str, after: str, deadline: bool) -> bool:
    """Whether the words on either side make a reading less than certain."""
    shaken = _BEFORE.search(before) or _EVERY.search(before) or _AFTER.match(after) or _ANOTHER_HOUR.match(after)
    return bool(shaken or (not deadline and _NOT.match(after)))


def counted_from_elsewhere(before: str) -> bool:
    """会后三天内, 12月5日起三天内: not counted from now."""
    return bool(_COUNTED_FROM.search(before)) and not _FROM_NOW.search(before)


def limited(before: str, after: str) -> bool:
    """9月起每月10号, 考试期间每天8点: the rule has a beginning or an end that we do not keep."""
    return bool(_LIMITED.search(before) or _LIMITS.match(after))


def one_sentence(between: str) -> bool:
    return re.search("[。;!?\n]", between) is None


def taken_back(between: str) -> bool:
    """周三下午改到|周五: the second time stands in the place of the first."""
    return bool(_RATHER.fullmatch(between) or (len(between) < 16 and _CORRECTED.match(between)))


def together(between: str) -> bool:
    """周三和周四下午三点: neither of the two is the whole of it."""
    return bool(_TOGETHER.fullmatch(between))


def hour_unset(after: str) -> bool:
    """周三第七节, where the settings have no timetable."""
    return bool(_SCHOOL_HOUR.match(after))

"""Hours and minutes: 下午三点半, 15:00, 三点二十. First what was said, then what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.kit.errors import NotUnderstood
from bot.kit.reading.scene import Scene
from bot.kit.reading.words import BLANK, NUMBER, NUMERALS, PART, PARTS, UNSAID, Part, number
from bot.kit.words import _

DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour as it was said. ``minutes()`` gives it a place in the day."""

    part: str  # "" when nothing was said
    hour: int
    minute: int
    exact: bool  # 15:00 and 03:00 leave nothing open
    end: int
    sure: bool = True  # False: 三点左右

    def minutes(self) -> tuple[int, bool]:
        """Minutes from midnight (from 24:00 on: the next day), and whether nothing was assumed."""
        found = self.within(PARTS[self.part] if self.part else UNSAID)
        if found is None:
            raise NotUnderstood(_("{part}没有{hour}点，请写明钟点，例如 下午3点", part=self.part, hour=self.hour))
        return found

    def within(self, part: Part) -> tuple[int, bool] | None:
        """The same, read as an hour of ``part``; None where that part has no such hour."""
        if self.exact and part is UNSAID:
            return self.hour * 60 + self.minute, self.sure
        for first, last, add, sure in part.hours:
            if first <= self.hour <= last:
                return (self.hour + add) * 60 + self.minute, sure and self.sure
        return None


_PART = re.compile(rf"(?P<part>{PART})?\s*")
_HALF = r"(?P<half>[aApP]\.?[mM]\b\.?)"
_FIGURES = re.compile(rf"(?P<hour>[0-9]{{1,2}}):(?P<minute>[0-9]{{2}})(?::[0-5][0-9])?(?![0-9:])\s*{_HALF}?")
_DOTTED = re.compile(r"(?P<hour>[0-9]{1,2})\.(?P<minute>[0-5][0-9])(?![0-9.%元分万人个课公千米:年月日号-])")  # 下午2.30
_HALF_DAY = re.compile(rf"(?P<hour>[0-9]{{1,2}})\s*{_HALF}")
# 三点二十人: the people, not the minutes
_UNIT = rf"[人名个条位份楼班年级次组层届元块号室栋教月场家多余来%0-9{NUMERALS}{BLANK}]"
_BARE = "(?P<bare>[0-9]{2}|[二三四五]?十[一二三四五六七八九]?|[零〇][一二三四五六七八九])"
_MINUTES = rf"(?P<minute>{NUMBER})分(?!钟|之[0-9一二三四五六七八九十几])|{_BARE}(?!{_UNIT}|分)"
_TAIL = rf"(?:\s*(?P<tail>钟|整|半|[一三1-3]刻钟?|[过零]{NUMBER}分|{_MINUTES}))?"
_TO_GO = rf"(?:{NUMBER}分钟?|[一三]刻钟?)"
_BEFORE_HOUR = re.compile(
    rf"差(?P<less>{_TO_GO})钟?(?:到|就)?(?P<hour>{NUMBER})点(?!{NUMBER}|半)|(?P<after>{NUMBER})点差(?P<short>{_TO_GO})"
)
_BROKEN = re.compile(rf"[0-9{NUMERALS}](?!{_UNIT}|[日、.])|[0-9{NUMERALS}]{{1,3}}分钟|一十[{NUMERALS}]?(?!{_UNIT})")
_SPOKEN = re.compile(rf"(?P<hour>{NUMBER})\s*(?P<sign>[点时])(?![段候间代期刻]){_TAIL}")
_ABOUT = re.compile(r"左右|前后|来钟|多钟|出头|开外|许(?!.?老师|.?主任)|多(?!媒|功)")
# With neither a day nor a part of the day, 三点 is an hour only where nothing else could follow or go before.
_AFTER_BARE = re.compile(
    r"\s*(?:$|[\s,。;!?)~]|-|开|在|集合|准时|交|截|出发|前|之前|以前|到|至|提醒|考试|上课|放学|上班|下班|到校|到岗|进班|见|左右)"
)
_BEFORE_BARE = re.compile(r"(?:^|[\s,。;!?()在于从至定改到~-]|截止:?|时间:)$")
_COUNTING = re.compile(r".{0,3}(?:第一|一是|首先|一、|1[.、])")  # 三点，一是……


def clock(scene: Scene, pos: int, anchored: bool) -> Clock | None:
    """The hour at ``pos``. ``anchored``: a day or the beginning of a range stands before it."""
    lead = _PART.match(scene.text, pos)
    part, start = (lead["part"] or "", lead.end()) if lead else ("", pos)
    found = (
        _figures(scene, start, part, anchored)
        or _less(scene, start, part)
        or _spoken(scene, start, part, anchored)
        or _dotted(scene, start, part, anchored)
    )
    if found is None:
        return None
    about = _ABOUT.match(scene.text, found.end)
    return Clock(found.part, found.hour, found.minute, found.exact, about.end(), False) if about else found


def _figures(scene: Scene, pos: int, part: str, anchored: bool) -> Clock | None:
    match = _FIGURES.match(scene.text, pos) or _HALF_DAY.match(scene.text, pos)
    if match is None:
        return None
    hour, minute = int(match["hour"]), int(match.groupdict().get("minute") or 0)
    if not _possible(hour, minute):
        if anchored or part or _CLEARLY.match(match[0]):
            raise _impossible(match[0])
        return None  # 30:70 may be anything
    if match["half"] and not part:
        part, hour = _of_half(match["half"], hour)
    return Clock(part, hour, minute, match["hour"].startswith("0") or hour > 12, match.end())


_CLEARLY = re.compile(r"2[4-9]:[0-5][0-9]$|(?:1[0-9]|2[0-3]):[6-9][0-9]$")  # 25:00, 18:70


def _of_half(half: str, hour: int) -> tuple[str, int]:
    """3:00pm; 12 am is midnight."""
    if half[0] in "aA":
        return ("凌晨", 0) if hour == 12 else ("凌晨" if hour < 5 else "上午", hour)
    return ("中午", 12) if hour == 12 else ("下午" if hour < 6 else "晚上", hour)


def _dotted(scene: Scene, pos: int, part: str, anchored: bool) -> Clock | None:
    """明天下午2.30: how many write 14:30, but never certainly so."""
    match = _DOTTED.match(scene.text, pos) if part or anchored else None
    if match is None or not _possible(int(match["hour"]), int(match["minute"])):
        return None
    hour = int(match["hour"])
    return Clock(part, hour, int(match["minute"]), hour > 12, match.end(), sure=False)


def _less(scene: Scene, pos: int, part: str) -> Clock | None:
    """差五分三点, 三点差一刻."""
    match = _BEFORE_HOUR.match(scene.text, pos)
    if match is None:
        return None
    hour, less = number(match["hour"] or match["after"]), match["less"] or match["short"]
    minutes = 15 * number(less[0]) if "刻" in less else number(less.rstrip("分钟"))
    if not 1 <= hour <= 24 or not 1 <= minutes < 60:
        raise _impossible(match[0])
    return Clock(part, hour - 1, 60 - minutes, hour > 13, match.end())


def _spoken(scene: Scene, pos: int, part: str, anchored: bool) -> Clock | None:
    match = _SPOKEN.match(scene.text, pos)
    if match is None or not (part or anchored or _stands_alone(scene, match)):
        return None
    hour, minute = number(match["hour"]), _minute_of(match)
    if not _possible(hour, minute):
        raise _impossible(match[0])
    broken = not match["tail"] and _BROKEN.match(scene.text, match.end())  # 8点5: five past, or fifty?
    return Clock(part, hour, minute, hour > 12, match.end(), sure=not broken)


def _minute_of(match: re.Match[str]) -> int:
    tail = match["tail"] or ""
    fixed = {"半": 30, "一刻": 15, "1刻": 15, "2刻": 30, "三刻": 45, "3刻": 45}.get(tail.removesuffix("钟"))
    if fixed is not None:
        return fixed
    if tail[:1] in ("过", "零") and tail.endswith("分"):
        return number(tail[1:-1])
    said = match["minute"] or match["bare"]
    return number(said) if said else 0


def _stands_alone(scene: Scene, match: re.Match[str]) -> bool:
    if match["tail"] and (match["sign"] == "点" or match["minute"]):
        return True
    if match["sign"] == "时" and not match["hour"].isdigit():
        return False  # 一时
    after = _AFTER_BARE.match(scene.text, match.end())
    before = _BEFORE_BARE.search(scene.before(match.start(), 4))
    return bool(after and before) and not _COUNTING.match(scene.text, match.end())


def _possible(hour: int, minute: int) -> bool:
    return minute < 60 and hour * 60 + minute <= DAY_MINUTES


def _impossible(said: str) -> NotUnderstood:
    return NotUnderstood(_("没有 {said} 这个时间，请再写一次，例如 下午3点", said=said.strip()))

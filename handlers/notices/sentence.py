"""One sentence into a notice: 周五下午三点半 三楼会议室 教学例会，周四前回复 -> time, place, topic, deadline. Pure.

``when`` finds the times and where they stand; a place is labelled 地点 or ends like a room; the rest is the topic.
Nothing here is final: whatever was read is shown to the office before anybody else sees it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from bot.kit import when
from bot.kit.context import School
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.when import Kind, Reading
from bot.kit.words import _

TOPIC, PLACE, BRING = 120, 60, 60  # characters
HOLE = "\0"  # where a time stood


@dataclass(frozen=True, slots=True)
class Slot:
    """When a meeting is; ``sure`` is false where something of it was assumed."""

    starts: datetime
    ends: datetime | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Gleaned:
    """What the sentence says; ``day`` without its hour; ``trouble``: why a time in it was not taken."""

    topic: str = ""
    place: str = ""
    slot: Slot | None = None
    day: date | None = None
    part: str = ""  # 下午, said without an hour
    deadline: datetime | None = None
    circles: Sequence[str] = ()  # as they were typed
    bring: str = ""
    loud: bool = False  # @所有人
    trouble: str = ""


def glean(text: str, now: datetime, school: School) -> Gleaned:
    """Everything that is certain enough to be shown. ``Refused`` for a date that cannot be, and for 每周五."""
    text = tidy(text, keep_lines=True)
    times = _times(text, now, school)
    replies = [one for one in times if _asks_reply(text, one)]
    ours = [one for one in times if one not in replies]
    main = next((one for one in ours if slot_of(one) and not part_alone(text, one)), None)
    day = next((one for one in ours if one.kind is Kind.DAY or part_alone(text, one)), None) if not main else None
    used = [one for one in (main or day, replies[0] if replies else None) if one]
    found = Gleaned(slot=slot_of(main) if main else None)
    if day:
        found = replace(found, day=_date(day), part=part_alone(text, day))
    found = _still_ahead(replace(found, deadline=replies[0].latest if replies else None), now, school)
    holed, found = _asides(_with_holes(text, used), found)
    place, rest = _place(holed)
    topic = _topic(rest)
    if len(topic) > TOPIC:
        return replace(found, place=place, trouble=_("主题有 {n} 字，请写短一点。", n=len(topic)))
    return replace(found, place=place, topic=topic)


def _asides(text: str, found: Gleaned) -> tuple[str, Gleaned]:
    """What stands beside topic, time and place: who comes, what to bring, @所有人; and the text without it."""
    text, loud = _LOUD.subn(" ", text)
    brought = _BRING.search(text)
    if brought and len(brought["bring"]) <= BRING:
        text = f"{text[: brought.start()]} {HOLE} {text[brought.end() :]}"
    asked = next((one for one in _WHO.finditer(text) if _circles_in(one["who"] or one["who2"])), None)
    if asked:
        text = f"{text[: asked.start()]} {HOLE} {text[asked.end() :]}"
    words = split_circles(asked["who"] or asked["who2"]) if asked else ()
    return text, replace(found, loud=bool(loud), bring=brought["bring"].strip() if brought else "", circles=words)


def split_circles(text: str) -> Sequence[str]:
    """数学组和语文组、英语组 -> each by its name."""
    return [word for word in re.split(r"[\s、,，和与及跟;；]+|以及", text.strip()) if word]


def _circles_in(text: str) -> bool:
    """Are these all called like departments, or like everybody?"""
    words = split_circles(text)
    return bool(words) and all(_CIRCLE.fullmatch(word) for word in words)


def slot_of(reading: Reading) -> Slot | None:
    """The meeting's time, where the reading has an hour and is one meeting long."""
    start, end = reading.start, reading.end
    if reading.kind is Kind.POINT and start:
        return Slot(_minute(start), None, reading.sure)
    if reading.kind is Kind.RANGE and start and end and start.date() == end.date() and start.time() != time(0):
        return Slot(_minute(start), _minute(end), reading.sure)
    return None


def part_alone(text: str, reading: Reading) -> str:
    """下周三下午 has no hour, only a part of the day: that part, or nothing."""
    found = _PART.search(text[reading.span[0] : reading.span[1]]) if reading.kind is Kind.POINT else None
    return found[0] if found and not reading.sure else ""


def on_day(day: date, text: str, now: datetime, school: School, part: str = "") -> Slot | None:
    """三点半, asked for a day (and its part) that is known; a text that names a day of its own is taken at its word."""
    prefix = f"{day.year}年{day.month}月{day.day}日{'' if _SAYS_PART.search(text) else part}"
    try:
        found = school.read_time(prefix + text, now)
    except NotUnderstood:  # 周四下午三点: a day of its own, which is not that one
        found = None
    if found is None or found.span[1] <= len(prefix):
        found = school.read_time(text, now)
    return slot_of(found) if found else None


def is_time(text: str, now: datetime, school: School) -> bool:
    """三点半, 周五下午: an hour, and not a word more."""
    try:
        found = school.read_time(text, now)
    except NotUnderstood:
        return False
    return found is not None and found.span == (0, len(text)) and slot_of(found) is not None


def tidy(text: str, *, keep_lines: bool = False) -> str:
    """NFKC without control and direction marks, which have no place in a title that everybody reads; a family of emoji
    stays together."""
    kept = "\u200d\n" if keep_lines else "\u200d"
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(c if c in kept or unicodedata.category(c) not in ("Cc", "Cf", "Zl", "Zp") else " " for c in plain)
    return "\n".join(" ".join(line.split()) for line in plain.split("\n"))


# --- times ----------------------------------------------------------------------------------------------------


def _times(text: str, now: datetime, school: School) -> Sequence[Reading]:
    try:
        times = when.find(text, now, school.hours)
    except NotUnderstood as error:
        raise Refused(_("{why}（改好后请整句再发一次）", why=error.sentence)) from error
    if times and all(one.kind is Kind.RECURRENCE for one in times):
        raise Refused(_("会议通知一次发一场，请写这一次的日期；每周都要的请用学习提醒。"))
    return times


def _asks_reply(text: str, reading: Reading) -> bool:
    """周四前回复, 回复截止周四: until when answers count."""
    if reading.kind not in (Kind.DEADLINE, Kind.DAY, Kind.POINT):
        return False
    before, after = text[: reading.span[0]], text[reading.span[1] :]
    if reading.kind is Kind.DEADLINE and _REPLY_AFTER.match(after):
        return True
    return bool(_REPLY_BEFORE.search(before))


def _still_ahead(found: Gleaned, now: datetime, school: School) -> Gleaned:
    if found.slot and found.slot.starts <= now:
        at = school.write_time(found.slot.starts, now)
        return replace(found, slot=None, trouble=_("{at} 已经过去了，请换一个时间。", at=at))
    if found.deadline and found.deadline <= now:
        at = school.write_time(found.deadline, now)
        return replace(found, deadline=None, trouble=_("回复截止 {at} 已经过去了，先不设截止。", at=at))
    if found.deadline and found.slot and found.deadline >= found.slot.starts:
        return replace(found, deadline=None)
    return found


def _with_holes(text: str, used: Sequence[Reading]) -> str:
    for one in sorted(used, key=lambda reading: reading.span, reverse=True):
        before, after = text[: one.span[0]], text[one.span[1] :]
        if _asks_reply(text, one):
            before, after = _REPLY_BEFORE.sub("", before), _REPLY_AFTER.sub("", after)
        text = f"{_LABEL_TIME.sub('', before)}{HOLE}{after}"
    return text


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _date(reading: Reading) -> date | None:
    return reading.start.date() if reading.start else None


_PART = re.compile(r"(?:早上|早晨|清早|上午|中午|下午|傍晚|晚上|夜里)$")
_SAYS_PART = re.compile(r"早|晨|午|傍晚|晚|夜|[:：]|1[3-9]|2[0-3]")
_REPLY = r"(?:回复|回执|答复|反馈|报名)"
_REPLY_AFTER = re.compile(rf"\s*(?:请|务必|都)*(?:{_REPLY}|报给|告诉|告知)(?:办公室|我|一下|是否参加)?")
_REPLY_BEFORE = re.compile(
    rf"(?:请|务必)?(?:于|在)?{_REPLY}(?:截止|时间|日期|期限|到)*\s*[:是为]?\s*$|(?:请|务必)(?:于|在)?\s*$"
)
_LABEL_TIME = re.compile(r"(?:会议|开会)?时间\s*[:是为]?\s*$")

# --- place ----------------------------------------------------------------------------------------------------

_STOP = rf"\s,。;{HOLE}"
_ROOM = (
    rf"[^{_STOP}]{{0,14}}?(?:室|厅|楼|场|馆|堂)(?:[0-9]{{1,4}}|[a-zA-Z]座)?(?:\([^)]{{1,6}}\))?"
    r"(?<!现场)(?<!市场)(?<!立场)(?<!专场)(?<!课堂)(?<!开场)"
)
_HALL = (
    rf"[^{_STOP}]{{0,10}}?(?:会议室|报告厅|多功能厅|阶梯教室|录播教室|录播室|教室|办公室|活动室|接待室|阅览室|实验室"
    r"|图书馆|体育馆|礼堂|食堂|操场|大厅|演播厅)"
)
_ONLINE = r"(?:线上(?:会议)?|腾讯会议|钉钉(?:会议)?|企业微信(?:会议)?|飞书(?:会议)?|zoom(?:会议)?)"
_NUMBER = r"(?:\s*(?:会议号|房间号|号|id)?\s*:?\s*#?[0-9][0-9 \-]{5,}[0-9])?"
_HELD = r"(?:召开|举行|举办|集合|集中|参加|开(?!学|题|放|幕|班|课|展|发|始|门))"
_PLACES = (
    re.compile(rf"(?:会议|开会)?地点\s*[:是为在]+\s*(?P<place>[^{_STOP}]{{1,60}})"),
    re.compile(rf"(?:^|[{_STOP}]|[在到于])(?P<place>{_ONLINE}{_NUMBER})(?=[{_STOP}]|$|{_HELD})", re.IGNORECASE),
    re.compile(rf"[在到](?P<place>{_ROOM})(?=[{_STOP}]|$|{_HELD})"),
    re.compile(rf"(?:^|[{_STOP}])[在到于]?(?P<place>{_ROOM})(?=[{_STOP}]|$|{_HELD})"),
    re.compile(rf"{HOLE}[在到于]?(?P<place>{_HALL})(?!主任|人员|工作|建设|文化|管理|卫生|安全|使用|长|搬|改造)"),
)


def _place(text: str) -> tuple[str, str]:
    """The place and the text without it."""
    for pattern in _PLACES:
        found = pattern.search(text)
        if found and len(found["place"]) <= PLACE:
            end = found.end("place")
            return found["place"].strip(), f"{text[: found.start()]} {HOLE} {text[end:]}"
    return "", text


# --- who, and what to bring ------------------------------------------------------------------------------------

_LOUD = re.compile(r"@(?:所有人|全体成员|全体人员|all)", re.IGNORECASE)
_THINGS = r"(?=听课|笔|电脑|本子|教材|教案|课本|书|U盘|证件|水杯|材料|手册|计划|总结)"
_BRING = re.compile(
    rf"(?:^|[\s,，。;；{HOLE}])(?:请|务必|记得|大家|各位|老师|需|要|并)*"
    rf"(?:带上|带好|携带|自带|备好|记得带|请带|带齐|带{_THINGS})(?:各自|自己)?(?:的)?(?P<bring>[^\s,，。;；{HOLE}]{{1,60}})"
)
_CIRCLE = re.compile(
    r"全体.{0,6}|所有(?:老师|教师)|全校.{0,4}|大家|全员|[\u4e00-\u9fff]{0,6}(?:组|部|处|室|科|级部|年级)(?:全体)?(?:老师|教师)?"
    r"|(?:预备)?党员|.{0,4}班主任|.{0,4}(?:组长|主任|干部|中层|行政人员|代表)|(?:语文|数学|英语|物理|化学|生物|历史|地理|政治|音乐|体育|美术|科学)(?:老师|教师)"
)
_WHO = re.compile(
    rf"(?:^|[\s,，。;；{HOLE}])(?:请|由|要求)?(?P<who>[^,，。;；\n{HOLE}]{{2,30}}?)(?:的?老师)?(?:都|准时|按时|务必)*(?:参加|参会|出席|到会)(?:会议)?(?=[\s,，。;；{HOLE}]|$)"
    rf"|(?:参会|参加)?(?:对象|人员|范围)\s*[:是为]\s*(?P<who2>[^,，。;；\n{HOLE}]{{2,30}})"
)

# --- topic ----------------------------------------------------------------------------------------------------

_LABEL_TOPIC = re.compile(r"(?:会议)?(?:主题|议题|内容|名称)\s*[:是]\s*(?P<topic>[^\n]+)")
_HELD_FIRST = re.compile(r"^(?:召开|举行|举办|开(?!学|题|放|幕|班|课|展|发|始|门)(?=\S{1,12}会))")
_EDGE = " ,，。;:、-—\n"
_GREETING = re.compile(r"^(?:各位|全体)(?:老师|同事|同志|教师|教职工)[:,，]\s*")
_TAIL = re.compile(
    r"(?:兹?定于|拟于|在|于)$|请?(?:大家|各位)?(?:准时|按时)(?:参加|出席|到会|参会)$|请(?:于|在|大家)?$|务必$"
)


def _topic(rest: str) -> str:
    labelled = _LABEL_TOPIC.search(rest)
    text = (labelled["topic"] if labelled else rest).replace(HOLE, "\n")
    parts = [_bare(part) for part in text.split("\n")]
    topic = "，".join(part for part in parts if part)
    return re.sub(r"(?<=[\u4e00-\u9fff])\s*,\s*(?=[\u4e00-\u9fff])", "，", topic)


def _bare(part: str) -> str:
    """Without 各位老师, 定于, 召开, 请准时参加: what is said around a topic."""
    part = _GREETING.sub("", part.strip(_EDGE))
    part = _TAIL.sub("", part.strip(_EDGE)).strip(_EDGE)
    return _HELD_FIRST.sub("", part).strip(_EDGE)

"""When a plan comes, what is missed and what is late, and what people say about it. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from bot.kit import when
from bot.kit.context import School
from bot.kit.errors import Refused
from bot.kit.when import Beyond, Monthly
from bot.kit.words import _
from storage import study
from storage.study import Item, Plan

LATE_HOURS = 12  # missed while we were down: still sent within these, marked 补发; after them skipped and reported
ON_TIME = timedelta(minutes=10)
AGAIN_AFTER = timedelta(days=1)
TOO_CLOSE = timedelta(hours=12)  # before the next occurrence: no second reminder of this one
LATELY = timedelta(days=14)
YEARLY_HOURS = 32  # 党员教育管理工作条例


# --- when -----------------------------------------------------------------------------------------------------


def next_of(plan: Plan, after: datetime, school: School) -> datetime | None:
    """The next time a plan is due; ``None``: never again."""
    if plan.rule is None:
        return plan.at if plan.at is not None and plan.at > after else None
    try:
        return when.next_after(when.unpack_rule(plan.rule), after, school.zone, school.calendar.is_work)
    except LookupError:
        return None


def coming(plan: Plan, after: datetime, school: School, most: int = 3) -> Sequence[datetime]:
    """The next few times."""
    found: list[datetime] = []
    at = next_of(plan, after, school)
    while at is not None and len(found) < most:
        found.append(at)
        at = next_of(plan, at, school) if plan.rule else None
    return found


@dataclass(frozen=True, slots=True)
class Round:
    """What an appointment means when it is kept, perhaps long after its time."""

    missed: Sequence[datetime]
    run: datetime | None
    late: bool
    next: datetime | None


def walk(plan: Plan, due: datetime, now: datetime, school: School) -> Round:
    """Every time from ``due`` on: too old is missed, the first that is not is run, and the one after it is next."""
    limit = timedelta(hours=plan.late_hours)
    missed: list[datetime] = []
    at: datetime | None = due
    while at is not None and now - at > limit:
        missed.append(at)
        at = next_of(plan, at, school) if plan.rule else None
    if at is None or at > now:
        return Round(missed, None, False, at)
    return Round(missed, at, now - at > ON_TIME, next_of(plan, at, school) if plan.rule else None)


def words(plan: Plan, school: School, now: datetime) -> str:
    """每周三 15:00, or 12月3日 周四 16:00."""
    if plan.rule is not None:
        return when.describe(when.unpack_rule(plan.rule))
    return school.write_time(plan.at, now) if plan.at is not None else ""


def late_day(plan: Plan) -> Monthly | None:
    """The rule, where some months lack its day and there are two ways to go on."""
    rule = when.unpack_rule(plan.rule) if plan.rule else None
    return rule if isinstance(rule, Monthly) and rule.day > 28 else None


def other_way(rule: Monthly) -> str:
    beyond = Beyond.SKIP if rule.beyond is Beyond.CLAMP else Beyond.CLAMP
    return when.pack_rule(replace(rule, beyond=beyond))


def second_time(due: datetime, following: datetime | None, school: School) -> datetime | None:
    """When the silent are asked once more: the next working day, unless the next occurrence comes soon anyway."""
    local = (due + AGAIN_AFTER).astimezone(school.zone)
    day = school.calendar.on_or_after(local.date())
    at = when.instant(day, local.time(), school.zone)
    return None if following is not None and following - at < TOO_CLOSE else at


# --- what people say ------------------------------------------------------------------------------------------

_DONE = r"已学(?:习|完|过)?(?:了)?|学完了?|学过了|学习完(?:毕|了)|学习已完成|我学了"
_LEARNED = re.compile(rf"(?:{_DONE})(?:[\s，,。.!！~：:、;；]+(?P<note>.*))?", re.DOTALL)
_NOTE = re.compile(r"(?:学习)?(?:心得|体会|感想|收获)(?:体会)?\s*[:：]\s*(?P<note>.+)", re.DOTALL)
MOST_NOTE = 500


def learned(text: str) -> str | None:
    """已学 -> "", 已学，心得：很有收获 -> 很有收获; ``None``: that is not what was said."""
    plain = text.strip()
    found = _LEARNED.fullmatch(plain) or _NOTE.fullmatch(plain)
    if found is None or plain.endswith(("吗", "?", "？", "没有")):
        return None
    note = (found["note"] or "").strip()
    inner = _NOTE.fullmatch(note)
    return (inner["note"] if inner else note)[:MOST_NOTE].strip()


class Wait(Enum):
    """How long 稍后 is."""

    TWO_HOURS = "2h"
    ONE_HOUR = "1h"
    MORNING = "am"


_LATER = {
    Wait.TWO_HOURS: ("稍后", "稍后提醒", "等会儿", "等一会儿", "过会儿", "2小时后", "两小时后"),
    Wait.ONE_HOUR: ("1小时后", "一小时后"),
    Wait.MORNING: ("明早", "明天", "明天再提醒", "明天再说", "明天提醒"),
}
_HALT = ("停", "停止", "别再提醒", "不要再提醒", "不要提醒了", "停止提醒我")


def wait_in(text: str) -> Wait | None:
    plain = unicodedata.normalize("NFKC", text).strip(" 。.!~")
    return next((wait for wait, said in _LATER.items() if plain in said), None)


def halts(text: str) -> bool | None:
    return True if text.strip(" 。.!！") in _HALT else None


def again_at(wait: Wait, now: datetime, school: School) -> datetime:
    """When 稍后 is, outside the quiet hours."""
    if wait is Wait.MORNING:
        tomorrow = when.local_date(now, school.zone) + timedelta(days=1)
        return school.quiet.next_allowed(when.instant(tomorrow, school.hours.morning, school.zone), school.zone)
    hours = 2 if wait is Wait.TWO_HOURS else 1
    return school.quiet.next_allowed(now + timedelta(hours=hours), school.zone)


# --- hours ----------------------------------------------------------------------------------------------------

_HOURS = re.compile(r"[（(,，\s]*(?:计|共|算)?\s*(?P<n>[0-9]{1,2}(?:\.[0-9])?|[一二两三四五六七八半])\s*个?学时[)）]?")
_NUMERALS = {"半": 5, "两": 20} | {sign: value * 10 for value, sign in enumerate("一二三四五六七八", 1)}
USUAL_TENTHS = 10


def hours_in(text: str) -> tuple[int, str] | None:
    """2学时 -> 20 tenths, and the text without it."""
    found = _HOURS.search(text)
    if found is None:
        return None
    tenths = _NUMERALS.get(found["n"]) or round(float(found["n"]) * 10)
    return tenths, f"{text[: found.start()]} {text[found.end() :]}".strip()


def hours(tenths: int) -> str:
    """15 -> 1.5."""
    return f"{tenths / 10:g}"


# --- what may be ----------------------------------------------------------------------------------------------


def check_mine(item: Item | None, person: int) -> Item:
    if item is None or item.mark.person != person:
        raise Refused(_("这条学习提醒不是发给您的，请点自己收到的那一条。"))
    return item


def check_to_come(plan: Plan, now: datetime, school: School) -> datetime:
    at = next_of(plan, now, school)
    if at is None:
        raise Refused(_("这个时间已经过去了。请重新发“学习提醒 时间 内容”。"))
    return at


def check_waits(item: Item, asked: int, most: int) -> None:
    """A reminder put off is a reminder all the same."""
    if item.mark.state == study.LEARNED:
        raise Refused(_("已经记了“已学”，不会再提醒。"))
    if asked >= most:
        raise Refused(_("这一次已经提醒过 {n} 回，不再提醒了。学完回复“已学”就行。", n=asked))


def titled(plans: Sequence[Plan], typed: str) -> Sequence[Plan]:
    """The plans whose title holds what was typed; a whole title wins."""
    wanted = typed.strip(' 《》“”"。')
    whole = [plan for plan in plans if plan.title == wanted]
    return whole or [plan for plan in plans if wanted in plan.title]


def labels(plans: Sequence[Plan]) -> Iterator[str]:
    """What a button says of each: the title, with the number where two are the same."""
    for plan in plans:
        same = sum(other.title[:30] == plan.title[:30] for other in plans) > 1
        yield f"{plan.title[:30]} #{plan.id}" if same else plan.title[:30]

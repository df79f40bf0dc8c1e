"""What must be known of a plan, and the small questions in between."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.kit import when
from bot.kit.context import Context
from bot.kit.errors import NotUnderstood
from bot.kit.form import Form, ask, line
from bot.kit.when import Beyond, Kind, Monthly, Reading
from bot.kit.words import N_, _
from handlers.study import rules
from storage import study


@dataclass(frozen=True, slots=True)
class Timing:
    """Once, at ``at``; or again and again by ``rule`` (packed)."""

    at: datetime | None = None
    rule: str | None = None


_SKIP = re.compile(
    r"[，,（(\s]*(?:如果|若)?没有\s*[0-9]*\s*[号日]?的?(?:那个?)?(?:月份?)?[^，,。]{0,3}?(?:跳过|不提醒)[)）]?"
)


def timing(ctx: Context, text: str) -> Timing:
    found = timing_in(ctx, text)
    if found is None:
        raise NotUnderstood(_("没看懂时间，要写清几点。例：每周三下午三点，12月3日下午4点，每月31号上午9点。"))
    return found[0]


def timing_in(ctx: Context, text: str) -> tuple[Timing, str] | None:
    """When, and the text without it; ``None`` where no hour is said."""
    skip = _SKIP.search(text)
    plain = _SKIP.sub("", text)
    reading = ctx.school.read_time(plain, ctx.now)
    if reading is None:
        return None
    rest = plain[: reading.span[0]] + " " + plain[reading.span[1] :]
    if reading.rule is not None:
        return Timing(rule=_packed(reading, skip is not None)), rest
    if reading.start is None or not _has_hour(reading):
        return None
    if reading.start <= ctx.now:
        raise NotUnderstood(_("{time} 已经过去了，请写一个以后的时间。", time=reading.words))
    return Timing(at=reading.start), rest


def _packed(reading: Reading, skip: bool) -> str:
    rule = reading.rule
    assert rule is not None  # noqa: S101 the caller has looked
    if skip and isinstance(rule, Monthly):
        rule = replace(rule, beyond=Beyond.SKIP)
    return when.pack_rule(rule)


def _has_hour(reading: Reading) -> bool:
    at = reading.start
    spans = reading.kind is Kind.RANGE and at is not None and (at.hour, at.minute) != (0, 0)
    return reading.kind is Kind.POINT or spans


@dataclass(frozen=True, kw_only=True)
class NewPlan(Form, name="study.plan"):
    what: str = ask(N_("学什么？例：读《新时代教师职业行为十项准则》"), line)
    timed: Timing = ask(N_("什么时候提醒？例：每周三下午三点，12月3日下午4点，每月31号上午9点"), timing)
    tenths: int = ask(N_("算几个学时？"), line, default=rules.USUAL_TENTHS)

    @classmethod
    def glean(cls, ctx: Context, text: str) -> dict[str, object]:
        known: dict[str, object] = {}
        if counted := rules.hours_in(text):
            known["tenths"], text = counted
        if found := timing_in(ctx, text):
            known["timed"], text = found
        what = " ".join(text.split()).strip("，,。、:： ")
        return known | ({"what": what[:200]} if what else {})


@dataclass(frozen=True, kw_only=True)
class Reflection(Form, name="study.note"):
    hears = True

    mark: int = 0
    note: str = ask(N_("写一句心得，只有您自己看得到。"), line)


def _open(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    """What this person has not learned yet, as buttons."""
    return list(rules.labels([item.plan for item in open_items(ctx)])) if ctx.person else ()


@dataclass(frozen=True, kw_only=True)
class WhichLearned(Form, name="study.which"):
    """已学, with more than one thing to learn."""

    hears = True

    note: str = ""
    which: str = ask(N_("学完的是哪一个？"), line, choices=_open)


def _running(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return list(rules.labels(study.active(ctx.db)))


@dataclass(frozen=True, kw_only=True)
class EndPlan(Form, name="study.end"):
    which: str = ask(N_("停止哪一个学习提醒？"), line, choices=_running)


def open_items(ctx: Context) -> Sequence[study.Item]:
    """What the person was asked lately and has not learned: of each plan the newest."""
    lately = study.items_of(ctx.db, ctx.me.id, ctx.now - rules.LATELY)
    newest: dict[int, study.Item] = {}
    for item in lately:
        if item.mark.state != study.LEARNED:
            newest.setdefault(item.plan.id, item)
    return list(newest.values())

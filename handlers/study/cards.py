"""The faces of a study plan (for the office) and of one person's reminder (for that person)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum

from bot.kit import when
from bot.kit.action import Action
from bot.kit.calendar import Calendar
from bot.kit.card import Block, Button, Card, Facts, Line, Quote, Tally, Tone
from bot.kit.context import School
from bot.kit.words import _
from handlers.study import rules
from handlers.study.rules import Wait
from storage.study import ACTIVE, DRAFT, DROPPED, ENDED, LATER, LEARNED, OPEN, SENT, Item, Mark, Occurrence, Plan

# --- what the buttons mean ------------------------------------------------------------------------------------


class Step(Enum):
    START = "go"
    DROP = "no"
    END = "end"
    OTHER_WAY = "31"  # a month without that day: the last one instead, or none


@dataclass(frozen=True)
class OnPlan(Action, verb="st.plan"):
    plan: int
    step: Step


@dataclass(frozen=True)
class Learned(Action, verb="st.done"):
    mark: int


@dataclass(frozen=True)
class Later(Action, verb="st.later"):
    mark: int
    wait: Wait


@dataclass(frozen=True)
class Halt(Action, verb="st.halt"):
    """``on`` 0: remind me of this plan again."""

    mark: int
    on: int


@dataclass(frozen=True)
class Reflect(Action, verb="st.note"):
    mark: int


# --- the plan, for the office ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """In numbers only: nobody is ranked, nobody is named. ``unreached``: to whom we cannot write in private."""

    learned: int
    total: int
    unreached: int


def draft(plan: Plan, times: Sequence[datetime], people: int, unreached: int, school: School, now: datetime) -> Card:
    """What 确认 would mean, written out."""
    who = _("{n} 人，私聊", n=people)
    who += _("（其中 {n} 人还私聊不到）", n=unreached) if unreached else ""
    pairs = [*_what(plan, school, now), (_("发给"), who)]
    if plan.at is not None:
        pairs[1] = (_("时间"), school.echo_time(plan.at))
    if plan.rule:
        pairs.insert(2, (_("接下来"), "\n".join(_dated(at, school) for at in times)))
    body: list[Block] = [Facts(pairs), *_warnings(times, school), Line(late_policy(plan))]
    buttons = [Button(_("确认"), OnPlan(plan.id, Step.START), Tone.MAIN)]
    if rules.late_day(plan) is not None:
        buttons.append(Button(_("改短月的办法"), OnPlan(plan.id, Step.OTHER_WAY)))
    buttons.append(Button(_("不要了"), OnPlan(plan.id, Step.DROP)))
    return Card(f"plan:{plan.id}", _("学习提醒，请确认"), body, buttons)


def _what(plan: Plan, school: School, now: datetime) -> list[tuple[str, str]]:
    return [
        (_("内容"), plan.title),
        (_("时间"), rules.words(plan, school, now)),
        (_("学时"), rules.hours(plan.tenths)),
    ]


def _dated(at: datetime, school: School) -> str:
    day = school.calendar.workday(at.astimezone(school.zone).date())
    if day.is_work:
        return school.echo_time(at)
    why = day.note() if day.published else _("放假安排未公布")
    return school.write_time(at) + _("（休息日，{why}）", why=why)


def _warnings(times: Sequence[datetime], school: School) -> list[Block]:
    """What to look at twice: the night, and the holidays."""
    late = [at for at in times[:1] if school.quiet.next_allowed(at, school.zone) != at]
    if not late:
        return []
    moved = school.write_time(school.quiet.next_allowed(late[0], school.zone))
    return [Line(_("这个时间在免打扰时段，会推迟到 {time} 发出。", time=moved))]


def late_policy(plan: Plan) -> str:
    return _("万一停机错过：{n} 小时内补发并注明“补发”，超过就跳过这一次并告诉办公室。", n=plan.late_hours)


def running(
    plan: Plan, following: datetime | None, last: Occurrence | None, count: Count, school: School, now: datetime
) -> Card:
    pairs = _what(plan, school, now)
    if following is not None:
        pairs.append((_("下一次"), _dated(following, school)))
    body: list[Block] = [Facts(pairs)]
    if last is not None:
        body.append(Line(_("最近一次：{day}", day=when.write_day(last.day, now.astimezone(school.zone).date()))))
        body.append(Tally(((_("已学"), count.learned), (_("还没学"), count.total - count.learned)), count.total))
        body += [Line(_("私聊不到 {n} 人，请当面说一声。", n=count.unreached))] if count.unreached else []
    end = (Button(_("停止提醒"), OnPlan(plan.id, Step.END), Tone.DANGER),) if plan.state == ACTIVE else ()
    foot = _("回复“谁还没学”，名单私聊给您。") if last is not None else ""
    titles = {ACTIVE: _("学习提醒，已安排"), ENDED: _("学习提醒，已结束"), DROPPED: _("学习提醒，没有安排")}
    return Card(f"plan:{plan.id}", titles.get(plan.state, ""), body, end, foot)


# --- the reminder, for one person -----------------------------------------------------------------------------


def mine(item: Item, halted: bool, school: School, now: datetime) -> Card:
    """Everything a button does, a word does: 已学, 稍后, 停."""
    plan, mark = item.plan, item.mark
    late = _("（补发）") if item.occurrence.late else ""
    facts = Facts([(_("时间"), school.write_time(item.occurrence.due_at, now)), (_("学时"), rules.hours(plan.tenths))])
    title, key = _("学习提醒{late}：{title}", late=late, title=plan.title), f"study:{mark.id}"
    if mark.state == LEARNED:
        return Card(
            key, title, [facts, *_learned(mark, school, now)], _reflect(mark), _("回复“我的学习”看自己的学时。")
        )
    learned = Button(_("已学"), Learned(mark.id), Tone.MAIN)
    if halted:
        stopped = Line(_("这个学习提醒不再发给您。"))
        return Card(key, title, [facts, stopped], [learned, Button(_("恢复提醒"), Halt(mark.id, 0))])
    stop = Button(_("停"), Halt(mark.id, 1))
    foot = _("学完点“已学”；不想再收这个提醒，点“停”。")
    if mark.state == LATER and mark.at is not None:
        again = Line(_("{time} 再提醒您。", time=school.write_time(mark.at, now)))
        waits = [Button(_("1 小时后"), Later(mark.id, Wait.ONE_HOUR)), Button(_("明早"), Later(mark.id, Wait.MORNING))]
        return Card(key, title, [facts, again], [learned, *waits, stop], foot)
    return Card(key, title, [facts], [learned, Button(_("稍后"), Later(mark.id, Wait.TWO_HOURS)), stop], foot)


def _learned(mark: Mark, school: School, now: datetime) -> list[Block]:
    done = _("已学 · {time}", time=school.write_time(mark.at, now)) if mark.at else _("已学")
    return [Line(done), *([Quote(mark.note, _("心得"))] if mark.note else [])]


def _reflect(mark: Mark) -> Sequence[Button]:
    return () if mark.note else (Button(_("写一句心得"), Reflect(mark.id)),)


# --- in answer to a word --------------------------------------------------------------------------------------


def ledger(items: Sequence[Item], year: int, times: int, tenths: int, party: bool, school: School) -> str:
    """One's own, and nobody else's."""
    lines = [_("{year} 年学了 {n} 次，共 {hours} 学时。", year=year, n=times, hours=rules.hours(tenths))]
    if party:
        lines[0] += _("（党员每年不少于 {n} 学时）", n=rules.YEARLY_HOURS)
    for item in items:
        day = when.write_day(item.occurrence.day)
        state = _("已学") if item.mark.state == LEARNED else _("还没学")
        note = _("　心得：{note}", note=item.mark.note[:60]) if item.mark.note else ""
        lines.append(f"{day}　{item.plan.title}　{state}{note}")
    return "\n".join([*lines, _("这份记录只有您自己看得到。")])


def silent(plan: Plan, occurrence: Occurrence, names: Sequence[str], total: int, unreached: Sequence[str]) -> str:
    day = when.write_day(occurrence.day)
    if not names:
        return _("“{title}”{day}：{n} 人都学了。", title=plan.title, day=day, n=total)
    listed = "、".join(names)
    text = _("“{title}”{day}：还没学 {n} 人：{names}", title=plan.title, day=day, n=len(names), names=listed)
    if unreached:
        text += _("。其中私聊不到：{names}", names="、".join(unreached))
    return text


# --- for the preview page and the contract of the channels ----------------------------------------------------

_SCHOOL = School("红烛中学", when.SchoolHours(), when.QuietHours(), Calendar())
_NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
_HOSTILE = "<b>读</b>《十项准则》*_{n}%s " + "很长的题目" * 20


def _gallery() -> Sequence[Card]:
    weekly = Plan(1, "读《教师职业行为十项准则》", None, "weekly 2 15:00", 10, rules.LATE_HOURS, DRAFT, 2, _NOW)
    monthly = Plan(2, _HOSTILE[:200], None, "monthly 31 22:00 clamp", 15, rules.LATE_HOURS, DRAFT, 2, _NOW)
    last = Occurrence(1, 1, date(2026, 11, 18), datetime(2026, 11, 18, 7, tzinfo=UTC), SENT, True)
    made = [
        draft(plan, rules.coming(plan, _NOW, _SCHOOL), 37, unreached, _SCHOOL, _NOW)
        for plan, unreached in ((weekly, 0), (monthly, 8))
    ]
    active, counted = replace(weekly, state=ACTIVE), Count(12, 37, 8)
    made.append(running(active, rules.next_of(active, _NOW, _SCHOOL), last, counted, _SCHOOL, _NOW))
    made.append(running(replace(weekly, state=ENDED), None, None, Count(0, 0, 0), _SCHOOL, _NOW))
    states = ((OPEN, None, ""), (LATER, _NOW, ""), (LEARNED, _NOW, ""), (LEARNED, _NOW, _HOSTILE))
    for number, (state, at, note) in enumerate(states, 1):
        made.append(mine(Item(Mark(number, 1, 3, state, at, note), last, weekly), False, _SCHOOL, _NOW))
    made.append(mine(Item(Mark(9, 1, 3, OPEN, None, ""), last, monthly), True, _SCHOOL, _NOW))
    return made


GALLERY: Sequence[Card] = _gallery()

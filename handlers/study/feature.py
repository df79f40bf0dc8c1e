"""学习提醒：到点私聊一声，学完回一句，不排名、不打卡。

1. The office types 学习提醒 每周三下午三点 读《十项准则》; what is missing is asked. The preview writes out the rule,
   what a month without a 31st means, the next three dates and what becomes of a reminder missed while we were down.
2. 确认 books the first occurrence; each one that is kept books the next (``study.fire``). An occurrence belongs to a
   plan and a local date, so none comes twice. One that is late by up to twelve hours is sent and marked 补发; an older
   one is skipped, and the office is told.
3. Everybody who is expected that day and can be reached gets a card of their own: 已学, 稍后, 停; each is a word too.
4. 稍后 comes again in two hours, in one, or in the morning. Whoever is silent is reminded once more on the next
   working day. The caps of ``storage.nudges`` hold for both; 停 ends it for one person, 停止提醒 for all.
5. The office sees numbers, and who has not learned only when it asks, in private. What one has learned is one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from bot.kit import when
from bot.kit.context import Context, Office, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.feature import Feature
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.study import rules, sections, taps
from handlers.study.cards import Halt, Later, Learned, OnPlan, Reflect, Step
from handlers.study.forms import EndPlan, NewPlan, Reflection, WhichLearned
from handlers.study.rules import Wait
from storage import diary, nudges, people, study
from storage.study import ACTIVE, DRAFT, DROPPED, ENDED, LATER, MISSED, OPEN, SENT, Plan

DRAFTS_LAST = timedelta(hours=2)  # for 确认 in words
feature = Feature("study", title=N_("学习提醒"))
feature.card("plan")(sections.plan_face)
feature.card("study")(sections.mark_face)
feature.section(N_("本月学习"))(sections.monthly)

feature.action(Learned)(taps.learned)
feature.action(Later)(taps.later)
feature.action(Halt)(taps.halt)
feature.action(Reflect)(taps.reflect)
feature.form(Reflection)(taps.keep_reflection)
feature.form(WhichLearned)(taps.learned_which)
feature.phrase(rules.learned, scope=taps.about_learning)(taps.learned_in_words)
feature.phrase(rules.wait_in, scope=taps.newest_open)(taps.later_in_words)
feature.phrase(rules.halts, scope=taps.newest_open)(taps.halt_in_words)
feature.command("恢复提醒", private=True, whole=True)(taps.resume)

office_asks = partial(feature.command, who=Role.OFFICE, private=True)
office_asks("学习计划", whole=True, help=N_("看现有的学习提醒"))(sections.list_plans)
office_asks("谁还没学", "谁没学", help=N_("看还没学的名单"))(sections.who_is_silent)
feature.command("我的学习", private=True, whole=True, help=N_("看自己学了什么"))(sections.my_ledger)


# --- 1 a plan -------------------------------------------------------------------------------------------------


@feature.command("学习提醒", who=Role.OFFICE, form=NewPlan, private=True, help=N_("安排一次、每周或每月的学习提醒"))
def propose(ctx: Context, form: NewPlan) -> Reply:
    facts = {"at": form.timed.at, "rule": form.timed.rule, "tenths": form.tenths, "late_hours": rules.LATE_HOURS}
    plan = Plan(0, form.what, state=DRAFT, made_by=ctx.me.id, made_at=ctx.now, **facts)  # type: ignore[arg-type]
    rules.check_to_come(plan, ctx.now, ctx.school)
    ctx.post(f"plan:{study.draft(ctx.db, plan)}", Persons([ctx.me.id]))
    return None


@feature.action(OnPlan, who=Role.OFFICE)
def on_plan(ctx: Context, tap: OnPlan) -> Reply:
    plan = study.plan(ctx.db, tap.plan)
    if plan is None:
        raise Refused(_("这个学习提醒已经没有了。请重新发“学习提醒 时间 内容”。"))
    match tap.step:
        case Step.START:
            return _start(ctx, plan)
        case Step.DROP:
            return _leave(ctx, plan, DRAFT, DROPPED, _("好的，没有安排。"))
        case Step.END:
            diary.cancel(ctx.db, "study.fire", str(plan.id))
            return _leave(ctx, plan, ACTIVE, ENDED, _("已停止，以后不再提醒。"))
        case Step.OTHER_WAY:
            return _other_way(ctx, plan)


def _start(ctx: Context, plan: Plan) -> Reply:
    at = rules.check_to_come(plan, ctx.now, ctx.school)
    if not study.move(ctx.db, plan.id, DRAFT, ACTIVE):
        raise Refused(_("这个学习提醒已经确认过或放弃了。要看现有的，请发“学习计划”。"))
    _book(ctx, plan, at)
    ctx.redraw(f"plan:{plan.id}")
    return Toast(_("已安排，下一次：{time}。", time=ctx.school.write_time(at, ctx.now)))


def _book(ctx: Context, plan: Plan, at: datetime) -> None:
    ctx.book("study.fire", at, key=str(plan.id), plan=plan.id, due=int(at.timestamp()))


def _leave(ctx: Context, plan: Plan, before: str, after: str, told: str) -> Reply:
    if not study.move(ctx.db, plan.id, before, after):
        raise Refused(_("这个学习提醒已经处理过了。要看现有的，请发“学习计划”。"))
    ctx.settle(f"plan:{plan.id}")
    return Toast(told)


def _other_way(ctx: Context, plan: Plan) -> Reply:
    rule = rules.late_day(plan)
    if plan.state != DRAFT or rule is None:
        raise Refused(_("这个学习提醒已经定了，不能改。请停止它，再发一个新的。"))
    study.set_rule(ctx.db, plan.id, rules.other_way(rule))
    ctx.redraw(f"plan:{plan.id}")
    return Toast(when.describe(when.unpack_rule(rules.other_way(rule))))


_STEPS = {N_("确认"): Step.START, N_("确定"): Step.START, N_("不要了"): Step.DROP}


def step_in(text: str) -> Step | None:
    return next((step for word, step in _STEPS.items() if text.strip(" 。") in (word, _(word))), None)


def my_draft(ctx: Context, said: Said) -> Plan | None:
    if not ctx.place.private or (ctx.quoted or "plan:").partition(":")[0] != "plan":
        return None
    return study.newest_draft(ctx.db, ctx.me.id, ctx.now - DRAFTS_LAST)


@feature.phrase(step_in, scope=my_draft, who=Role.OFFICE)
def step_in_words(ctx: Context, step: Step, plan: Plan) -> Reply:
    return taps.aloud(on_plan(ctx, OnPlan(plan.id, step)))


@feature.command("停止提醒", who=Role.OFFICE, private=True, help=N_("停止一个学习提醒"))
def end(ctx: Context, rest: str) -> Reply:
    running = study.active(ctx.db)
    if not running:
        raise Refused(_("现在没有学习提醒。要安排，请发“学习提醒 时间 内容”。"))
    found = rules.titled(running, rest) if rest else running
    if len(found) == 1:
        return taps.aloud(on_plan(ctx, OnPlan(found[0].id, Step.END)))
    return Ask(EndPlan, {}, private=True)


@feature.form(EndPlan, who=Role.OFFICE)
def end_which(ctx: Context, form: EndPlan) -> Reply:
    running = study.active(ctx.db)
    for label, plan in zip(rules.labels(running), running, strict=True):
        if label == form.which.strip():
            return taps.aloud(on_plan(ctx, OnPlan(plan.id, Step.END)))
    return Ask(EndPlan, {}, private=True)


# --- 2 it comes -----------------------------------------------------------------------------------------------


@feature.appointment("fire")
def fire(ctx: Context, plan: int, due: int) -> None:
    """Everything a plan has due by now, and the next time after that."""
    found = study.plan(ctx.db, plan)
    if found is None or found.state != ACTIVE:
        return
    round_ = rules.walk(found, datetime.fromtimestamp(due, UTC), ctx.now, ctx.school)
    missed = [at for at in round_.missed if study.occur(ctx.db, plan, _day(ctx, at), at, MISSED) is not None]
    _report(ctx, found, missed)
    if round_.run is not None:
        _send(ctx, found, round_.run, round_.next, late=round_.late)
    if round_.next is not None:
        _book(ctx, found, round_.next)
    else:
        study.move(ctx.db, plan, ACTIVE, ENDED)
    ctx.redraw(f"plan:{plan}")


def _day(ctx: Context, at: datetime) -> date:
    return when.local_date(at, ctx.school.zone)


def _report(ctx: Context, plan: Plan, missed: Sequence[datetime]) -> None:
    if not missed:
        return
    times = "、".join(ctx.school.write_time(at, ctx.now) for at in missed[:5])
    facts = {"title": plan.title, "n": len(missed), "times": times, "hours": plan.late_hours}
    words = _("停机期间错过了学习提醒“{title}”{n} 次（{times}），已超过 {hours} 小时，没有补发。", **facts)
    ctx.say(words, to=Office(), gentle=True, name=f"study.missed:{plan.id}:{missed[-1]:%Y%m%d}")


def _send(ctx: Context, plan: Plan, at: datetime, following: datetime | None, *, late: bool) -> None:
    number = study.occur(ctx.db, plan.id, _day(ctx, at), at, SENT, late=late)
    if number is None:
        return
    halted = study.halted(ctx.db, plan.id)
    asked = [person.id for person in people.expected(ctx.db, sections.today(ctx)) if person.id not in halted]
    marks = {person: study.expect(ctx.db, number, person) for person in asked}
    _first_time(ctx, number, {person: marks[person] for person in people.addresses(ctx.db, asked)})
    again = rules.second_time(at, following, ctx.school)
    if again is not None:
        ctx.book("study.again", again, key=str(number), occurrence=number)


def _first_time(ctx: Context, occurrence: int, marks: Mapping[int, int]) -> None:
    """The reminder itself always comes, if not today (今天别提醒) then in the morning; only repeats are capped."""
    matter, today = f"study:{occurrence}", sections.today(ctx)
    hearing = set(nudges.among(ctx.db, list(marks), matter, today, per_matter=_NO_CAP, per_day=_NO_CAP))
    for person, mark in marks.items():
        if person in hearing:
            nudges.note(ctx.db, person, matter, today)
            ctx.post(f"study:{mark}", Persons([person]), gentle=True)
        else:
            taps.book_again(ctx, mark, rules.again_at(Wait.MORNING, ctx.now, ctx.school))


_NO_CAP = 1_000_000


# --- 4 it comes again -----------------------------------------------------------------------------------------


@feature.appointment("later")
def remind_later(ctx: Context, mark: int) -> None:
    """The time somebody chose has come; where today is full already it is tomorrow morning."""
    item = study.item(ctx.db, mark)
    if item is None or item.mark.state != LATER:
        return
    study.set_mark(ctx.db, mark, OPEN, None)
    reminded = _remind(ctx, item.occurrence.id, item.plan, [item.mark])
    times = nudges.times(ctx.db, item.mark.person, f"study:{item.occurrence.id}")
    if not reminded and times < ctx.school.reminders_per_matter and _may_hear(ctx, item.plan, [item.mark]):
        taps.book_again(ctx, mark, rules.again_at(Wait.MORNING, ctx.now, ctx.school))
    ctx.redraw(f"study:{mark}")


@feature.appointment("again")
def remind_silent(ctx: Context, occurrence: int) -> None:
    """Once more, to whoever has said nothing at all."""
    found = study.occurrence(ctx.db, occurrence)
    plan = study.plan(ctx.db, found.plan) if found is not None else None
    if plan is None:
        return
    silent = [mark for _person, mark in study.marks_of(ctx.db, occurrence) if mark.state == OPEN]
    _remind(ctx, occurrence, plan, silent)


def _may_hear(ctx: Context, plan: Plan, marks: Sequence[study.Mark]) -> Sequence[study.Mark]:
    """Not who is away, has said 停 or cannot be reached. A plan that was ended reminds nobody."""
    if plan.state != ACTIVE and plan.rule is not None:
        return []
    out = people.away(ctx.db, sections.today(ctx)) | study.halted(ctx.db, plan.id)
    reached = people.addresses(ctx.db, [mark.person for mark in marks if mark.person not in out])
    return [mark for mark in marks if mark.person in reached]


def _remind(ctx: Context, occurrence: int, plan: Plan, marks: Sequence[study.Mark]) -> int:
    """Within the caps, over everything; how many."""
    hearing, matter, today = _may_hear(ctx, plan, marks), f"study:{occurrence}", sections.today(ctx)
    caps = {"per_matter": ctx.school.reminders_per_matter, "per_day": ctx.school.reminders_per_day}
    allowed = set(nudges.among(ctx.db, [mark.person for mark in hearing], matter, today, **caps))
    for mark in hearing:
        if mark.person in allowed:
            nudges.note(ctx.db, mark.person, matter, today)
            ctx.post(f"study:{mark.id}", Persons([mark.person]), gentle=True)
    return len(allowed)

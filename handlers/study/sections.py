"""Who sees what: the faces of the cards, numbers for the office, names only when it asks, and one's own ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.kit import when
from bot.kit.card import Block, Card, Table
from bot.kit.context import Context, Persons, View
from bot.kit.feature import Month
from bot.kit.reply import Reply
from bot.kit.words import _
from handlers.study import cards, rules
from handlers.study.cards import Count
from storage import people, study
from storage.people import Person
from storage.study import ACTIVE, DRAFT, LEARNED, MISSED, SENT, Occurrence


def today(view: View) -> date:
    return when.local_date(view.now, view.school.zone)


def plan_face(view: View, number: int) -> Card | None:
    plan = study.plan(view.db, number)
    if plan is None:
        return None
    following = rules.next_of(plan, view.now, view.school) if plan.state in (DRAFT, ACTIVE) else None
    if plan.state == DRAFT:
        times = rules.coming(plan, view.now, view.school)
        asked = people.expected(view.db, when.local_date(times[0], view.school.zone) if times else today(view))
        reached = people.addresses(view.db, [person.id for person in asked])
        return cards.draft(plan, times, len(asked), len(asked) - len(reached), view.school, view.now)
    last = study.last_sent(view.db, number)
    return cards.running(plan, following, last, _count(view, last), view.school, view.now)


def _count(view: View, last: Occurrence | None) -> Count:
    done, silent = _split(view, last.id) if last is not None else ([], [])
    reached = people.addresses(view.db, [person.id for person in silent])
    return Count(len(done), len(done) + len(silent), len(silent) - len(reached))


def _split(view: View, occurrence: int) -> tuple[list[Person], list[Person]]:
    """Who has learned, and who has not and is not on leave today."""
    away = people.away(view.db, today(view))
    asked = study.marks_of(view.db, occurrence)
    done = [person for person, mark in asked if mark.state == LEARNED]
    return done, [person for person, mark in asked if mark.state != LEARNED and person.id not in away]


def mark_face(view: View, number: int) -> Card | None:
    item = study.item(view.db, number)
    if item is None:
        return None
    halted = item.mark.person in study.halted(view.db, item.plan.id)
    return cards.mine(item, halted, view.school, view.now)


# --- in answer to a word --------------------------------------------------------------------------------------


def list_plans(ctx: Context, rest: str) -> Reply:
    running = study.active(ctx.db)
    for plan in running[-5:]:
        ctx.post(f"plan:{plan.id}", Persons([ctx.me.id]))
    return None if running else _("现在没有学习提醒。要安排，请发“学习提醒 时间 内容”。")


def who_is_silent(ctx: Context, rest: str) -> Reply:
    lately = study.between(ctx.db, today(ctx) - rules.LATELY, today(ctx))
    newest = {plan.id: (plan, one) for plan, one in lately if one.state == SENT}
    wanted = rules.titled([plan for plan, _one in newest.values()], rest)
    lines = []
    for plan in wanted:
        done, silent = _split(ctx, newest[plan.id][1].id)
        reached = people.addresses(ctx.db, [person.id for person in silent])
        unreached = [person.name for person in silent if person.id not in reached]
        total = len(done) + len(silent)
        lines.append(cards.silent(plan, newest[plan.id][1], people.told_apart(silent), total, unreached))
    return "\n".join(lines) or _("最近两周没有发过这样的学习提醒。")


def my_ledger(ctx: Context, rest: str) -> Reply:
    year = today(ctx).year
    since = when.instant(date(year, 1, 1), datetime.min.time(), ctx.school.zone)
    times, tenths = study.learned(ctx.db, ctx.me.id, since)
    items = study.items_of(ctx.db, ctx.me.id, since)[:10]
    return cards.ledger(items, year, times, tenths, "党员" in ctx.me.politics, ctx.school)


def monthly(view: View, month: Month) -> Sequence[Block]:
    """In numbers: date, title, how many of how many."""
    last = (month.first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    rows = []
    for plan, one in study.between(view.db, month.first, last):
        done, silent = _split(view, one.id)
        number = _("停机错过") if one.state == MISSED else f"{len(done)}/{len(done) + len(silent)}"
        rows.append((when.write_day(one.day), plan.title, rules.hours(plan.tenths), number))
    return [Table((_("日期"), _("内容"), _("学时"), _("已学/应学")), rows)] if rows else []

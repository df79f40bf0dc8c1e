"""What is told of the roster: to reports in numbers, to the office with names, to everybody about themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from bot.kit import when
from bot.kit.card import Block, Facts
from bot.kit.context import Context, View
from bot.kit.feature import Month
from bot.kit.reply import Reply
from bot.kit.words import _
from handlers.people import cards, rules
from storage import diary, files, inbox, incidents, outbox, people

LATELY = timedelta(days=7)


def numbers(view: View) -> Sequence[tuple[str, int]]:
    today = when.local_date(view.now, view.school.zone)
    total = people.count_active(view.db)
    return (
        (_("在册"), total),
        (_("今天在岗"), len(people.expected(view.db, today))),
        (_("已绑定"), total - len(people.unbound(view.db))),
        (_("能私聊"), total - len(people.unreachable(view.db))),
        (_("已绑定的群"), len(people.bound_groups(view.db))),
    )


def summary(view: View, month: Month) -> Sequence[Block]:
    return [Facts([(name, str(n)) for name, n in numbers(view)])]


# --- in answer to a word --------------------------------------------------------------------------------------


def roster(ctx: Context, rest: str) -> Reply:
    offices, principals = people.holding(ctx.db, "office"), people.holding(ctx.db, "principal")
    return cards.roster_text(numbers(ctx), [p.name for p in offices], [p.name for p in principals])


def who_is_unbound(ctx: Context, rest: str) -> Reply:
    everybody = people.active(ctx.db)
    unbound = [rules.label(person, everybody) for person in people.unbound(ctx.db)]
    silent = defaultdict[tuple[str, bool], list[str]](list)
    for person, channel, closed in people.unheard(ctx.db):
        silent[channel, closed].append(rules.label(person, everybody))
    groups = [cards.Silent(channel, closed, names) for (channel, closed), names in silent.items()]
    return cards.unbound_text(unbound, groups, ctx.school)


def undelivered(ctx: Context, rest: str) -> Reply:
    return cards.undelivered_text(_lost(ctx), LATELY.days)


def _lost(ctx: Context) -> Sequence[cards.Lost]:
    """One line for each person or group that missed something; what was dropped on purpose is not missed."""
    missed = defaultdict[tuple[str, bool], int](int)
    for row in outbox.undelivered(ctx.db, ctx.now - LATELY):
        if row.error not in ("stale", "nothing to show"):
            never_came = row.person is not None and not any(a.talk for a in people.accounts_of(ctx.db, row.person))
            missed[_named(ctx, row.person, row.channel, row.place), never_came] += 1
    return [cards.Lost(name, count, never_came) for (name, never_came), count in missed.items()]


def _named(ctx: Context, person: int | None, channel: str, place: str) -> str:
    known = people.get(ctx.db, person) if person is not None else None
    if known is not None:
        return known.name
    group = people.group(ctx.db, channel, place)
    return _("群“{title}”", title=group.title or group.id) if group else _("不在名册里的人")


def about_me(ctx: Context, rest: str) -> Reply:
    today = when.local_date(ctx.now, ctx.school.zone)
    leave = rules.current(people.leaves_of(ctx.db, ctx.me.id), today)
    channels = [row.channel for row in people.accounts_of(ctx.db, ctx.me.id)]
    return cards.me_text(ctx.me, leave, channels, today)


def privacy(ctx: Context, rest: str) -> Reply:
    kept = (
        (_("发出的消息记录"), outbox.KEPT),
        (_("收发的文件"), files.KEPT),
        (_("绑定码"), timedelta(hours=rules.CODE_HOURS)),
        (_("收到消息的编号（只为不重复）"), inbox.KEPT),
    )
    return cards.privacy_text(kept)


def health(ctx: Context, rest: str) -> Reply:
    groups, lost = people.bound_groups(ctx.db), _lost(ctx)
    wrong = incidents.since(ctx.db, ctx.now - LATELY)
    total, missing = people.count_active(ctx.db), len(people.unreachable(ctx.db))
    facts = (
        (_("已绑定的群"), str(len(groups))),
        (_("能私聊"), _("{n} / {total} 人", n=total - missing, total=total)),
        (_("最近 7 天送不到"), _("{n} 人", n=len(lost))),
        (_("最近 7 天出错"), _("{n} 次", n=len(wrong))),
        (_("排队待发"), _("{n} 条", n=outbox.waiting(ctx.db))),
        (_("下一件定时的事"), _next_appointment(ctx)),
    )
    worries = [
        _("没有绑定的群：请办公室在群里发“{call}绑定本群”。", call=ctx.school.call) if not groups else "",
        _("有人私聊不到：回复“谁还没绑定”看名单。") if missing else "",
        _("有消息没送到：回复“未送达”看名单。") if lost else "",
        _("有操作出错：请把编号 {number} 告诉维护的人。", number=wrong[-1].number) if wrong else "",
    ]
    return cards.health_text(facts, [worry for worry in worries if worry])


def _next_appointment(ctx: Context) -> str:
    at = diary.next_at(ctx.db)
    return ctx.school.write_time(at, ctx.now) if at is not None else _("没有")

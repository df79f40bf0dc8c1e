"""Reminding the silent, and nobody else: in private, awake, within the caps, everything that is open in one message.

Who asks for 稍后 is reminded once more, later; who asks for silence has it for the day or the week. At last the office
has the list of those who never answered, with what is needed to call them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.kit.context import Context, Office, Persons
from bot.kit.errors import Refused
from bot.kit.reply import Reply, Toast
from bot.kit.words import _
from handlers.notices import office, rules, sections, taps
from storage import notices, nudges, people, rsvps
from storage.notices import Notice

LATER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Reminded:
    """``capped``: reminded enough already, or asked to be left alone today. ``unreached``: never wrote to us."""

    sent: int
    capped: int
    unreached: Sequence[str]


def remind(ctx: Context, notice: Notice) -> Reminded:
    """The silent, in private, as far as the caps allow; nobody else hears of it."""
    silent = sections.silent(ctx, notice)
    known = people.addresses(ctx.db, [one.id for one in silent])
    reached = [one.id for one in silent if one.id in known]
    allowed = _allowed(ctx, reached, notice)
    others = [one for one in notices.opened(ctx.db, ctx.now) if one.id != notice.id and ctx.now < one.closes]
    owed = {one.id: _allowed(ctx, [person.id for person in sections.silent(ctx, one)], one) for one in others}
    for person in allowed:
        along = [number for number, persons in owed.items() if person in persons]
        nudges.note(ctx.db, person, matter(notice.id), taps.today(ctx))
        for number in along:
            nudges.note(ctx.db, person, matter(number), taps.today(ctx), along=True)
        if along:
            ctx.post(f"notice-todo:{person}", Persons([person]), gentle=True)
    alone = [person for person in allowed if not any(person in persons for persons in owed.values())]
    if alone:
        ctx.post(f"notice-me:{notice.id}", Persons(alone), gentle=True)
    unreached = [one.name for one in silent if one.id not in known]
    return Reminded(len(allowed), len(reached) - len(allowed), unreached)


def matter(notice: int) -> str:
    return f"notice:{notice}"


def _allowed(ctx: Context, persons: Sequence[int], notice: Notice) -> Sequence[int]:
    caps = {"per_matter": ctx.school.reminders_per_matter, "per_day": ctx.school.reminders_per_day}
    return nudges.among(ctx.db, persons, matter(notice.id), taps.today(ctx), **caps)


# --- by the office --------------------------------------------------------------------------------------------


def chase(ctx: Context, rest: str) -> Reply:
    """The quoted notice, or the newest that can still be answered."""
    open_now = notices.opened(ctx.db, ctx.now)
    return _chase(ctx, taps.quoted(ctx) or (open_now[-1] if open_now else office.asked_for(ctx, rest)))


def chase_tap(ctx: Context, tap: taps.Chase) -> Reply:
    return _chase(ctx, rules.check_open(notices.get(ctx.db, tap.notice), ctx.now, ctx.school))


def _chase(ctx: Context, notice: Notice) -> str:
    """In the night it is put off: whoever answers meanwhile is left alone."""
    rules.check_open(notice, ctx.now, ctx.school)
    awake = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    if awake >= notice.closes:
        raise Refused(_("现在是安静时段，明早就来不及了。请直接打电话。"))
    if awake > ctx.now:
        ctx.book("notices.chase", awake, f"{notice.id}:morning", notice=notice.id)
        return _("现在是安静时段，{at} 再提醒还没答复的人。", at=ctx.school.write_time(awake, ctx.now))
    return _summary(remind(ctx, notice))


def _summary(done: Reminded) -> str:
    texts = [_("已私聊提醒 {n} 人。", n=done.sent) if done.sent else _("没有要提醒的人了。")]
    if done.capped:
        texts.append(_("{n} 人今天已经提醒够了或不想再被提醒，没有再打扰。", n=done.capped))
    if done.unreached:
        names = "、".join(done.unreached[:20])
        texts.append(_("{n} 人没有私聊过我，提醒不到：{names}。", n=len(done.unreached), names=names))
    return "".join(texts)


# --- by the one who is reminded -------------------------------------------------------------------------------


def mute(ctx: Context, tap: taps.Mute) -> Reply:
    return Toast(quiet_today(ctx))


def mute_week(ctx: Context, tap: taps.MuteWeek) -> Reply:
    return Toast(quiet_this_week(ctx))


def quiet_today(ctx: Context, rest: str = "") -> str:
    nudges.mute(ctx.db, ctx.me.id, taps.today(ctx))
    return _("今天不再提醒您；新的通知照常会发。")


def quiet_this_week(ctx: Context, rest: str = "") -> str:
    """Until Sunday, of whatever kind the reminder is."""
    today = taps.today(ctx)
    for days in range(7 - today.weekday()):
        nudges.mute(ctx.db, ctx.me.id, today + timedelta(days=days))
    return _("本周不再提醒您；新的通知照常会发。")


def later(ctx: Context, tap: taps.Later) -> Reply:
    """Once more in an hour, unless it is answered by then; never more often than the caps say."""
    notice = rules.check_open(notices.get(ctx.db, tap.notice), ctx.now, ctx.school)
    if rsvps.mine(ctx.db, notice.id, ctx.me.id) is not None:
        return Toast(_("您已经答复过了，不会再提醒。"))
    if not _allowed(ctx, [ctx.me.id], notice):
        return Toast(_("不再提醒了，请在 {at} 前点一下。", at=ctx.school.write_time(notice.closes, ctx.now)))
    at = ctx.school.quiet.next_allowed(ctx.now + LATER, ctx.school.zone)
    if at + rules.BREATH > notice.closes:
        return Toast(
            _("快截止了，之后不再提醒；请在 {at} 前点一下。", at=ctx.school.write_time(notice.closes, ctx.now))
        )
    key = f"{notice.id}:{ctx.me.id}:{int(ctx.now.timestamp())}"
    ctx.book("notices.again", at, key, notice=notice.id, person=ctx.me.id)
    return Toast(_("好的，{at} 再提醒您一次。", at=ctx.school.write_time(at, ctx.now)))


def again(ctx: Context, notice: int, person: int) -> None:
    """The appointment: somebody said 稍后."""
    found = notices.get(ctx.db, notice)
    if found is None or found.state != notices.OPEN or ctx.now >= found.closes:
        return
    if ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone) > ctx.now:
        return
    if person in [one.id for one in sections.silent(ctx, found)] and _allowed(ctx, [person], found):
        nudges.note(ctx.db, person, matter(notice), taps.today(ctx))
        ctx.post(f"notice-me:{notice}", Persons([person]), gentle=True)


# --- our later selves -----------------------------------------------------------------------------------------


def chase_due(ctx: Context, notice: int) -> None:
    """Once, whoever is silent by now; should we wake in the night, then in the morning, if that still helps."""
    found = notices.get(ctx.db, notice)
    if found is None or found.state != notices.OPEN or ctx.now >= found.closes:
        return
    awake = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    if awake > ctx.now:
        if awake < found.closes:
            ctx.book("notices.chase", awake, f"{notice}:morning", notice=notice)
        return
    remind(ctx, found)


def list_due(ctx: Context, notice: int) -> None:
    """The silent were reminded and still are: their names, for whoever has to call them."""
    found = notices.get(ctx.db, notice)
    if found is None or found.state != notices.OPEN or ctx.now >= found.closes:
        return
    if sections.silent(ctx, found):
        ctx.post(f"notice-silent:{notice}", Office(), gentle=True)

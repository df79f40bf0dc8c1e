"""What buttons mean and what they do: an answer, the steps of a draft, the yes or no to a correction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from bot.kit import when
from bot.kit.action import Action
from bot.kit.context import Context, Persons, Staff
from bot.kit.errors import Refused
from bot.kit.form import Form
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.words import _
from handlers.notices import forms, leaves, rules
from handlers.notices.rules import Answer
from storage import corrections, diary, notices, people, rsvps
from storage.notices import Notice
from storage.rsvps import Given


class Step(StrEnum):
    SEND = "s"
    NOW = "n"
    TIME = "t"
    PLACE = "p"
    TOPIC = "m"
    DROP = "x"
    LOUD = "a"  # @所有人, for the second time
    QUIET = "q"


@dataclass(frozen=True)
class Rsvp(Action, verb="nt.rsvp"):
    notice: int
    answer: Answer


@dataclass(frozen=True)
class OnDraft(Action, verb="nt.draft"):
    notice: int
    step: Step


@dataclass(frozen=True)
class OnChange(Action, verb="nt.fix"):
    change: int
    step: Step


@dataclass(frozen=True)
class Chase(Action, verb="nt.chase"):
    notice: int


@dataclass(frozen=True)
class Mute(Action, verb="nt.mute"):
    notice: int


@dataclass(frozen=True)
class MuteWeek(Action, verb="nt.mutew"):
    notice: int


@dataclass(frozen=True)
class Later(Action, verb="nt.later"):
    notice: int


QUOTED = ("notice", "notice-me", "notice-silent", "notice-stats", "notice-gone", "notice-new")

# --- answers --------------------------------------------------------------------------------------------------


def answer(ctx: Context, tap: Rsvp) -> Reply:
    """The hot path: one notice (asked once for a whole burst), two rows put off to the commit, one redraw."""
    notice = rules.check_open(notices.get(ctx.db, tap.notice), ctx.now, ctx.school)
    if tap.answer is Answer.LEAVE:
        return leave(ctx, notice, "")
    return Toast(keep(ctx, notice, tap.answer, ""))


def keep(ctx: Context, notice: Notice, answer: Answer, note: str, *, plain: bool = False) -> str:
    """Writes the answer down; the sentence that says so."""
    rsvps.keep(ctx.db, notice.id, Given(ctx.me.id, answer.value, note[:100], ctx.now, plain=plain))
    ctx.redraw(f"notice:{notice.id}")
    if notices.several(ctx.db, ctx.now):
        ctx.redraw(f"notice-todo:{ctx.me.id}")
    if answer is not Answer.LEAVE:
        leaves.withdraw(ctx, notice, ctx.me.id)
    if ctx.me.id in people.away(ctx.db, day_of(ctx, notice)):
        return _("已记下：{answer}（您那天休假，不计入应到）", answer=answer.label)
    if not notice.asks(ctx.me):
        return _("已记下：{answer}（这次没有要您参加，不计入应到）", answer=answer.label)
    return _("已记下：{answer}", answer=answer.label)


def leave(ctx: Context, notice: Notice, why: str) -> Reply:
    """Counts at once; the reason is asked in private, once, and is for the office only."""
    before = rsvps.mine(ctx.db, notice.id, ctx.me.id)
    if not why and before is not None and before.answer == Answer.LEAVE.value:
        why = before.note
    said = keep(ctx, notice, Answer.LEAVE, why)
    leaves.request(ctx, notice, ctx.me.id, said_all=bool(why))
    return Toast(said) if why else Ask(forms.Reason, {"notice": notice.id}, private=True, toast=said)


# --- drafts ---------------------------------------------------------------------------------------------------


def on_draft(ctx: Context, tap: OnDraft) -> Reply:
    notice = rules.check_draft(notices.get(ctx.db, tap.notice))
    match tap.step:
        case Step.SEND | Step.NOW if notice.loud:
            return show(ctx, f"notice-loud:{notice.id}")
        case Step.SEND | Step.NOW | Step.LOUD:
            return Toast(send(ctx, notice, at_once=tap.step is Step.NOW))
        case Step.QUIET:
            notices.revise(ctx.db, notice.id, loud=False)
            return Toast(send(ctx, replace(notice, loud=False), at_once=False))
        case Step.DROP:
            notices.turn(ctx.db, notice.id, notices.DRAFT, notices.DROPPED)
            ctx.settle(f"notice-draft:{notice.id}")
            ctx.redraw(f"notice-loud:{notice.id}")
            return Toast(_("好的，这份通知不发了。"))
        case _:
            return Ask(_QUESTIONS[tap.step], {"notice": notice.id}, private=True)


_QUESTIONS: dict[Step, type[Form]] = {
    Step.TIME: forms.NewTime,
    Step.PLACE: forms.NewPlace,
    Step.TOPIC: forms.NewTopic,
}


def send(ctx: Context, notice: Notice, *, at_once: bool) -> str:
    """Once: the row turns from draft to open or it does not."""
    groups = people.bound_groups(ctx.db)
    if not groups:
        call = ctx.school.call
        raise Refused(_("还没有绑定群，发不出去。请先在教职工群里发“{call}绑定本群”，再回来点确认。", call=call))
    leaves_at = rules.leaves_at(ctx.now, ctx.school, at_once)
    rules.check_time(notice.starts, leaves_at, ctx.now, ctx.school)
    if notice.deadline and notice.deadline <= leaves_at + rules.BREATH:  # the draft lay too long for it
        notices.revise(ctx.db, notice.id, deadline=None)
        notice = replace(notice, deadline=None)
    if not notices.send(ctx.db, notice.id, today(ctx), leaves_at):
        raise Refused(_("这个通知已经发出了，没有再发一次。"))
    corrections.note_told(ctx.db, notice.id, [(group.channel, group.id) for group in groups])
    ctx.post(f"notice:{notice.id}", Staff(), gentle=not at_once)
    ctx.settle(f"notice-draft:{notice.id}")
    if notice.loud:
        ctx.redraw(f"notice-loud:{notice.id}")
    book(ctx, notice, leaves_at)
    if leaves_at > ctx.now:
        return _("已排好，{at} 发到 {n} 个群。", at=ctx.school.write_time(leaves_at, ctx.now), n=len(groups))
    return _("已发到 {n} 个群。", n=len(groups))


def book(ctx: Context, notice: Notice, told_at: datetime) -> None:
    """Our later selves; what was booked for an earlier time of this notice is struck out by ``unbook`` first."""
    key, facts = _key(notice), {"notice": notice.id}
    ctx.book("notices.close", notice.starts, key, **facts)
    if notice.deadline and notice.deadline < notice.starts:
        ctx.book("notices.due", notice.deadline, key, **facts)
    if at := rules.chase_at(notice.closes, told_at, ctx.school):
        ctx.book("notices.chase", at, key, **facts)
        if list_at := rules.list_at(at, notice.closes, ctx.school):
            ctx.book("notices.list", list_at, key, **facts)


def unbook(ctx: Context, notice: Notice) -> None:
    for name in ("notices.close", "notices.due", "notices.chase", "notices.list"):
        diary.cancel(ctx.db, name, _key(notice))


def _key(notice: Notice) -> str:
    return f"{notice.id}:{int(notice.starts.timestamp())}"


# --- small words ----------------------------------------------------------------------------------------------


def today(ctx: Context) -> date:
    return when.local_date(ctx.now, ctx.school.zone)


def day_of(ctx: Context, notice: Notice) -> date:
    return when.local_date(notice.starts, ctx.school.zone)


def quoted(ctx: Context) -> Notice | None:
    """The notice whose card, in whatever form, was answered to."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    return notices.get(ctx.db, int(number)) if prefix in QUOTED else None


def aloud(ctx: Context, reply: Reply) -> Reply:
    """Words are answered in words, but never in a group."""
    if isinstance(reply, Toast):
        return reply.text if ctx.place.private else None
    return reply


def show(ctx: Context, key: str) -> Reply:
    """A card for the one who asked, and for nobody else in the room."""
    if ctx.place.private:
        return Show(key)
    ctx.post(key, Persons([ctx.me.id]))
    return None

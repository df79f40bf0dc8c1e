"""会议通知: announced in a sentence, answered in a word, counted once.

1.  The office types 发通知 周五下午三点半 三楼会议室 教学例会; what is missing is asked, one thing at a time. A draft
    shows the date written out, how many people and groups, and what to look at twice.
2.  确认发送, once: one card in each bound group, at night only after the quiet hours unless 现在就发 is pressed.
3.  能到 / 晚到 / 请假, by tap or by word (answers.py). The counter is edited in place; the group reads no other word.
    The last answer before the deadline counts, every answer is kept. A reason for leave is asked in private and shown
    to the office only. With two open notices an unquoted 收到 is asked about, once, in private.
4.  notices.chase, before it closes: the silent are reminded once, in private, with the same buttons. 催一下 does it
    now. The caps of storage.nudges hold over everything; 今天别提醒 stops it for the day.
5.  谁还没回 and 统计 answer the office, in private.
6.  更正通知 and 取消通知 show the difference, and after a yes tell every group that was told; where time or place
    changed, who is coming hears of it in private and keeps the answer. What was booked is struck out or booked anew.
7.  notices.due, at the deadline: the card says so. notices.close, at the start: the card is settled. Both only
    publish: an answer is compared with the clock in its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot.kit.context import Context
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.feature import Feature
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.notices import answers, cards, changes, forms, office, rules, sections, taps
from handlers.notices.answers import Heard
from handlers.notices.rules import Answer
from storage import notices, nudges, people, rsvps
from storage.notices import Notice

feature = Feature("notices", title=N_("会议通知"))

feature.card("notice")(sections.drawn(cards.group))
feature.card("notice-me")(sections.drawn(cards.mine))
feature.card("notice-draft")(sections.draft_card)
feature.card("notice-fix")(sections.fix_card)
feature.card("notice-silent")(sections.silent_card)
feature.card("notice-stats")(sections.stats_card)
feature.section(N_("本月会议"))(sections.monthly)

feature.action(taps.Rsvp)(taps.answer)
feature.action(taps.Mute)(taps.mute)
feature.action(taps.OnDraft, who=Role.OFFICE)(taps.on_draft)
feature.action(taps.OnChange, who=Role.OFFICE)(changes.on_change)
feature.action(taps.Chase, who=Role.OFFICE)(office.chase_tap)
feature.phrase(office.read_step, scope=office.pending, who=Role.OFFICE)(office.by_word)
feature.form(forms.Announce, who=Role.OFFICE)(office.announced)
feature.form(forms.NewTime, who=Role.OFFICE)(changes.new_time)
feature.form(forms.NewPlace, who=Role.OFFICE)(changes.new_place)
feature.form(forms.NewTopic, who=Role.OFFICE)(changes.new_topic)
feature.form(forms.Correct, who=Role.OFFICE)(changes.correct)
feature.form(forms.Cancel, who=Role.OFFICE)(changes.cancel)

office_says = partial(feature.command, who=Role.OFFICE)
listed = partial(office_says, private=True)
office_says("发通知", "发会议通知", help=N_("发通知 周五下午三点半 三楼会议室 教学例会"))(office.announce)
office_says("更正通知", help=N_("改时间、地点或主题，告诉收到过的群"))(changes.ask_correction)
office_says("取消通知", help=N_("取消会议，告诉收到过的群"))(changes.ask_cancel)
listed("谁还没回", "谁没回", help=N_("看还没有答复的名单"))(office.who_is_silent)
listed("统计", "统计一下", whole=True, help=N_("看答复的人数"))(office.numbers)
listed("催一下", "提醒没回的", whole=True, help=N_("私聊提醒还没有答复的老师"))(office.chase)


# --- what teachers say ----------------------------------------------------------------------------------------


def meant(ctx: Context, said: Said) -> Sequence[Notice] | None:
    """What an answer in words is about: the quoted notice, else what is open here; ``None``: it is no answer to us."""
    heard = answers.hear(said.text)
    if heard is None or not rules.about_me(heard.who, ctx.me.name, ctx.me.department):
        return None
    if said.quotes is not None:
        found = taps.quoted(ctx)
        return [found] if found else None
    if not ctx.place.private and not _ours(ctx):
        return None
    found_here = notices.opened(ctx.db, ctx.now)
    if found_here or not ctx.place.private or heard.plain:
        return found_here or None  # a 好的 in private, with nothing open, is said to somebody else
    return notices.begun(ctx.db, ctx.now, ctx.now - rules.AFTER)[:1] or None


def _ours(ctx: Context) -> bool:
    group = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    return group is not None and group.bound_at is not None


@feature.phrase(answers.hear, scope=meant)
def acknowledge(ctx: Context, heard: Heard, about: Sequence[Notice]) -> Reply:
    """In the group nothing is answered: the counter on the card is the answer; what went wrong is said in private."""
    if heard.plain and len(about) > 1:
        about = [one for one in about if rsvps.mine(ctx.db, one.id, ctx.me.id) is None]
    if not about:
        return _("都已经答复过了；要改请回复“能到”“晚到”或“请假”。") if ctx.place.private else None
    if len(about) > 1:
        known = {"answer": heard.answer, "note": heard.note[:100], "plain": heard.plain}
        return Ask(forms.Which, known, private=True, toast=_("请点卡片上的按钮。"))
    return taps.aloud(ctx, _answer(ctx, heard, about[0]))


@feature.form(forms.Which)
def which(ctx: Context, form: forms.Which) -> Reply:
    notice = rules.check_open(notices.get(ctx.db, form.notice), ctx.now, ctx.school)
    return taps.aloud(ctx, _answer(ctx, Heard(form.answer, form.note, form.plain), notice))


@feature.form(forms.Reason)
def reason(ctx: Context, form: forms.Reason) -> Reply:
    """Another answer typed here is a second thought, not a reason."""
    given = rsvps.mine(ctx.db, form.notice, ctx.me.id)
    heard = answers.hear(form.reason)
    if heard is not None and heard.answer is not Answer.LEAVE and not heard.plain:
        notice = rules.check_open(notices.get(ctx.db, form.notice), ctx.now, ctx.school)
        return taps.aloud(ctx, _answer(ctx, heard, notice))
    if given is None or given.answer != Answer.LEAVE.value:
        return _("这次没有请假，没有改动。")
    if not form.reason:
        return _("好的，原因不填也可以。")
    rsvps.keep(ctx.db, form.notice, rules.with_note(given, form.reason, ctx.now))
    return _("原因已记下，只有办公室看得到。")


def _answer(ctx: Context, heard: Heard, notice: Notice) -> Reply:
    notice = rules.check_open(notice, ctx.now, ctx.school)
    before = rsvps.mine(ctx.db, notice.id, ctx.me.id) if heard.plain else None
    if before is not None:  # a bare 收到 takes nothing back
        label = Answer(before.answer).label
        return Toast(_("之前记的是“{answer}”，没有改动；要改请回复“能到”“晚到”或“请假”。", answer=label))
    if heard.note and (other := _somebody_else(ctx, heard.note)):
        raise Refused(_("没有记下：{name} 的答复请本人来点，或者告诉办公室。", name=other))
    if heard.answer is Answer.LEAVE:
        reply = taps.leave(ctx, notice, heard.note)  # in private the question itself says that it is written down
        return replace(reply, toast="") if isinstance(reply, Ask) and ctx.place.private else reply
    return Toast(taps.keep(ctx, notice, heard.answer, heard.note))


def _somebody_else(ctx: Context, note: str) -> str:
    """张三生病请假, said by somebody else: a proxy, which only 张三 can confirm."""
    return next((one.name for one in people.active(ctx.db) if one.name in note and one.id != ctx.me.id), "")


@feature.command("今天别提醒", "别提醒了", "今天别提醒了", private=True, whole=True, help=N_("今天不再私聊提醒我"))
def mute(ctx: Context, rest: str) -> Reply:
    nudges.mute(ctx.db, ctx.me.id, taps.today(ctx))
    return _("今天不再提醒您；新的通知照常会发。")


# --- our later selves -----------------------------------------------------------------------------------------


@feature.appointment("chase")
def chase(ctx: Context, notice: int) -> None:
    """Once, whoever is silent by now; should we wake in the night, then in the morning, if that still helps."""
    found = notices.get(ctx.db, notice)
    if found is None or found.state != notices.OPEN or ctx.now >= found.closes:
        return
    awake = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    if awake > ctx.now:
        if awake < found.closes:
            ctx.book("notices.chase", awake, f"{notice}:morning", notice=notice)
        return
    office.remind(ctx, found)


@feature.appointment("due")
def due(ctx: Context, notice: int) -> None:
    ctx.redraw(f"notice:{notice}")
    ctx.redraw(f"notice-me:{notice}")


@feature.appointment("close")
def close(ctx: Context, notice: int) -> None:
    """The start as it is now, not as it was when we were booked."""
    found = notices.get(ctx.db, notice)
    if found is None or found.starts > ctx.now or not notices.turn(ctx.db, notice, notices.OPEN, notices.CLOSED):
        return
    ctx.settle(f"notice:{notice}")
    ctx.redraw(f"notice-me:{notice}")

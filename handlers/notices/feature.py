"""会议通知: announced in a sentence, answered in a word, counted once.

1.  The office types 发通知 周五下午三点半 三楼会议室 教学例会，数学组参加，带上听课本; what is missing is asked, one
    thing at a time. A draft shows the date written out, how many people and groups, and what to look at twice: a day
    off, what they have that day already, the third meeting of the week. @所有人 is confirmed a second time.
2.  确认发送, once: one card in each bound group, at night only after the quiet hours unless 现在就发 is pressed.
3.  能到 / 晚到 / 请假, by tap or by word (heard.py, answers.py), for somebody else (proxies.py), or in a pasted 接龙
    (rolls.py). The counter is edited in place; the group reads no other word. The last answer before the deadline
    counts, every answer is kept. A reason for leave is asked in private; the office says yes or no (leaves.py). A
    question that came along goes to the office, and its answer back (questions.py).
4.  notices.chase, before it closes: the silent are reminded, in private, all that is open in one message
    (reminders.py). 催一下 does it now. The caps of storage.nudges hold over everything; 稍后, 今天别提醒 and
    本周别再提醒 are obeyed. notices.list: the office has the names of those who stay silent.
5.  谁还没回 and 统计 answer the office, in private.
6.  更正通知, 改期, 取消通知, 撤回通知 and 追加对象 show the difference, and after a yes tell exactly whom it concerns
    (changes.py). Answers stand. What was booked is struck out or booked anew.
7.  notices.due, at the deadline: the card says so. notices.close, at the start: the card is settled. Both only
    publish: an answer is compared with the clock in its own transaction.
"""

from __future__ import annotations

from functools import partial

from bot.kit.context import Context
from bot.kit.feature import Feature
from bot.kit.role import Role
from bot.kit.words import N_
from handlers.notices import (
    answers,
    asides,
    cards,
    changes,
    forms,
    heard,
    leaves,
    lists,
    office,
    proxies,
    questions,
    reminders,
    rolls,
    sections,
    taps,
)
from storage import notices

feature = Feature("notices", title=N_("会议通知"))

feature.card("notice")(sections.drawn(cards.group))
feature.card("notice-me")(sections.drawn(cards.mine))
feature.card("notice-new")(sections.drawn(asides.invited))
feature.card("notice-gone")(sections.drawn(asides.gone))
feature.card("notice-todo")(asides.todo)
feature.card("notice-moved")(asides.moved)
feature.card("notice-for")(asides.proxy)
feature.card("notice-off")(asides.leave)
feature.card("notice-ask")(asides.question)
feature.card("notice-draft")(sections.draft_card)
feature.card("notice-loud")(asides.loud)
feature.card("notice-fix")(sections.fix_card)
feature.card("notice-silent")(sections.silent_card)
feature.card("notice-stats")(sections.stats_card)
feature.section(N_("本月会议"))(sections.monthly)

# --- what teachers say and press ------------------------------------------------------------------------------

feature.action(taps.Rsvp)(taps.answer)
feature.action(taps.Later)(reminders.later)
feature.action(taps.Mute)(reminders.mute)
feature.action(taps.MuteWeek)(reminders.mute_week)
feature.action(proxies.OnProxy)(proxies.on_proxy)
feature.phrase(questions.read_any, scope=questions.quoted, who=Role.OFFICE)(questions.reply)
feature.phrase(lists.read_roll, scope=rolls.meant, passed_on=True)(rolls.paste)
feature.phrase(answers.hear, scope=heard.meant)(heard.acknowledge)
feature.form(forms.Which)(heard.which)
feature.form(forms.ForWhom)(heard.for_whom)
feature.form(forms.WhichRoll)(rolls.decided)
feature.form(forms.Reason)(heard.reason)
quiet_word = partial(feature.command, private=True, whole=True)
quiet_word("今天别提醒", "别提醒了", "今天别提醒了", help=N_("今天不再私聊提醒我"))(reminders.quiet_today)
quiet_word("本周别再提醒", "本周别提醒", "这周别提醒", help=N_("本周不再私聊提醒我"))(reminders.quiet_this_week)

# --- what the office says and presses -------------------------------------------------------------------------

feature.action(taps.OnDraft, who=Role.OFFICE)(taps.on_draft)
feature.action(taps.OnChange, who=Role.OFFICE)(changes.on_change)
feature.action(taps.Chase, who=Role.OFFICE)(reminders.chase_tap)
feature.action(leaves.OnLeave, who=Role.OFFICE)(leaves.on_leave)
feature.action(questions.OnQuestion, who=Role.OFFICE)(questions.on_question)
feature.phrase(office.read_step, scope=office.pending, who=Role.OFFICE)(office.by_word)
feature.form(forms.Announce, who=Role.OFFICE)(office.announced)
feature.form(forms.NewTime, who=Role.OFFICE)(changes.new_time)
feature.form(forms.NewPlace, who=Role.OFFICE)(changes.new_place)
feature.form(forms.NewTopic, who=Role.OFFICE)(changes.new_topic)
feature.form(forms.Correct, who=Role.OFFICE)(changes.correct)
feature.form(forms.Cancel, who=Role.OFFICE)(changes.cancel)
feature.form(forms.Retract, who=Role.OFFICE)(changes.retract)
feature.form(forms.Widen, who=Role.OFFICE)(changes.widen)
feature.form(questions.Answered, who=Role.OFFICE)(questions.answered)

office_says = partial(feature.command, who=Role.OFFICE)
listed = partial(office_says, private=True)
office_says("发通知", "发会议通知", help=N_("发通知 周五下午三点半 三楼会议室 教学例会"))(office.announce)
office_says("更正通知", help=N_("改时间、地点或主题，告诉收到过的群"))(changes.ask_correction)
office_says("改期", help=N_("改期 周五下午四点：只改时间"))(changes.ask_move)
office_says("取消通知", help=N_("取消会议，告诉收到过的群"))(changes.ask_cancel)
office_says("撤回通知", help=N_("发错了的通知，告诉收到过的群不用理会"))(changes.ask_retract)
office_says("追加对象", "追加通知对象", help=N_("追加对象 数学组：只私聊告诉新加的人"))(changes.ask_widen)
listed("谁还没回", "谁没回", help=N_("看还没有答复的名单"))(office.who_is_silent)
listed("统计", "统计一下", whole=True, help=N_("看答复的人数"))(office.numbers)
listed("催一下", "提醒没回的", whole=True, help=N_("私聊提醒还没有答复的老师"))(reminders.chase)


# --- our later selves -----------------------------------------------------------------------------------------

feature.appointment("chase")(reminders.chase_due)
feature.appointment("again")(reminders.again)
feature.appointment("list")(reminders.list_due)
feature.appointment("leave")(leaves.late_show)


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

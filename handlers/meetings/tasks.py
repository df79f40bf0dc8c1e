"""What comes after: tasks with an owner and a date, and the reading of those who were not there.

Both come back at most twice, awake, within the caps of ``storage.nudges``; whoever has said 完成 hears nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bot.kit import when
from bot.kit.context import Context, Persons
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.words import _
from handlers.meetings import forms, rules, sections
from handlers.meetings.taps import CaughtUp, Done, DropTask
from storage import followups, notices, nudges, people
from storage.followups import OPEN, Catchup, Task
from storage.notices import Notice

# --- tasks ----------------------------------------------------------------------------------------------------


def by_word(ctx: Context, rest: str) -> Reply:
    """行动项 王老师 周五前 交教案; alone it shows what is open."""
    if not rest.strip():
        return Show("meeting-tasks:0")
    return Ask(forms.NewTask, {"notice": _just_held(ctx), **glean(ctx, rest)}, private=True)


def glean(ctx: Context, text: str) -> dict[str, object]:
    """What one sentence says: who, until when, what. What is not certain is asked."""
    found, rest = rules.owners(text, people.active(ctx.db))
    values: dict[str, object] = {"owners": [one.id for one in found]} if found else {}
    reading = None
    try:
        reading = ctx.school.read_time(rest, ctx.now)
    except NotUnderstood as error:
        ctx.say(error.sentence, to=Persons([ctx.me.id]))
    if reading is not None and reading.latest is not None and reading.sure and reading.latest > ctx.now:
        values["due"] = reading.latest
        rest = rest[: reading.span[0]] + " " + rest[reading.span[1] :]
    what = " ".join(rest.split()).strip(" ，,。：:")
    return {**values, "what": what[:200]} if what and found else values


def _just_held(ctx: Context) -> int:
    """The quoted meeting, or the only one that was on today."""
    found = sections.meant(ctx, "")
    return found.id if found is not None and found.starts <= ctx.now else 0


def add(ctx: Context, form: forms.NewTask) -> str:
    if form.due <= ctx.now:
        raise Refused(_("这个期限已经过去了，请重新发一次。"))
    for owner in form.owners:
        number = followups.add(
            ctx.db,
            notice=form.notice or None,
            owner=owner,
            what=form.what[:200],
            due=form.due,
            by=ctx.me.id,
            now=ctx.now,
        )
        ctx.post(f"meeting-task:{number}", Persons([owner]), gentle=True)
        for at in rules.reminders(form.due, ctx.now, ctx.school):
            ctx.book("meetings.task", at, f"{number}:{int(at.timestamp())}", task=number)
    if form.notice:
        ctx.redraw(f"meeting-minutes:{form.notice}")
    ctx.redraw("meeting-tasks:0")
    known = people.addresses(ctx.db, form.owners)
    due = ctx.school.write_time(form.due, ctx.now)
    said = _("已记下行动项，{due} 前：{what}。到时候私聊提醒，办完了点“完成”。", due=due, what=form.what)
    left = len(form.owners) - len(known)
    return said + (_("有 {n} 人还私聊不到，请当面告诉他们。", n=left) if left else "")


def done(ctx: Context, tap: Done) -> Reply:
    task = _mine(ctx, tap.task)
    if not followups.turn(ctx.db, task.id, followups.DONE, ctx.now):
        raise Refused(_("这件事已经办完或撤掉了。"))
    _redraw(ctx, task)
    return Toast(_("已记下：办完了，谢谢。"))


def _mine(ctx: Context, number: int) -> Task:
    task = followups.task(ctx.db, number)
    if task is None or task.owner != ctx.me.id:
        raise Refused(_("这不是您的行动项，请本人来点，或者告诉办公室。"))
    return task


def says_done(text: str) -> bool | None:
    return True if text.strip(" 。.!！") in ("完成", "已完成", "办完了", "办好了") else None


def about_task(ctx: Context, said: Said) -> Task | None:
    """The quoted card, else the only task that is open; in a group only an answer to a card is meant for us."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if prefix == "meeting-task":
        return followups.task(ctx.db, int(number))
    mine = followups.open_tasks(ctx.db, ctx.me.id) if ctx.place.private and ctx.quoted is None else []
    return mine[0] if len(mine) == 1 else None


def done_by_word(ctx: Context, meaning: bool, task: Task) -> Reply:
    reply = done(ctx, Done(task.id))
    return reply.text if isinstance(reply, Toast) and ctx.place.private else None


def drop(ctx: Context, tap: DropTask) -> Reply:
    task = followups.task(ctx.db, tap.task)
    if task is None or not followups.turn(ctx.db, task.id, followups.DROPPED, ctx.now):
        raise Refused(_("这件事已经办完或撤掉了。"))
    _redraw(ctx, task)
    return Toast(_("已撤掉，不再提醒。"))


def _redraw(ctx: Context, task: Task) -> None:
    ctx.redraw(f"meeting-task:{task.id}")
    ctx.redraw("meeting-tasks:0")
    if task.notice:
        ctx.redraw(f"meeting-minutes:{task.notice}")


def mine(ctx: Context, rest: str) -> Reply:
    """我的行动项: each with its button."""
    found = followups.open_tasks(ctx.db, ctx.me.id)
    waiting = followups.catchups_mine(ctx.db, ctx.me.id)
    for one in found[:10]:
        ctx.post(f"meeting-task:{one.id}", Persons([ctx.me.id]))
    for other in waiting[:10]:
        ctx.post(f"meeting-catchup:{other.id}", Persons([ctx.me.id]))
    return None if found or waiting else _("没有等您办的事。")


def remind_task(ctx: Context, task: int) -> None:
    """The appointment ``meetings.task``."""
    found = followups.task(ctx.db, task)
    if found is not None and found.state == OPEN and ctx.now < found.due:
        _remind(ctx, found.owner, f"meeting-task:{task}", "meetings.task", found.due, {"task": task})


# --- catching up ----------------------------------------------------------------------------------------------


def ask_to_catch_up(ctx: Context, notice: Notice, persons: Sequence[int]) -> None:
    """After the minutes were sent; once a person."""
    due = ctx.now + rules.CATCH_UP
    for person in persons:
        followups.expect(ctx.db, notice.id, person, due)
    for person, one in followups.catchups_of(ctx.db, notice.id).items():
        if person in persons and one.state == OPEN:
            ctx.post(f"meeting-catchup:{one.id}", Persons([person]), gentle=True)
            for at in rules.reminders(one.due, ctx.now, ctx.school):
                ctx.book("meetings.read", at, f"{one.id}:{int(at.timestamp())}", catchup=one.id)


def caught_up(ctx: Context, tap: CaughtUp) -> Reply:
    one = followups.catchup(ctx.db, tap.catchup)
    if one is None or one.person != ctx.me.id:
        raise Refused(_("这不是发给您的补学，请本人来点。"))
    if one.state == followups.DROPPED:
        raise Refused(_("已经给您补签了，不用补学。"))
    return Toast(_caught(ctx, one))


def _caught(ctx: Context, one: Catchup) -> str:
    followups.end_catchup(ctx.db, one.id, followups.DONE, ctx.now)
    ctx.redraw(f"meeting-catchup:{one.id}")
    ctx.redraw(f"meeting-minutes:{one.notice}")
    return _("已记下：已补学，谢谢。")


def excuse(ctx: Context, notice: Notice, persons: Sequence[int]) -> None:
    """They were there after all."""
    for person, one in followups.catchups_of(ctx.db, notice.id).items():
        if person in persons and followups.end_catchup(ctx.db, one.id, followups.DROPPED, ctx.now):
            ctx.redraw(f"meeting-catchup:{one.id}")


def caught_up_by_word(ctx: Context, rest: str) -> Reply:
    """已补学: the one there is; several are shown, each with its button."""
    found = followups.catchups_mine(ctx.db, ctx.me.id)
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if prefix == "meeting-catchup":
        found = [one for one in found if one.id == int(number)]
    if len(found) == 1:
        return _caught(ctx, found[0])
    for one in found:
        ctx.post(f"meeting-catchup:{one.id}", Persons([ctx.me.id]))
    return None if found else _("没有等您补学的会议。")


def remind_reading(ctx: Context, catchup: int) -> None:
    """The appointment ``meetings.read``."""
    one = followups.catchup(ctx.db, catchup)
    notice = notices.get(ctx.db, one.notice) if one else None
    if one is not None and notice is not None and one.state == OPEN and ctx.now < one.due:
        key = f"meeting-catchup:{catchup}"
        _remind(ctx, one.person, key, "meetings.read", one.due, {"catchup": catchup})


# --- within the caps ------------------------------------------------------------------------------------------


def _remind(ctx: Context, person: int, card: str, name: str, due: datetime, args: dict[str, int | str]) -> None:
    """In private; not to who is away, and only where the caps of the matter and of the day allow it.

    Should we wake in the night, then in the morning, if that still helps.
    """
    awake = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    if awake > ctx.now:
        if awake < due:
            ctx.book(name, awake, f"{card}:{int(awake.timestamp())}", **args)
        return
    today, known = _today(ctx), people.get(ctx.db, person)
    if known is None or not known.active or person in people.away(ctx.db, today):
        return
    caps = {"per_matter": ctx.school.reminders_per_matter, "per_day": ctx.school.reminders_per_day}
    if people.addresses(ctx.db, [person]) and nudges.allowed(ctx.db, person, card, today, **caps):
        nudges.note(ctx.db, person, card, today)
        ctx.post(card, Persons([person]), gentle=True)


def _today(ctx: Context) -> date:
    return when.local_date(ctx.now, ctx.school.zone)

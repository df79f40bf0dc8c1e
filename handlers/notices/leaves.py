"""Leave from a meeting: it counts at once; the office sees the reason, says yes or no, and the person hears of it.

The request is shown once the reason is known, or ten minutes later without one. The group never learns any of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from bot.kit.action import Action
from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.reply import Reply, Toast
from bot.kit.role import Role
from bot.kit.words import _
from handlers.notices import rules
from handlers.notices.rules import Answer
from storage import absences, notices, people, rsvps
from storage.notices import Notice

PATIENCE = timedelta(minutes=10)  # so long the reason may take before the office sees the request without it


class Verdict(StrEnum):
    YES = "y"
    NO = "x"


@dataclass(frozen=True)
class OnLeave(Action, verb="nt.off"):
    absence: int
    verdict: Verdict


def request(ctx: Context, notice: Notice, person: int, *, said_all: bool) -> None:
    """``said_all``: no reason will follow. Somebody whose leave waits or was granted asks for nothing new."""
    number = absences.ask(ctx.db, notice.id, person, ctx.now)
    if number is None:
        known = absences.mine(ctx.db, notice.id, person)
        if known is not None:
            reason_came(ctx, notice, person)
        return
    if said_all:
        show(ctx, number)
    else:
        ctx.book("notices.leave", ctx.now + PATIENCE, f"{number}:{int(ctx.now.timestamp())}", absence=number)


def reason_came(ctx: Context, notice: Notice, person: int) -> None:
    """The office sees the request now, or the reason on the card it has."""
    known = absences.mine(ctx.db, notice.id, person)
    if known is not None and not show(ctx, known.id):
        ctx.redraw(f"notice-off:{known.id}")


def show(ctx: Context, number: int) -> bool:
    """Once; ``False`` when it was shown already or is wanted no more."""
    found = absences.get(ctx.db, number)
    if found is None or not absences.turn(ctx.db, number, absences.NEW, absences.ASKED, None, ctx.now):
        return False
    if to := approvers(ctx, found.person):
        ctx.post(f"notice-off:{number}", Persons(to), gentle=True)
    return True


def approvers(ctx: Context, person: int) -> Sequence[int]:
    """The office; who asks for their own leave is not their own approver."""
    for role in (Role.OFFICE, Role.PRINCIPAL):
        found = [one.id for one in people.holding(ctx.db, role.value) if one.id != person]
        if found:
            return found
    return []


def withdraw(ctx: Context, notice: Notice, person: int) -> None:
    """They come after all."""
    known = absences.mine(ctx.db, notice.id, person) if person in absences.asked(ctx.db, notice.id) else None
    if known is not None and known.state != absences.WITHDRAWN:
        absences.turn(ctx.db, known.id, known.state, absences.WITHDRAWN, None, ctx.now)
        ctx.redraw(f"notice-off:{known.id}")


def on_leave(ctx: Context, tap: OnLeave) -> Reply:
    absence = absences.get(ctx.db, tap.absence)
    if absence is None or absence.state == absences.NEW:
        raise Refused(_("没有这份请假。"))
    if absence.state == absences.WITHDRAWN:
        raise Refused(_("本人已经改为能来，不用批了。"))
    if absence.state != absences.ASKED:
        raise Refused(_("这份请假已经批过了，没有再改；有变动请直接告诉本人。"))
    if absence.person == ctx.me.id:
        raise Refused(_("自己的请假请别人来批。"))
    notice = rules.check_told(notices.get(ctx.db, absence.notice))
    granted = tap.verdict is Verdict.YES
    to = absences.GRANTED if granted else absences.DECLINED
    absences.turn(ctx.db, absence.id, absences.ASKED, to, ctx.me.id, ctx.now)
    ctx.redraw(f"notice-off:{absence.id}")
    ctx.say(_verdict(ctx, notice, granted=granted), to=Persons([absence.person]), gentle=True)
    return Toast(_("已同意，告诉了本人。") if granted else _("没有同意，告诉了本人。"))


def _verdict(ctx: Context, notice: Notice, *, granted: bool) -> str:
    facts = {"at": rules.written(notice.starts, notice.ends, ctx.school), "topic": notice.topic}
    if granted:
        return _("请假已同意：{at} {topic}。", **facts)
    return _("请假没有同意：{at} {topic}。请联系办公室；能来请回复“能到”。", **facts)


def late_show(ctx: Context, absence: int) -> None:
    """The appointment ``notices.leave``: no reason came."""
    found = absences.get(ctx.db, absence)
    given = rsvps.mine(ctx.db, found.notice, found.person) if found else None
    if found is not None and given is not None and given.answer == Answer.LEAVE.value:
        show(ctx, absence)

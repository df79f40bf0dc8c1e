"""An answer in words: whose it is, which notice it is about, and what is asked where that is not certain.

In the group nothing is answered: the counter on the card is the answer; what went wrong is said in private.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.kit import names, when
from bot.kit.context import Context
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import _
from handlers.notices import answers, forms, leaves, proxies, questions, rules, sections, taps
from handlers.notices.answers import Heard
from handlers.notices.rules import Answer
from storage import notices, people, rsvps
from storage.notices import Notice
from storage.people import Person

SKEW = timedelta(minutes=5)  # between the platform's clock and ours


@dataclass(frozen=True, slots=True)
class About:
    """``whose``: the person answered for. ``unsure``: something speaks against what was found, so it is asked."""

    notices: Sequence[Notice]
    whose: Person
    unsure: bool = False


def meant(ctx: Context, said: Said) -> About | None:
    """What an answer in words is about: the quoted notice, else what is open here; ``None``: it is no answer to us."""
    heard = answers.hear(said.text)
    whose = _whose(ctx, heard) if heard else None
    if heard is None or whose is None:
        return None
    if said.quotes is not None:
        found = taps.quoted(ctx)
        return About([found], whose, _other_day(ctx, said.text, found)) if found else None
    if not ctx.place.private and not sections.ours(ctx):
        return None
    found_here = _known_then(ctx, notices.opened(ctx.db, ctx.now), said)
    if len(found_here) == 1:
        return About(found_here, whose, _other_day(ctx, said.text, found_here[0]))
    if found_here or not ctx.place.private or heard.plain:
        return About(found_here, whose) if found_here else None  # a 好的 in private, with nothing open, is for others
    begun = notices.begun(ctx.db, ctx.now, ctx.now - rules.AFTER)[:1]
    return About(begun, whose) if begun else None


def _known_then(ctx: Context, found: Sequence[Notice], said: Said) -> Sequence[Notice]:
    """An old 收到 that is mended today says nothing of a notice that came after it; who has answered may mend that."""
    if said.first_at is None:
        return found
    first = said.first_at + SKEW
    return [one for one in found if one.made_at <= first or rsvps.mine(ctx.db, one.id, ctx.me.id) is not None]


def _whose(ctx: Context, heard: Heard) -> Person | None:
    """张三收到, said by somebody else, is nobody's answer; 张三请假 may be one that is given for 张三."""
    if not heard.proxy and rules.about_me(heard.who, ctx.me.name, ctx.me.department):
        return ctx.me
    if heard.plain and not heard.proxy:
        return None
    found = names.match(heard.who, people.active(ctx.db))
    if found.person is not None:
        return found.person
    if heard.proxy and ctx.place.private:
        close = "、".join(people.told_apart(found.close))
        if close:
            raise Refused(_("没有记下：您说的是哪一位？{names}。请写全名和部门再说一次。", names=close))
        raise Refused(_("没有记下：名册里没有“{name}”，请写全名再说一次。", name=heard.who))
    return None


def _other_day(ctx: Context, text: str, notice: Notice) -> bool:
    """明天请假, to a meeting on Friday: it may be about something else."""
    if not _NAMES_A_DAY.search(text):
        return False
    try:
        reading = ctx.school.read_time(text, ctx.now)
    except NotUnderstood:
        return True
    if reading is None or reading.start is None:
        return False
    return when.local_date(reading.start, ctx.school.zone) != taps.day_of(ctx, notice)


_NAMES_A_DAY = re.compile(r"[今明后]天|大后天|周[一二三四五六日天末]|星期|礼拜|\d[号日月]|月底|月初")


def acknowledge(ctx: Context, heard: Heard, about: About) -> Reply:
    found = about.notices
    if heard.plain and len(found) > 1:
        found = [one for one in found if rsvps.mine(ctx.db, one.id, about.whose.id) is None]
    if not found:
        return _("都已经答复过了；要改请回复“能到”“晚到”或“请假”。") if ctx.place.private else None
    others = about.whose.id != ctx.me.id and not heard.proxy
    if len(found) > 1 or about.unsure or others:
        whose = about.whose.id if about.whose.id != ctx.me.id else 0
        known = {"answer": heard.answer, "note": heard.note[:100], "plain": heard.plain, "asks": heard.asks[:200]}
        form = forms.ForWhom if others and len(found) == 1 else forms.Which
        more = {"notice": found[0].id, "called": about.whose.name} if form is forms.ForWhom else {}
        return Ask(form, {**known, "whose": whose, **more}, private=True, toast=_("请点卡片上的按钮。"))
    return taps.aloud(ctx, take(ctx, heard, found[0], about.whose))


def which(ctx: Context, form: forms.Which) -> Reply:
    heard = Heard(form.answer, form.note, form.plain, asks=form.asks)
    return _asked(ctx, heard, form.notice, form.whose)


def for_whom(ctx: Context, form: forms.ForWhom) -> Reply:
    """张三请假, said by a colleague."""
    if not form.yes:
        return _("好的，没有记下。自己的答复请点卡片，或者回复“能到”“晚到”“请假”。")
    return _asked(ctx, Heard(form.answer, form.note, asks=form.asks), form.notice, form.whose)


def _asked(ctx: Context, heard: Heard, number: int, whose: int) -> Reply:
    notice = rules.check_open(notices.get(ctx.db, number), ctx.now, ctx.school)
    person = people.get(ctx.db, whose) if whose else ctx.me
    if person is None or not person.active:
        raise Refused(_("没有记下：名册里没有这个人了。"))
    return taps.aloud(ctx, take(ctx, heard, notice, person))


def take(ctx: Context, heard: Heard, notice: Notice, whose: Person) -> Reply:
    """One answer to one notice by or for one person, and the question that came with it."""
    notice = rules.check_open(notice, ctx.now, ctx.school)
    if whose.id != ctx.me.id:
        reply: Reply = Toast(proxies.record(ctx, notice, whose, heard))
    else:
        reply = _mine(ctx, heard, notice)
    if not heard.asks:
        return reply
    questions.put(ctx, notice, heard.asks)
    return Toast(_("{said}问题已转给办公室。", said=f"{reply.text}。")) if isinstance(reply, Toast) else reply


def _mine(ctx: Context, heard: Heard, notice: Notice) -> Reply:
    before = rsvps.mine(ctx.db, notice.id, ctx.me.id) if heard.plain else None
    if before is not None:  # a bare 收到 takes nothing back
        label = Answer(before.answer).label
        return Toast(_("之前记的是“{answer}”，没有改动；要改请回复“能到”“晚到”或“请假”。", answer=label))
    if heard.answer is Answer.LEAVE:
        reply = taps.leave(ctx, notice, heard.note)  # in private the question itself says that it is written down
        return replace(reply, toast="") if isinstance(reply, Ask) and ctx.place.private else reply
    return Toast(taps.keep(ctx, notice, heard.answer, heard.note, plain=heard.plain))


def reason(ctx: Context, form: forms.Reason) -> Reply:
    """Another answer typed here is a second thought, not a reason."""
    given = rsvps.mine(ctx.db, form.notice, ctx.me.id)
    heard = answers.hear(form.reason)
    if heard is not None and heard.answer is not Answer.LEAVE and not heard.plain and not heard.who:
        notice = rules.check_open(notices.get(ctx.db, form.notice), ctx.now, ctx.school)
        return taps.aloud(ctx, take(ctx, heard, notice, ctx.me))
    if given is None or given.answer != Answer.LEAVE.value:
        return _("这次没有请假，没有改动。")
    found = notices.get(ctx.db, form.notice)
    if form.reason:
        rsvps.keep(ctx.db, form.notice, rules.with_note(given, form.reason, ctx.now))
    if found is not None:
        leaves.reason_came(ctx, found, ctx.me.id)
    return _("原因已记下，只有办公室看得到。") if form.reason else _("好的，原因不填也可以。")

"""What the office does: announce, look who is silent, remind them now; and the same steps in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.kit.action import Action
from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Show
from bot.kit.words import N_, _
from handlers.notices import changes, forms, rules, sections, sentence, taps
from handlers.notices.taps import OnChange, OnDraft, Step
from storage import corrections, notices, nudges, people
from storage.notices import Notice

WAITS = timedelta(hours=12)  # so long a draft can be confirmed by a word; its buttons stay


def announce(ctx: Context, rest: str) -> Reply:
    found = sentence.glean(rest, ctx.now, ctx.school)
    if found.trouble:
        ctx.say(found.trouble, to=ctx.place if ctx.place.private else Persons([ctx.me.id]))
    return Ask(forms.Announce, forms.Announce.known(found), private=True)


def announced(ctx: Context, form: forms.Announce) -> Reply:
    """Everything is known: a draft, and its preview for the one who asked."""
    slot = form.slot
    if slot is None and form.day is not None:
        slot = sentence.on_day(form.day, form.hour, ctx.now, ctx.school, form.part)
    if slot is None or slot.starts <= ctx.now:
        ctx.say(_("这个时间已经过去了，请连日期一起再写一次。"), to=Persons([ctx.me.id]))
        return Ask(forms.Announce, {"topic": form.topic, "place": form.place}, private=True)
    number = notices.draft(
        ctx.db,
        topic=form.topic,
        place=form.place,
        starts=slot.starts,
        ends=slot.ends,
        sure=slot.sure,
        deadline=form.deadline if form.deadline and form.deadline < slot.starts else None,
        author=ctx.me.id,
        now=ctx.now,
    )
    return taps.show(ctx, f"notice-draft:{number}")


# --- the same steps in words ----------------------------------------------------------------------------------

_DRAFT_STEPS = {
    N_("确认发送"): Step.SEND,
    N_("现在就发"): Step.NOW,
    N_("改时间"): Step.TIME,
    N_("改地点"): Step.PLACE,
    N_("改主题"): Step.TOPIC,
    N_("不发了"): Step.DROP,
}
_CHANGE_STEPS = {
    N_("确认更正"): Step.SEND,
    N_("确认取消"): Step.SEND,
    N_("现在就发"): Step.NOW,
    N_("不改了"): Step.DROP,
}


def read_step(text: str) -> str | None:
    """A button's label, typed."""
    return next((word for word in (*_DRAFT_STEPS, *_CHANGE_STEPS) if text.strip() in (word, _(word))), None)


def pending(ctx: Context, said: Said) -> Action | None:
    """What the word is said to: the quoted preview, else the newest of mine that waits for a yes, in private only."""
    word, (prefix, _colon, number) = read_step(said.text) or "", (ctx.quoted or "").rpartition(":")
    if prefix == "notice-draft" and word in _DRAFT_STEPS:
        return OnDraft(int(number), _DRAFT_STEPS[word])
    if prefix == "notice-fix" and word in _CHANGE_STEPS:
        return OnChange(int(number), _CHANGE_STEPS[word])
    if prefix or not ctx.place.private:
        return None
    draft = notices.newest_draft(ctx.db, ctx.me.id, ctx.now - WAITS) if word in _DRAFT_STEPS else None
    change = corrections.planned(ctx.db, ctx.me.id, ctx.now - WAITS) if word in _CHANGE_STEPS else None
    if change and (draft is None or change.at >= draft.made_at):
        return OnChange(change.id, _CHANGE_STEPS[word])
    return OnDraft(draft.id, _DRAFT_STEPS[word]) if draft else None


def by_word(ctx: Context, word: str, action: Action) -> Reply:
    if isinstance(action, OnChange):
        return taps.aloud(ctx, changes.on_change(ctx, action))
    return taps.aloud(ctx, taps.on_draft(ctx, action)) if isinstance(action, OnDraft) else None


# --- who is silent --------------------------------------------------------------------------------------------


def who_is_silent(ctx: Context, rest: str) -> Reply:
    return Show(f"notice-silent:{_asked(ctx, rest).id}")


def numbers(ctx: Context, rest: str) -> Reply:
    return Show(f"notice-stats:{_asked(ctx, rest).id}")


def chase(ctx: Context, rest: str) -> Reply:
    """The quoted notice, or the newest that can still be answered."""
    open_now = notices.opened(ctx.db, ctx.now)
    return _chase(ctx, taps.quoted(ctx) or (open_now[-1] if open_now else _asked(ctx, rest)))


def chase_tap(ctx: Context, tap: taps.Chase) -> Reply:
    return _chase(ctx, rules.check_open(notices.get(ctx.db, tap.notice), ctx.now, ctx.school))


def _asked(ctx: Context, rest: str) -> Notice:
    """The quoted notice, the one named by its serial, or the newest."""
    serial = _SERIAL.search(rest)
    found = taps.quoted(ctx) or (notices.by_serial(ctx.db, serial[0]) if serial else notices.newest(ctx.db))
    if found is None or not found.serial:
        raise Refused(_("还没有发出过这样的通知。要发请回复“发通知”。"))
    return found


_SERIAL = re.compile(r"\d{4}-\d{2,}")

# --- reminding ------------------------------------------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Reminded:
    """``capped``: reminded enough already, or asked to be left alone today. ``unreached``: never wrote to us."""

    sent: int
    capped: int
    unreached: Sequence[str]


def remind(ctx: Context, notice: Notice) -> Reminded:
    """The silent, in private, as far as the caps allow; nobody else hears of it."""
    silent, matter, school = sections.silent(ctx, notice), f"notice:{notice.id}", ctx.school
    known = people.addresses(ctx.db, [one.id for one in silent])
    reached = [one.id for one in silent if one.id in known]
    caps = {"per_matter": school.reminders_per_matter, "per_day": school.reminders_per_day}
    allowed = nudges.among(ctx.db, reached, matter, taps.today(ctx), **caps)
    if allowed:
        ctx.post(f"notice-me:{notice.id}", Persons(allowed), gentle=True)
    for person in allowed:
        nudges.note(ctx.db, person, matter, taps.today(ctx))
    unreached = [one.name for one in silent if one.id not in known]
    return Reminded(len(allowed), len(reached) - len(allowed), unreached)


def _summary(done: Reminded) -> str:
    texts = [_("已私聊提醒 {n} 人。", n=done.sent) if done.sent else _("没有要提醒的人了。")]
    if done.capped:
        texts.append(_("{n} 人今天已经提醒够了或不想再被提醒，没有再打扰。", n=done.capped))
    if done.unreached:
        names = "、".join(done.unreached[:20])
        texts.append(_("{n} 人没有私聊过我，提醒不到：{names}。", n=len(done.unreached), names=names))
    return "".join(texts)

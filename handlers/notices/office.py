"""What the office does: announce, look who is silent; and the same steps in words."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.kit.action import Action
from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Show
from bot.kit.words import N_, _
from handlers.notices import changes, circles, forms, sentence, taps
from handlers.notices.taps import OnChange, OnDraft, Step
from storage import corrections, notices
from storage.notices import Notice

WAITS = timedelta(hours=12)  # so long a draft can be confirmed by a word; its buttons stay


def announce(ctx: Context, rest: str) -> Reply:
    found = sentence.glean(rest, ctx.now, ctx.school)
    trouble, known = found.trouble, forms.Announce.known(found)
    if found.circles:
        asked = circles.circles(ctx, found.circles)
        known |= {"unknown": True} if asked is None else {"circles": list(asked)}
        if asked is None:
            trouble = trouble or _("名册里没有“{names}”这样的部门。", names="、".join(found.circles))
    if trouble:
        ctx.say(trouble, to=ctx.place if ctx.place.private else Persons([ctx.me.id]))
    return Ask(forms.Announce, known, private=True)


def announced(ctx: Context, form: forms.Announce) -> Reply:
    """Everything is known: a draft, and its preview for the one who asked."""
    slot = form.slot
    if slot is None and form.day is not None:
        slot = sentence.on_day(form.day, form.hour, ctx.now, ctx.school, form.part)
    if slot is None or slot.starts <= ctx.now:
        ctx.say(_("这个时间已经过去了，请连日期一起再写一次。"), to=Persons([ctx.me.id]))
        known = {"topic": form.topic, "place": form.place, "bring": form.bring, "loud": form.loud}
        return Ask(forms.Announce, {**known, "circles": list(form.circles)}, private=True)
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
        audience=form.circles,
        bring=form.bring,
        loud=form.loud,
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
    N_("确认 @所有人"): Step.LOUD,
    N_("不@，照常发"): Step.QUIET,
}
_CHANGE_STEPS = {
    N_("确认更正"): Step.SEND,
    N_("确认取消"): Step.SEND,
    N_("确认撤回"): Step.SEND,
    N_("确认追加"): Step.SEND,
    N_("现在就发"): Step.NOW,
    N_("不改了"): Step.DROP,
}


def read_step(text: str) -> str | None:
    """A button's label, typed."""
    return next((word for word in (*_DRAFT_STEPS, *_CHANGE_STEPS) if text.strip() in (word, _(word))), None)


def pending(ctx: Context, said: Said) -> Action | None:
    """What the word is said to: the quoted preview, else the newest of mine that waits for a yes, in private only."""
    word, (prefix, _colon, number) = read_step(said.text) or "", (ctx.quoted or "").rpartition(":")
    if prefix in ("notice-draft", "notice-loud") and word in _DRAFT_STEPS:
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
    return Show(f"notice-silent:{asked_for(ctx, rest).id}")


def numbers(ctx: Context, rest: str) -> Reply:
    return Show(f"notice-stats:{asked_for(ctx, rest).id}")


def asked_for(ctx: Context, rest: str) -> Notice:
    """The quoted notice, the one named by its serial, or the newest."""
    serial = _SERIAL.search(rest)
    found = taps.quoted(ctx) or (notices.by_serial(ctx.db, serial[0]) if serial else notices.newest(ctx.db))
    if found is None or not found.serial:
        raise Refused(_("还没有发出过这样的通知。要发请回复“发通知”。"))
    return found


_SERIAL = re.compile(r"\d{4}-\d{2,}")

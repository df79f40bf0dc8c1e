"""What a teacher does about one reminder, by tap or by word: 已学, 稍后, 停."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.kit.context import Context
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import _
from handlers.study import forms, rules
from handlers.study.cards import Halt, Later, Learned, Reflect
from handlers.study.forms import Reflection, WhichLearned
from handlers.study.rules import Wait
from storage import diary, nudges, study
from storage.study import LATER, LEARNED, OPEN, Item


def learned(ctx: Context, tap: Learned) -> Reply:
    return Toast(_learn(ctx, rules.check_mine(study.item(ctx.db, tap.mark), ctx.me.id)))


def _learn(ctx: Context, item: Item, note: str = "") -> str:
    """Once is enough; said again it is still true."""
    if item.mark.state != LEARNED:
        study.set_mark(ctx.db, item.mark.id, LEARNED, ctx.now)  # what was booked for it finds it learned
    if note:
        study.set_note(ctx.db, item.mark.id, note)
    ctx.redraw(f"study:{item.mark.id}")
    ctx.redraw(f"plan:{item.plan.id}")
    if note:
        return _("已记下“{title}”和心得，心得只有您自己看得到。", title=item.plan.title)
    return _("已记下：“{title}”已学。", title=item.plan.title)


def reflect(ctx: Context, tap: Reflect) -> Reply:
    item = rules.check_mine(study.item(ctx.db, tap.mark), ctx.me.id)
    return Ask(Reflection, {"mark": item.mark.id}, private=True)


def keep_reflection(ctx: Context, form: Reflection) -> Reply:
    item = rules.check_mine(study.item(ctx.db, form.mark), ctx.me.id)
    return _learn(ctx, item, form.note[: rules.MOST_NOTE])


def about_learning(ctx: Context, said: Said) -> Sequence[Item] | None:
    """What 已学 may be about: the quoted card, else what is open, else what was learned just now."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if ctx.quoted is not None:
        item = study.item(ctx.db, int(number)) if prefix == "study" else None
        return [item] if item is not None and item.mark.person == ctx.me.id else None
    found = forms.open_items(ctx)
    return found or study.items_of(ctx.db, ctx.me.id, ctx.now - timedelta(days=2))[:1] or None


def learned_in_words(ctx: Context, note: str, items: Sequence[Item]) -> Reply:
    if len(items) > 1:
        return Ask(WhichLearned, {"note": note}, private=True)
    told = _learn(ctx, items[0], note)
    return told if ctx.place.private else None  # the group need not read it; the card says it


def learned_which(ctx: Context, form: WhichLearned) -> Reply:
    items = forms.open_items(ctx)
    for label, item in zip(rules.labels([item.plan for item in items]), items, strict=True):
        if label == form.which.strip():
            return _learn(ctx, item, form.note)
    return Ask(WhichLearned, {"note": form.note}, private=True) if items else _("没有等您学的了。")


# --- 4 later, again, no more ----------------------------------------------------------------------------------


def later(ctx: Context, tap: Later) -> Reply:
    return Toast(_put_off(ctx, rules.check_mine(study.item(ctx.db, tap.mark), ctx.me.id), tap.wait))


def _put_off(ctx: Context, item: Item, wait: Wait) -> str:
    asked = nudges.times(ctx.db, ctx.me.id, f"study:{item.occurrence.id}")
    rules.check_waits(item, asked, ctx.school.reminders_per_matter)
    at = rules.again_at(wait, ctx.now, ctx.school)
    book_again(ctx, item.mark.id, at)
    ctx.redraw(f"study:{item.mark.id}")
    return _("好的，{time} 再提醒您。", time=ctx.school.write_time(at, ctx.now))


def newest_open(ctx: Context, said: Said) -> Item | None:
    """What 稍后 and 停 are about, in private: the quoted card, else the newest that is open."""
    if not ctx.place.private:
        return None
    return next((item for item in about_learning(ctx, said) or () if item.mark.state != LEARNED), None)


def later_in_words(ctx: Context, wait: Wait, item: Item) -> Reply:
    return _put_off(ctx, item, wait)


def halt(ctx: Context, tap: Halt) -> Reply:
    item = rules.check_mine(study.item(ctx.db, tap.mark), ctx.me.id)
    return Toast(_halt(ctx, item) if tap.on else _resume(ctx, item.plan.id))


def _halt(ctx: Context, item: Item) -> str:
    study.halt(ctx.db, item.plan.id, ctx.me.id)
    if item.mark.state == LATER:
        diary.cancel(ctx.db, "study.later", str(item.mark.id))
        study.set_mark(ctx.db, item.mark.id, OPEN, None)
    ctx.redraw(f"study:{item.mark.id}")
    return _("好的，“{title}”不再提醒您。要恢复，回复“恢复提醒”。", title=item.plan.title)


def _resume(ctx: Context, plan: int | None) -> str:
    count = study.resume(ctx.db, ctx.me.id, plan)
    for item in study.items_of(ctx.db, ctx.me.id, ctx.now - rules.LATELY):
        ctx.redraw(f"study:{item.mark.id}")
    return _("已恢复 {n} 个学习提醒。", n=count) if count else _("没有停掉的学习提醒，不用恢复。")


def halt_in_words(ctx: Context, said: bool, item: Item) -> Reply:
    return _halt(ctx, item)


def resume(ctx: Context, rest: str) -> Reply:
    return _resume(ctx, None)


# --- for all of them ------------------------------------------------------------------------------------------


def book_again(ctx: Context, mark: int, at: datetime) -> None:
    study.set_mark(ctx.db, mark, LATER, at)
    ctx.book("study.later", at, key=str(mark), mark=mark)


def aloud(reply: Reply) -> Reply:
    """A passing word is for taps; somebody who typed gets it as a message."""
    return reply.text if isinstance(reply, Toast) else reply

"""Corrections and cancellations: planned, shown with their difference, confirmed, and told to exactly who was told."""

from __future__ import annotations

import re
from datetime import datetime

from bot.kit.context import Context, Persons
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Place
from bot.kit.form import Form
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import _
from handlers.notices import circles, forms, rules, sections, sentence, taps
from handlers.notices.rules import Answer
from handlers.notices.taps import Step
from storage import corrections, notices, people, rsvps
from storage.corrections import Change
from storage.notices import Notice

OVER = ("cancel", "retract")

# --- what is asked --------------------------------------------------------------------------------------------


def ask_correction(ctx: Context, rest: str) -> Reply:
    """更正通知, 更正通知 1123-01 地点改到报告厅: whatever is said already is not asked."""
    values = _which(ctx, rest)
    if found := _TO.search(rest):
        values["value"] = found["value"]
    kind = next((kind for word, kind in forms.KINDS.items() if word in rest or _(word) in rest), None)
    return Ask(forms.Correct, {**values, **({"kind": kind} if kind else {})}, private=True)


def ask_cancel(ctx: Context, rest: str) -> Reply:
    return Ask(forms.Cancel, _which(ctx, rest), private=True)


def ask_move(ctx: Context, rest: str) -> Reply:
    """改期 周五下午四点."""
    values = {**_which(ctx, rest), "kind": forms.TIME}
    said = _TO.search(rest)
    value = said["value"] if said else re.sub(r"\d{4}-\d{2,}", "", rest).strip()
    return Ask(forms.Correct, {**values, **({"value": value} if value else {})}, private=True)


def ask_retract(ctx: Context, rest: str) -> Reply:
    return Ask(forms.Retract, _which(ctx, rest), private=True)


def ask_widen(ctx: Context, rest: str) -> Reply:
    """追加对象 数学组和语文组."""
    bare = re.sub(r"\d{4}-\d{2,}", "", rest).strip(" ：:，,")
    found = circles.circles(ctx, sentence.split_circles(bare)) if bare else None
    return Ask(forms.Widen, {**_which(ctx, rest), **({} if found is None else {"circles": list(found)})}, private=True)


def _which(ctx: Context, rest: str) -> dict[str, object]:
    """The quoted notice, the one named by its serial, or the only one there is."""
    known = notices.opened(ctx.db, ctx.now) or [one for one in [notices.newest(ctx.db)] if one]
    if not known:
        raise Refused(_("还没有发出过通知，没有可以改的。"))
    meant = [one for one in known if one.serial in rest] or known
    if quoted := taps.quoted(ctx):
        meant = [quoted]
    return {"notice": rules.check_changeable(meant[0], ctx.now).id} if len(meant) == 1 else {}


def correct(ctx: Context, form: forms.Correct) -> Reply:
    """Asks for the new value, unless the first sentence had it and it can be read."""
    try:
        if form.value and form.kind == forms.TIME:
            return new_time(ctx, forms.NewTime(form.notice, forms.slot(ctx, form.value)))
        if form.value:
            read = forms.place if form.kind == forms.PLACE else forms.topic
            return plan(ctx, form.notice, form.kind, read(ctx, form.value))
    except NotUnderstood as error:
        ctx.say(error.sentence, to=Persons([ctx.me.id]))
    return Ask(_FORMS[form.kind], {"notice": form.notice}, private=True)


def cancel(ctx: Context, form: forms.Cancel) -> Reply:
    return plan(ctx, form.notice, "cancel", "")


def retract(ctx: Context, form: forms.Retract) -> Reply:
    return plan(ctx, form.notice, "retract", "")


def widen(ctx: Context, form: forms.Widen) -> Reply:
    """Who was asked stays asked; an empty list is everybody."""
    notice = rules.check_changeable(notices.get(ctx.db, form.notice), ctx.now)
    if not notice.circles:
        raise Refused(_("这个通知本来就是发给全体的，不用追加。"))
    wider = [*notice.circles, *(one for one in form.circles if one not in notice.circles)] if form.circles else []
    return plan(ctx, form.notice, "widen", "\n".join(wider))


def new_time(ctx: Context, form: forms.NewTime) -> Reply:
    if not form.slot.sure:
        at = rules.written(form.slot.starts, form.slot.ends, ctx.school)
        ctx.say(_("时间没有写全，是按 {at} 理解的，请核对。", at=at), to=Persons([ctx.me.id]))
    return plan(ctx, form.notice, forms.TIME, rules.pack_time(form.slot.starts, form.slot.ends))


def new_place(ctx: Context, form: forms.NewPlace) -> Reply:
    return plan(ctx, form.notice, forms.PLACE, form.place)


def new_topic(ctx: Context, form: forms.NewTopic) -> Reply:
    return plan(ctx, form.notice, forms.TOPIC, form.topic)


_FORMS: dict[str, type[Form]] = {
    forms.TIME: forms.NewTime,
    forms.PLACE: forms.NewPlace,
    forms.TOPIC: forms.NewTopic,
}
_TO = re.compile(r"(?:改到|改为|改成|换到|换成)\s*(?P<value>.{1,200})", re.DOTALL)

# --- what is planned and carried out --------------------------------------------------------------------------


def plan(ctx: Context, number: int, kind: str, after: str) -> Reply:
    """A draft is changed on the spot; what was sent becomes a correction that waits for a yes."""
    notice = notices.get(ctx.db, number)
    if notice is not None and notice.state == notices.DRAFT:
        revise(ctx, notice, kind, after)
        if kind == forms.TIME:
            notices.revise(ctx.db, number, sure=True)  # it was typed anew, and what was assumed was said
        return taps.show(ctx, f"notice-draft:{number}")
    notice = rules.check_changeable(notice, ctx.now)
    before = rules.packed(notice, kind)
    if before == after and kind not in OVER:
        raise Refused(_("和现在的一样，没有改动。"))
    number = corrections.plan(
        ctx.db, notice=notice.id, kind=kind, before=before, after=after, author=ctx.me.id, now=ctx.now
    )
    return taps.show(ctx, f"notice-fix:{number}")


def on_change(ctx: Context, tap: taps.OnChange) -> Reply:
    change = corrections.get(ctx.db, tap.change)
    if change is None or tap.step not in (Step.SEND, Step.NOW, Step.DROP):
        raise Refused(_("没有这次更正，请重新发“更正通知”。"))
    if change.state != corrections.DRAFT:
        raise Refused(_("这一步已经做过了，没有再做一次。"))
    ctx.settle(f"notice-fix:{change.id}")
    if tap.step is Step.DROP:
        corrections.turn(ctx.db, change.id, corrections.DROPPED, ctx.now)
        return Toast(_("好的，没有改动。"))
    return Toast(carry_out(ctx, change, at_once=tap.step is Step.NOW))


def carry_out(ctx: Context, change: Change, *, at_once: bool) -> str:
    """Corrects or cancels, once, and tells those who had been told."""
    notice = rules.check_changeable(notices.get(ctx.db, change.notice), ctx.now)
    if rules.packed(notice, change.kind) != change.before:
        raise Refused(_("这个通知刚刚被更正过，请重新发“更正通知”。"))
    arrives = rules.leaves_at(ctx.now, ctx.school, at_once)
    starts = rules.unpack_time(change.after)[0] if change.kind == "time" else notice.starts
    if unseen(notice, ctx.now):
        rules.check_time(starts, max(arrives, notice.leaves_at or arrives), ctx.now, ctx.school)
    else:  # who read the old card must hear in time
        rules.check_time(min(notice.starts, starts), arrives, ctx.now, ctx.school)
    corrections.turn(ctx.db, change.id, corrections.SENT, ctx.now)
    taps.unbook(ctx, notice)
    if change.kind in OVER:
        return _cancel(ctx, notice, change, gentle=not at_once)
    asked = {one.id for one in sections.expected(ctx, notice)}
    changed = revise(ctx, notice, change.kind, change.after)
    taps.book(ctx, changed, max(arrives, notice.leaves_at or arrives))
    if change.kind == "widen":
        return _invite(ctx, changed, asked)
    return _tell(ctx, notice, change, gentle=not at_once)


def revise(ctx: Context, notice: Notice, kind: str, value: str) -> Notice:
    """The notice with one fact changed, in the rows and on every copy of its card."""
    new = rules.changed(notice, kind, value, ctx.now)
    facts = {"starts": new.starts, "ends": new.ends, "deadline": new.deadline, "place": new.place, "topic": new.topic}
    facts["audience"] = new.audience
    notices.revise(ctx.db, notice.id, **facts)
    for prefix in ("notice", "notice-me", "notice-draft", "notice-new"):
        ctx.redraw(f"{prefix}:{notice.id}")
    return new


def _invite(ctx: Context, notice: Notice, asked: set[int]) -> str:
    """Those who are newly asked hear of it in private; who was asked before hears nothing."""
    added = [one for one in sections.expected(ctx, notice) if one.id not in asked]
    if unseen(notice, ctx.now):
        return _("已追加 {n} 人。通知还没有发到群里，到时一起发。", n=len(added))
    reached = people.addresses(ctx.db, [one.id for one in added])
    ctx.post(f"notice-new:{notice.id}", Persons([one.id for one in added if one.id in reached]), gentle=True)
    lost = "、".join(people.told_apart([one for one in added if one.id not in reached]))
    said = _("已追加 {n} 人，私聊告诉了 {m} 人。", n=len(added), m=len(reached))
    return said + (_("私聊不到：{names}。", names=lost) if lost else "")


def unseen(notice: Notice, now: datetime) -> bool:
    """Sent in the night: the card waits for the morning, and nobody has read it."""
    return notice.leaves_at is not None and notice.leaves_at > now


def _cancel(ctx: Context, notice: Notice, change: Change, *, gentle: bool) -> str:
    hidden = unseen(notice, ctx.now)
    notices.turn(ctx.db, notice.id, notices.OPEN, notices.DROPPED if hidden else notices.CANCELLED)
    if hidden:
        return _("已取消。通知还没有发到群里，不会再发了。")
    ctx.settle(f"notice:{notice.id}")
    for prefix in ("notice-me", "notice-gone", "notice-new"):
        ctx.redraw(f"{prefix}:{notice.id}")
    at = rules.written(notice.starts, notice.ends, ctx.school)
    facts = {"serial": notice.serial, "at": at, "topic": notice.topic}
    if change.kind == "retract":
        text = _("〔通知 {serial}〕发错了，已撤回：{at} {topic}。请不用理会。", **facts)
        return _("已撤回，告诉了 {n} 个群。", n=_to_groups(ctx, notice, change, text, gentle))
    text = _("〔通知 {serial}〕已取消：{at} {topic}，不用再答复。", **facts)
    return _("已取消，告诉了 {n} 个群。", n=_to_groups(ctx, notice, change, text, gentle))


def _tell(ctx: Context, notice: Notice, change: Change, *, gentle: bool) -> str:
    if unseen(notice, ctx.now):
        return _("已更正。通知还没有发到群里，到时发的就是新的。")
    facts = {"serial": notice.serial, "what": rules.spoken(change, ctx.school)}
    groups = _to_groups(ctx, notice, change, _("〔通知 {serial}〕更正：{what}。", **facts), gentle)
    going = [one.person for one in rsvps.last_words(ctx.db, notice.id).values() if one.answer != Answer.LEAVE.value]
    if change.kind == "topic" or not going:
        return _("已更正，告诉了 {n} 个群。", n=groups)
    ctx.post(f"notice-moved:{change.id}", Persons(going), gentle=gentle)
    return _("已更正，告诉了 {n} 个群，私聊了 {m} 位要来的老师。", n=groups, m=len(going))


def _to_groups(ctx: Context, notice: Notice, change: Change, text: str, gentle: bool) -> int:
    groups = sections.told_groups(ctx, notice)
    for group in groups:
        place = Place(group.channel, group.id, private=False)
        ctx.say(text, to=place, gentle=gentle, name=f"notice-fix:{change.id}")
    return len(groups)

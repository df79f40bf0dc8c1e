"""What the office knows of a draft and does with it once it is out: who is silent, longer, the table, the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec

from bot.kit import when
from bot.kit.card import Block, Line, Table
from bot.kit.context import Context, Office, Persons, Staff, View
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Said
from bot.kit.feature import Month, Outcome
from bot.kit.form import deadline
from bot.kit.papers import DOCX, XLSX
from bot.kit.reply import Reply
from bot.kit.words import N_, _
from handlers.drafts import export, rules, taps
from handlers.drafts.taps import About
from storage import drafts, files, nudges, people
from storage.drafts import OPEN, Draft
from storage.people import Person

DAY = timedelta(days=1)
AFTER = timedelta(seconds=5)  # the clock may be a little early; the deadline is compared again
RECENT = timedelta(days=60)  # how long a closed draft is still among those that 汇总 may mean


# --- in time --------------------------------------------------------------------------------------------------


def book(ctx: Context, draft: int, until: datetime) -> None:
    """The end, and one reminder a day before it where there is a day; booked again, both move."""
    ctx.book("drafts.close", until + AFTER, key=str(draft), draft=draft)
    if until - DAY > ctx.now + timedelta(hours=1):
        ctx.book("drafts.remind", until - DAY, key=str(draft), draft=draft)


def remind(ctx: Context, draft: int) -> None:
    """Once, in private, to who has said nothing and may still be reminded today."""
    found = drafts.get(ctx.db, draft)
    if found is None or found.state != OPEN or found.until is None or not ctx.now < found.until <= ctx.now + 2 * DAY:
        return
    matter, today = f"draft:{draft}", ctx.now.astimezone(ctx.school.zone).date()
    caps = {"per_matter": ctx.school.reminders_per_matter, "per_day": ctx.school.reminders_per_day}
    ids = [person.id for person in silent(ctx, found)]
    reachable = people.addresses(ctx.db, ids)
    chosen = nudges.among(ctx.db, [i for i in ids if i in reachable], matter, today, **caps)
    if not chosen:
        return
    ctx.post(f"draft-left:{draft}", Persons(chosen), gentle=True)
    for person in chosen:
        nudges.note(ctx.db, person, matter, today)


def silent(ctx: View, draft: Draft) -> Sequence[Person]:
    """Who is asked today and has said nothing; not those who put the draft before them, nor who approved it."""
    answered = drafts.commented(ctx.db, draft.id) | drafts.cleared(ctx.db, draft.id) | {draft.author}
    today = ctx.now.astimezone(ctx.school.zone).date()
    return [
        person
        for person in people.expected(ctx.db, today)
        if person.id not in answered and person.name != draft.approver
    ]


def close(ctx: Context, draft: int) -> None:
    """Only publishes: nothing was accepted after the deadline, whether this ran or not."""
    found = drafts.get(ctx.db, draft)
    if found is None or found.state != OPEN or found.until is None:
        return
    if ctx.now < found.until:
        ctx.book("drafts.close", found.until + AFTER, key=str(draft), draft=draft)
        return
    drafts.close(ctx.db, draft)
    counts = drafts.counts(ctx.db, draft)
    ctx.settle(f"draft:{draft}")
    ctx.say(
        _("《{title}》征求意见已截止，共收到 {n} 条意见。", title=found.title, n=counts.comments), Staff(), gentle=True
    )
    table(ctx, found, final=1)


# --- the table ------------------------------------------------------------------------------------------------


def table(ctx: Context, draft: Draft, *, final: int = 0) -> None:
    """Starts the making of it; ``final``: nobody asked just now, it goes to the whole office."""
    until = ctx.school.write_time(draft.until, ctx.now) if draft.until else ""
    start = ctx.school.write_time(draft.opened_at, ctx.now) if draft.opened_at else ""
    facts = [_("征求时间：{start} 至 {until}", start=start, until=until), _("批准人：{name}", name=draft.approver)]
    if draft.kind:
        facts.append(_("涉及{kind}，须经教职工代表大会讨论通过。", kind=_(draft.kind)))
    text, said = drafts.text(ctx.db, draft.id), drafts.said(ctx.db, draft.id)
    made = export.sheet(draft, text, said, drafts.counts(ctx.db, draft.id), facts)
    ctx.start("drafts.table", msgspec.json.encode(made), draft=draft.id, final=final)


def table_done(ctx: Context, outcome: Outcome) -> Reply:
    """Kept once for each who gets it, as theirs: what people said is for the office alone."""
    final, draft = bool(outcome.note["final"]), drafts.get(ctx.db, int(outcome.note["draft"]))
    if outcome.value is None or draft is None:
        sorry = _("汇总表没有做成。回复“汇总”再试一次。")
        if not final:
            return sorry
        ctx.say(sorry, to=Office(), gentle=True)
        return None
    receivers = [person.id for person in _office(ctx)] if final else [ctx.me.id]
    name = re.sub(r'[<>:"/\\|?*]', "_", draft.title)[:60]
    for person in receivers:
        for ending, mime in (("docx", DOCX), ("xlsx", XLSX)):
            full = f"{_('征求意见汇总表')}-{name}.{ending}"
            file = files.keep(ctx.db, full, mime, outcome.value[ending], ctx.now, owner=person)
            ctx.send(file, full, Persons([person]), gentle=final)
    return None


def _office(ctx: Context) -> Sequence[Person]:
    """One by one, as ``Office()`` reaches them: each gets a file of their own."""
    return people.holding(ctx.db, "office") or people.holding(ctx.db, "principal")


def table_by_word(ctx: Context, rest: str) -> Reply:
    found = [*drafts.open_ones(ctx.db), *drafts.closed_since(ctx.db, ctx.now - RECENT)]
    if len(found) > 1:
        return taps.which("table", found)
    return table_now(ctx, found[0]) if found else _("还没有征求过意见。发“征求意见”开始。")


def table_now(ctx: Context, draft: Draft) -> Reply:
    table(ctx, draft)
    return _("正在汇总……")


# --- who is silent, and longer --------------------------------------------------------------------------------


def silent_by_word(ctx: Context, rest: str) -> Reply:
    found = taps.current(ctx)
    return "\n\n".join(_silence(ctx, draft) for draft in found) or _("现在没有正在征求意见的稿子。")


def _silence(ctx: Context, draft: Draft) -> str:
    counts, names = drafts.counts(ctx.db, draft.id), people.told_apart(silent(ctx, draft))
    facts = {"title": draft.title, "m": len(drafts.commented(ctx.db, draft.id)), "k": counts.clear, "n": len(names)}
    head = _("《{title}》{m} 人提了意见，{k} 人无意见，{n} 人没有答复", **facts)
    return f"{head}：{'、'.join(names)}" if names else f"{head}。"


_EXTEND = re.compile(r"\s*(?:征求意见|征求)?延[期长長](?:到|至)?[\s:：]*(?P<when>\S.{0,40})")
_ANY_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def longer(text: str) -> str | None:
    """延期 周五 · 延期到下周一下午五点; the time is read where it is needed."""
    found = _EXTEND.fullmatch(text.strip())
    if found is None:
        return None
    try:
        return found["when"] if when.read(found["when"], _ANY_DAY) else None
    except NotUnderstood:
        return found["when"]  # 2月30日 is meant as a time


def open_to_office(ctx: Context, said: Said) -> About | None:
    """Only the office may, so that only the office is understood."""
    if not taps.is_office(ctx) or not taps.ours(ctx):
        return None
    if ctx.quoted is not None:
        return taps.quoted(ctx, said)
    found = taps.current(ctx)
    return About(found) if found else None


def extend_by_word(ctx: Context, words: str, about: About) -> Reply:
    if len(about.drafts) > 1:
        return taps.which("extend", about.drafts, words)
    return extend(ctx, about.drafts[0], words)


def extend(ctx: Context, draft: Draft, words: str) -> Reply:
    until = deadline(ctx, words)
    rules.check_longer(draft, until, ctx.now)
    check_sure(ctx, words)
    drafts.extend(ctx.db, draft.id, until)
    book(ctx, draft.id, until)
    ctx.redraw(f"draft:{draft.id}")
    facts = {"title": draft.title, "until": ctx.school.write_time(until, ctx.now)}
    ctx.say(_("《{title}》征求意见延期到 {until}。", **facts), Staff(), gentle=True)
    return _("已延期到 {until}，群里会通知一次。", until=ctx.school.echo_time(until)) if ctx.place.private else None


def check_sure(ctx: Context, words: str) -> None:
    """The whole group is told at once, with no preview: what had to be assumed is asked for."""
    reading = ctx.school.read_time(words, ctx.now)
    if reading and not reading.sure:
        raise Refused(
            _("是 {time} 吗？说不准，还没有延期。请写明日期和钟点，例如 12月5日下午5点。", time=reading.words)
        )


# --- for reports ----------------------------------------------------------------------------------------------

STATES = {"open": N_("征求中"), "closed": N_("已截止")}


def monthly(view: View, month: Month) -> Sequence[Block]:
    """What was put before the staff in a month."""
    firsts = [month.first.replace(day=1), (month.first.replace(day=1) + timedelta(days=32)).replace(day=1)]
    spans = [datetime(d.year, d.month, 1, tzinfo=view.school.zone) for d in firsts]
    for first, last in pairwise(spans):
        found = drafts.opened_between(view.db, first, last)
        if found:
            return [Table((_("稿子"), _("状态"), _("意见"), _("无意见")), [_line(view, draft) for draft in found])]
    return [Line(_("这个月没有征求意见。"))]


def _line(view: View, draft: Draft) -> tuple[str, ...]:
    counts = drafts.counts(view.db, draft.id)
    return draft.title, _(STATES.get(draft.state, "")), str(counts.comments), str(counts.clear)

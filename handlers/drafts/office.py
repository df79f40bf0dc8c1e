"""What the office does before anybody else sees a draft: hands in a text, answers for it, lets it go or drops it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from bot.kit.context import Context, Staff
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Said
from bot.kit.feature import Outcome
from bot.kit.form import Form, ask, deadline, line
from bot.kit.reply import Ask, Reply, Show
from bot.kit.words import N_, _
from handlers.drafts import answers, clauses, forms, rules, sections, taps, work
from handlers.drafts.clauses import Piece, Split
from storage import drafts, files, people
from storage.drafts import Clause, Draft

YES, NO = "yes", "no"
MAY, MAY_NOT = N_("可以，已经批准"), N_("不可以")


# --- what must be known first ----------------------------------------------------------------------------------


def _pasted(ctx: Context, text: str) -> str:
    """The text of a draft; "" where it came as a file."""
    if ctx.upload is not None:
        return ""
    if len(text.strip()) < 10:
        raise NotUnderstood(_("请粘贴全文，或者发 .docx、.txt、.md 文件。"))
    return text


def _title(ctx: Context, text: str) -> str:
    title = clauses.clean_title(line(ctx, text))
    if not title:
        raise NotUnderstood(_("请写一个题目，例：教职工考勤管理办法"))
    return title


def _allowed(ctx: Context, text: str) -> str:
    plain = text.strip(" 。.!！")
    if plain in (_(MAY), _(MAY_NOT)):
        return YES if plain == _(MAY) else NO
    if plain.startswith(("不", "没", "否", "no")):
        return NO
    if plain.startswith(("可以", "已经批准", "已批准", "是", "行", "yes")):
        return YES
    raise NotUnderstood(_("请回复“可以”或“不可以”。没有经过批准的稿子不能发到群里。"))


def _principals(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [person.name for person in people.holding(ctx.db, "principal")]


@dataclass(frozen=True)
class Paste(Form, name="drafts.paste"):
    title: str
    text: str = ask(N_("请把稿子发给我：.docx、.txt、.md 文件，或者直接粘贴全文（超过 4000 字请发文件）。"), _pasted)


@dataclass(frozen=True)
class Terms(Form, name="drafts.terms"):
    """Until when, and the gate: nothing goes into a group that nobody answers for."""

    draft: int
    title: str = ask(N_("这份稿子叫什么？例：教职工考勤管理办法"), _title)
    until: datetime = ask(N_("意见征求到什么时候？例：周五下午五点，三天内，12月5日"), deadline)
    allowed: str = ask(N_("这份稿子可以在群里征求意见吗？"), _allowed, choices=(MAY, MAY_NOT))
    approver: str = ask(N_("是谁批准的？写姓名。"), line, choices=_principals)

    @classmethod
    def missing(cls, values: Mapping[str, object]) -> str | None:
        return None if values.get("allowed") == NO else super().missing(values)

    @classmethod
    def build(cls, values: Mapping[str, object]) -> Self:
        anything: dict[str, Any] = {"approver": "", **values}
        return cls(**anything)


# --- a text comes in ------------------------------------------------------------------------------------------


def begin(ctx: Context, rest: str) -> Reply:
    """The office begins; anybody else sees what is open. 征求意见稿第三条建议…… is a comment after all."""
    rest = re.sub(r"^稿(?:里|中|上)?的?[:：，,]?\s*", "", rest)
    talk = ctx.upload is None and not (taps.is_office(ctx) and "\n" in rest)
    meaning = answers.plainly(rest) if talk else None
    if meaning is not None and taps.current(ctx) and taps.ours(ctx):
        return taps.said(ctx, meaning, taps.About(taps.current(ctx)))
    if not ctx.place.private:
        return _begun_in_group(ctx, rest)
    if not taps.is_office(ctx):
        return _on_show(ctx)
    title, _newline, text = rest.partition("\n")
    if ctx.upload is not None:
        return _read_file(ctx, clauses.clean_title(title))
    if re.match(clauses.both(rf"\s*第\s*{clauses.NUMBER}\s*[条章]"), title):
        title, text = "", rest
    if not text.strip():
        return Ask(Paste, {"title": clauses.clean_title(title)})
    return _preview(ctx, work.cut(text, title))


def _begun_in_group(ctx: Context, rest: str) -> Reply:
    """征求意见稿我看了 is talk; a draft begins in private, because the gate comes before the group."""
    if not taps.is_office(ctx) or (rest and "\n" not in rest):
        return None
    return forms.whisper(
        ctx, _("请私聊发给我：征求意见 题目，换行，正文；或者直接发文件。发到群里之前要先过一道保密确认。")
    )


def _on_show(ctx: Context) -> Reply:
    found = taps.current(ctx)
    for draft in found:
        ctx.post(f"draft:{draft.id}", ctx.place)
    return None if found else _("现在没有正在征求意见的稿子。")


def pasted(ctx: Context, form: Paste) -> Reply:
    if ctx.upload is not None:
        return _read_file(ctx, form.title)
    return _preview(ctx, work.cut(form.text, form.title))


def uploaded(ctx: Context, text: str) -> Reply:
    return _read_file(ctx, "") if ctx.place.private else None


def _read_file(ctx: Context, title: str) -> Reply:
    assert ctx.upload is not None  # noqa: S101 every caller has looked
    name, content = ctx.upload.name[-120:], ctx.upload.content
    if not name.lower().endswith((".docx", ".txt", ".md")):
        raise Refused(_("这种文件我读不了。能读的是 .docx .txt .md，请另存后再发。"))
    work.check_size(name, content)
    ctx.start("drafts.read", content, name=name, title=title)
    return _("正在读取……")


def read_done(ctx: Context, outcome: Outcome) -> Reply:
    if outcome.value is None:
        return outcome.failed
    value = outcome.value
    pieces = [Piece(*piece) for piece in value["pieces"]]
    return _preview(ctx, Split(value["title"], value["preface"], value["how"], pieces))


def _preview(ctx: Context, found: Split) -> Reply:
    drafts.forget_begun(ctx.db, ctx.now - 7 * sections.DAY)
    pieces = [Clause(n, p.label, p.heading[:120], p.text) for n, p in enumerate(found.pieces, 1)]
    facts = {"title": found.title, "kind": rules.kind(found.title), "how": found.how, "preface": found.preface}
    draft = drafts.add(ctx.db, **facts, author=ctx.me.id, now=ctx.now, pieces=pieces)
    ctx.post(f"draft-new:{draft}", ctx.place)
    return _terms(draft, found.title)


def _terms(draft: int, title: str) -> Ask:
    return Ask(Terms, {"draft": draft, "title": title} if title else {"draft": draft}, private=True)


# --- it goes out, or not --------------------------------------------------------------------------------------


def fill(ctx: Context, tap: taps.Fill) -> Reply:
    draft = rules.check_new(drafts.get(ctx.db, tap.draft))
    return _terms(draft.id, draft.title)


def settled(ctx: Context, form: Terms) -> Reply:
    rules.check_new(drafts.get(ctx.db, form.draft))
    if form.allowed == NO:
        drafts.forget(ctx.db, form.draft)
        return _("好的，没有发布，稿子也没有留下。请先请领导批准，再发一次。")
    rules.check_title(form.title)
    facts = {"title": form.title, "kind": rules.kind(form.title), "approver": form.approver[:64]}
    drafts.set_terms(ctx.db, form.draft, until=form.until, **facts)
    return Show(f"draft-new:{form.draft}")


def publish(ctx: Context, tap: taps.Publish) -> Reply:
    groups = len(people.bound_groups(ctx.db))
    draft = rules.check_ready(drafts.get(ctx.db, tap.draft), ctx.now, groups, ctx.school.call)
    assert draft.until is not None  # noqa: S101 check_ready has looked
    drafts.publish(ctx.db, draft.id, ctx.now, _file(ctx, draft))
    ctx.post(f"draft:{draft.id}", Staff(), gentle=True)
    ctx.redraw(f"draft-new:{draft.id}")
    sections.book(ctx, draft.id, draft.until)
    return _out(ctx, draft)


def _out(ctx: Context, draft: Draft) -> str:
    quiet = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    late = _("现在是安静时段，{time} 发到群里。", time=ctx.school.write_time(quiet, ctx.now)) if quiet > ctx.now else ""
    until = ctx.school.write_time(draft.until, ctx.now) if draft.until else ""
    return late + _("已发布，{until} 截止。回复“谁还没提”“汇总”“延期 周五”随时可用。", until=until)


def _file(ctx: Context, draft: Draft) -> int | None:
    """A text too long for a few messages is kept as a file, once."""
    blocks = taps.full_text(draft, drafts.text(ctx.db, draft.id))
    if len(taps.parts(blocks)) <= 3:
        return None
    content = "\ufeff" + "\r\n\r\n".join(blocks).replace("\n", "\r\n").replace("\r\r", "\r")
    return files.keep(ctx.db, f"{draft.title}.txt", "text/plain", content.encode(), ctx.now)


def drop(ctx: Context, tap: taps.Drop) -> Reply:
    rules.check_new(drafts.get(ctx.db, tap.draft))
    drafts.forget(ctx.db, tap.draft)
    return _("已放弃，稿子没有留下。")


def confirming(text: str) -> str | None:
    """The two buttons of the preview, as words."""
    word = text.strip(" 。.")
    return word if word in ("确认发布", "放弃") else None


def waiting(ctx: Context, said: Said) -> Draft | None:
    """The newest draft that somebody of the office has begun and not published."""
    found = drafts.unpublished(ctx.db, ctx.person.id) if ctx.person and ctx.place.private else []
    return found[-1] if found else None


def confirm_by_word(ctx: Context, word: str, draft: Draft) -> Reply:
    return publish(ctx, taps.Publish(draft.id)) if word == "确认发布" else drop(ctx, taps.Drop(draft.id))

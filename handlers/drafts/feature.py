"""征求意见: a draft goes round, everybody may say something to any clause, the office gets a table.

1.  The office pastes 征求意见 题目 and the text, or sends a .docx, .txt or .md in private. A file is read in a child:
    正在读取…… comes at once. Marks of secrecy are refused, and then nothing is kept.
2.  The text is split into clauses (第X条; else 一、 or 1.; else paragraphs, and it is said which). The preview shows
    how many there are, the first and the last; then we ask until when, whether a group may see it, and who said so.
3.  确认发布: one card in each group, with numbers only. 分配 考核 奖惩 聘任 福利 carry the note that the staff congress
    decides.
4.  看全文 comes in private. 提意见 asks which clause, then the words. Or just say it, in the group, in private or in
    answer to the card: 第三条建议…… Every comment is echoed to its author alone, with a serial number.
5.  无意见 is an answer too; a comment takes its place. 撤回 #12 takes a comment back; 我的意见 shows one's own.
6.  A question (第三条是什么意思？) goes to the office and is not counted as a comment.
7.  drafts.remind, a day before the end: who has said nothing is reminded once, in private. 谁还没提 tells the office.
8.  延期 周五 moves the end. What comes after the end is refused, with where to send it instead: the deadline is
    compared in the transaction of the comment.
9.  drafts.close: the card is settled, the group reads one line, the office gets 征求意见汇总表 as .docx and .xlsx.
    汇总 gives it at any time.
"""

from __future__ import annotations

import re

from bot.kit.card import Card
from bot.kit.context import Context, Staff, View
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.feature import Feature, Outcome
from bot.kit.reply import Ask, Reply, Show
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.drafts import cards, clauses, forms, remarks, rules, sections, taps, work
from handlers.drafts.clauses import Piece, Split
from storage import drafts, files, people
from storage.drafts import NEW, Clause, Draft

feature = Feature("drafts", title=N_("征求意见"))

feature.work("read")(work.read_draft)
feature.work("table")(work.make_table)
feature.done("table")(sections.table_done)
feature.appointment("remind")(sections.remind)
feature.appointment("close")(sections.close)
feature.section(N_("征求意见"))(sections.monthly)

feature.action(taps.Read)(taps.read)
feature.action(taps.Speak)(taps.speak)
feature.action(taps.Clear)(taps.clear)
feature.form(forms.Pick)(forms.picked)
feature.form(forms.Write)(forms.written)
feature.command("看全文", whole=True, private=True, help=N_("看正在征求意见的稿子"))(taps.read_by_word)
feature.command("提意见", whole=True, private=True, help=N_("对征求意见稿提意见"))(taps.speak_by_word)
feature.command("我的意见", whole=True, private=True, help=N_("看自己提过的意见"))(taps.my_comments)
feature.command(
    "谁还没提", "谁还没提意见", "谁没提意见", who=Role.OFFICE, whole=True, private=True, help=N_("谁还没有提意见")
)(sections.silent_by_word)
feature.command(
    "汇总",
    "意见汇总",
    "汇总意见",
    "征求意见汇总",
    "征求意见汇总表",
    who=Role.OFFICE,
    whole=True,
    private=True,
    help=N_("征求意见汇总表"),
)(sections.table_by_word)
feature.phrase(sections.longer, scope=sections.open_to_office, who=Role.OFFICE)(sections.extend_by_word)
feature.phrase(taps.numbers, scope=taps.mine_here)(taps.withdraw)
feature.phrase(remarks.replying, scope=taps.quoted)(taps.said)
feature.phrase(remarks.plainly, scope=taps.spoken)(taps.said)
feature.phrase(remarks.privately, scope=taps.alone)(taps.said)


# --- a text comes in ------------------------------------------------------------------------------------------


@feature.command("征求意见", verbatim=True, help=N_("把一份稿子发给大家征求意见"))
def begin(ctx: Context, rest: str) -> Reply:
    """The office begins; anybody else sees what is open. 征求意见稿第三条建议…… is a comment after all."""
    rest = re.sub(r"^稿(?:里|中|上)?的?[:：，,]?\s*", "", rest)
    talk = ctx.upload is None and not (taps.is_office(ctx) and "\n" in rest)
    meaning = remarks.plainly(rest) if talk else None
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
        return Ask(forms.Paste, {"title": clauses.clean_title(title)})
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


@feature.form(forms.Paste, who=Role.OFFICE)
def pasted(ctx: Context, form: forms.Paste) -> Reply:
    if ctx.upload is not None:
        return _read_file(ctx, form.title)
    return _preview(ctx, work.cut(form.text, form.title))


@feature.upload(".docx", ".txt", ".md", help=N_("把一份稿子发给大家征求意见"))
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


@feature.done("read")
def read(ctx: Context, outcome: Outcome) -> Reply:
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
    return Ask(forms.Terms, {"draft": draft, "title": title} if title else {"draft": draft}, private=True)


# --- it goes out, or not --------------------------------------------------------------------------------------


@feature.action(taps.Fill, who=Role.OFFICE)
def fill(ctx: Context, tap: taps.Fill) -> Reply:
    draft = rules.check_new(drafts.get(ctx.db, tap.draft))
    return _terms(draft.id, draft.title)


@feature.form(forms.Terms, who=Role.OFFICE)
def settled(ctx: Context, form: forms.Terms) -> Reply:
    rules.check_new(drafts.get(ctx.db, form.draft))
    if form.allowed == forms.NO:
        drafts.forget(ctx.db, form.draft)
        return _("好的，没有发布，稿子也没有留下。请先请领导批准，再发一次。")
    rules.check_title(form.title)
    facts = {"title": form.title, "kind": rules.kind(form.title), "approver": form.approver[:64]}
    drafts.set_terms(ctx.db, form.draft, until=form.until, **facts)
    return Show(f"draft-new:{form.draft}")


@feature.action(taps.Publish, who=Role.OFFICE)
def publish(ctx: Context, tap: taps.Publish) -> Reply:
    draft = rules.check_ready(drafts.get(ctx.db, tap.draft), ctx.now, len(people.bound_groups(ctx.db)))
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


@feature.action(taps.Drop, who=Role.OFFICE)
def drop(ctx: Context, tap: taps.Drop) -> Reply:
    rules.check_new(drafts.get(ctx.db, tap.draft))
    drafts.forget(ctx.db, tap.draft)
    return _("已放弃，稿子没有留下。")


def _mine_waiting(ctx: Context, said: Said) -> Draft | None:
    """The newest draft that somebody of the office has begun and not published."""
    found = drafts.unpublished(ctx.db, ctx.person.id) if ctx.person and ctx.place.private else []
    return found[-1] if found else None


@feature.phrase(lambda text: text.strip() if text.strip() in ("确认发布", "放弃") else None, _mine_waiting, Role.OFFICE)
def by_word(ctx: Context, word: str, draft: Draft) -> Reply:
    return publish(ctx, taps.Publish(draft.id)) if word == "确认发布" else drop(ctx, taps.Drop(draft.id))


# --- several drafts at once -----------------------------------------------------------------------------------


@feature.form(forms.Which)
def chosen(ctx: Context, form: forms.Which) -> Reply:
    """What had to wait until we knew which draft."""
    draft = drafts.get(ctx.db, form.draft)
    if draft is None or draft.id not in form.among or draft.state == NEW:
        raise Refused(_("没有这一份。请再说一次。"))
    if form.act in ("table", "extend") and not taps.is_office(ctx):
        raise Refused(_("这件事只有办公室或校长可以做。"))
    match form.act:
        case "read":
            return taps.read(ctx, taps.Read(draft.id))
        case "speak":
            return taps.speak(ctx, taps.Speak(draft.id))
        case "table":
            return sections.table_now(ctx, draft)
        case "extend":
            return sections.extend(ctx, draft, form.words)
        case _:
            meaning = remarks.replying(form.words)
            return forms.keep(ctx, draft.id, meaning) if meaning else None


# --- how it looks ---------------------------------------------------------------------------------------------


def _until(view: View, draft: Draft) -> str:
    return view.school.write_time(draft.until, view.now) if draft.until else ""


@feature.card("draft")
def card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    return cards.group(draft, drafts.counts(view.db, number), _until(view, draft)) if draft else None


@feature.card("draft-new")
def preview_card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    if draft is None:
        return None
    today = view.now.astimezone(view.school.zone).date()
    facts = {"groups": len(people.bound_groups(view.db)), "n": len(people.expected(view.db, today))}
    return cards.preview(draft, drafts.text(view.db, number), _until(view, draft), _("{groups} 个群，{n} 人", **facts))


@feature.card("draft-left")
def reminder_card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    return cards.reminder(draft, _until(view, draft)) if draft else None

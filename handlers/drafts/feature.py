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

from bot.kit.card import Card
from bot.kit.context import Context, View
from bot.kit.errors import Refused
from bot.kit.feature import Feature
from bot.kit.reply import Reply
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.drafts import answers, cards, forms, office, sections, taps, work
from storage import drafts, people
from storage.drafts import NEW, Draft

feature = Feature("drafts", title=N_("征求意见"))

feature.command("征求意见", verbatim=True, help=N_("把一份稿子发给大家征求意见"))(office.begin)
feature.upload(".docx", ".txt", ".md", help=N_("把一份稿子发给大家征求意见"))(office.uploaded)
feature.form(office.Paste, who=Role.OFFICE)(office.pasted)
feature.form(office.Terms, who=Role.OFFICE)(office.settled)
feature.action(taps.Fill, who=Role.OFFICE)(office.fill)
feature.action(taps.Publish, who=Role.OFFICE)(office.publish)
feature.action(taps.Drop, who=Role.OFFICE)(office.drop)
feature.work("read")(work.read_draft)
feature.done("read")(office.read_done)
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
feature.phrase(office.confirming, scope=office.waiting, who=Role.OFFICE)(office.confirm_by_word)
feature.phrase(sections.longer, scope=sections.open_to_office, who=Role.OFFICE)(sections.extend_by_word)
feature.phrase(taps.numbers, scope=taps.mine_here)(taps.withdraw)
feature.phrase(answers.replying, scope=taps.quoted)(taps.said)
feature.phrase(answers.plainly, scope=taps.spoken)(taps.said)
feature.phrase(answers.privately, scope=taps.alone)(taps.said)


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
            meaning = answers.replying(form.words)
            return forms.keep(ctx, draft.id, meaning) if meaning else None


# --- how it looks ---------------------------------------------------------------------------------------------


def _until(view: View, draft: Draft) -> str:
    return view.school.write_time(draft.until, view.now) if draft.until else ""


@feature.card("draft")
def card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    if draft is None:
        return None
    return cards.group(draft, drafts.counts(view.db, number), _until(view, draft), view.school.call)


@feature.card("draft-new")
def preview_card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    if draft is None:
        return None
    today = view.now.astimezone(view.school.zone).date()
    facts = {"groups": len(people.bound_groups(view.db)), "n": len(people.expected(view.db, today))}
    until = view.school.echo_time(draft.until) if draft.until else ""
    return cards.preview(draft, drafts.text(view.db, number), until, _("{groups} 个群，{n} 人", **facts))


@feature.card("draft-left")
def reminder_card(view: View, number: int) -> Card | None:
    draft = drafts.get(view.db, number)
    return cards.reminder(draft, _until(view, draft)) if draft else None

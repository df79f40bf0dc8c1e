"""How a draft looks: the card in the group, the preview for the office, the reminder for who has said nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.kit.card import Block, Button, Card, Facts, Line, Quote, Tally, Tone
from bot.kit.words import N_, _
from handlers.drafts.taps import Clear, Drop, Fill, Publish, Read, Speak
from storage.drafts import CLOSED, NEW, OPEN, Clause, Counts, Draft

HOW = {
    "articles": N_("按“第X条”分"),
    "numbers": N_("没有“第X条”，按“一、”或“1.”分，编号是我加的"),
    "paragraphs": N_("没有“第X条”，按段落分，编号是我加的"),
}
SHOWN = 160  # characters of a clause in the preview


def group(draft: Draft, counts: Counts, until: str, call: str = "") -> Card:
    """One per group; nothing but numbers, and after the deadline nothing more to press than the text."""
    closed = draft.state == CLOSED
    title = _("征求意见：{title}", title=draft.title)
    body: list[Block] = [
        Facts(((_("条款"), _("共 {n} 条", n=counts.clauses)), (_("截止"), until))),
        *congress(draft),
        Tally(((_("意见"), counts.comments), (_("无意见"), counts.clear))),
    ]
    read = Button(_("看全文"), Read(draft.id))
    if closed:
        return Card(f"draft:{draft.id}", _("{title}（已截止）", title=title), body, (read,))
    buttons = (read, Button(_("提意见"), Speak(draft.id), Tone.MAIN), Button(_("无意见"), Clear(draft.id)))
    foot = _("也可以直接说：{call}第三条建议……。意见只有办公室看得到。", call=call)
    return Card(f"draft:{draft.id}", title, body, buttons, foot)


def congress(draft: Draft) -> Sequence[Block]:
    """A chat cannot stand for the vote of the staff congress."""
    if not draft.kind:
        return ()
    return (Line(_("涉及{kind}，须经教职工代表大会讨论通过；在这里征求意见不能代替表决。", kind=_(draft.kind))),)


def preview(draft: Draft, clauses: Sequence[Clause], until: str, reach: str) -> Card:
    """For the office, before anybody else sees it. ``reach``: 1 个群，38 人."""
    key, title = f"draft-new:{draft.id}", draft.title or _("（还没有题目）")
    how = _("共 {n} 条，{how}", n=len(clauses), how=_(HOW[draft.how]))
    facts = [(_("题目"), title), (_("条款"), how)]
    facts += [(_("截止"), until)] if until else []
    facts += [(_("批准"), draft.approver)] if draft.approver else []
    if draft.state != NEW:
        return Card(key, _("已发布：{title}", title=title), (Facts(facts),))
    facts += [(_("将发到"), reach)] if draft.approver else []
    body: list[Block] = [Facts(facts), *congress(draft), *_ends(clauses)]
    drop = Button(_("放弃"), Drop(draft.id), Tone.DANGER)
    if not draft.approver:
        return Card(key, _("读到一份稿子"), body, (Button(_("继续"), Fill(draft.id), Tone.MAIN), drop))
    go, again = Button(_("确认发布"), Publish(draft.id), Tone.MAIN), Button(_("重新填"), Fill(draft.id))
    return Card(key, _("请核对，确认后发到群里"), body, (go, again, drop))


def _ends(clauses: Sequence[Clause]) -> Sequence[Block]:
    """The first and the last clause: a text that was cut short on its way shows here."""
    ends = clauses if len(clauses) < 3 else (clauses[0], clauses[-1])
    return [Quote(_short(clause.text), clause.label) for clause in ends]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN] + "……"


def reminder(draft: Draft, until: str) -> Card:
    """In private, to who has said nothing; each answer ends it."""
    title = _("《{title}》还差您的意见", title=draft.title)
    if draft.state == CLOSED:
        return Card(f"draft-left:{draft.id}", title, (Line(_("已经截止。")),))
    buttons = (
        Button(_("看全文"), Read(draft.id)),
        Button(_("提意见"), Speak(draft.id)),
        Button(_("无意见"), Clear(draft.id), Tone.MAIN),
    )
    foot = _("点“无意见”，或者提一条，就不再提醒。")
    return Card(f"draft-left:{draft.id}", title, (Facts(((_("截止"), until),)),), buttons, foot)


# --- for the preview page and the channels' contract ----------------------------------------------------------

_AT = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def _sample(number: int, title: str, state: str, *, kind: str = "", approver: str = "李校长") -> Draft:
    return Draft(number, title, kind, "articles", "", state, 1, approver, _AT, _AT, _AT, None)


_UNTIL = "11月27日 周五 17:00"
_TEXT = [
    Clause(1, "第一条", "第一章 总则", "第一条　为规范教职工考勤，制定本办法。"),
    Clause(2, "第二条", "第一章 总则", "第二条　本办法适用于全体教职工。"),
    Clause(3, "第二十一条", "附则", "第二十一条　本办法自发布之日起施行。" + "其余未尽事宜另行通知。" * 20),
]
_HOSTILE = "<b>办法</b> & [链接](http://x) *粗* _斜_ `码` \u202e反 =1+1 {n} %s " + "很长的题目" * 12

GALLERY: Sequence[Card] = (
    group(_sample(1, "教职工考勤管理办法", OPEN), Counts(0, 0, 21), _UNTIL),
    group(_sample(2, "绩效工资分配方案", OPEN, kind="分配"), Counts(30, 8, 21), _UNTIL),
    group(_sample(3, "教职工考勤管理办法", CLOSED), Counts(30, 8, 21), _UNTIL),
    group(_sample(4, _HOSTILE[:80], OPEN), Counts(1, 0, 3), _UNTIL),
    preview(_sample(5, "教职工考勤管理办法", NEW, approver=""), _TEXT, "", ""),
    preview(_sample(6, "教职工考核办法", NEW, kind="考核"), _TEXT, _UNTIL, "1 个群，38 人"),
    preview(_sample(7, "教职工考勤管理办法", OPEN), _TEXT, _UNTIL, ""),
    reminder(_sample(8, "教职工考勤管理办法", OPEN), _UNTIL),
    reminder(_sample(9, _HOSTILE[:80], CLOSED), _UNTIL),
)

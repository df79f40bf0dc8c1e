"""The faces beside the notice, each for one person or the office: leave, an answer given for somebody, a question, what
is still open, a moved meeting, a vanished line. Pure, but for the rows that ``feature`` hands in by number."""

from __future__ import annotations

from collections.abc import Sequence

from bot.kit.card import Block, Button, Card, Facts, Line, Quote, Tone
from bot.kit.context import View
from bot.kit.words import _
from handlers.notices import cards, rules, sections
from handlers.notices.cards import Face
from handlers.notices.leaves import OnLeave, Verdict
from handlers.notices.proxies import OnProxy, Stand
from handlers.notices.questions import OnQuestion
from handlers.notices.rules import Answer
from handlers.notices.taps import Later, Mute, MuteWeek, OnDraft, Rsvp, Step
from storage import absences, corrections, notices, people, proxies, questions, rsvps


def loud(view: View, number: int) -> Card | None:
    """@所有人 disturbs everybody: asked a second time."""
    found = sections.face(view, number)
    if found is None:
        return None
    key, title = f"notice-loud:{number}", _("要 @所有人 吗？")
    if found.notice.state != notices.DRAFT:
        return Card(key, title, (found.facts, Line(_("这一步已经过去了。"))))
    steps = (
        (_("确认 @所有人"), Step.LOUD, Tone.DANGER),
        (_("不@，照常发"), Step.QUIET, Tone.MAIN),
        (_("不发了"), Step.DROP, Tone.PLAIN),
    )
    warn = Line(_("这会打扰群里的每一个人，包括不用参加的。请再确认一次。"))
    buttons = tuple(Button(label, OnDraft(number, step), tone) for label, step, tone in steps)
    return Card(key, title, (Facts(((_("主题"), found.notice.topic), *found.facts.pairs)), warn), buttons)


def leave(view: View, number: int) -> Card | None:
    """For the office: who, why, and a yes or a no."""
    absence = absences.get(view.db, number)
    found = sections.face(view, absence.notice) if absence else None
    person = people.get(view.db, absence.person) if absence else None
    if absence is None or found is None or person is None:
        return None
    given = rsvps.mine(view.db, absence.notice, absence.person)
    why = (given.note if given and given.answer == Answer.LEAVE.value else "") or _("没有写")
    body: list[Block] = [Facts(((_("会议"), found.notice.topic), *found.facts.pairs[:1], (_("原因"), why)))]
    ends = {
        absences.GRANTED: _("已同意。"),
        absences.DECLINED: _("没有同意。"),
        absences.WITHDRAWN: _("本人改为能来了，不用批。"),
    }
    buttons: tuple[Button, ...] = ()
    if absence.state in ends:
        body.append(Line(ends[absence.state]))
    elif found.notice.state == notices.CANCELLED:
        body.append(Line(_("会议已取消，不用批。")))
    else:
        yes, no = OnLeave(number, Verdict.YES), OnLeave(number, Verdict.NO)
        buttons = (Button(_("同意"), yes, Tone.MAIN), Button(_("不同意"), no))
    return Card(f"notice-off:{number}", _("请假 · {name}", name=person.name), body, buttons, found.serial)


def proxy(view: View, number: int) -> Card | None:
    """For the person in whose name a colleague answered."""
    row = proxies.get(view.db, number)
    found = sections.face(view, row.notice) if row else None
    by = people.get(view.db, row.by) if row else None
    if row is None or found is None or by is None:
        return None
    said = Line(_("{by} 代您答复：{answer}。", by=by.name, answer=Answer(row.answer).label))
    key, title = f"notice-for:{number}", _("请确认 · {topic}", topic=found.notice.topic)
    ends = {proxies.KEPT: _("您说照这样记。"), proxies.REFUSED: _("您说不对，已撤销。")}
    if row.state in ends or not found.answerable:
        return Card(key, title, (found.facts, said, Line(ends.get(row.state, _("答复已截止。")))), (), found.serial)
    yes, no = OnProxy(number, Stand.KEEP), OnProxy(number, Stand.REFUSE)
    buttons = (Button(_("对，就这样"), yes, Tone.MAIN), Button(_("不对，撤销"), no))
    hint = Line(_("不点也算数；不对请点“不对，撤销”，或者直接回复您自己的答复。"))
    return Card(key, title, (found.facts, said, hint), buttons, found.serial)


def question(view: View, number: int) -> Card | None:
    """For the office: what somebody asked beside the answer."""
    row = questions.get(view.db, number)
    found = sections.face(view, row.notice) if row else None
    person = people.get(view.db, row.person) if row else None
    if row is None or found is None or person is None:
        return None
    body: list[Block] = [Facts(((_("会议"), found.notice.topic), *found.facts.pairs)), Quote(row.text, person.name)]
    if row.reply:
        body.append(Line(_("已答复：{reply}", reply=row.reply)))
    button = Button(_("再答复一次") if row.reply else _("答复"), OnQuestion(number), Tone.MAIN)
    foot = _("{serial} 点“答复”，或者引用这条消息回复，都会转给提问的人。", serial=found.serial)
    return Card(
        f"notice-ask:{number}",
        _("{name} 问 · {topic}", name=person.name, topic=found.notice.topic),
        body,
        (button,),
        foot,
    )


def todo(view: View, person: int) -> Card | None:
    """Everything one person has not answered yet, in one message."""
    known = [sections.face_of(view, one) for one in notices.opened(view.db, view.now)]
    asked = [
        face for face in known if face.answerable and person in {p.id for p in sections.expected(view, face.notice)}
    ]
    mine = [face for face in asked if rsvps.mine(view.db, face.notice.id, person) is None]
    key = f"notice-todo:{person}"
    if not mine:
        return Card(key, _("没有要答复的通知了"), (Line(_("谢谢，都答复了。")),))
    body: list[Block] = []
    buttons: list[Button] = []
    for n, face in enumerate(asked, 1):  # a number stays with its notice while others are answered
        if face in mine:
            body.append(Facts(((f"{n}. {_('主题')}", face.notice.topic), *face.facts.pairs)))
            buttons += [Button(f"{n} {one.label}", Rsvp(face.notice.id, one)) for one in rules.OFFERED]
    first = mine[0].notice.id
    buttons += _rest(first)
    body.append(Line(_("请各点一下。不想再收提醒，点“今天别提醒”或“本周别再提醒”。")))
    return Card(key, _("还有 {n} 个通知请您答复", n=len(mine)), body, buttons)


def _rest(notice: int) -> Sequence[Button]:
    later = Button(_("稍后"), Later(notice))
    return (later, Button(_("今天别提醒"), Mute(notice)), Button(_("本周别再提醒"), MuteWeek(notice)))


def moved(view: View, number: int) -> Card | None:
    """For who is coming: what changed, and the same buttons; the answer stands unless they press another."""
    change = corrections.get(view.db, number)
    found = sections.face(view, change.notice) if change else None
    if change is None or found is None:
        return None
    facts = {"serial": found.notice.serial, "what": rules.spoken(change, view.school)}
    what = _("〔通知 {serial}〕更正：{what}。您的答复照旧，不用再回；来不了请点“请假”。", **facts)
    body: tuple[Block, ...] = (Line(what), found.facts)
    title = _("更正 · {topic}", topic=found.notice.topic)
    return Card(f"notice-moved:{number}", title, body, cards.answers(found))


def gone(found: Face) -> Card | None:
    """Whose line is no longer in the 接龙."""
    facts = Facts(((_("主题"), found.notice.topic), *found.facts.pairs))
    text = _("新的接龙里没有您了。之前的答复没有改动；要改请点一下。")
    body = (facts, Line(text)) if found.answerable else (facts, Line(_("答复已截止，不用再答复。")))
    return Card(f"notice-gone:{found.notice.id}", _("接龙里少了您的名字"), body, cards.answers(found), found.serial)


def invited(found: Face) -> Card | None:
    """For who was asked only later."""
    card = cards.mine(found)
    return (
        Card(f"notice-new:{found.notice.id}", card.title, card.body, cards.answers(found), found.serial)
        if card
        else None
    )

"""The faces of a vote. Pure: what is known in, a card out. A choice beside a person cannot be drawn: nobody has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.kit.action import Action
from bot.kit.card import Block, Button, Card, Facts, Line, Tally, Tone
from bot.kit.words import N_, _
from handlers.stars import rules
from handlers.stars.taps import AskVoid, Cast, Close, Drop, Go, KeepOn, Start, Void
from storage.ballots import Candidate, State, Turnout


@dataclass(frozen=True, slots=True)
class Face:
    """Everything the cards show. ``closes`` and ``count_at`` are words; ``open``: a vote would count now."""

    number: int
    title: str
    state: State
    candidates: Sequence[Candidate]
    closes: str
    turnout: Turnout
    open: bool = False
    least: int = rules.LEAST
    rules_code: str = ""  # the fingerprint of what was frozen at the opening
    count_at: str = ""
    result: Sequence[int] | None = None

    @property
    def names(self) -> list[str]:
        return [rules.seat_name(self.candidates, seat) for seat in range(1, len(self.candidates) + 1)]


def draft(face: Face) -> Card:
    """For the office, before anybody else sees anything."""
    asking = face.state is State.DRAFT
    buttons = (
        _button(_("确认开始"), Start(face.number), Tone.MAIN),
        _button(_("不办了"), Drop(face.number)),
    )
    facts = (
        (_("候选人"), "、".join(face.names)),
        (_("投票人"), _("今天在岗的 {n} 人，开始后不再变", n=face.turnout.size)),
        (_("截止"), face.closes),
        (_("规则"), _rules(face)),
    )
    foot = _("开始后，名单、规则和截止时间都不能再改。") if asking else _("已经开始。")
    title = _("请核对：{title}", title=face.title) if asking else face.title
    return Card(f"star-draft:{face.number}", title, (Facts(facts),), buttons if asking else (), foot)


def dropped(number: int) -> Card:
    return Card(f"star-draft:{number}", _("评选没有办"), (Line(_("没有开始，也没有通知任何人。")),))


def group(face: Face) -> Card:
    """The one card in each group: who stands and how many have voted, nothing else."""
    body: list[Block] = [
        Facts(((_("候选人"), "、".join(face.names)), (_("截止"), face.closes))),
        Tally(((_("已投"), face.turnout.voted),), face.turnout.size),
        Line(_rules(face) if face.open else _stage(face)),
    ]
    buttons = (_button(_("去投票"), Go(face.number), Tone.MAIN),) if face.open else ()
    foot = _("规则指纹 {code}", code=face.rules_code)
    return Card(f"stars:{face.number}", _("{title} 投票", title=face.title), body, buttons, foot)


def ballot(face: Face) -> Card:
    """The private ballot. It looks the same for everybody, before and after the vote."""
    title = _("{title} 选票", title=face.title)
    if not face.open:
        return Card(f"ballot:{face.number}", title, (Line(_stage(face)),))
    numbered = [(_("{n}号", n=seat), name) for seat, name in enumerate(face.names, 1)]
    body = (
        Facts((*numbered, (_("截止"), face.closes))),
        Line(_("每人一票，截止前可改，投给谁没有人能查到。也可以直接回复名字、编号或“弃权”。")),
    )
    seats = [(name, seat) for seat, name in enumerate(face.names, 1)] + [(_("弃权"), rules.ABSTAIN)]
    return Card(f"ballot:{face.number}", title, body, [_button(name, Cast(face.number, seat)) for name, seat in seats])


def full(face: Face) -> Card:
    """For the office: everybody has voted."""
    if not face.open:
        return Card(f"star-full:{face.number}", face.title, (Line(_stage(face)),))
    body = (
        Line(_("{n} 人都投了。可以现在截止，也可以等到 {closes}。", n=face.turnout.size, closes=face.closes)),
        Line(_("截止以后谁也不能再改票。")),
    )
    return Card(f"star-full:{face.number}", face.title, body, (_button(_("提前截止"), Close(face.number)),))


def check(face: Face) -> Card:
    """For the office, while the receipts hang out and nothing is opened."""
    title = _("{title} 已截止", title=face.title)
    if face.state is not State.CLOSING:
        return Card(f"star-check:{face.number}", title, (Line(_stage(face)),))
    said = _(
        "{n} 人中 {voted} 人投票，回执已发在群里。{at} 开票；有人找不到自己的回执，就不要开。",
        n=face.turnout.size,
        voted=face.turnout.voted,
        at=face.count_at,
    )
    button = _button(_("有异议，作废"), AskVoid(face.number), Tone.DANGER)
    return Card(f"star-check:{face.number}", title, (Line(said),), (button,))


def void(face: Face) -> Card:
    """For the office: are you sure?"""
    key, title = f"star-void:{face.number}", _("作废{title}？", title=face.title)
    if face.state not in (State.OPEN, State.CLOSING, State.DISPUTED):
        return Card(key, title, (Line(_stage(face)),))
    said = _("已投的 {n} 票不会打开，也找不回来；全体会收到通知，要评选得重新发起。", n=face.turnout.voted)
    buttons = (
        _button(_("确认作废"), Void(face.number), Tone.DANGER),
        _button(_("不作废"), KeepOn(face.number)),
    )
    return Card(key, title, (Line(said),), buttons)


def result(face: Face) -> Card:
    """What everybody may know: counts in the order of the candidates, and nothing where they would give people away."""
    title = _("{title} 结果", title=face.title)
    foot = _("钥匙已销毁，谁投了谁没有人能查到。规则指纹 {code}", code=face.rules_code)
    return Card(f"star-result:{face.number}", title, outcome(face), (), foot)


def outcome(face: Face) -> list[Block]:
    """Turnout and counts, for the result card and for the reports."""
    body: list[Block] = [Facts(((_("投票"), f"{face.turnout.voted}/{face.turnout.size}"),))]
    if face.result is None:
        return [*body, Line(_("不到 {least} 票，票数太少，为保密不开票，也不公布。", least=face.least))]
    counts = [*zip(face.names, face.result[1:], strict=True), (_("弃权"), face.result[0])]
    body.append(Tally(counts, face.turnout.voted))
    tied = [face.names[seat - 1] for seat in rules.tied(face.result)]
    if tied:
        body.append(Line(_("{names}票数并列。并列怎么定，由学校商定后另行通知。", names="、".join(tied))))
    return body


FAULTS = {
    "settings": N_("规则被改过"),
    "roll": N_("投票名单被改过"),
    "flag": N_("有票和登记不一致"),
    "seal": N_("有票的封印不对"),
    "twin": N_("有两张一样的票"),
    "size": N_("有票的大小不对"),
    "list": N_("票和公布的回执不一致"),
    "inside": N_("有票拆开后读不出来"),
    "recount": N_("两次点票结果不同"),
}


def receipts(face: Face, codes: Sequence[str]) -> str:
    """What hangs out between the close and the count."""
    facts = {"title": face.title, "size": face.turnout.size, "voted": face.turnout.voted, "at": face.count_at}
    if not codes:
        return _("{title}投票已截止，没有人投票。", **facts)
    head = _("{title}投票已截止：{size} 人中 {voted} 人投票，{at} 开票。", **facts)
    ask = _("下面是这 {voted} 票的回执。请找自己最后收到的那一个；找不到的，请在开票前告诉办公室。", **facts)
    rows = ["　".join(codes[at : at + 2]) for at in range(0, len(codes), 2)]  # two a line fit on a phone
    return "\n".join([head, ask, *rows])


def _rules(face: Face) -> str:
    return _("每人一票，截止前可改，只公布票数；少于 {least} 票不公布", least=face.least)


def _stage(face: Face) -> str:
    match face.state:
        case State.DRAFT:
            return _("还没有开始。")
        case State.OPEN if face.open:
            return _("正在投票。")
        case State.OPEN | State.CLOSING:
            return _("投票已截止，正在核对回执，还没有开票。")
        case State.COUNTED | State.SEALED:
            return _("已开票，结果马上公布。")
        case State.PUBLISHED:
            return _("投票已结束，结果已公布。")
        case State.DISPUTED:
            return _("核对时有对不上的地方，没有开票，等办公室处理。")
        case State.VOID:
            return _("这次投票作废，票没有打开。")


def _button(label: str, action: Action, tone: Tone = Tone.PLAIN) -> Button:
    return Button(label, action, tone)


# --- for `make preview` and the channel contract --------------------------------------------------------------

_NASTY = (
    Candidate(1, "赵老师", "语文组"),
    Candidate(2, "欧阳·买买提*_[`<b>{name}%s", "数学组"),
    Candidate(3, "孙老师", "语文组"),
    Candidate(4, "孙老师", "信息组"),
    Candidate(5, "👩‍🏫\u202e老师" * 6, ""),
)


def _face(state: State, *, live: bool = False, counts: Sequence[int] | None = None, voted: int = 12) -> Face:
    code, closes, at = "K7QF-2M9D-XW3T", "12月4日 周五 17:00", "12月4日 周五 17:11"
    return Face(1, "12月明星教师", state, _NASTY, closes, Turnout(voted, 38), live, 5, code, at, counts)


_CALM = Face(2, "11月明星教师", State.OPEN, _NASTY[:1] + _NASTY[2:3], "11月27日 周五 17:00", Turnout(0, 38), True)
GALLERY: Sequence[Card] = (
    draft(_face(State.DRAFT)),
    draft(_face(State.OPEN)),
    dropped(1),
    group(_face(State.OPEN, live=True)),
    group(_face(State.CLOSING)),
    group(_face(State.VOID)),
    ballot(_CALM),
    ballot(_face(State.OPEN, live=True)),
    ballot(_face(State.CLOSING)),
    full(_face(State.OPEN, live=True, voted=38)),
    check(_face(State.CLOSING)),
    check(_face(State.DISPUTED)),
    void(_face(State.OPEN, live=True)),
    result(_face(State.PUBLISHED, counts=(2, 4, 0, 4, 1, 1))),
    result(_face(State.PUBLISHED, voted=3)),
)

"""The faces of a notice. Pure: rows and facts in, a card out. No reason for leave is ever drawn for a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.card import Block, Button, Card, Facts, Line, People, Table, Tally, Tone
from bot.kit.context import School
from bot.kit.words import N_, _
from handlers.notices import rules
from handlers.notices.rules import Answer, Count
from handlers.notices.taps import Chase, Later, Mute, MuteWeek, OnChange, OnDraft, Rsvp, Step
from storage import corrections
from storage.corrections import Change
from storage.notices import CANCELLED, CLOSED, DRAFT, DROPPED, OPEN, Notice


@dataclass(frozen=True, slots=True)
class Face:
    """What every face of a notice knows. ``fixes``: what was corrected, in words, oldest first."""

    notice: Notice
    school: School
    now: datetime
    count: Count
    fixes: Sequence[str] = ()
    retracted: bool = False

    @property
    def answerable(self) -> bool:
        return self.notice.state == OPEN and self.now < self.notice.closes

    @property
    def facts(self) -> Facts:
        notice, school = self.notice, self.school
        pairs = [(_("时间"), rules.written(notice.starts, notice.ends, school)), (_("地点"), notice.place)]
        if notice.deadline and notice.deadline < notice.starts:
            pairs.append((_("回复截止"), school.write_time(notice.deadline, self.now)))
        if notice.circles:
            pairs.append((_("参加"), rules.audience(notice.circles)))
        if notice.bring:
            pairs.append((_("请带"), notice.bring))
        return Facts(tuple(pairs))

    @property
    def tally(self) -> Tally:
        answers = tuple((answer.label, n) for answer, n in self.count.answers)
        return Tally((*answers, (_("未答"), self.count.silent)), self.count.expected)

    @property
    def serial(self) -> str:
        return _("〔通知 {serial}〕", serial=self.notice.serial)


@dataclass(frozen=True, slots=True)
class Plan:
    """What sending would mean: how many people and groups, when it leaves, what to look at twice."""

    people: int
    away: int
    groups: int
    leaves_at: datetime
    warnings: Sequence[str] = ()
    unseen: bool = False  # sent, but still waiting for the morning


def group(face: Face) -> Card | None:
    """The one card in the group, edited in place from the first answer to the start of the meeting."""
    notice = face.notice
    if notice.state in (DRAFT, DROPPED):
        return None
    title = _("会议通知 · {topic}", topic=notice.topic)
    if notice.state == CANCELLED:
        title = (
            _("已撤回 · {topic}", topic=notice.topic) if face.retracted else _("已取消 · {topic}", topic=notice.topic)
        )
        over = _("发错了，已撤回，请不用理会。") if face.retracted else _("会议已取消，不用再答复。")
        return Card(f"notice:{notice.id}", title, (face.facts, Line(over)), foot=face.serial)
    fixes = [Line(_("更正：{what}", what=what)) for what in face.fixes]
    closing = {CLOSED: _("会议已开始，不再收答复。")}.get(notice.state, _("答复已截止。"))
    state = () if face.answerable else (Line(closing),)
    called = [Line("@所有人")] if notice.loud else []
    body = (*called, face.facts, *fixes, face.tally, *state)
    return Card(f"notice:{notice.id}", title, body, answers(face), face.serial)


def mine(face: Face) -> Card | None:
    """The reminder in private: the same buttons, and how to be left alone."""
    notice = face.notice
    if notice.state in (DRAFT, DROPPED):
        return None
    if not face.answerable:
        over = _("会议已取消，不用再答复。") if notice.state == CANCELLED else _("答复已截止，不用再答复。")
        return Card(f"notice-me:{notice.id}", notice.topic, (face.facts, Line(over)), foot=face.serial)
    quiet = (Button(_("今天别提醒"), Mute(notice.id)), Button(_("本周别再提醒"), MuteWeek(notice.id)))
    buttons = (*answers(face), Button(_("稍后"), Later(notice.id)), *quiet)
    ask = Line(_("请点一下答复，也可以直接回复“能到”“晚到十分钟”“请假”。"))
    foot = _("{serial} 回复“今天别提醒”，今天就不再提醒您。", serial=face.serial)
    return Card(f"notice-me:{notice.id}", _("请答复 · {topic}", topic=notice.topic), (face.facts, ask), buttons, foot)


def answers(face: Face) -> tuple[Button, ...]:
    if not face.answerable:
        return ()
    tones = {Answer.YES: Tone.MAIN}
    return tuple(Button(one.label, Rsvp(face.notice.id, one), tones.get(one, Tone.PLAIN)) for one in rules.OFFERED)


# --- for the office -------------------------------------------------------------------------------------------


def draft(face: Face, plan: Plan) -> Card:
    """Before anybody else sees anything: the date written out, who is asked, what to look at twice."""
    notice, key = face.notice, f"notice-draft:{face.notice.id}"
    facts = Facts(((_("主题"), notice.topic), *face.facts.pairs))
    if notice.state != DRAFT:
        over = _("没有发出，已放弃。") if notice.state == DROPPED else _("已发出：{serial}", serial=face.serial)
        return Card(key, _("会议通知 预览"), (facts, Line(over)))
    body: list[Block] = [facts, Line(_reach(plan))]
    body += [Line(text) for text in _look_twice(face, plan)]
    return Card(key, _("会议通知 预览"), body, _draft_buttons(face, plan), _("点“确认发送”之前，谁也看不到。"))


def _reach(plan: Plan) -> str:
    away = _("（另有 {n} 人那天休假，不计）", n=plan.away) if plan.away else ""
    return _("将问 {people} 人{away}，发到 {groups} 个群。", people=plan.people, away=away, groups=plan.groups)


def _look_twice(face: Face, plan: Plan) -> list[str]:
    texts = []
    if face.notice.state == DRAFT and not face.notice.sure:
        texts.append(_("时间没有写全，是按上面这样理解的，请核对。"))
    texts += plan.warnings
    if face.notice.state == DRAFT and not plan.groups:
        texts.append(_("还没有绑定群：请先在教职工群里发“{call}绑定本群”。", call=face.school.call))
    if plan.leaves_at > face.now and not plan.unseen:
        at = face.school.write_time(plan.leaves_at, face.now)
        texts.append(_("现在是安静时段，将于 {at} 发出。", at=at))
    return texts


def _draft_buttons(face: Face, plan: Plan) -> tuple[Button, ...]:
    steps = [(_("确认发送"), Step.SEND, Tone.MAIN)]
    if plan.leaves_at > face.now:
        steps.append((_("现在就发"), Step.NOW, Tone.PLAIN))
    steps += [(_("改时间"), Step.TIME, Tone.PLAIN), (_("改地点"), Step.PLACE, Tone.PLAIN)]
    steps += [(_("改主题"), Step.TOPIC, Tone.PLAIN), (_("不发了"), Step.DROP, Tone.DANGER)]
    return tuple(Button(label, OnDraft(face.notice.id, step), tone) for label, step, tone in steps)


def fix(face: Face, change: Change, plan: Plan, going: int) -> Card:
    """A correction or a cancellation before it is told: what changes, and who will hear of it."""
    key, cancels, topic = f"notice-fix:{change.id}", change.kind in ("cancel", "retract"), face.notice.topic
    titles = {"cancel": _("取消通知 · {topic}", topic=topic), "retract": _("撤回通知 · {topic}", topic=topic)}
    title = titles.get(change.kind) or _("更正 · {topic}", topic=topic)
    what: Block = face.facts if cancels else Line(rules.spoken(change, face.school))
    if change.state != corrections.DRAFT:
        over = _("已确认。") if change.state == corrections.SENT else _("没有改动。")
        return Card(key, title, (what, Line(over)), foot=face.serial)
    told = _heard_by(plan, cancels, 0 if cancels or change.kind == "topic" else going)
    heard_by = Line(_("确认后只私聊告诉新加的 {n} 人。", n=going) if change.kind == "widen" else told)
    body = (what, heard_by, *(Line(text) for text in _look_twice(face, plan)))
    sure = {"cancel": _("确认取消"), "retract": _("确认撤回"), "widen": _("确认追加")}.get(change.kind, _("确认更正"))
    steps = [(sure, Step.SEND, Tone.MAIN)]
    if plan.leaves_at > face.now and not plan.unseen:
        steps.append((_("现在就发"), Step.NOW, Tone.PLAIN))
    steps.append((_("不改了"), Step.DROP, Tone.PLAIN))
    buttons = tuple(Button(label, OnChange(change.id, step), tone) for label, step, tone in steps)
    return Card(key, title, body, buttons, face.serial)


def _heard_by(plan: Plan, cancels: bool, going: int) -> str:
    if plan.unseen:
        return _("通知还没有发到群里，不会再发。") if cancels else _("通知还没有发到群里，到时发的就是新的。")
    more = _("，并私聊 {n} 位要来的老师", n=going) if going else ""
    return _("确认后告诉 {groups} 个群{more}。", groups=plan.groups, more=more)


def silent(face: Face, names: Mapping[str, Sequence[str]]) -> Card:
    """谁还没回, for the office in private: the names, and the reasons they gave."""
    lists = [People(title, people) for title, people in names.items() if people]
    body: tuple[Block, ...] = (face.facts, *lists) if lists else (face.facts, Line(_("都答复了。")))
    asks = face.answerable and face.count.silent
    buttons = (Button(_("催一下"), Chase(face.notice.id)),) if asks else ()
    title = _("谁还没回 · {topic}", topic=face.notice.topic)
    return Card(f"notice-silent:{face.notice.id}", title, body, buttons, face.serial)


def numbers(face: Face, departments: Sequence[tuple[str, Count]]) -> Card:
    """统计: the same numbers by department, in the order of the roster."""
    shown = shown_of([count for _name, count in departments])
    heads = (_("部门"), _("应到"), *(answer.label for answer in shown), _("未答"))
    rows = [(name or _("未分部门"), *numbers_of(count, shown)) for name, count in departments]
    extra = (Line(_("另有 {n} 位那天休假的老师也答复了，不计在内。", n=face.count.extra)),) if face.count.extra else ()
    seen = face.count.seen  # acknowledged and coming are two things; who read it, nobody knows
    said = (Line(_("能到的 {n} 人里，{m} 人只回了“收到”。", n=face.count.yes, m=seen)),) if seen else ()
    body = (face.facts, face.tally, *said, *extra, Table(heads, rows))
    title = _("统计 · {topic}", topic=face.notice.topic)
    return Card(f"notice-stats:{face.notice.id}", title, body, (), face.serial)


def shown_of(counts: Sequence[Count]) -> Sequence[Answer]:
    """The columns of a table: 早退 where there is any."""
    return tuple(Answer) if any(count.early for count in counts) else rules.OFFERED


def numbers_of(count: Count, shown: Sequence[Answer]) -> Sequence[str]:
    """应到, what is shown, 未答."""
    given = {Answer.YES: count.yes, Answer.LATE: count.late, Answer.LEAVE: count.leave, Answer.EARLY: count.early}
    return [str(n) for n in (count.expected, *(given[answer] for answer in shown), count.silent)]


# --- for the preview and the contract of the channels ----------------------------------------------------------


def _gallery() -> Sequence[Card]:
    now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    starts = datetime(2026, 11, 27, 7, 30, tzinfo=UTC)
    school = School(N_("红烛中学"), when.SchoolHours(), when.QuietHours(), Calendar())
    facts = {"ends": None, "sure": True, "deadline": None, "author": 1, "made_at": now, "leaves_at": now}
    sent = Notice(42, OPEN, now.date(), 1, "教学例会", "三楼会议室", starts, **facts)  # type: ignore[arg-type]
    wild = Notice(43, OPEN, now.date(), 2, HOSTILE * 3, HOSTILE, starts, **facts)  # type: ignore[arg-type]
    new = Notice(44, DRAFT, None, None, "期中质量分析", "报告厅", starts, **{**facts, "sure": False})  # type: ignore[arg-type]
    count, plan = Count(31, 2, 3, 2, 38, 1), Plan(38, 2, 1, now, ("请核对：11月28日 周六 是休息日（周末）。",))
    night = Plan(36, 0, 2, datetime(2026, 11, 23, 23, 3, tzinfo=UTC))
    face, rough = Face(sent, school, now, count), Face(wild, school, now, count, (HOSTILE,))
    change = Change(7, 42, "place", "三楼会议室", HOSTILE, corrections.DRAFT, 1, now)
    names = {"未答复 2 人": [HOSTILE, "老师05（教学部）"], "请假 1 人": ["王老师（监考）"]}
    drawn = (group(face), group(rough), mine(face), mine(rough), draft(Face(new, school, now, count), plan))
    office = (draft(Face(new, school, now, count), night), fix(face, change, plan, 33), silent(rough, names))
    return [card for card in (*drawn, *office, numbers(face, [("教学部", count), ("", count)])) if card]


HOSTILE = "<b>王*_`[老师](http://x)`_*</b> & \u202e倒 👩‍👩‍👧 {n} %s 〔通知 9999-99〕"
GALLERY: Sequence[Card] = _gallery()

"""会议记录, and the other papers of a meeting: what the recorder types, what is counted, who gets it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.feature import Outcome
from bot.kit.papers import DOCX, XLSX, Paper, file_name
from bot.kit.reply import Ask, Reply
from bot.kit.words import _
from handlers.meetings import export, forms, papers, rules, sections, tasks
from handlers.meetings.taps import Act
from storage import files, meetings, notices, people
from storage.notices import Notice

TYPES = {"docx": DOCX, "xlsx": XLSX}

# --- what the recorder types ----------------------------------------------------------------------------------


def note(field: str) -> Callable[[Context, Any], Reply]:
    """Keeps one thing that was said; said again it takes the place of the first."""

    def kept(ctx: Context, form: Any) -> Reply:
        notice = rules.check_held(notices.get(ctx.db, form.notice))
        text = form.text[:40] if field in ("chair", "recorder") else form.text[: forms.LONGEST]
        meetings.write(ctx.db, notice.id, field, text)
        for prefix in ("meeting-minutes", "meeting-papers"):
            ctx.redraw(f"{prefix}:{notice.id}")
        if field == "agenda" and ctx.now < notice.starts:
            papers.tell_soon(ctx, notice, agenda=True)
            return _("已记下，几分钟后告诉大家一次。接着填，或者发“生成会议记录”。")
        return _("已记下。接着填，或者发“生成会议记录”。")

    return kept


# --- papers as files ------------------------------------------------------------------------------------------


def make(ctx: Context, act: Act, notice: Notice) -> str:
    face = sections.face_of(ctx, notice)
    match act:
        case Act.SHEET:
            _start(ctx, notice, export.sheet(face), xlsx=1)
        case Act.REPLIES:
            _start(ctx, notice, export.replies(face), xlsx=1)
        case _:
            _start(ctx, notice, export.minutes(face, names=True))
    return _("正在做，做好了私聊发给您。")


def _start(ctx: Context, notice: Notice, paper: Paper, *, xlsx: int = 0, tell: int = 0, study: int = 0) -> None:
    name = paper.parts[0].name
    facts: dict[str, int | str] = {"notice": notice.id, "name": name, "xlsx": xlsx, "tell": tell, "study": study}
    ctx.start("meetings.make", msgspec.json.encode(paper), **facts)


def made(ctx: Context, outcome: Outcome) -> Reply:
    """Kept once for each who gets it, as theirs."""
    notice = notices.get(ctx.db, int(outcome.note["notice"]))
    if outcome.value is None or notice is None:
        return _("没有做成，请再发一次。")
    if outcome.note["tell"]:
        return _tell(ctx, notice, outcome.value["docx"], study=bool(outcome.note["study"]))
    for ending in sorted(outcome.value):
        name = file_name(str(outcome.note["name"]), notice.topic, ending=ending)
        file = files.keep(ctx.db, name, TYPES[ending], outcome.value[ending], ctx.now, owner=ctx.me.id)
        ctx.send(file, name, Persons([ctx.me.id]))
    return None


# --- the minutes for who was not there ------------------------------------------------------------------------


def ask_to_tell(ctx: Context, notice: Notice) -> Reply:
    """Nothing leaves before somebody has read how many will get it."""
    if ctx.now < notice.starts:
        raise Refused(_("会议还没开始，还没有记录可发。"))
    there = sections.attendance(ctx, notice)
    if not there.absent:
        raise Refused(_("没有没到会的人，不用发。（没有开签到的会议，按答复“请假”算。）"))
    n = len(there.absent)
    said = _("按签到算，没到会的有 {n} 人，会收到会议记录（只有人数，没有名单）。", n=n)
    if not there.held:
        said = _("没有开签到，按答复“请假”算，没到会的有 {n} 人，会收到会议记录（只有人数，没有名单）。", n=n)
    if (told := meetings.minutes_of(ctx.db, notice.id).told) is not None:
        said += _("之前在 {at} 发过一次，这次会再发一份。", at=ctx.school.write_time(told, ctx.now))
    ctx.say(said, to=Persons([ctx.me.id]))
    return Ask(forms.Tell, {"notice": notice.id}, private=True)


def tell(ctx: Context, form: forms.Tell) -> Reply:
    notice = rules.check_held(notices.get(ctx.db, form.notice))
    paper = export.minutes(sections.face_of(ctx, notice), names=False)
    _start(ctx, notice, paper, tell=1, study=int(form.study))
    return _("正在发给没到会的人。")


def _tell(ctx: Context, notice: Notice, content: bytes, *, study: bool) -> str:
    meetings.tell(ctx.db, notice.id, ctx.now)
    absent = [one.id for one in sections.attendance(ctx, notice).absent]
    known = people.addresses(ctx.db, absent)
    name = file_name(_("会议记录"), notice.topic, ending="docx")
    for person in known:
        file = files.keep(ctx.db, name, DOCX, content, ctx.now, owner=person)
        ctx.send(file, name, Persons([person]), gentle=True)
    if study:
        tasks.ask_to_catch_up(ctx, notice, absent)
    ctx.redraw(f"meeting-minutes:{notice.id}")
    said = _("会议记录发给了 {n} 位没到会的人。", n=len(known))
    left = [one.name for one in people.active(ctx.db) if one.id in absent and one.id not in known]
    return said + (_("还私聊不到：{names}。", names="、".join(left[:20])) if left else "")

"""签到表, 回执统计 and 会议记录 as inspectors ask for them: only what was recorded. A reason for leave is in none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.kit.papers import BLANK, Paper, Part
from bot.kit.words import N_, _
from handlers.meetings.cards import Face, written
from handlers.meetings.rules import LEAVE, Presence
from storage.followups import DONE
from storage.people import Person
from storage.rsvps import Given

ANSWERS = {"y": N_("能到"), "l": N_("晚到"), LEAVE: N_("请假")}


def _facts(face: Face) -> list[str]:
    notice = face.notice
    return [
        _("会议：{topic}　〔通知 {serial}〕", topic=notice.topic, serial=notice.serial),
        _("时间：{time}　地点：{place}", time=_long(face), place=notice.place),
    ]


def _long(face: Face) -> str:
    """With its year: a paper is read years later."""
    year = face.notice.starts.astimezone(face.school.zone).year
    return _("{year}年{time}", year=year, time=written(face.notice, face.school))


def _clock(face: Face, at: datetime) -> str:
    return f"{at.astimezone(face.school.zone):%H:%M}"


# --- 签到表 ---------------------------------------------------------------------------------------------------


def sheet(face: Face) -> Paper:
    """Where nobody opened the door it is a sheet to be signed by hand, with nothing in it that nobody knows."""
    there = face.there
    heads = (_("序号"), _("姓名"), _("部门"), _("签到"), _("备注"))
    rows = [_signed(face, number, one) for number, one in enumerate(there.asked, 1)]
    rows += [_signed(face, number, one, _("列席")) for number, one in enumerate(there.guests, len(rows) + 1)]
    count = _("应到 {n} 人", n=len(there.asked))
    if there.held:
        count = _("应到 {n} 人，实到 {here} 人", n=len(there.asked), here=len(there.here))
    title = _("{school}会议签到表", school=face.school.name)
    return Paper(title, [*_facts(face), count], [Part(_("签到表"), rows, (6, 14, 18, 20, 24), heads)])


def _signed(face: Face, number: int, person: Person, note: str = "") -> Sequence[str]:
    sign, presence = face.there.signed.get(person.id), face.there.of(person)
    notes = [note] if note else []
    if sign is not None and sign.by is not None:
        notes.append(_("办公室补签"))
    elif presence in (Presence.LATE, Presence.LEAVE):
        notes.append(presence.label)
    at = "" if sign is None else _("已签到") if sign.by is not None else _clock(face, sign.at)
    return (str(number), person.name, person.department, at, "，".join(notes))


# --- 回执统计 -------------------------------------------------------------------------------------------------


def replies(face: Face) -> Paper:
    """What each answered, and the numbers of each department."""
    asked, given = face.there.asked, face.there.given
    heads = (_("序号"), _("姓名"), _("部门"), _("答复"), _("答复时间"))
    rows = [
        (str(number), one.name, one.department, _answer(given.get(one.id)), _answered(face, given.get(one.id)))
        for number, one in enumerate(asked, 1)
    ]
    names = Part(_("回执明细"), rows, (6, 14, 18, 12, 22), heads)
    title = _("{school}会议回执统计表", school=face.school.name)
    return Paper(title, _facts(face), [_departments(face), names])


def _answer(given: Given | None) -> str:
    return _(ANSWERS.get(given.answer, given.answer)) if given else _("未答")


def _answered(face: Face, given: Given | None) -> str:
    return face.school.write_time(given.at, face.now) if given else ""


def _departments(face: Face) -> Part:
    """In the order of the roster, and all together."""
    by_name: dict[str, list[Person]] = {}
    for one in face.there.asked:
        by_name.setdefault(one.department, []).append(one)
    rows = [_counted(face, name or _("未分部门"), people) for name, people in by_name.items()]
    heads = (_("部门"), _("应到"), *(_(label) for label in ANSWERS.values()), _("未答"))
    return Part(_("回执统计"), [*rows, _counted(face, _("合计"), face.there.asked)], (20, 8, 8, 8, 8, 8), heads)


def _counted(face: Face, name: str, asked: Sequence[Person]) -> Sequence[str]:
    given = [face.there.given[one.id].answer for one in asked if one.id in face.there.given]
    numbers = (len(asked), *(given.count(answer) for answer in ANSWERS), len(asked) - len(given))
    return (name, *map(str, numbers))


# --- 会议记录 -------------------------------------------------------------------------------------------------


def minutes(face: Face, *, names: bool) -> Paper:
    """``names``: for the office. Who was not there reads how many were missing, never who."""
    kept, blank = face.minutes, _(BLANK)
    rows = [
        (_("会议名称"), face.notice.topic),
        (_("时间"), _long(face)),
        (_("地点"), face.notice.place),
        (_("主持人"), kept.chair or blank),
        (_("记录人"), kept.recorder or blank),
        *_presence(face, names),
        (_("会议议程"), _numbered(kept.agenda) or blank),
        (_("会议决议"), _numbered(kept.resolutions) or blank),
    ]
    if face.tasks:
        rows.append((_("行动项"), "\n".join(_task(face, number) for number in range(len(face.tasks)))))
    if face.papers:
        rows.append((_("会议材料"), "\n".join(one.name for one in face.papers)))
    title = _("{school}会议记录", school=face.school.name)
    serial = [_("〔通知 {serial}〕", serial=face.notice.serial)]
    foot = _("主持人（签字）：　　　　　　　　记录人（签字）：　　　　　　　　")
    return Paper(title, serial, [Part(_("会议记录"), rows, (18, 82))], foot=foot)


def _presence(face: Face, names: bool) -> list[tuple[str, str]]:
    there, blank = face.there, _(BLANK)
    counts = [(_("应到"), _("{n} 人", n=len(there.asked)))]
    late = len(there.among(Presence.LATE))
    here = _("{n} 人", n=len(there.here)) + (_("（其中晚到 {n} 人）", n=late) if late else "")
    counts.append((_("实到"), here if there.held else blank))
    label = _("请假") if there.held else _("请假（按答复）")
    counts.append((label, _people(there.among(Presence.LEAVE), names)))
    counts.append((_("未到"), _people(there.among(Presence.ABSENT), names) if there.held else blank))
    if there.guests:
        counts.append((_("列席"), _people(there.guests, names)))
    return counts


def _people(found: Sequence[Person], names: bool) -> str:
    if not found:
        return _("无")
    count = _("{n} 人", n=len(found))
    return _("{count}：{names}", count=count, names="、".join(one.name for one in found)) if names else count


def _numbered(text: str) -> str:
    """One point a line; a single one needs no number."""
    lines = text.split("\n")
    return text if len(lines) < 2 else "\n".join(f"{number}. {line}" for number, line in enumerate(lines, 1))


def _task(face: Face, number: int) -> str:
    task, owner = face.tasks[number]
    due = face.school.write_time(task.due, face.now)
    text = _("{number}. {owner}：{what}（{due}前）", number=number + 1, owner=owner, what=task.what, due=due)
    return text + (_("〔已完成〕") if task.state == DONE else "")

"""The faces around a meeting. Pure: rows and facts in, a card out. A group reads numbers, never a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.card import Block, Button, Card, Facts, Line, People, Table, Tally, Tone
from bot.kit.context import School
from bot.kit.papers import BLANK
from bot.kit.words import N_, _
from handlers.meetings import rules
from handlers.meetings.rules import Attendance, Presence
from handlers.meetings.taps import (
    Act,
    CaughtUp,
    Done,
    DropPaper,
    DropTask,
    GetPapers,
    OnCalendar,
    OnMeeting,
    SignHere,
    Step,
)
from storage.followups import DONE, OPEN, Catchup, Task
from storage.meetings import Door, Minutes, Paper, Sign
from storage.notices import CANCELLED, Notice
from storage.notices import OPEN as SENT
from storage.people import Person
from storage.rsvps import Given


@dataclass(frozen=True, slots=True)
class Face:
    """What every face of a meeting knows."""

    notice: Notice
    school: School
    now: datetime
    there: Attendance
    door: Door | None = None
    minutes: Minutes = field(default_factory=lambda: Minutes(0))
    papers: Sequence[Paper] = ()
    tasks: Sequence[tuple[Task, str]] = ()  # with the owner's name
    reading: Sequence[tuple[Catchup, str]] = ()

    @property
    def facts(self) -> Facts:
        return Facts(((_("时间"), written(self.notice, self.school)), (_("地点"), self.notice.place)))

    @property
    def serial(self) -> str:
        return _("〔通知 {serial}〕", serial=self.notice.serial)

    @property
    def is_open(self) -> bool:
        return self.door is not None and self.door.open(self.now) and self.notice.state != CANCELLED


def written(notice: Notice, school: School) -> str:
    """``11月27日 周五 14:00-16:00``"""
    text = school.write_time(notice.starts)
    return f"{text}-{notice.ends.astimezone(school.zone):%H:%M}" if notice.ends else text


# --- the door -------------------------------------------------------------------------------------------------


def door(face: Face) -> Card | None:
    """In the group: how many are in, and the one button."""
    if face.door is None:
        return None
    counts = Tally(((_("已签到"), len(face.there.here)),), len(face.there.asked))
    key = f"meeting-door:{face.notice.id}"
    if not face.is_open:
        over = _("会议已取消。") if face.notice.state == CANCELLED else _("签到已结束；漏签的请告诉办公室补签。")
        return Card(
            key, _("签到 · {topic}", topic=face.notice.topic), (face.facts, counts, Line(over)), (), face.serial
        )
    until = face.door.closes.astimezone(face.school.zone)
    how = _("本人点一下就好，签到到 {at}；也可以私聊我发“签到”。", at=f"{until:%H:%M}")
    if face.door.secret:
        how = _("看投影上的四位数，私聊我发“签到 加四位数”，签到到 {at}。", at=f"{until:%H:%M}")
    buttons = (Button(_("签到"), SignHere(face.notice.id), Tone.MAIN),)
    return Card(
        key, _("签到 · {topic}", topic=face.notice.topic), (face.facts, counts, Line(how)), buttons, face.serial
    )


# --- for the office -------------------------------------------------------------------------------------------


def desk(face: Face) -> Card:
    """会务: everything about one meeting, in private."""
    notice, there = face.notice, face.there
    body: list[Block] = [face.facts, Facts(((_("应到"), _("{n} 人", n=len(there.asked))), (_("签到"), _signing(face))))]
    if face.door is not None and face.is_open and face.door.secret:
        code = rules.code(face.door, face.now)
        body.append(Line(_("现在的四位数：{code}，半分钟一换；再发“会务”看新的。", code=code)))
    if face.papers:
        body.append(People(_("会议材料"), [one.name for one in face.papers]))
    if notice.state == CANCELLED:
        body.append(Line(_("会议已取消。")))
    acts = [(_("结束签到"), Act.SHUT)] if face.is_open else [(_("开始签到"), Act.OPEN), (_("凭码签到"), Act.CODED)]
    acts += [(_("补签"), Act.LATER), (_("签到表"), Act.SHEET), (_("回执统计"), Act.REPLIES)]
    acts += [(_("会议记录"), Act.MINUTES), (_("加材料"), Act.PAPER), (_("加行动项"), Act.TASK)]
    buttons = () if notice.state == CANCELLED else _buttons(notice, acts)
    buttons += tuple(
        Button(_("撤掉：{what}", what=one.name[:20]), DropPaper(one.id), Tone.DANGER) for one in face.papers
    )
    return Card(f"meeting:{notice.id}", _("会务 · {topic}", topic=notice.topic), body, buttons, face.serial)


def _signing(face: Face) -> str:
    if face.door is None:
        return _("没有开（不是必须的）")
    late = len(face.there.among(Presence.LATE))
    facts = {"n": len(face.there.here), "late": late, "guests": len(face.there.guests)}
    count = _("实到 {n} 人（晚到 {late} 人），列席 {guests} 人", **facts)
    return _("{count}，正在签到", count=count) if face.is_open else count


def _buttons(notice: Notice, acts: Sequence[tuple[str, Act]]) -> tuple[Button, ...]:
    main = (Act.OPEN, Act.SHUT, Act.EXPORT)
    return tuple(
        Button(label, OnMeeting(notice.id, act), Tone.MAIN if act in main else Tone.PLAIN) for label, act in acts
    )


def minutes(face: Face) -> Card:
    """What the minutes say so far, for the recorder: what nobody has said is 〔待填〕 and stays so."""
    kept, notice = face.minutes, face.notice
    blank = _(BLANK)
    facts = Facts(
        (
            (_("主持人"), kept.chair or blank),
            (_("记录人"), kept.recorder or blank),
            (_("会议议程"), kept.agenda or blank),
            (_("会议决议"), kept.resolutions or blank),
        )
    )
    body: list[Block] = [face.facts, facts]
    if face.tasks:
        body.append(Table((_("行动项"), _("谁"), _("期限"), _("状态")), [_task_row(face, *one) for one in face.tasks]))
    if kept.told is not None:
        body.append(Line(_told(face)))
    acts = [(_("主持人"), Act.CHAIR), (_("记录人"), Act.RECORDER), (_("议程"), Act.AGENDA), (_("决议"), Act.RESOLVED)]
    acts += [(_("加行动项"), Act.TASK), (_("生成会议记录"), Act.EXPORT), (_("发给没到会的"), Act.TELL)]
    foot = _("{serial} 人数和名单从签到和答复里来，不用填。", serial=face.serial)
    title = _("会议记录 · {topic}", topic=notice.topic)
    return Card(f"meeting-minutes:{notice.id}", title, body, _buttons(notice, acts), foot)


def _told(face: Face) -> str:
    waiting = [name for one, name in face.reading if one.state == OPEN]
    done = sum(one.state == DONE for one, _name in face.reading)
    if not done and not waiting:
        return _("会议记录已经发给没到会的人。")
    said = _("会议记录已经发给没到会的人，{done}/{all} 人已补学", done=done, all=done + len(waiting))
    return said + (_("，还没有的：{names}。", names="、".join(waiting[:20])) if waiting else _("。"))


def _task_row(face: Face, task: Task, owner: str) -> Sequence[str]:
    state = _("已完成") if task.state == DONE else _("未完成")
    return (task.what, owner, face.school.write_time(task.due, face.now), state)


def open_tasks(tasks: Sequence[tuple[Task, str]], school: School, now: datetime) -> Card:
    """行动项: what is still open, of everybody; each can be struck out."""
    heads = (_("行动项"), _("谁"), _("期限"))
    rows = [(one.what, owner, school.write_time(one.due, now)) for one, owner in tasks]
    body: tuple[Block, ...] = (Table(heads, rows),) if rows else (Line(_("没有没办完的行动项。")),)
    buttons = [
        Button(_("撤掉：{what}", what=f"{owner} {one.what}"[:24]), DropTask(one.id), Tone.DANGER)
        for one, owner in tasks[:20]
    ]
    foot = _("加一条，发：行动项 王老师 周五前 交教案")
    return Card("meeting-tasks:0", _("没办完的行动项"), body, buttons, foot)


# --- for one teacher ------------------------------------------------------------------------------------------


def papers(face: Face) -> Card:
    """会议材料: the agenda, the names of the papers, and a button that sends both in private."""
    key, title = f"meeting-papers:{face.notice.id}", _("会议材料 · {topic}", topic=face.notice.topic)
    agenda = (Facts(((_("会议议程"), face.minutes.agenda),)),) if face.minutes.agenda else ()
    names = (People(_("会议材料"), [one.name for one in face.papers]),) if face.papers else ()
    if not agenda and not names:
        return Card(key, title, (face.facts, Line(_("材料已经撤掉了。"))), (), face.serial)
    buttons = (Button(_("发给我"), GetPapers(face.notice.id), Tone.MAIN),)
    return Card(key, title, (face.facts, *agenda, *names), buttons, face.serial)


def task(one: Task, topic: str, school: School, now: datetime) -> Card:
    """A task, for whoever took it on."""
    pairs = [(_("办什么"), one.what), (_("期限"), school.write_time(one.due, now))]
    if topic:
        pairs.append((_("会议"), topic))
    if one.state != OPEN:
        over = _("已完成，谢谢。") if one.state == DONE else _("这件事已经撤掉，不用办了。")
        return Card(f"meeting-task:{one.id}", _("行动项"), (Facts(pairs), Line(over)))
    foot = _("办完点一下就好；最多提醒两次。今天不想再被提醒，回复“今天别提醒”。")
    return Card(f"meeting-task:{one.id}", _("行动项"), (Facts(pairs),), (_done(one),), foot)


def _done(one: Task) -> Button:
    return Button(_("完成"), Done(one.id), Tone.MAIN)


def catchup(one: Catchup, notice: Notice, school: School, now: datetime) -> Card:
    """What somebody who was not there is asked to read."""
    facts = Facts(((_("会议"), notice.topic), (_("时间"), written(notice, school))))
    key = f"meeting-catchup:{one.id}"
    if one.state != OPEN:
        over = _("已补学，谢谢。") if one.state == DONE else _("已经给您补签了，不用补学。")
        return Card(key, _("补学"), (facts, Line(over)))
    ask = Line(_("您没能到会。请看一看上面的会议记录，{at} 前点一下“已补学”。", at=school.write_time(one.due, now)))
    foot = _("最多提醒两次。今天不想再被提醒，回复“今天别提醒”。")
    return Card(key, _("补学"), (facts, ask), (Button(_("已补学"), CaughtUp(one.id), Tone.MAIN),), foot)


def calendar(person: Person, *, linked: bool, site: bool) -> Card:
    """日历: a file to take along, a link that keeps itself up to date."""
    state = _("订阅链接：有一个在用。") if linked else _("订阅链接：没有。")
    how = _("日历文件只有现在的会议；订阅链接会自己更新，改期、取消都看得到。链接只给您自己用，请不要转发。")
    steps = [(_("日历文件"), Step.FILE)]
    if site:
        steps.append((_("换一个新链接") if linked else _("要订阅链接"), Step.LINK))
    if linked:
        steps.append((_("停用链接"), Step.STOP))
    buttons = [Button(label, OnCalendar(step)) for label, step in steps]
    body = (Line(how), Line(state)) if site else (Line(_("这所学校没有开网页，只有日历文件，没有订阅链接。")),)
    return Card(f"calendar:{person.id}", _("我的会议日历"), body, buttons)


# --- for the preview and the contract of the channels ---------------------------------------------------------

HOSTILE = "<b>王*_`[老师](http://x)`_*</b> & \u202e倒 👩‍👩‍👧 {n} %s 〔通知 9999-99〕"


def _gallery() -> Sequence[Card]:
    now = datetime(2026, 11, 27, 7, 35, tzinfo=UTC)
    starts, hour = datetime(2026, 11, 27, 7, 30, tzinfo=UTC), timedelta(hours=1)
    school = School(N_("红烛中学"), when.SchoolHours(), when.QuietHours(), Calendar())
    facts = {"ends": None, "sure": True, "deadline": None, "author": 1, "made_at": now, "leaves_at": now}
    plain = Notice(42, SENT, now.date(), 1, "教学例会", "三楼会议室", starts, **facts)  # type: ignore[arg-type]
    wild = Notice(43, SENT, now.date(), 2, HOSTILE * 3, HOSTILE, starts, **facts)  # type: ignore[arg-type]
    cast = [Person(n, name) for n, name in enumerate(("办公室", "王老师", HOSTILE), 1)]
    there = Attendance(cast, {3: Given(3, "n", "", now)}, {2: Sign(2, now, True)}, True)
    opened, coded = Door(42, now - hour, now + hour, 1), Door(43, now - hour, now + hour, 1, "secret")
    paper, odd = Paper(1, 42, 7, "议程.docx", 1, now, True), Paper(2, 43, 8, f"{HOSTILE}.xlsx", 1, now, False)
    chore = Task(5, 42, 2, "交教案", now + 24 * hour, OPEN, 1, now, None)
    wilder = Task(6, None, 3, HOSTILE, now + hour, DONE, 1, now, now)
    reading = Catchup(9, 42, 3, now + 24 * hour, OPEN, None)
    typed = Minutes(43, HOSTILE, "办公室", f"一\n{HOSTILE}", "同意\n不同意", now)
    tasks = [(chore, "王老师"), (wilder, HOSTILE)]
    face = Face(plain, school, now, there, opened, papers=[paper])
    rough = Face(wild, school, now, there, coded, typed, [odd], tasks, [(reading, HOSTILE)])
    shut = Face(plain, school, now + 3 * hour, there, opened)
    drawn = (door(face), door(rough), door(shut), desk(face), desk(rough), minutes(face), minutes(rough))
    mine = (papers(face), papers(rough), task(chore, HOSTILE, school, now), task(wilder, "", school, now))
    rest = (open_tasks(tasks, school, now), catchup(reading, wild, school, now))
    links = (calendar(cast[1], linked=True, site=True), calendar(cast[1], linked=False, site=False))
    return [card for card in (*drawn, *mine, *rest, *links) if card]


GALLERY: Sequence[Card] = _gallery()

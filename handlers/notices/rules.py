"""What holds for notices: who may answer until when, when the silent are reminded, how many are counted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.context import School
from bot.kit.errors import Refused
from bot.kit.words import _
from storage.corrections import Change
from storage.notices import CANCELLED, CLOSED, DRAFT, DROPPED, OPEN, Notice
from storage.rsvps import Given

BREATH = timedelta(minutes=15)  # the silent had at least so long before they are reminded, and have so long after
FULL_WEEK = 3  # meetings in one week: said before the third is sent
AFTER = timedelta(hours=12)  # so long after the start a late answer is told why it does not count


class Answer(StrEnum):
    YES = "y"
    LATE = "l"
    LEAVE = "n"
    EARLY = "e"  # said in words only; it is shown where somebody said it

    @property
    def label(self) -> str:
        return {"y": _("能到"), "l": _("晚到"), "n": _("请假"), "e": _("早退")}[self.value]


OFFERED = (Answer.YES, Answer.LATE, Answer.LEAVE)


@dataclass(frozen=True, slots=True)
class Count:
    """Of those who are expected: how many answered what. ``extra``: answers of people who are not expected that day."""

    yes: int
    late: int
    leave: int
    silent: int
    expected: int
    extra: int = 0
    early: int = 0
    seen: int = 0  # among ``yes``: said no more than 收到

    @property
    def answers(self) -> Sequence[tuple[Answer, int]]:
        """What is shown: the three that are offered, and 早退 where there is any."""
        shown = list(zip(OFFERED, (self.yes, self.late, self.leave), strict=True))
        return [*shown, *([(Answer.EARLY, self.early)] if self.early else [])]


def count(expected: Collection[int], given: Mapping[int, Given]) -> Count:
    """Everybody expected is counted exactly once."""
    asked = set(expected)
    answers = [one.answer for person, one in given.items() if person in asked]
    yes, late, leave, early = (answers.count(answer.value) for answer in Answer)
    seen = sum(one.plain for person, one in given.items() if person in asked and one.answer == Answer.YES.value)
    return Count(yes, late, leave, len(asked) - len(answers), len(asked), len(given) - len(answers), early, seen)


# --- may this be done -----------------------------------------------------------------------------------------


def check_open(notice: Notice | None, now: datetime, school: School) -> Notice:
    """The notice, if an answer to it counts at this moment."""
    if notice is None:
        raise Refused(_("没有这个通知，请看群里最新的通知。"))
    if notice.state in (DRAFT, DROPPED):
        raise Refused(_("这个通知还没有发出，请等办公室发出后再答复。"))
    if notice.state == CANCELLED:
        raise Refused(_("这个通知已经取消，不用再答复。"))
    if now >= notice.starts or notice.state == CLOSED:
        raise Refused(_("会议已经开始，答复记不上了；有变动请直接告诉办公室。"))
    if now >= notice.closes:
        at = school.write_time(notice.closes, now)
        raise Refused(_("答复已于 {at} 截止，记不上了；有变动请直接告诉办公室。", at=at))
    return notice


def check_told(notice: Notice | None) -> Notice:
    """The notice, if it was ever sent and stands."""
    if notice is None or notice.state in (DRAFT, DROPPED):
        raise Refused(_("没有这个通知，请看群里最新的通知。"))
    if notice.state == CANCELLED:
        raise Refused(_("这个通知已经取消，不用再批。"))
    return notice


def check_draft(notice: Notice | None) -> Notice:
    """The notice, if it still is nobody's but the office's."""
    if notice is None:
        raise Refused(_("没有这份草稿，请重新发通知。"))
    if notice.state == DROPPED:
        raise Refused(_("这份草稿已经放弃了，请重新发通知。"))
    if notice.state != DRAFT:
        raise Refused(_("这个通知已经发出了，没有再发一次；要改请发“更正通知”。"))
    return notice


def check_changeable(notice: Notice | None, now: datetime) -> Notice:
    """The notice, if a correction or a cancellation still helps anybody."""
    if notice is None or notice.state in (DRAFT, DROPPED):
        raise Refused(_("没有这个通知，请重新发“更正通知”选一个。"))
    if notice.state == CANCELLED:
        raise Refused(_("这个通知已经取消了，要开会请重新发通知。"))
    if notice.state != OPEN or now >= notice.starts:
        raise Refused(_("会议已经开始，不能再更正或取消；有变动请直接在群里说明。"))
    return notice


def check_time(starts: datetime, leaves_at: datetime, now: datetime, school: School) -> None:
    """Nobody is called to a meeting that has begun, or will have begun when the message arrives."""
    if starts <= now:
        at = school.write_time(starts, now)
        raise Refused(_("{at} 已经过去了，请换一个时间。", at=at))
    if leaves_at > now and starts <= leaves_at + BREATH:
        at = school.write_time(leaves_at, now)
        raise Refused(_("安静时段要到 {at} 才发出，来不及了；请点“现在就发”，或者改时间。", at=at))


# --- when -----------------------------------------------------------------------------------------------------


def leaves_at(now: datetime, school: School, at_once: bool) -> datetime:
    """When what is sent now goes out of the door."""
    return now if at_once else school.quiet.next_allowed(now, school.zone)


def chase_at(closes: datetime, told_at: datetime, school: School) -> datetime | None:
    """When the silent are reminded: some time before it closes, awake, and not right after they were told.

    What would fall into the night and be too late in the morning is said the evening before. ``None``: there is no
    good moment.
    """
    wanted = closes - school.remind_before
    at = school.quiet.next_allowed(wanted, school.zone)
    if at + BREATH > closes and at != wanted:
        at = _evening_before(wanted, school)
    return at if at >= told_at + BREATH and at < closes else None


def list_at(chased_at: datetime, closes: datetime, school: School) -> datetime | None:
    """When the office has the names of those who stayed silent: half way to the end, awake."""
    at = school.quiet.next_allowed(chased_at + (closes - chased_at) / 2, school.zone)
    return at if at < closes else None


def _evening_before(night: datetime, school: School) -> datetime:
    local = night.astimezone(school.zone)
    evening = local.date() if local.time() >= school.quiet.start else local.date() - timedelta(days=1)
    return when.instant(evening, school.quiet.start, school.zone) - timedelta(hours=1)


def day_note(calendar: Calendar, day: date) -> str:
    """What should make one look twice at this date; empty for an ordinary working day."""
    found = calendar.workday(day)
    written = when.write_day(day)
    if not found.is_work:
        return _("请核对：{day} 是休息日（{note}）。", day=written, note=found.note() or _("周末"))
    if day.weekday() >= 5:
        return _("{day} 是调休上班日。", day=written)
    if not found.published:
        return _("{year} 年的放假安排还没有公布，请核对 {day} 上不上班。", year=day.year, day=written)
    return ""


# --- what a correction changes -------------------------------------------------------------------------------


def packed(notice: Notice, kind: str) -> str:
    """The fact of a notice that a correction of this kind changes, as a correction keeps it."""
    facts = {"time": pack_time(notice.starts, notice.ends), "place": notice.place, "topic": notice.topic}
    facts["widen"] = notice.audience
    return facts.get(kind, "")


def changed(notice: Notice, kind: str, value: str, now: datetime) -> Notice:
    """The notice as it is to be; a deadline that has passed falls: who cannot come now must be able to say so."""
    if kind == "topic":
        return replace(notice, topic=value)
    if kind == "widen":
        return replace(notice, audience=value)
    new = replace(notice, place=value)
    if kind == "time":
        starts, ends = unpack_time(value)
        new = replace(notice, starts=starts, ends=ends)
    keeps = notice.deadline is not None and now < notice.deadline < new.starts
    return new if keeps else replace(new, deadline=None)


def pack_time(starts: datetime, ends: datetime | None) -> str:
    return f"{starts.astimezone(UTC).isoformat()}/{ends.astimezone(UTC).isoformat() if ends else ''}"


def unpack_time(text: str) -> tuple[datetime, datetime | None]:
    starts, _slash, ends = text.partition("/")
    return datetime.fromisoformat(starts), datetime.fromisoformat(ends) if ends else None


def written(starts: datetime, ends: datetime | None, school: School) -> str:
    """``11月27日 周五 14:00-16:00``"""
    text = school.write_time(starts)
    return f"{text}-{ends.astimezone(school.zone):%H:%M}" if ends else text


def spoken(change: Change, school: School) -> str:
    """``时间 由 … 改为 …``: what a correction says of itself."""
    before, after = change.before, change.after
    if change.kind == "time":
        before, after = (written(*unpack_time(text), school) for text in (before, after))
    names = {"time": _("时间"), "place": _("地点"), "topic": _("主题"), "widen": _("参加的人")}
    if change.kind == "widen":
        before, after = (audience(text.split("\n") if text else ()) for text in (before, after))
    return _("{fact} 由 {before} 改为 {after}", fact=names[change.kind], before=before, after=after)


def audience(names: Sequence[str]) -> str:
    """``数学组、语文组``"""
    return "、".join(names) or _("全体")


# --- whose words ----------------------------------------------------------------------------------------------


def with_note(given: Given, note: str, now: datetime) -> Given:
    """The same answer with its reason."""
    return replace(given, note=note[:100], at=now)


def about_me(who: str, name: str, department: str) -> bool:
    """张三收到, said by 张三 or 张老师; 数学组收到 stands for whoever says it. Anybody else's name is a proxy."""
    bare = who.removesuffix("老师")
    if not who or who == department or who.endswith(name) or bare.endswith(name):
        return True
    if who.endswith(("组", "部", "处", "科", "级", "班")):
        return True
    return bool(bare) and bare != who and name.startswith(bare)

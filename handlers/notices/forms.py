"""What must be known before a notice, a correction or an answer is whole; every question can be answered by a tap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.kit.context import Context
from bot.kit.errors import NotUnderstood
from bot.kit.form import Form, ask, line
from bot.kit.words import N_, _
from handlers.notices import circles, sentence
from handlers.notices.rules import Answer
from handlers.notices.sentence import Gleaned, Slot
from storage import notices
from storage.notices import Notice

TIME, PLACE, TOPIC = "time", "place", "topic"
KINDS = {N_("时间"): TIME, N_("地点"): PLACE, N_("主题"): TOPIC}
PLACES = 4  # so many of the last places are offered
DEPARTMENTS = 8  # and so many departments
REASONS = (N_("监考"), N_("有课"), N_("病假"), N_("事假"), N_("外出"), N_("其他"))


# --- readers --------------------------------------------------------------------------------------------------


def slot(ctx: Context, text: str) -> Slot:
    """A day with its hour, in the future."""
    reading = ctx.school.read_time(text, ctx.now)
    found = sentence.slot_of(reading) if reading else None
    if reading is None or reading.start is None:
        raise NotUnderstood(_("没看懂这个时间。例：周五下午三点半，12月2日 15:00-16:30。"))
    if found is None or sentence.part_alone(text, reading):
        raise NotUnderstood(_("还缺几点开始。请连日期一起写，例：周五下午三点半。"))
    if found.starts <= ctx.now:
        at = ctx.school.write_time(found.starts, ctx.now)
        raise NotUnderstood(_("{at} 已经过去了，请写一个以后的时间。", at=at))
    return found


def hour(ctx: Context, text: str) -> str:
    """The hour of a day that is known already; kept as it was typed, read once the day is at hand."""
    any_day = date(ctx.now.year + 1, 1, 4)
    if sentence.on_day(any_day, text, ctx.now, ctx.school) is None:
        raise NotUnderstood(_("没看懂这个钟点。例：下午三点半，15:30。"))
    return text.strip()[:60]


def topic(ctx: Context, text: str) -> str:
    return _short(line(ctx, sentence.tidy(text)), sentence.TOPIC)


def place(ctx: Context, text: str) -> str:
    """A time is no place: 三点半 typed here is a second thought about the hour."""
    plain = line(ctx, sentence.tidy(text))
    if sentence.is_time(plain, ctx.now, ctx.school):
        raise NotUnderstood(_("“{text}”像是时间，这里问的是地点。例：三楼会议室。", text=plain[:20]))
    return _short(plain, sentence.PLACE)


def reason(ctx: Context, text: str) -> str:
    return _short(line(ctx, sentence.tidy(text)), 100)


def kind(ctx: Context, text: str) -> str:
    """时间, 地点 or 主题."""
    found = next((name for word, name in KINDS.items() if word in text or _(word) in text), None)
    if found is None:
        raise NotUnderstood(_("请选一个：时间、地点、主题。"))
    return found


def which(ctx: Context, text: str) -> int:
    """A notice by its serial, or by what was offered."""
    found = [one for one in notices.opened(ctx.db, ctx.now) if one.serial in text or one.topic == text.strip()]
    if len(found) != 1:
        raise NotUnderstood(_("请点一个，或者回复编号，例：1123-01。"))
    return found[0].id


def which_or_none(ctx: Context, text: str) -> int:
    return 0 if text.strip() in ("都不是", _("都不是")) else which(ctx, text)


def yes_no(ctx: Context, text: str) -> bool:
    """The first button begins with 是, the second with 不是."""
    plain = text.strip()
    if plain.startswith(("不", "否", _("不是"))):
        return False
    if plain.startswith(("是", "对", "嗯", _("是"))):
        return True
    raise NotUnderstood(_("请点一个：是，或者不是。"))


def reply(ctx: Context, text: str) -> str:
    """As it was typed: somebody reads it."""
    return _short(line(ctx, text), 200)


def audience(ctx: Context, text: str) -> list[str]:
    """数学组和语文组: departments of the roster; 全体 is an empty list."""
    found = circles.circles(ctx, sentence.split_circles(text))
    if found is None:
        known = "、".join(circles.departments(ctx))
        raise NotUnderstood(_("名册里没有这个部门。部门有：{names}；全体请回复“全体”。", names=known))
    return list(found)


def _short(text: str, most: int) -> str:
    if len(text) > most:
        raise NotUnderstood(_("太长了（{n} 字），请写在 {most} 字以内。", n=len(text), most=most))
    return text


# --- what can be tapped ---------------------------------------------------------------------------------------


def recent_places(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return notices.recent_places(ctx.db, PLACES)


def open_notices(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [named(one) for one in notices.opened(ctx.db, ctx.now)]


def open_notices_or_none(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [*open_notices(ctx, values), _("都不是")]


def for_whom(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [_("是，代{name}", name=values.get("called", "")), _("不是")]


def departments(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [*circles.departments(ctx)[:DEPARTMENTS], _("全体")]


def named(notice: Notice) -> str:
    """``1123-01 教学例会``: what a notice is called on a button."""
    return f"{notice.serial} {notice.topic[:16]}"


# --- forms ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Announce(Form, name="notices.announce"):
    """``day`` is known without its hour, or ``slot`` is known whole."""

    topic: str = ask(N_("会议主题是什么？例：教学例会"), topic)
    place: str = ask(N_("在哪里开？例：三楼会议室"), place, choices=recent_places)
    slot: Slot | None = ask(N_("什么时间开？例：周五下午三点半"), slot, default=None)
    hour: str = ask(N_("这一天几点开始？例：下午三点半"), hour, default="")
    circles: list[str] = ask(N_("请哪些人参加？写部门，或者“全体”。"), audience, choices=departments, default=())
    day: date | None = None
    part: str = ""
    deadline: datetime | None = None
    bring: str = ""
    loud: bool = False
    unknown: bool = False  # an audience was named that the roster does not know

    @classmethod
    def missing(cls, values: Mapping[str, object]) -> str | None:
        """Topic, time, place, in the order in which people say them; then who, if it was said and not understood."""
        if "topic" not in values:
            return "topic"
        if "slot" not in values and "hour" not in values:
            return "hour" if "day" in values else "slot"
        if "place" not in values:
            return "place"
        return "circles" if values.get("unknown") and "circles" not in values else None

    @staticmethod
    def known(found: Gleaned) -> dict[str, Any]:
        """What a sentence has said already."""
        values = {"topic": found.topic, "place": found.place, "slot": found.slot, "day": found.day, "part": found.part}
        kept: dict[str, Any] = {name: value for name, value in values.items() if value}
        kept |= {name: value for name, value in (("bring", found.bring), ("loud", found.loud)) if value}
        return {**kept, **({"deadline": found.deadline} if found.deadline else {})}


@dataclass(frozen=True)
class NewTime(Form, name="notices.time"):
    notice: int
    slot: Slot = ask(N_("改到什么时间？例：周五下午四点"), slot)


@dataclass(frozen=True)
class NewPlace(Form, name="notices.place"):
    notice: int
    place: str = ask(N_("改到哪里？例：二楼报告厅"), place, choices=recent_places)


@dataclass(frozen=True)
class NewTopic(Form, name="notices.topic"):
    notice: int
    topic: str = ask(N_("主题改成什么？"), topic)


@dataclass(frozen=True)
class Correct(Form, name="notices.correct"):
    """``value``: what it is to be, where the first sentence said so (更正通知 地点改到报告厅)."""

    notice: int = ask(N_("更正哪一个通知？"), which, choices=open_notices)
    kind: str = ask(N_("更正什么？"), kind, choices=tuple(KINDS))
    value: str = ""


@dataclass(frozen=True)
class Cancel(Form, name="notices.cancel"):
    notice: int = ask(N_("取消哪一个通知？"), which, choices=open_notices)


@dataclass(frozen=True)
class Which(Form, name="notices.which"):
    """Two notices are open and somebody said 收到, or the words speak of another day: asked once, in private."""

    dropped = N_("好的，没有记下。")

    answer: Answer
    note: str
    plain: bool
    notice: int = ask(N_("您答复的是哪一个通知？"), which, choices=open_notices)
    whose: int = 0
    asks: str = ""


@dataclass(frozen=True)
class ForWhom(Form, name="notices.forwhom"):
    """张三请假, said by a colleague: is it said for 张三?"""

    dropped = N_("好的，没有记下。")

    answer: Answer
    note: str
    notice: int
    whose: int
    called: str
    yes: bool = ask(N_("您是代这位老师答复吗？"), yes_no, choices=for_whom)
    asks: str = ""
    plain: bool = False


@dataclass(frozen=True)
class WhichRoll(Form, name="notices.roll"):
    """``notice`` 0: a 接龙 that is about none of ours."""

    dropped = N_("好的，这个接龙不记。")

    roll: int
    notice: int = ask(N_("您贴的接龙是答复哪一个通知的？"), which_or_none, choices=open_notices_or_none)


@dataclass(frozen=True)
class Widen(Form, name="notices.widen"):
    """追加对象: more departments are asked."""

    notice: int = ask(N_("给哪一个通知追加对象？"), which, choices=open_notices)
    circles: list[str] = ask(N_("追加哪些部门？例：数学组和语文组"), audience, choices=departments)


@dataclass(frozen=True)
class Retract(Form, name="notices.retract"):
    notice: int = ask(N_("撤回哪一个通知？"), which, choices=open_notices)


@dataclass(frozen=True)
class Reason(Form, name="notices.reason"):
    dropped = N_("好的，没有填原因。请假已经记下，要改请回复“能到”。")
    hears = True

    notice: int
    reason: str = ask(N_("已记下：请假。什么原因？只有办公室看得到。"), reason, choices=REASONS, optional=True)

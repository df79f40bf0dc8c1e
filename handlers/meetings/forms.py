"""What must be known before something is done about a meeting; every question can be answered by a tap, where there
is anything to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.kit.context import Context
from bot.kit.errors import NotUnderstood
from bot.kit.form import Form, ask, deadline, line
from bot.kit.words import N_, _
from handlers.meetings import rules, sections
from storage import files, meetings, notices, people
from storage.notices import Notice

OFFERED = 6  # so many meetings, or people, are offered
LONGEST = 2000
MOST_BYTES = 20_000_000
ENDINGS = ("docx", "doc", "xlsx", "xls", "pptx", "ppt", "pdf", "txt", "md", "csv", "jpg", "jpeg", "png", "wps", "et")
ONLY, STUDY = N_("只发会议记录"), N_("发会议记录，请他们补学")


# --- readers and offers ---------------------------------------------------------------------------------------


def _about(ctx: Context, values: Mapping[str, object]) -> Sequence[Notice]:
    """Who signs in chooses among open doors, who wants papers among those with any, the office among all."""
    if values.get("act") == "sign":
        doors = [one for one in meetings.doors_since(ctx.db, ctx.now) if one.open(ctx.now)]
        return [one for one in (notices.get(ctx.db, door.notice) for door in doors) if one]
    found = sections.candidates(ctx)
    if values.get("act") == "papers":
        found = [
            one for one in found if meetings.papers_of(ctx.db, one.id) or meetings.minutes_of(ctx.db, one.id).agenda
        ]
    return found[:OFFERED]


def _offered(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [f"{one.serial} {one.topic[:16]}" for one in _about(ctx, values)]


def which(ctx: Context, text: str) -> int:
    """A meeting by its serial, or by what was offered."""
    found = [one for one in sections.candidates(ctx) if one.serial and one.serial in text]
    if len(found) != 1:
        raise NotUnderstood(_("请点一个，或者回复编号，例：1123-01。"))
    return found[0].id


def _digits(ctx: Context, text: str) -> str:
    plain = "".join(text.split()).removeprefix("签到")
    if len(plain) != 4 or not (plain.isascii() and plain.isdigit()):
        raise NotUnderstood(_("是投影上的四位数，例：4821。"))
    return plain


def _text(ctx: Context, text: str) -> str:
    """One point a line."""
    lines = [" ".join(one.split()) for one in text.split("\n")]
    kept = "\n".join(one for one in lines if one)
    if not kept:
        raise NotUnderstood(_("请写一句话。"))
    if len(kept) > LONGEST:
        raise NotUnderstood(_("太长了（{n} 字），请写在 {most} 字以内。", n=len(kept), most=LONGEST))
    return kept


def _name(ctx: Context, text: str) -> str:
    return line(ctx, text)[:40]


def _leaders(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    """Who leads most meetings, and who asks."""
    return [*dict.fromkeys(one.name for one in [*people.holding(ctx.db, "principal"), ctx.me])]


def _me(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [*dict.fromkeys(one.name for one in [ctx.me, *people.holding(ctx.db, "office")])][:OFFERED]


def _owner(ctx: Context, text: str) -> list[int]:
    found, rest = rules.owners(text, people.active(ctx.db))
    if not found or rest:
        raise NotUnderstood(_("没有认出是谁。请写名册上的姓名，几个人用顿号隔开，例：王老师、张老师。"))
    return [one.id for one in found]


def _colleagues(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    return [one.name for one in people.active(ctx.db)][:OFFERED]


def _missing_at_door(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    notice = notices.get(ctx.db, _number(values.get("notice")))
    return [one.name for one in sections.attendance(ctx, notice).absent[:OFFERED]] if notice else []


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def upload(ctx: Context, text: str) -> int:
    """The file that came, kept; its number."""
    if ctx.upload is None:
        raise NotUnderstood(_("请把文件发来：Word、Excel、PPT、PDF 或图片。"))
    name, content = ctx.upload.name[-120:], ctx.upload.content
    ending = name.rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise NotUnderstood(_("这种文件不收。请发 Word、Excel、PPT、PDF 或图片。"))
    if not content or len(content) > MOST_BYTES:
        raise NotUnderstood(_("文件是空的，或者超过 {n} MB。请重新发一个。", n=MOST_BYTES // 1_000_000))
    return files.keep(ctx.db, name, "application/octet-stream", content, ctx.now, owner=ctx.me.id)


def _choice(ctx: Context, text: str) -> bool:
    """Are those who were not there to catch up?"""
    plain = text.strip()
    if plain in (ONLY, _(ONLY)):
        return False
    if plain in (STUDY, _(STUDY)):
        return True
    raise NotUnderstood(_("请点一个：只发会议记录，还是也请他们补学。"))


# --- forms ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Which(Form, name="meetings.which"):
    """``act`` waits, with its ``words``, until we know which meeting."""

    act: str
    words: str
    notice: int = ask(N_("是哪一场会议？"), which, choices=_offered)


@dataclass(frozen=True)
class Code(Form, name="meetings.code"):
    notice: int
    code: str = ask(N_("投影上现在的四位数是多少？"), _digits)


@dataclass(frozen=True)
class Chair(Form, name="meetings.chair"):
    notice: int
    text: str = ask(N_("主持人是谁？"), _name, choices=_leaders)


@dataclass(frozen=True)
class Recorder(Form, name="meetings.recorder"):
    notice: int
    text: str = ask(N_("记录人是谁？"), _name, choices=_me)


@dataclass(frozen=True)
class Agenda(Form, name="meetings.agenda"):
    notice: int
    text: str = ask(N_("会议议程是什么？一行一项。"), _text)


@dataclass(frozen=True)
class Resolved(Form, name="meetings.resolved"):
    notice: int
    text: str = ask(N_("会议决议是什么？一行一条，只写会上定了的。"), _text)


@dataclass(frozen=True)
class NewTask(Form, name="meetings.task"):
    """``notice`` is 0 where it belongs to no meeting."""

    notice: int
    owners: list[int] = ask(N_("谁来办？写姓名，几个人用顿号隔开。"), _owner, choices=_colleagues)
    due: datetime = ask(N_("什么时候办好？例：周五下班前，三天内。"), deadline, choices=(N_("三天内"), N_("一周内")))
    what: str = ask(N_("办什么？一句话，例：交教案。"), line)


@dataclass(frozen=True)
class Later(Form, name="meetings.later"):
    """补签, by the office."""

    notice: int
    who: list[int] = ask(N_("给谁补签？写姓名，几个人用顿号隔开。"), _owner, choices=_missing_at_door)


@dataclass(frozen=True)
class Attach(Form, name="meetings.attach"):
    notice: int
    file: int = ask(N_("请把会议材料发来（Word、Excel、PPT、PDF 或图片），一次一个。"), upload)


@dataclass(frozen=True)
class Tell(Form, name="meetings.tell"):
    notice: int
    study: bool = ask(N_("发给没到会的人吗？"), _choice, choices=(ONLY, STUDY))

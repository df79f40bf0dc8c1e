"""What the office does about one meeting, by tap or by word; which meeting is meant is asked, never guessed."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.form import Form
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.words import _
from handlers.meetings import door, forms, minutes, papers, rules, sections
from handlers.meetings.taps import Act, GetPapers, OnMeeting
from storage import notices, people
from storage.notices import Notice

# --- which meeting, then what ---------------------------------------------------------------------------------


def word(act: Act) -> Callable[[Context, str], Reply]:
    """A command: the meeting that is meant, else a question."""

    def says(ctx: Context, rest: str) -> Reply:
        found = sections.meant(ctx, rest)
        if found is None:
            if not sections.candidates(ctx):
                raise Refused(_("还没有这样的会议。要发通知，请回复“发通知”。"))
            return Ask(forms.Which, {"act": act.value, "words": rest[: forms.LONGEST]}, private=True)
        return door.aloud(ctx, do(ctx, act, found, rest))

    return says


def which(ctx: Context, form: forms.Which) -> Reply:
    """What had to wait until we knew which meeting."""
    notice = rules.check_held(notices.get(ctx.db, form.notice))
    if form.act == "sign":
        return door.sign_in(ctx, notice, form.words)
    if form.act == "papers":
        return door.aloud(ctx, papers.get(ctx, GetPapers(notice.id)))
    if ctx.me.role not in OFFICE:
        raise Refused(_("这件事只有办公室或校长可以做。"))
    return door.aloud(ctx, do(ctx, Act(form.act), notice, form.words))


def on_meeting(ctx: Context, tap: OnMeeting) -> Reply:
    return do(ctx, tap.act, rules.check_held(notices.get(ctx.db, tap.notice)), "")


def do(ctx: Context, act: Act, notice: Notice, words: str) -> Reply:
    about: dict[str, object] = {"notice": notice.id}
    match act:
        case Act.DESK | Act.MINUTES:
            return _show(ctx, f"meeting:{notice.id}" if act is Act.DESK else f"meeting-minutes:{notice.id}")
        case Act.OPEN | Act.CODED:
            return Toast(door.open_door(ctx, notice, words, coded=act is Act.CODED), alert=True)
        case Act.SHUT:
            return Toast(door.shut_by_hand(ctx, notice), alert=True)
        case Act.SHEET | Act.REPLIES | Act.EXPORT:
            return Toast(minutes.make(ctx, act, notice))
        case Act.TASK:
            return Ask(forms.NewTask, about, private=True)
        case Act.PAPER:
            return Ask(forms.Attach, about, private=True)
        case Act.TELL:
            return minutes.ask_to_tell(ctx, notice)
        case Act.LATER:
            found, rest = rules.owners(words, people.active(ctx.db))
            named = {"who": [one.id for one in found]} if found and not rest else {}
            return Ask(forms.Later, {**about, **named}, private=True)
        case _:
            text = words.strip()
            return Ask(_NOTES[act], {**about, "text": text} if text else about, private=True)


_NOTES: dict[Act, type[Form]] = {
    Act.CHAIR: forms.Chair,
    Act.RECORDER: forms.Recorder,
    Act.AGENDA: forms.Agenda,
    Act.RESOLVED: forms.Resolved,
}


def _show(ctx: Context, key: str) -> Reply:
    """A card for the one who asked, and for nobody else in the room."""
    if ctx.place.private:
        return Show(key)
    ctx.post(key, Persons([ctx.me.id]))
    return Toast(_("已私聊发给您。"))


def named(text: str) -> tuple[Act, str] | None:
    """签到表 1123-01, 开始签到 20分钟, 主持人: a button's label, perhaps with its meeting or how long, and no more."""
    found = _NAMED.fullmatch(text.strip())
    return (WORDS[found[1]], found[2] or "") if found else None


def for_office(ctx: Context, said: Said) -> bool | None:
    """In private, said by the office; in a group 会议记录 is talk."""
    return True if ctx.place.private and ctx.person and ctx.person.role in OFFICE else None


def by_name(ctx: Context, meaning: tuple[Act, str], scope: bool) -> Reply:
    return word(meaning[0])(ctx, meaning[1])


OFFICE = ("office", "principal")
WORDS = {
    "会务": Act.DESK,
    "开始签到": Act.OPEN,
    "凭码签到": Act.CODED,
    "结束签到": Act.SHUT,
    "签到表": Act.SHEET,
    "回执统计": Act.REPLIES,
    "会议记录": Act.MINUTES,
    "生成会议记录": Act.EXPORT,
    "发给没到会的": Act.TELL,
    "加材料": Act.PAPER,
    "加行动项": Act.TASK,
    "主持人": Act.CHAIR,
    "记录人": Act.RECORDER,
    "议程": Act.AGENDA,
    "决议": Act.RESOLVED,
}
_ABOUT = r"(?:\d{4}-\d{2,}|\d{1,3}\s*分钟?)"
_NAMED = re.compile(rf"({'|'.join(WORDS)})\s*({_ABOUT}(?:\s+{_ABOUT})?)?")

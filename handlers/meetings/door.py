"""The door of a meeting: opened by the office, gone through by everybody for themselves, closed by the clock.

Off unless the office opens it. No location, no photograph; who is on leave and comes after all may sign, nobody signs
for somebody else, and the group reads a number, never a name.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.kit import when
from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import _
from handlers.meetings import forms, rules, sections, tasks
from handlers.meetings.rules import SignIn
from handlers.meetings.taps import SignHere
from storage import diary, meetings, notices, people, tries
from storage.meetings import Door, Sign
from storage.notices import Notice

TRIES, MOST, WINDOW = "door", 5, timedelta(minutes=10)  # wrong codes of a person at a door

# --- going in -------------------------------------------------------------------------------------------------


def sign_here(ctx: Context, tap: SignHere) -> Reply:
    notice = rules.check_held(notices.get(ctx.db, tap.notice))
    door = rules.check_open(meetings.door(ctx.db, notice.id), ctx.now, ctx.school)
    if door.secret and not _signed(ctx, notice):
        return Ask(forms.Code, {"notice": notice.id}, private=True)
    return Toast(sign(ctx, notice, door))


def spoken(ctx: Context, said: Said) -> Sequence[Notice] | None:
    """What 签到 is about: the quoted meeting, else those with a door; ``None``: it is said to somebody else."""
    meaning = rules.sign_in(said.text)
    if meaning is None or not (ctx.place.private or _ours(ctx)):
        return None
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if prefix in sections.KEYS:
        found = notices.get(ctx.db, int(number))
        return [found] if found else None
    doors = meetings.doors_since(ctx.db, ctx.now - rules.AFTER)
    about = [one for one in doors if one.open(ctx.now)] or doors[-1:]
    found_here = [notices.get(ctx.db, one.notice) for one in about]
    return [one for one in found_here if one] or ([] if ctx.place.private else None)


def _ours(ctx: Context) -> bool:
    group = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    return group is not None and group.bound_at is not None


def sign_by_word(ctx: Context, meaning: SignIn, about: Sequence[Notice]) -> Reply:
    if not about:
        raise Refused(_("现在没有会议在签到。"))
    if meaning.proxy:
        raise Refused(_("签到只能本人来签；没带手机的，请办公室补签。"))
    if len(about) > 1:
        return Ask(forms.Which, {"act": "sign", "words": meaning.code}, private=True)
    return sign_in(ctx, rules.check_held(about[0]), meaning.code)


def sign_in(ctx: Context, notice: Notice, code: str) -> Reply:
    """By word; where the door wants its code and none was said, it is asked."""
    door = rules.check_open(meetings.door(ctx.db, notice.id), ctx.now, ctx.school)
    if door.secret and not _signed(ctx, notice):
        if not code:
            return Ask(forms.Code, {"notice": notice.id}, private=True)
        if wrong := _wrong(ctx, door, code):
            return _told(ctx, wrong)
    text = sign(ctx, notice, door)
    quiet = not ctx.place.private and ctx.now <= notice.starts  # the number on the card is the answer
    return None if quiet else _told(ctx, text)


def _told(ctx: Context, text: str) -> Reply:
    """In private, wherever it was said."""
    if ctx.place.private:
        return text
    ctx.say(text, to=Persons([ctx.me.id]), receipt=True)
    return None


def _wrong(ctx: Context, door: Door, code: str) -> str:
    """What is said to a code that is not right, counted so that nobody finds it by trying; else nothing."""
    account = f"{door.notice}:{ctx.me.id}"
    if tries.wrong(ctx.db, TRIES, account, ctx.now, WINDOW) >= MOST:
        return _("错得太多了，十分钟后再试，或者请办公室补签。")
    if rules.is_code(door, code, ctx.now):
        return ""
    tries.note(ctx.db, TRIES, account, ctx.now, WINDOW)
    return _("这个数字不对，或者已经换了。请看投影上现在的四位数，再发一次，例：签到 4821。")


def by_code(ctx: Context, form: forms.Code) -> Reply:
    return sign_in(ctx, rules.check_held(notices.get(ctx.db, form.notice)), form.code)


def sign(ctx: Context, notice: Notice, door: Door) -> str:
    """Once; the first time counts, and the sentence that says so."""
    known = _signed(ctx, notice)
    if known is not None:
        return _("已经签过了：{at}。", at=clock(ctx, known.at))
    late = ctx.now > notice.starts
    meetings.sign(ctx.db, notice.id, Sign(ctx.me.id, ctx.now, late))
    ctx.redraw(f"meeting-door:{notice.id}")
    ctx.redraw(f"meeting:{notice.id}")
    at, start = clock(ctx, ctx.now), clock(ctx, notice.starts)
    said = _("已签到：{at}", at=at)
    if late:
        said = _("已签到：{at}。会议 {start} 已经开始，记为晚到。", at=at, start=start)
    return said + (_("（您不在这次的应到名单里，记为列席）") if _is_guest(ctx, notice) else "")


def _signed(ctx: Context, notice: Notice) -> Sign | None:
    return meetings.sign_of(ctx.db, notice.id, ctx.me.id)


def _is_guest(ctx: Context, notice: Notice) -> bool:
    away = people.away(ctx.db, when.local_date(notice.starts, ctx.school.zone))
    return ctx.me.id in away or not notice.asks(ctx.me)


def clock(ctx: Context, at: datetime) -> str:
    return f"{at.astimezone(ctx.school.zone):%H:%M}"


# --- opening and closing --------------------------------------------------------------------------------------


def open_door(ctx: Context, notice: Notice, words: str, *, coded: bool) -> str:
    """Opens it, or leaves it open for longer; the group's card stands once for each opening."""
    rules.check_door(notice, ctx.now, ctx.school)
    known = meetings.door(ctx.db, notice.id)
    again = known is not None and known.open(ctx.now)
    closes = rules.closing(notice, ctx.now, rules.minutes_in(words))
    secret = (known.secret if again and known else "") or (secrets.token_hex(16) if coded else "")
    opened = known.opened if known else ctx.now
    meetings.open_door(ctx.db, Door(notice.id, opened, closes, ctx.me.id, secret))
    ctx.book("meetings.shut", closes, str(notice.id), notice=notice.id)
    ctx.redraw(f"meeting:{notice.id}")
    at = clock(ctx, closes)
    if again:
        ctx.redraw(f"meeting-door:{notice.id}")
        return _("签到开到 {at}。", at=at)
    if secret:
        ctx.say(_where(ctx, notice), to=Persons([ctx.me.id]))
    groups = sections.groups(ctx, notice)
    for group in groups:
        ctx.post(f"meeting-door:{notice.id}", group)
    if not groups:
        return _("签到已开始，到 {at} 结束。没有绑定的群，请老师们私聊我发“签到”。", at=at)
    return _("签到已开始，到 {at} 结束，群里有按钮；私聊我发“签到”也可以。", at=at)


def _where(ctx: Context, notice: Notice) -> str:
    """Where the code is to be seen."""
    if not ctx.school.site:
        return _("这所学校没有开网页：四位数发“会务”看得到，半分钟一换，请念给大家听。")
    link = f"{ctx.school.site}/projector/{notice.id}"
    return _("请在接投影的电脑上登录网页（发“登录”要链接），再打开：\n{link}", link=link)


def shut_by_hand(ctx: Context, notice: Notice) -> str:
    if not meetings.close_door(ctx.db, notice.id, ctx.now):
        raise Refused(_("现在没有在签到。"))
    diary.cancel(ctx.db, "meetings.shut", str(notice.id))
    return _closed(ctx, notice)


def shut(ctx: Context, notice: int) -> None:
    """The appointment ``meetings.shut``: it only publishes, a late tap was refused by the clock already."""
    door, found = meetings.door(ctx.db, notice), notices.get(ctx.db, notice)
    if door is None or found is None or door.open(ctx.now):
        return
    ctx.say(_closed(ctx, found), to=Persons([door.by]), gentle=True, name=f"meetings.shut:{notice}:{door.closes:%H%M}")


def _closed(ctx: Context, notice: Notice) -> str:
    ctx.redraw(f"meeting-door:{notice.id}")
    ctx.redraw(f"meeting:{notice.id}")
    there = sections.attendance(ctx, notice)
    facts = {"topic": notice.topic, "here": len(there.here), "asked": len(there.asked)}
    return _("“{topic}”签到结束：应到 {asked} 人，实到 {here} 人。要表发“签到表”，漏签的发“补签 姓名”。", **facts)


def for_others(ctx: Context, form: forms.Later) -> str:
    """Who came without a phone; it is written down that the office did it."""
    notice = rules.check_held(notices.get(ctx.db, form.notice))
    if ctx.now < notice.starts - rules.BEFORE:
        raise Refused(_("会议还没开始，不能补签。"))
    if meetings.door(ctx.db, notice.id) is None:  # with one name signed, everybody else would have been absent
        raise Refused(_("这场会议没有开过签到，不能补签：补了一个，没补的就都成了未到。要按签到算，请先发“开始签到”。"))
    known = meetings.signed(ctx.db, notice.id)
    new = [person for person in form.who if person not in known]
    for person in new:
        meetings.sign(ctx.db, notice.id, Sign(person, ctx.now, late=False, by=ctx.me.id))
    tasks.excuse(ctx, notice, new)
    for prefix in ("meeting-door", "meeting", "meeting-minutes"):
        ctx.redraw(f"{prefix}:{notice.id}")
    return _("已补签 {n} 人（之前已签 {m} 人）。", n=len(new), m=len(form.who) - len(new))


# --- small words ----------------------------------------------------------------------------------------------


def aloud(ctx: Context, reply: Reply) -> Reply:
    """Words are answered in words, but never in a group."""
    if isinstance(reply, Toast):
        return reply.text if ctx.place.private else None
    return reply

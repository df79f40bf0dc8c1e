"""日历: a teacher's own meetings as a file, and as a private link that keeps itself up to date and can be revoked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from bot.kit.context import Context, Persons, View
from bot.kit.errors import Refused
from bot.kit.reply import Reply, Show, Toast
from bot.kit.words import _
from handlers.meetings import ics
from handlers.meetings.ics import Event
from handlers.meetings.taps import OnCalendar, Step
from storage import corrections, files, meetings, notices
from storage.notices import CANCELLED, Notice
from storage.people import Person

BACK, AHEAD = timedelta(days=60), timedelta(days=400)
MIME = "text/calendar; charset=utf-8"


def by_word(ctx: Context, rest: str) -> Reply:
    """日历: the file at once, and the card that offers the rest."""
    _file(ctx)
    return Show(f"calendar:{ctx.me.id}")


def step(step: Step) -> Callable[[Context, str], Reply]:
    """日历 链接, 日历 停用."""

    def says(ctx: Context, rest: str) -> Reply:
        reply = on_calendar(ctx, OnCalendar(step))
        return reply.text if isinstance(reply, Toast) else reply

    return says


def on_calendar(ctx: Context, tap: OnCalendar) -> Reply:
    match tap.step:
        case Step.FILE:
            return Toast(_file(ctx))
        case Step.LINK:
            return Toast(_link(ctx))
        case Step.STOP:
            if not meetings.revoke_link(ctx.db, ctx.me.id):
                raise Refused(_("没有在用的订阅链接。"))
            ctx.redraw(f"calendar:{ctx.me.id}")
            return Toast(_("已停用，那个链接再也打不开了。"))


def _file(ctx: Context) -> str:
    content = written(ctx, ctx.me, ctx.now - timedelta(hours=12)).encode()
    name = f"{_('会议日历')}.ics"
    file = files.keep(ctx.db, name, MIME, content, ctx.now, owner=ctx.me.id)
    ctx.send(file, name, Persons([ctx.me.id]))
    return _("已私聊发给您。")


def _link(ctx: Context) -> str:
    if not ctx.school.site:
        raise Refused(_("这所学校没有开网页，只有日历文件。"))
    link = f"{ctx.school.site}/calendar/{meetings.new_link(ctx.db, ctx.me.id, ctx.now)}.ics"
    words = _("在手机日历里“添加订阅日历”，填这个链接。只给您自己用，请不要转发；之前的链接已作废。\n{link}", link=link)
    ctx.say(words, to=Persons([ctx.me.id]))
    ctx.redraw(f"calendar:{ctx.me.id}")
    return _("新链接已私聊发给您。")


# --- what is in it --------------------------------------------------------------------------------------------


def feed(view: View, token: str) -> str | None:
    """The calendar behind a link, for the web server; ``None``: no such link."""
    person = meetings.behind_link(view.db, token)
    return written(view, person, view.now - BACK) if person is not None else None


def written(view: View, person: Person, since: datetime) -> str:
    events = [_event(view, one) for one in _mine(view, person, since)]
    return ics.calendar(_("{school}会议", school=view.school.name), events, view.school.zone)


def _mine(view: View, person: Person, since: datetime) -> Sequence[Notice]:
    """Whatever this person was asked to and has been told of, on leave or not."""
    found = notices.within(view.db, since, view.now + AHEAD)
    return [one for one in found if _told(view, one) and one.asks(person)]


def _told(view: View, notice: Notice) -> bool:
    return notice.leaves_at is not None and notice.leaves_at <= view.now


def _event(view: View, notice: Notice) -> Event:
    changes = corrections.of(view.db, notice.id)
    return Event(
        uid=f"notice-{notice.id}-{int(notice.made_at.timestamp())}@hongzhu",
        sequence=len(changes),
        changed=changes[-1].at if changes else notice.leaves_at or notice.made_at,
        starts=notice.starts,
        ends=notice.ends,
        summary=notice.topic,
        place=notice.place,
        note=_("〔通知 {serial}〕以群里的通知为准。", serial=notice.serial),
        cancelled=notice.state == CANCELLED,
    )

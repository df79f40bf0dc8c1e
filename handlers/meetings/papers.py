"""会议材料: papers that the office adds to a meeting, and who is asked may have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from bot.kit.context import Context, Persons
from bot.kit.errors import Refused
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import _
from handlers.meetings import door, forms, rules, sections
from handlers.meetings.taps import Act, DropPaper, GetPapers
from storage import files, meetings, notices, people
from storage.notices import Notice

SETTLES = timedelta(minutes=5)  # papers that come one after the other are told in one message

# --- what is handed out ---------------------------------------------------------------------------------------


def attached(ctx: Context, form: forms.Attach) -> Reply:
    """One more paper; the groups hear of it once, a little later, together with those that follow."""
    notice, file = rules.check_held(notices.get(ctx.db, form.notice)), files.get(ctx.db, form.file)
    if file is None:
        raise Refused(_("文件没有收好，请重新发一次。"))
    meetings.attach(ctx.db, notice=notice.id, file=file.id, name=file.name, by=ctx.me.id, now=ctx.now)
    tell_soon(ctx, notice)
    for prefix in ("meeting", "meeting-papers"):
        ctx.redraw(f"{prefix}:{notice.id}")
    return _("已加上：{name}。几分钟后告诉大家一次；老师私聊我发“会议材料”就能拿到。", name=file.name)


def drop(ctx: Context, tap: DropPaper) -> Reply:
    """The wrong file: nobody gets it any more. Who has it keeps it, and the sentence says so."""
    paper = meetings.paper(ctx.db, tap.paper)
    if paper is None or not meetings.detach(ctx.db, paper.id):
        raise Refused(_("这份材料已经撤掉了。"))
    files.remove(ctx.db, paper.file)
    for prefix in ("meeting", "meeting-papers"):
        ctx.redraw(f"{prefix}:{paper.notice}")
    return Toast(_("已撤掉：{name}。已经拿到的人手里还有，要收回请另外告诉他们。", name=paper.name), alert=True)


def attach(ctx: Context, rest: str) -> Reply:
    """附件, with the file at once or asked for."""
    found = sections.meant(ctx, rest)
    if found is None:
        if ctx.upload is not None:
            raise Refused(_("有好几场会议。请先发“会务”选一场，再点“加材料”。"))
        return Ask(forms.Which, {"act": Act.PAPER.value, "words": ""}, private=True)
    if ctx.upload is None:
        return Ask(forms.Attach, {"notice": found.id}, private=True)
    return attached(ctx, forms.Attach(found.id, forms.upload(ctx, rest)))


def tell_soon(ctx: Context, notice: Notice, *, agenda: bool = False) -> None:
    """Once for all that changes within a few minutes."""
    ctx.book("meetings.papers", ctx.now + SETTLES, str(notice.id), notice=notice.id, agenda=int(agenda))


def tell(ctx: Context, notice: int, agenda: int = 0) -> None:
    """The appointment ``meetings.papers``: what is new, once, to the groups that know of the meeting."""
    found = notices.get(ctx.db, notice)
    new = agenda or any(not one.told for one in meetings.papers_of(ctx.db, notice))
    if found is None or not new or found.state == notices.CANCELLED or ctx.now > found.starts + rules.AFTER:
        return
    meetings.note_told(ctx.db, notice)
    for group in sections.groups(ctx, found):
        ctx.post(f"meeting-papers:{notice}", group, gentle=True)


def by_word(ctx: Context, rest: str) -> Reply:
    """会议材料: of the meeting that is meant, else of the nearest ones that have any."""
    found = [one for one in _with_papers(ctx) if rest.strip() in one.serial] if rest.strip() else _with_papers(ctx)
    if not found:
        raise Refused(_("现在没有会议材料。"))
    if len(found) > 1:
        return Ask(forms.Which, {"act": "papers", "words": ""}, private=True)
    return door.aloud(ctx, get(ctx, GetPapers(found[0].id)))


def _with_papers(ctx: Context) -> Sequence[Notice]:
    """Papers, or an agenda to be read before."""
    found = [one for one in sections.candidates(ctx) if _asked(ctx, one)]
    return [one for one in found if meetings.papers_of(ctx.db, one.id) or _agenda(ctx, one)]


def _agenda(ctx: Context, notice: Notice) -> str:
    return meetings.minutes_of(ctx.db, notice.id).agenda


def _asked(ctx: Context, notice: Notice) -> bool:
    """Asked to come, or of the office. Who is on leave that day may read along."""
    return notice.asks(ctx.me) or ctx.me.role != "staff"


def get(ctx: Context, tap: GetPapers) -> Reply:
    """In private, whoever asked and wherever."""
    notice = rules.check_held(notices.get(ctx.db, tap.notice))
    if not _asked(ctx, notice):
        raise Refused(_("这场会议没有请您参加，材料请向办公室要。"))
    found, agenda = meetings.papers_of(ctx.db, notice.id), _agenda(ctx, notice)
    if not found and not agenda:
        raise Refused(_("现在没有会议材料。"))
    if not people.addresses(ctx.db, [ctx.me.id]):
        raise Refused(_("请先私聊我发一句话，我再私下发给您。"))
    if agenda:
        ctx.say(_("“{topic}”会议议程：\n{agenda}", topic=notice.topic, agenda=agenda), to=Persons([ctx.me.id]))
    for one in found:
        ctx.send(one.file, one.name, Persons([ctx.me.id]))
    return Toast(_("已私聊发给您 {n} 份材料。", n=len(found)) if found else _("已私聊发给您。"))

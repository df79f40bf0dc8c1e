"""What must be known before a vote can be opened: for what, who stands, until when."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.kit import when
from bot.kit.action import Action
from bot.kit.context import Context, Persons, Staff
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Said
from bot.kit.form import Form, ask, line
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.words import N_, _
from handlers.stars import rules, taps
from handlers.stars.sealing import KeyRing
from storage import audit, ballots, outbox, people
from storage.ballots import Candidate, Election, Settings
from storage.people import Person

LONGEST_TITLE = 30
_MONTHS = {"本月": 0, "上月": -1, "下月": 1, "上个月": -1, "下个月": 1, "这个月": 0}


def title(ctx: Context, text: str) -> str:
    """12月明星教师; 本月 and 12月 are enough."""
    plain = line(ctx, unicodedata.normalize("NFKC", text)).strip("：:，,。 ")
    shift = next((shift for word, shift in _MONTHS.items() if plain in (word, _(word))), None)
    if shift is not None:
        month = (ctx.now.astimezone(ctx.school.zone).month - 1 + shift) % 12 + 1
        plain = _("{month}月", month=month)
    if re.fullmatch(r"[\d一二三四五六七八九十]{1,2}月份?", plain):
        plain = _("{month}明星教师", month=plain)
    if not plain or len(plain) > LONGEST_TITLE:
        raise NotUnderstood(_("请写一个 {most} 字以内的名称，例：12月明星教师。", most=LONGEST_TITLE))
    return plain


def candidates(ctx: Context, text: str) -> tuple[int, ...]:
    """Names from the roster, in the order written; their numbers. ``NotUnderstood`` names who is unknown or double."""
    names = [name for name in re.split(r"[、,，;；\n]+|\s+(?![(（])", _candidates_only(text)) if name.strip()]
    roster = people.active(ctx.db)
    found = tuple(dict.fromkeys(_one(roster, name.strip()) for name in names))
    try:
        rules.check_candidates(len(found))
    except Refused as refusal:
        raise NotUnderstood(refusal.sentence) from refusal
    return found


def _candidates_only(text: str) -> str:
    return re.sub(r"^\s*候选人?(?:名单)?(?:有|是|为)?[：:\s]*", "", text).strip(" 。.")


def _one(roster: Sequence[Person], name: str) -> int:
    found = rules.matching([(person.name, person.department) for person in roster], name)
    if len(found) == 1:
        return roster[found[0]].id
    if found:
        departments = "、".join(roster[i].department or _("没写部门") for i in found)
        shown = roster[found[0]]
        raise NotUnderstood(
            _(
                "有 {n} 位{name}（{departments}）。请写明部门，例：{name}（{first}）。",
                n=len(found),
                name=shown.name,
                departments=departments,
                first=shown.department,
            )
        )
    from rapidfuzz import fuzz, process  # only for whoever mistypes: it weighs megabytes

    near = process.extractOne(name, [person.name for person in roster], scorer=fuzz.ratio, score_cutoff=40)
    if near:
        raise NotUnderstood(_("花名册里没有{name}，是不是{near}？请重新写一次名单。", name=name[:20], near=near[0]))
    raise NotUnderstood(_("花名册里没有{name}。请照花名册重新写一次名单。", name=name[:20]))


def closes(ctx: Context, text: str) -> datetime:
    """Until when; a bare day means its last minute."""
    reading = ctx.school.read_time(text, ctx.now)
    if reading is not None and reading.kind is when.Kind.DAY:
        reading = ctx.school.read_time(_until(text), ctx.now)
    at = (reading.end or reading.start) if reading is not None else None
    if at is None:
        raise NotUnderstood(_("没看懂截止时间。例：周五17:00，12月5日下班前。"))
    try:
        rules.check_closes(at, ctx.now)
    except Refused as refusal:
        raise NotUnderstood(refusal.sentence) from refusal
    return at.astimezone(UTC)


def _until(text: str) -> str:
    return f"截止{text.strip()}"  # what `when` reads, in the language it reads


@dataclass(frozen=True)
class Nominate(Form, name="stars.nominate"):
    title: str = ask(N_("给哪个月评？"), title, choices=(N_("本月"), N_("上月"), N_("下月")))
    candidates: tuple[int, ...] = ask(N_("候选人有哪些？用顿号隔开，例：赵老师、钱老师、孙老师"), candidates)
    closes: datetime = ask(
        N_("什么时候截止？例：周五17:00"), closes, choices=(N_("明天下班前"), N_("本周五下班前"), N_("下周五下班前"))
    )


_MARKS = re.compile(r"(?P<stand>候选人?(?:名单)?)|(?P<until>截[止至]|最[晚迟]|投票到)")


def glean(ctx: Context, text: str) -> tuple[dict[str, object], str | None]:
    """What the first sentence says already, and what in it could not be taken as it stands."""
    head, names, until = _parts(ctx, text)
    values: dict[str, object] = {}
    trouble = None
    for field, read, part in (("title", title, head), ("candidates", candidates, names), ("closes", closes, until)):
        if not part:
            continue
        try:
            values[field] = read(ctx, part)
        except NotUnderstood as error:
            trouble = trouble or error.sentence
    return values, trouble


def _parts(ctx: Context, text: str) -> tuple[str, str, str]:
    """Title, candidates, deadline: marked by their words in whatever order, or else told by their looks."""
    marks = list(_MARKS.finditer(text))
    cuts = [mark.start() for mark in marks] + [len(text)]
    named = {mark.lastgroup: text[start:end] for mark, start, end in zip(marks, cuts, cuts[1:], strict=False)}
    head, names, until = text[: cuts[0]], named.get("stand", ""), named.get("until", "")
    if not until:
        head, until = _ending_in_a_time(ctx, head)
    if not names:
        words = head.split()
        names = "、".join(word for word in words if re.search(r"[、,，]", word))
        head = " ".join(word for word in words if not re.search(r"[、,，]", word))
    return head.strip(" ，,。；;"), names.strip(" ，,。；;"), until


def _ending_in_a_time(ctx: Context, text: str) -> tuple[str, str]:
    found = when.find(text, ctx.now, ctx.school.hours)
    if not found or found[-1].start is None:
        return text, ""
    start = found[-1].span[0]
    return text[:start], text[start:]


# --- from the sentence to the open ballot box -----------------------------------------------------------------


def nominate(ctx: Context, rest: str) -> Reply:
    rules.check_alone(ballots.latest(ctx.db))
    values, trouble = glean(ctx, rest)
    if trouble is not None:
        ctx.say(trouble, to=ctx.place if ctx.place.private else Persons([ctx.me.id]))
    return Ask(Nominate, values, private=True)


def draft(ctx: Context, form: Nominate) -> Reply:
    """Everything is known: the office sees what would be frozen."""
    rules.check_roll(len(_electors(ctx)))
    standing = [people.get(ctx.db, person) for person in form.candidates]
    settings = Settings(
        title=form.title,
        candidates=tuple(Candidate(p.id, p.name, p.department) for p in standing if p is not None),
        closes=form.closes,
        least=rules.LEAST,
    )
    key = f"star-draft:{ballots.draft(ctx.db, settings)}"
    if ctx.place.private:
        return Show(key)
    ctx.post(key, Persons([ctx.me.id]))
    return Toast(_("草稿已经私聊发给您，请在那里确认。"))


def start(ctx: Context, tap: taps.Start) -> Reply:
    """Draft -> open. The key is durable before the row says that the vote is open."""
    election = rules.check_draft(ballots.get(ctx.db, tap.election))
    rules.check_alone(ballots.latest(ctx.db))
    rules.check_closes(election.closes, ctx.now)
    electors = _electors(ctx)
    rules.check_roll(len(electors))
    rules.check_standing(election, {person.id for person in people.active(ctx.db)})
    pk = _new_key(ctx, election)
    ballots.open_(ctx.db, election.id, replace(election.settings, electors=electors), pk, ctx.now)
    audit.note(ctx.db, "stars.opened", ctx.me.id, f"{election.id} {len(electors)}", ctx.now)
    remind = rules.after(rules.remind_at(ctx.now, election.closes))
    ctx.book("stars.remind", remind, key=str(election.id), election=election.id)
    ctx.book("stars.close", rules.after(election.closes), key=str(election.id), election=election.id)
    return _announce(ctx, election.id, electors)


def _announce(ctx: Context, election: int, electors: Sequence[int]) -> Reply:
    reached = people.addresses(ctx.db, electors)
    ctx.redraw(f"star-draft:{election}")
    ctx.post(f"stars:{election}", Staff())
    ctx.post(f"ballot:{election}", Persons([person for person in electors if person in reached]), gentle=True)
    away = [person.name for person in people.active(ctx.db) if person.id in set(electors) - set(reached)]
    if not away:
        return _("投票开始了，选票已私聊发给全部 {n} 人。", n=len(electors))
    return _(
        "投票开始了，选票已私聊发给 {n} 人。还有 {m} 人没和我私聊过，收不到选票：{names}。请他们私聊发我一句“投票”。",
        n=len(reached),
        m=len(away),
        names="、".join(away),
    )


def _new_key(ctx: Context, election: Election) -> bytes:
    try:
        return KeyRing(ctx.school.secrets).make(election.id)
    except OSError as error:
        raise Refused(
            _("投票的钥匙写不进 {folder}，没有开始。请让维护的人看看这个文件夹能不能写。", folder=ctx.school.secrets)
        ) from error


def drop(ctx: Context, tap: taps.Drop) -> Reply:
    election = rules.check_draft(ballots.get(ctx.db, tap.election))
    ballots.drop(ctx.db, election.id)
    ctx.settle(f"star-draft:{election.id}")
    return Toast(_("好的，不办了，没有通知任何人。"))


_STEPS: dict[str, type[Action]] = {N_("确认开始"): taps.Start, N_("不办了"): taps.Drop}


def step_in(text: str) -> type[Action] | None:
    return next((step for word, step in _STEPS.items() if text.strip(" 。") in (word, _(word))), None)


def before_their_eyes(ctx: Context, said: Said) -> int | None:
    """The draft that was answered to, or shown last in this private talk."""
    last = outbox.last_to(ctx.db, ctx.place.channel, ctx.place.id)
    prefix, _colon, number = (ctx.quoted or (last and last[0]) or "").partition(":")
    return int(number) if ctx.place.private and prefix == "star-draft" else None


def step_in_words(ctx: Context, step: type[Action], election: int) -> Reply:
    reply = start(ctx, taps.Start(election)) if step is taps.Start else drop(ctx, taps.Drop(election))
    return reply.text if isinstance(reply, Toast) else reply


def _electors(ctx: Context) -> tuple[int, ...]:
    """Everybody in office today: one ballot each."""
    today = ctx.now.astimezone(ctx.school.zone).date()
    return tuple(person.id for person in people.expected(ctx.db, today))

"""What a voter does: fetch the ballot, cast it by tap or by word, and nothing that would leave a trace of the choice.

The choice is in a local variable, in the sealed envelope and in the toast. It is in no row, no log line, no form.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.kit.action import Action
from bot.kit.context import Context, Office, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.reply import Reply, Show, Toast
from bot.kit.words import _
from handlers.stars import rules, sealing
from handlers.stars.sealing import KeyRing
from storage import ballots, nudges, outbox, people
from storage.ballots import Election, State

WORTH_CLOSING = timedelta(minutes=10)  # with less time left nobody needs to be asked whether to close early


@dataclass(frozen=True)
class Start(Action, verb="st.open"):
    election: int


@dataclass(frozen=True)
class Drop(Action, verb="st.drop"):
    election: int


@dataclass(frozen=True)
class Go(Action, verb="st.go"):
    election: int


@dataclass(frozen=True)
class Cast(Action, verb="st.cast"):
    election: int
    seat: int


@dataclass(frozen=True)
class Close(Action, verb="st.close"):
    election: int


@dataclass(frozen=True)
class AskVoid(Action, verb="st.void"):
    election: int


@dataclass(frozen=True)
class Void(Action, verb="st.annul"):
    election: int


@dataclass(frozen=True)
class KeepOn(Action, verb="st.keep"):
    election: int


def go(ctx: Context, tap: Go) -> Reply:
    """The button in the group: the ballot comes in private, or we say how to open the private talk."""
    rules.check_vote(ballots.get(ctx.db, tap.election), ctx.me.id, ctx.now)
    if ctx.place.private:
        return Show(f"ballot:{tap.election}")
    if not people.addresses(ctx.db, [ctx.me.id]):
        return Toast(_("请先点我的头像，私聊发一句话给我，再回来点“去投票”。"), alert=True)
    ctx.post(f"ballot:{tap.election}", Persons([ctx.me.id]))
    return Toast(_("选票已经私聊发给您。"))


def cast(ctx: Context, tap: Cast) -> Reply:
    """The hot path: one election a batch, one write put off, one receipt."""
    election = rules.check_vote(ballots.get(ctx.db, tap.election), ctx.me.id, ctx.now)
    return _cast(ctx, election, rules.check_seat(election, tap.seat))


def _cast(ctx: Context, election: Election, seat: int) -> Reply:
    host = _host_key(ctx, election)
    if host is None or election.pk is None:
        return _keyless(ctx, election)
    envelope = sealing.seal(election.pk, seat)
    mac = sealing.mac(host, election.id, election.settings_hash, ctx.me.id, envelope)
    all_in = ballots.keep(ctx.db, election.id, ctx.me.id, envelope, mac)
    ctx.say(_("已投票，截止前可改。回执 {code}", code=sealing.code(election.id, ctx.me.id, envelope)), receipt=True)
    ctx.redraw(f"stars:{election.id}")
    if all_in and not election.offered and election.closes - ctx.now > WORTH_CLOSING:
        ballots.mark_offered(ctx.db, election.id)
        ctx.post(f"star-full:{election.id}", Office(), gentle=True)
    return Toast(_("已投：{name}。截止前可改。", name=rules.seat_name(election.settings.candidates, seat)))


def _host_key(ctx: Context, election: Election) -> bytes | None:
    """Read once a batch. ``None``: the key is away, and a vote taken now could never be opened."""
    ring = KeyRing(ctx.school.secrets)
    found: bytes | None = ctx.db.memo(("stars.keys", election.id), lambda: ring.ready(election.id, election.pk))
    return found


def _keyless(ctx: Context, election: Election) -> Reply:
    """Not a refusal: the office must hear of it, once."""
    ctx.say(
        _(
            "{title}的钥匙文件不见了，现在谁也投不了。请把 secrets 文件夹接回来；到截止还没有，这次投票就作废。",
            title=election.title,
        ),
        to=Office(),
        name=f"star-key:{election.id}",
    )
    return Toast(_("现在投不了，这一票没有记上。已经告诉办公室，请晚些再投。"), alert=True)


# --- words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meant:
    """A choice that was typed, and for which election."""

    election: Election
    seat: int


def meant(ctx: Context, said: Said) -> Meant | None:
    """Are these words about the vote? In private a name is enough; in the group only 选赵老师 is surely meant so."""
    pick = rules.read_pick(said.text)
    if pick is None or (not ctx.place.private and pick.plain):
        return None
    if ctx.quoted is not None and not ctx.quoted.startswith(("ballot:", "stars:")):
        return None
    election = ballots.latest(ctx.db)
    if election is None or not _about(election, pick, ctx):
        return None
    try:
        seat = rules.seat_of(election.settings.candidates, pick)
    except Refused:
        if ctx.place.private:
            raise
        return None
    return None if seat is None else Meant(election, seat)


def _about(election: Election, pick: rules.Pick, ctx: Context) -> bool:
    """A bare 2 or a bare name is a vote while this person may vote; 选赵老师 a little late deserves an answer."""
    if pick.bare and not _before_their_eyes(ctx, election):
        return False
    if pick.plain:
        return election.live and election.state is not State.DISPUTED and ctx.me.id in election.electors
    return election.live or ctx.now - election.closes < timedelta(days=1)


def _before_their_eyes(ctx: Context, election: Election) -> bool:
    """A bare 1 also says 收到 to a notice: it is a vote only where the ballot is what we showed last."""
    last = outbox.last_to(ctx.db, ctx.place.channel, ctx.place.id)
    ours = (f"ballot:{election.id}", f"star-remind:{election.id}")
    return ctx.quoted is not None or (last is not None and (last[0] == ours[0] or last[1].split(">")[0] == ours[1]))


def by_word(ctx: Context, pick: rules.Pick, choice: Meant) -> Reply:
    if not ctx.place.private:
        return _not_in_public(ctx, choice.election)
    election = rules.check_vote(choice.election, ctx.me.id, ctx.now)
    return _cast(ctx, election, rules.check_seat(election, choice.seat))


def _not_in_public(ctx: Context, election: Election) -> Reply:
    """What was said in the group is not counted and not repeated; the answer is private."""
    rules.check_vote(election, ctx.me.id, ctx.now)
    if not people.addresses(ctx.db, [ctx.me.id]):
        return _("投票是保密的，请私聊我投。")
    ctx.say(_("投票是保密的，群里说的不算数。请在这里投："), to=Persons([ctx.me.id]))
    ctx.post(f"ballot:{election.id}", Persons([ctx.me.id]))
    return None


def show_ballot(ctx: Context, rest: str) -> Reply:
    """投票, 选票: the ballot again. 投票给赵老师 is a vote."""
    latest = ballots.latest(ctx.db)
    if latest is None:
        raise Refused(_("现在没有投票。开始时会把选票私聊发给您。"))
    election = rules.check_vote(latest, ctx.me.id, ctx.now)
    pick = rules.read_pick(f"投{rest}") if rest else None
    seat = rules.seat_of(election.settings.candidates, pick) if pick else None
    if seat is None:
        return Show(f"ballot:{election.id}")
    return by_word(ctx, rules.Pick(), Meant(election, seat))


# --- who is silent --------------------------------------------------------------------------------------------


def remind(ctx: Context, election: int) -> None:
    """Once, in private, to the silent of today; not at all where quiet hours would carry it past the deadline."""
    found = ballots.get(ctx.db, election)
    leaves_at = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    if found is None or found.state is not State.OPEN or leaves_at >= found.closes:
        return
    here = sorted(ballots.silent(ctx.db, election) & set(_here(ctx)))
    day, matter, school = leaves_at.astimezone(ctx.school.zone).date(), f"stars:{election}", ctx.school
    caps = {"per_matter": school.reminders_per_matter, "per_day": school.reminders_per_day}
    reached = nudges.among(ctx.db, sorted(people.addresses(ctx.db, here)), matter, day, **caps)
    for person in reached:
        nudges.note(ctx.db, person, matter, day)
    text = _(
        "{title} {closes} 截止，还没收到您的票。回复“投票”再看选票；不想选谁，回复“弃权”就不再提醒。",
        title=found.title,
        closes=ctx.school.write_time(found.closes, ctx.now),
    )
    ctx.say(text, to=Persons(reached), gentle=True, name=f"star-remind:{election}")


def _here(ctx: Context) -> set[int]:
    today = ctx.now.astimezone(ctx.school.zone).date()
    return {person.id for person in people.expected(ctx.db, today)}

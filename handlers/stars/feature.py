"""明星教师: the monthly vote by secret ballot.

1.  The office types 评选 12月明星教师 候选人 赵老师、钱老师 截止 周五17:00; what is missing is asked. A draft shows who
    stands, how many may vote, until when and by which rules. 确认开始.
2.  The private key is written to a file outside the database; then roll, candidates and rules are frozen and their
    hash is announced. One card in each group shows the turnout and nothing else; everybody gets a ballot in private.
3.  A vote is a tap on the private ballot or a word in private: 选赵老师, 2号, 弃权. It becomes a sealed envelope beside
    the voter's name; a later vote takes its place. The toast names the choice and is kept nowhere; the message that
    stays names only a receipt. What is said in the group is not counted.
4.  Who is silent is reminded once, in private. When everybody has voted the office may close early.
5.  stars.close, at the deadline: nobody may vote any more. The receipts are published, sorted; for ten minutes whoever
    does not find theirs may object, and the office may void the vote with nothing opened.
6.  stars.count: every envelope's seal, number and receipt is checked. What does not fit is a dispute, and nothing is
    opened. Else names are stripped, envelopes shuffled and opened in memory, and ballots without names are stored.
7.  stars.seal, once that is durable: a second count by another hand agrees; the key is destroyed.
8.  stars.publish: the numbers, in the order of the candidates. Fewer than five votes are never opened at all.

A lost key voids the vote: it is never guessed. Every step asks for the state it starts from, so it may run twice.
(After the count an engine may truncate its write-ahead log; secrecy does not rest on it.)
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from bot.kit.card import Card
from bot.kit.context import Context, Office, Persons, Staff, View
from bot.kit.feature import Feature
from bot.kit.reply import Reply, Show, Toast
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.stars import cards, forms, rules, sealing, sections, taps
from handlers.stars.sealing import KeyRing
from storage import audit, ballots, people
from storage.ballots import Election, State

feature = Feature("stars", title=N_("明星教师"))
SOON = timedelta(seconds=2)  # the next step, once this one is durable

feature.section(N_("明星教师"))(sections.monthly)
feature.command("评选", "明星教师投票", "开始投票", who=Role.OFFICE, help=N_("发起明星教师投票"))(forms.nominate)
feature.form(forms.Nominate, who=Role.OFFICE)(forms.draft)
feature.action(taps.Start, who=Role.OFFICE)(forms.start)
feature.action(taps.Drop, who=Role.OFFICE)(forms.drop)
feature.phrase(forms.step_in, scope=forms.before_their_eyes, who=Role.OFFICE)(forms.step_in_words)
feature.action(taps.Go)(taps.go)
feature.action(taps.Cast, sealed=True, private=True)(taps.cast)
feature.phrase(rules.read_pick, scope=taps.meant)(taps.by_word)
feature.command("投票", "选票", private=True, help=N_("再看一次选票"))(taps.show_ballot)
feature.appointment("remind")(taps.remind)

for prefix, draw in (
    ("stars", cards.group),
    ("ballot", cards.ballot),
    ("star-full", cards.full),
    ("star-check", cards.check),
    ("star-void", cards.void),
    ("star-result", cards.result),
):
    feature.card(prefix)(sections.drawn(draw))


@feature.card("star-draft")
def _draft(view: View, number: int) -> Card | None:
    shown = sections.face(view, number)
    return cards.draft(shown) if shown else cards.dropped(number)


# --- the office -----------------------------------------------------------------------------------------------


@feature.command("投票进度", who=Role.OFFICE, private=True, help=N_("看投票人数"))
def progress(ctx: Context, rest: str) -> Reply:
    election = ballots.latest(ctx.db)
    if election is None:
        return _("还没有开过投票。要办请发“评选”。")
    return sections.progress(sections.face_of(ctx, election))


@feature.command("提前截止", who=Role.OFFICE, private=True, help=N_("全都投了就提前截止"))
def close_early(ctx: Context, rest: str) -> Reply:
    election = ballots.latest(ctx.db)
    return _early(ctx, election)


@feature.action(taps.Close, who=Role.OFFICE)
def close_early_tap(ctx: Context, tap: taps.Close) -> Reply:
    return _early(ctx, ballots.get(ctx.db, tap.election))


def _early(ctx: Context, election: Election | None) -> Reply:
    silent = ballots.silent(ctx.db, election.id) if election else ()
    _shut(ctx, rules.check_early(election, silent))
    return _("已截止。回执发在群里，核对之后开票。")


@feature.command("作废投票", who=Role.OFFICE, private=True, help=N_("开票之前作废"))
def ask_void(ctx: Context, rest: str) -> Reply:
    return Show(f"star-void:{rules.check_void(ballots.latest(ctx.db)).id}")


@feature.action(taps.AskVoid, who=Role.OFFICE)
def ask_void_tap(ctx: Context, tap: taps.AskVoid) -> Reply:
    return Show(f"star-void:{rules.check_void(ballots.get(ctx.db, tap.election)).id}")


@feature.action(taps.Void, who=Role.OFFICE)
def void(ctx: Context, tap: taps.Void) -> Reply:
    _void(ctx, rules.check_void(ballots.get(ctx.db, tap.election)), _("办公室决定作废"))
    return Toast(_("已作废，会通知全体。"))


@feature.action(taps.KeepOn, who=Role.OFFICE)
def keep_on(ctx: Context, tap: taps.KeepOn) -> Reply:
    return Toast(_("没有作废，照常进行。"))


# --- what comes by itself -------------------------------------------------------------------------------------


@feature.appointment("close")
def close(ctx: Context, election: int) -> None:
    found = ballots.get(ctx.db, election)
    if found is None or found.state is not State.OPEN:
        return
    if ctx.now < found.closes:  # a clock that was set back
        return ctx.book("stars.close", rules.after(found.closes), key=str(election), election=election)
    _shut(ctx, found)


def _shut(ctx: Context, election: Election) -> None:
    """Open -> closing: the receipts hang out, by daylight, for as long as was promised."""
    if KeyRing(ctx.school.secrets).ready(election.id, election.pk) is None:
        return _void(ctx, election, _("钥匙文件丢失，票打不开"))
    number = election.id
    seen_at = ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone)
    count_at = rules.after(seen_at + timedelta(minutes=election.settings.objection))
    ballots.move(ctx.db, number, (State.OPEN,), State.CLOSING, count_at=count_at)
    cast = [line for line in ballots.lines(ctx.db, number) if line.voted and line.envelope]
    codes = sorted(sealing.code(number, line.person, line.envelope or b"") for line in cast)
    ballots.keep_codes(ctx.db, number, codes)
    turnout = ballots.turnout(ctx.db, number)
    audit.note(ctx.db, "stars.closing", None, f"{number} {turnout.voted}/{turnout.size}", ctx.now)
    ctx.book("stars.count", count_at, key=str(number), election=number)
    shown = sections.face(ctx, number)
    if shown is not None:
        ctx.say(cards.receipts(shown, codes), to=Staff(), gentle=True, name=f"star-codes:{number}")
    ctx.post(f"star-check:{number}", Office(), gentle=True)
    ctx.settle(f"ballot:{number}")
    ctx.redraw(f"star-full:{number}")
    ctx.redraw(f"stars:{number}")


@feature.appointment("count")
def count(ctx: Context, election: int) -> None:
    """Closing -> counted: everything is checked before anything is opened, and kept in one transaction."""
    found = ballots.get(ctx.db, election)
    if found is None or found.state is not State.CLOSING:
        return
    ring = KeyRing(ctx.school.secrets)
    host, key = ring.host(), ring.read(election, found.pk or b"")
    if host is None or key is None:
        return _void(ctx, found, _("钥匙文件丢失，票打不开"))
    lines = ballots.lines(ctx.db, election)
    faults = sealing.faults(host, found, lines, ballots.codes(ctx.db, election))
    if faults:
        return _dispute(ctx, found, faults)
    envelopes = [line.envelope for line in lines if line.envelope is not None]
    result = None
    if len(envelopes) >= found.settings.least:
        seats = sealing.opened(key, envelopes)
        result = rules.count(seats, len(found.settings.candidates))
        if result is None:
            return _dispute(ctx, found, ["inside"])
        ballots.keep_ballots(ctx.db, election, [(secrets.token_bytes(16), seat) for seat in seats if seat is not None])
    ballots.strip(ctx.db, election)
    ballots.move(ctx.db, election, (State.CLOSING,), State.COUNTED, result=result and ballots.pack_counts(result))
    audit.note(ctx.db, "stars.counted", None, f"{election} {len(envelopes)}", ctx.now)
    ctx.book("stars.seal", ctx.now + SOON, key=str(election), election=election)


@feature.appointment("seal")
def seal(ctx: Context, election: int) -> None:
    """Counted -> sealed: it is durable and counted twice, so the key may go."""
    found = ballots.get(ctx.db, election)
    if found is None or found.state is not State.COUNTED:
        return
    voted = ballots.turnout(ctx.db, election).voted
    if not rules.agrees(found.result, ballots.recount(ctx.db, election), voted):
        return _dispute(ctx, found, ["recount"])
    KeyRing(ctx.school.secrets).destroy(election)
    ballots.move(ctx.db, election, (State.COUNTED,), State.SEALED)
    audit.note(ctx.db, "stars.sealed", None, str(election), ctx.now)
    ctx.book("stars.publish", ctx.now + SOON, key=str(election), election=election)


@feature.appointment("publish")
def publish(ctx: Context, election: int) -> None:
    """Sealed -> published."""
    if not ballots.move(ctx.db, election, (State.SEALED,), State.PUBLISHED):
        return
    ctx.post(f"star-result:{election}", Staff(), gentle=True)
    for card in ("stars", "star-full", "star-check", "star-void"):
        ctx.settle(f"{card}:{election}")


def _dispute(ctx: Context, election: Election, faults: list[str]) -> None:
    """Nothing is opened, or nothing is published; the office and the principal decide."""
    ballots.move(ctx.db, election.id, (State.CLOSING, State.COUNTED), State.DISPUTED)
    audit.note(ctx.db, "stars.disputed", None, f"{election.id} {','.join(faults)}"[:80], ctx.now)
    text = _(
        "{title}开票前核对不上（{faults}），没有公布任何结果。可能有人改过数据库。请和校长商量；要重投，先发“作废投票”。",
        title=election.title,
        faults="、".join(_(cards.FAULTS[fault]) for fault in faults),
    )
    for to in (Office(), Persons([person.id for person in people.holding(ctx.db, Role.PRINCIPAL.value)])):
        ctx.say(text, to=to, name=f"star-dispute:{election.id}")
    ctx.redraw(f"stars:{election.id}")
    ctx.redraw(f"star-check:{election.id}")


def _void(ctx: Context, election: Election, why: str) -> None:
    """No envelope will ever be opened: they go now, and the key once that is durable."""
    number = election.id
    ballots.empty(ctx.db, number)
    ballots.move(ctx.db, number, (State.OPEN, State.CLOSING, State.DISPUTED), State.VOID)
    audit.note(ctx.db, "stars.void", None, str(number), ctx.now)
    ctx.book("stars.burn", ctx.now + SOON, key=str(number), election=number)
    text = _("{title}投票作废：{why}。投过的票没有打开，要评选由办公室重新发起。", title=election.title, why=why)
    ctx.say(text, to=Staff(), gentle=True, name=f"star-annul:{number}")
    for card in ("stars", "ballot", "star-full", "star-check", "star-void"):
        ctx.settle(f"{card}:{number}")


@feature.appointment("burn")
def burn(ctx: Context, election: int) -> None:
    found = ballots.get(ctx.db, election)
    if found is not None and found.state is State.VOID:
        KeyRing(ctx.school.secrets).destroy(election)

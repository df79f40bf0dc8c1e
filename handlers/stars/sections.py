"""What a vote shows of itself: the facts behind every card, and the part of the month's report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.kit.card import Block, Card, Line
from bot.kit.context import View
from bot.kit.feature import Month
from bot.kit.words import _
from handlers.stars import cards, sealing
from handlers.stars.cards import Face
from storage import ballots, people
from storage.ballots import Election, State, Turnout


def face(view: View, number: int) -> Face | None:
    """The election as the cards show it; ``None``: a draft that was dropped."""
    election = ballots.get(view.db, number)
    return None if election is None else face_of(view, election)


def face_of(view: View, election: Election) -> Face:
    school, settings = view.school, election.settings
    return Face(
        number=election.id,
        title=election.title,
        state=election.state,
        candidates=settings.candidates,
        closes=_closes(view, election),
        turnout=_turnout(view, election),
        open=election.state is State.OPEN and view.now < election.closes,
        least=settings.least,
        rules_code=sealing.fingerprint(election.settings_hash),
        count_at=school.write_time(election.count_at, view.now) if election.count_at else "",
        result=election.result,
    )


def _closes(view: View, election: Election) -> str:
    """Before it begins the office looks twice at the day; afterwards it cannot be changed any more."""
    if election.state is State.DRAFT:
        return view.school.echo_time(election.closes)
    return view.school.write_time(election.closes, view.now)


def drawn(draw: Callable[[Face], Card]) -> Callable[[View, int], Card | None]:
    """A face that is drawn from the rows as they are at that moment."""

    def now(view: View, number: int) -> Card | None:
        shown = face(view, number)
        return draw(shown) if shown is not None else None

    return now


def _turnout(view: View, election: Election) -> Turnout:
    if election.state is State.DRAFT:
        return Turnout(0, len(electors(view)))
    return ballots.turnout(view.db, election.id)


def electors(view: View) -> Sequence[int]:
    """Who would be on a roll frozen now: everybody in office today."""
    today = view.now.astimezone(view.school.zone).date()
    return [person.id for person in people.expected(view.db, today)]


def monthly(view: View, month: Month) -> Sequence[Block]:
    """Turnout and result of the votes that ended in this month; of one that still runs, the turnout."""
    first = _midnight(month.first, view.school.zone)
    end = _midnight((month.first + timedelta(days=32)).replace(day=1), view.school.zone)
    blocks: list[Block] = []
    for election in ballots.of(view.db, first, end):
        shown = face_of(view, election)
        if election.state is State.PUBLISHED:
            blocks += [Line(shown.title), *cards.outcome(shown)]
        elif election.state is State.VOID:
            blocks.append(Line(_("{title}：作废，没有开票", title=shown.title)))
        else:
            blocks.append(Line(progress(shown)))
    return blocks


def progress(shown: Face) -> str:
    """投票进度, in one line: numbers, never names."""
    facts = {"title": shown.title, "voted": shown.turnout.voted, "size": shown.turnout.size, "closes": shown.closes}
    if shown.open:
        return _("{title}：已投 {voted}/{size}，{closes} 截止", **facts)
    return _("{title}：已投 {voted}/{size}，已截止", **facts)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)

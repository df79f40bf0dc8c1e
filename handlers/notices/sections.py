"""The rows behind the faces of a notice, and what the month's report may know of the meetings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from bot.kit import when
from bot.kit.card import Block, Card, Facts, Table
from bot.kit.context import View
from bot.kit.feature import Month
from bot.kit.words import _
from handlers.notices import cards, rules
from handlers.notices.cards import Face, Plan
from handlers.notices.rules import Answer, Count
from storage import corrections, notices, people, rsvps
from storage.notices import CANCELLED, DRAFT, Notice
from storage.people import Person
from storage.rsvps import Given


def face(view: View, number: int) -> Face | None:
    notice = notices.get(view.db, number)
    return face_of(view, notice) if notice else None


def face_of(view: View, notice: Notice) -> Face:
    fixes = [rules.spoken(one, view.school) for one in corrections.of(view.db, notice.id) if one.kind != "cancel"]
    return Face(notice, view.school, view.now, counted(view, notice), fixes)


def counted(view: View, notice: Notice) -> Count:
    return rules.count([one.id for one in expected(view, notice)], rsvps.last_words(view.db, notice.id))


def expected(view: View, notice: Notice) -> Sequence[Person]:
    """Who is asked and who counts: the roster as it is, without those on leave on the day of the meeting."""
    return people.expected(view.db, when.local_date(notice.starts, view.school.zone))


def silent(view: View, notice: Notice) -> Sequence[Person]:
    given = rsvps.last_words(view.db, notice.id)
    return [one for one in expected(view, notice) if one.id not in given]


def drawn(draw: Callable[[Face], Card | None]) -> Callable[[View, int], Card | None]:
    """A face as the feature declares it: from the number of a notice to a card."""

    def card(view: View, number: int) -> Card | None:
        found = face(view, number)
        return draw(found) if found else None

    return card


# --- for the office -------------------------------------------------------------------------------------------


def draft_card(view: View, number: int) -> Card | None:
    found = face(view, number)
    return cards.draft(found, plan(view, found.notice, found.notice.starts)) if found else None


def fix_card(view: View, number: int) -> Card | None:
    change = corrections.get(view.db, number)
    found = face(view, change.notice) if change else None
    if change is None or found is None:
        return None
    starts = rules.unpack_time(change.after)[0] if change.kind == "time" else found.notice.starts
    going = [one for one in rsvps.last_words(view.db, change.notice).values() if one.answer != Answer.LEAVE.value]
    return cards.fix(found, change, plan(view, found.notice, starts, look=change.kind == "time"), len(going))


def plan(view: View, notice: Notice, starts: datetime, *, look: bool = True) -> Plan:
    """What sending would mean now. ``look``: the date is new, so say what is strange about it."""
    day = when.local_date(starts, view.school.zone)
    days = [day, *([when.local_date(notice.deadline, view.school.zone)] if notice.deadline else [])] if look else []
    notes = [rules.day_note(view.school.calendar, one) for one in dict.fromkeys(days)]
    return Plan(
        people=len(people.expected(view.db, day)),
        away=len(people.on_leave(view.db, day)),
        groups=len(people.bound_groups(view.db)) if notice.state == DRAFT else len(told_groups(view, notice)),
        leaves_at=rules.leaves_at(view.now, view.school, at_once=False),
        warnings=[note for note in notes if note],
        unseen=notice.leaves_at is not None and notice.leaves_at > view.now,
    )


def told_groups(view: View, notice: Notice) -> Sequence[people.Group]:
    """Bound groups that had the card; one that moved is known under a new id, but was bound before the sending."""
    told, sent_at = corrections.told_groups(view.db, notice.id), notice.leaves_at or view.now
    return [
        group
        for group in people.bound_groups(view.db)
        if (group.channel, group.id) in told or (group.bound_at is not None and group.bound_at <= sent_at)
    ]


def silent_card(view: View, number: int) -> Card | None:
    found = face(view, number)
    return cards.silent(found, _names(view, found.notice)) if found else None


def _names(view: View, notice: Notice) -> Mapping[str, Sequence[str]]:
    asked, given = expected(view, notice), rsvps.last_words(view.db, notice.id)
    quiet = [_named(one, one.department) for one in asked if one.id not in given]
    lists = {_("未答复"): quiet}
    for answer in (Answer.LEAVE, Answer.LATE, Answer.EARLY):
        lists[answer.label] = [_named(one, given[one.id].note) for one in asked if _gave(given, one, answer)]
    return lists


def _gave(given: Mapping[int, Given], person: Person, answer: Answer) -> bool:
    return person.id in given and given[person.id].answer == answer.value


def _named(person: Person, note: str) -> str:
    return _("{name}（{note}）", name=person.name, note=note) if note else person.name


def stats_card(view: View, number: int) -> Card | None:
    found = face(view, number)
    if found is None:
        return None
    given = rsvps.last_words(view.db, number)
    departments: dict[str, list[int]] = {}
    for one in expected(view, found.notice):
        departments.setdefault(one.department, []).append(one.id)
    return cards.numbers(found, [(name, rules.count(ids, given)) for name, ids in departments.items()])


# --- for the month --------------------------------------------------------------------------------------------


def monthly(view: View, month: Month) -> Sequence[Block]:
    """Every meeting of the month with its numbers; nobody's name and nobody's reason."""
    past = (month.first.replace(day=28) + timedelta(days=4)).replace(day=1)
    bounds = [when.instant(day, datetime.min.time(), view.school.zone) for day in (month.first, past)]
    held = notices.within(view.db, *bounds)
    kept = [notice for notice in held if notice.state != CANCELLED]
    total = Facts(((_("会议"), str(len(kept))), (_("取消"), str(len(held) - len(kept)))))
    heads = (_("时间"), _("主题"), _("地点"), _("应到"), *(answer.label for answer in Answer), _("未答"))
    return [total, Table(heads, [_row(view, notice) for notice in kept])] if held else [total]


def _row(view: View, notice: Notice) -> Sequence[str]:
    count = counted(view, notice)
    numbers = (count.expected, count.yes, count.late, count.leave, count.early, count.silent)
    return (view.school.write_time(notice.starts, view.now), notice.topic, notice.place, *map(str, numbers))

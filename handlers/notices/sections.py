"""The rows behind the faces of a notice, and what the month's report may know of the meetings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from bot.kit import when
from bot.kit.card import Block, Card, Facts, Table
from bot.kit.context import Context, View
from bot.kit.feature import Month
from bot.kit.words import _
from handlers.notices import cards, circles, rules
from handlers.notices.cards import Face, Plan
from handlers.notices.rules import Answer, Count
from storage import absences, corrections, notices, people, rsvps
from storage.absences import Absence
from storage.notices import CANCELLED, DRAFT, Notice
from storage.people import Person
from storage.rsvps import Given


def face(view: View, number: int) -> Face | None:
    notice = notices.get(view.db, number)
    return face_of(view, notice) if notice else None


def face_of(view: View, notice: Notice) -> Face:
    told = corrections.of(view.db, notice.id)
    fixes = [rules.spoken(one, view.school) for one in told if one.kind not in ("cancel", "retract")]
    retracted = any(one.kind == "retract" for one in told)
    return Face(notice, view.school, view.now, counted(view, notice), fixes, retracted)


def counted(view: View, notice: Notice) -> Count:
    return rules.count([one.id for one in expected(view, notice)], rsvps.last_words(view.db, notice.id))


def expected(view: View, notice: Notice) -> Sequence[Person]:
    """Who is asked and who counts: the circles that were named, without those on leave on the day of the meeting."""
    return circles.expected(view, notice.circles, when.local_date(notice.starts, view.school.zone))


def ours(ctx: Context) -> bool:
    """Is this the school's own group?"""
    group = people.group(ctx.db, ctx.place.channel, ctx.place.id)
    return group is not None and group.bound_at is not None


departments = circles.departments


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
    going = len([one for one in rsvps.last_words(view.db, change.notice).values() if one.answer != Answer.LEAVE.value])
    if change.kind == "widen":
        wider = replace(found.notice, audience=change.after)
        going = len({one.id for one in expected(view, wider)} - {one.id for one in expected(view, found.notice)})
    return cards.fix(found, change, plan(view, found.notice, starts, look=change.kind == "time"), going)


def plan(view: View, notice: Notice, starts: datetime, *, look: bool = True) -> Plan:
    """What sending would mean now. ``look``: the date is new, so say what is strange about it."""
    day = when.local_date(starts, view.school.zone)
    asked = circles.expected(view, notice.circles, day)
    away = [one for one, _leave in people.on_leave(view.db, day) if notice.asks(one)]
    return Plan(
        people=len(asked),
        away=len(away),
        groups=len(people.bound_groups(view.db)) if notice.state == DRAFT else len(told_groups(view, notice)),
        leaves_at=rules.leaves_at(view.now, view.school, at_once=False),
        warnings=_warnings(view, notice, day) if look else [],
        unseen=notice.leaves_at is not None and notice.leaves_at > view.now,
    )


def _warnings(view: View, notice: Notice, day: date) -> Sequence[str]:
    """What is strange about the day, what those who are asked have that day already, and how full their week is."""
    days = [day, *([when.local_date(notice.deadline, view.school.zone)] if notice.deadline else [])]
    notes = [rules.day_note(view.school.calendar, one) for one in dict.fromkeys(days)]
    found = [note for note in notes if note]
    monday = day - timedelta(days=day.weekday())
    first, past = (
        when.instant(one, datetime.min.time(), view.school.zone) for one in (monday, monday + timedelta(days=7))
    )
    week = [
        one
        for one in notices.within(view.db, first, past)
        if one.id != notice.id and one.state != CANCELLED and circles.meet(one.circles, notice.circles)
    ]
    for one in week:
        if when.local_date(one.starts, view.school.zone) == day:
            at = rules.written(one.starts, one.ends, view.school)
            found.append(_("同一天他们还有：{at} {topic}。", at=at, topic=one.topic))
    if len(week) >= rules.FULL_WEEK - 1:
        found.append(_("这是他们这一周的第 {n} 个会。", n=len(week) + 1))
    return found


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
    """The silent with what is needed to call them; the others with what they wrote."""
    asked, given = expected(view, notice), rsvps.last_words(view.db, notice.id)
    off = absences.of(view.db, notice.id)
    quiet = [
        _named(one, "，".join(fact for fact in (one.department, one.phone) if fact))
        for one in asked
        if one.id not in given
    ]
    lists = {_("未答复"): quiet}
    for answer in (Answer.LEAVE, Answer.LATE, Answer.EARLY):
        lists[answer.label] = [
            _named(one, _noted(given[one.id].note, off.get(one.id))) for one in asked if _gave(given, one, answer)
        ]
    lists[_("能到，有备注")] = [
        _named(one, given[one.id].note) for one in asked if _gave(given, one, Answer.YES) and given[one.id].note
    ]
    return lists


def _noted(note: str, off: Absence | None) -> str:
    """监考，已同意."""
    decided = {absences.GRANTED: _("已同意"), absences.DECLINED: _("未同意")}.get(off.state, "") if off else ""
    return "，".join(part for part in (note, decided) if part)


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
    counts = [counted(view, notice) for notice in kept]
    shown = cards.shown_of(counts)
    heads = (_("时间"), _("主题"), _("地点"), _("应到"), *(answer.label for answer in shown), _("未答"))
    rows = [
        (view.school.write_time(notice.starts, view.now), notice.topic, notice.place, *cards.numbers_of(count, shown))
        for notice, count in zip(kept, counts, strict=True)
    ]
    return [total, Table(heads, rows)] if held else [total]

"""The rows behind the faces: who is asked, who was there, which meeting is meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from bot.kit import when
from bot.kit.card import Card
from bot.kit.context import Context, View
from bot.kit.event import Place
from handlers.meetings import cards, rules
from handlers.meetings.cards import Face
from handlers.meetings.rules import Attendance
from storage import absences, corrections, followups, meetings, notices, people, rsvps
from storage.notices import CANCELLED, Notice
from storage.people import Group, Person

KEYS = ("notice", "notice-me", "notice-silent", "notice-stats", "meeting", "meeting-door", "meeting-minutes")
"""The cards that are about one meeting, by its number."""


def asked(view: View, notice: Notice) -> Sequence[Person]:
    """Who is expected: the roster as it is, without those on leave that day, of the circles that were named."""
    day = when.local_date(notice.starts, view.school.zone)
    return [one for one in people.expected(view.db, day) if notice.asks(one)]


def attendance(view: View, notice: Notice) -> Attendance:
    expected, signed = asked(view, notice), meetings.signed(view.db, notice.id)
    known = {one.id for one in expected}
    guests = [one for one in people.everybody(view.db) if one.id in signed and one.id not in known]
    door = meetings.door(view.db, notice.id)
    held = bool(signed) or (door is not None and door.open(view.now))  # one that nobody went through says nothing
    said_no = [one.person for one in absences.of(view.db, notice.id).values() if one.state == absences.DECLINED]
    return Attendance(expected, rsvps.last_words(view.db, notice.id), signed, held, guests, said_no)


def groups(view: View, notice: Notice) -> Sequence[Place]:
    """Bound groups that had the card; one that moved is known under a new id, but was bound before the sending."""
    told, sent_at = corrections.told_groups(view.db, notice.id), notice.leaves_at or view.now
    return [
        Place(group.channel, group.id, private=False)
        for group in people.bound_groups(view.db)
        if (group.channel, group.id) in told or _bound_by(group, sent_at)
    ]


def _bound_by(group: Group, at: datetime) -> bool:
    return group.bound_at is not None and group.bound_at <= at


# --- which meeting --------------------------------------------------------------------------------------------


def meant(ctx: Context, words: str) -> Notice | None:
    """The quoted meeting, the one named by its serial, else the only one that is on about now; ``None``: ask."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    if prefix in KEYS:
        return rules.check_held(notices.get(ctx.db, int(number)))
    if serial := _SERIAL.search(words):
        return rules.check_held(notices.by_serial(ctx.db, serial[0]))
    near = between(ctx, timedelta(hours=12), timedelta(hours=2))
    found = near or candidates(ctx)
    return found[0] if len(found) == 1 else None


def between(view: View, back: timedelta, ahead: timedelta) -> Sequence[Notice]:
    """Meetings that were announced, are not cancelled and start about now, the nearest first."""
    found = notices.within(view.db, view.now - back, view.now + ahead)
    kept = [one for one in found if one.state != CANCELLED]
    return sorted(kept, key=lambda one: (abs(one.starts - view.now), one.id))


def candidates(view: View) -> Sequence[Notice]:
    """What can be tapped when somebody asks for a meeting without saying which."""
    return between(view, timedelta(days=60), timedelta(days=30))


_SERIAL = re.compile(r"\d{4}-\d{2,}")

# --- the faces, from the rows ---------------------------------------------------------------------------------


def face(view: View, number: int) -> Face | None:
    notice = notices.get(view.db, number)
    return face_of(view, notice) if notice is not None and notice.serial else None


def face_of(view: View, notice: Notice) -> Face:
    names = {one.id: one.name for one in people.everybody(view.db)}
    tasks = [(one, names.get(one.owner, "")) for one in followups.tasks_of(view.db, notice.id)]
    reading = [(one, names.get(one.person, "")) for one in followups.catchups_of(view.db, notice.id).values()]
    return Face(
        notice,
        view.school,
        view.now,
        attendance(view, notice),
        meetings.door(view.db, notice.id),
        meetings.minutes_of(view.db, notice.id),
        meetings.papers_of(view.db, notice.id),
        tasks,
        reading,
    )


def drawn(draw: Callable[[Face], Card | None]) -> Callable[[View, int], Card | None]:
    """A face as the feature declares it: from the number of a notice to a card."""

    def card(view: View, number: int) -> Card | None:
        found = face(view, number)
        return draw(found) if found else None

    return card


def task_card(view: View, number: int) -> Card | None:
    one = followups.task(view.db, number)
    notice = notices.get(view.db, one.notice) if one and one.notice else None
    return cards.task(one, notice.topic if notice else "", view.school, view.now) if one else None


def tasks_card(view: View, number: int) -> Card | None:
    names = {one.id: one.name for one in people.everybody(view.db)}
    found = [(one, names.get(one.owner, "")) for one in followups.open_tasks(view.db)]
    return cards.open_tasks(found, view.school, view.now)


def catchup_card(view: View, number: int) -> Card | None:
    one = followups.catchup(view.db, number)
    notice = notices.get(view.db, one.notice) if one else None
    return cards.catchup(one, notice, view.school, view.now) if one and notice else None


def calendar_card(view: View, number: int) -> Card | None:
    person = people.get(view.db, number)
    if person is None:
        return None
    return cards.calendar(person, linked=meetings.has_link(view.db, number), site=bool(view.school.site))


def projected(view: View, number: str) -> str | None:
    """What the projector shows of a door, as JSON: numbers, never names. ``code``: "" where a tap is enough."""
    found = face(view, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    if found is None or found.door is None:
        return None
    facts = {
        "topic": found.notice.topic,
        "time": cards.written(found.notice, view.school),
        "place": found.notice.place,
        "open": found.is_open,
        "code": rules.code(found.door, view.now) if found.is_open else "",
        "left": rules.STEP - int(view.now.timestamp()) % rules.STEP,
        "here": len(found.there.here),
        "asked": len(found.there.asked),
    }
    return msgspec.json.encode(facts).decode()

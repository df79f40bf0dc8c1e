"""A school of our own to measure parts of it in: the real shelves, desk, clock and postman, one tiny feature."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from itertools import count
from zoneinfo import ZoneInfo

from sqlalchemy import select

from bot.app import RunningSchool
from bot.engine.port import Channel
from bot.engine.router import build
from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.context import School
from bot.kit.feature import Feature
from storage import people
from storage.base import Db, metadata
from storage.engine import Shelves
from storage.people import Person

TELEGRAM = "telegram"


def open_school(
    url: str,
    features: Sequence[Feature],
    channels: Callable[[RunningSchool], Sequence[Channel]] = lambda running: (),
) -> RunningSchool:
    """Not yet started. It has no quiet hours: a run must not depend on the hour."""
    shelves = Shelves(url)
    metadata.create_all(shelves.writer)
    hours = when.SchoolHours(zone=ZoneInfo("Asia/Shanghai"))
    awake = when.QuietHours(time(0), time(0))
    school = School("红烛中学", hours, awake, Calendar())
    return RunningSchool(shelves, school, build(features), channels=channels)


def hire(
    shelves: Shelves, accounts: Sequence[int | str], channel: str = TELEGRAM, *, office: int | None = None
) -> None:
    """One member of staff for every account, who has talked to us just now; ``office``: the office's own account."""
    now = datetime.now(UTC)
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        teachers = count(1)
        for account in accounts:
            name, role = ("办公室", "office") if account == office else (f"老师{next(teachers):03d}", "staff")
            person = people.add(db, Person(0, name, "教学部", "群众", role))
            people.bind(db, person, channel, str(account), talk=str(account), now=now)
        db.flush()


def bind_groups(shelves: Shelves, groups: Sequence[int | str], channel: str = TELEGRAM) -> None:
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        for group in groups:
            people.meet_group(db, channel, str(group), f"群 {group}")
            people.bind_group(db, channel, str(group), datetime.now(UTC))


def numbers(shelves: Shelves) -> list[int]:
    """Everybody's number on the roster."""
    with shelves.reading() as db:
        return [row.id for row in db.all(select(people.people.c.id).order_by(people.people.c.id))]

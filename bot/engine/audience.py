"""'Staff', a group, a person -> the conversations to write to, and who cannot be reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.kit.context import Audience, Office, Persons, Staff
from bot.kit.event import Place
from bot.kit.role import Role
from storage import people
from storage.base import Db


@dataclass(frozen=True, slots=True)
class Recipient:
    place: Place
    person: int | None = None


def recipients(db: Db, audience: Audience) -> tuple[Sequence[Recipient], Sequence[int]]:
    """Where it goes, and the persons who have no open private conversation."""
    match audience:
        case Place():
            return [Recipient(audience)], []
        case Staff():
            groups = people.bound_groups(db)
            return [Recipient(Place(group.channel, group.id, private=False)) for group in groups], []
        case Persons():
            return _private(db, audience.ids)
        case Office():
            office = people.holding(db, Role.OFFICE.value) or people.holding(db, Role.PRINCIPAL.value)
            return _private(db, [person.id for person in office])


def _private(db: Db, ids: Sequence[int]) -> tuple[Sequence[Recipient], Sequence[int]]:
    known = people.addresses(db, ids)
    reached = [Recipient(Place(known[i].channel, known[i].talk, private=True), i) for i in ids if i in known]
    return reached, [i for i in ids if i not in known]

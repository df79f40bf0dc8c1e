"""A platform's address book, as the errand ``contacts`` brings it: plain values, the same whichever platform it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody in it. ``department``: the nearest one, "" where they are in none below the whole school's."""

    account: str
    name: str
    department: str = ""


@dataclass(frozen=True, slots=True)
class Contacts:
    """Everybody whom we are allowed to see there. ``channel``: where the accounts belong."""

    channel: str
    people: Sequence[Contact]

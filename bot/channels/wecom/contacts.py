"""The platform's address book, through the self-built application: names and departments, and why it cannot be read.

developer.work.weixin.qq.com/document/path/90200 and 90208: an application of one's own corp reads userid, name and
departments of whoever is in its visible range; nothing more is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from bot.channels.wecom import doctor
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.parse import CHANNEL
from bot.engine.port import Progress
from bot.kit.contacts import Contact, Contacts
from bot.kit.errors import Refused
from bot.kit.words import _

if TYPE_CHECKING:
    from bot.channels.wecom.app import Application

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the address book; ``departments`` from the nearest to the widest, without the whole school's."""

    userid: str
    name: str
    departments: Sequence[str]


class Departments:
    """The tree of them. The root is the school itself and no department of anybody."""

    def __init__(self, rows: Sequence[Json]) -> None:
        known = {int(row["id"]): row for row in rows}
        self._parents = {n: int(row.get("parentid", 0)) for n, row in known.items()}
        self._names: Mapping[int, str] = {n: str(row.get("name", "")) for n, row in known.items()}

    @property
    def numbers(self) -> Sequence[int]:
        return list(self._parents)

    def _depth(self, number: int) -> int:
        seen: set[int] = set()
        while number in self._parents and number not in seen:
            seen.add(number)
            number = self._parents[number]
        return len(seen)

    def names(self, numbers: Sequence[int]) -> Sequence[str]:
        """The deepest first; of equals the one that the platform names first."""
        mine = [n for n in numbers if n in self._parents and self._parents[n] != 0]
        return [self._names[n] for n in sorted(mine, key=self._depth, reverse=True)]


async def read(app: Application | None, progress: Progress) -> Any:
    """A ``Contacts`` in plain values; ``Refused`` with what to click where it cannot be read."""
    if app is None:
        raise Refused(_("读通讯录要有自建应用：请维护的人照手册“另外两样”装好，再发“通讯录”。"))
    try:
        members = await app.members(progress)
    except Trouble as trouble:
        raise Refused(doctor.said(trouble)) from None
    if not members:
        raise Refused(doctor.nobody_in_range())
    people = [Contact(m.userid, m.name, next(iter(m.departments), "")) for m in members]
    return msgspec.to_builtins(Contacts(CHANNEL, people))

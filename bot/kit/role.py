"""Who somebody is to the school. Roles come from the database only, never from a platform's group rights."""

from __future__ import annotations

from enum import Enum


class Role(Enum):
    GUEST = "guest"  # bound to nobody on the roster
    STAFF = "staff"
    OFFICE = "office"  # 书记 / 办公室: broadcasts, counts, exports
    PRINCIPAL = "principal"

    def includes(self, other: Role) -> bool:
        """A principal may do what the office may, the office what staff may, staff what a guest may."""
        order = list(Role)
        return order.index(self) >= order.index(other)

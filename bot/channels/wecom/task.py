"""What stands in a ``task_id``: enough to draw the card again without remembering that it was ever sent.

A ``task_id`` is ours to choose, once, for ever: at most 128 letters, digits, ``_``, ``-`` and ``@`` (path/101032). A
click brings it back.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

TASK = re.compile(r"([0-9a-f]{16})-(\d{1,2})-([A-Za-z0-9_-]*)")
MOST = 128


@dataclass(frozen=True, slots=True)
class Task:
    """What a ``task_id`` of ours says: the ref of the send, which part of it, and the card's key ("": none)."""

    ref: str
    part: int
    key: str

    def pack(self) -> str:
        text = base64.urlsafe_b64encode(self.key.encode()).decode().rstrip("=")
        packed = f"{self.ref}-{self.part}-{text}"
        return packed if len(packed) <= MOST else f"{self.ref}-{self.part}-"

    @classmethod
    def unpack(cls, text: str) -> Task:
        """Of whatever came; a foreign one is its own ref."""
        found = TASK.fullmatch(text)
        if found is None:
            return cls(text[:64], 0, "")
        try:
            key = base64.urlsafe_b64decode(found[3] + "=" * (-len(found[3]) % 4)).decode()
        except (binascii.Error, ValueError):
            key = ""
        return cls(found[1], int(found[2]), key)

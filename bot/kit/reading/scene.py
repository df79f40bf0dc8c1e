"""What is read, when it was said, and how far we have come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from bot.kit.reading.hours import SchoolHours
from bot.kit.reading.words import NUMERALS

_GLUED_DIGIT = re.compile(r"(?:[0-9第几A-Za-z$¥]|[0-9][.:/-])$")
_GLUED_NUMERAL = re.compile(rf"[0-9{NUMERALS}第几]$")


@dataclass(frozen=True, slots=True)
class Scene:
    """What is read, when it was said, and how far we have come."""

    text: str  # plain and masked
    now: datetime  # in the school's zone
    hours: SchoolHours
    base: date  # the day 周三 and 28号 are counted from; in 周一到周三 the first day
    floor: int = 0  # the end of the last reading
    topic: date | None = None  # the day spoken of: 周五开会，三点到
    fog: bool = False  # a day was named that we cannot place (下周, 改天): an hour alone is not an hour of today

    def before(self, pos: int, width: int = 2) -> str:
        """The characters just before, as far as no earlier reading has used them."""
        return self.text[max(self.floor, pos - width) : pos]

    def glued(self, pos: int) -> bool:
        """Whether a number at ``pos`` is the tail of a longer one: 1.12.2, 第三, 二十|三."""
        sign = self.text[pos : pos + 1]
        if sign.isdigit():
            return bool(_GLUED_DIGIT.search(self.before(pos)))
        if sign in NUMERALS:
            return bool(_GLUED_NUMERAL.search(self.before(pos)))
        return sign in "周星礼" and self.before(pos, 1) != "" and self.before(pos, 1) in NUMERALS + "周第0123456789"

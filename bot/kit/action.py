"""What a button means. An action is an id and a choice, never data and never a permission.

It packs to ``verb:field:field`` in at most 64 bytes (Telegram's limit for callback_data, the strictest of all
channels: core.telegram.org/bots/api#inlinekeyboardbutton). The verb is written by hand because it outlives deploys.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import Any, ClassVar, Self, get_type_hints

MAX_BYTES = 64


class BadToken(ValueError):
    """The token cannot have come from a button of ours."""


class Action:
    """Subclass as a frozen dataclass of ``int``, ``str`` or ``Enum`` fields: ``class Rsvp(Action, verb="nt.rsvp")``."""

    verb: ClassVar[str] = ""

    def __init_subclass__(cls, verb: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if verb:
            cls.verb = verb

    def pack(self) -> str:
        """The token of this action. ``ValueError`` where it would pass 64 bytes or hold a colon."""
        parts = [_plain(getattr(self, name)) for name, _ in _fields(type(self))]
        token = ":".join([self.verb, *parts])
        if len(token.encode()) > MAX_BYTES or any(":" in part for part in parts):
            raise ValueError(f"{token!r} does not fit a button")
        return token

    @classmethod
    def unpack(cls, parts: Sequence[str]) -> Self:
        """The action of a token's fields (the verb cut off). ``BadToken`` for anything we would not have packed."""
        fields = _fields(cls)
        if len(parts) != len(fields):
            raise BadToken(cls.verb)
        try:
            return cls(**{name: _read(kind, part) for (name, kind), part in zip(fields, parts, strict=True)})
        except ValueError as error:
            raise BadToken(cls.verb) from error


def _fields(cls: Any) -> tuple[tuple[str, type], ...]:
    return _fields_of(cls)


@cache
def _fields_of(cls: Any) -> tuple[tuple[str, type], ...]:
    hints = get_type_hints(cls)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(cls))


def _plain(value: object) -> str:
    return str(value.value) if isinstance(value, Enum) else str(value)


def _read(kind: type, part: str) -> object:
    if kind is int:
        if not (part.isascii() and part.lstrip("-").isdigit()) or len(part) > 19:
            raise ValueError(part)
        number = int(part)
        if not -(2**63) <= number < 2**63:  # no row has such a number, and no database can be asked for it
            raise ValueError(part)
        return number
    if issubclass(kind, Enum):
        return kind(type(next(iter(kind)).value)(part))
    return part

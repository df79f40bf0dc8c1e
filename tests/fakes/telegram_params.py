"""What the bot sent, and how it is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.fakes.telegram_world import Json


class Refused(Exception):
    """An answer with ok=false."""

    def __init__(self, status: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.status, self.description, self.parameters = status, description, parameters


def bad(sentence: str, **parameters: Any) -> Refused:
    return Refused(400, f"Bad Request: {sentence}", **parameters)


@dataclass(slots=True)
class Upload:
    name: str
    mime: str
    data: bytes


@dataclass(slots=True)
class Params:
    """What the bot sent: strings from a form, or values from JSON, and files."""

    values: Json
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return "" if value is None else value if isinstance(value, str) else str(value)

    def integer(self, name: str, otherwise: int = 0) -> int:
        try:
            return int(self.values[name])
        except (KeyError, TypeError, ValueError):
            return otherwise

    def flag(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in ("true", "yes", "1")

    def json(self, name: str, problem: str) -> Any:
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            return value
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            raise bad(problem) from None

    def seen(self) -> Json:
        """For the log of calls."""
        return self.values | {name: f"<{len(f.data)} bytes {f.name}>" for name, f in self.files.items()}

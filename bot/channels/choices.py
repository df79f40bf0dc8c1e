"""Numbered replies, for when buttons run out: the message says ``回复 7 选 赵老师``, and a reply of 7 is a tap.

Pure words in the first half; ``Choices`` remembers, for each conversation, what the newest numbers mean.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import msgspec

from bot.channels import clean
from bot.kit.card import Button
from bot.kit.event import Place
from bot.kit.words import _

REPLY = re.compile(r"(?:回复|选择|选|答)?\s*[#第]?\s*([0-9]{1,4})\s*[号个项]?[。.!！]?")
CONVERSATIONS = 2000  # as many as we keep in mind without a memory of rows


def spare(buttons: Sequence[Button], room: int) -> dict[int, Button]:
    """The buttons for which there is no room, by the number that stands for each; the others keep their places."""
    return {number: button for number, button in enumerate(buttons, 1) if number > room}


def words(numbered: dict[int, Button]) -> str:
    """A line for each: 回复 7 选 赵老师."""
    return "\n".join(_("回复 {n} 选 {label}", n=n, label=clean.line(b.label)) for n, b in numbered.items())


def number(text: str) -> int | None:
    """The number somebody chose: 7 · ７ · 选7 · 回复 7 · 第7个. ``None`` for any other text."""
    found = REPLY.fullmatch(unicodedata.normalize("NFKC", text).strip()) if len(text) <= 24 else None
    return int(found[1]) if found else None


class Memory(Protocol):
    """Where the meaning of numbers outlives a restart: one short text for each conversation."""

    async def keep(self, place: Place, meaning: str) -> None: ...

    async def recall(self, place: Place) -> str | None: ...


class Forgetful:
    """A memory that lasts as long as the process."""

    def __init__(self) -> None:
        self._known: OrderedDict[Place, str] = OrderedDict()

    async def keep(self, place: Place, meaning: str) -> None:
        self._known[place] = meaning
        self._known.move_to_end(place)
        while len(self._known) > CONVERSATIONS:
            self._known.popitem(last=False)

    async def recall(self, place: Place) -> str | None:
        return self._known.get(place)


class Choices:
    """What a number means in a conversation: the token of the button it stands for."""

    def __init__(self, memory: Memory | None = None) -> None:
        self._memory = memory or Forgetful()

    async def offer(self, place: Place, numbered: dict[int, Button], message: str) -> None:
        """From now on a number in ``place`` is one of these buttons of ``message``."""
        tokens = {str(n): button.action.pack() for n, button in numbered.items()}
        await self._memory.keep(place, msgspec.json.encode({"message": message, "tokens": tokens}).decode())

    async def chosen(self, place: Place, text: str) -> tuple[str, str] | None:
        """The token of the button that was meant, and its message; ``None``: this is no reply of that kind."""
        wanted = number(text)
        meaning = await self._memory.recall(place) if wanted is not None else None
        if meaning is None:
            return None
        known = msgspec.json.decode(meaning)
        token = known["tokens"].get(str(wanted))
        return (token, known["message"]) if token is not None else None

"""What a handler gives back to the one who asked.

``str``   a message that must arrive: it goes through the outbox.
``Toast`` a passing word on the open callback, after the commit; never stored, so it may say what must not be kept.
``Show``  a card, by key, in this conversation.
``Ask``   a form: the next question is asked, or the form's handler runs if nothing is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.kit.form import Form


@dataclass(frozen=True, slots=True)
class Toast:
    text: str
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Show:
    key: str


@dataclass(frozen=True, slots=True)
class Ask:
    """``values``: what is known already, by field name. ``private``: ask in the private talk, wherever the tap was.

    ``toast``: what was kept already before the question, said on the open callback of a tap; with it, somebody who
    cannot be asked in private is simply not asked.
    """

    form: type[Form]
    values: dict[str, object]
    private: bool = False
    toast: str = ""


Reply = str | Toast | Show | Ask | None

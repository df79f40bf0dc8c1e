"""What came in. A channel's ``parse`` makes these; nothing above the channels knows a platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Account:
    """Someone on a platform: the numeric id or lower-cased userid, never a display name."""

    channel: str
    id: str


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation: a group, or the private talk of one account with the bot."""

    channel: str
    id: str
    private: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a message, already fetched and capped by the channel."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Event:
    """``id`` is unique over all channels and repeats with a redelivery; ``at`` is the platform's time, UTC."""

    id: str
    at: datetime
    sender: Account
    place: Place


@dataclass(frozen=True, slots=True)
class Said(Event):
    """Words, a file or a reaction (its emoji is the text). ``quotes`` is the platform's id of the message answered.

    ``passed_on``: forwarded, so somebody else's words. ``first_at``: when a message that was now edited was first sent.
    """

    text: str
    quotes: str | None = None
    upload: Upload | None = None
    edited: bool = False
    passed_on: bool = False
    first_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tapped(Event):
    """A button; ``token`` is what the button carried and may be forged. ``message`` is the card's message id."""

    token: str
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted(Event):
    """A whole form at once, from channels that can show one."""

    form: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Joined(Event):
    """The bot was added to ``place``, or (private) somebody opened the talk; ``title`` is the group's name."""

    title: str = ""


@dataclass(frozen=True, slots=True)
class Left(Event):
    """The bot was removed from ``place`` or blocked there."""


@dataclass(frozen=True, slots=True)
class Moved(Event):
    """``place`` goes on under another id (a Telegram group became a supergroup)."""

    to: str

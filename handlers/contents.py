"""The table of contents: a feature exists when it is listed here. Their order is the order in which they hear."""

from __future__ import annotations

from collections.abc import Sequence

from bot.kit.card import Card
from bot.kit.feature import Feature
from handlers.people import cards as people_cards
from handlers.people.feature import feature as people
from handlers.roster import cards as roster_cards
from handlers.roster.feature import feature as roster

FEATURES: tuple[Feature, ...] = (people, roster)
GALLERY: Sequence[Card] = (*people_cards.GALLERY, *roster_cards.GALLERY)

"""The queue of updates of one bot, by the rules of the server's own source (TQueue.cpp, Client.cpp)."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Any

Json = dict[str, Any]
KINDS = {
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "message_reaction", "message_reaction_count",
    "inline_query", "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query", "poll",
    "purchased_paid_media", "poll_answer", "my_chat_member", "chat_member", "chat_join_request", "chat_boost",
    "removed_chat_boost",
}  # fmt: skip
ONLY_WHEN_ASKED = {"chat_member", "message_reaction", "message_reaction_count"}
WEEK = 7 * 86400.0
FUTURE = 10  # an offset further than this beyond the newest update is taken for nonsense, and nothing is confirmed


@dataclass(slots=True)
class Queued:
    id: int
    body: Json  # the whole update
    expires: float


class UpdateQueue:
    """Not thread-safe by itself: the World's lock guards it."""

    def __init__(self, now: Callable[[], float], dice: random.Random, note: Callable[..., None]) -> None:
        self._now, self._dice, self._note = now, dice, note
        self.items: OrderedDict[int, Queued] = OrderedDict()
        self._soonest = float("inf")
        self.allowed: set[str] = KINDS - ONLY_WHEN_ASKED
        self.last_id = dice.randint(500_000_000, 1_000_000_000)
        self._last_at: float | None = None
        self.confirmed = 0  # the highest id the bot has confirmed; 0 = none yet
        self.confirmed_ids: list[int] = []
        self.expired: list[Json] = []
        self.unwanted: list[Json] = []

    def allow(self, kinds: list[Any] | None) -> None:
        """Sticky: None leaves the setting, an empty list is the default, unknown names are overlooked."""
        if kinds is not None:
            asked = {str(k).lower() for k in kinds} & KINDS
            self.allowed = asked if asked else KINDS - ONLY_WHEN_ASKED

    def add(self, kind: str, body: Json, lives: float = 86400.0) -> int | None:
        """Filtering is at the time of creation: what is not asked for now is never delivered."""
        if kind not in self.allowed:
            self.unwanted.append({kind: body})
            return None
        number = self._next_id()
        self._put(number, {"update_id": number, kind: body}, lives)
        return number

    def add_raw(self, update: Json, lives: float = 86400.0) -> int:
        """Anything at all, unfiltered; gets an id unless it brings one."""
        number = update.get("update_id")
        if not isinstance(number, int):
            number = self._next_id()
        in_order = number >= self.last_id
        self.last_id = max(self.last_id, number)
        self._put(number, {"update_id": number} | update, lives)
        if not in_order:
            self.items = OrderedDict(sorted(self.items.items()))
        return number

    def _put(self, number: int, update: Json, lives: float) -> None:
        now = self._now()
        self.items[number] = Queued(number, update, now + lives)
        self._soonest = min(self._soonest, now + lives)
        self._last_at = now

    def _next_id(self) -> int:
        if self._last_at is not None and self._now() - self._last_at >= WEEK:
            self.expire()
            self.last_id = self._dice.randint(self.last_id // 10, self.last_id // 2)
        else:
            self.last_id += 1
        return self.last_id

    def expire(self) -> None:
        now = self._now()
        if now < self._soonest:
            return
        for old in [q for q in self.items.values() if q.expires <= now]:
            del self.items[old.id]
            self.expired.append(old.body)
            self._note("expired", update_id=old.id)
        self._soonest = min((q.expires for q in self.items.values()), default=float("inf"))

    def size(self) -> int:
        self.expire()
        return len(self.items)

    def get(self, offset: int, limit: int) -> list[Json]:
        """Confirms by `offset`, then returns up to `limit` updates from there."""
        self.expire()
        if offset < 0:
            self.confirm(list(self.items)[:offset])
        if 0 < offset <= self.last_id + FUTURE:
            self.confirm(list(takewhile(lambda number: number < offset, self.items)))
        return [q.body for q in islice(self.items.values(), limit)]

    def confirm(self, ids: list[int]) -> None:
        if not ids:
            return
        for number in ids:
            self.items.pop(number, None)
        self.confirmed = max(ids)
        self.confirmed_ids.extend(ids)
        self._note("confirmed", update_ids=ids)

    def clear(self) -> None:
        self._note("dropped", update_ids=list(self.items))
        self.items.clear()

"""How much a bot may send. Telegram does not publish which of these it is, so tests can choose.

off      nothing is counted against anybody
strict   sliding windows; after a breach every send to that scope is refused until `retry_after` has passed
lenient  token buckets, and nothing more than waiting for the next token
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Rule:
    most: int
    seconds: float


@dataclass(slots=True)
class Scope:
    times: deque[float] = field(default_factory=deque)
    shut_until: float = 0.0
    tokens: float = -1.0
    filled_at: float = 0.0


@dataclass
class Limits:
    """Public switches may be changed while it runs. Times are seconds."""

    mode: str = "off"
    global_per_second: int = 30
    chat_per_second: float = 1.0
    chat_burst: int = 3  # a private chat takes at most this many in `chat_burst / chat_per_second` seconds
    group_per_minute: int = 20
    edits_per_minute: int = 0  # per chat; 0 = edits are not limited
    now: Callable[[], float] = time.monotonic
    sent: Counter[str] = field(default_factory=Counter)
    edited: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # every 429 given out, by the scope that was full
    scopes: dict[str, Scope] = field(default_factory=dict)

    @property
    def refusals(self) -> int:
        return sum(self.refused.values())

    def reset(self) -> None:
        for book in (self.sent, self.edited, self.refused, self.scopes):
            book.clear()

    def ask(self, chat: int, edit: bool) -> int:
        """0 = go ahead (and counted); otherwise the seconds of `retry_after`."""
        if self.mode == "off":
            self._count(chat, edit)
            return 0
        check = self._strict if self.mode == "strict" else self._lenient
        rules = self._rules(chat, edit)
        now = self.now()
        for name, rule in rules:
            wait = check(name, rule, now)
            if wait > 0:
                self.refused[name] += 1
                return max(1, math.ceil(wait))
        for name, _ in rules:
            scope = self.scopes[name]
            if self.mode == "strict":
                scope.times.append(now)
            else:
                scope.tokens -= 1
        self._count(chat, edit)
        return 0

    def _count(self, chat: int, edit: bool) -> None:
        book = self.edited if edit else self.sent
        book[f"chat {chat}"] += 1
        book["all"] += 1

    def _rules(self, chat: int, edit: bool) -> list[tuple[str, Rule]]:
        if edit:
            return [(f"edits {chat}", Rule(self.edits_per_minute, 60.0))] if self.edits_per_minute else []
        own = (
            Rule(self.group_per_minute, 60.0)
            if chat < 0
            else Rule(self.chat_burst, self.chat_burst / self.chat_per_second)
        )
        return [("all", Rule(self.global_per_second, 1.0)), (f"chat {chat}", own)]

    def _strict(self, name: str, rule: Rule, now: float) -> float:
        scope = self.scopes.setdefault(name, Scope())
        if now < scope.shut_until:
            return scope.shut_until - now
        while scope.times and scope.times[0] <= now - rule.seconds:
            scope.times.popleft()
        if len(scope.times) < rule.most:
            return 0.0
        wait = max(1, math.ceil(scope.times[0] + rule.seconds - now))
        scope.shut_until = now + wait
        return wait

    def _lenient(self, name: str, rule: Rule, now: float) -> float:
        scope = self.scopes.setdefault(name, Scope(tokens=rule.most, filled_at=now))
        rate = rule.most / rule.seconds
        scope.tokens = min(rule.most, scope.tokens + (now - scope.filled_at) * rate)
        scope.filled_at = now
        return 0.0 if scope.tokens >= 1 else (1 - scope.tokens) / rate

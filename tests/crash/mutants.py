"""The program broken on purpose, one promise at a time. A harness that lets one of these live is worthless.

``tests.crash.bot`` changes itself before the first fork, by the name in HONGZHU_MUTANT; nothing else ever reads it.
``caught_by``: the kinds of violations that count; another kind would be an accident.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SLOW_DISK = 0.01  # seconds that a commit may well take


@dataclass(frozen=True)
class Mutant:
    says: str
    change: Callable[[], None]
    caught_by: frozenset[str]


def confirm_before_commit() -> None:
    """What arrived is confirmed with the next poll, whether it is durable or not: what a common library does."""
    from bot.channels.telegram.polling import Polling

    async def take(self: Any, batch: Any) -> None:
        from bot.channels.telegram.parse import number_of

        for raw in batch:
            number = number_of(raw)
            if number is not None and number not in self._open:
                self._begin(number, raw)
        self.hearing.received()

    def settle(self: Any) -> tuple[int | None, bool]:
        return max(self._open, default=-2) + 1 or None, True

    Polling._take, Polling._settle = take, settle  # type: ignore[method-assign]


def confirm_mail_before_commit() -> None:
    """The application's callback is answered with 200 as soon as it is read."""
    from bot.channels.wecom.callback import Callback

    async def eager(self: Any, mail: Any) -> tuple[int, bytes]:
        incoming = self._incoming(mail)
        if incoming is not None and self._hearing is not None and self._hearing.hear is not None:
            self._begin(incoming)
        return 200, b""

    Callback._hear = eager  # type: ignore[method-assign]


def answer_before_commit() -> None:
    from bot.engine.desk import Desk

    together = Desk._together

    def early(self: Any, db: Any, batch: Any) -> None:
        together(self, db, batch)
        self._release(batch)
        time.sleep(SLOW_DISK)

    Desk._together = early  # type: ignore[method-assign]


def hear_twice() -> None:
    """No look at what was heard, and no key that would refuse it."""
    from storage import inbox
    from storage.dialect import upsert

    def note(db: Any, event: str, now: Any) -> None:
        db.later(upsert(db, inbox.inbox, ("id",)), {"id": event, "day": now})

    inbox.heard = lambda db, event: False  # type: ignore[assignment]
    inbox.note = note


def mark_before_send() -> None:
    """At most once: the parcel is marked as sent, then it is sent."""
    from bot.engine.postman import Postman
    from storage import outbox

    deliver = Postman._deliver

    async def early(self: Any, lane: Any, parcel: Any) -> None:
        await self.desk.do(lambda db: outbox.sent(db, parcel.seq, "0"))
        await deliver(self, lane, parcel)

    Postman._deliver = early  # type: ignore[method-assign]


def effect_without_outbox() -> None:
    """The effect is committed, what must be said about it only afterwards."""
    from bot.engine import effects, pipeline

    keep = effects.keep
    waiting: list[Any] = []

    def later(ctx: Any, cause: str, *, urgent: bool) -> None:
        waiting.append((list(ctx.effects), cause, urgent))
        ctx.effects.clear()

    def hear(self: Any, db: Any, event: Any) -> Any:
        for told, cause, urgent in waiting:
            ctx = self._context(db, event)
            ctx.effects.extend(told)
            keep(ctx, cause, urgent=urgent)
        waiting.clear()
        return original(self, db, event)

    original = pipeline.Pipeline.hear
    pipeline.effects.keep = later  # type: ignore[assignment]
    pipeline.Pipeline.hear = hear  # type: ignore[method-assign]


def claim_apart() -> None:
    """An appointment is struck out in one transaction and kept in the next."""
    from bot.engine.pipeline import Pipeline
    from scheduler.clock import Clock
    from storage import diary

    keep, kept = Clock._keep, Pipeline.keep_appointment

    async def apart(self: Any, appointment: Any) -> None:
        await self.desk.do(lambda db: diary_claim(db, appointment))
        await keep(self, appointment)

    diary_claim = diary.claim

    def no_claim(self: Any, db: Any, appointment: Any) -> bool:
        diary.claim = lambda db, appointment: True  # type: ignore[assignment]
        try:
            return kept(self, db, appointment)
        finally:
            diary.claim = diary_claim

    Clock._keep = apart  # type: ignore[method-assign]
    Pipeline.keep_appointment = no_claim  # type: ignore[method-assign]


def write_without_undo() -> None:
    """A refusal after a write keeps the write."""
    from storage.base import Db

    Db.back = lambda self, mark: True  # type: ignore[method-assign]


def flush_less() -> None:
    """``synchronous=NORMAL``, and nobody looks at the start: no flush between a commit and its answer."""
    _instead_of("PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL")
    _trusting()


def weak_settings() -> None:
    """The same, but the look at the start is still there."""
    _instead_of("PRAGMA synchronous=FULL", "PRAGMA synchronous=NORMAL")


def plain_begin() -> None:
    """A transaction that takes the write lock only with its first write."""
    from storage import engine

    made = engine._engine
    engine._engine = lambda url, sqlite, begin, **more: made(url, sqlite, "BEGIN", **more)


def no_fence() -> None:
    """Nobody looks whether the school is still ours."""
    from storage import ownership

    epoch = ownership.epoch

    class Ours(int):
        """Any epoch is ours."""

        def __ne__(self, other: object) -> bool:
            return False

    ownership.epoch = ownership.hold = lambda db: Ours(epoch(db))


def _instead_of(statement: str, other: str) -> None:
    from storage import engine

    made = engine._engine

    def weak(url: str, sqlite: bool, begin: str, **more: Any) -> Any:
        from sqlalchemy import event

        weakened = made(url, sqlite, begin, **more)
        event.listen(weakened, "connect", lambda dbapi, _record: dbapi.execute(other))
        return weakened

    assert statement != other
    engine._engine = weak


def _trusting() -> None:
    from storage.engine import Shelves

    Shelves.check_durable = lambda self: None  # type: ignore[method-assign]


def _mutant(change: Callable[[], None], *caught_by: str) -> Mutant:
    return Mutant((change.__doc__ or change.__name__).split("\n")[0], change, frozenset(caught_by))


KILLED = {
    "confirm before commit": _mutant(confirm_before_commit, "confirmed", "lost"),
    # What is answered is confirmed next: which of the two is seen first is chance.
    "answer before commit": _mutant(answer_before_commit, "answered", "confirmed"),
    "no unique key": _mutant(hear_twice, "once"),
    "mark before send": _mutant(mark_before_send, "arrives"),
    "effect without outbox": _mutant(effect_without_outbox, "arrives"),
    "claim apart": _mutant(claim_apart, "once"),
    "write without undo": _mutant(write_without_undo, "once"),
}
"""Caught by kills."""

OTHERS = {
    "synchronous normal": _mutant(flush_less, "flush"),
    "weak settings": _mutant(weak_settings, "refusal"),
    "plain begin": _mutant(plain_begin, "busy"),
    "no fence": _mutant(no_fence, "fence"),
}
"""Caught by a test of their own."""

WECOM = {
    "wecom: confirm before commit": _mutant(confirm_mail_before_commit, "confirmed"),
    "wecom: answer before commit": _mutant(answer_before_commit, "answered", "confirmed"),
    "wecom: no dedupe": _mutant(hear_twice, "once"),
}
"""Caught by kills on 企业微信."""

ALL = KILLED | OTHERS | WECOM

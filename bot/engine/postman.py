"""Outbox -> channels: order per conversation, limits, retry, coalesced redraws, quiet hours.

The rows are the truth; what is in memory is only what to do next. A crash between the platform's yes and our mark sends
one message twice, never none. A redraw is not a row but a wish: ``copies.wanted > copies.shown``; the face is drawn
from the rows as they are when the edit leaves, so a storm of answers becomes one edit.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.engine.asking import PickChoice
from bot.engine.crashpoint import cp
from bot.engine.desk import Desk, NotOwner
from bot.engine.lanes import Lane, Meter, lane_for
from bot.engine.port import Channel, Content, DeliveryFailed, Document, Unavailable
from bot.engine.router import Router
from bot.kit.card import Button, Card
from bot.kit.context import School, View
from bot.kit.event import Place
from bot.kit.words import speaking
from storage import files, outbox, ownership, people
from storage.base import Db
from storage.outbox import Copy, Parcel

log = structlog.get_logger()

STALE_RECEIPT = timedelta(hours=12)
MAX_TRIES = 8
MOST = 1000  # parcels that one look takes out of the box
PLENTY = 1000  # parcels that wait for a channel's windows: more of them are not taken into memory
UNSURE_TRIES = 2  # a group may have got it although the answer was lost: once more, with the same serial, and no more
UNSURE_PAUSE = 60.0  # seconds before that
FACES = 5000
LANDING = 3.0  # seconds that a stop waits for sends under way
LOOK_AGAIN = 30.0  # seconds: the longest we sleep, should a wake-up ever be lost
LOOK_EVERY = 0.025  # seconds between two looks into the box: the first is at once, a storm of commits is one more
STORM, STORM_PAUSE = 50, 0.1  # so many parcels in one look wait for the windows anyway: the next look may be later


class Postman:
    """``run`` delivers until it is cancelled; ``wake`` may be called from any thread after a commit."""

    def __init__(
        self,
        desk: Desk,
        router: Router,
        school: School,
        channels: Mapping[str, Channel],
        now: Callable[[], datetime],
        undelivered: Callable[[Db, Parcel, str], None] = lambda db, parcel, why: None,
    ) -> None:
        self.desk = desk
        self.router = router
        self.school = school
        self.channels = channels
        self.now = now
        self.undelivered = undelivered
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._overall = {name: Meter(channel.limits.overall) for name, channel in channels.items()}
        self._still = [name for name, channel in channels.items() if not channel.limits.edits]
        self._held = dict.fromkeys(channels, 0.0)
        self._flying = dict.fromkeys(channels, 0)
        self._after = dict.fromkeys(channels, 0)  # what was taken out of the box, by channel
        self._later: list[tuple[datetime, int, Parcel]] = []
        self._touched: dict[str, int] = {}
        self._faces: dict[tuple[str, str, str, str], Card | None] = {}
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fresh = True
        self._look_at = 0.0  # monotonic: not into the box before this
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()

    def wake(self, notes: frozenset[str]) -> None:
        """Called in the desk's thread, right after a commit, with what was written."""
        for note in notes:
            if note.startswith(("card:", "final:")):
                self._touched[note] = self._touched.get(note, 0) + 1
        if self._fresh or self._loop is None:
            return  # it will look anyway
        if any(note == "outbox" or note.startswith("card:") for note in notes):
            self._fresh = True
            self._idle_clear_soon()

    def _idle_clear_soon(self) -> None:
        assert self._loop is not None  # noqa: S101
        try:
            self._loop.call_soon_threadsafe(self._nudge)
        except RuntimeError:
            return

    def _nudge(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                self._wake.clear()
                pause = self._look_at - time.monotonic()
                if self._fresh and pause <= 0:
                    self._fresh = False
                    pause = STORM_PAUSE if await self._load() >= STORM else LOOK_EVERY
                    self._look_at = time.monotonic() + pause
                delay = self._dispatch()
                if not (self._fresh or self._tasks or self._waiting()):
                    self._idle.set()
                if self._fresh:
                    delay = pause if delay is None else min(delay, pause)
                await self._sleep(delay)
        finally:
            await self._land()

    async def _land(self) -> None:
        """What is on its way is marked as sent, lest it go out once more; what hangs is let go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LANDING)
        for task in self._tasks:
            task.cancel()

    async def idle(self) -> None:
        """Returns when nothing that is due is left to send."""
        self._fresh, self._look_at = True, 0.0
        self._nudge()
        await self._idle.wait()

    def next_due(self) -> datetime | None:
        """When the next parcel that waits for its time may leave."""
        return self._later[0][0] if self._later else None

    async def _sleep(self, delay: float | None) -> None:
        try:
            async with asyncio.timeout(min(delay if delay is not None else LOOK_AGAIN, LOOK_AGAIN)):
                await self._wake.wait()
        except TimeoutError:
            self._fresh = self._fresh or delay is None or delay >= LOOK_AGAIN

    # --- what there is to do ----------------------------------------------------------------------------------

    async def _load(self) -> int:
        """Takes in what is new, but for channels with plenty to send already; how many parcels were found."""
        wanted = {channel: after for channel, after in self._after.items() if self.backlog(channel) < PLENTY}
        newest, found, copies = await asyncio.to_thread(self._read, wanted)
        for channel, parcels in found.items():
            whole = len(parcels) < MOST
            last = parcels[-1].seq if parcels else 0
            self._after[channel] = max(newest, last) if whole else last
            self._fresh = self._fresh or not whole
            for parcel in parcels:
                self._sort_in(parcel)
        self._fresh = self._fresh or len(wanted) < len(self._after)
        for copy in copies:
            lane = self._lane(copy.channel, copy.place, copy.private)
            if lane is not None:
                lane.stale[copy.card, copy.ref] = copy
        return STORM if len(wanted) < len(self._after) else sum(map(len, found.values()))

    def backlog(self, channel: str) -> int:
        """Parcels in memory that wait for the channel's windows."""
        return sum(len(lane.parcels) for lane in self._lanes.values() if lane.channel == channel)

    def _read(self, wanted: Mapping[str, int]) -> tuple[int, Mapping[str, Sequence[Parcel]], Sequence[Copy]]:
        with self.desk.shelves.reading() as db:
            newest = outbox.newest(db)
            found = {channel: outbox.queued(db, channel, after, MOST) for channel, after in wanted.items()}
            return newest, found, outbox.stale(db, self._still)

    def _sort_in(self, parcel: Parcel) -> None:
        due = parcel.due_at
        if parcel.gentle:
            due = max(due, self.school.quiet.next_allowed(max(due, self.now()), self.school.zone))
        if due > self.now():
            heapq.heappush(self._later, (due, parcel.seq, parcel))
            return
        lane = self._lane(parcel.channel, parcel.place, parcel.private)
        if lane is not None:
            lane.parcels.append(parcel)

    def _lane(self, channel: str, place: str, private: bool) -> Lane | None:
        if channel not in self.channels:
            return None  # a channel that is switched off: its rows wait until it is on again
        if (channel, place) not in self._lanes:
            self._lanes[channel, place] = lane_for(self.channels[channel].limits, channel, place, private)
        return self._lanes[channel, place]

    def _ripen(self) -> float | None:
        """Moves what has become due into its lane; seconds until the next does."""
        now = self.now()
        while self._later and self._later[0][0] <= now:
            self._sort_in(heapq.heappop(self._later)[2])
            if self._later and self._later[0][0] > now:
                break
        return (self._later[0][0] - now).total_seconds() if self._later else None

    # --- what may leave now -----------------------------------------------------------------------------------

    def _dispatch(self) -> float | None:
        """Starts every send that may start; seconds until the next may, ``None`` if nothing waits."""
        later = self._ripen()
        now = time.monotonic()
        soonest = _INF
        for lane in sorted(self._waiting(), key=_rank):
            soonest = min(soonest, self._try(lane, now))
        delays = [delay for delay in (later, soonest) if delay is not None and delay < _INF]
        return max(min(delays), 0.001) if delays else None

    def _waiting(self) -> list[Lane]:
        return [lane for lane in self._lanes.values() if not lane.busy and (lane.parcels or lane.stale)]

    def _try(self, lane: Lane, now: float) -> float:
        limits = self.channels[lane.channel].limits
        if self._flying[lane.channel] >= limits.parallel:
            return _INF
        wait = max(lane.wait(now), self._overall[lane.channel].wait(now), self._held[lane.channel] - now)
        if not lane.parcels:
            wait = max(wait, lane.edited + limits.edit_seconds - now)
        if wait > 0:
            return wait
        work = (
            self._deliver(lane, lane.parcels[0])
            if lane.parcels
            else self._refresh(lane, next(iter(lane.stale.values())))
        )
        lane.busy = True
        lane.reserved = True
        for meter in self._meters(lane):
            meter.start()  # now, not when the call begins: drawing takes a moment, in which others look at the windows
        self._flying[lane.channel] += 1
        task = asyncio.get_running_loop().create_task(self._guard(lane, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return _INF

    async def _guard(self, lane: Lane, work: Any) -> None:
        try:
            await work
        except (Unavailable, OSError) as error:
            log.warning("postman.unavailable", error=type(error).__name__)
            lane.hold = time.monotonic() + 1.0
        except Exception:
            log.exception("postman.bug", channel=lane.channel)
            lane.hold = time.monotonic() + 5.0
        finally:
            if lane.reserved:
                lane.reserved = False
                for meter in self._meters(lane):
                    meter.drop()
            lane.busy = False
            self._flying[lane.channel] -= 1
            asyncio.get_running_loop().call_soon(self._wake.set)

    # --- one parcel -------------------------------------------------------------------------------------------

    async def _deliver(self, lane: Lane, parcel: Parcel) -> None:
        if parcel.receipt and self.now() - parcel.made_at > STALE_RECEIPT:
            log.info("postman.stale_receipt_dropped", seq=parcel.seq)
            return await self._bury(lane, parcel, "stale")
        touched = self._wishes(parcel.card)
        content = await asyncio.to_thread(self._content, parcel)
        if content is None:
            return await self._bury(lane, parcel, "nothing to show")
        cp("postman.leaving")
        try:
            refs = await self._counted(lane, self.channels[lane.channel].send(_place(lane), content))
        except DeliveryFailed as failure:
            return await self._failed(lane, parcel, failure)
        cp("postman.sent")
        await self.desk.do(lambda db: self._mark_sent(db, parcel, refs, touched))
        cp("postman.marked")
        lane.parcels.popleft()
        if parcel.card is not None and isinstance(content, Card) and refs:
            self._remember((parcel.card, lane.channel, lane.place, refs[-1]), content)

    def _wishes(self, card: str | None) -> tuple[int, int]:
        """How often this card was to be shown anew, and for the last time."""
        return self._touched.get(f"card:{card}", 0), self._touched.get(f"final:{card}", 0)

    def _mark_sent(self, db: Db, parcel: Parcel, refs: Sequence[str], touched: tuple[int, int]) -> None:
        ref = refs[-1] if refs else ""
        outbox.sent(db, parcel.seq, ref)
        if parcel.card is not None and ref:
            # Touched by an earlier batch since it was drawn, or by this very one, whose ``wake`` is still to come.
            # The last state counts apart: where nothing but that is ever shown, it would never come.
            now = self._wishes(parcel.card)
            behind = int(now[0] != touched[0] or f"card:{parcel.card}" in db.notes)
            final = now[1] != touched[1] or f"final:{parcel.card}" in db.notes
            outbox.add_copy(db, Copy(parcel.card, parcel.channel, parcel.place, ref, parcel.private, behind, 0, final))
            if behind:
                db.notes.add(f"card:{parcel.card}")

    @contextmanager
    def _ours(self) -> Iterator[Db]:
        """The rows, while the school is ours: who lost it in their sleep must not say another word."""
        with self.desk.shelves.reading() as db:
            if ownership.epoch(db) != self.desk.epoch:
                self.desk.lost()
                raise NotOwner
            yield db

    def _content(self, parcel: Parcel) -> Content | None:
        with self._ours() as db:
            match parcel.kind:
                case "card":
                    return self._draw(db, parcel.card or "")
                case "file":
                    file = files.get(db, parcel.file or 0)
                    return Document(file.name, file.mime, file.content) if file else None
                case _ if parcel.choices:
                    return _with_choices(parcel.body or "", parcel.choices)
                case _:
                    return parcel.body or None

    def _draw(self, db: Db, key: str) -> Card | None:
        with speaking(self.school.language):
            return self.router.draw(View(db, self.now(), self.school), key)

    async def _counted(self, lane: Lane, sending: Any) -> Any:
        """Makes the call for which ``_try`` reserved a place in the windows."""
        try:
            return await sending
        finally:
            lane.reserved = False
            for meter in self._meters(lane):
                meter.end(time.monotonic())

    def _meters(self, lane: Lane) -> tuple[Meter, Meter]:
        return lane.meter, self._overall[lane.channel]

    async def _failed(self, lane: Lane, parcel: Parcel, failure: DeliveryFailed) -> None:
        log.warning("postman.failed", seq=parcel.seq, channel=lane.channel, error=failure.reason[:80])
        if failure.moved:
            return await self._moved(lane, failure.moved)
        if failure.retry_after is not None:
            return self._hold(lane, failure)
        if failure.rejected:
            return await self._bury(lane, parcel, failure.reason)
        most = UNSURE_TRIES if failure.unknown and not parcel.private else MAX_TRIES
        if failure.permanent or parcel.tries + 1 >= most:
            await self.desk.do(lambda db: self._close(db, parcel, failure))
            lane.parcels.popleft()
            return
        await self.desk.do(lambda db: outbox.failed(db, parcel.seq, failure.reason, dead=False))
        lane.parcels[0] = _tried(parcel)
        pause = UNSURE_PAUSE if failure.unknown and not parcel.private else min(2.0**parcel.tries, 300.0)
        lane.hold = time.monotonic() + pause

    def _hold(self, lane: Lane, failure: DeliveryFailed) -> None:
        until = time.monotonic() + (failure.retry_after or 1.0) + 0.05
        if failure.everywhere:
            self._held[lane.channel] = until
        lane.hold = until

    def _close(self, db: Db, parcel: Parcel, failure: DeliveryFailed) -> None:
        outbox.failed(db, parcel.seq, failure.reason, dead=True)
        if failure.permanent and parcel.private:
            people.close_talk(db, parcel.channel, parcel.place)
        elif failure.permanent:
            people.close_group(db, parcel.channel, parcel.place)
        self.undelivered(db, parcel, failure.reason)

    async def _bury(self, lane: Lane, parcel: Parcel, why: str) -> None:
        await self.desk.do(lambda db: outbox.failed(db, parcel.seq, why, dead=True))
        lane.parcels.popleft()

    async def _moved(self, lane: Lane, to: str) -> None:
        def move(db: Db) -> None:
            people.move_group(db, lane.channel, lane.place, to)
            outbox.move(db, lane.channel, lane.place, to)

        await self.desk.do(move)
        old = self._lanes.pop((lane.channel, lane.place))
        new = self._lane(lane.channel, to, lane.private)
        if new is not None:
            new.parcels.extendleft(reversed(old.parcels))
        old.parcels.clear()
        old.stale.clear()

    # --- one redraw -------------------------------------------------------------------------------------------

    async def _refresh(self, lane: Lane, copy: Copy) -> None:
        lane.stale.pop((copy.card, copy.ref), None)
        now, card = await asyncio.to_thread(self._face, copy)
        if now is None or now.wanted <= now.shown:
            return
        if now.ref.startswith(outbox.LEFT_BEHIND):
            return await self.desk.do(lambda db: self._anew(db, now))
        face = (copy.card, lane.channel, lane.place, copy.ref)
        if card is not None and self._faces.get(face) != card:
            cp("postman.editing")
            try:
                await self._edit(lane, now, card)
            except DeliveryFailed as failure:
                return await self._edit_failed(lane, now, failure)
            self._remember(face, card)
        cp("postman.edited")
        await self.desk.do(lambda db: outbox.shown(db, now))
        cp("postman.shown")
        if now.final:
            self._faces.pop(face, None)

    async def _edit(self, lane: Lane, copy: Copy, card: Card) -> None:
        channel = self.channels[lane.channel]
        await self._counted(lane, channel.edit(_place(lane), copy.ref, card, final=copy.final))
        lane.edited = time.monotonic()

    def _remember(self, face: tuple[str, str, str, str], card: Card) -> None:
        """What a message shows, so that an edit that would change nothing is not made; forgotten, it is made."""
        self._faces[face] = card
        while len(self._faces) > FACES:
            self._faces.pop(next(iter(self._faces)))

    def _face(self, copy: Copy) -> tuple[Copy | None, Card | None]:
        with self._ours() as db:
            now = outbox.again(db, copy)
            return now, self._draw(db, copy.card) if now else None

    async def _edit_failed(self, lane: Lane, copy: Copy, failure: DeliveryFailed) -> None:
        tell = log.info if failure.gone else log.warning
        tell("postman.edit_failed", card=copy.card, channel=lane.channel, error=failure.reason[:80])
        if failure.moved:
            return await self._moved(lane, failure.moved)
        if failure.gone or failure.permanent or failure.rejected:
            await self.desk.do(lambda db: self._anew(db, copy) if copy.final else outbox.shown(db, copy))
            return
        lane.stale[copy.card, copy.ref] = copy
        if failure.retry_after is not None:
            return self._hold(lane, failure)
        lane.hold = time.monotonic() + 2.0

    def _anew(self, db: Db, copy: Copy) -> None:
        """A card that can no longer be changed there: its last state is a message of its own; others are let go."""
        outbox.drop_copy(db, copy)
        now = self.now()
        facts = {"channel": copy.channel, "place": copy.place, "private": copy.private, "kind": "card", "gentle": True}
        key = f"{copy.card}#anew:{copy.ref}>{copy.channel}:{copy.place}"
        outbox.put(db, [{**facts, "card": copy.card, "key": key, "made_at": now, "due_at": now}])


_INF = float("inf")


def _rank(lane: Lane) -> tuple[int, int]:
    """Who waits for an answer goes first, then by age; redraws last, for they only tidy up."""
    if not lane.parcels:
        return 2, 0
    return (0 if lane.parcels[0].urgent else 1), lane.parcels[0].seq


def _place(lane: Lane) -> Place:
    return Place(lane.channel, lane.place, lane.private)


def _tried(parcel: Parcel) -> Parcel:
    return Parcel(**{name: getattr(parcel, name) for name in Parcel.__slots__} | {"tries": parcel.tries + 1})


def _with_choices(text: str, choices: str) -> Card:
    """A question with suggested answers: a card without a name, whose buttons say what could be typed."""
    tag, *labels = choices.split("\n")
    buttons = [Button(label, PickChoice(tag, number)) for number, label in enumerate(labels)]
    return Card("", text, (), buttons)

"""The road of one callback: parsed → file fetched → heard (durable) → answered, a click within its five seconds.

The platform brings a click once and a message perhaps twice; nothing is ever acknowledged. So what we have taken is
ours to keep: it is tried again until our shelves take it, one sender's after the other.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from bot.channels import clean
from bot.channels.choices import Choices
from bot.channels.wecom.clicks import receipt
from bot.channels.wecom.media import Files, NotFetched
from bot.channels.wecom.parse import Attached, Incoming, Me, parse
from bot.engine.crashpoint import cp
from bot.engine.port import Answer, Hear, Unavailable
from bot.kit.event import Event, Said, Tapped, Upload
from bot.kit.words import _, speaking

log = structlog.get_logger()

KEPT_TRYING = 300.0  # seconds for which what we have taken is offered to our own shelves
CLICK_TRYING = 60.0  # and a click: much later it would not be what they meant any more
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
ELSEWHERE = "elsewhere"  # what quotes somebody else's words is not said to nobody in particular
TRIES = 3  # of a callback that fails by a bug, or of a file that will not come
KNOWN = 4096
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """``max_upload`` in bytes."""

    max_upload: int = 10 << 20
    language: str = "zh_CN"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Mouth(Protocol):
    """What the hearing asks of the mouth."""

    async def kept(self, incoming: Incoming, answer: Answer | None) -> None:
        """It is durable, or (``ok`` false) nothing was; ``None``: there was nothing to hear."""
        ...

    async def clicked(self, incoming: Incoming, answer: Answer | None, begun: float) -> None:
        """Answers a click that came in at ``begun``; ``None``: nothing was heard, the card is only shown anew."""
        ...

    async def passing(self, incoming: Incoming, sentence: str) -> None:
        """A word to whoever spoke, never in front of the others and never kept."""
        ...

    def opened(self, incoming: Incoming) -> None:
        """A way to answer is open for a while."""
        ...

    def quoted(self, incoming: Incoming) -> str | None:
        """Which message of ours was answered."""
        ...


class Hearing:
    """``hear`` is set by ``listen``; ``take`` is what the client calls with every callback."""

    def __init__(self, me: Me, files: Files, choices: Choices, mouth: Mouth, rules: Rules) -> None:
        self.me = me
        self.files = files
        self.choices = choices
        self.mouth = mouth
        self.rules = rules
        self.hear: Hear | None = None
        self.last_heard: datetime | None = None
        self._known: OrderedDict[str, None] = OrderedDict()
        self._chains: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, frame: Json) -> None:
        """Never raises: one callback is lost, not the connection."""
        try:
            incoming = parse(frame, self.me, self.rules.now())
        except Exception as error:
            log.error("wecom.parse_bug", error=type(error).__name__)
            return
        self.last_heard = self.rules.now()
        if incoming is not None:
            self.taken(incoming)

    def taken(self, incoming: Incoming, begun: float | None = None) -> asyncio.Task[None] | None:
        """Hears it behind what the same person said before; ``None``: we have it already."""
        if incoming.event.id in self._known:
            log.info("wecom.came_twice", kind=incoming.kind)
            return None
        self._known[incoming.event.id] = None
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        self.mouth.opened(incoming)
        sender = incoming.event.sender.id
        begun = time.monotonic() if begun is None else begun
        task = self.later(self._follow(self._chains.get(sender), incoming, begun))
        self._chains[sender] = task
        task.add_done_callback(lambda done: self._unchain(sender, done))
        return task

    def _unchain(self, sender: str, done: asyncio.Task[None]) -> None:
        if self._chains.get(sender) is done:
            del self._chains[sender]

    async def _follow(self, before: asyncio.Task[None] | None, incoming: Incoming, begun: float) -> None:
        if before is not None and not before.done():
            await asyncio.wait([before])
        if incoming.click is not None and not _is_meant(incoming):
            await self.mouth.kept(incoming, None)
            return await self.mouth.clicked(incoming, None, begun)
        event, answer = await self._insist(incoming)
        cp("wecom.committed")
        await self.mouth.kept(incoming, answer)
        if incoming.click is not None:
            await self.mouth.clicked(incoming, answer, begun)
        elif answer.toast and (event.place.private or isinstance(event, Tapped) or not answer.ok):
            await self.mouth.passing(incoming, self._receipt(answer))
        cp("wecom.answered")

    def _receipt(self, answer: Answer) -> str:
        with speaking(self.rules.language):
            return receipt(answer)

    # --- until it is kept -------------------------------------------------------------------------------------

    async def _insist(self, incoming: Incoming) -> tuple[Event, Answer]:
        """Durable when this returns; or nothing was kept, and the answer says so."""
        until = time.monotonic() + (CLICK_TRYING if incoming.click else KEPT_TRYING)
        pause, bugs = FIRST_PAUSE, 0
        while True:
            try:
                return await self._heard(incoming)
            except Unavailable:
                pass
            except Exception as error:
                bugs += 1
                log.error("wecom.update_failed", error=type(error).__name__, given_up=bugs >= TRIES)
            if bugs >= TRIES or time.monotonic() + pause > until:
                self._known.pop(incoming.event.id, None)
                return incoming.event, self._not_kept()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _not_kept(self) -> Answer:
        with speaking(self.rules.language):
            return Answer(toast=_("没有记上，请过一会儿再试一次。"), alert=True, ok=False)

    async def _heard(self, incoming: Incoming) -> tuple[Event, Answer]:
        assert self.hear is not None  # noqa: S101 listen has set it
        event: Event = incoming.event
        if isinstance(event, Attached):
            fetched = await self._fetched(event)
            if isinstance(fetched, str):
                return event, Answer(toast=fetched, ok=False)
            event = fetched
        elif isinstance(event, Said):
            quoted = self.mouth.quoted(incoming) or (ELSEWHERE if incoming.quoted else None)
            event = await self._numbered(replace(event, quotes=quoted))
        return event, await self.hear(event)

    async def _numbered(self, said: Said) -> Event:
        """A number that stands for a button of a card with too many of them is a tap."""
        chosen = await self.choices.chosen(said.place, said.text) if len(said.text) <= 24 else None
        if chosen is None:
            return said
        return Tapped(said.id, said.at, said.sender, said.place, chosen[0], chosen[1] or None)

    async def _fetched(self, attached: Attached) -> Said | str:
        """The file; or the sentence that says why not."""
        assert attached.file is not None  # noqa: S101 parse made it with one
        a, most = attached, self.rules.max_upload
        for attempt in range(TRIES):
            try:
                name, content = await self.files.fetch(attached.file, most)
                break
            except NotFetched as failure:
                if not failure.passing or attempt == TRIES - 1:
                    return self._why_not(failure, most)
                await asyncio.sleep(0.5 * 2**attempt)
        upload = Upload(clean.line(name)[:160] or "file", content)
        return Said(a.id, a.at, a.sender, a.place, a.text, None, upload)

    def _why_not(self, failure: NotFetched, most: int) -> str:
        log.warning("wecom.file_not_fetched", why=str(failure))
        with speaking(self.rules.language):
            if failure.too_large:
                return _("文件太大了，最多 {n} MB。请压缩或拆开后再发。", n=f"{most / (1 << 20):g}")
            return _("这个文件没有取到，请再发一次。")

    # --- tasks ------------------------------------------------------------------------------------------------

    def later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _guarded(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            log.error("wecom.answer_failed", error=type(error).__name__)

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    async def close(self) -> None:
        """What we have taken is heard out, within reason: nobody brings it again."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=5.0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _is_meant(incoming: Incoming) -> bool:
    """A vote without a choice, two choices where one is meant, or a card that is over: nothing to hear."""
    tapped, click = incoming.event, incoming.click
    assert isinstance(tapped, Tapped) and click is not None  # noqa: S101 parse pairs them
    return bool(tapped.token) and click.chosen <= 1

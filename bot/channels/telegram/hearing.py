"""The road of one update, the same for polling and webhook: parsed → file fetched → heard (durable) → answered."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.channels import clean
from bot.channels.choices import Choices
from bot.channels.graphemes import units
from bot.channels.telegram import render
from bot.channels.telegram.client import Client, Trouble
from bot.channels.telegram.parse import KINDS, Attached, Me, number_of, parse, query_of
from bot.engine.crashpoint import cp
from bot.engine.port import Answer, Hear
from bot.kit.event import Event, Joined, Place, Said, Tapped, Upload
from bot.kit.words import _, speaking

log = structlog.get_logger()

LARGEST_FILE = 20 << 20  # bytes: what the Bot API hands out
TRIES = 3  # of an update that fails by itself, before it is let go
AGAIN = 60.0  # seconds: Telegram tells of one arrival twice, by my_chat_member and by a message
SECOND_THOUGHT = 0.5
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rules:
    """``max_upload`` in bytes; ``endings``: which files are worth fetching from a group, none given: all."""

    max_upload: int = 10 << 20
    endings: tuple[str, ...] = ()
    language: str = "zh_CN"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Hearing:
    """``hear`` is set by ``listen``; before that nothing can be heard."""

    def __init__(self, client: Client, me: Me, choices: Choices, rules: Rules) -> None:
        self.client = client
        self.me = me
        self.choices = choices
        self.rules = rules
        self.hear: Hear | None = None
        self.last_heard: datetime | None = None
        self.hears_groups: bool | None = None  # privacy mode is off; None: not asked yet
        self._failed: dict[int, int] = {}
        self._joined: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    async def who_am_i(self) -> None:
        told = await self.client.call("getMe")
        told = told if isinstance(told, dict) else {}
        username = told.get("username")
        if self.me.username is None and isinstance(username, str):
            self.me = Me(self.me.id, username)
        self.hears_groups = told.get("can_read_all_group_messages") is not False

    def received(self) -> None:
        self.last_heard = self.rules.now()
        cp("telegram.received")

    def parsed(self, raw: object) -> Sequence[Event]:
        try:
            return parse(raw, self.me, self.rules.now())
        except Exception as error:  # it never has; should it ever, one update is lost and not the loop
            log.error("telegram.parse_bug", error=type(error).__name__)
            return []

    async def heard(self, event: Event, raw: Json) -> Answer | None:
        """Durable when this returns; ``None``: there was nothing to hear."""
        assert self.hear is not None  # noqa: S101 listen has set it
        wanted: Event | None = event
        if isinstance(event, Attached):
            wanted = await self._fetched(event, raw)
        elif isinstance(event, Said):
            wanted = await self._numbered(event)
        elif isinstance(event, Joined) and self._is_second(event, raw):
            wanted = None
        if wanted is None:
            return None
        answer = await self.hear(wanted)
        cp("telegram.committed")
        if self._failed:
            self._failed.pop(number_of(raw) or 0, None)
        if isinstance(event, Joined):
            self._arrived(event, raw)
        return answer

    def gives_up(self, number: int, error: Exception) -> bool:
        """A bug, or a file that will not come: three times, then the update is let go, so that the others are heard."""
        self._failed[number] = self._failed.get(number, 0) + 1
        given_up = self._failed[number] >= TRIES
        log.error("telegram.update_failed", number=number, error=type(error).__name__, given_up=given_up)
        if given_up:
            del self._failed[number]
        return given_up

    # --- before it is heard -----------------------------------------------------------------------------------

    async def _numbered(self, said: Said) -> Event:
        """A number that stands for a button of a card with too many of them is a tap."""
        if said.edited or said.passed_on or len(said.text) > 24:
            return said
        chosen = await self.choices.chosen(said.place, said.text)
        if chosen is None:
            return said
        return Tapped(said.id, said.at, said.sender, said.place, chosen[0], chosen[1] or None)

    async def _fetched(self, attached: Attached, raw: Json) -> Said | None:
        """The words with their file; without it where it cannot be had, which is told, or nobody here could read it."""
        a, upload = attached, None
        if self._is_wanted(a):
            content = await self._downloaded(a, number_of(raw) or 0)
            if isinstance(content, str):
                self.later(self._tell(a, content))
            else:
                upload = Upload(_file_name(a), content)
        if upload is None and not a.text:
            return None
        return Said(a.id, a.at, a.sender, a.place, a.text, a.quotes, upload, passed_on=a.passed_on)

    def _is_wanted(self, attached: Attached) -> bool:
        if attached.place.private or not self.rules.endings:
            return True
        return _file_name(attached).lower().endswith(self.rules.endings)

    async def _downloaded(self, attached: Attached, number: int) -> bytes | str:
        """The file, or the sentence that says why not. Raises where another try may help."""
        most = min(self.rules.max_upload, LARGEST_FILE)
        content = None
        if attached.file is not None and attached.file.size <= most:
            try:
                content = await self.client.download(attached.file.id, most)
            except Trouble as trouble:
                if trouble.is_passing and self._failed.get(number, 0) + 1 < TRIES:
                    raise RuntimeError(f"file not fetched: {trouble.status}") from None
                with speaking(self.rules.language):
                    return _("这个文件没有取到，请再发一次。")
        if content is not None:
            return content
        with speaking(self.rules.language):
            return _("文件太大了，最多 {n} MB。请压缩或拆开后再发。", n=f"{most / (1 << 20):g}")

    async def _tell(self, said: Said, sentence: str) -> None:
        """A passing word to whoever spoke, never in front of the others."""
        await self.client.quietly("sendMessage", {"chat_id": int(said.sender.id), "text": sentence})

    # --- we came into a group ---------------------------------------------------------------------------------

    def _is_second(self, joined: Joined, raw: Json) -> bool:
        kind, at = self._joined.get(joined.place.id, ("", 0.0))
        return kind not in ("", _kind(raw)) and time.monotonic() - at < AGAIN

    def _arrived(self, joined: Joined, raw: Json) -> None:
        self._joined[joined.place.id] = (_kind(raw), time.monotonic())
        while len(self._joined) > 1000:
            self._joined.popitem(last=False)
        if not joined.place.private:
            self.later(self._test_ears(joined.place))

    async def _test_ears(self, place: Place) -> None:
        """A group learns at once that we cannot hear it. An administrator hears everything."""
        try:
            await self.who_am_i()
            if self.hears_groups:
                return
            member = await self.client.call("getChatMember", {"chat_id": int(place.id), "user_id": self.me.id})
        except Trouble as trouble:
            log.info("telegram.self_test_failed", status=trouble.status)
            return
        if not (isinstance(member, dict) and member.get("status") in ("administrator", "creator")):
            await self.client.quietly("sendMessage", {"chat_id": int(place.id), "text": self.deaf()}, SECOND_THOUGHT)

    def deaf(self) -> str | None:
        """What to tell a group that we cannot hear."""
        if self.hears_groups is not False:
            return None
        with speaking(self.rules.language):
            return _(
                "我在这个群里只听得见 / 开头的话和对我的回复。要让我听见“收到”“请假”，请管理员在 @BotFather 里用 "
                "/setprivacy 选 Disable，再把我移出群、重新拉进来（或把我设为管理员）。"
            )

    # --- after it is heard ------------------------------------------------------------------------------------

    def call_for(self, event: Event, raw: Json, answer: Answer) -> Json | None:
        """The call that carries an answer: on the open callback, or a passing message in private. Never stored."""
        query = query_of(raw)
        if query is not None:
            if answer.toast and event.place.private and units(answer.toast) > render.MOST_TOAST:
                full = {"chat_id": int(event.place.id), **render.passing(answer)}
                self.later(self.client.quietly("sendMessage", full, SECOND_THOUGHT))
            return {"method": "answerCallbackQuery", "callback_query_id": query, **render.toast(answer)}
        if answer.toast and event.place.private and isinstance(event, Said):
            return {"method": "sendMessage", "chat_id": int(event.place.id), **render.passing(answer)}
        return None

    def answer(self, event: Event, raw: Json, answer: Answer) -> None:
        """Sends the answer on its way, without waiting for it."""
        call = self.call_for(event, raw, answer)
        if call is not None:
            self.later(self._out(call))

    async def _out(self, call: Json) -> None:
        await self.client.quietly(call.pop("method"), call, SECOND_THOUGHT)
        cp("telegram.answered")

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Lets the last words out."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=2.0)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _kind(raw: Json) -> str:
    return next((kind for kind in KINDS if kind in raw), "")


def _file_name(attached: Attached) -> str:
    return clean.line(attached.file.name if attached.file else "")[:160] or "file"

"""The Bot API behind a few verbs. What goes wrong comes out as ``Trouble``, or for the postman as ``DeliveryFailed``.

The token is in every address of the platform, so no exception of a library ever leaves here, not even as a cause.
python-telegram-bot and aiohttp are loaded with the first call: they take a third of a second.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from bot.engine.port import DeliveryFailed, Document
from bot.kit.event import Place
from bot.kit.words import N_, _

if TYPE_CHECKING:
    from bot.channels.telegram.transport import Transport

log = structlog.get_logger()

SEND_SECONDS = 20.0
FILE_SECONDS = 60.0
SLACK = 10.0  # seconds a long poll may take longer than it was asked to
LONGEST_HOLD = 30.0
LONGEST_SECOND_THOUGHT = 5.0  # a passing word that must wait longer is let go
DEAD_TOKEN_HOLD = 60.0

CLOSED = {
    # What Telegram says when an address will never work again, and what the office reads. 403 says so by itself.
    "bot was blocked by the user": N_("对方停用了机器人"),
    "user is deactivated": N_("对方的帐号已注销"),
    "bot can't initiate conversation with a user": N_("对方还没有私聊过机器人"),
    "bot can't send messages to bots": N_("对方是另一个机器人"),
    "bot was kicked from": N_("机器人被移出了群"),
    "bot is not a member of": N_("机器人不在群里"),
    "the group chat was deleted": N_("群已经解散"),
    "group chat was deactivated": N_("群已经停用"),
    "chat not found": N_("找不到这个会话，可能对方还没有私聊过机器人"),
    "user not found": N_("找不到这个人"),
    "peer_id_invalid": N_("找不到这个会话"),
    "input_user_deactivated": N_("对方的帐号已注销"),
    "not enough rights to send": N_("机器人在群里被禁言"),
    "have no rights to send": N_("机器人在群里被禁言"),
    "chat_write_forbidden": N_("机器人在群里被禁言"),
    "need administrator rights in the channel chat": N_("机器人不是频道的管理员"),
}
STYLES_REFUSED = ("can't parse entities", "entity", "entities")
GONE = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "message identifier is not specified",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)
SAME = "message is not modified"
LATE = ("query is too old", "query id is invalid", "query_id_invalid")


class Trouble(Exception):
    """A call did not succeed. ``status`` 0: no answer came; ``written`` then: the request may have arrived."""

    def __init__(
        self,
        status: int,
        description: str,
        *,
        retry_after: float | None = None,
        moved: int | None = None,
        written: bool = True,
    ) -> None:
        super().__init__(f"{status} {description[:120]}")
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.moved = moved
        self.written = written

    def says(self, *phrases: str) -> bool:
        said = self.description.lower()
        return any(phrase in said for phrase in phrases)

    @property
    def is_passing(self) -> bool:
        """The same call may well succeed later."""
        return self.status in (0, 429) or self.status >= 500

    @property
    def is_dead_token(self) -> bool:
        return self.status in (401, 404)


class Unreadable(Exception):
    """An answer whose JSON cannot be read; ``first`` is the number of the first update in it, as far as one can see."""

    def __init__(self, first: int | None) -> None:
        super().__init__("unreadable answer")
        self.first = first


class Client:
    """One bot's Bot API. Its ``repr`` and its exceptions never show the token."""

    def __init__(self, token: str, api_base: str) -> None:
        number = token.partition(":")[0]
        if not number.isascii() or not number.isdigit():
            raise ValueError("a Telegram token begins with the number of its bot")
        self.bot_id = int(number)
        self._token = token
        self._base = api_base.rstrip("/")
        self._transport: Transport | None = None
        self._loading = asyncio.Lock()
        self._weather = Weather()

    def __repr__(self) -> str:
        return f"<Client of bot {self.bot_id}>"

    async def call(self, method: str, params: dict[str, Any] | None = None, seconds: float = SEND_SECONDS) -> Any:
        """``Trouble`` for anything but success."""
        transport = self._transport or await self._load()
        given = params or {}
        try:
            result = await transport.call(method, given, seconds)
        except Trouble as trouble:
            self._weather.bad(trouble, f"{method} {given.get('chat_id', '')}")
            raise
        self._weather.good()
        return result

    async def updates(self, offset: int | None, seconds: int, kinds: Sequence[str], most: int = 100) -> list[Any]:
        """Raw updates, oldest first; ``offset`` confirms every one before it. ``Unreadable`` asks for fewer."""
        asked: dict[str, Any] = {"timeout": seconds, "limit": most, "allowed_updates": list(kinds)}
        if offset is not None:
            asked["offset"] = offset
        found = await self.call("getUpdates", asked, seconds + SLACK)
        return found if isinstance(found, list) else []

    async def download(self, file_id: str, most: int) -> bytes | None:
        """A file that somebody sent; ``None`` where it is larger than ``most`` bytes, or than Telegram hands out."""
        try:
            told = await self.call("getFile", {"file_id": file_id})
        except Trouble as trouble:
            if trouble.says("file is too big"):
                return None
            raise
        path = told.get("file_path") if isinstance(told, dict) else None
        if not isinstance(path, str):
            raise Trouble(0, "no file path")
        transport = self._transport or await self._load()
        return await transport.download(path, most, FILE_SECONDS)

    async def deliver(self, place: Place, method: str, params: dict[str, Any]) -> Any:
        """A call on behalf of a conversation: ``DeliveryFailed`` instead of ``Trouble``.

        Words before looks: what Telegram will not style goes out plain. An edit that changes nothing is a success.
        """
        try:
            return await self.call(method, params, FILE_SECONDS if _has_file(params) else SEND_SECONDS)
        except Trouble as trouble:
            if trouble.says(SAME):
                return None
            failure = self._weather.failure(trouble, place)
            is_looks = trouble.status == 400 and "entities" in params and trouble.says(*STYLES_REFUSED)
        if is_looks:
            log.warning("telegram.styles_refused", method=method)
            return await self.deliver(place, method, {key: v for key, v in params.items() if key != "entities"})
        raise failure

    async def quietly(self, method: str, params: dict[str, Any], again_after: float | None = None) -> None:
        """A call whose failure changes nothing: what was decided stays decided. At most one second try."""
        try:
            await self.call(method, params)
        except Unreadable:
            return
        except Trouble as trouble:
            if trouble.says(*LATE):
                return
            wait = trouble.retry_after or again_after or 0.0
            if again_after is not None and trouble.is_passing and wait <= LONGEST_SECOND_THOUGHT:
                await asyncio.sleep(wait)
                return await self.quietly(method, params)
            log.info("telegram.passing_word_lost", method=method, status=trouble.status)

    async def reset(self) -> None:
        """Drops every connection; the next call opens new ones."""
        if self._transport is not None:
            await self._transport.close()

    async def close(self) -> None:
        await self.reset()

    async def _load(self) -> Transport:
        async with self._loading:
            if self._transport is None:
                self._transport = await asyncio.to_thread(_open, self._token, self._base)
        return self._transport


class Weather:
    """What one call's trouble says about the others.

    Telegram does not say whether a 429 is for the conversation or for the whole bot. The first one holds its
    conversation; when another conversation is refused during that time, it is the bot. In the same way a 5xx on one
    conversation may be about its message (a try is counted); on two different calls with no success between them it is
    an outage, and then nothing is counted against anybody. Without any connection it is always an outage.
    """

    def __init__(self) -> None:
        self._full: dict[str, float] = {}  # conversation -> monotonic: until when it was refused
        self._broken: set[str] = set()
        self._failures = 0

    def good(self) -> None:
        self._broken.clear()
        self._failures = 0

    def bad(self, trouble: Trouble, what: str) -> None:
        if trouble.status == 0 or trouble.status >= 500:
            self._broken.add(what)
            self._failures += 1

    def failure(self, trouble: Trouble, place: Place) -> DeliveryFailed:
        """For the postman: what to do about it."""
        if trouble.moved is not None:
            return DeliveryFailed(_("群已升级，换了编号"), moved=str(trouble.moved))
        if trouble.status == 429:
            return self._refused(trouble, place)
        if trouble.status == 0 and not trouble.written:
            return DeliveryFailed(_("连不上 Telegram"), retry_after=self._pause(), everywhere=True)
        if trouble.status == 0 or trouble.status >= 500:
            outage = len(self._broken) > 1
            pause = self._pause() if outage else None
            return DeliveryFailed(_("Telegram 没有回音"), unknown=True, retry_after=pause, everywhere=outage)
        if trouble.is_dead_token:
            return DeliveryFailed(_("机器人令牌无效"), retry_after=DEAD_TOKEN_HOLD, everywhere=True)
        return _refusal(trouble)

    def _refused(self, trouble: Trouble, place: Place) -> DeliveryFailed:
        now = time.monotonic()
        self._full = {key: until for key, until in self._full.items() if until > now}
        everywhere = any(key != place.id for key in self._full)
        pause = trouble.retry_after or 1.0
        self._full[place.id] = now + pause
        return DeliveryFailed(_("发得太快"), retry_after=pause, everywhere=everywhere)

    def _pause(self) -> float:
        return float(min(LONGEST_HOLD, 2.0 ** min(self._failures - 1, 10) if self._failures > 0 else 1.0))


def _refusal(trouble: Trouble) -> DeliveryFailed:
    if trouble.says(*GONE):
        return DeliveryFailed(_("那条消息已经改不了了"), gone=True)
    for phrase, sentence in CLOSED.items():
        if trouble.says(phrase):
            return DeliveryFailed(_(sentence), permanent=True)
    reason = _("Telegram 拒绝了（{status}）：{why}", status=trouble.status, why=_own_words(trouble.description))
    return DeliveryFailed(reason, permanent=trouble.status == 403, rejected=trouble.status in (400, 413))


def _own_words(description: str) -> str:
    """Telegram's sentence, without what it may quote of ours."""
    return re.sub(r"'[^']*'|\"[^\"]*\"", "…", description)[:80]


def _has_file(params: dict[str, Any]) -> bool:
    return any(isinstance(value, Document) for value in params.values())


def _open(token: str, base: str) -> Transport:
    from bot.channels.telegram.transport import Transport

    return Transport(token, base)

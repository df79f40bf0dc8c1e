"""Telegram: ears that confirm only what is committed (polling or webhook), and a mouth."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from bot.channels import clean
from bot.channels.choices import Choices, Memory, spare
from bot.channels.telegram import render
from bot.channels.telegram.client import Client, Trouble
from bot.channels.telegram.hearing import Hearing, Rules
from bot.channels.telegram.parse import CHANNEL, KINDS, Me, number_of
from bot.channels.telegram.polling import Polling, token_is_wrong
from bot.engine.crashpoint import cp
from bot.engine.port import Content, DeliveryFailed, Hear, Limits, Unavailable, Window
from bot.kit.card import Card
from bot.kit.event import Place
from bot.kit.words import _, speaking

LIMITS = Limits(
    overall=(Window(30, 1.0),),
    private=(Window(1, 1.0),),
    group=(Window(1, 1.0), Window(20, 60.0)),
    edit_seconds=4.0,  # 15 edits a minute leave a group 5 of its 20 for messages
    parallel=16,
    presses_live=150.0,  # tdlib/telegram-bot-api, Client.cpp: add_update(UpdateType::CallbackQuery, …, 150, …)
)
"""core.telegram.org/bots/faq, read strictly: 30 a second over all, one a second in a chat, 20 a minute in a group."""

LARGEST_BODY = 256 * 1024
BETWEEN_PARTS = 1.05  # seconds between the messages of one long text
REMEMBERED = 1000
Json = dict[str, Any]


class TelegramChannel:
    """``listen`` polls or sets the webhook, and hears for ever; ``webhook`` is what the web server's route calls."""

    name = CHANNEL

    def __init__(
        self,
        token: str,
        *,
        api_base: str = "https://api.telegram.org",
        username: str | None = None,
        mode: Literal["polling", "webhook"] = "polling",
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        max_upload: int = 10 << 20,
        endings: Collection[str] = (),
        limits: Limits = LIMITS,
        poll_seconds: int = 25,
        retry_seconds: float = 0.5,
        memory: Memory | None = None,
        language: str = "zh_CN",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``endings``: which files are worth fetching from a group (".docx"); none: all. ``max_upload`` in bytes.

        ``retry_seconds``: the first pause after a failed call, doubled up to a minute. ``memory``: where the meaning of
        numbered replies outlives a restart. Without a ``webhook_secret`` one is made from the token.
        """
        self.client = Client(token, api_base)
        self.rules = Rules(max_upload, tuple(ending.lower() for ending in endings), language, now)
        self._choices = Choices(memory)
        self._hearing = Hearing(self.client, Me(self.client.bot_id, username), self._choices, self.rules)
        self._polling = Polling(self.client, self._hearing, poll_seconds, retry_seconds)
        self._limits = limits
        self._mode = mode
        self._url = webhook_url
        self._secret = (webhook_secret or _secret_of(token)).encode()
        self._half: OrderedDict[tuple[str, str], list[str]] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], str] = OrderedDict()

    def __repr__(self) -> str:
        return f"<TelegramChannel of bot {self.client.bot_id}>"

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def last_heard(self) -> datetime | None:
        """When anything at all last came in."""
        return self._hearing.last_heard

    # --- ears -------------------------------------------------------------------------------------------------

    async def listen(self, hear: Hear) -> None:
        """Hears until it is cancelled; no trouble ends it."""
        self._hearing.hear = hear
        if self._mode == "webhook" and self._url:
            await self._polling.insist(self._set_webhook)
            await self._polling.insist(self._hearing.who_am_i)
            await asyncio.Event().wait()
        await self._polling.insist(self._hearing.who_am_i)
        await self._polling.run()

    async def webhook(self, body: bytes, secret: str | None) -> tuple[int, bytes]:
        """The status and the JSON body for Telegram: 200 only once the update is durable."""
        if secret is None or not hmac.compare_digest(secret.encode("utf-8", "replace"), self._secret):
            return 403, b""
        if len(body) > LARGEST_BODY:
            return 413, b""
        raw = _read(body)
        if raw is None:
            return 400, b""
        if self._hearing.hear is None:
            return 503, b""
        self._hearing.received()
        call: Json | None = None
        try:
            for event in self._hearing.parsed(raw):
                answer = await self._hearing.heard(event, raw)
                call = self._hearing.call_for(event, raw, answer) if answer is not None else None
        except Unavailable:
            return 503, b""
        except Exception as error:
            return (200 if self._hearing.gives_up(number_of(raw) or 0, error) else 500), b""
        cp("telegram.before_confirm")
        return 200, msgspec.json.encode(call) if call is not None else b""

    async def start_webhook(self, url: str) -> None:
        """From now on Telegram brings updates to ``url``, with our secret in the header."""
        self._url = url
        await self._set_webhook()

    async def stop_webhook(self) -> None:
        """Telegram keeps what comes from now on, for a day."""
        await self.client.call("deleteWebhook", {"drop_pending_updates": False})

    async def _set_webhook(self) -> None:
        given = {"url": self._url, "secret_token": self._secret.decode(), "allowed_updates": list(KINDS)}
        await self.client.call("setWebhook", {**given, "drop_pending_updates": False})

    # --- mouth ------------------------------------------------------------------------------------------------

    async def send(self, place: Place, content: Content) -> Sequence[str]:
        """A send that failed half-way goes on where it stopped when the same content comes again."""
        with speaking(self.rules.language):
            payloads = render.render(content)
        half = (place.id, _print_of(payloads))
        refs = self._half.pop(half, [])
        for payload in payloads[len(refs) :]:
            if refs:
                await asyncio.sleep(BETWEEN_PARTS)
            try:
                refs.append(await self._post(place, payload))
                cp("telegram.posted")
            except DeliveryFailed:
                if refs:
                    _remember(self._half, half, refs)
                raise
        if isinstance(content, Card):
            await self._note(place, refs[-1], content)
        return refs

    async def edit(self, place: Place, ref: str, card: Card, *, final: bool) -> None:
        """A card that no longer fits into its message shows what does; its last state is then told in full, anew."""
        with speaking(self.rules.language):
            payload = render.face(card)
        params = {"chat_id": int(place.id), "message_id": int(ref), **payload}
        await self.client.deliver(place, "editMessageText", params)
        if render.is_whole(card):
            await self._note(place, ref, card)
        elif final and self._told.get((place.id, ref)) != _print_of(render.told(card)):
            raise DeliveryFailed(_("放不进一条消息了，另发一条"), gone=True)

    async def _post(self, place: Place, payload: Json) -> str:
        method = "sendDocument" if "document" in payload else "sendMessage"
        sent = await self.client.deliver(place, method, {"chat_id": int(place.id), **payload})
        return str(sent["message_id"]) if isinstance(sent, dict) and "message_id" in sent else ""

    async def _note(self, place: Place, ref: str, card: Card) -> None:
        """What a later edit must know, as far as it is not in the card itself."""
        if not render.is_whole(card):
            _remember(self._told, (place.id, ref), _print_of(render.told(card)))
        numbered = spare(card.buttons, render.MOST_BUTTONS)
        if numbered:
            await self._choices.offer(place, numbered, ref)

    async def close(self) -> None:
        """Lets the last words out, then hangs up."""
        await self._hearing.close()
        await self.client.close()

    # --- how are we -------------------------------------------------------------------------------------------

    def deaf(self) -> str | None:
        """What to tell a group that we cannot hear; it is told by itself when we come into one."""
        return self._hearing.deaf()

    async def check(self) -> Sequence[str]:
        """What is wrong, a sentence each. Asks the platform, and never takes updates away from a running bot."""
        try:
            await self._hearing.who_am_i()
            info = await self.client.call("getWebhookInfo")
        except Trouble as trouble:
            if trouble.is_dead_token:
                return [token_is_wrong()]
            return [_("连不上 Telegram（状态 {status}）：请检查网络、代理和 api_base。", status=trouble.status)]
        found = [self._polling.complaint] if self._polling.complaint else []
        if self._hearing.hears_groups is False:
            found.append(
                _(
                    "隐私模式开着，群里的“收到”“请假”听不见：在 @BotFather 里用 /setprivacy 选 Disable，"
                    "再把机器人移出每个群、重新拉进来。"
                )
            )
        return found + self._about_webhook(info if isinstance(info, dict) else {})

    def _about_webhook(self, info: Json) -> list[str]:
        url, found = info.get("url") or "", []
        if self._mode == "polling" and url:
            found.append(_("设置的是 polling，可令牌上挂着一个 webhook：启动时会把它取下，请确认别处没有在用。"))
        if self._mode == "webhook" and not self._url:
            found.append(_("设置的是 webhook，可没有写 webhook_url，现在按 polling 运行。"))
        if self._mode == "webhook" and self._url and url != self._url:
            found.append(_("Telegram 那边的 webhook 不是设置里的网址：启动一次程序就会改过来。"))
        if self._mode == "webhook" and info.get("last_error_message"):
            why = clean.line(str(info["last_error_message"]))[:120]
            found.append(_("Telegram 最近一次送消息没有成功：{why}", why=why))
        return found


def _secret_of(token: str) -> str:
    """A secret of our own where none is configured: the same after a restart, and it does not give the token away."""
    return hmac.new(token.encode(), b"hongzhu webhook", hashlib.sha256).hexdigest()


def _read(body: bytes) -> Json | None:
    """The second reader takes lone surrogates, which the first refuses."""
    for read in (msgspec.json.decode, json.loads):
        try:
            found = read(body)
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _print_of(thing: object) -> str:
    return hashlib.sha256(repr(thing).encode("utf-8", "replace")).hexdigest()


def _remember(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > REMEMBERED:
        known.popitem(last=False)

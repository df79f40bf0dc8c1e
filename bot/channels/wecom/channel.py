"""企业微信: ears on the long connection (and, where there is one, the application's callback), and a mouth."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from bot.channels import choices, clean
from bot.channels.choices import Choices, Memory, spare
from bot.channels.wecom import contacts, doctor, prose, render
from bot.channels.wecom.app import Application
from bot.channels.wecom.clicks import Clicks, Draw, Shown, fingerprint, remember
from bot.channels.wecom.client import MISNAMED, OFFICIAL, Client, Trouble, always, nobody
from bot.channels.wecom.connection import Timing
from bot.channels.wecom.hearing import Hearing, Rules
from bot.channels.wecom.media import Files
from bot.channels.wecom.pace import Pace
from bot.channels.wecom.parse import CHANNEL, Incoming, Me
from bot.channels.wecom.routes import TALK, Routes, failure, is_about_content
from bot.channels.wecom.webhook import Webhook
from bot.engine.crashpoint import cp
from bot.engine.port import Answer, Content, DeliveryFailed, Errand, Hear, Limits, Progress
from bot.kit.card import Card
from bot.kit.event import Place
from bot.kit.words import _, speaking

log = structlog.get_logger()

LIMITS = Limits(
    private=TALK,
    group=TALK,
    parallel=16,
    edits=False,
    presses_live=65.0,  # a click that finds nobody is gone at once; ours is the heart beat's minute
)
"""By parcels; what each becomes, and what is said past the outbox, is counted in ``routes``."""

RECONNECT_SECONDS = 30.0  # a passing word waits so long for the connection


async def _no_card(key: str) -> Card | None:
    return None


class WecomChannel:
    """``listen`` keeps the long connection up and hears for ever.

    ``draw``: the card of a key as it is now, after the commit. ``may_return``: whether we still own the school, asked
    before the bot is taken back from somebody else. ``tell``: a sentence for the office, by whatever way is left.
    ``voices``: how many people were ever heard here. ``in_use``: would ``check`` throw out a running bot?
    """

    name = CHANNEL

    def __init__(
        self,
        bot_id: str,
        secret: str,
        *,
        bot_name: str = "",
        url: str = OFFICIAL,
        draw: Draw = _no_card,
        may_return: Callable[[], Awaitable[bool]] = always,
        tell: Callable[[str], Awaitable[None]] = nobody,
        voices: Callable[[], Awaitable[int]] | None = None,
        in_use: Callable[[], bool] = lambda: True,
        app: Application | None = None,
        webhooks: Mapping[str, Webhook] | None = None,
        max_upload: int = 10 << 20,
        limits: Limits = LIMITS,
        memory: Memory | None = None,
        language: str = "zh_CN",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        pause_seconds: float = 1.0,
        kicked_seconds: float = 30.0,
        timing: Timing = Timing(),  # noqa: B008 frozen
    ) -> None:
        self.client = Client(
            bot_id, secret, url=url, may_return=may_return, tell=tell, language=language,
            pause_seconds=pause_seconds, kicked_seconds=kicked_seconds, timing=timing,
        )  # fmt: skip
        self.me = Me(bot_id, bot_name)
        self.files = Files(self.client)
        self.app = app
        self.routes = Routes(self.client, self.files, app, dict(webhooks or {}), Pace(limits.private))
        self.shown = Shown()
        self.language = language
        self.voices = voices
        self.in_use = in_use
        self._limits = limits
        self._choices = Choices(memory)
        self._clicks = Clicks(self.client, self, self.shown, draw, language)
        self.hearing = Hearing(self.me, self.files, self._choices, self, Rules(max_upload, language, now))
        self._half: OrderedDict[tuple[str, str], int] = OrderedDict()
        self.errands: Mapping[str, Errand] = {"contacts": self._contacts}
        if app is not None:
            app.attach(self.hearing, self._clicks, self.routes)

    def __repr__(self) -> str:
        return f"<WecomChannel of bot {self.me.bot_id}>"

    @property
    def limits(self) -> Limits:
        return self._limits

    @property
    def last_heard(self) -> datetime | None:
        """When anything at all last came in; the platform's pings do not count."""
        return self.hearing.last_heard

    # --- ears -------------------------------------------------------------------------------------------------

    async def listen(self, hear: Hear) -> None:
        """Hears until it is cancelled; only wrong credentials end the tries to connect.

        The connection ends last: a click that was taken is answered on it, and nowhere else.
        """
        self.hearing.hear = hear
        connected = asyncio.create_task(self.client.run(self.hearing.take), name="wecom connection")
        try:
            await asyncio.wait({connected})
            connected.result()
        finally:
            await self.hearing.close()
            connected.cancel()
            await asyncio.gather(connected, return_exceptions=True)

    def opened(self, incoming: Incoming) -> None:
        if incoming.strange:
            self.hearing.later(self.client.tell_once(MISNAMED))
        if not self._is_app(incoming):
            self.routes.opened(incoming)

    def quoted(self, incoming: Incoming) -> str | None:
        return self.shown.quoted(incoming.event.place, incoming.quoted) if incoming.quoted else None

    def _is_app(self, incoming: Incoming) -> bool:
        return self.app is not None and self.app.door is not None and self.app.door.is_mine(incoming)

    async def clicked(self, incoming: Incoming, answer: Answer | None, begun: float) -> None:
        if not self._is_app(incoming):
            await self._clicks.answer(incoming, answer, begun)

    async def kept(self, incoming: Incoming, answer: Answer | None) -> None:
        """An open request of the application's callback may be answered now."""
        if self.app is not None and self.app.door is not None:
            await self.app.door.heard(incoming, answer)

    async def passing(self, incoming: Incoming, sentence: str) -> None:
        await self.quietly(Place(CHANNEL, incoming.event.sender.id, private=True), prose.harmless(clean.text(sentence)))

    # --- mouth ------------------------------------------------------------------------------------------------

    async def send(self, place: Place, content: Content) -> Sequence[str]:
        """A send that failed half-way goes on where it stopped when the same content comes again."""
        ref = secrets.token_hex(8)  # new for every attempt: a task_id may be used once, for ever
        with speaking(self.language):
            payloads = render.render(content, ref)
            half = (place.id, fingerprint(repr(render.render(content))))
        done = self._half.pop(half, 0)
        if isinstance(content, Card) and content.buttons:
            self.shown.sent(ref, place, content)  # before it leaves: a click may come before the ack
        for number, payload in enumerate(payloads[done:], done):
            try:
                await self._post(place, payload, content)
                cp("wecom.posted")
            except DeliveryFailed:
                if number:
                    remember(self._half, half, number)
                raise
        if isinstance(content, Card):
            await self._offer(place, content, ref, render.REACHED)
        return [ref]

    async def edit(self, place: Place, ref: str, card: Card, *, final: bool) -> None:
        """A card that nobody presses cannot be changed: a state waits for a click, the last one too in a private talk.

        Only a group is told the last state anew (docs/decisions/0014); an application's card is changed once, silently.
        """
        if not final:
            return
        if not place.private:
            raise DeliveryFailed(_("卡片只能在有人点时更新，另发一条"), gone=True)
        if self.app is not None:
            with speaking(self.language):
                await self.app.settle(place, ref, card)

    async def quietly(self, place: Place, words: str) -> None:
        """Words that are already harmless, and whose loss changes nothing."""
        if not self.routes.prefers_app(place):
            await self.client.ready(RECONNECT_SECONDS)
        for part in prose.parts(words, render.MOST_TEXT):
            try:
                await self.routes.post(place, render.text(part), answers=True)
            except Trouble as trouble:
                log.info("wecom.passing_word_lost", errcode=trouble.errcode)
                return

    async def _post(self, place: Place, payload: render.Payload, content: Content) -> None:
        try:
            await self.routes.post(place, payload)
        except Trouble as trouble:
            if is_about_content(trouble) and isinstance(content, Card) and "template_card" in payload:
                log.error("wecom.card_refused", errcode=trouble.errcode, error=trouble.errmsg[:120])
                return await self._in_words(place, content)
            with speaking(self.language):
                raise failure(trouble, place) from None

    async def _in_words(self, place: Place, card: Card) -> None:
        """Words before looks: a card that the platform will not show is told, and its buttons are numbers."""
        bare = Card(card.key, card.title, card.body, (), card.foot)
        with speaking(self.language):
            numbered = choices.words(spare(card.buttons, 0))
            words = prose.markdown([*render.full(bare), prose.Said(numbered)])
        for part in prose.parts(words, render.MOST_TEXT):
            try:
                await self.routes.post(place, render.text(part))
            except Trouble as trouble:
                with speaking(self.language):
                    raise failure(trouble, place) from None
        await self._offer(place, card, "", 0)

    async def _offer(self, place: Place, card: Card, ref: str, room: int) -> None:
        numbered = spare(card.buttons, room)
        if numbered:
            await self._choices.offer(place, numbered, ref)

    async def close(self) -> None:
        """Hears out what was taken, then hangs up."""
        await self.hearing.close()
        await self.files.close()
        if self.app is not None:
            await self.app.close()
        for hook in self.routes.groups.values():
            if isinstance(hook, Webhook):
                await hook.close()

    async def _contacts(self, progress: Progress) -> object:
        with speaking(self.language):
            return await contacts.read(self.app, progress)

    # --- how are we -------------------------------------------------------------------------------------------

    async def check(self) -> Sequence[str]:
        """What is wrong, a sentence each, with what to click."""
        with speaking(self.language):
            return await doctor.examine(self)

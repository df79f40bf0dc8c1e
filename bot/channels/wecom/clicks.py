"""What a click is answered with: its card, drawn anew after the commit, with a word to whoever pressed.

Only whoever pressed sees it: the word is theirs, and the platform keeps a face of the card for each viewer. An update
takes the one open answer of a click, within five seconds; whatever else is to be said goes as a message of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog

from bot.channels.wecom import prose, render
from bot.channels.wecom.client import Client, Trouble
from bot.channels.wecom.parse import Click, Incoming
from bot.channels.wecom.task import Task
from bot.engine.port import Answer
from bot.kit.card import Card
from bot.kit.event import Place, Tapped
from bot.kit.words import _, speaking

log = structlog.get_logger()

UPDATE_SECONDS = 4.6  # of five, from the moment the click came in
DRAW_SECONDS = 2.0
KNOWN = 2000
Draw = Callable[[str], Awaitable[Card | None]]
Json = dict[str, Any]


class Shown:
    """What we remember of what stands on people's screens; nothing that a restart may not forget."""

    def __init__(self) -> None:
        self._cards: OrderedDict[str, Card] = OrderedDict()
        self._told: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._places: OrderedDict[str, str] = OrderedDict()

    def quoted(self, place: Place, words: str) -> str | None:
        """The newest card of this conversation whose title stands in the words that were quoted."""
        for ref, card in reversed(self._cards.items()):
            title = card.title.partition("\n")[0].strip()
            if self._places.get(ref) == place.id and len(title) >= 4 and title in words:
                return ref
        return None

    def sent(self, ref: str, place: Place, card: Card) -> None:
        remember(self._cards, ref, card)
        remember(self._places, ref, place.id)
        self.told(place, card)

    def told(self, place: Place, card: Card) -> bool:
        """Whether its words are new in this conversation; from now on they are not."""
        if render.is_whole(card):
            return False
        face, key = fingerprint(prose.markdown(render.full(card))), (place.id, card.key)
        known = self._told.get(key)
        remember(self._told, key, face)
        return known != face

    def card(self, ref: str) -> Card | None:
        return self._cards.get(ref)


class Says(Protocol):
    """The mouth, for what an update cannot say."""

    async def send(self, place: Place, content: Card) -> object: ...

    async def quietly(self, place: Place, words: str) -> None: ...


class Clicks:
    """``answer`` never raises: what was decided stays decided."""

    def __init__(self, client: Client, says: Says, shown: Shown, draw: Draw, language: str) -> None:
        self.client = client
        self.says = says
        self.shown = shown
        self.draw = draw
        self.language = language
        self._anew: OrderedDict[tuple[str, str, int], None] = OrderedDict()

    async def answer(self, incoming: Incoming, answer: Answer | None, begun: float) -> None:
        click, place = incoming.click, incoming.event.place
        assert click is not None  # noqa: S101 the caller has looked
        card, note = await self.faced(incoming, answer)
        task = click.task
        fits = render.fits(card, click.card_type, task.part)
        with speaking(self.language):
            face = self.face(card, click, note, fits)
        updated = await self._update(incoming, face, begun)
        if note and (not updated or not render.says(note, click.card_type)):
            await self._aside(incoming, note)
        await self._rest(place, card, fits)

    async def faced(self, incoming: Incoming, answer: Answer | None, seconds: float = DRAW_SECONDS) -> tuple[Card, str]:
        """The card as it is now, and the word to whoever pressed; what is not drawn in time is shown as it was."""
        click, tapped = incoming.click, incoming.event
        assert click is not None and isinstance(tapped, Tapped)  # noqa: S101 parse pairs them
        with speaking(self.language):
            note = receipt(answer) if answer is not None else _hint(click, tapped.token)
            if click.task.key:
                return await self._drawn(click.task, seconds), note
            return self._question(click, answer, note)

    async def _drawn(self, task: Task, seconds: float) -> Card:
        try:
            async with asyncio.timeout(seconds):
                card = await self.draw(task.key)
        except Exception as error:  # a face that cannot be drawn must not cost the receipt
            log.error("wecom.cannot_draw", error=type(error).__name__)
            return self.shown.card(task.ref) or Card(task.key, _("请看最新的消息"))
        return card or Card(task.key, _("这张卡片已经失效了"))

    def _question(self, click: Click, answer: Answer | None, note: str) -> tuple[Card, str]:
        """A question with suggested answers: once answered it asks no more.

        What was chosen is not repeated here: what may be said is for the feature to say.
        """
        card = self.shown.card(click.task.ref)
        if card is not None and (answer is None or not answer.ok):
            return card, note
        said = note or _("已收到")
        return Card("", card.title if card else said, card.body if card else ()), said

    def face(self, card: Card, click: Click, note: str, fits: bool) -> Json:
        if not fits:
            gone = Card(card.key, card.title)
            return render.template(gone, click.task, click.card_type, note, _("看下面新的"), click.task_id)
        ended = _("已回答") if not card.key else ""
        return render.template(card, click.task, click.card_type, note, ended, click.task_id)

    async def _update(self, incoming: Incoming, face: Json, begun: float) -> bool:
        if time.monotonic() - begun > UPDATE_SECONDS:
            log.info("wecom.click_too_late")
            return False
        body = {"response_type": "update_template_card", "userids": [incoming.userid], "template_card": face}
        try:
            await self.client.call("aibot_respond_update_msg", body, incoming.req_id)
        except Trouble as trouble:
            log.warning("wecom.update_refused", errcode=trouble.errcode)
            return False
        return True

    async def _aside(self, incoming: Incoming, note: str) -> None:
        await self.says.quietly(Place(incoming.event.place.channel, incoming.event.sender.id, private=True), note)

    async def _rest(self, place: Place, card: Card, fits: bool) -> None:
        """What a small face cannot say: in private its words, anywhere a card that has outgrown its kind."""
        if not fits:
            mark = (place.id, card.key, len(card.buttons))
            if place.private or mark not in self._anew:
                remember(self._anew, mark, None)
                await self._again(place, card)
        elif place.private and card.key and self.shown.told(place, card):
            with speaking(self.language):
                words = prose.markdown(render.full(card))
            await self.says.quietly(place, words)

    async def _again(self, place: Place, card: Card) -> None:
        try:
            await self.says.send(place, card)
        except Exception as error:
            log.warning("wecom.not_sent_anew", error=type(error).__name__)


def receipt(answer: Answer) -> str:
    """The word of the answer. What stands on a card stays there, so what was sealed is not named."""
    if answer.sealed and answer.ok and not answer.alert:
        return _("已记上")
    return answer.toast or ""


def _hint(click: Click, token: str) -> str:
    """Nothing was heard: why."""
    if click.chosen > 1:
        return _("只能选一项，请重选。")
    is_vote = click.card_type == render.VOTE
    return _("请先选一项，再提交。") if is_vote and not token else ""


def fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def remember(known: OrderedDict[Any, Any], key: object, value: object) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > KNOWN:
        known.popitem(last=False)

"""The same dialogues on 企业微信: what somebody does becomes a callback on the wire, and what they see is read back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.app import RunningSchool
from bot.channels.wecom.app import Application
from bot.channels.wecom.channel import WecomChannel
from bot.channels.wecom.parse import token_of
from bot.channels.wecom.prose import ZERO
from bot.channels.wecom.task import Task
from bot.engine.port import Answer, Channel, Content, Document, Limits
from bot.kit.context import Way
from bot.kit.event import Event, Joined, Place, Said, Tapped
from bot.serving_wecom import KeptCodes
from storage.people import Person
from tests.fakes.wecom import FakeWecom
from tests.fakes.wecom_world import Message, words
from tests.office import Seen, Stage


class _Noted(WecomChannel):
    """The platform names no message to us: so the refs of texts are noted here, for the tests to ask by."""

    fake: FakeWecom
    refs: dict[int, str]

    async def send(self, place: Place, content: Content) -> Sequence[str]:
        before = len(self.fake.messages)
        refs = await super().send(place, content)
        self.refs.update({m.id: refs[-1] for m in self.fake.messages[before:] if m.talk == place.id and not m.card})
        return refs


class WecomStage(Stage):
    channel = "wecom"
    call = "@红烛 "
    ways = {"wecom": Way("企业微信", "在企业微信里搜索“红烛”并打开")}  # noqa: RUF012
    edits = False
    toasts_stay = True

    def __init__(self, *, app: bool = False) -> None:
        """``app``: the school has a self-built application, too."""
        self.app = app
        if app:
            self.ways = {"wecom": replace(self.ways["wecom"], first=True)}
        self.fake = FakeWecom().start()
        self.fake.limited = False  # no waiting in dialogues; the real limits have tests of their own
        self.room = self.fake.group("全体教职工群", known=True)
        self.group = self.room.id
        self.limits = Limits(edits=False)
        self.mouth: WecomChannel | None = None
        self.refs: dict[int, str] = {}

    def channels(self, running: RunningSchool) -> Sequence[Channel]:
        self.mouth = mouth = _Noted(
            self.fake.bot_id,
            self.fake.secret,
            bot_name="红烛",
            url=self.fake.ws_url,
            draw=running.drawn,
            limits=self.limits,
            now=running.now,
            pause_seconds=0.05,
            app=self._application(running) if self.app else None,
        )
        mouth.fake, mouth.refs = self.fake, self.refs
        return [mouth]

    def _application(self, running: RunningSchool) -> Application:
        app = self.fake.http.app
        facts = {"token": app.token, "aes_key": app.aes_key, "base": self.fake.url, "codes": KeptCodes(running)}
        return Application(self.fake.corp_id, app.secret, app.agent_id, **facts)

    def prepare(self, cast: Sequence[Person]) -> None:
        for person in cast:
            self._user(self.account(person.id), person.name)

    def _user(self, account: str, name: str) -> Any:
        if account not in self.fake.people:
            self.room.add(self.fake.user(account, name, known=True))
        return self.fake.people[account]

    async def deliver(self, event: Event) -> Answer:
        await self.settled()
        return await self._act(event)

    async def _act(self, event: Event) -> Answer:
        who = self._user(event.sender.id, "访客")
        before = len(who.inbox)
        match event:
            case Tapped():
                return await self._taps(who, event, before)
            case Said() if event.upload is not None and not event.place.private:
                pass  # of files in a group the bot is told nothing
            case Said() if event.upload is not None:
                await self._until(who.sends_file(event.upload.name, event.upload.content))
            case Said():
                room = None if event.place.private else self.room
                other = "（别的话）" if event.quotes else None
                answered = next(
                    (seen.text for seen in self.messages(event.place.id) if seen.ref == event.quotes), other
                )
                await self._until(who.says(event.text, in_=room, quote=answered))
            case Joined() if event.place.private:
                who.opens()
                await asyncio.sleep(0.05)
            case Joined():
                pass  # nobody tells a bot here that it came into a group
            case _:
                raise NotImplementedError(event)
        await self.settled()
        new = who.inbox[before:]
        return Answer(self._shown(new[0].text) if new else None)

    async def _until(self, msgid: str | None) -> None:
        assert self.mouth is not None
        wanted = f"wecom:{self.fake.bot_id}:{msgid}"
        while msgid is not None and wanted not in self.mouth.hearing._known:  # noqa: ASYNC110
            await asyncio.sleep(0.003)

    async def _taps(self, who: Any, tap: Tapped, before: int) -> Answer:
        message = self._message(tap, who.id)
        old = words(message.card_for(who.id) or {})
        key = next((k for _label, k in message.choices_for(who.id) if token_of(k) == tap.token), f"0|{tap.token}")
        is_vote = (message.card_for(who.id) or {}).get("card_type") == "vote_interaction"
        press = who.forges(message, "submit", [key]) if is_vote else who.forges(message, key)
        await asyncio.to_thread(press.wait, 10)
        await self.settled()
        aside = [m.text for m in who.inbox[before:] if m.kind == "markdown"]
        return Answer(self._toast(press.card or {}, old, aside))

    def _toast(self, card: dict[str, Any], old: str, aside: list[str]) -> str | None:
        """The word that the card says to whoever pressed; a long one also stands in their private talk."""
        desc = card.get("main_title", {}).get("desc", "")
        if desc:
            whole = next((text for text in aside if self._shown(text).startswith(desc.rstrip("…"))), "")
            return self._shown(whole) or desc
        first = card.get("sub_title_text", "").partition("\n")[0]
        return first if first and first not in old else None

    def _message(self, tap: Tapped, who: str) -> Message:
        """The card that was pressed; where there is none, a modified client makes one up."""
        known = [m for m in self.fake.messages if m.talk == tap.place.id and m.card]
        found = next((m for m in known if Task.unpack(m.task_id).ref == tap.message), None)
        if found is not None or known:
            return found or known[0]
        card = {
            "card_type": "button_interaction",
            "main_title": {"title": "?"},
            "task_id": f"forged{len(self.fake.reqs)}",
        }
        made = self.fake.task_ids[card["task_id"]] = Message(self.fake, tap.place.id, 0, "template_card", card=card)
        return made

    def messages(self, place: str) -> list[Seen]:
        return [self._seen(m) for m in list(self.fake.messages) if m.talk == place and not m.recalled]

    def _seen(self, message: Message) -> Seen:
        """As whoever pressed last sees it: the faces of the others wait for their own click."""
        who = next(reversed(message.views), message.talk)
        choices = [(label, token_of(key)) for label, key in message.choices_for(who) if token_of(key)]
        buttons = [(self._full(message, label), token) for label, token in choices]
        document = Document(message.file[0], "application/octet-stream", message.file[1]) if message.file else None
        ref = Task.unpack(message.task_id).ref if message.card else self.refs.get(message.id, f"m{message.id}")
        return Seen(ref, self._shown(message.text_for(who)), buttons, message.updates, document)

    def _full(self, message: Message, label: str) -> str:
        """A label that was cut carries the number under which the text before the card has it in full."""
        number = label.partition(". ")[0]
        told = [m for m in self.fake.messages[: message.id] if m.talk == message.talk and m.kind == "markdown"]
        if not (number.isdigit() and label.endswith("…") and told):
            return label
        lines = self._shown(told[-1].text).splitlines()
        return next((line.partition(". ")[2] for line in lines if line.startswith(f"{number}. ")), label)

    def _shown(self, text: str) -> str:
        return text.replace(ZERO, "").replace("**", "")

    async def settled(self) -> None:
        assert self.mouth is not None
        while self.mouth.hearing.busy or not self.mouth.client.is_live:  # noqa: ASYNC110
            await asyncio.sleep(0.003)

    def close(self) -> None:
        self.fake.stop()

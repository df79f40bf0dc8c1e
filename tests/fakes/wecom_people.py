"""The people side: what somebody types, presses and sends in WeCom, and what they see. A test drives these."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as percent

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.fakes.wecom_world import Json, Message, Req, choices, words

if TYPE_CHECKING:
    from tests.fakes.wecom_world import World


class Press:
    """A click on a card, until and after the bot answers it."""

    def __init__(self, world: World, person: Person, message: Message, key: str, options: list[str]) -> None:
        self.world, self.person, self.message, self.key, self.options = world, person, message, key, options
        self.at = time.monotonic()
        self.id = ""
        self.answered = False
        self.delivered = False
        self.seconds = 0.0
        self.card: Json | None = None

    def answered_with(self, card: Json) -> None:
        self.answered, self.card, self.seconds = True, card, time.monotonic() - self.at

    @property
    def text(self) -> str:
        """What stands on the card that the presser sees now."""
        return words(self.card or {})

    def wait(self, timeout: float = 5.0) -> str:
        """The new face of the card, as soon as it is there."""
        self.world.wait(lambda: self.answered, timeout, f"an answer to {self.person.name}'s press of {self.key!r}")
        return self.text


class Group:
    """An internal group. The bot hears in it only what @s it."""

    def __init__(self, world: World, id: str, title: str) -> None:
        self.world, self.id, self.title = world, id, title
        self.members: dict[str, Person] = {}
        self.has_bot = True
        self.webhook_key: str | None = None

    def add(self, *people: Person) -> None:
        for person in people:
            self.members[person.id] = person

    def removes_bot(self) -> None:
        with self.world.changed:
            self.has_bot = False
            self.world.touch()

    @property
    def from_bot(self) -> list[Message]:
        return [m for m in self.world.messages if m.talk == self.id and not m.recalled]


class Person:
    """A member of the corp."""

    def __init__(self, world: World, id: str, name: str) -> None:
        self.world, self.id, self.name = world, id, name
        self.entered = ""
        self.active = True
        self.unlicensed = False
        self.in_range = True
        self.parties = [1]  # the numbers of their departments

    @property
    def inbox(self) -> list[Message]:
        return [m for m in self.world.messages if m.talk == self.id and not m.recalled]

    # words

    def says(
        self,
        text: str,
        in_: Group | None = None,
        *,
        mention: bool = True,
        quote: str | None = None,
        msgid: str | None = None,
        twice: bool = False,
    ) -> str | None:
        """In a group with the @ that the client writes in front. The msgid, or ``None`` where the bot hears nothing."""
        with self.world.changed:
            self.world.diary.note("said", chat=in_.id if in_ else self.id, by=self.id, text=text)
            if in_ is not None:
                in_.add(self)
                if not mention or not in_.has_bot:
                    return None
                text = f"@{self.world.name} {text}"
            body: Json = {"msgtype": "text", "text": {"content": text}}
            if quote is not None:
                body["quote"] = {"msgtype": "text", "text": {"content": quote}}
            return self._bring(body, in_, msgid, twice)

    def says_raw(self, text: str, in_: Group | None = None) -> str | None:
        """The content exactly so."""
        with self.world.changed:
            return self._bring({"msgtype": "text", "text": {"content": text}}, in_)

    def speaks(self, transcript: str) -> str | None:
        """A voice message; the platform writes it down."""
        with self.world.changed:
            return self._bring({"msgtype": "voice", "voice": {"content": transcript}}, None)

    def sends_mixed(self, text: str, picture: bytes, in_: Group | None = None) -> str | None:
        with self.world.changed:
            said = f"@{self.world.name} {text}" if in_ else text
            items = [
                {"msgtype": "text", "text": {"content": said}},
                {"msgtype": "image", "image": self._stored("p.png", picture)},
            ]
            return self._bring({"msgtype": "mixed", "mixed": {"msg_item": items}}, in_)

    def sends_file(self, name: str, data: bytes, *, lives: float = 300.0) -> str | None:
        """In private only: the platform does not bring files from groups."""
        with self.world.changed:
            return self._bring({"msgtype": "file", "file": self._stored(name, data, lives)}, None)

    def _stored(self, name: str, data: bytes, lives: float = 300.0) -> Json:
        key = self.world.random.randbytes(32)
        number = self.world.store(name, encrypted(data, key), key, lives)
        import base64

        return {
            "url": f"{self.world.url}/media/{number}/{percent(name)}",
            "aeskey": base64.b64encode(key).decode().rstrip("="),
        }

    def _bring(self, body: Json, group: Group | None, msgid: str | None = None, twice: bool = False) -> str:
        talk = group.id if group else self.id
        self.world.talk(talk).activated_at = self.world.clock.now()
        req = self.world.new_req("msg", talk, self.id)
        number = msgid or f"CAIQ{self.world.random.getrandbits(96):024x}=="
        told: Json = {
            "msgid": number,
            "aibotid": self.world.bot_id,
            "chattype": "group" if group else "single",
            "from": {"userid": self.shown_id},
            **body,
        }
        if group:
            told["chatid"] = group.id
        frame = {"cmd": "aibot_msg_callback", "headers": {"req_id": req.id}, "body": told}
        for _ in range(2 if twice else 1):
            self.world.emit(frame, True)
        return number

    @property
    def shown_id(self) -> str:
        """The userid as callbacks spell it; its case is of no meaning."""
        return self.id

    # clicks

    def sees(self, text: str, in_: Group | None = None) -> Message:
        """The newest message with that text in it, in private or in a group this person is in."""
        with self.world.changed:
            places = {in_.id} if in_ else {self.id, *(g.id for g in self.world.groups.values() if self.id in g.members)}
            found = [
                m for m in self.world.messages if m.talk in places and not m.recalled and text in m.text_for(self.id)
            ]
            if not found:
                raise LookupError(f"{self.name} sees no message with {text!r}; {self.world.story()}")
            return found[-1]

    def presses(self, where: Message | str, *labels: str) -> Press:
        """Presses the button of that label, or chooses those options and submits."""
        with self.world.changed:
            message = self.sees(where) if isinstance(where, str) else where
            card = message.card_for(self.id) or {}
            found = [find(card, label) for label in labels]
            if card.get("card_type") == "button_interaction":
                return self._click(message, found[0], [])
            return self._click(message, card["submit_button"]["key"], found)

    def submits_nothing(self, message: Message) -> Press:
        with self.world.changed:
            return self._click(message, (message.card_for(self.id) or {})["submit_button"]["key"], [])

    def forges(self, message: Message, key: str, options: list[str] | None = None) -> Press:
        """A click whose key is on no button."""
        with self.world.changed:
            return self._click(message, key, options or [])

    def _click(self, message: Message, key: str, options: list[str]) -> Press:
        assert message.via in ("bot", "app")
        if message.via == "app":
            return self.world.app_click(self, message, key, options)  # type: ignore[no-any-return]
        press = Press(self.world, self, message, key, options)
        req = self.world.new_req("card", message.talk, self.id, task_id=message.task_id, press=press)
        press.id = req.id
        told = self._event(req, "template_card_event", click(message, key, options), message.talk)
        press.delivered = self.world.emit(told, False)
        self.world.diary.note(
            "pressed",
            press=req.id,
            by=self.id,
            chat=message.talk,
            message=message.id,
            key=key,
            options=options,
            delivered=press.delivered,
        )
        self.world.touch()
        return press

    def _event(self, req: Req, kind: str, more: Json, talk: str | None) -> Json:
        body: Json = {
            "msgid": f"EV{self.world.random.getrandbits(96):024x}",
            "create_time": int(self.world.clock.now()),
            "aibotid": self.world.bot_id,
            "from": {"userid": self.shown_id},
            "msgtype": "event",
            "event": {"eventtype": kind, kind: more} if more else {"eventtype": kind},
        }
        if talk is not None:
            group = talk in self.world.groups
            body["chattype"] = "group" if group else "single"
            if group:
                body["chatid"] = talk
        return {"cmd": "aibot_event_callback", "headers": {"req_id": req.id}, "body": body}

    def opens(self) -> bool:
        """Enters the private talk; the bot is told once a day."""
        with self.world.changed:
            day = time.strftime("%Y%m%d", time.gmtime(self.world.clock.now() + 8 * 3600))
            if self.entered == day:
                return False
            self.entered = day
            if self.world.enter_activates:
                self.world.talk(self.id).activated_at = self.world.clock.now()
            req = self.world.new_req("enter", self.id, self.id)
            return self.world.emit(self._event(req, "enter_chat", {}, None), False)


def click(message: Message, key: str, options: list[str]) -> Json:
    card = message.card or {}
    told: Json = {"card_type": card.get("card_type"), "event_key": key, "task_id": message.task_id}
    if options or card.get("card_type") in ("vote_interaction", "multiple_interaction"):
        question = (card.get("checkbox") or (card.get("select_list") or [{}])[0]).get("question_key", "q")
        items = [{"question_key": question, "option_ids": {"option_id": options}}] if options else []
        told["selected_items"] = {"selected_item": items}
    return told


def find(card: Json, label: str) -> str:
    """The key behind a label: exactly it, else the only one that begins with it, else the only one that has it."""
    for test in (str.__eq__, str.startswith, str.__contains__):
        found = [key for shown, key in choices(card) if test(shown, label)]
        if len(found) == 1:
            return found[0]
    raise LookupError(f"no one button {label!r} among {[shown for shown, _ in choices(card)]}")


def encrypted(data: bytes, key: bytes) -> bytes:
    """As the platform stores files: AES-256-CBC, the IV from the key, padded to 32."""
    pad = 32 - len(data) % 32
    box: Any = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return bytes(box.update(data + bytes([pad]) * pad) + box.finalize())

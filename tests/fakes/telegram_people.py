"""The people side: what a person types, taps and sends, and what they see. A test drives these."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.fakes.telegram_chats import Chat, Group, Private, member
from tests.fakes.telegram_text import with_found
from tests.fakes.telegram_world import Json, Message

if TYPE_CHECKING:
    from tests.fakes.telegram_world import World


class Press:
    """A tap on a button, until and after the bot answers it."""

    def __init__(self, world: World, id: str, person: Person, message: Message, data: str, label: str = "") -> None:
        self.world, self.id, self.person, self.message, self.data, self.label = world, id, person, message, data, label
        self.at = world.clock.now()
        self.update_id: int | None = None
        self.answered = False
        self.toast: str | None = None  # None until answered; "" when answered without words
        self.alert = False
        self.url = ""

    def wait(self, timeout: float = 5.0) -> str:
        """The toast, as soon as it is there."""
        self.world.wait(
            lambda: self.answered, timeout, f"an answer to {self.person.name}'s press of {self.label or self.data!r}"
        )
        return self.toast or ""


class Person:
    """Somebody with a Telegram account."""

    def __init__(self, world: World, id: int, name: str, username: str | None = None) -> None:
        self.world, self.id, self.name, self.username = world, id, name, username
        self.private = Private(world, self)
        self.started = self.blocked = self.deactivated = False

    def as_dict(self) -> Json:
        told: Json = {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "zh-hans"}
        return told | ({"username": self.username} if self.username else {})

    @property
    def inbox(self) -> list[Message]:
        """What the bot has in this person's private chat now."""
        return self.private.from_bot

    # words

    def starts(self, payload: str = "") -> Message:
        """Opens the bot (by a link t.me/bot?start=payload) and presses Start; also unblocks it."""
        with self.world.changed:
            if self.blocked:
                self.unblocks()
            self.started = True
            return self.says(f"/start {payload}".strip())

    def says(
        self, text: str, in_: Chat | None = None, reply_to: Message | None = None, entities: list[Json] | None = None
    ) -> Message:
        with self.world.changed:
            chat = self._place(in_ or (reply_to.chat if reply_to else None))
            message = self.world.new_message(
                chat, self.as_dict(), text=text, entities=with_found(text, entities or []), reply_to=reply_to
            )
            self._deliver("message", message)
            return message

    def edits(self, message: Message, text: str) -> Message:
        with self.world.changed:
            assert message.sender["id"] == self.id, "one can only edit one's own message"
            message.text, message.entities = text, with_found(text, [])
            message.edit_date = int(self.world.clock.now())
            message.edits += 1
            message.versions.append(text)
            self._deliver("edited_message", message)
            return message

    def sends_document(
        self,
        name: str,
        data: bytes,
        caption: str = "",
        in_: Chat | None = None,
        reply_to: Message | None = None,
        mime: str = "",
    ) -> Message:
        with self.world.changed:
            kind = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
            file_id = self.world.store_file(data, name, kind)
            message = self.world.new_message(
                self._place(in_ or (reply_to.chat if reply_to else None)),
                self.as_dict(),
                text=caption,
                entities=with_found(caption, []),
                reply_to=reply_to,
                extra={"document": self.world.document(file_id)},
            )
            self._deliver("message", message)
            return message

    def _place(self, chat: Chat | None) -> Chat:
        if chat is None or isinstance(chat, Private):
            self.started = True
            if self.blocked:
                self.unblocks()
            return self.private
        assert isinstance(chat, Group)
        assert chat.successor is None, "this group has been upgraded; people write in its successor"
        if self.members_status(chat) in ("left", "kicked"):
            chat.add(self)
        return chat

    def members_status(self, chat: Group) -> str:
        return chat.members.get(self.id, "left")

    def _deliver(self, kind: str, message: Message) -> None:
        self.world.diary.note(
            "said", chat=message.chat.id, message=message.id, by=self.id, text=message.text, edited=kind != "message"
        )
        if self._bot_hears(message):
            self.world.emit(kind, message.as_dict())
        else:
            self.world.touch()

    def _bot_hears(self, message: Message) -> bool:
        chat = message.chat
        if not isinstance(chat, Group):
            return True
        if chat.bot_status in ("kicked", "left"):
            return False
        if not chat.privacy or chat.bot_status == "administrator":
            return True
        if message.reply_to is not None and message.reply_to.from_bot:
            return True
        return any(self._meant_for_bot(message.text, e) for e in message.entities)

    def _meant_for_bot(self, text: str, entity: Json) -> bool:
        piece = text.encode("utf-16-le")[entity["offset"] * 2 : (entity["offset"] + entity["length"]) * 2].decode(
            "utf-16-le"
        )
        own = f"@{self.world.username}".lower()
        if entity["type"] == "bot_command":
            return "@" not in piece or piece.lower().endswith(own)
        if entity["type"] == "mention":
            return self.world.privacy_hears_mentions and piece.lower() == own
        return False

    # taps

    def presses(self, where: Message | str, label: str) -> Press:
        """Taps the button with that label on a message, or on the newest message of the bot with that text in it."""
        with self.world.changed:
            message = self.sees(where) if isinstance(where, str) else where
            name, data = find_button(message, label)
            if data is None:
                raise LookupError(f"{name!r} is a link button; nothing is sent to the bot")
            return self._press(message, data, name)

    def forges(self, message: Message, data: str) -> Press:
        """Sends callback data that no button carries (a modified client can), also for a message already gone."""
        with self.world.changed:
            return self._press(message, data, "")

    def _press(self, message: Message, data: str, label: str) -> Press:
        number = str(self.world.random.getrandbits(62))
        press = Press(self.world, number, self, message, data, label)
        self.world.presses[number] = press
        gone = {"chat": message.chat.as_dict(), "message_id": message.id, "date": 0}
        body = {
            "id": number,
            "from": self.as_dict(),
            "message": gone if message.deleted else message.as_dict(),
            "chat_instance": str(abs(message.chat.id) * 7919 + 1),
            "data": data,
        }
        press.update_id = self.world.emit("callback_query", body, lives=self.world.press_lives)
        facts = {
            "press": number,
            "update_id": press.update_id,
            "by": self.id,
            "chat": message.chat.id,
            "message": message.id,
        }
        self.world.diary.note("pressed", **facts, data=data, label=label)
        return press

    def sees(self, text: str, in_: Chat | None = None) -> Message:
        """The newest message of the bot with that text in it, in the private chat or a group this person is in."""
        with self.world.changed:
            groups = [
                c
                for c in self.world.chats.values()
                if isinstance(c, Group) and self.members_status(c) not in ("left", "kicked")
            ]
            chats: Iterable[Chat] = [in_] if in_ else [self.private, *groups]
            found = [m for chat in chats for m in chat.from_bot if text in m.text]
            if not found:
                raise LookupError(f"{self.name} sees no message of the bot with {text!r}; {self.world.story()}")
            return max(found, key=lambda m: (m.date, m.edit_date, m.id))

    def reacts(self, message: Message, *emoji: str) -> None:
        """Sets the reactions (none = takes them back). The bot hears of it only if it asked, and as a group's admin."""
        with self.world.changed:
            before = message.reactions.get(self.id, [])
            after: list[Json] = [{"type": "emoji", "emoji": e} for e in emoji]
            message.reactions[self.id] = after
            body: Json = {"chat": message.chat.as_dict(), "message_id": message.id, "user": self.as_dict()}
            body |= {"date": int(self.world.clock.now()), "old_reaction": before, "new_reaction": after}
            if not isinstance(message.chat, Group) or message.chat.bot_status == "administrator":
                self.world.emit("message_reaction", body)

    # coming and going

    def blocks(self) -> None:
        self._standing(True)

    def unblocks(self) -> None:
        self._standing(False)

    def _standing(self, blocked: bool) -> None:
        with self.world.changed:
            words = {False: "member", True: "kicked"}
            before, self.blocked = self.blocked, blocked
            bot = self.world.bot_user()
            body: Json = {"chat": self.private.as_dict(), "from": self.as_dict(), "date": int(self.world.clock.now())}
            body |= {"old_chat_member": member(bot, words[before]), "new_chat_member": member(bot, words[blocked])}
            self.world.emit("my_chat_member", body)

    def deletes_account(self) -> None:
        with self.world.changed:
            self.deactivated = True
            self.world.touch()


def find_button(message: Message, label: str) -> tuple[str, str | None]:
    """Exactly that label; else the only one that begins with it; else the only one that has it in it."""
    buttons: list[tuple[str, Any]] = [b for row in message.buttons for b in row]
    for test in (str.__eq__, str.startswith, str.__contains__):
        found = [b for b in buttons if test(b[0], label)]
        if len(found) == 1:
            return found[0]
    raise LookupError(f"no one button {label!r} on {message!r}")

"""The Bot API methods, as strict as the real ones. Sentences of refusal follow telegram-bot-api's own source."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.fakes.telegram_chats import Chat, Group, Private, member
from tests.fakes.telegram_content import Content
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_params import Params, Refused, bad
from tests.fakes.telegram_world import Json, Message, World

MEGABYTE = 1 << 20
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
REACTIONS = set(
    "👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻👀🎃🙈😇😨🤝✍🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾🤷😡"
)


class Methods:
    """One public-by-table function per Bot API method; getUpdates and the webhook methods belong to the server."""

    def __init__(self, world: World, limits: Limits) -> None:
        self.world, self.limits, self.content = world, limits, Content(world)
        self.table: dict[str, Callable[[Params], Any]] = {
            "getme": self.get_me,
            "getchat": self.get_chat,
            "getchatmember": self.get_chat_member,
            "getchatmembercount": lambda p: len(self._members(self._group(p))),
            "getchatadministrators": self.get_administrators,
            "sendmessage": self.send_message,
            "senddocument": self.send_document,
            "sendchataction": self.send_chat_action,
            "editmessagetext": self.edit_text,
            "editmessagecaption": self.edit_caption,
            "editmessagereplymarkup": self.edit_markup,
            "deletemessage": self.delete_message,
            "answercallbackquery": self.answer_callback,
            "getfile": self.get_file,
            "setmycommands": self.set_commands,
            "getmycommands": lambda p: self.world.commands,
            "deletemycommands": lambda p: self._forget_commands(),
            "setmessagereaction": self.set_reaction,
            "pinchatmessage": self.pin,
            "unpinchatmessage": self.unpin,
            "leavechat": self.leave,
            "logout": lambda p: True,
            "close": lambda p: True,
        }

    def call(self, method: str, params: Params) -> Any:
        """Raises Refused. Call under the world's lock."""
        return self.table[method](params)

    # who and where

    def get_me(self, p: Params) -> Json:
        return self.world.bot_user() | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self.world.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
            "allows_users_to_create_topics": False,
            "can_manage_bots": False,
        }

    def _chat(self, p: Params, name: str = "chat_id") -> Chat:
        given = p.text(name)
        if not given:
            raise bad(f"{name} is empty")
        if given.startswith("@"):
            found = [c for c in self.world.chats.values() if isinstance(c, Group) and f"@{c.username}" == given]
            if found:
                return found[0]
            raise bad("chat not found")
        try:
            number = int(given)
        except ValueError:
            raise bad("chat not found") from None
        if number in self.world.chats:
            return self.world.chats[number]
        if number in self.world.people:
            return self.world.people[number].private
        raise bad("chat not found")

    def _group(self, p: Params) -> Group:
        chat = self._chat(p)
        if not isinstance(chat, Group):
            raise bad("there are no administrators in the private chat")
        self._may_enter(chat, write=False)
        return chat

    def _may_enter(self, chat: Chat, write: bool) -> None:
        if isinstance(chat, Group):
            if chat.successor is not None and write:
                raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.successor.id)
            if chat.bot_status == "kicked":
                raise Refused(403, f"Forbidden: bot was kicked from the {chat.kind} chat")
            if chat.bot_status == "left":
                raise Refused(403, f"Forbidden: bot is not a member of the {chat.kind} chat")
        elif isinstance(chat, Private) and write:
            if chat.person.deactivated:
                raise Refused(403, "Forbidden: user is deactivated")
            if chat.person.blocked:
                raise Refused(403, "Forbidden: bot was blocked by the user")
            if not chat.person.started:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")

    def get_chat(self, p: Params) -> Json:
        chat = self._chat(p)
        if isinstance(chat, Private) and not chat.person.started:
            raise bad("chat not found")
        self._may_enter(chat, write=False)
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        told = chat.as_dict() | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }
        if chat.messages and (pinned := [m for m in chat.messages if m.pinned]):
            told["pinned_message"] = pinned[-1].as_dict(with_reply=False)
        return told

    def _members(self, group: Group) -> dict[int, str]:
        known = {i: s for i, s in group.members.items() if s not in ("left", "kicked")}
        return known | {self.world.bot_id: group.bot_status}

    def _member(self, group: Group, number: int) -> Json:
        if number == self.world.bot_id:
            return member(self.world.bot_user(), group.bot_status)
        if number not in self.world.people:
            raise bad("user not found")
        return member(self.world.people[number].as_dict(), group.members.get(number, "left"))

    def get_chat_member(self, p: Params) -> Json:
        chat = self._chat(p)
        self._may_enter(chat, write=False)
        if isinstance(chat, Private):
            return member(chat.person.as_dict(), "member")
        assert isinstance(chat, Group)
        return self._member(chat, p.integer("user_id"))

    def get_administrators(self, p: Params) -> list[Json]:
        group = self._group(p)
        return [self._member(group, i) for i, s in self._members(group).items() if s in ("creator", "administrator")]

    # what is said

    def _reply_to(self, p: Params, chat: Chat) -> Message | None:
        given = p.json("reply_parameters", "can't parse reply parameters JSON object") or {}
        number = int(given.get("message_id") or p.integer("reply_to_message_id"))
        if not number:
            return None
        message = chat.book.get(number)
        if message is None or message.deleted:
            if given.get("allow_sending_without_reply") or p.flag("allow_sending_without_reply"):
                return None
            raise bad("message to be replied not found")
        return message

    def _pay(self, chat: Chat, edit: bool = False) -> None:
        wait = self.limits.ask(chat.id, edit)
        if wait:
            raise Refused(429, f"Too Many Requests: retry after {wait}", retry_after=wait)

    def _post(self, chat: Chat, **more: Any) -> Json:
        message = self.world.new_message(chat, self.world.bot_user(), **more)
        facts = {"document": message.document["file_name"]} if message.document else {}
        self.world.diary.note(
            "message", chat=chat.id, message=message.id, text=message.text, buttons=message.buttons, **facts
        )
        self.world.touch()
        return message.as_dict()

    def send_message(self, p: Params) -> Json:
        text, entities = self.content.text(p)
        markup = self.content.markup(p)
        chat = self._chat(p)
        self._may_enter(chat, write=True)
        reply_to = self._reply_to(p, chat)
        self._pay(chat)
        return self._post(chat, text=text, entities=entities, markup=markup, reply_to=reply_to)

    def send_document(self, p: Params) -> Json:
        caption, entities = self.content.caption(p)
        markup = self.content.markup(p)
        chat = self._chat(p)
        self._may_enter(chat, write=True)
        reply_to = self._reply_to(p, chat)
        file_id = self._sent_file(p)
        self._pay(chat)
        extra = {"document": self.world.document(file_id)}
        return self._post(chat, text=caption, entities=entities, markup=markup, reply_to=reply_to, extra=extra)

    def _sent_file(self, p: Params) -> str:
        given = p.text("document")
        upload = (
            p.files.get(given.removeprefix("attach://")) if given.startswith("attach://") else p.files.get("document")
        )
        if upload is None:
            if not given:
                raise bad("there is no document in the request")
            if given not in self.world.files:
                raise bad("wrong remote file identifier specified: can't unserialize it. Wrong last symbol")
            return given
        if not upload.data:
            raise bad("file must be non-empty")
        if len(upload.data) > 50 * MEGABYTE:
            raise Refused(413, "Request Entity Too Large")
        return self.world.store_file(upload.data, upload.name, upload.mime)

    def send_chat_action(self, p: Params) -> bool:
        self._may_enter(self._chat(p), write=True)
        if not p.text("action"):
            raise bad("wrong parameter action in request")
        return True

    # what was said

    def _message(self, p: Params, what: str, write: bool = False) -> Message:
        chat = self._chat(p)
        if isinstance(chat, Private) and not chat.person.started:
            raise bad("chat not found")
        self._may_enter(chat, write=write or isinstance(chat, Private))
        message = chat.book.get(p.integer("message_id"))
        if message is None or message.deleted:
            raise bad(f"{what} not found")
        return message

    def _own(self, p: Params) -> Message:
        message = self._message(p, "message to edit")
        if message.sender["id"] != self.world.bot_id or (
            isinstance(message.chat, Group) and message.chat.successor is not None
        ):
            raise bad("message can't be edited")
        return message

    def edit_text(self, p: Params) -> Json:
        text, entities = self.content.text(p)
        markup = self.content.markup(p, inline_only=True)
        message = self._own(p)
        if message.document is not None:
            raise bad("there is no text in the message to edit")
        return self._edit(message, text, entities, markup)

    def edit_caption(self, p: Params) -> Json:
        text, entities = self.content.caption(p)
        markup = self.content.markup(p, inline_only=True)
        message = self._own(p)
        if message.document is None:
            raise bad("there is no caption in the message to edit")
        return self._edit(message, text, entities, markup)

    def edit_markup(self, p: Params) -> Json:
        markup = self.content.markup(p, inline_only=True)
        message = self._own(p)
        return self._edit(message, message.text, message.entities, markup)

    def _edit(self, message: Message, text: str, entities: list[Json], markup: Json | None) -> Json:
        """Without reply_markup the keyboard goes away, as in reality."""
        if (text, entities, markup) == (message.text, message.entities, message.markup):
            raise bad(NOT_MODIFIED)
        self._pay(message.chat, edit=True)
        message.text, message.entities, message.markup = text, entities, markup
        message.edits += 1
        message.versions.append(text)
        message.edit_date = int(self.world.clock.now())
        self.world.diary.note("edit", chat=message.chat.id, message=message.id, text=text, buttons=message.buttons)
        self.world.touch()
        return message.as_dict()

    def delete_message(self, p: Params) -> bool:
        message = self._message(p, "message to delete", write=True)
        chat = message.chat
        mine = message.sender["id"] == self.world.bot_id
        ruler = isinstance(chat, Private) or (isinstance(chat, Group) and chat.bot_status == "administrator")
        if not mine and not ruler:
            raise bad("message can't be deleted")
        if mine and not ruler and self.world.clock.now() - message.date > 48 * 3600:
            raise bad("message can't be deleted for everyone")
        message.deleted = True
        self.world.diary.note("delete", chat=chat.id, message=message.id)
        self.world.touch()
        return True

    def answer_callback(self, p: Params) -> bool:
        press = self.world.presses.get(p.text("callback_query_id"))
        if len(p.text("text")) > 200:
            raise bad("MESSAGE_TOO_LONG")
        late = press is not None and self.world.clock.now() - press.at > self.world.callback_age_limit
        if press is None or late or press.answered:
            known = {"by": press.person.id, "update_id": press.update_id} if press else {}
            again = bool(press and press.answered)
            self.world.diary.note(
                "unheard", press=p.text("callback_query_id"), text=p.text("text"), again=again, **known
            )
            raise bad("query is too old and response timeout expired or query ID is invalid")
        press.toast, press.alert, press.url = p.text("text"), p.flag("show_alert"), p.text("url")
        press.answered = True
        facts = {"press": press.id, "update_id": press.update_id, "by": press.person.id, "data": press.data}
        self.world.diary.note("toast", **facts, text=press.toast, alert=press.alert)
        self.world.touch()
        return True

    # the rest

    def get_file(self, p: Params) -> Json:
        file_id = p.text("file_id")
        if file_id not in self.world.files:
            raise bad("wrong file_id or the file is temporarily unavailable")
        told = self.world.document(file_id)
        if told["file_size"] > 20 * MEGABYTE:
            raise bad("file is too big")
        wanted = ("file_id", "file_unique_id", "file_size")
        return {k: told[k] for k in wanted} | {"file_path": self.world.files[file_id].path}

    def set_commands(self, p: Params) -> bool:
        commands = p.json("commands", "can't parse commands JSON object") or []
        if len(commands) > 100:
            raise bad("BOT_COMMANDS_TOO_MUCH")
        for c in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", c.get("command", "").lstrip("/")):
                raise bad("BOT_COMMAND_INVALID")
            if not 1 <= len(c.get("description", "")) <= 256:
                raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        self.world.commands = [{"command": c["command"].lstrip("/"), "description": c["description"]} for c in commands]
        return True

    def _forget_commands(self) -> bool:
        self.world.commands = []
        return True

    def set_reaction(self, p: Params) -> bool:
        message = self._message(p, "message to react")
        wanted = p.json("reaction", "can't parse reaction types JSON object") or []
        if len(wanted) > 1:
            raise bad("REACTIONS_TOO_MANY")
        if any(
            r.get("emoji", "").replace("\ufe0f", "")[:1] not in REACTIONS for r in wanted if r.get("type") == "emoji"
        ):
            raise bad("REACTION_INVALID")
        message.reactions[self.world.bot_id] = wanted
        self.world.diary.note("reaction", chat=message.chat.id, message=message.id, reaction=wanted)
        self.world.touch()
        return True

    def _may_pin(self, chat: Chat) -> None:
        if isinstance(chat, Group) and chat.bot_status != "administrator":
            raise bad("not enough rights to manage pinned messages in the chat")

    def pin(self, p: Params) -> bool:
        """The bot gets the service message about its own pin, as the real server does."""
        message = self._message(p, "message to pin", write=True)
        self._may_pin(message.chat)
        message.pinned = True
        service = self.world.new_message(
            message.chat, self.world.bot_user(), extra={"pinned_message": message.as_dict(with_reply=False)}
        )
        self.world.diary.note("pin", chat=message.chat.id, message=message.id)
        self.world.emit("message", service.as_dict())
        return True

    def unpin(self, p: Params) -> bool:
        chat = self._chat(p)
        self._may_enter(chat, write=True)
        self._may_pin(chat)
        wanted = p.integer("message_id")
        pinned = [m for m in chat.messages if m.pinned and wanted in (0, m.id)]
        if not pinned:
            raise bad("message to unpin not found")
        pinned[-1].pinned = False
        self.world.touch()
        return True

    def leave(self, p: Params) -> bool:
        chat = self._chat(p)
        if not isinstance(chat, Group):
            raise bad("can't leave private chats")
        self._may_enter(chat, write=True)
        chat._bot_becomes("left", None)
        return True

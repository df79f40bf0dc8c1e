"""The places people write in: private chats and groups, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fakes.telegram_world import Json, Message

if TYPE_CHECKING:
    from tests.fakes.telegram_people import Person
    from tests.fakes.telegram_world import World

RIGHTS = (
    "is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
    "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories "
    "can_pin_messages can_manage_topics can_send_welcome_messages"
).split()


class Chat:
    """A place with messages in it."""

    def __init__(self, world: World, id: int, kind: str, title: str) -> None:
        self.world, self.id, self.kind, self.title = world, id, kind, title
        self.book: dict[int, Message] = {}
        self.last_message = 0

    @property
    def messages(self) -> list[Message]:
        """Everything people can read here, oldest first."""
        with self.world.changed:
            return [m for m in self.book.values() if not m.deleted]

    @property
    def from_bot(self) -> list[Message]:
        return [m for m in self.messages if m.from_bot]

    def as_dict(self) -> Json:
        raise NotImplementedError


class Private(Chat):
    def __init__(self, world: World, person: Person) -> None:
        super().__init__(world, person.id, "private", person.name)
        self.person = person

    def as_dict(self) -> Json:
        told = {"id": self.id, "type": "private", "first_name": self.person.name}
        return told | ({"username": self.person.username} if self.person.username else {})


class Group(Chat):
    """A group chat. `privacy` is the bot's privacy mode at the time it came in: switching needs a new invitation."""

    def __init__(self, world: World, id: int, title: str, supergroup: bool, username: str | None = None) -> None:
        super().__init__(world, id, "supergroup" if supergroup else "group", title)
        self.username = username
        self.members: dict[int, str] = {}  # person -> creator | administrator | member | left | kicked
        self.bot_status = "member"
        self.privacy = world.privacy
        self.successor: Group | None = None

    def as_dict(self) -> Json:
        told = {"id": self.id, "type": self.kind, "title": self.title}
        return told | ({"username": self.username} if self.username else {})

    def add(self, *people: Person, status: str = "member") -> None:
        """Puts people in without a word (they were there before the bot)."""
        with self.world.changed:
            for person in people:
                self.members[person.id] = status

    def joins(self, *people: Person, by: Person | None = None) -> Message:
        with self.world.changed:
            first = by or people[0]
            message = self.world.new_message(
                self, first.as_dict(), extra={"new_chat_members": [p.as_dict() for p in people]}
            )
            for person in people:
                before = self.members.get(person.id, "left")
                self.members[person.id] = "member"
                self._tell_member(person, first, before, "member")
            self.world.emit("message", message.as_dict())
            return message

    def leaves(self, person: Person) -> Message:
        with self.world.changed:
            before = self.members.get(person.id, "member")
            self.members[person.id] = "left"
            message = self.world.new_message(self, person.as_dict(), extra={"left_chat_member": person.as_dict()})
            self.world.emit("message", message.as_dict())
            self._tell_member(person, person, before, "left")
            return message

    def _tell_member(self, person: Person, by: Person, before: str, after: str) -> None:
        if self.bot_status == "administrator":
            self.world.emit("chat_member", self._change(by.as_dict(), person.as_dict(), before, after))

    def _change(self, by: Json, user: Json, before: str, after: str) -> Json:
        return {
            "chat": self.as_dict(),
            "from": by,
            "date": int(self.world.clock.now()),
            "old_chat_member": member(user, before),
            "new_chat_member": member(user, after),
        }

    def _bot_becomes(self, status: str, by: Person | None) -> None:
        before, self.bot_status = self.bot_status, status
        who = (
            by.as_dict()
            if by
            else {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
        )
        self.world.emit("my_chat_member", self._change(who, self.world.bot_user(), before, status))

    def kicks_bot(self, by: Person | None = None) -> None:
        with self.world.changed:
            self._bot_becomes("kicked", by)

    def readds_bot(self, by: Person | None = None) -> None:
        """Invites the bot (again); only now does a changed privacy mode hold here."""
        with self.world.changed:
            self.privacy = self.world.privacy
            self._bot_becomes("member", by)
            adder = by.as_dict() if by else self.world.bot_user()
            message = self.world.new_message(self, adder, extra={"new_chat_members": [self.world.bot_user()]})
            self.world.emit("message", message.as_dict())

    def makes_bot_admin(self, by: Person | None = None) -> None:
        with self.world.changed:
            self._bot_becomes("administrator", by)

    def upgrades(self, by: Person | None = None, new_id: int | None = None, told: str = "old first") -> Group:
        """A basic group becomes a supergroup. `told`: "old first", "new first", or "later" (call tell_upgrade)."""
        assert self.kind == "group" and self.successor is None, "only a basic group can be upgraded, and only once"
        with self.world.changed:
            number = new_id or -1_000_000_000_000 - self.world.random.randint(1_000_000_000, 2_000_000_000)
            successor = Group(self.world, number, self.title, supergroup=True)
            successor.members = dict(self.members)
            successor.bot_status, successor.privacy = self.bot_status, self.privacy
            self.world.chats[number] = self.successor = successor
            if told != "later":
                self.tell_upgrade(by, told)
            return successor

    def tell_upgrade(self, by: Person | None = None, told: str = "old first") -> None:
        assert self.successor is not None
        with self.world.changed:
            who = (
                by.as_dict()
                if by
                else {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
            )
            old = self.world.new_message(self, who, extra={"migrate_to_chat_id": self.successor.id})
            new = self.world.new_message(self.successor, who, extra={"migrate_from_chat_id": self.id})
            for message in (old, new) if told == "old first" else (new, old):
                self.world.emit("message", message.as_dict())


def member(user: Json, status: str) -> Json:
    """A ChatMember of that status with every field the schema asks for."""
    told: Json = {"user": user, "status": status}
    if status == "creator":
        told["is_anonymous"] = False
    if status == "administrator":
        told |= {"can_be_edited": False} | {right: right != "is_anonymous" for right in RIGHTS}
    if status == "kicked":
        told["until_date"] = 0
    return told

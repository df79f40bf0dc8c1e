"""A fake Telegram Bot API: a real HTTP server on loopback, with the people behind it.

    with FakeTelegram() as fake:
        wang = fake.user("王老师")
        office = fake.group("教研组", members=[wang])
        ...start the bot with fake.token, fake.base_url, fake.base_file_url...
        wang.says("发通知 周五下午三点半", in_=office)
        press = wang.presses("教学例会", "能到")
        assert press.wait() == "已记下：能到"

Facts come from the public Bot API page and the source of tdlib/telegram-bot-api 10.0.
As a process of its own: python -m tests.fakes.telegram --port 8081 --log seen.jsonl (see telegram_control).
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec

from tests.fakes.telegram_chats import Chat, Group, Private
from tests.fakes.telegram_faults import Fault, Faults
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_people import Person, Press
from tests.fakes.telegram_server import Server
from tests.fakes.telegram_webhook import Webhook
from tests.fakes.telegram_world import Call, FakeClock, Json, Message, World

__all__ = ["Call", "Chat", "FakeClock", "FakeTelegram", "Fault", "Group", "Message", "Person", "Press", "Private"]
TOKEN = "7000000001:AAFake-token-of-the-school-office-bot_12"


class FakeTelegram(World):
    """One bot and its world. Everything public may be called from any thread."""

    def __init__(
        self,
        token: str = TOKEN,
        *,
        name: str = "红烛",
        username: str = "hongzhu_bot",
        port: int = 0,
        privacy: bool = False,
        limits: str = "off",
        latency: float = 0.0,
        strict_schema: bool = False,
        seed: int | None = 1,
        log: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(token, name, username, privacy, seed, log)
        self.strict_schema = strict_schema
        if strict_schema:
            importlib.import_module("aiogram.types")  # now, not while a client waits: it takes seconds
        self.limits = Limits(mode=limits)
        self.faults = Faults()
        self.server = Server(self, self.limits, self.faults, port)
        self.server.latency = latency
        self.server.control_target = self

    # life

    def start(self) -> FakeTelegram:
        self.server.start()
        return self

    def stop(self) -> None:
        """The server goes away (connections refused); the world stays and may be started again on the same port."""
        self.server.stop()

    def __enter__(self) -> FakeTelegram:
        return self.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self.stop()
        self.diary.close()
        if kind is None and self.server.mistakes:
            raise AssertionError("the fake itself made a mistake") from self.server.mistakes[0]

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """For python-telegram-bot: base_url=fake.base_url."""
        return f"{self.url}/bot"

    @property
    def base_file_url(self) -> str:
        return f"{self.url}/file/bot"

    # people

    def user(self, name: str, id: int | None = None, username: str | None = None, started: bool = False) -> Person:
        with self.changed:
            number = id or 100_000_001 + len(self.people)
            assert number not in self.people, f"there is a person {number} already"
            person = self.people[number] = Person(self, number, name, username)
            person.started = started
            return person

    def group(
        self, title: str, id: int | None = None, supergroup: bool = True, members: list[Person] | None = None,
        username: str | None = None, bot_admin: bool = False,
    ) -> Group:  # fmt: skip
        with self.changed:
            number = id or (-1_001_000_000_001 - len(self.chats) if supergroup else -4_000_001 - len(self.chats))
            assert number not in self.chats, f"there is a chat {number} already"
            group = self.chats[number] = Group(self, number, title, supergroup, username)
            group.bot_status = "administrator" if bot_admin else "member"
            group.add(*(members or []))
            return group

    def push(self, update: Json, lives: float = 86400.0) -> int:
        """Queues anything at all as an update, unfiltered and unchecked; gets an update_id unless it brings one."""
        with self.changed:
            number = self.queue.add_raw(update, lives)
            self.touch()
            self.wake()
            return number

    # trouble

    @property
    def latency(self) -> float | Callable[[str], float]:
        """Seconds before every call takes effect: a number, or a function of the method's name in lower case."""
        return self.server.latency

    @latency.setter
    def latency(self, seconds: float | Callable[[str], float]) -> None:
        self.server.latency = seconds

    def fault(self, method: str = "*", **more: Any) -> Fault:
        """fault("sendMessage", status=502, times=3) · fault("sendMessage", cut="after") · fault(hang=True)."""
        with self.changed:
            return self.faults.add(Fault(method, **more))

    def release(self, fault: Fault) -> None:
        """Ends a hang, also one that has not begun."""
        fault.hang = 0.001
        loop = self.server.loop
        if loop is not None and fault.released is not None:
            loop.call_soon_threadsafe(fault.released.set)

    def clear_faults(self) -> None:
        with self.changed:
            self.faults.clear()

    # inspecting

    @property
    def webhook(self) -> Webhook:
        return self.server.webhook

    @property
    def pending(self) -> int:
        with self.changed:
            return self.queue.size()

    @property
    def confirmed_offset(self) -> int:
        """One more than the highest confirmed update_id; 0 = nothing was confirmed."""
        return self.queue.confirmed + 1 if self.queue.confirmed else 0

    @property
    def is_polled(self) -> bool:
        return self.server.polling is not None

    def calls_of(self, *methods: str) -> list[Call]:
        wanted = {m.lower() for m in methods}
        with self.changed:
            return [c for c in self.calls if c.method.lower() in wanted]

    def quiet(self, still: float = 0.05, timeout: float = 5.0) -> None:
        """Returns when the bot has confirmed everything, listens again, and nothing has moved for `still` seconds."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while True:
                self.wait(self._at_rest, deadline - time.monotonic(), "the bot to come to rest")
                version = self.version
                if not self.changed.wait_for(lambda: self.version != version, still):  # noqa: B023
                    return

    def _at_rest(self) -> bool:
        waiting = 1 if self.is_polled else 0
        return self.queue.size() == 0 and self.in_flight == waiting and (self.is_polled or bool(self.webhook.url))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", help="append what people saw, one JSON object a line")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--limits", default="off", choices=["off", "strict", "lenient"])
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--privacy", action="store_true")
    given = parser.parse_args(arguments)
    fake = FakeTelegram(
        given.token, port=given.port, limits=given.limits, latency=given.latency, privacy=given.privacy, log=given.log
    )
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with fake:
        sys.stdout.write(msgspec.json.encode({"port": fake.port, "token": fake.token}).decode() + "\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()

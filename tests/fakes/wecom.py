"""A fake WeCom: a real server on loopback, with the people behind it.

    with FakeWecom() as fake:
        wang = fake.user("wanglaoshi", "王老师")
        room = fake.group("教研组", members=[wang])
        ...start the bot with fake.bot_id, fake.secret, fake.ws_url...
        wang.says("发通知 周五下午三点半", in_=room)
        press = wang.presses("教学例会", "能到")
        assert "已记下" in press.wait()

Its rules are section 11 of the platform's reference; what nobody could verify (section 15) is a switch on ``World``.
As a process of its own: python -m tests.fakes.wecom --port 8082 --log seen.jsonl (see wecom_control).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from typing import Any

import msgspec
from aiohttp import web

from tests.fakes.telegram_world import FakeClock
from tests.fakes.wecom_control import control
from tests.fakes.wecom_faults import Fault, Faults
from tests.fakes.wecom_http import Http
from tests.fakes.wecom_people import Group, Person, Press
from tests.fakes.wecom_server import Server
from tests.fakes.wecom_world import Call, Json, Message, World

__all__ = ["Call", "FakeClock", "FakeWecom", "Fault", "Group", "Message", "Person", "Press"]
BOT_ID, SECRET = "aibFAKEbotOfTheSchool", "long-connection-secret-0123456789abcdef"


class FakeWecom(World):
    """One corp with one bot, one application and group webhooks. Everything public may be called from any thread."""

    def __init__(
        self,
        bot_id: str = BOT_ID,
        secret: str = SECRET,
        *,
        name: str = "红烛",
        corp_id: str = "wwcorp0000000001",
        port: int = 0,
        seed: int | None = 1,
        log: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(bot_id, secret, name, corp_id, seed, log)
        self.faults = Faults()
        self.server = Server(self, self.faults, port)
        self.http = Http(self, self.faults)
        self.server.routes = [*self.http.routes(), ("POST", "/_control/{verb}", self._control)]

    async def _control(self, request: web.Request) -> web.Response:
        return await control(self, request)

    def start(self) -> FakeWecom:
        self.server.start()
        return self

    def stop(self) -> None:
        """The server goes away; the world stays and may be started again on the same port."""
        self.server.stop()

    def __enter__(self) -> FakeWecom:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.diary.close()

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def bot(self) -> Any:
        return self.server.bot

    # people

    def user(self, id: str, name: str = "", *, known: bool = False) -> Person:
        """``known``: has written to the bot before, so that it may write first."""
        with self.changed:
            assert id not in self.people, f"there is a person {id} already"
            person = self.people[id] = Person(self, id, name or id)
            if known:
                self.talk(id).activated_at = self.clock.now()
            return person

    def group(
        self, title: str, id: str | None = None, members: list[Person] | None = None, known: bool = False
    ) -> Group:
        with self.changed:
            number = id or f"wrGROUP{len(self.groups) + 1:04d}{title.encode().hex()[:8]}"
            group = self.groups[number] = Group(self, number, title)
            group.add(*(members or []))
            if known:
                self.talk(number).activated_at = self.clock.now()
            return group

    def app_click(self, person: Person, message: Message, key: str, options: list[str]) -> Press:
        return self.http.app.click(person, message, key, options)

    # trouble

    def fault(self, cmd: str = "*", **more: Any) -> Fault:
        """fault("aibot_send_msg", errcode=45009) · fault("aibot_send_msg", lose="ack") · fault(close="cut")."""
        with self.changed:
            return self.faults.add(Fault(cmd, **more))

    def clear_faults(self) -> None:
        with self.changed:
            self.faults.clear()

    @property
    def connected(self) -> bool:
        return self.server.live is not None

    def close(self, how: str = "clean") -> None:
        """Ends the live connection: "clean" (1000), "cut" (1006), "kick" (as if another had subscribed)."""
        self._on_loop(self._close, how)

    async def _close(self, how: str) -> None:
        connection = self.server.live
        if connection is None:
            return
        if how == "kick":
            self.server._kick(connection)
        elif how == "cut":
            connection.cut()
        else:
            await connection.close()

    def goes_deaf(self) -> None:
        """Every send answers 846609, no callback comes, pings pass: until somebody subscribes again."""
        with self.changed:
            self.server.deaf = True

    def pushes(self, frame: Json | str) -> None:
        """Any frame at all."""

        async def push() -> None:
            assert self.server.live is not None
            self.server.live.send(frame)

        self._on_loop(push)

    def _on_loop(self, work: Any, *args: Any) -> None:
        assert self.server.loop is not None
        asyncio.run_coroutine_threadsafe(work(*args), self.server.loop).result(5)

    def story_of(self, talk: str) -> list[str]:
        return [m.text_for(talk) for m in self.messages if m.talk == talk]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", help="append what people saw, one JSON object a line")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--unlimited", action="store_true")
    given = parser.parse_args(arguments)
    fake = FakeWecom(port=given.port, log=given.log)
    fake.server.latency, fake.limited = given.latency, not given.unlimited
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    with fake:
        ready = {"port": fake.port, "bot_id": fake.bot_id, "secret": fake.secret}
        sys.stdout.write(msgspec.json.encode(ready).decode() + "\n")
        sys.stdout.flush()
        over.wait()


if __name__ == "__main__":
    main()

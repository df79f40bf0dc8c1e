"""Driving the fake from another process: POST /_control/<verb> on the server, and `RemoteTelegram` for the other end.

People, groups and messages travel as small references ({"person": id}, {"chat": id}, {"chat": id, "message": id});
the same verbs exist as in one process.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from tests.fakes.telegram_chats import Chat
from tests.fakes.telegram_faults import Fault
from tests.fakes.telegram_people import Person, Press
from tests.fakes.telegram_world import Message

if TYPE_CHECKING:
    from tests.fakes.telegram import FakeTelegram
    from tests.fakes.telegram_params import Params

Json = dict[str, Any]
T = TypeVar("T")
PERSON_VERBS = {
    "starts", "says", "edits", "sends_document", "presses", "forges", "reacts", "blocks", "unblocks",
    "deletes_account", "sees",
}  # fmt: skip
GROUP_VERBS = {"add", "joins", "leaves", "kicks_bot", "readds_bot", "makes_bot_admin", "upgrades", "tell_upgrade"}
SETTINGS = {
    "mode": "limits", "global_per_second": "limits", "chat_per_second": "limits", "chat_burst": "limits",
    "group_per_minute": "limits", "edits_per_minute": "limits", "latency": "", "callback_age_limit": "",
    "press_lives": "", "privacy": "", "privacy_hears_mentions": "", "strict_schema": "",
}  # fmt: skip


# the server's end


async def control(fake: FakeTelegram, path: str, params: Params) -> tuple[int, bytes]:
    verb = path.removeprefix("/_control").strip("/") or "state"
    try:
        if verb == "wait":
            await _newer(fake, params.integer("version"), float(params.values.get("timeout", 5)))
        with fake.changed:
            result = _do(fake, verb, params.values)
            return 200, msgspec.json.encode({"ok": True, "version": fake.version, "result": result})
    except Exception as problem:  # the tester's mistake: say which
        return 400, msgspec.json.encode({"ok": False, "problem": f"{type(problem).__name__}: {problem}"})


async def _newer(fake: FakeTelegram, version: int, seconds: float) -> None:
    """Waits for a change in another thread: the lock's condition must not block the server's loop."""

    def changed() -> None:
        with fake.changed:
            fake.changed.wait_for(lambda: fake.version > version, seconds)

    await asyncio.to_thread(changed)


def _do(fake: FakeTelegram, verb: str, given: Json) -> Any:
    if verb in ("state", "wait"):
        return state(fake)
    if verb == "user":
        return pack(fake.user(**given))
    if verb == "group":
        return pack(fake.group(**(given | {"members": [unpack(fake, m) for m in given.get("members", [])]})))
    if verb == "do":
        return _act(fake, given)
    if verb == "messages":
        return [pack(m) for m in unpack(fake, given["of"]).messages]
    if verb == "press":
        return pack(fake.presses[given["id"]])
    if verb == "calls":
        return [msgspec.to_builtins(c) for c in fake.calls[int(given.get("since", 0)) :]]
    if verb == "push":
        return fake.push(given["update"])
    if verb == "fault":
        fake.faults.add(Fault(**given))
        return True
    if verb == "clear_faults":
        fake.clear_faults()
        return True
    if verb == "advance":
        fake.clock.advance(**given)
        return fake.clock.now()
    if verb == "set":
        for name, value in given.items():
            setattr(getattr(fake, SETTINGS[name]) if SETTINGS[name] else fake, name, value)
        return True
    raise LookupError(f"no control verb {verb!r}")


def _act(fake: FakeTelegram, given: Json) -> Any:
    actor = unpack(fake, given["who"])
    if given["does"] not in (PERSON_VERBS if isinstance(actor, Person) else GROUP_VERBS):
        raise LookupError(f"no verb {given['does']!r} for {actor}")
    args = [unpack(fake, a) for a in given.get("args", [])]
    return pack(getattr(actor, given["does"])(*args, **{k: unpack(fake, v) for k, v in given.get("more", {}).items()}))


def state(fake: FakeTelegram) -> Json:
    return {
        "pending": fake.pending,
        "confirmed_offset": fake.confirmed_offset,
        "in_flight": fake.in_flight,
        "polling": fake.is_polled,
        "calls": len(fake.calls),
        "refusals": fake.limits.refusals,
        "refused": dict(fake.limits.refused),
        "sent": dict(fake.limits.sent),
        "now": fake.clock.now(),
        "webhook": fake.webhook.info(),
    }


def pack(thing: Any) -> Any:
    if isinstance(thing, Message):
        told = {
            "chat": thing.chat.id,
            "message": thing.id,
            "text": thing.text,
            "buttons": thing.buttons,
            "edits": thing.edits,
        }
        return told | {
            "from_bot": thing.from_bot,
            "entities": thing.entities,
            "document": thing.document,
            "versions": thing.versions,
        }
    if isinstance(thing, Press):
        return {
            "press": thing.id,
            "answered": thing.answered,
            "toast": thing.toast,
            "alert": thing.alert,
            "update_id": thing.update_id,
        }
    if isinstance(thing, Person):
        return {"person": thing.id}
    return {"chat": thing.id} if isinstance(thing, Chat) else thing


def unpack(fake: FakeTelegram, thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    if "bytes" in thing:
        return base64.b64decode(thing["bytes"])
    if "person" in thing:
        return fake.people[thing["person"]]
    if "chat" in thing:
        chat = fake.chats.get(thing["chat"]) or fake.people[thing["chat"]].private
        return chat.book[thing["message"]] if "message" in thing else chat
    return thing


# the other end


class Remote:
    """A person or a group over there. Every verb is a call; messages come back as dictionaries to hand in again."""

    def __init__(self, fake: RemoteTelegram, ref: Json) -> None:
        self._fake, self.ref = fake, ref

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_"):
            raise AttributeError(verb)
        return lambda *args, **more: self._fake.ask(
            "do", who=self.ref, does=verb, args=[_ref(a) for a in args], more={k: _ref(v) for k, v in more.items()}
        )

    @property
    def messages(self) -> list[Json]:
        """In a group all messages; for a person those of the private chat."""
        chat = self.ref if "chat" in self.ref else {"chat": self.ref["person"]}
        found: list[Json] = self._fake.ask("messages", of=chat)
        return found

    @property
    def inbox(self) -> list[Json]:
        return [m for m in self.messages if m["from_bot"]]


def _ref(thing: Any) -> Any:
    if isinstance(thing, Remote):
        return thing.ref
    if isinstance(thing, bytes):
        return {"bytes": base64.b64encode(thing).decode()}
    return thing


class RemoteTelegram:
    """The fake in a process of its own: `with RemoteTelegram.spawn(log=path) as fake: ...`."""

    def __init__(self, port: int, token: str, process: subprocess.Popen[str] | None = None) -> None:
        self.port, self.token, self.process = port, token, process
        self.version = 0

    @classmethod
    def spawn(cls, port: int = 0, log: Path | str | None = None, *options: str) -> RemoteTelegram:
        command = [
            sys.executable,
            "-m",
            "tests.fakes.telegram",
            "--port",
            str(port),
            *(["--log", str(log)] if log else []),
            *options,
        ]
        root = Path(__file__).resolve().parents[2]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
        assert process.stdout is not None
        ready = msgspec.json.decode(process.stdout.readline())
        return cls(ready["port"], ready["token"], process)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot"

    @property
    def base_file_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/file/bot"

    def ask(self, verb: str, **given: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "POST", f"/_control/{verb}", msgspec.json.encode(given), {"Content-Type": "application/json"}
            )
            told = msgspec.json.decode(connection.getresponse().read())
        finally:
            connection.close()
        if not told["ok"]:
            raise RuntimeError(told["problem"])
        self.version = told["version"]
        return told["result"]

    def user(self, name: str, **more: Any) -> Remote:
        return Remote(self, self.ask("user", name=name, **more))

    def group(self, title: str, members: list[Remote] | None = None, **more: Any) -> Remote:
        return Remote(self, self.ask("group", title=title, members=[m.ref for m in members or []], **more))

    @property
    def state(self) -> Json:
        told: Json = self.ask("state")
        return told

    def set(self, **settings: Any) -> None:
        self.ask("set", **settings)

    def fault(self, method: str = "*", **more: Any) -> None:
        self.ask("fault", method=method, **more)

    def wait(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Looks again after every change over there."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"waited {timeout} s; {self.state}")
            self.ask("wait", version=self.version, timeout=min(left, 0.5))
        return value

    def toast(self, press: Json, timeout: float = 5.0) -> str:
        self.wait(lambda: self.ask("press", id=press["press"])["answered"], timeout)
        return str(self.ask("press", id=press["press"])["toast"])

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def __enter__(self) -> RemoteTelegram:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

"""Driving the fake from another process: POST /_control/<verb> on the server, and `RemoteWecom` for the other end.

People, groups and messages travel as small references ({"person": id}, {"group": id}, {"message": number}).
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
from aiohttp import web

from tests.fakes.wecom_faults import Fault
from tests.fakes.wecom_people import Group, Person, Press
from tests.fakes.wecom_world import Json, Message

if TYPE_CHECKING:
    from tests.fakes.wecom import FakeWecom

T = TypeVar("T")
PERSON_VERBS = {"says", "says_raw", "speaks", "sends_file", "presses", "forges", "submits_nothing", "opens", "sees"}
GROUP_VERBS = {"add", "removes_bot"}
SERVER = {"latency", "deaf", "subscribe_limit", "refuse_connections", "again"}
WORLD = {"enter_activates", "cold_code", "keeps_messages", "updates_may_change_type", "updates_count", "limited"}

# the server's end


async def control(fake: FakeWecom, request: web.Request) -> web.Response:
    verb, given = request.match_info["verb"], msgspec.json.decode(await request.read() or b"{}")
    try:
        if verb == "wait":
            await asyncio.to_thread(_newer, fake, given.get("version", 0), float(given.get("timeout", 5)))
        if verb == "close":
            await fake._close(given.get("how", "clean"))
        with fake.changed:
            result = _do(fake, verb, given)
            told: Json = {"ok": True, "version": fake.version, "result": result}
    except Exception as problem:  # the tester's mistake: say which
        told = {"ok": False, "problem": f"{type(problem).__name__}: {problem}"}
    return web.Response(body=msgspec.json.encode(told), status=200 if told["ok"] else 400)


def _newer(fake: FakeWecom, version: int, seconds: float) -> None:
    with fake.changed:
        fake.changed.wait_for(lambda: fake.version > version, seconds)


def _do(fake: FakeWecom, verb: str, given: Json) -> Any:
    match verb:
        case "state" | "wait" | "close":
            return state(fake)
        case "user":
            return pack(fake.user(**given))
        case "group":
            return pack(fake.group(**(given | {"members": [unpack(fake, m) for m in given.get("members", [])]})))
        case "do":
            return _act(fake, given)
        case "messages":
            who = given.get("who", "")
            return [pack(m, who) for m in fake.messages if m.talk == given["talk"] and not m.recalled]
        case "press":
            return pack(fake.reqs[given["id"]].press)
        case "calls":
            return [msgspec.to_builtins(c) for c in fake.calls[int(given.get("since", 0)) :]]
        case "fault":
            fake.faults.add(Fault(**given))
            return True
        case "clear_faults":
            fake.faults.clear()
            return True
        case "app":  # where its callbacks go; and what somebody writes to it
            fake.http.app.callback_url = given.get("callback_url", fake.http.app.callback_url)
            if "who" in given:
                fake.http.app.says(unpack(fake, given["who"]), given["text"])
            if given.get("expire"):
                fake.http.app.expire_now()
            app = fake.http.app
            return {"corp_id": fake.corp_id, "secret": app.secret, "agent_id": app.agent_id, "token": app.token,
                    "aes_key": app.aes_key}  # fmt: skip
        case "forget":  # what waits for the next subscription
            fake.server.kept.clear()
            return True
        case "advance":
            fake.clock.advance(**given)
            return fake.clock.now()
        case "set":
            for name, value in given.items():
                if name not in SERVER | WORLD:
                    raise LookupError(f"no setting {name!r}")
                setattr(fake.server if name in SERVER else fake, name, value)
            return True
    raise LookupError(f"no control verb {verb!r}")


def _act(fake: FakeWecom, given: Json) -> Any:
    actor = unpack(fake, given["who"])
    if given["does"] not in (PERSON_VERBS if isinstance(actor, Person) else GROUP_VERBS):
        raise LookupError(f"no verb {given['does']!r} for {actor}")
    args = [unpack(fake, a) for a in given.get("args", [])]
    return pack(getattr(actor, given["does"])(*args, **{k: unpack(fake, v) for k, v in given.get("more", {}).items()}))


def state(fake: FakeWecom) -> Json:
    return {
        "connected": fake.connected,
        "subscribes": len(fake.server.subscribes),
        "pings": fake.server.pings,
        "calls": len(fake.calls),
        "messages": len(fake.messages),
        "kept": len(fake.server.kept),
        "folded": fake.folded,
        "dropped": len(fake.dropped),
        "tokens": fake.http.app.tokens_given,
        "now": fake.clock.now(),
    }


def pack(thing: Any, who: str = "") -> Any:
    match thing:
        case Message():
            told = {"message": thing.id, "talk": thing.talk, "kind": thing.kind, "text": thing.text_for(who)}
            return told | {"choices": thing.choices_for(who), "task_id": thing.task_id, "via": thing.via,
                           "updates": thing.updates}  # fmt: skip
        case Press():
            told = {"press": thing.id, "answered": thing.answered, "text": thing.text, "seconds": thing.seconds}
            return told | {"delivered": thing.delivered}
        case Person():
            return {"person": thing.id}
        case Group():
            return {"group": thing.id}
        case _:
            return thing


def unpack(fake: FakeWecom, thing: Any) -> Any:
    if not isinstance(thing, dict):
        return thing
    if "bytes" in thing:
        return base64.b64decode(thing["bytes"])
    if "person" in thing:
        return fake.people[thing["person"]]
    if "group" in thing:
        return fake.groups[thing["group"]]
    return fake.messages[thing["message"] - 1] if "message" in thing else thing


# the other end


class Remote:
    """A person or a group over there; every verb is a call."""

    def __init__(self, fake: RemoteWecom, ref: Json) -> None:
        self._fake, self.ref = fake, ref
        self.id = ref.get("person") or ref.get("group")

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        if verb.startswith("_"):
            raise AttributeError(verb)
        return lambda *args, **more: self._fake.ask(
            "do", who=self.ref, does=verb, args=[_ref(a) for a in args], more={k: _ref(v) for k, v in more.items()}
        )

    @property
    def inbox(self) -> list[Json]:
        found: list[Json] = self._fake.ask("messages", talk=self.id, who=self.id)
        return found


def _ref(thing: Any) -> Any:
    if isinstance(thing, Remote):
        return thing.ref
    return {"bytes": base64.b64encode(thing).decode()} if isinstance(thing, bytes) else thing


class RemoteWecom:
    """The fake in a process of its own: `with RemoteWecom.spawn(log=path) as fake: ...`."""

    def __init__(self, ready: Json, process: subprocess.Popen[str] | None = None) -> None:
        self.port, self.bot_id, self.secret, self.process = ready["port"], ready["bot_id"], ready["secret"], process
        self.version = 0

    @classmethod
    def spawn(cls, port: int = 0, log: Path | str | None = None, *options: str) -> RemoteWecom:
        command = [sys.executable, "-m", "tests.fakes.wecom", "--port", str(port)]
        command += [*(["--log", str(log)] if log else []), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[2])
        assert process.stdout is not None
        return cls(msgspec.json.decode(process.stdout.readline()), process)

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, verb: str, **given: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", f"/_control/{verb}", msgspec.json.encode(given))
            told = msgspec.json.decode(connection.getresponse().read())
        finally:
            connection.close()
        if not told["ok"]:
            raise RuntimeError(told["problem"])
        self.version = told["version"]
        return told["result"]

    def user(self, id: str, name: str = "", **more: Any) -> Remote:
        return Remote(self, self.ask("user", id=id, name=name, **more))

    def group(self, title: str, members: list[Remote] | None = None, **more: Any) -> Remote:
        return Remote(self, self.ask("group", title=title, members=[m.ref for m in members or []], **more))

    @property
    def state(self) -> Json:
        told: Json = self.ask("state")
        return told

    def set(self, **settings: Any) -> None:
        self.ask("set", **settings)

    def fault(self, cmd: str = "*", **more: Any) -> None:
        self.ask("fault", cmd=cmd, **more)

    def close(self, how: str = "clean") -> None:
        self.ask("close", how=how)

    def wait(self, condition: Callable[[], T], timeout: float = 5.0) -> T:
        """Looks again after every change over there."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"waited {timeout} s; {self.state}")
            self.ask("wait", version=self.version, timeout=min(left, 0.5))
        return value

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def __enter__(self) -> RemoteWecom:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

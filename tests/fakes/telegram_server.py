"""The HTTP face: /bot<token>/<method>, /file/bot<token>/<path>, /_control/... on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import msgspec
import uvicorn
from uvicorn.server import ServerState

from tests.fakes.telegram_control import control
from tests.fakes.telegram_faults import Fault, Faults
from tests.fakes.telegram_http import (
    Cuttable,
    Receive,
    Scope,
    Send,
    answer,
    cut,
    half_an_answer,
    hung_up,
    read_params,
    refusal,
)
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_methods import Methods
from tests.fakes.telegram_params import Params, Refused
from tests.fakes.telegram_webhook import Webhook
from tests.fakes.telegram_world import Call, Json, World

WAY_OUT = "use deleteWebhook to delete the webhook first"
Told = tuple[int, Json]  # status and body
NOTHING: Told = (0, {})
GONE = (0, b"")  # the connection is to be cut, or is gone already


@dataclass(slots=True)
class Exchange:
    """One call on its way through latency, faults and the method itself."""

    method: str
    params: Params
    call: Call
    scope: Scope
    receive: Receive
    send: Send

    def note(self, told: Told) -> Told:
        self.call.status, self.call.result = told[0], told[1].get("result")
        self.call.description = told[1].get("description", "")
        return told


class Poll:
    """An open getUpdates."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.conflict = ""


class Server:
    """Serves one bot. Methods with a leading underscore run on the loop of the server's thread."""

    def __init__(self, world: World, limits: Limits, faults: Faults, port: int) -> None:
        self.world, self.limits, self.faults, self.port = world, limits, faults, port
        self.methods = Methods(world, limits)
        self.webhook = Webhook(world, self._execute)
        self.latency: float | Callable[[str], float] = 0.0
        self.control_target: Any = None
        self.polling: Poll | None = None
        self.polls = 0
        self.mistakes: list[Exception] = []  # of the fake itself
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        self._state = ServerState()
        world.wake = self._wake

    # life

    def start(self) -> None:
        if self._thread is not None:
            raise RuntimeError("already running")
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(1024)
        self.port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening, ready), name="fake-telegram", daemon=True)
        self._thread.start()
        ready.wait(10)

    def stop(self) -> None:
        """Open polls are answered (empty), everything else is cut. State stays: it can be started again."""
        thread, loop, stopping = self._thread, self.loop, self._stopping
        if thread is None or loop is None or stopping is None:
            return
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        self._thread = self.loop = None

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        plain: Json = {"ws": "none", "lifespan": "off", "interface": "asgi3", "proxy_headers": False}
        silent: Json = {"log_config": None, "access_log": False, "log_level": "error"}
        config = uvicorn.Config(self._app, http=Cuttable, timeout_keep_alive=75, **plain, **silent)
        config.load()
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(self._serve(config, listening, ready))

    async def _serve(self, config: uvicorn.Config, listening: socket.socket, ready: threading.Event) -> None:
        self.loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self._state = ServerState()
        server = await self.loop.create_server(
            lambda: Cuttable(config=config, server_state=self._state, app_state={}), sock=listening
        )
        ready.set()
        self._woken()
        await self._stopping.wait()
        server.close()
        await self._finish()

    async def _finish(self) -> None:
        if self.polling is not None:
            self.polling.bell.set()
        await self.webhook.close()
        for _ in range(20):
            await asyncio.sleep(0)  # lets the polls' answers out
        for connection in list(self._state.connections):
            connection.transport.close()
        for _ in range(5):
            await asyncio.sleep(0)
        for task in list(self._state.tasks):
            task.cancel()
        await asyncio.gather(*self._state.tasks, return_exceptions=True)
        await asyncio.sleep(0)

    def _wake(self) -> None:
        """From any thread: there may be something to deliver."""
        loop = self.loop
        if loop is not None and (self.polling is not None or self.webhook.url):
            with contextlib.suppress(RuntimeError):  # it is just being stopped
                loop.call_soon_threadsafe(self._woken)

    def _woken(self) -> None:
        if self.polling is not None and self.world.queue.size():
            self.polling.bell.set()
        self.webhook.pump()

    @property
    def _is_stopping(self) -> bool:
        return self._stopping is None or self._stopping.is_set()

    # HTTP

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve_one(scope, receive, send)
        except asyncio.CancelledError:
            return  # the fake is being stopped
        except Exception as mistake:
            self.mistakes.append(mistake)
            raise

    async def _serve_one(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        kind = b"application/json"
        if path.startswith("/bot"):
            status, body = await self._bot_call(scope, receive, send, path)
        elif path.startswith("/file/bot"):
            status, body = await self._download(scope, receive, path)
            kind = b"application/octet-stream"
        elif path.startswith("/_control"):
            status, body = await control(self.control_target, path, await read_params(scope, receive))
        else:
            status, body = refusal(404, "Not Found")
        if status:
            await answer(send, status, body, kind)

    async def _bot_call(self, scope: Scope, receive: Receive, send: Send, path: str) -> tuple[int, bytes]:
        token, _, method = path[4:].partition("/")
        params = await read_params(scope, receive)
        if token != self.world.token:
            return refusal(401, "Unauthorized") if ":" in token else refusal(404, "Not Found")
        call = Call(method, params.seen(), time.monotonic())
        with self.world.changed:
            self.world.calls.append(call)
            self.world.in_flight += 1
        try:
            status, told = await self._with_trouble(Exchange(method.lower(), params, call, scope, receive, send))
        finally:
            with self.world.changed:
                self.world.in_flight -= 1
                call.ended = time.monotonic()
                self.world.touch()
        return (status, msgspec.json.encode(told)) if status else GONE

    async def _with_trouble(self, x: Exchange) -> Told:
        delay = self.latency(x.method) if callable(self.latency) else self.latency
        if delay:
            await asyncio.sleep(delay)
        fault = self.faults.next(x.method, x.params.values.get("chat_id")) if self.faults.planned else None
        if fault is None:
            return x.note(await self._answer(x.method, x.params, x.receive))
        self.world.touch()
        if fault.takes_effect:
            return await self._suffer(fault, x, x.note(await self._answer(x.method, x.params, x.receive)))
        if fault.hang:
            await self._hang(fault)
            return x.note(await self._answer(x.method, x.params, x.receive))
        return await self._suffer(fault, x, NOTHING)

    async def _hang(self, fault: Fault) -> None:
        fault.released = fault.released or asyncio.Event()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(fault.released.wait(), None if fault.hang is True else float(fault.hang))

    async def _suffer(self, fault: Fault, x: Exchange, told: Told) -> Told:
        """What the caller gets instead of `told`."""
        if fault.hang:
            await self._hang(fault)
            return told
        if fault.status:
            return x.note(fault.answer())
        if fault.cut == "body":
            await half_an_answer(x.send, msgspec.json.encode(told[1]))
            await asyncio.sleep(0.01)  # lets the half go out before the cut
        await cut(x.scope, x.receive)
        x.call.status = 0
        return NOTHING

    async def _answer(self, method: str, params: Params, receive: Receive) -> Told:
        if method == "getupdates":
            return await self._get_updates(params, receive)
        return self._execute(method, params)

    def _execute(self, method: str, params: Params) -> Told:
        with self.world.changed:
            try:
                return self._outcome(method, params)
            except Refused as refused:
                told: Json = {"ok": False, "error_code": refused.status, "description": refused.description}
                return refused.status, told | ({"parameters": refused.parameters} if refused.parameters else {})

    def _outcome(self, method: str, params: Params) -> Told:
        if method in ("setwebhook", "deletewebhook"):
            return 200, {"ok": True, "result": True, "description": self._change_webhook(method, params)}
        if method == "getwebhookinfo":
            return 200, {"ok": True, "result": self.webhook.info()}
        if method not in self.methods.table:
            raise Refused(404, "Not Found: method not found")
        result = self.methods.call(method, params)
        if self.world.strict_schema:
            check_result(method, result)
        return 200, {"ok": True, "result": result}

    def _change_webhook(self, method: str, params: Params) -> str:
        description = self.webhook.set(params) if method == "setwebhook" else self.webhook.delete(params)
        if self.webhook.url and self.polling is not None:
            self.polling.conflict = "Conflict: terminated by setWebhook request"
            self.polling.bell.set()
        self.world.touch()
        self._wake()
        return description

    # getUpdates

    async def _get_updates(self, p: Params, receive: Receive) -> Told:
        if self.webhook.url:
            sentence = f"Conflict: can't use getUpdates method while webhook is active; {WAY_OUT}"
            return 409, {"ok": False, "error_code": 409, "description": sentence}
        offset, limit = p.integer("offset"), min(100, max(1, p.integer("limit", 100)))
        deadline = time.monotonic() + min(50, max(0, p.integer("timeout")))
        with self.world.changed:
            self.polls += 1
            self._take_over()
            allowed = p.json("allowed_updates", "can't parse allowed updates JSON object")
            self.world.queue.allow(allowed if isinstance(allowed, list) else None)
            before = self.world.queue.confirmed
            found = self.world.queue.get(offset, limit)
            if self.world.queue.confirmed != before:
                self.world.touch()
        if found or deadline <= time.monotonic():
            return 200, {"ok": True, "result": found}
        return await self._long_poll(offset, limit, deadline, receive)

    def _take_over(self) -> None:
        if self.polling is not None:
            only_one = "terminated by other getUpdates request; make sure that only one bot instance is running"
            self.polling.conflict = f"Conflict: {only_one}"
            self.polling.bell.set()
            self.polling = None

    async def _long_poll(self, offset: int, limit: int, deadline: float, receive: Receive) -> Told:
        poll = self.polling = Poll()
        self.world.touch()
        hangup = asyncio.ensure_future(hung_up(receive))
        try:
            while True:
                poll.bell.clear()
                with self.world.changed:
                    found = self.world.queue.get(offset, limit)
                if found or time.monotonic() >= deadline or self._is_stopping:
                    return 200, {"ok": True, "result": found}
                await self._bell_or_hangup(poll, hangup, deadline)
                if poll.conflict:
                    return 409, {"ok": False, "error_code": 409, "description": poll.conflict}
                if hangup.done():
                    return NOTHING
        finally:
            hangup.cancel()
            if self.polling is poll:
                self.polling = None

    async def _bell_or_hangup(self, poll: Poll, hangup: asyncio.Future[Any], deadline: float) -> None:
        bell = asyncio.ensure_future(poll.bell.wait())
        left = max(0.0, deadline - time.monotonic())
        await asyncio.wait({hangup, bell}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        bell.cancel()

    # files

    async def _download(self, scope: Scope, receive: Receive, path: str) -> tuple[int, bytes]:
        token, _, wanted = path[len("/file/bot") :].partition("/")
        if token != self.world.token:
            return refusal(401, "Unauthorized")
        fault = self.faults.next("file", None) if self.faults.planned else None
        if fault is not None and fault.status:
            return fault.status, b"{}"
        if fault is not None:
            await cut(scope, receive)
            return GONE
        found = [f for f in self.world.files.values() if f.path == unquote(wanted)]
        return (200, found[0].data) if found else refusal(404, "Not Found")


def check_result(method: str, result: Any) -> None:
    """The result of a call, against aiogram's models."""
    from aiogram import types
    from pydantic import TypeAdapter

    models: dict[str, Any] = {"getme": types.User, "getchat": types.ChatFullInfo, "getfile": types.File}
    models |= {"getchatmember": types.ResultChatMemberUnion, "getchatadministrators": list[types.ResultChatMemberUnion]}
    if isinstance(result, dict) and "message_id" in result:
        models[method] = types.Message
    if method in models:
        TypeAdapter(models[method]).validate_python(result)

"""The wires: one port on loopback for the long connection, for files and for HTTP, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import WSCloseCode, WSMsgType, web

from tests.fakes.wecom_bot import Bot
from tests.fakes.wecom_faults import Fault, Faults
from tests.fakes.wecom_world import Call, Json, Refused, World

SILENCE = 90.0  # seconds without a ping, then the server closes
KEPT = 200
AGAIN = 1.0  # seconds for which what was pushed before a break comes again


@dataclass(eq=False)
class Connection:
    ws: web.WebSocketResponse
    transport: Any
    subscribed: bool = False
    kicked: bool = False
    heard: float = field(default_factory=time.monotonic)
    recent: list[tuple[float, Json]] = field(default_factory=list)  # messages, which come again if it breaks

    def send(self, frame: Json | str) -> None:
        text = frame if isinstance(frame, str) else json.dumps(frame, ensure_ascii=False)
        if not self.ws.closed:
            task = asyncio.ensure_future(self.ws.send_str(text))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def close(self, code: int = WSCloseCode.OK) -> None:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self.ws.close(code=code), 2)

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Server:
    """Serves one corp's bot. Methods with a leading underscore run on the loop of the server's thread."""

    def __init__(self, world: World, faults: Faults, port: int) -> None:
        self.world, self.faults, self.port = world, faults, port
        self.bot = Bot(world)
        self.latency = 0.0
        self.deaf = False  # 846609 for every send while the socket stays open, and no callbacks
        self.subscribes: list[float] = []
        self.subscribe_limit = 0  # a minute; 0: none
        self.again = AGAIN
        self.connections: list[Connection] = []
        self.kept: list[Json] = []
        self.pings = 0
        self.refuse_connections = False
        self.routes: list[Any] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopping: asyncio.Event | None = None
        world.emit = self.emit

    # life

    def start(self) -> None:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        listening.listen(1024)
        self.port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening, ready), name="fake-wecom", daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the fake did not start")

    def stop(self) -> None:
        if self._thread is None or self.loop is None or self._stopping is None:
            return
        self.loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        self._thread = self.loop = None

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        asyncio.run(self._serve(listening, ready))

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        self.loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/", self._socket)
        app.router.add_get("/media/{number}/{name}", self._media)
        for method, path, handler in self.routes:
            app.router.add_route(method, path, handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        site = web.SockSite(runner, listening)
        await site.start()
        ready.set()
        await self._stopping.wait()
        for connection in list(self.connections):
            connection.cut()
        await runner.cleanup()

    # the long connection

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_connections:
            return web.Response(status=503)
        ws = web.WebSocketResponse(max_msg_size=8 << 20, compress=False)
        await ws.prepare(request)
        connection = Connection(ws, request.transport)
        self.connections.append(connection)
        watch = asyncio.ensure_future(self._watch(connection))
        tasks: set[asyncio.Task[None]] = set()
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    task = asyncio.ensure_future(self._frame(connection, message.data))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
        finally:
            watch.cancel()
            with self.world.changed:
                self.connections.remove(connection)
                self._keep_recent(connection)
                self.world.touch()
        return ws

    def _keep_recent(self, connection: Connection) -> None:
        """Nothing is acknowledged, so what was pushed just before a break comes again: perhaps for the second time."""
        again = [frame for at, frame in connection.recent if time.monotonic() - at < self.again]
        connection.recent.clear()
        if not self.world.keeps_messages or not again:
            return
        if (live := self.live) is not None:
            for frame in again:
                live.send(frame)
        else:
            self.kept = [*again, *self.kept][-KEPT:]

    async def _watch(self, connection: Connection) -> None:
        while time.monotonic() - connection.heard < SILENCE:  # noqa: ASYNC110
            await asyncio.sleep(1)
        await connection.close()

    async def _frame(self, connection: Connection, text: str) -> None:
        frame = json.loads(text)
        cmd, req_id = frame["cmd"], frame["headers"]["req_id"]
        body = frame.get("body") or {}
        if self.latency and cmd != "ping":
            await asyncio.sleep(self.latency)
        fault = self.faults.next(cmd, body.get("chatid"))
        if fault is not None and not fault.takes_effect:
            answer: Json | None = {"errcode": fault.errcode, "errmsg": fault.errmsg} if fault.errcode else None
            self._note(cmd, body, answer or {"errcode": None, "errmsg": "lost"})
        else:
            answer = self._answered(connection, cmd, req_id, body)
        await self._reply(connection, req_id, answer, fault)

    async def _reply(self, connection: Connection, req_id: str, answer: Json | None, fault: Fault | None) -> None:
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and fault.close:
            return connection.cut() if fault.close == "cut" else await connection.close()
        if answer is not None and not (fault is not None and fault.lose):
            connection.send({"headers": {"req_id": req_id}, **answer})

    def _answered(self, connection: Connection, cmd: str, req_id: str, body: Json) -> Json | None:
        with self.world.changed:
            if cmd == "pong":
                return None
            if cmd == "ping":
                self.pings += 1
                connection.heard = time.monotonic()
                return {"errcode": 0, "errmsg": "ok"}
            try:
                told = self._execute(connection, cmd, req_id, body)
                answer: Json = {"errcode": 0, "errmsg": "ok", **({"body": told} if told is not None else {})}
            except Refused as refused:
                answer = {"errcode": refused.errcode, "errmsg": refused.errmsg}
            self._note(cmd, body, answer)
            return answer

    def _note(self, cmd: str, body: Json, answer: Json) -> None:
        if cmd == "aibot_subscribe":
            body = {**body, "secret": "..."}
        with self.world.changed:
            call = Call(cmd, body, time.monotonic(), answer["errcode"], answer["errmsg"])
            self.world.calls.append(call)
            self.world.touch()

    def _execute(self, connection: Connection, cmd: str, req_id: str, body: Json) -> Json | None:
        if cmd == "aibot_subscribe":
            return self._subscribe(connection, body)
        if not connection.subscribed or self.deaf:
            raise Refused(846609, "aibot websocket not subscribed")
        return self.bot.execute(cmd, req_id, body)

    def _subscribe(self, connection: Connection, body: Json) -> None:
        now = time.monotonic()
        self.subscribes = [at for at in self.subscribes if now - at < 60] + [now]
        if self.subscribe_limit and len(self.subscribes) > self.subscribe_limit:
            raise Refused(45009, "api freq out of limit")
        if body.get("bot_id") != self.world.bot_id or body.get("secret") != self.world.secret:
            raise Refused(853000, "invalid bot_id or secret")
        for old in self.connections:
            if old.subscribed and old is not connection:
                self._kick(old)
        connection.subscribed, self.deaf = True, False
        self.world.diary.note("subscribed")
        kept, self.kept = self.kept, []
        connection.recent = [(time.monotonic(), frame) for frame in kept]  # it may break again at once
        for frame in kept:
            asyncio.get_running_loop().call_soon(connection.send, frame)

    def _kick(self, connection: Connection) -> None:
        event = {
            "msgid": f"DC{self.world.random.getrandbits(64):x}",
            "create_time": int(self.world.clock.now()),
            "aibotid": self.world.bot_id,
            "msgtype": "event",
            "event": {"eventtype": "disconnected_event"},
        }
        connection.subscribed, connection.kicked = False, True
        connection.send({"cmd": "aibot_event_callback", "headers": {"req_id": "disconnected"}, "body": event})
        asyncio.get_running_loop().call_later(0.02, lambda: asyncio.ensure_future(connection.close()))

    # what the platform brings

    @property
    def live(self) -> Connection | None:
        return next((c for c in reversed(self.connections) if c.subscribed and not c.ws.closed), None)

    def emit(self, frame: Json, keep: bool) -> bool:
        """Pushes to the subscribed connection; whether there was one."""
        connection = self.live
        if connection is None or self.deaf or self.loop is None:
            if keep and self.world.keeps_messages:
                self.kept = [*self.kept, frame][-KEPT:]
            return False
        if keep:
            connection.recent = [*connection.recent, (time.monotonic(), frame)][-KEPT:]
        self.loop.call_soon_threadsafe(connection.send, frame)
        return True

    async def _media(self, request: web.Request) -> web.Response:
        stored = self.world.files.get(request.match_info["number"])
        fault = self.faults.next("media", None)
        if fault is not None and fault.status:
            return web.Response(status=fault.status)
        if stored is None or self.world.clock.now() > stored.until:
            return web.Response(status=404)
        headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{request.match_info['name']}"}
        if unquote(request.match_info["name"]).isascii():
            headers = {"Content-Disposition": f'attachment; filename="{stored.name}"'}
        else:
            from urllib.parse import quote

            headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(stored.name)}"}
        return web.Response(body=stored.data, headers=headers)

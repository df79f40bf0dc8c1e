"""The load generator: raw keep-alive HTTP/1.1 connections on uvloop, in a process of its own.

``python -m benchmarks.load`` reads one ``Order`` as JSON on standard input and writes one ``Outcome``. Closed: every
connection sends the next press when the last is answered. Open: presses fall due at a steady rate, and a latency counts
from the due instant, so that a server which stalls is not spared. Burst: all at once.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import uvloop

from benchmarks.updates import Presses

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 0.5
PATIENCE = 30.0  # seconds after the end in which an answer may still come


class Order(msgspec.Struct, kw_only=True):
    port: int
    path: str
    secret: str
    voters: Sequence[int]
    tokens: Sequence[str]
    number: int  # update ids go on from here
    chat: int | None = None
    message: int = 77
    mode: Literal["closed", "open", "burst"] = "closed"
    connections: int = 32
    seconds: float = 3.0
    rate: float = 500.0
    count: int = 300


class Outcome(msgspec.Struct, kw_only=True):
    """Seconds. ``counted`` fell into the measured time; ``sent`` is every press that was answered 200."""

    counted: int
    sent: int
    seconds: float
    rate: float
    p50: float
    p99: float
    longest: float
    last: float
    refused: dict[str, int]
    samples: list[str]
    number: int


def run(order: Order) -> Outcome:
    """In a process of its own; ``RuntimeError`` with its complaint where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=msgspec.json.encode(order), capture_output=True, cwd=ROOT, timeout=order.seconds + PATIENCE + 30,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode()[-2000:])
    return msgspec.json.decode(done.stdout, type=Outcome)


class Wire(asyncio.Protocol):
    """One connection; one request under way at a time."""

    def __init__(self, answered: Callable[[Wire, int, bytes], None]) -> None:
        self.answered = answered
        self.due = 0.0
        self._buffer = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._open = True

    def connection_lost(self, error: Exception | None) -> None:
        if self._open and self.due:
            self._open = False
            self.answered(self, 0, b"")

    def send(self, request: bytes, due: float) -> None:
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        size = _length(self._buffer[:head])
        if len(self._buffer) < head + 4 + size:
            return
        status, body = int(self._buffer[9:12]), self._buffer[head + 4 : head + 4 + size]
        self._buffer = self._buffer[head + 4 + size :]
        self.answered(self, status, body)


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


class Run:
    """What every mode shares: the wires, the presses, the book of answers."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.presses = Presses(
            voters=order.voters, tokens=order.tokens, number=order.number, chat=order.chat, message=order.message
        )
        lines = [f"POST {order.path} HTTP/1.1", f"Host: 127.0.0.1:{order.port}", "Content-Type: application/json"]
        lines.append(f"X-Telegram-Bot-Api-Secret-Token: {order.secret}")
        self._head = ("\r\n".join(lines) + "\r\nContent-Length: ").encode()
        self.wires: list[Wire] = []
        self.latencies: list[float] = []
        self.refused: dict[str, int] = {}
        self.samples: list[str] = []
        self.sent = 0
        self.last = 0.0
        self.counting = False
        self.over = asyncio.Event()

    def request(self) -> bytes:
        body = next(self.presses)
        return b"%s%d\r\n\r\n%s" % (self._head, len(body), body)

    async def connect(self, answered: Callable[[Wire, int, bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self.order.connections):
            _transport, wire = await loop.create_connection(lambda: Wire(answered), "127.0.0.1", self.order.port)
            self.wires.append(wire)

    def note(self, wire: Wire, status: int, body: bytes) -> None:
        self.last = time.perf_counter()
        if status != 200:
            self.refused[str(status)] = self.refused.get(str(status), 0) + 1
            return
        self.sent += 1
        if self.counting:
            self.latencies.append(self.last - wire.due)
        if len(self.samples) < 3:
            self.samples.append(body.decode("utf-8", "replace"))

    async def patience(self) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.over.wait()

    def outcome(self, seconds: float, last: float = 0.0) -> Outcome:
        found = sorted(self.latencies) or [0.0]
        return Outcome(
            counted=len(self.latencies), sent=self.sent, seconds=seconds, rate=len(self.latencies) / seconds,
            p50=found[len(found) // 2], p99=found[min(len(found) - 1, int(len(found) * 0.99))], longest=found[-1],
            last=last, refused=self.refused, samples=self.samples, number=self.presses.number,
        )  # fmt: skip


async def closed(run: Run) -> Outcome:
    going, under_way = True, 0

    def answered(wire: Wire, status: int, body: bytes) -> None:
        nonlocal under_way
        run.note(wire, status, body)
        if going and status:
            return wire.send(run.request(), time.perf_counter())
        under_way -= 1
        if not under_way:
            run.over.set()

    await run.connect(answered)
    under_way = len(run.wires)
    for wire in run.wires:
        wire.send(run.request(), time.perf_counter())
    await asyncio.sleep(min(WARM_UP, run.order.seconds / 4))
    run.counting, began = True, time.perf_counter()
    await asyncio.sleep(run.order.seconds)
    run.counting, seconds = False, time.perf_counter() - began
    going = False
    await run.patience()
    return run.outcome(seconds)


async def opened(run: Run) -> Outcome:
    """Whatever finds no free connection waits in line, and its wait counts."""
    free: deque[Wire] = deque()
    line: deque[float] = deque()
    left = int(run.order.rate * run.order.seconds)
    going = True

    def answered(wire: Wire, status: int, body: bytes) -> None:
        run.note(wire, status, body)
        if line and status:
            return wire.send(run.request(), line.popleft())
        free.append(wire)
        if not going and len(free) == len(run.wires):
            run.over.set()

    await run.connect(answered)
    free.extend(run.wires)
    run.counting, began = True, time.perf_counter()
    for number in range(left):
        due = began + number / run.order.rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if free:
            free.popleft().send(run.request(), due)
        else:
            line.append(due)
    going = False
    if len(free) < len(run.wires):
        await run.patience()
    return run.outcome(time.perf_counter() - began)


async def burst(run: Run) -> Outcome:
    waiting = deque(run.request() for _ in range(run.order.count))
    began = 0.0

    def answered(wire: Wire, status: int, body: bytes) -> None:
        run.note(wire, status, body)
        if waiting:
            wire.send(waiting.popleft(), began)
        elif run.sent + sum(run.refused.values()) >= run.order.count:
            run.over.set()

    await run.connect(answered)
    await asyncio.sleep(0.2)
    run.counting, began = True, time.perf_counter()
    for wire in run.wires:
        if waiting:
            wire.send(waiting.popleft(), began)
    await run.patience()
    return run.outcome(run.last - began, run.last - began)


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    work = {"closed": closed, "open": opened, "burst": burst}[order.mode]

    async def go() -> Outcome:
        return await work(Run(order))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(go())))


if __name__ == "__main__":
    main()

"""The bot as a process that is meant to be killed: ``python -m tests.crash.bot``.

A fork server: it imports everything once, starts no thread and no loop, and forks a bot for each order on its standard
input. So a life costs a fork, not a start of Python. It says on standard output what becomes of them, one JSON a line,
and when its input ends it kills what still lives and goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import faulthandler
import gc
import importlib
import os
import select
import signal
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import structlog

MUTANT = "HONGZHU_MUTANT"
TOLD = 198  # the descriptor on which we speak: whatever else is printed must not mix with it
MARKS = 199  # and the one on which a life under strace says where it is
PR_SET_PDEATHSIG = 1
LOADED = (
    "bot.app",
    "aiohttp",
    "bot.channels.telegram.transport",
    "bot.channels.wecom.channel",
    "bot.channels.web.server",
    "handlers.stars.feature",
    "tests.crash.feature",
    "uvicorn.protocols.http.httptools_impl",
)  # once, so that a life costs a fork


class Wecom(msgspec.Struct):
    """The fake WeCom: its long connection, and its application."""

    ws: str
    base: str
    bot_id: str
    secret: str
    app: dict[str, Any]
    scale: float = 1.0  # of the seconds that the channel and the postman wait for the platform


class Plan(msgspec.Struct):
    """One life of the bot."""

    url: str
    api_base: str
    token: str
    ahead: float  # seconds by which the school's clock is ahead of ours
    log: str
    crash: str = ""  # name:n
    parallel: int = 16
    poll_seconds: int = 5
    features: str = "roll"  # or "stars"
    secrets: str = "secrets"
    port: int = 0  # 0: polling; else the webhook's, or that of the application's callback
    marks: str = ""  # a file on which every crash point that is passed is written
    wecom: Wecom | None = None  # instead of Telegram


class Seed(msgspec.Struct):
    """An empty school: who is on the roster (name, role, account) and the group's id."""

    url: str
    people: list[tuple[str, str, str]]
    group: str
    features: str = "roll"
    channel: str = "telegram"


class Order(msgspec.Struct):
    """To the fork server. ``do``: live, seed or signal."""

    do: str
    life: int
    plan: Plan | None = None
    seed: Seed | None = None
    number: int = 0


def die_with_the_parent() -> None:
    with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere the end of standard input does it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tell(what: str, life: int, **facts: Any) -> None:
    """One short write: lines of several processes do not mix."""
    os.write(TOLD, msgspec.json.encode({"what": what, "life": life, **facts}) + b"\n")


# --- the fork server ------------------------------------------------------------------------------------------


class Server:
    def __init__(self) -> None:
        self.lives: dict[int, int] = {}  # pid -> life
        self.rest = b""

    def run(self) -> None:
        ours, theirs = os.pipe()
        os.set_blocking(theirs, False)
        signal.set_wakeup_fd(theirs)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        tell("waiting", 0)
        while True:
            ready, _, _ = select.select([0, ours], [], [])
            if ours in ready:
                os.read(ours, 4096)
            self._bury()
            if 0 in ready and not self._orders():
                break
        for pid in self.lives:
            os.kill(pid, signal.SIGKILL)

    def _bury(self) -> None:
        while self.lives:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            tell("died", self.lives.pop(pid), status=os.waitstatus_to_exitcode(status))

    def _orders(self) -> bool:
        given = os.read(0, 65536)
        *lines, self.rest = (self.rest + given).split(b"\n")
        for line in lines:
            self._follow(msgspec.json.decode(line, type=Order))
        return bool(given)

    def _follow(self, order: Order) -> None:
        if order.do == "signal":
            for pid in [pid for pid, life in self.lives.items() if life == order.life]:
                os.kill(pid, order.number)
            return
        pid = os.fork()
        if pid:
            self.lives[pid] = order.life
            return
        code = 1
        try:
            self._be(order)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _be(self, order: Order) -> None:
        die_with_the_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if order.seed is not None:
            return seed(order.seed)
        assert order.plan is not None
        log = os.open(order.plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        faulthandler.register(signal.SIGUSR1)  # where is it, when it does not come to rest?
        plain = [structlog.processors.add_log_level, structlog.processors.format_exc_info]
        structlog.configure(processors=[*plain, structlog.processors.KeyValueRenderer()])
        arm(order.plan)
        asyncio.run(live(order.plan, order.life))


# --- one life -------------------------------------------------------------------------------------------------


def arm(plan: Plan) -> None:
    """The crash point of this life: the module reads its environment again, as a new process would."""
    from bot.engine import crashpoint

    os.environ["HONGZHU_CRASH"] = plan.crash
    importlib.reload(crashpoint)
    if plan.marks:
        marks = os.open(plan.marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(marks, MARKS)
        replace_everywhere("cp", lambda name: os.write(MARKS, f"at {name}\n".encode()))


def replace_everywhere(name: str, new: Any) -> None:
    """In every module of ours that has taken this name from another."""
    for module in [m for key, m in sys.modules.items() if key.split(".")[0] in ("bot", "scheduler", "storage")]:
        if hasattr(module, name):
            setattr(module, name, new)


def router_of(features: str) -> Any:
    from bot.engine.router import build

    if features == "stars":
        from handlers.stars.feature import feature
    else:
        from tests.crash.feature import feature
    return build([feature])


def seed(seed: Seed) -> None:
    from storage import people
    from storage.base import Db, metadata
    from storage.engine import Shelves
    from storage.people import Person

    router_of(seed.features)
    shelves = Shelves(seed.url)
    metadata.create_all(shelves.writer)
    now = datetime.now(UTC)
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        people.meet_group(db, seed.channel, seed.group, "全体教职工群")
        people.bind_group(db, seed.channel, seed.group, now)
        for name, role, account in seed.people:
            number = people.add(db, Person(0, name, "教学部", "群众", role))
            people.bind(db, number, seed.channel, account, talk=account, now=now)
        db.flush()
    shelves.close()


def assemble(plan: Plan, shelves: Any) -> Any:
    from bot.app import RunningSchool
    from bot.channels.telegram.channel import TelegramChannel
    from bot.engine.port import Limits
    from bot.kit import when
    from bot.kit.calendar import Calendar
    from bot.kit.context import School

    hours = when.SchoolHours(zone=ZoneInfo("Asia/Shanghai"))
    school = School("红烛中学", hours, when.QuietHours(), Calendar(), secrets=Path(plan.secrets))
    ahead = timedelta(seconds=plan.ahead)

    def now() -> datetime:
        return datetime.now(UTC) + ahead

    def channels(running: Any) -> list[Any]:
        if plan.wecom is not None:
            return [on_wecom(plan, plan.wecom, running, now)]
        limits = Limits(parallel=plan.parallel, edit_seconds=0.02)
        more: dict[str, Any] = {"limits": limits, "poll_seconds": plan.poll_seconds, "retry_seconds": 0.05}
        if plan.port:
            more |= {"mode": "webhook", "webhook_url": f"http://127.0.0.1:{plan.port}/telegram/webhook"}
        return [TelegramChannel(plan.token, api_base=plan.api_base, username="hongzhu_bot", now=now, **more)]

    return RunningSchool(shelves, school, router_of(plan.features), now=now, channels=channels)


def on_wecom(plan: Plan, wecom: Wecom, running: Any, now: Any) -> Any:
    from bot.channels.wecom import routes
    from bot.channels.wecom.app import Application
    from bot.channels.wecom.channel import WecomChannel
    from bot.channels.wecom.connection import Timing
    from bot.engine import postman
    from bot.engine.port import Limits

    scale = wecom.scale
    routes.RATE = {code: seconds * scale for code, seconds in routes.RATE.items()}
    postman.UNSURE_PAUSE *= scale
    return WecomChannel(
        wecom.bot_id, wecom.secret, bot_name="红烛", url=wecom.ws, draw=running.drawn, now=now, pause_seconds=0.05,
        app=Application(**wecom.app, base=wecom.base, per_member=()), kicked_seconds=30.0 * scale,
        # A busy machine may take seconds for an ack; where acks are lost on purpose we need not wait as long.
        timing=Timing(30.0 * scale, 40.0 * scale, ack=2.0 if scale < 1 else 10.0),
        limits=Limits(parallel=plan.parallel, edits=False),
    )  # fmt: skip


async def live(plan: Plan, life: int) -> None:
    """As the program itself does: wait for the ownership, refuse weak shelves, run until the school is lost."""
    from storage.engine import Shelves
    from storage.lock import OwnerLock

    shelves = Shelves(plan.url)
    lock = OwnerLock(shelves)
    told = False
    while not await asyncio.to_thread(lock.take):
        if not told:
            tell("standing by", life)
        told = True
        await asyncio.sleep(0.01)
    shelves.check_durable()
    running = assemble(plan, shelves)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    running.desk.lost = lambda: loop.call_soon_threadsafe(stop.set)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await running.start()
    door = await open_door(next(iter(running.channels.values())), plan.port) if plan.port else None
    tell("ready", life, epoch=running.desk.epoch)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
        if not await asyncio.to_thread(lock.held):
            break
    if door is not None:
        door.cancel()
    await running.stop()
    lock.release()


async def open_door(channel: Any, port: int) -> asyncio.Task[None]:
    """The route of the webhook, as the program serves it."""
    import uvicorn

    from bot.channels.web.server import webhook_route
    from bot.channels.wecom.door import callback_route

    async def nowhere(scope: Any, receive: Any, send: Any) -> None:
        raise LookupError(scope["path"])

    own = getattr(channel, "app", None)
    route = webhook_route(nowhere, channel.webhook) if own is None else callback_route(nowhere, own.door.answer)
    config = uvicorn.Config(route, port=port, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    return asyncio.create_task(server.main_loop())


def main() -> None:
    die_with_the_parent()
    for module in LOADED:
        importlib.import_module(module)
    name = os.environ.pop(MUTANT, "")
    if name:
        from tests.crash import mutants

        mutants.ALL[name].change()
    os.dup2(1, TOLD)
    os.dup2(2, 1)
    gc.collect()
    gc.freeze()
    Server().run()


if __name__ == "__main__":
    main()

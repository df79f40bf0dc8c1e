"""From settings to a running school: wait for the ownership, migrate, open the doors, close them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import DBAPIError

from bot import nightly
from bot.app import RunningSchool, utc_now
from bot.config import Settings
from bot.engine.port import Channel
from bot.engine.router import Router, build
from bot.kit.calendar import Calendar
from bot.kit.context import School, Way
from bot.kit.role import Role
from bot.kit.when import QuietHours, SchoolHours
from bot.kit.words import _, speaking
from storage import migrate
from storage.base import Db
from storage.engine import Damaged, NotDurable, Shelves
from storage.lock import OwnerLock

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

log = structlog.get_logger()

STANDBY = 1.0  # seconds between two looks whether the owner is gone


class Refusal(Exception):
    """We do not start; the sentence says why and what to do."""


def school_of(settings: Settings) -> School:
    calendar, said = Calendar(terms=settings.school.terms), settings.school
    hours = SchoolHours(
        zone=said.zone,
        off_work=said.off_work,
        school_out=said.school_out,
        lessons=said.lessons,
        words=said.day_words,
        meeting=said.meeting,
        calendar=calendar,
    )
    return School(
        settings.school.name,
        hours,
        QuietHours(settings.quiet.start, settings.quiet.end),
        calendar,
        language=settings.school.language,
        site=site_of(settings),
        reminders_per_matter=settings.reminders.per_matter,
        reminders_per_day=settings.reminders.per_day,
        remind_before=timedelta(minutes=settings.reminders.before_meeting_minutes),
        ways=ways_of(settings),
        call=settings.wecom.call,
        secrets=secrets_of(settings),
    )


def ways_of(settings: Settings) -> dict[str, Way]:
    """How teachers find the bot, on each platform that is on."""
    found: dict[str, Way] = {}
    with speaking(settings.school.language):
        if settings.wecom.enabled:
            steps = _("在企业微信里搜索“{name}”并打开", name=settings.wecom.bot_name or "")
            found["wecom"] = Way(_("企业微信"), steps, first=settings.wecom_app.enabled)
        if settings.telegram.enabled:
            name = settings.telegram.bot_username
            steps = _("打开 https://t.me/{name} 点“开始”", name=name) if name else _("在 Telegram 里打开机器人点“开始”")
            found["telegram"] = Way("Telegram", steps)
    return found


def site_of(settings: Settings) -> str:
    web = settings.web
    if not web.enabled or web.demo:
        return ""
    return str(web.public_url or f"http://{web.host}:{web.port}").rstrip("/")


def secrets_of(settings: Settings) -> Path:
    """Where keys live: beside the SQLite file, outside the database and its backups."""
    shelves = Shelves(settings.database.url.get_secret_value())
    folder = shelves.path.parent if shelves.path else Path("data")
    shelves.close()
    return folder / "secrets"


def router_of() -> Router:
    from handlers.contents import FEATURES

    return build(FEATURES)


def hints_of(role: str, private: bool) -> Sequence[str]:
    """The words a person may begin with, shown above the box where one types."""
    from handlers.contents import HINTS, IN_GROUP

    who = Role(role) if role in {one.value for one in Role} else Role.GUEST
    return HINTS[min(who, Role.OFFICE, key=list(Role).index)] if private else IN_GROUP


def channels_of(settings: Settings, running: RunningSchool, lock: OwnerLock) -> Sequence[Channel]:
    found: list[Channel] = []
    if settings.web.enabled:
        from bot.channels.web.channel import WebChannel

        size = settings.uploads.max_mb * 1024 * 1024
        shelves, now = running.shelves, running.now
        school, feeds = running.school, running.router.feeds
        found.append(WebChannel(running.desk, shelves, school, now, upload_bytes=size, hints=hints_of, feeds=feeds))
    if settings.telegram.enabled:
        found.append(_telegram(settings, running))
    if settings.wecom.enabled:
        from bot import serving_wecom

        found.append(serving_wecom.channel_of(settings, running, lock))
    return found


def _telegram(settings: Settings, running: RunningSchool) -> Channel:
    from bot.channels.telegram.channel import TelegramChannel

    telegram = settings.telegram
    assert telegram.token is not None  # noqa: S101 the settings were checked
    return TelegramChannel(
        telegram.token.get_secret_value(),
        api_base=telegram.api_base,
        username=telegram.bot_username,
        mode=telegram.mode,
        webhook_url=telegram.webhook_url,
        webhook_secret=telegram.webhook_secret.get_secret_value() if telegram.webhook_secret else None,
        max_upload=settings.uploads.max_mb * 1024 * 1024,
        endings=tuple(running.router.uploads),
        language=settings.school.language,
        now=running.now,
    )


# --- running --------------------------------------------------------------------------------------------------


async def serve(settings: Settings, port: int) -> None:
    """Runs until SIGTERM or SIGINT. Stands by while another process owns the school."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shelves = Shelves(settings.database.url.get_secret_value())
    lock = OwnerLock(shelves)
    if not await _own(lock, stop):
        return
    try:
        _prepare(shelves, settings)
        async with _open(settings, shelves, port, stop, lock):
            await _until_lost(lock, stop)
    finally:
        lock.release()


async def _own(lock: OwnerLock, stop: asyncio.Event) -> bool:
    """``False``: we were stopped before it was our turn."""
    told = False
    while not stop.is_set():
        if await asyncio.to_thread(lock.take):
            return True
        if not told:
            print("另一个进程正在为这所学校工作，这里先待命；它停下时会自动接替。", flush=True)
            told = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), STANDBY)
    return False


async def _until_lost(lock: OwnerLock, stop: asyncio.Event) -> None:
    """A PostgreSQL lock can be lost with its connection; then somebody else may own the school, and we go."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 5.0)
        if not stop.is_set() and not await asyncio.to_thread(lock.held):
            log.error("serving.ownership_lost")
            return


def _prepare(shelves: Shelves, settings: Settings) -> None:
    try:
        shelves.check_whole()
        saved = migrate.upgrade(shelves, settings.database.backup_dir, settings.database.keep_backups, utc_now())
        shelves.check_durable()
    except migrate.TooNew:
        raise Refusal("数据库是更新版本的红烛写的：请升级程序，或从备份恢复旧库。") from None
    except NotDurable as error:
        raise Refusal(f"数据库的设置会丢数据（{error}），不能启动。请改回默认设置。") from None
    except Damaged:
        folder = settings.database.backup_dir
        raise Refusal(
            f"数据库文件损坏，没有启动，也没有动它。请从备份恢复：python -m bot restore {folder}/最近的一份.db"
        ) from None
    except DBAPIError as error:
        raise Refusal(f"数据库打不开（{type(error.orig).__name__}）。请检查 [database] url、网络和权限。") from None
    if settings.web.demo:
        from bot import demo

        with shelves.writer.connect() as connection, connection.begin():
            db = Db(connection)
            demo.seed(db, utc_now())
            db.flush()
    if saved is not None:
        print(f"数据库已升级，升级前的备份：{saved}", flush=True)


def _assembled(settings: Settings, shelves: Shelves, lock: OwnerLock) -> RunningSchool:
    return RunningSchool(
        shelves, school_of(settings), router_of(), channels=lambda running: channels_of(settings, running, lock)
    )


@asynccontextmanager
async def _open(
    settings: Settings, shelves: Shelves, port: int, stop: asyncio.Event, lock: OwnerLock
) -> AsyncIterator[RunningSchool]:
    running = _assembled(settings, shelves, lock)
    loop = asyncio.get_running_loop()

    def lost() -> None:
        loop.call_soon_threadsafe(stop.set)

    running.desk.lost = lost
    await running.start()
    copying = None if settings.is_demo else asyncio.create_task(_nightly(settings, running).run(), name="nightly")
    server = None
    try:
        if settings.web.enabled:
            server = await _serve_web(settings, running, port)
        else:
            print(f"红烛已启动，没有开网页；入口：{'、'.join(running.channels)}", flush=True)
        yield running
    finally:
        if copying is not None:
            copying.cancel()
        if server is not None:
            await server.close(running.channels["web"])
        await running.stop()


def _nightly(settings: Settings, running: RunningSchool) -> nightly.Nightly:
    folder, keep = settings.database.backup_dir, settings.database.keep_backups
    return nightly.Nightly(running, lambda now: migrate.backup(running.shelves, folder, keep, now, "nightly"))


@dataclass(slots=True)
class Doors:
    """The web server of a running school."""

    server: uvicorn.Server
    task: asyncio.Task[None]

    async def close(self, channel: Channel) -> None:
        """First the open streams end, else they would hold the doors for the whole grace time."""
        self.server.should_exit = True
        await channel.close()
        await self.task


async def _serve_web(settings: Settings, running: RunningSchool, port: int) -> Doors:
    import uvicorn

    class Embedded(uvicorn.Server):
        """We own the signals."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    config = uvicorn.Config(
        _application(settings, running), host=settings.web.host, port=port, log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_graceful_shutdown=3, lifespan="off", ws="none",
    )  # fmt: skip
    server = Embedded(config)
    task = asyncio.create_task(_run(server), name="web server")
    while not server.started and not task.done():  # noqa: ASYNC110 uvicorn has no event for it
        await asyncio.sleep(0.01)
    if not server.started:
        raise Refusal(f"端口 {port} 打不开：可能已被占用，请换一个：python -m bot run --port {port + 1}")
    print(f"红烛已启动：http://{settings.web.host}:{port}/" + ("（演示学校）" if settings.web.demo else ""), flush=True)
    return Doors(server, task)


async def _run(server: uvicorn.Server) -> None:
    with contextlib.suppress(SystemExit):  # uvicorn leaves so when the port is taken
        await server.serve()


def _application(settings: Settings, running: RunningSchool) -> ASGIApp:
    """The pages, and before them the doors of the platforms that are on; the others are not even loaded."""
    from bot.channels.web import server
    from bot.channels.web.channel import WebChannel

    web = running.channels["web"]
    assert isinstance(web, WebChannel)  # noqa: S101 ``channels_of`` made it
    facts: dict[str, Any] = {"demo": settings.web.demo, "secure": _is_https(settings)}
    if settings.wecom.enabled:
        from bot import serving_wecom

        facts["sign_in"] = serving_wecom.sign_in(settings, running)
    application = server.build(web, hosts=settings.web.hosts, **facts)
    if settings.telegram.enabled:
        from bot.channels.telegram.channel import TelegramChannel

        telegram = running.channels["telegram"]
        assert isinstance(telegram, TelegramChannel)  # noqa: S101
        path = urlsplit(settings.telegram.webhook_url or "").path or "/telegram/webhook"
        application = server.webhook_route(application, telegram.webhook, path)
    if settings.wecom.enabled:
        application = serving_wecom.with_door(application, running)
    return application


def _is_https(settings: Settings) -> bool:
    return bool(settings.web.public_url and str(settings.web.public_url).startswith("https://"))


# --- looking after it -----------------------------------------------------------------------------------------


async def examine(settings: Settings) -> list[tuple[bool, str]]:
    """What ``check`` prints: whether it is fine, and a sentence."""
    found: list[tuple[bool, str]] = [(True, "配置：没有错误" + ("（演示学校）" if settings.is_demo else ""))]
    shelves = Shelves(settings.database.url.get_secret_value())
    found += _examine_database(shelves)
    found += _examine_wecom(shelves) if settings.wecom.enabled else []
    found += _examine_calendar()
    lock = OwnerLock(shelves)
    running = _assembled(settings, shelves, lock)
    for name, channel in running.channels.items():
        wrong = await channel.check()
        found += [(False, f"{name}：{sentence}") for sentence in wrong] or [(True, f"{name}：可以用")]
        await channel.close()
    lock.release()
    shelves.close()
    return found


def _examine_database(shelves: Shelves) -> list[tuple[bool, str]]:
    from storage import outbox, ownership, people

    try:
        shelves.check_whole()
        shelves.check_durable()
        revision = migrate.current(shelves)
    except NotDurable as error:
        return [(False, f"数据库：设置会丢数据（{error}）")]
    except Damaged:
        return [(False, "数据库：文件损坏。请从备份恢复：python -m bot restore 备份文件")]
    except Exception as error:
        return [(False, f"数据库：打不开（{type(error).__name__}）。请检查 [database] url 和网络")]
    found = [(True, "数据库：提交即落盘")]
    found += [(True, f"数据库：{w} 较旧；红烛只用一个写连接，不受影响") for w in shelves.warnings()]
    if revision is None:
        return [*found, (True, "数据库：还是空的，第一次启动时建立")]
    with shelves.reading() as db:
        waiting = outbox.waiting(db)
        heard = {name: ownership.fact(db, f"heard:{name}") for name in ("web", "telegram", "wecom")}
        groups = [group for group in people.bound_groups(db) if group.channel == "wecom"]
        copied = ownership.fact(db, nightly.MADE)
    if copied is not None:
        found.append((True, f"备份：最近一次夜里的备份在 {copied}"))
    found.append((True, f"待发消息：{waiting} 条"))
    found += [(True, f"wecom：已绑定的群 {group.title or '（没有群名）'}，群编号 {group.id}") for group in groups]
    return found + [(True, f"{name}：最近一次收到消息 {at}") for name, at in heard.items() if at]


def _examine_wecom(shelves: Shelves) -> list[tuple[bool, str]]:
    """What only the rows know of a bot that runs elsewhere."""
    from bot import serving_wecom
    from storage import people

    try:
        with shelves.reading() as db:
            trouble, groups = serving_wecom.told_lately(db, utc_now()), people.bound_groups(db)
    except DBAPIError:
        return []  # no database yet, or a broken one, of which was told
    found = [(False, f"wecom：最近一天里报告过：{trouble}")] if trouble else []
    if not any(group.channel == "wecom" for group in groups):
        found.append((True, "wecom：还没有绑定的群：把机器人加进群，由办公室在群里发“@机器人名 绑定本群”"))
    return found


def _examine_calendar() -> list[tuple[bool, str]]:
    year = Calendar().published_through()
    today = datetime.now(UTC).year
    if year < today:
        return [(False, f"校历：{today} 年的放假安排没有，按周一至周五推算；请更新程序或导入通知")]
    return [(True, f"校历：放假安排到 {year} 年")]


def restore_from(settings: Settings, file: Path) -> Path | None:
    """Puts a checked backup in the place of the SQLite file; where the file that stood there went."""
    shelves = Shelves(settings.database.url.get_secret_value())
    if shelves.path is None:
        raise Refusal("PostgreSQL 请用 pg_restore 恢复备份文件。")
    lock = OwnerLock(shelves)
    if not lock.take():
        raise Refusal("红烛正在运行：请先停止它，再恢复。")
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
            migrate.check(copy)
    except (sqlite3.Error, RuntimeError):
        lock.release()
        raise Refusal(f"{file} 不是一份完好的备份，没有动现有数据。") from None
    kept = _swap(shelves.path, file)
    lock.release()
    return kept


def _swap(path: Path, file: Path) -> Path | None:
    draft = path.with_suffix(".restoring")
    shutil.copyfile(file, draft)
    with open(draft, "rb") as written:
        os.fsync(written.fileno())
    kept = path.with_name(f"{path.name}.before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}") if path.exists() else None
    if kept is not None:
        path.rename(kept)
        for ending in ("-wal", "-shm"):
            side = path.with_name(path.name + ending)
            if side.exists():
                side.rename(kept.with_name(kept.name + ending))
    draft.rename(path)
    return kept


if sys.platform == "win32":
    raise RuntimeError("红烛需要 Linux 或 macOS：文件锁和信号在 Windows 上没有")

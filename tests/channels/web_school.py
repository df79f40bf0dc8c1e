"""A demo school behind a real web server on loopback, with one small feature to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import httpx
import uvicorn

from bot import demo
from bot.app import RunningSchool, utc_now
from bot.channels.web.channel import WebChannel
from bot.channels.web.server import build, webhook_route
from bot.channels.web.signin import SignIn
from bot.engine.router import build as routes
from bot.kit.action import Action
from bot.kit.calendar import Calendar
from bot.kit.card import Attachment, Block, Button, Card, Chart, Facts, Line, People, Quote, Table, Tally, Tone
from bot.kit.context import Context, School, Staff, View
from bot.kit.event import Said
from bot.kit.feature import Feature
from bot.kit.form import Form, ask, line
from bot.kit.reply import Ask, Reply, Show, Toast
from bot.kit.role import Role
from bot.kit.when import QuietHours, SchoolHours
from storage import files
from storage.base import Db, metadata
from storage.engine import Shelves

T = TypeVar("T")
HOSTS = ("127.0.0.1", "localhost", "[::1]")


class Answer(Enum):
    YES = "y"
    LATE = "l"
    NO = "n"


LABELS = {Answer.YES: "能到", Answer.LATE: "晚到", Answer.NO: "请假"}


@dataclass(frozen=True)
class Rsvp(Action, verb="t.rsvp"):
    meeting: int
    answer: Answer


@dataclass(frozen=True)
class Why(Form, name="test.why"):
    reason: str = ask("请写请假理由", line, choices=("外出培训", "监考", "身体不适"))


class Meeting:
    """What the small feature remembers; a real one would ask its shelf."""

    def __init__(self) -> None:
        self.answers: dict[int, Answer] = {}
        self.taps = 0
        self.said: list[str] = []
        self.gallery: Card | None = None

    def feature(self) -> Feature:
        made = Feature("test", "试验")
        made.command("开会", who=Role.OFFICE)(self.call)
        made.command("帮助", who=Role.GUEST)(
            lambda ctx, rest: "发“开会”可以发一张会议卡片；大家点按钮就行，也可以回复“收到”。"
        )
        made.command("样张", who=Role.STAFF)(self.show_gallery)
        made.command("谁还没回", who=Role.OFFICE, private=True)(lambda ctx, rest: "还没回的有 36 人，已私聊提醒。")
        made.action(Rsvp)(self.answer)
        made.form(Why)(self.excuse)
        made.card("meet")(self.draw)
        made.card("gallery")(lambda view, number: self.gallery)
        made.phrase(lambda text: text if text == "收到" else None, lambda ctx, said: 1)(self.acknowledge)
        made.upload(".docx", ".txt", who=Role.STAFF)(self.upload)
        made.arrival(lambda ctx, group: None if group else "您好，我是红烛。回复“帮助”看看我会做什么。")
        return made

    def call(self, ctx: Context, rest: str) -> Reply:
        ctx.post("meet:1", Staff())
        return None

    def show_gallery(self, ctx: Context, rest: str) -> Reply:
        return Show("gallery:1")

    def upload(self, ctx: Context, text: str) -> Reply:
        assert ctx.upload is not None
        return f"收到文件 {ctx.upload.name}，{len(ctx.upload.content)} 字节。"

    def answer(self, ctx: Context, tap: Rsvp) -> Reply:
        if tap.answer is Answer.NO:
            return Ask(Why, {}, private=True)
        self.taps += 1
        self.answers[ctx.me.id] = tap.answer
        ctx.redraw("meet:1")
        return Toast(f"已记下：{LABELS[tap.answer]}")

    def excuse(self, ctx: Context, form: Why) -> Reply:
        self.answers[ctx.me.id] = Answer.NO
        ctx.redraw("meet:1")
        return f"已记下：请假（{form.reason}）。要改的话，回到群里再点一次。"

    def acknowledge(self, ctx: Context, text: str, scope: int) -> Reply:
        self.said.append(text)
        self.answers[ctx.me.id] = Answer.YES
        ctx.redraw("meet:1")
        return None

    def draw(self, view: View, number: int) -> Card | None:
        counts = Counter(self.answers.values())
        tally = [(LABELS[answer], counts[answer]) for answer in Answer]
        facts = [("时间", "11月27日 周五 15:30"), ("地点", "三楼会议室"), ("主持", "李校长")]
        buttons = [
            Button("能到", Rsvp(1, Answer.YES), Tone.MAIN),
            Button("晚到", Rsvp(1, Answer.LATE)),
            Button("请假", Rsvp(1, Answer.NO)),
        ]
        body: list[Block] = [Facts(facts), Tally([*tally, ("未答", 38 - len(self.answers))], 38)]
        return Card("meet:1", "教学例会", body, buttons, "回复“收到”就是能到；点错了再点一次。")


def gallery(word: str, file: int = 1) -> Card:
    """Every block there is, each with ``word`` wherever somebody's words may stand."""
    body: list[Block] = [
        Line(word),
        Facts([("主题", word), (word, "值")]),
        Tally([(word, 7), ("反对", 2), ("弃权", 1)], 12),
        People(f"已交 {word}", [word, "王老师", "陈静怡"]),
        Table(["条款", word], [["第一条", word], [word, "无"]]),
        Chart(f"得票 {word}", [(word, 12), ("张老师", 9), ("陈静怡", 3)]),
        Quote(word, word),
        Attachment(f"{word}.docx", file),
    ]
    buttons = [Button(word, Rsvp(2, Answer.YES), tone) for tone in Tone]
    return Card("gallery:1", word, body, buttons, word)


def school() -> School:
    hours = SchoolHours(zone=ZoneInfo("Asia/Shanghai"))
    return School("红烛示范小学", hours, QuietHours(time(21), time(7)), Calendar())


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebSchool:
    """The running school and its address. ``run`` does something on its loop, ``write`` at its desk."""

    def __init__(
        self,
        folder: Path,
        *,
        demo: bool = True,
        now: Callable[[], datetime] = utc_now,
        sign_in: SignIn | None = None,
        features: Sequence[Feature] = (),
    ) -> None:
        self.demo, self.sign_in = demo, sign_in
        self.meeting = Meeting()
        self.hooks: list[tuple[bytes, str | None]] = []
        self.shelves = Shelves(f"sqlite:///{folder / 'school.db'}")
        metadata.create_all(self.shelves.writer)
        router = routes([self.meeting.feature(), *features])
        self.running = RunningSchool(self.shelves, school(), router, now=now, channels=self._channels)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self._start())

    def _channels(self, running: RunningSchool) -> list[WebChannel]:
        words = {True: ("帮助", "开会", "谁还没回"), False: ("收到", "帮助")}
        self.channel = WebChannel(
            running.desk,
            running.shelves,
            running.school,
            running.now,
            upload_bytes=200_000,
            hints=lambda role, private: words[private] if role == "office" else words[private][:1],
            feeds=running.router.feeds,
        )
        return [self.channel]

    async def _start(self) -> None:
        self.running.desk.start()
        await self.running.desk.do(lambda db: demo.seed(db, datetime.now(UTC)))
        self.running.desk.stop()
        await self.running.start()
        app = webhook_route(build(self.channel, hosts=HOSTS, demo=self.demo, sign_in=self.sign_in), self._hook)
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=3
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve([self._socket]))
        while not (self._server.started and self.channel.listening):  # noqa: ASYNC110 uvicorn has only a flag
            await asyncio.sleep(0.01)

    async def _hook(self, body: bytes, secret: str | None) -> tuple[int, bytes]:
        self.hooks.append((body, secret))
        return (200, b"") if secret == "right" else (403, b"")

    def run(self, work: Coroutine[Any, Any, T], within: float = 30) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(within)

    def write(self, work: Callable[[Db], T]) -> T:
        return self.run(self.running.desk.do(work))

    def read(self, work: Callable[[Db], T]) -> T:
        with self.shelves.reading() as db:
            return work(db)

    def settle(self) -> None:
        self.run(self.running.postman.idle())

    def keep_file(self, name: str, content: bytes, owner: int | None) -> int:
        return self.write(lambda db: files.keep(db, name, "text/html", content, datetime.now(UTC), owner))

    def close(self) -> None:
        async def stop() -> None:
            await self.channel.close()
            self._server.should_exit = True
            await self._serving
            await self.running.stop()

        self.run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def client(self, **more: Any) -> httpx.Client:
        """A browser without scripts: it names its origin."""
        return httpx.Client(base_url=self.url, headers={"origin": self.url}, trust_env=False, **more)


def deed(place: str = "all", **facts: Any) -> dict[str, Any]:
    return {"id": f"deed-{datetime.now(UTC).timestamp()}".replace(".", "-"), "place": place, **facts}


__all__ = ["HOSTS", "Answer", "Rsvp", "Said", "WebSchool", "deed", "gallery"]

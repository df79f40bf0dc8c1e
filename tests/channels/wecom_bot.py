"""A school on the fake WeCom as a process that is meant to be killed: ``python -m tests.channels.wecom_bot URL WS``.

``HONGZHU_CRASH=name:n`` says where it dies. ``HONGZHU_MUTANT`` makes it wrong on purpose: the checker must notice.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Column, Integer, Table, bindparam, select, update

from bot.app import RunningSchool
from bot.channels.wecom import hearing
from bot.channels.wecom.channel import WecomChannel
from bot.channels.wecom.connection import Timing
from bot.engine.port import Answer, Channel, Limits
from bot.engine.router import build
from bot.kit import when
from bot.kit.action import Action
from bot.kit.calendar import Calendar
from bot.kit.card import Button, Card, Line
from bot.kit.context import Context, School, Staff, View
from bot.kit.feature import Feature
from bot.kit.reply import Reply, Toast
from bot.kit.role import Role
from storage import inbox, people
from storage.base import Db, Id, metadata
from storage.dialect import upsert
from storage.engine import Shelves
from storage.people import Person

PR_SET_PDEATHSIG = 1
NAMES = {"bangong": "office", "wang": "staff", "zhang": "staff", "li": "staff"}
counts = Table(
    "test_counts",
    metadata,
    Column("person", Id, primary_key=True, autoincrement=False),
    Column("presses", Integer, nullable=False),
    Column("words", Integer, nullable=False),
)
feature = Feature("counting", title="计数")


@dataclass(frozen=True)
class Press(Action, verb="t.count"):
    poll: int


def more(db: Db, person: int, what: str) -> int:
    """One more; nothing here would notice the same event a second time."""
    db.run(upsert(db, counts, ("person",)), {"person": person, "presses": 0, "words": 0})
    db.run(
        update(counts).where(counts.c.person == bindparam("b_p")).values({what: counts.c[what] + 1}), {"b_p": person}
    )
    return int(db.value(select(counts.c[what]).where(counts.c.person == bindparam("p")), {"p": person}) or 0)


@feature.card("count")
def face(view: View, number: int) -> Card:
    return Card(f"count:{number}", "点名", [Line("请点")], [Button("到", Press(number))])


@feature.command("点名", who=Role.OFFICE)
def begin(ctx: Context, rest: str) -> Reply:
    ctx.post("count:1", Staff())
    return None


@feature.action(Press)
def press(ctx: Context, tap: Press) -> Reply:
    ctx.redraw("count:1")
    return Toast(f"第{more(ctx.db, ctx.me.id, 'presses')}次")


@feature.command("加一")
def one_more(ctx: Context, rest: str) -> Reply:
    return f"记下第{more(ctx.db, ctx.me.id, 'words')}次"


def seed(url: str, group: str) -> None:
    shelves = Shelves(url)
    metadata.create_all(shelves.writer)
    now = datetime.now(UTC)
    with shelves.writer.connect() as connection, connection.begin():
        db = Db(connection)
        people.meet_group(db, "wecom", group, "教研组")
        people.bind_group(db, "wecom", group, now)
        for account, role in NAMES.items():
            number = people.add(db, Person(0, account, "", "", role))
            people.bind(db, number, "wecom", account, talk=account, now=now)
        db.flush()
    shelves.close()


def break_it(mutant: str) -> None:
    if mutant == "answer first":
        follow = hearing.Hearing._insist

        async def eager(self: Any, incoming: Any) -> Any:
            if incoming.click is not None:
                await self.mouth.clicked(incoming, Answer(toast="记下了"), 1e18)
            return await follow(self, incoming)

        hearing.Hearing._insist = eager  # type: ignore[method-assign]
    if mutant == "no memory":
        inbox.heard = lambda db, event: False  # type: ignore[assignment]
        inbox.note = lambda db, event, now: None  # type: ignore[assignment]


async def live(url: str, ws: str, bot_id: str, secret: str) -> None:
    hours = when.SchoolHours(zone=ZoneInfo("Asia/Shanghai"))
    school = School("红烛中学", hours, when.QuietHours(), Calendar())

    def channels(running: RunningSchool) -> Sequence[Channel]:
        draw = running.drawn
        return [
            WecomChannel(
                bot_id,
                secret,
                bot_name="红烛",
                url=ws,
                draw=draw,
                limits=Limits(),
                pause_seconds=0.1,
                timing=Timing(ack=2.0),
            )
        ]

    running = RunningSchool(Shelves(url), school, build([feature]), channels=channels)
    await running.start()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    await over.wait()
    await running.stop()


def main() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    url, ws, bot_id, secret = sys.argv[1:]
    break_it(os.environ.get("HONGZHU_MUTANT", ""))
    asyncio.run(live(url, ws, bot_id, secret))


if __name__ == "__main__":
    main()

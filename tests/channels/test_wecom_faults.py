"""The whole school on 企业微信 under stress: shelves stalled by a stranger, everybody told at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.channels.wecom.app import Application
from bot.channels.wecom.channel import LIMITS, WecomChannel
from bot.channels.wecom.door import callback_route
from bot.engine.port import Channel
from bot.kit.context import Context, Persons, Staff
from bot.kit.feature import Feature
from bot.kit.reply import Reply
from bot.kit.role import Role
from storage import people
from tests.channels.wecom_stage import WecomStage
from tests.engine.test_road import feature
from tests.office import Office, sqlite_url
from tests.stages import Door

HOLDER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
db.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
db.execute("ROLLBACK")
"""
loud = Feature("loud", title="群发")


@loud.command("群发", who=Role.OFFICE)
def to_all(ctx: Context, rest: str) -> Reply:
    for number in range(int(rest or 1)):
        ctx.say(f"通知{number}", to=Persons([person.id for person in people.active(ctx.db)]))
        ctx.post("hands:1", Staff())
    return None


class _WithApp(WecomChannel):
    """The application's door opens with the ears."""

    door: Door

    async def close(self) -> None:
        await super().close()
        await self.door.close()


class AppStage(WecomStage):
    """The bot, and an application whose callback is served."""

    def channels(self, running: object) -> list[Channel]:
        app = self.fake.http.app
        own = Application(
            self.fake.corp_id, app.secret, app.agent_id, token=app.token, aes_key=app.aes_key, base=self.fake.url
        )
        self.mouth = _WithApp(
            self.fake.bot_id, self.fake.secret, bot_name="红烛", url=self.fake.ws_url, app=own,
            draw=running.drawn, pause_seconds=0.05,
        )  # fmt: skip
        assert isinstance(self.mouth, _WithApp) and own.door is not None
        self.mouth.door = Door()
        app.callback_url = f"{self.mouth.door.url}/wecom/callback"
        self.own = own
        return [self.mouth]

    async def open_door(self) -> None:
        async def nothing(scope: object, receive: object, send: object) -> None: ...

        assert isinstance(self.mouth, _WithApp) and self.own.door is not None
        await self.mouth.door.open(callback_route(nothing, self.own.door.answer))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    stage = AppStage()
    office = Office(sqlite_url(tmp_path), [feature], stage, staff=6)
    office.run(stage.open_door())
    yield office
    office.close()
    stage.close()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 3.0, 12.0])
def test_a_callback_while_somebody_holds_the_database(office: Office, tmp_path: Path, seconds: float) -> None:
    """With the platform's real five seconds and three tries: one effect, and in the end it is confirmed."""
    stage = office.stage
    assert isinstance(stage, AppStage)
    app = stage.fake.http.app
    wang = stage.fake.people[stage.account(office["王老师"].number or 0)]
    office["办公室"].says("举手")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "school.db"), str(seconds)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    before = len(wang.inbox)
    xml = app.xml(wang.id, {"MsgType": "text", "Content": "请假", "MsgId": "424242"})
    assert app.deliver(xml) == 200
    assert holder.wait(30) == 0
    holder.stdout.close()
    time.sleep(0.5)
    office.settle()
    told = [m for m in wang.inbox[before:] if "为什么" in m.text_for(wang.id)]
    assert len(told) == 1, "heard once, asked once"
    assert told[0].via == "app"
    if seconds < 4:
        assert len(app.deliveries) == 1
    assert app.deliveries[-1][1] < 5.0


@pytest.mark.slow
def test_everybody_is_told_and_nothing_is_refused_or_dropped(tmp_path: Path) -> None:
    """Three hundred members and five groups, under the platform's limits, with clicks in between."""
    stage = WecomStage()
    stage.fake.limited = True
    stage.fake.server.latency = 0.05
    stage.limits = LIMITS
    office = Office(sqlite_url(tmp_path), [feature, loud], stage, staff=300)
    rooms = [stage.fake.group(f"第{n}教研组", known=True) for n in range(4)]
    office.write(lambda db: [people.meet_group(db, "wecom", room.id, room.title) for room in rooms] and None)
    office.write(lambda db: [people.bind_group(db, "wecom", room.id, office.time()) for room in rooms] and None)
    office["办公室"].says("举手")
    li = stage.fake.people[stage.account(office["李校长"].number or 0)]
    secretary = stage.fake.people[stage.account(office["办公室"].number or 0)]
    began = time.monotonic()
    secretary.says("群发 1")
    slowest = 0.0
    for _turn in range(4):
        time.sleep(0.15)
        press = li.presses(stage.room.from_bot[0], "举")
        press.wait(5)
        slowest = max(slowest, press.seconds)
    stage.fake.wait(lambda: sum(m.text == "通知0" for m in stage.fake.messages) >= 300, 30)
    taken = time.monotonic() - began
    office.settle()
    told = [m.talk for m in stage.fake.messages if m.text == "通知0"]
    assert len(told) == len(set(told)) == 300
    assert all(any(m.card for m in room.from_bot) for room in rooms)
    assert not [call for call in stage.fake.calls if call.errcode not in (0, None)]
    floor = 305 / LIMITS.parallel * stage.fake.server.latency
    print(f"305 recipients in {taken:.2f} s, floor {floor:.2f} s; slowest click {slowest * 1000:.0f} ms")
    assert slowest < 1.0
    office.close()
    stage.close()

"""The road of one tap, with the smallest feature that has everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, Table, bindparam, func, select

from bot.kit.action import Action
from bot.kit.card import Button, Card, Tally
from bot.kit.context import Context, Staff, View
from bot.kit.errors import Refused
from bot.kit.feature import Feature, Outcome
from bot.kit.form import Form, ask, line
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.role import Role
from storage.base import Id, metadata
from storage.dialect import upsert
from tests.office import Office, sqlite_url

hands = Table(
    "test_hands",
    metadata,
    Column("person", Id, primary_key=True, autoincrement=False),
    Column("up", Integer, nullable=False),
)
feature = Feature("hands", title="举手")


@dataclass(frozen=True)
class Raise(Action, verb="t.raise"):
    poll: int
    up: int


@dataclass(frozen=True)
class Why(Form, name="hands.why"):
    poll: int
    why: str = ask("为什么？", line, choices=("有课", "监考"))


@feature.card("hands")
def face(view: View, number: int) -> Card:
    up = view.db.value(select(func.count()).where(hands.c.up == 1)) or 0
    return Card(f"hands:{number}", "举手", (Tally((("举手", up),)),), (Button("举", Raise(number, 1)),))


@feature.command("举手", who=Role.OFFICE)
def begin(ctx: Context, rest: str) -> Reply:
    ctx.post("hands:1", Staff())
    ctx.book("hands.end", ctx.now + timedelta(hours=1), key="1", poll=1)
    return "发出了"


@feature.action(Raise)
def press(ctx: Context, tap: Raise) -> Reply:
    if tap.up == 9:
        raise Refused("不行")
    if tap.up == 8:
        raise RuntimeError("a bug")
    ctx.db.run(upsert(ctx.db, hands, ("person",), ("up",)), {"person": ctx.me.id, "up": tap.up})
    if tap.up == 7:
        raise Refused("写了才说不行")
    ctx.redraw("hands:1")
    return Toast("已记下")


@feature.command("请假")
def leave(ctx: Context, rest: str) -> Reply:
    return Ask(Why, {"poll": 1}, private=True)


@feature.form(Why)
def why(ctx: Context, form: Why) -> Reply:
    return f"理由：{form.why}"


@feature.appointment("end")
def end(ctx: Context, poll: int) -> None:
    ctx.settle("hands:1")
    ctx.say("结束了", to=Staff())


@feature.work("count")
def count(payload: bytes, note: dict[str, int | str]) -> int:
    return len(payload)


@feature.command("数")
def start(ctx: Context, rest: str) -> Reply:
    ctx.start("hands.count", rest.encode())
    return None


@feature.done("count")
def counted(ctx: Context, outcome: Outcome) -> Reply:
    return outcome.failed or f"{outcome.value} 个字节"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = Office(sqlite_url(tmp_path), [feature])
    yield office
    office.close()


def up(office: Office, name: str) -> int | None:
    number = office[name].number
    return office.ask(lambda db: db.value(select(hands.c.up).where(hands.c.person == bindparam("p")), {"p": number}))


def test_a_tap_is_kept_answered_and_shown(office: Office) -> None:
    office["办公室"].says("举手")
    assert office["办公室"].last == "发出了"
    assert office["王老师"].taps("举").toast == "已记下"
    office["张老师"].taps("举")
    assert up(office, "王老师") == 1
    assert office.card.tally == {"举手": 2}
    assert "2" in office.group[-1]


def test_a_stranger_is_refused_and_nothing_is_written(office: Office) -> None:
    office["办公室"].says("举手")
    assert "绑定" in (office["访客"].taps("举").toast or "")
    assert office.card.tally == {"举手": 0}


def test_a_teacher_may_not_do_what_the_office_may(office: Office) -> None:
    office["王老师"].says("举手")
    assert "办公室" in office["王老师"].last
    assert office.group == []


def test_a_refusal_after_a_write_undoes_the_write(office: Office) -> None:
    office["办公室"].says("举手")
    assert office["王老师"].forges("t.raise:1:7").toast == "写了才说不行"
    assert up(office, "王老师") is None


def test_a_bug_is_reported_by_number_and_does_not_stop_the_others(office: Office) -> None:
    office["办公室"].says("举手")
    assert "编号" in (office["王老师"].forges("t.raise:1:8").toast or "")
    assert "编号" in office["办公室"].last
    assert office["张老师"].taps("举").toast == "已记下"


@pytest.mark.parametrize(
    "token", ["", "x", "t.raise", "t.raise:1", "t.raise:1:1:1", "t.raise:a:1", "t.raise:1:" + "9" * 60]
)
def test_a_forged_button_is_refused(office: Office, token: str) -> None:
    assert "失效" in (office["王老师"].forges(token).toast or "")


def test_a_question_is_asked_in_private_and_answered_by_a_tap(office: Office) -> None:
    office["王老师"].says("请假", in_group=True)
    assert "为什么" in office["王老师"].last
    office["王老师"].taps("监考")
    assert office["王老师"].last == "理由：监考"


def test_a_half_filled_form_survives_a_restart(office: Office) -> None:
    office["王老师"].says("请假")
    office.restart()
    office["王老师"].says("家里有事")
    assert office["王老师"].last == "理由：家里有事"


def test_an_appointment_is_kept_once_at_its_time(office: Office) -> None:
    office["办公室"].says("举手")
    office.later(minutes=50)
    assert office.group[-1] != "结束了"
    office.later(minutes=20)
    office.later(hours=5)
    assert office.group.count("结束了") == 1


def test_an_appointment_that_fell_due_while_we_were_down_is_kept_on_waking(office: Office) -> None:
    office["办公室"].says("举手")
    office.run(office.running.stop())
    office.time.at += timedelta(days=2)
    office._open()
    assert office.group.count("结束了") == 1


def test_slow_work_comes_back_to_the_one_who_asked(office: Office) -> None:
    office["王老师"].says("数 abcde")
    assert office["王老师"].last == "5 个字节"

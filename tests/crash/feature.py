"""The smallest office with everything that may be lost or done twice. Only the bot's process imports this.

1.  The office says 通知 7: a card in the group, a text to each person, an appointment that falls due soon.
2.  A teacher presses 能到 / 晚到 / 请假. Every effect is a row of the history, without a key: done twice, seen twice.
    Who thinks again gets a durable text with a serial. 代答 is refused, 反悔 is refused after it wrote.
3.  收到 17, in private or in the group, is answered by a durable text with a serial.
4.  At the appointed time the notice is over: no answer counts any more, the card is settled, everybody is told.

Serials stand in 〔〕: by them the checker knows every message again, and every second copy of it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Boolean, Column, Integer, String, Table, bindparam, func, insert, select, update

from bot.kit.action import Action
from bot.kit.card import Button, Card, Line, Tally
from bot.kit.context import Context, Persons, Staff, View
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.feature import Feature
from bot.kit.reply import Reply, Toast
from bot.kit.role import Role
from storage import people
from storage.base import Db, Id, metadata

SOON = timedelta(seconds=0.25)
LABELS = {"y": "能到", "l": "晚到", "n": "请假", "x": "代答", "w": "反悔"}

notes = Table(
    "test_crash_notes",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("over", Boolean, nullable=False),
)
history = Table(
    "test_crash_history",
    metadata,
    Column("seq", Id, primary_key=True),
    Column("note", Id, nullable=False),
    Column("person", Id, nullable=False),
    Column("choice", String(16), nullable=False),
)
answers = Table(
    "test_crash_answers",
    metadata,
    Column("note", Id, primary_key=True, autoincrement=False),
    Column("person", Id, primary_key=True, autoincrement=False),
    Column("choice", String(16), nullable=False),
    Column("times", Integer, nullable=False),
)
dues = Table("test_crash_dues", metadata, Column("seq", Id, primary_key=True), Column("note", Id, nullable=False))

feature = Feature("roll", title="点到")
_answer = select(answers.c.choice, answers.c.times).where(
    answers.c.note == bindparam("note"), answers.c.person == bindparam("person")
)
_counts = (
    select(answers.c.choice, func.count().label("n"))
    .where(answers.c.note == bindparam("note"))
    .group_by(answers.c.choice)
)


@dataclass(frozen=True)
class Answer(Action, verb="t.ans"):
    note: int
    choice: str


@feature.card("roll")
def face(view: View, number: int) -> Card | None:
    found = view.db.first(select(notes).where(notes.c.id == number))
    if found is None:
        return None
    counted = {row.choice: row.n for row in view.db.all(_counts, {"note": number})}
    tally = Tally([(LABELS[choice], counted.get(choice, 0)) for choice in "yln"])
    end = (Line("已经结束"),) if found.over else ()
    buttons = () if found.over else [Button(label, Answer(number, choice)) for choice, label in LABELS.items()]
    return Card(f"roll:{number}", f"〔卡{number}〕", (tally, *end), buttons)


@feature.command("通知", who=Role.OFFICE)
def announce(ctx: Context, rest: str) -> Reply:
    number = int(rest)
    ctx.db.run(insert(notes), {"id": number, "over": False})
    ctx.post(f"roll:{number}", Staff())
    ctx.say(f"〔通知{number}〕请看群里", to=Persons([person.id for person in people.active(ctx.db)]))
    if number > 1:  # the first one stands open to the end
        ctx.book("roll.due", ctx.now + SOON, key=str(number), note=number)
    return f"〔发出{number}〕"


@feature.action(Answer)
def press(ctx: Context, tap: Answer) -> Reply:
    over = ctx.db.value(select(notes.c.over).where(notes.c.id == tap.note))
    if over is None or over:
        raise Refused("已经结束，没有记上")
    if tap.choice == "x":
        raise Refused("不能代答")
    before = ctx.db.first(_answer, {"note": tap.note, "person": ctx.me.id})
    times = keep(ctx.db, tap.note, ctx.me.id, tap.choice)
    if tap.choice == "w":
        raise Refused("写了才说不行")
    if before is not None and before.choice != tap.choice:
        ctx.say(f"{serial(tap.note, ctx.me.id, times)}改为{LABELS[tap.choice]}", to=Persons([ctx.me.id]))
    ctx.redraw(f"roll:{tap.note}")
    return Toast(f"已记下：{LABELS[tap.choice]}")


@feature.phrase(lambda text: re.fullmatch(r"收到 ?(\d+)", text), scope=lambda ctx, said: standing(ctx, said))
def heard(ctx: Context, meaning: re.Match[str], note: int) -> Reply:
    times = keep(ctx.db, note, ctx.me.id, f"s{meaning[1]}")
    ctx.redraw(f"roll:{note}")  # it may have taken the place of a 请假
    return f"{serial(note, ctx.me.id, times)}收到"


@feature.command("慢")
def slow(ctx: Context, rest: str) -> Reply:
    """Reads, dawdles, writes: room for somebody else's write between the two, where the lock leaves any."""
    ctx.db.first(_answer, {"note": 1, "person": ctx.me.id})
    time.sleep(0.05)
    times = keep(ctx.db, 1, ctx.me.id, f"s{int(rest)}")
    ctx.redraw("roll:1")
    return f"{serial(1, ctx.me.id, times)}慢慢收到"


@feature.appointment("due")
def due(ctx: Context, note: int) -> None:
    ctx.db.run(insert(dues), {"note": note})
    ctx.db.run(update(notes).where(notes.c.id == note).values(over=True))
    ctx.settle(f"roll:{note}")
    ctx.say(f"〔到时{note}〕", to=Staff())
    ctx.say(f"〔到时{note}〕", to=Persons([person.id for person in people.active(ctx.db)]))


def standing(ctx: Context, said: Said) -> int | None:
    return ctx.db.value(select(notes.c.id).where(notes.c.id == 1))  # type: ignore[no-any-return]


def keep(db: Db, note: int, person: int, choice: str) -> int:
    """One more row of the history, and the answer as it stands; how many there are now."""
    before = db.first(_answer, {"note": note, "person": person})
    db.run(insert(history), {"note": note, "person": person, "choice": choice})
    row = {"note": note, "person": person, "choice": choice, "times": (before.times if before else 0) + 1}
    if before is None:
        db.run(insert(answers), row)
    else:
        where = (answers.c.note == note, answers.c.person == person)
        db.run(update(answers).where(*where).values(choice=choice, times=row["times"]))
    return int(row["times"])


def serial(note: int, person: int, times: int) -> str:
    return f"〔回执{note}-{person}-{times}〕"

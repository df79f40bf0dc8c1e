"""The smallest feature with a button: a press is kept, counted and answered, and the card is drawn anew."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Integer, Table, func, select

from bot.kit.action import Action
from bot.kit.card import Button, Card, Tally
from bot.kit.context import Context, View
from bot.kit.feature import Feature
from bot.kit.reply import Reply, Toast
from storage.base import Id, metadata
from storage.dialect import upsert

presses = Table(
    "bench_presses",
    metadata,
    Column("card", Id, primary_key=True, autoincrement=False),
    Column("person", Id, primary_key=True, autoincrement=False),
    Column("choice", Integer, nullable=False),
)
feature = Feature("bench", title="bench")
_count = select(func.count()).select_from(presses)


@dataclass(frozen=True)
class Press(Action, verb="be.press"):
    card: int
    choice: int


@feature.action(Press)
def press(ctx: Context, tap: Press) -> Reply:
    statement = upsert(ctx.db, presses, ("card", "person"), ("choice",))
    ctx.db.later(statement, {"card": tap.card, "person": ctx.me.id, "choice": tap.choice})
    ctx.redraw(f"bench:{tap.card}")
    return Toast("已记下")


@feature.card("bench")
def face(view: View, number: int) -> Card:
    button = Button("好", Press(number, 1))
    return Card(f"bench:{number}", "按一下", (Tally((("好", view.db.value(_count) or 0),)),), (button,))

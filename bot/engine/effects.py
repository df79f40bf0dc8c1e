"""What a handler wanted -> rows, in its own transaction: outbox, diary, slow work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.engine import audience
from bot.kit.context import Audience, Book, Context, Post, Redraw, Say, Send, Start
from bot.kit.when import just_after
from storage import diary, outbox


def keep(ctx: Context, cause: str, *, urgent: bool) -> None:
    """Turns ``ctx.effects`` into rows. ``cause`` names the event, so that the same event makes the same keys."""
    for number, effect in enumerate(ctx.effects):
        match effect:
            case Say():
                _say(ctx, effect, effect.name or f"{cause}#{number}", urgent)
            case Post():
                _parcels(ctx, effect.to, f"{effect.key}#{cause}", effect.gentle, urgent, kind="card", card=effect.key)
            case Send():
                facts: dict[str, Any] = {"kind": "file", "file": effect.file, "body": effect.name}
                _parcels(ctx, effect.to, f"{cause}#{number}", effect.gentle, urgent, **facts)
            case Redraw():
                outbox.want(ctx.db, effect.key, final=effect.final)
            case Book():
                at = just_after(effect.at, effect.key)
                diary.book(ctx.db, effect.appointment, effect.key, at, effect.args)
            case Start():
                place = ctx.place
                diary.start_work(
                    ctx.db,
                    effect.work,
                    effect.payload,
                    effect.note,
                    person=ctx.person.id if ctx.person else None,
                    channel=place.channel,
                    place=place.id,
                    private=place.private,
                )
    ctx.effects.clear()


def _say(ctx: Context, say: Say, name: str, urgent: bool) -> None:
    facts: dict[str, Any] = {"kind": "text", "body": say.text, "receipt": say.receipt}
    if say.choices:
        facts["choices"] = "\n".join(say.choices)
    _parcels(ctx, say.to, name, say.gentle, urgent, **facts)


def _parcels(ctx: Context, to: Audience, name: str, gentle: bool, urgent: bool, **facts: Any) -> None:
    reached, unreached = audience.recipients(ctx.db, to)
    due = _due(ctx, gentle, name)
    rows = [
        {
            **facts,
            "key": f"{name}>{one.place.channel}:{one.place.id}"[:200],
            "channel": one.place.channel,
            "place": one.place.id,
            "private": one.place.private,
            "person": one.person,
            "urgent": urgent and one.place == ctx.place,
            "gentle": gentle,
            "made_at": ctx.now,
            "due_at": due,
        }
        for one in reached
    ]
    lost = [
        {
            **facts,
            "body": None,
            "key": f"{name}>nobody:{person}"[:200],
            "channel": "",
            "place": "",
            "private": True,
            "person": person,
            "made_at": ctx.now,
            "due_at": due,
            "state": outbox.DEAD,
            "error": "unreachable",
        }
        for person in unreached
    ]
    outbox.put(ctx.db, rows + lost)


def _due(ctx: Context, gentle: bool, name: str) -> datetime:
    return ctx.school.quiet.next_allowed(ctx.now, ctx.school.zone) if gentle else ctx.now

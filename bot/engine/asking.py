"""Fills a form, one question at a time; the half-filled form is a row, so a restart asks on where it stopped."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import msgspec

from bot.engine.router import Router, normal
from bot.kit.action import Action, BadToken
from bot.kit.context import Context
from bot.kit.errors import NotUnderstood
from bot.kit.event import Account, Place
from bot.kit.form import Form, Question
from bot.kit.reply import Ask, Reply, Toast
from bot.kit.words import N_, _
from storage import asking as shelf
from storage import people

FORGET = timedelta(hours=2)
LONGEST = 400  # signs of doubted words that are kept
CANCEL = ("取消", "算了", "不发了", "退出", "cancel")
SKIP = ("跳过", "无", "没有", "skip")
DOUBT = "?"  # among the values of a half-filled form: what was typed and may be an answer to something else
HERE, ELSEWHERE = N_("是回答这个问题"), N_("是另一件事")


@dataclass(frozen=True, slots=True)
class PickChoice(Action, verb="ask"):
    """A suggested answer, by its number; ``question`` tells an old question's button from the open one's."""

    question: str
    number: int


class Asker:
    """Asks, reads answers, and runs the form's handler once nothing is missing."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def begin(self, ctx: Context, sender: Account, ask: Ask) -> Reply:
        place = self._private(ctx, sender) if ask.private else ctx.place
        if place is None:
            return Toast(ask.toast) if ask.toast else _("请先私聊我一次，再回来点这里。")
        return self._next(ctx, sender, place, ask.form, ask.values, retry=None)

    def waiting(self, ctx: Context, sender: Account) -> shelf.Asking | None:
        found = shelf.get(ctx.db, ctx.place.channel, ctx.place.id, sender.id)
        if found is None or found.form not in self.router.forms or ctx.now - found.at > FORGET:
            return None
        return found

    def answer(self, ctx: Context, sender: Account, asking: shelf.Asking, text: str) -> Reply:
        """What somebody typed while a question was open."""
        form = self.router.forms[asking.form].form
        word = normal(text)
        if word in CANCEL:
            shelf.drop(ctx.db, ctx.place.channel, ctx.place.id, sender.id)
            return _(form.dropped)
        values = form.load(asking.values)
        question = form.question(asking.field)
        try:
            values[asking.field] = _read(ctx, question, values, text)
        except NotUnderstood as error:
            return self._next(ctx, sender, ctx.place, form, values, retry=error.sentence)
        return self._next(ctx, sender, ctx.place, form, values, retry=None)

    # --- words that may be meant for something else ------------------------------------------------------------

    def may_wander(self, ctx: Context, asking: shelf.Asking, text: str) -> bool:
        """Could these words be an answer to something else? Not where they were offered."""
        form, word = self.router.forms[asking.form].form, normal(text)
        question, values = form.question(asking.field), form.load(asking.values)
        if question.choices and not callable(question.choices) and _reads(ctx, question, values, text):
            return False  # 可以, asked whether it may be: a closed question knows its own answers
        known = (*CANCEL, *(SKIP if question.optional else ()), *choices(ctx, question, values))
        by_number = word.isascii() and word.isdigit() and len(question.offered(ctx, values)) > 0
        return not (text.strip() in known or word in known or by_number)

    def sees_to(self, asking: shelf.Asking) -> str:
        """The feature whose words this form reads itself; empty: none's."""
        form = self.router.forms[asking.form].form
        return form.name.partition(".")[0] if form.hears else ""

    def doubt(self, ctx: Context, sender: Account, asking: shelf.Asking, text: str) -> Reply:
        """Asks what the words are an answer to, instead of swallowing them."""
        values = {**msgspec.json.decode(asking.values), DOUBT: text[:LONGEST]}
        doubted = replace(asking, values=msgspec.json.encode(values).decode(), at=ctx.now)
        shelf.put(ctx.db, ctx.place.channel, ctx.place.id, sender.id, doubted)
        asked = _(self.router.forms[asking.form].form.question(asking.field).text)
        offered = _doubted()
        said = _("“{text}”是回答刚才的问题（{asked}），还是另一件事？", text=text[:40], asked=asked)
        ctx.say(said, to=ctx.place, choices=(_tag(doubted, offered), *offered))
        return None

    def doubted(self, asking: shelf.Asking) -> str | None:
        """The words of which it was asked what they answer."""
        found: str | None = msgspec.json.decode(asking.values).get(DOUBT)
        return found

    def settled(self, ctx: Context, sender: Account, asking: shelf.Asking) -> shelf.Asking:
        """The form as it was before the doubt."""
        values = {name: value for name, value in msgspec.json.decode(asking.values).items() if name != DOUBT}
        settled = replace(asking, values=msgspec.json.encode(values).decode(), at=ctx.now)
        shelf.put(ctx.db, ctx.place.channel, ctx.place.id, sender.id, settled)
        return settled

    def remind(self, ctx: Context, asking: shelf.Asking) -> None:
        """The question that is still open, once more."""
        form = self.router.forms[asking.form].form
        question = form.question(asking.field)
        offered = choices(ctx, question, form.load(asking.values))
        ctx.say(_question(question, None), to=ctx.place, choices=(_tag(asking, offered), *offered))

    # --- taps -----------------------------------------------------------------------------------------------------

    def choice(self, ctx: Context, asking: shelf.Asking, token: str) -> str | None:
        """The text of a suggested answer; ``None`` for another question's, or one that was never offered."""
        try:
            pick = PickChoice.unpack(token.split(":")[1:])
        except BadToken:
            return None
        form = self.router.forms[asking.form].form
        offered = choices(ctx, form.question(asking.field), form.load(asking.values))
        if self.doubted(asking) is not None:
            offered = _doubted()
        mine = pick.question == _tag(asking, offered) and 0 <= pick.number < len(offered)
        return offered[pick.number] if mine else None

    def submit(self, ctx: Context, sender: Account, name: str, typed: Mapping[str, str]) -> Reply:
        """A whole form at once."""
        form = self.router.forms[name].form
        values: dict[str, object] = {}
        while (field := form.missing(values)) is not None:
            question = form.question(field)
            values[field] = _read(ctx, question, values, typed.get(field, ""))
        return self.router.forms[name].handler(ctx, form.build(values))

    def _next(
        self,
        ctx: Context,
        sender: Account,
        place: Place,
        form: type[Form],
        values: Mapping[str, object],
        retry: str | None,
    ) -> Reply:
        field = form.missing(values)
        if field is None:
            shelf.drop(ctx.db, place.channel, place.id, sender.id)
            return self.router.forms[form.name].handler(ctx, form.build(values))
        asking = shelf.Asking(form.name, form.dump(values), field, ctx.now)
        shelf.put(ctx.db, place.channel, place.id, sender.id, asking)
        question = form.question(field)
        offered = choices(ctx, question, values)
        ctx.say(_question(question, retry), to=place, choices=(_tag(asking, offered), *offered))
        return None

    def _private(self, ctx: Context, sender: Account) -> Place | None:
        if ctx.place.private:
            return ctx.place
        behind = people.behind(ctx.db, sender.channel, sender.id)
        if behind is None or behind.talk is None or behind.closed:
            return None
        return Place(sender.channel, behind.talk, private=True)


def _doubted() -> tuple[str, ...]:
    return (_(HERE), _(ELSEWHERE))


def _reads(ctx: Context, question: Question, values: Mapping[str, object], text: str) -> bool:
    try:
        _read(ctx, question, values, text)
    except NotUnderstood:
        return False
    return True


def means(text: str, sentence: str) -> bool:
    """Is this the button's label, in whatever language it was shown?"""
    return text.strip() in (sentence, _(sentence))


def _tag(asking: shelf.Asking, offered: tuple[str, ...]) -> str:
    """What is known and offered is part of the question: where the rows have changed, an old button means nothing."""
    return f"{zlib.crc32(f'{asking.form}.{asking.field}.{asking.values}.{offered}'.encode()):08x}"


def _question(question: Question, retry: str | None) -> str:
    hint = _("（回复“跳过”可以不填，回复“取消”可以不做了）") if question.optional else _("（回复“取消”可以不做了）")
    return f"{retry or _(question.text)}\n{hint}"


def choices(ctx: Context, question: Question, values: Mapping[str, object]) -> tuple[str, ...]:
    """What can be tapped instead of typed; each is also a word that ``answer`` understands."""
    skip = (_("跳过"),) if question.optional else ()
    return (*question.offered(ctx, values), *skip, _("取消"))


def _read(ctx: Context, question: Question, values: Mapping[str, object], text: str) -> object:
    word = normal(text)
    if question.optional and word in SKIP:
        return ""
    offered = question.offered(ctx, values) if callable(question.choices) else question.choices
    if word.isascii() and word.isdigit() and len(word) < 4 and 1 <= int(word) <= len(offered):
        text = offered[int(word) - 1]
    return question.read(ctx, text)

"""收到，几点结束？: the question goes to the office, whose answer goes to the one who asked. By a tap or by quoting."""

from __future__ import annotations

from dataclasses import dataclass

from bot.kit.action import Action
from bot.kit.context import Context, Office, Persons
from bot.kit.errors import Refused
from bot.kit.event import Said
from bot.kit.form import Form, ask
from bot.kit.reply import Ask, Reply
from bot.kit.words import N_, _
from handlers.notices import forms
from storage import questions
from storage.notices import Notice
from storage.questions import Question


@dataclass(frozen=True)
class OnQuestion(Action, verb="nt.ask"):
    question: int


@dataclass(frozen=True)
class Answered(Form, name="notices.answered"):
    number: int
    text: str = ask(N_("怎么答复？写一句，会私聊转给提问的老师。"), forms.reply)


_WIDE = str.maketrans({"?": "？", ",": "，", "!": "！"})  # the reading folded them


def put(ctx: Context, notice: Notice, text: str) -> None:
    number = questions.put(ctx.db, notice.id, ctx.me.id, text.translate(_WIDE), ctx.now)
    ctx.post(f"notice-ask:{number}", Office(), gentle=True)


def on_question(ctx: Context, tap: OnQuestion) -> Reply:
    _known(questions.get(ctx.db, tap.question))
    return Ask(Answered, {"number": tap.question}, private=True)


def answered(ctx: Context, form: Answered) -> Reply:
    return reply(ctx, form.text, _known(questions.get(ctx.db, form.number)))


def read_any(text: str) -> str | None:
    return text.strip() or None


def quoted(ctx: Context, said: Said) -> Question | None:
    """The office answers by quoting the card with the question, in private."""
    prefix, _colon, number = (ctx.quoted or "").rpartition(":")
    return questions.get(ctx.db, int(number)) if prefix == "notice-ask" and ctx.place.private else None


def reply(ctx: Context, text: str, question: Question) -> Reply:
    text = forms.reply(ctx, text)
    questions.reply(ctx.db, question.id, text, ctx.me.id)
    told = _("您问的“{text}”，办公室答复：{reply}", text=question.text, reply=text)
    ctx.say(told, to=Persons([question.person]), gentle=True)
    ctx.redraw(f"notice-ask:{question.id}")
    return _("已转给提问的老师。")


def _known(question: Question | None) -> Question:
    if question is None:
        raise Refused(_("没有这个问题了。"))
    return question

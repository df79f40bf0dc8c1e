"""What must be known before we act; asked one question at a time, and the half-filled form is a row.

    @dataclass(frozen=True)
    class Announce(Form, name="notices.announce"):
        topic: str = ask(N_("会议主题是什么？"), line)
        starts: datetime = ask(N_("什么时间？例：周五下午三点半"), moment)

``glean`` may fill fields from the first sentence; what is still missing is asked in the order of the fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

import msgspec

from bot.kit import when
from bot.kit.errors import NotUnderstood
from bot.kit.words import N_, _

if TYPE_CHECKING:
    from bot.kit.context import Context

Reader = Callable[["Context", str], Any]
Choices = Sequence[str] | Callable[["Context", Mapping[str, object]], Sequence[str]]  # or made of what is known so far


@dataclass(frozen=True, slots=True)
class Question:
    """``read`` turns the typed answer into the value or raises ``NotUnderstood`` with what to type instead."""

    text: str
    read: Reader
    choices: Choices = ()
    optional: bool = False

    def offered(self, ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
        """The suggested answers, as they are shown."""
        return self.choices(ctx, values) if callable(self.choices) else [_(choice) for choice in self.choices]


def ask(
    text: str,
    read: Reader,
    *,
    choices: Choices = (),
    optional: bool = False,
    default: Any = dataclasses.MISSING,
) -> Any:
    """A field of a form. With a ``default`` it is never asked, only gleaned. ``optional`` may be skipped (跳过: "").

    A field without ``ask`` is given by whoever starts the form (``Ask(form, {"notice": 42})``).
    """
    question = Question(text, read, choices, optional)
    return dataclasses.field(default=default, metadata={"question": question})


class Form:
    """Subclass as a frozen dataclass. ``name`` is written by hand: half-filled forms outlive a deploy."""

    name: ClassVar[str] = ""
    dropped: ClassVar[str] = N_("好的，已取消。")  # what 取消 is answered with; say so where something is kept already
    hears: ClassVar[bool] = False  # its handler knows itself what other words of its feature mean

    def __init_subclass__(cls, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name:
            cls.name = name

    @classmethod
    def glean(cls, ctx: Context, text: str) -> dict[str, object]:
        """What the first sentence already says. The default reads nothing."""
        return {}

    @classmethod
    def missing(cls, values: Mapping[str, object]) -> str | None:
        """The next field to ask, or ``None`` when the form is whole."""
        for field in dataclasses.fields(cls):  # type: ignore[arg-type]
            asked = "question" in field.metadata and field.default is dataclasses.MISSING
            if asked and field.name not in values:
                return field.name
        return None

    @classmethod
    def question(cls, field: str) -> Question:
        anything: Any = cls
        return _questions(anything)[field]

    @classmethod
    def build(cls, values: Mapping[str, object]) -> Self:
        return cls(**values)

    @classmethod
    def dump(cls, values: Mapping[str, object]) -> str:
        return msgspec.json.encode(dict(values)).decode()

    @classmethod
    def load(cls, text: str) -> dict[str, object]:
        """The stored values, each again of its field's type."""
        anything: Any = cls
        hints, raw = _hints(anything), msgspec.json.decode(text)
        return {key: msgspec.convert(value, hints[key]) for key, value in raw.items() if key in hints}


@cache
def _questions(cls: Any) -> dict[str, Question]:
    return {f.name: f.metadata["question"] for f in dataclasses.fields(cls) if "question" in f.metadata}


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return {key: hint for key, hint in get_type_hints(cls).items() if key != "name"}


def line(ctx: Context, text: str) -> str:
    """One line of at most 200 characters."""
    cleaned = " ".join(text.split())
    if not cleaned:
        raise NotUnderstood(_("请写一句话。"))
    if len(cleaned) > 200:
        raise NotUnderstood(_("太长了（{n} 字），请写在 200 字以内。", n=len(cleaned)))
    return cleaned


def moment(ctx: Context, text: str) -> datetime:
    """A point in time in the future, read by ``when``; a day without its hour is asked again."""
    reading = ctx.school.read_time(text, ctx.now)
    if reading is None or reading.start is None:
        raise NotUnderstood(_("没看懂这个时间。例：周五下午三点半，12月2日 15:00。"))
    if reading.kind is when.Kind.DEADLINE or not reading.has_hour:
        raise NotUnderstood(_("{day} 几点？例：{day} 下午三点半。", day=text.strip()))
    if reading.start <= ctx.now:
        raise NotUnderstood(_("{time} 已经过去了，请写一个以后的时间。", time=reading.words))
    return reading.start


def deadline(ctx: Context, text: str) -> datetime:
    """A moment until which something may be done: 周四下班前 · 月底前 · 三天内; 周五 alone is Friday 23:59."""
    reading = ctx.school.read_time(text, ctx.now)
    if reading is None or reading.latest is None:
        raise NotUnderstood(_("没看懂这个截止时间。例：周四下班前，12月5日 17:00，三天内。"))
    if reading.latest <= ctx.now:
        raise NotUnderstood(_("{time} 已经过去了，请写一个以后的时间。", time=reading.words))
    return reading.latest


def day(ctx: Context, text: str) -> date:
    reading = ctx.school.read_time(text, ctx.now)
    if reading is None or reading.start is None:
        raise NotUnderstood(_("没看懂这个日期。例：12月2日，下周三。"))
    return reading.start.astimezone(ctx.school.zone).date()

"""What we say -> Bot API parameters. Pure, and HTML-free: styles are entities with UTF-16 offsets, so that no name and
no comment can break a message.

A message takes 4096 UTF-16 units (the stricter of two contradicting sources) and 100 buttons. A text that is longer
goes out in numbered parts. A card that is longer is told in full first, and then comes its *face*: a last message with
the buttons and what still fits, which is the one that is edited later. A face is drawn from the card alone, so that
after a restart it is still known which message shows what.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, assert_never

from bot.channels import choices, clean
from bot.channels.graphemes import shorten, split, units
from bot.engine.port import Answer, Content, Document
from bot.kit.card import (
    Attachment,
    Block,
    Button,
    Card,
    Chart,
    Facts,
    Line,
    People,
    Quote,
    Table,
    Tally,
    Tone,
)
from bot.kit.words import _

MOST = 4096
MARK = 16  # units kept for （12/34） and its line break
MOST_BUTTONS = 100
MOST_ENTITIES = 100
MOST_TOAST = 200
WIDEST = {3: 8, 2: 16}  # buttons in a row -> columns for each label (a Chinese character takes two) on a narrow phone
TITLE_IN_FACE = 100  # graphemes
BAR = 10
STYLES = {Tone.MAIN: "primary", Tone.DANGER: "danger"}
Payload = dict[str, Any]


@dataclass(slots=True)
class Paper:
    """Text that grows, with its styles as spans of code points."""

    text: str = ""
    styles: list[tuple[int, int, str]] = field(default_factory=list)

    def write(self, text: str, style: str = "") -> None:
        """A paragraph of its own."""
        if not text:
            return
        start = len(self.text) + bool(self.text)
        self.text = f"{self.text}\n{text}" if self.text else text
        if style and text.strip():
            self.styles.append((start, len(self.text), style))


def render(content: Content) -> list[Payload]:
    """The messages to send, in order; the last of a card carries its buttons."""
    match content:
        case Document():
            return [{"document": content}]
        case str():
            return _texts(Paper(_seen(clean.text(content))))
        case Card():
            whole = _paper(content)
            if units(whole.text) <= MOST:
                return [_message(whole.text, whole.styles, content.buttons)]
            return [*_texts(whole, more=1), face(content)]
        case _:
            assert_never(content)


def face(card: Card) -> Payload:
    """The one message that stands for the card: all of it where it fits."""
    whole = _paper(card)
    paper = whole if units(whole.text) <= MOST else _digest(card)
    return _message(paper.text, paper.styles, card.buttons)


def is_whole(card: Card) -> bool:
    """Whether the face says everything."""
    return units(_paper(card).text) <= MOST


def told(card: Card) -> str:
    """The full text of a card: what was told before its face."""
    return _paper(card).text


def toast(answer: Answer) -> Payload:
    """The word on an open callback."""
    if not answer.toast:
        return {}
    short = clean.text(answer.toast)
    if units(short) > MOST_TOAST:
        short = split(short, MOST_TOAST - 1)[0] + "…"
    return {"text": short, "show_alert": True} if answer.alert else {"text": short}


def passing(answer: Answer) -> Payload:
    """The same word as a message, where there is no callback to answer on or too much to say."""
    return render(answer.toast or "")[0]


# --- cards ----------------------------------------------------------------------------------------------------


def _paper(card: Card) -> Paper:
    paper = Paper()
    paper.write(clean.text(card.title), "bold")
    for block in card.body:
        _write(paper, block)
    _write_end(paper, card)
    return paper if not clean.is_blank(paper.text) else Paper(_seen(""))


def _seen(text: str) -> str:
    """Telegram refuses a message in which there is nothing to see."""
    return _("（空）") if clean.is_blank(text) else text


def _write_end(paper: Paper, card: Card) -> None:
    paper.write(choices.words(choices.spare(card.buttons, MOST_BUTTONS)))
    paper.write(clean.text(card.foot))


def _digest(card: Card) -> Paper:
    """The title and every block that still fits; the text of the others stands in the messages before it."""
    end = Paper()
    _write_end(end, card)
    room = MOST - 60 - units(end.text) if units(end.text) < MOST // 2 else MOST // 2
    paper = Paper()
    paper.write(shorten(clean.line(card.title), TITLE_IN_FACE), "bold")
    for block in card.body:
        one = Paper()
        _write(one, block)
        if units(paper.text) + units(one.text) + 1 <= room:
            _write(paper, block)
        elif not paper.text.endswith(_above()):
            paper.write(_above())
    paper.write(end.text if units(end.text) < MOST // 2 else shorten(clean.line(card.foot), TITLE_IN_FACE))
    return paper


def _above() -> str:
    return _("……（这里放不下，见前面的全文）")


def _write(paper: Paper, block: Block) -> None:
    match block:
        case Line():
            paper.write(clean.text(block.text))
        case Facts():
            for label, value in block.pairs:
                paper.write(_("{label}：{value}", label=clean.line(label), value=_indented(value)))
        case Tally():
            paper.write(_tally(block))
        case People():
            names = _("、").join(clean.name(name) for name in block.names) or _("无")
            paper.write(_("{title}（{n}）：{names}", title=clean.line(block.title), n=len(block.names), names=names))
        case Table():
            for row in (block.heads, *block.rows):
                paper.write(" | ".join(clean.line(cell) for cell in row))
        case Chart():
            paper.write(clean.line(block.title))
            for bar in _bars(block.bars):
                paper.write(bar)
        case Quote():
            paper.write(clean.text(block.text), "blockquote")
            paper.write(f"—— {clean.line(block.source)}" if block.source else "")
        case Attachment():
            paper.write(f"📎 {clean.line(block.name)}")
        case _:
            assert_never(block)


def _indented(value: str) -> str:
    """A line break in a value must not forge a line of its own."""
    return clean.text(value).replace("\n", "\n　　")


def _tally(tally: Tally) -> str:
    counts = " · ".join(f"{clean.line(label)} {count}" for label, count in tally.counts)
    return counts if tally.total is None else _("{counts}（共 {total}）", counts=counts, total=tally.total)


def _bars(bars: Sequence[tuple[str, int]]) -> Iterable[str]:
    longest = max((value for _label, value in bars), default=0)
    for label, value in bars:
        length = max(1, round(BAR * value / longest)) if value > 0 else 0
        yield f"{clean.line(label)} {'▇' * length}{' ' if length else ''}{value}"


# --- messages -------------------------------------------------------------------------------------------------


def _texts(paper: Paper, more: int = 0) -> list[Payload]:
    """In parts where it is too long; ``more`` messages follow that are counted in."""
    text = paper.text
    if units(text) <= MOST and not more:
        return [_message(text, paper.styles, ())]
    titles = [(start, end) for start, end, _style in paper.styles if end - start <= MOST // 4]
    parts = split(text, MOST - MARK, units, titles)
    messages, start = [], 0
    for number, part in enumerate(parts, 1):
        mark = _("（{n}/{all}）", n=number, all=len(parts) + more) + "\n"
        shift, end = len(mark) - start, start + len(part)
        inside = [(max(a, start) + shift, min(b, end) + shift, s) for a, b, s in paper.styles if a < end and b > start]
        messages.append(_message(mark + part, inside, ()))
        start = end
    return messages


def _message(text: str, styles: Sequence[tuple[int, int, str]], buttons: Sequence[Button]) -> Payload:
    payload: Payload = {"text": text, "link_preview_options": {"is_disabled": True}}
    if styles:
        at = [0, *accumulate(2 if c > "\uffff" else 1 for c in text)]
        spans = [(at[start], at[end], style) for start, end, style in styles[:MOST_ENTITIES] if at[end] > at[start]]
        payload["entities"] = [{"type": style, "offset": a, "length": b - a} for a, b, style in spans]
    if buttons:
        payload["reply_markup"] = {"inline_keyboard": _rows(buttons[:MOST_BUTTONS])}
    return payload


def _rows(buttons: Sequence[Button]) -> list[list[Payload]]:
    """One to three in a row, by the width of their labels; four short ones stand two and two."""
    rows, left = [], list(buttons)
    while left:
        size = next((n for n in (3, 2) if _fit(left, n)), 1)
        if size == 3 and len(left) == 4 and _fit(left[2:], 2):
            size = 2
        rows.append([_button(button) for button in left[:size]])
        del left[:size]
    return rows


def _fit(buttons: Sequence[Button], size: int) -> bool:
    return len(buttons) >= size and all(_columns(_label(button)) <= WIDEST[size] for button in buttons[:size])


def _columns(label: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in label)


def _label(button: Button) -> str:
    label = clean.line(button.label)
    return label if label.strip() else "…"


def _button(button: Button) -> Payload:
    look = {"style": STYLES[button.tone]} if button.tone in STYLES else {}
    return {"text": _label(button), "callback_data": button.action.pack(), **look}

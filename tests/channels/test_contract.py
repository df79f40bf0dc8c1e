"""The contract of every channel: over one gallery of cards no action and no word is lost, and payloads are golden.

A golden file changes only on purpose: ``HONGZHU_GOLDEN=write make test ARGS=tests/channels/test_contract.py``.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import pytest

from bot.channels import clean
from bot.channels.choices import REPLY
from bot.channels.telegram import render as telegram
from bot.channels.web import render as web
from bot.channels.wecom import render as wecom
from bot.channels.wecom.parse import token_of
from bot.kit.action import Action
from bot.kit.card import Attachment, Block, Button, Card, Chart, Facts, Line, People, Quote, Table, Tally, Tone
from handlers.contents import GALLERY
from tests.fakes.wecom_world import choices
from tests.fakes.wecom_world import words as read

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    "李\u202e老师\u200b",
    "👨\u200d👩\u200d👧\u200d👦👩🏽\u200d🏫",
    "<b>粗</b>&amp;<script>alert(1)</script>",
    "_*[`~>#+-=|{}.!\\",
    "第一行\n校长通知：全体放假",
    "=1+1",
    "𠮷𠮷" * 40,
)


@dataclass(frozen=True)
class Press(Action, verb="t.press"):
    number: int


def everything(word: str, buttons: int = 3) -> Card:
    """A card with every block there is, ``word`` wherever somebody's words may stand."""
    body: list[Block] = [
        Line(word),
        Facts([("主题", word), (word, "值")]),
        Tally([(word, 7), ("反对", 2)], 12),
        People(word, [word, "王老师"]),
        Table(["条款", word], [["第一条", word], [word, "无"]]),
        Chart(word, [(word, 12), ("张老师", 0)]),
        Quote(word, word),
        Attachment(f"{word}.docx", 7),
    ]
    return Card("all:1", word, body, [Button(f"选 {n}", Press(n), Tone.PLAIN) for n in range(buttons)], word)


EXTRA = [
    *(everything(word) for word in HOSTILE),
    everything("长" * 700),
    everything("多", buttons=130),
    Card("empty:1", "只有标题"),
]
CARDS = [*GALLERY, *EXTRA]
NAMES = [f"{n:02d}-{re.sub(r'[^a-z0-9]+', '-', card.key)}" for n, card in enumerate(CARDS)]


def words(card: Card) -> Iterator[str]:
    """Every piece of text that a person must be able to read."""
    yield card.title
    yield card.foot
    for block in card.body:
        yield from said(block)


def said(block: Block) -> Iterable[str]:
    match block:
        case Line():
            return [block.text]
        case Facts():
            return [part for pair in block.pairs for part in pair]
        case Tally():
            return [part for label, count in block.counts for part in (label, str(count))]
        case People():
            return [block.title, *block.names]
        case Table():
            return [cell for row in (block.heads, *block.rows) for cell in row]
        case Chart():
            return [block.title, *(part for label, count in block.bars for part in (label, str(count)))]
        case Quote():
            return [block.text, block.source]
        case Attachment():
            return [block.name]
        case _:
            assert_never(block)


def visible(text: str) -> str:
    """What the eye compares: no white space, nothing that cannot be seen, the digits of parts taken out."""
    cleaned = clean.text(text)
    return "".join(
        c for c in cleaned if not c.isspace() and c not in clean.UNSEEN and c not in "\u200c\u200d\u2068\u2069"
    )


@dataclass(frozen=True)
class Shown:
    """What a channel shows of a card: all text, the tokens of its buttons, and the numbers that stand for the rest."""

    text: str
    tokens: list[str]
    numbered: int


def on_telegram(card: Card) -> Shown:
    payloads = telegram.render(card)
    rows = [row for payload in payloads for row in payload.get("reply_markup", {}).get("inline_keyboard", [])]
    texts = [re.sub(r"^（\d+/\d+）\n", "", payload["text"]) for payload in payloads]
    numbered = sum(1 for text in texts for line in text.splitlines() if re.match(r"回复 \d+ 选 ", line))
    return Shown("\n".join(texts), [button["callback_data"] for row in rows for button in row], numbered)


def on_web(card: Card) -> Shown:
    made = web.card(card)
    tokens = [html.unescape(token) for token in re.findall(r'data-token="([^"]*)"', made)]
    return Shown(html.unescape(re.sub(r"<[^>]*>", "", made)), tokens, 0)


def on_wecom(card: Card) -> Shown:
    payloads = wecom.render(card)
    texts = [
        re.sub(r"^（\d+/\d+）\n", "", payload["markdown"]["content"]) for payload in payloads if "markdown" in payload
    ]
    faces = [payload["template_card"] for payload in payloads if "template_card" in payload]
    tokens = [token_of(key) for face in faces for _label, key in choices(face)]
    numbered = sum(1 for text in texts for line in text.splitlines() if re.match(r"回复 \d+ 选 ", line))
    return Shown("\n".join([*texts, *map(read, faces)]), tokens, numbered)


CHANNELS: dict[str, Callable[[Card], Shown]] = {"telegram": on_telegram, "web": on_web, "wecom": on_wecom}
PAYLOADS: dict[str, Callable[[Card], object]] = {"telegram": telegram.render, "web": web.card, "wecom": wecom.render}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("card", CARDS, ids=NAMES)
def test_no_word_is_lost(card: Card, channel: str) -> None:
    shown = visible(CHANNELS[channel](card).text)
    for piece in words(card):
        for name in (clean.name(piece), piece):
            if visible(name) in shown:
                break
        else:
            raise AssertionError(f"{channel} does not say {piece!r}")


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("card", CARDS, ids=NAMES)
def test_no_action_is_lost(card: Card, channel: str) -> None:
    shown = CHANNELS[channel](card)
    wanted = [button.action.pack() for button in card.buttons]
    assert shown.tokens == wanted[: len(shown.tokens)]
    assert len(shown.tokens) + shown.numbered >= len(wanted)
    assert all(len(token.encode()) <= 64 for token in wanted)


def test_a_number_that_stands_for_a_button_is_understood() -> None:
    shown = on_telegram(everything("多", buttons=130))
    assert len(shown.tokens) == 100 and shown.numbered == 30
    assert REPLY.fullmatch("回复 117") is not None


@pytest.mark.parametrize("channel", PAYLOADS)
@pytest.mark.parametrize("card,name", list(zip(CARDS, NAMES, strict=True)), ids=NAMES)
def test_the_payload_is_as_it_was_agreed(card: Card, name: str, channel: str) -> None:
    payload = PAYLOADS[channel](card)
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, indent=1, sort_keys=True)
    file = GOLDEN / channel / f"{name}.{'html' if isinstance(payload, str) else 'json'}"
    if os.environ.get("HONGZHU_GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n", encoding="utf-8")
    assert file.exists(), f"{file.name}: a new card; look at it in make preview, then write the golden file"
    assert text + "\n" == file.read_text(encoding="utf-8")

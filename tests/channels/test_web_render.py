"""Cards as HTML: nothing is lost, nothing that people wrote becomes markup, and the page's policy is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web import render
from bot.kit.card import Button, Card, Chart, Line, Tally
from storage.webchat import Message
from tests.channels.web_school import Answer, Rsvp, gallery

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</li></ol><h1>校长通知",
    "&lt;b&gt;",
    "李\u202e师老\u202c",
    "王\u200b老师",
    "\u0000\u0007",
    "校长\n通知：明天放假",
    "👨‍👩‍👧‍👦" * 60,
    "%s %(n)s {n} {0}",
    "x" * 3000,
]


class Tree(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


PLAIN = Tree(render.card(gallery("样"))).tags


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_words_stay_words(word: str) -> None:
    tree = Tree(render.card(gallery(word)))
    hints = word.splitlines()[1:]  # the title's further lines stand on lines of their own
    assert [tag for tag, _ in tree.tags if tag not in ("p", "bdi", "h4")] == [
        tag for tag, _ in PLAIN if tag not in ("p", "bdi", "h4")
    ], hints
    for tag, attrs in tree.tags:
        assert "style" not in attrs, tag
        assert not [key for key in attrs if key.startswith("on")], tag
        assert attrs.get("href") in (None, "file/1")


def test_every_block_and_button_is_there() -> None:
    tree = Tree(render.card(gallery("样品")))
    words = " ".join(tree.text.split())
    for piece in ("样品 7", "共 12", "已交 样品", "王老师", "第一条", "得票 样品", "陈静怡", "样品.docx", "— 样品"):
        assert piece in words, piece
    assert [b["data-token"] for b in tree.all("button")] == ["t.rsvp:2:y"] * 3
    assert [b["class"] for b in tree.all("button")] == ["plain", "main", "danger"]


def test_a_turned_name_is_turned_back() -> None:
    html = render.card(gallery("李\u202e师老"))
    assert "\u202e" not in html


@given(st.lists(st.tuples(st.text(max_size=8), st.integers(0, 10**6)), max_size=8), st.none() | st.integers(0, 10**6))
def test_a_bar_never_leaves_its_frame(counts: list[tuple[str, int]], total: int | None) -> None:
    tree = Tree(render.block(Tally(counts, total)) + render.block(Chart("", counts)))
    for piece in tree.all("rect"):
        assert 0 <= int(piece["x"] or 0) + int(piece["width"] or 0) <= 1000


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_card_can_be_drawn(title: str, line: str) -> None:
    tree = Tree(render.card(Card("x:1", title, [Line(line)], [Button(title, Rsvp(1, Answer.YES))], line)))
    assert len(tree.all("button")) == 1


def test_a_question_is_a_card_without_a_name() -> None:
    html = render.card(Card("", "什么时间？\n（回复“取消”可以不做了）", (), [Button("取消", Rsvp(0, Answer.NO))]))
    assert "<h4" not in html
    assert "question" in html


def message(**facts: Any) -> Message:
    made = datetime(2026, 11, 22, 17, 5, tzinfo=UTC)
    known = {"seq": 5, "change": 5, "place": "all", "account": "p3", "name": "王老师", "kind": "text", "body": "收到"}
    return Message(**{**known, "gist": "收到", "file": None, "quotes": None, "made_at": made, **facts})


def test_a_message_tells_the_time_of_the_school() -> None:
    html = render.message(message(), ZoneInfo("Asia/Shanghai"))
    assert "01:05" in html
    assert "11月23日 周一" in html


@pytest.mark.parametrize("word", HOSTILE)
def test_hostile_people_say_hostile_things(word: str) -> None:
    plain = render.message(message(quotes=1, quoted_name="甲", quoted_gist="乙"), ZoneInfo("Asia/Shanghai"))
    hostile = message(name=word, body=word, gist=render.gist(word), quotes=1, quoted_name=word, quoted_gist=word)
    tree = Tree(render.message(hostile, ZoneInfo("Asia/Shanghai")))
    assert [tag for tag, _ in tree.tags] == [tag for tag, _ in Tree(plain).tags]
    assert not [attrs for _, attrs in tree.tags if any(key.startswith("on") for key in attrs)]


def test_only_ones_own_message_is_mine() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    assert "message mine" in render.message(message(), zone, "p3")
    assert "message other" in render.message(message(), zone, "p4")
    assert "message bot" in render.message(message(account=""), zone, "")


@pytest.mark.parametrize(
    ("name", "shown"), [("王老师", "王"), ("陈静怡", "静怡"), ("刘洋", "刘洋"), ("办公室", "办"), ("欧阳娜娜", "欧阳")]
)
def test_the_picture_of_a_person(name: str, shown: str) -> None:
    assert render.initials(name) == shown

"""What people really type, and what it answers: the vocabulary with its traps. A wrong reading is worse than none."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.notices import rules
from handlers.notices.answers import LONGEST, Heard, hear
from handlers.notices.rules import Answer

TABLE = Path(__file__).parent / "tables" / "answers.tsv"
READINGS = {Answer.YES: "yes", Answer.LATE: "late", Answer.EARLY: "early", Answer.LEAVE: "leave"}


def rows() -> list[tuple[str, str, str, str]]:
    """Words, reading, in whose name, note."""
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("# ")]
    return [tuple([*line.split("\t"), "", ""][:4]) for line in lines]  # type: ignore[misc]


TRAPS = [words for words, reading, _who, _note in rows() if reading == "-"]


def reading(heard: Heard | None) -> str:
    """As the table writes it."""
    if heard is None:
        return "-"
    word = "seen" if heard.plain else READINGS[heard.answer]
    return f"{'proxy:' if heard.proxy else ''}{word}{'+question' if heard.asks else ''}"


def test_the_table_is_long_and_says_everything_once() -> None:
    words = [row[0] for row in rows()]
    assert len(words) == len(set(words)) and len(words) >= 1600 and len(words) - len(TRAPS) >= 600


@pytest.mark.parametrize(("words", "expected", "who", "note"), rows())
def test_what_people_type_is_read_like_this(words: str, expected: str, who: str, note: str) -> None:
    heard = hear(words)
    assert reading(heard) == expected
    assert heard is None or (heard.who, heard.note) == (who, note)


@pytest.mark.parametrize(
    ("who", "mine"),
    [
        *[(who, True) for who in ("", "张三", "张三老师", "语文张三", "张老师", "数学组", "三年级", "教学部")],
        *[(who, False) for who in ("李四", "李老师", "文件", "老师", "张", "张三丰", "小张", "三", "三楼会议室")],
    ],
)
def test_whose_name_is_mine(who: str, mine: bool) -> None:
    assert rules.about_me(who, "张三", "教学部") is mine


@given(st.text(max_size=LONGEST * 6))
def test_any_text_at_all_is_read_or_not_read(text: str) -> None:
    heard = hear(text)
    assert heard is None or heard.answer in Answer


@given(st.text(alphabet=string.ascii_letters.replace("o", "").replace("k", "") + "023456789 ,.", max_size=40))
def test_letters_and_figures_answer_nothing(text: str) -> None:
    assert hear(text.replace("1", "")) is None


@given(st.sampled_from(TRAPS), st.sampled_from(["，收到", "，好的", "。参加", " 请假"]))
def test_a_question_or_an_order_stays_one_whatever_follows(trap: str, more: str) -> None:
    if any(mark in trap for mark in ("吗", "？", "谁", "怎么", "没收到", "请假条")):
        assert hear(trap + more) is None


@given(st.sampled_from(TRAPS), st.sampled_from("！。~ ～!🙏🌹"))
def test_decoration_makes_no_answer_of_a_trap(trap: str, more: str) -> None:
    assert hear(trap + more) is None


def test_a_long_text_is_not_even_read() -> None:
    assert hear("收到" * 40) is None and hear("收到，" + "好" * 10_000) is None


def test_a_question_goes_along_with_a_firm_answer_only() -> None:
    heard = hear("收到，几点开始？")
    assert heard is not None and heard.asks == "几点开始?" and heard.plain
    assert hear("好的，几点？") is None and hear("收到，我不去可以吗？") is None and hear("几点开始？收到") is None

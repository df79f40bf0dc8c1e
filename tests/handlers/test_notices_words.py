"""What people really type, and what it answers: the vocabulary with its traps. A wrong reading is worse than none."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.notices import rules
from handlers.notices.answers import LONGEST, hear
from handlers.notices.rules import Answer
from tests.handlers.answers import Line, Verdict, judge, lines, reading

TRAPS = [line.words for line in lines() if line.expected == "-"]


def test_the_table_is_long_and_says_everything_once() -> None:
    words = [line.words for line in lines()]
    assert len(words) == len(set(words)) and len(words) >= 1600
    assert len(TRAPS) >= 750 and sum(line.yet for line in lines()) - len(TRAPS) >= 600


@pytest.mark.parametrize("line", [line for line in lines() if line.yet], ids=lambda line: line.words)
def test_what_people_type_is_read_like_this(line: Line) -> None:
    heard = hear(line.words)
    assert reading(heard) == line.expected
    assert heard is None or (heard.who, heard.note) == (line.who, line.note)


@pytest.mark.parametrize("line", [line for line in lines() if not line.yet], ids=lambda line: line.words)
def test_what_is_not_read_yet_is_at_least_not_counted(line: Line) -> None:
    """When one of these is read, take the ~ away."""
    assert judge(line) is Verdict.MISSED


def test_a_wrong_reading_would_be_noticed() -> None:
    assert judge(Line("请假", "yes")) is Verdict.WRONG and judge(Line("没收到", "seen")) is Verdict.MISSED
    assert judge(Line("张三请假", "leave", "李四")) is Verdict.WRONG and judge(Line("收到", "-")) is Verdict.WRONG


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

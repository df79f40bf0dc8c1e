"""接龙, as WeChat makes them and as people type them: who is in them, who is not, and what is never guessed."""

from __future__ import annotations

import pytest

from bot.kit import names
from handlers.notices import lists
from handlers.notices.feature import feature
from handlers.notices.rules import Answer
from storage import people, rsvps
from storage.people import Person
from storage.rolls import Entry
from tests.handlers.conftest import OpenOffice
from tests.office import Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
OTHER = "发通知 周四下午四点 报告厅 期中质量分析"
STAFF = 8
ROSTER = [
    Person(number, name, department)
    for number, (name, department) in enumerate(
        [
            ("王芳", "数学组"),
            ("王芳", "语文组"),
            ("李伟", "数学组"),
            ("李玮", "英语组"),
            ("张三", "初二"),
            ("单明", "初二"),
            ("欧阳娜娜", "音乐组"),
            ("刘建国", "总务处"),
            ("陈晓明", "数学组"),
            ("陈小明", "语文组"),
        ],
        1,
    )
]


@pytest.fixture
def sent(open_office: OpenOffice) -> Office:
    office = open_office(feature, staff=STAFF)
    office["办公室"].says(SAID).confirms()
    return office


def tally(office: Office, **changed: int) -> dict[str, int]:
    counts = {"能到": 0, "晚到": 0, "请假": 0, **changed}
    return {**counts, "未答": STAFF - sum(counts.values())}


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "person"),
    [
        ("张三", 5), ("张三老师", 5), ("初二 张三", 5), ("初二-张三", 5), ("初二张三", 5), ("张三（初二）", 5),
        ("数学组-王芳", 1), ("语文组 王芳", 2), ("语文王芳", 2), ("李伟", 3), ("李玮", 4), ("单鸣", 6),
        ("初二（3）班 张三", 5), ("刘老师", 8),
        ("刘建果", 8), ("欧阳娜娜", 7), ("陈晓明", 9), ("陈小明", 10), ("＠张三", 5),
    ],
)  # fmt: skip
def test_a_name_is_whose(typed: str, person: int) -> None:
    found = names.match(typed, ROSTER)
    assert found.person is not None and found.person.id == person


@pytest.mark.parametrize(
    ("typed", "close"),
    [
        ("王芳", {1, 2}), ("李维", {3, 4}), ("李纬", {3, 4}), ("陈晓敏", {9, 10}), ("陈肖明", {9, 10}),
        ("王老师", {1, 2}),
        ("张山", {5}), ("小李", set()), ("芳", set()), ("赵六", set()), ("老师", set()), ("张三丰", set()), ("", set()),
    ],
)  # fmt: skip
def test_a_name_that_may_be_somebodys_is_never_taken(typed: str, close: set[int]) -> None:
    found = names.match(typed, ROSTER)
    assert found.person is None and close <= {one.id for one in found.close}


# --- the text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title", "lines"),
    [
        ("#接龙\n教学例会\n\n1. 张三\n2. 李四 语文组", "教学例会", ["张三", "李四 语文组"]),
        ("#接龙 教学例会\n例 张三 语文组\n\n1. 张三\n2、李四", "教学例会", ["张三", "李四"]),
        ("接龙\n1．张三\n(2)李四\n（3）王五", "", ["张三", "李四", "王五"]),
        ("#Group Note\n1. 张三\n2. 李四", "", ["张三", "李四"]),
        ("①张三\n②李四 请假", "", ["张三", "李四 请假"]),
        ("1️⃣ 张三\n2️⃣ 李四", "", ["张三", "李四"]),
        ("1.张三 2.李四 3.王五", "", ["张三", "李四", "王五"]),
        ("#接龍\n1. 張三", "", ["張三"]),
        ("#接龙\n1. 王五（2人）\n   第二行也属于 1\n2. 张三", "", ["王五(2人) 第二行也属于 1", "张三"]),
        ("收到请接龙\n1、张三\n2、李四\n3、", "收到请", ["张三", "李四"]),
        ("#接龙\r\n教学例会\r\n1. 张三\r\n2. 李四", "教学例会", ["张三", "李四"]),
    ],
)
def test_the_lines_of_a_roll(text: str, title: str, lines: list[str]) -> None:
    found = lists.read_roll(text)
    assert found is not None and (found.title, list(found.lines)) == (title, lines)


@pytest.mark.parametrize(
    "text",
    [
        "收到",
        "1",
        "1.",
        "接龙",
        "请大家接龙",
        "大家在群里接龙报名",
        "3月5日开会",
        "1个人",
        "1. 张三",
        "",
        "收到\n1",
        "1 2 3",
        "11.28 前交",
    ],
)
def test_what_is_no_roll(text: str) -> None:
    assert lists.read_roll(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", Answer.YES), ("语文组", Answer.YES), ("（2人）", Answer.YES), ("收到", Answer.YES), ("+1", Answer.YES),
        ("√", Answer.YES), ("请假", Answer.LEAVE), ("病假", Answer.LEAVE), ("晚到十分钟", Answer.LATE),
        ("早退", Answer.EARLY),
        ("(2人) 第二行也属于 1", Answer.YES), ("不参加", Answer.LEAVE), ("线上参加", Answer.YES),
        ("待定", None), ("看情况", None), ("孩子发烧", None), ("×", None), ("？", None), ("可能晚到", None),
        ("不确定", None),
    ],
)  # fmt: skip
def test_what_is_written_behind_a_name(text: str, answer: Answer | None) -> None:
    heard = lists.remark(text)
    assert (heard.answer if heard else None) is answer


def version(*persons: int) -> list[Entry]:
    return [Entry(str(person), "", person) for person in persons]


@pytest.mark.parametrize(
    ("before", "poster", "now", "gone"),
    [
        ([(1, (1,)), (2, (1, 2))], 3, (1, 3), []),  # two posted at once: 3 had not seen 2
        ([(1, (1,)), (2, (1, 2)), (3, (1, 2, 3))], 4, (1, 3, 4), [2]),  # 3 had seen 2, and 2 is gone
        ([(1, (1,)), (2, (1, 2))], 2, (1,), [2]),  # took their own line out
        ([(1, (1,)), (2, (1, 2))], 1, (1,), [2]),  # shorter, and nobody new
        ([(1, (1, 2, 3))], 4, (1, 2, 3, 4), []),
        ([], 1, (1, 2), []),
    ],
)  # fmt: skip
def test_who_has_vanished(
    before: list[tuple[int, tuple[int, ...]]], poster: int, now: tuple[int, ...], gone: list[int]
) -> None:
    versions = [(who, version(*persons)) for who, persons in before]
    assert list(lists.vanished(versions, poster, version(*now))) == gone


# --- in the group ---------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_roll_counts_everybody_in_it_and_the_group_hears_nothing(sent: Office) -> None:
    sent["老师07"].says(
        "#接龙\n教学例会\n\n1. 王老师\n2. 张老师 语文组\n3. 老师05 请假\n4、老师06 晚到十分钟\n5. 老师07", in_group=True
    )
    assert sent.card.tally == tally(sent, 能到=3, 晚到=1, 请假=1)
    assert len(sent.group) == 1 and sent["老师07"].inbox == [] and sent["王老师"].inbox == []


@pytest.mark.stages
def test_versions_that_collide_are_united_and_nobody_is_lost(sent: Office) -> None:
    head = "#接龙\n教学例会\n1. 王老师\n"
    sent["王老师"].says(head, in_group=True)
    sent["张老师"].says(f"{head}2. 张老师", in_group=True)
    sent["老师05"].says(f"{head}2. 老师05 请假", in_group=True)  # at the same moment: without 张老师
    sent["老师06"].says(f"{head}2. 老师05 请假\n3. 老师06", in_group=True)
    assert sent.card.tally == tally(sent, 能到=3, 请假=1) and len(sent.group) == 1
    assert all(sent[name].inbox == [] for name in ("王老师", "张老师", "老师06"))


def test_a_vanished_line_is_asked_about_and_never_taken_off(sent: Office) -> None:
    head = "#接龙\n教学例会\n1. 王老师\n2. 张老师\n3. 老师05"
    sent["老师05"].says(head, in_group=True)
    sent["老师06"].says("#接龙\n教学例会\n1. 王老师\n2. 老师05\n3. 老师06", in_group=True)
    assert sent.card.tally == tally(sent, 能到=4)
    assert "少了您的名字" in sent["张老师"].last and len(sent["张老师"].inbox) == 1
    sent["老师07"].says("#接龙\n教学例会\n1. 王老师\n2. 老师05\n3. 老师06\n4. 老师07", in_group=True)
    assert len(sent["张老师"].inbox) == 1  # asked once
    sent["张老师"].taps("请假", in_="私聊")
    assert sent.card.tally == tally(sent, 能到=4, 请假=1)


def test_names_nobody_has_and_remarks_nobody_understands_go_to_the_office(sent: Office) -> None:
    before = len(sent["办公室"].inbox)
    text = "#接龙\n教学例会\n1. 小李\n2. 王老师 待定\n3. 张老师"
    sent["张老师"].says(text, in_group=True)
    sent["老师05"].says(f"{text}\n4. 老师05", in_group=True)
    assert sent.card.tally == tally(sent, 能到=2)
    told = sent["办公室"].inbox[before:]
    assert len(told) == 2 and "小李" in told[0] and "王老师 待定" in told[1]


def test_what_somebody_said_themselves_outlives_a_line_that_others_copy(sent: Office) -> None:
    text = "#接龙\n教学例会\n1. 王老师\n2. 张老师"
    sent["张老师"].says(text, in_group=True)
    sent["王老师"].taps("请假", reason="监考")
    sent["老师05"].says(f"{text}\n3. 老师05", in_group=True)
    assert sent.card.tally == tally(sent, 能到=2, 请假=1)
    sent["老师06"].says("#接龙\n教学例会\n1. 王老师 能到\n2. 张老师\n3. 老师05\n4. 老师06", in_group=True)
    assert sent.card.tally == tally(sent, 能到=3, 请假=1)
    sent["王老师"].says("#接龙\n教学例会\n1. 王老师 参加\n2. 张老师\n3. 老师05\n4. 老师06", in_group=True)
    assert sent.card.tally == tally(sent, 能到=4)


@pytest.mark.stages
def test_a_roll_about_lunch_is_asked_about_once_and_then_left_alone(sent: Office) -> None:
    lunch = "#接龙\n周五订盒饭\n1. 王老师"
    sent["王老师"].says(lunch, in_group=True)
    assert sent.card.tally == tally(sent) and "哪一个通知" in sent["王老师"].last
    sent["张老师"].says(f"{lunch}\n2. 张老师", in_group=True)
    assert sent["张老师"].inbox == []
    sent["王老师"].taps("都不是")
    sent["老师05"].says(f"{lunch}\n2. 张老师\n3. 老师05", in_group=True)
    assert sent.card.tally == tally(sent) and sent["老师05"].inbox == []


def test_said_to_be_about_a_notice_all_that_waited_is_counted(sent: Office) -> None:
    head = "#接龙\n周五下午\n1. 王老师"
    sent["王老师"].says(head, in_group=True)
    sent["张老师"].says(f"{head}\n2. 张老师 请假", in_group=True)
    sent["王老师"].taps("1123-01 教学例会")
    assert sent.card.tally == tally(sent, 能到=1, 请假=1)


def test_with_two_open_the_title_or_the_quote_says_which(sent: Office) -> None:
    sent["办公室"].says(OTHER).confirms()
    sent["王老师"].says("#接龙\n期中质量分析会\n1. 王老师", in_group=True)
    assert sent.shown("notice:2").tally["能到"] == 1 and sent.shown("notice:1").tally["能到"] == 0
    first = next(seen.ref for seen in sent.stage.messages(sent.room.id) if "教学例会" in seen.text)
    sent["张老师"].says("1. 张老师\n2. 老师05", in_group=True, quotes=first)
    assert sent.shown("notice:1").tally["能到"] == 2


def test_an_agenda_is_no_roll(sent: Office) -> None:
    sent["王老师"].says("1、学习文件\n2、讨论方案\n3、张老师发言", in_group=True)
    assert sent.card.tally == tally(sent) and sent["王老师"].inbox == [] and sent["办公室"].inbox[-1:] != ["对不上"]


def test_a_name_that_two_share_is_whoever_posts_it(sent: Office) -> None:
    for department in ("数学组", "语文组"):
        sent.write(lambda db, d=department: people.add(db, Person(0, "王芳", d)))  # type: ignore[misc]
    both = sent.ask(lambda db: people.named(db, "王芳"))
    account = sent["老师08"].account
    sent.write(lambda db: people.bind(db, both[0].id, account.channel, account.id, talk=None, now=sent.time()))
    sent["张老师"].says("#接龙\n教学例会\n1. 张老师\n2. 王芳", in_group=True)
    assert "王芳" in sent["办公室"].last and sent.shown("notice:1").tally["能到"] == 1
    sent["张老师"].says("#接龙\n教学例会\n1. 张老师\n2. 王芳（语文组）", in_group=True)
    given = sent.ask(lambda db: rsvps.last_words(db, 1))
    assert both[1].id in given and both[0].id not in given


def test_pasted_in_private_it_is_answered(sent: Office) -> None:
    sent["办公室"].says("#接龙\n教学例会\n1. 王老师\n2. 小李\n3. 张老师 请假")
    assert any("已按接龙记下 2 人" in text for text in sent["办公室"].inbox)
    assert sent.card.tally == tally(sent, 能到=1, 请假=1)

"""Forty people answer in forty ways, with traps, quotes, collisions and changes of mind; and what else goes wrong in a
real week: two notices, an edited message, somebody in two groups, on leave, not on the roster, a group that moves."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from bot.kit.event import Moved, Place, Said
from handlers.notices.feature import feature
from storage import people
from storage.base import Db
from tests.handlers.conftest import OpenOffice
from tests.office import Office, Somebody

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
OTHER = "发通知 周四下午四点 报告厅 期中质量分析"
STAFF = 45
Act = Callable[[Somebody], object]


def group(*texts: str) -> Act:
    return lambda who: [who.says(text, in_group=True) for text in texts]


def private(*texts: str) -> Act:
    return lambda who: [who.says(text) for text in texts]


def taps(*labels: str) -> Act:
    return lambda who: [who.taps(label) for label in labels]


def quoting(text: str, *, card: bool) -> Act:
    def act(who: Somebody) -> None:
        seen = who.office.stage.messages(who.office.room.id)[0]
        who.says(text, in_group=True, quotes=seen.ref if card else "987654")

    return act


def roll(*lines: str) -> Act:
    return group("#接龙\n教学例会\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1)))


WAYS: list[tuple[str, Act, str]] = [
    ("王老师", group("收到"), "能到"),
    ("张老师", group("己阅"), "能到"),
    ("老师05", group("👌"), "能到"),
    ("老师06", group("好的，收到，谢谢书记"), "能到"),
    ("老师07", group("1"), "能到"),
    ("老师08", group("数学组收到"), "能到"),
    ("老师09", group("收到，会带听课本"), "能到"),
    ("老师10", taps("能到"), "能到"),
    ("老师11", taps("晚到"), "晚到"),
    ("老师12", taps("请假", "监考"), "请假"),
    ("老师13", private("收到"), "能到"),
    ("老师14", private("请假", "孩子发烧"), "请假"),
    ("老师15", group("监考请假"), "请假"),
    ("老师16", group("晚到十分钟"), "晚到"),
    ("老师17", group("上完第二节课再来"), "晚到"),
    ("老师18", group("能到，但四点要走"), "早退"),
    ("老师19", group("只能参加前半段"), "早退"),
    ("老师20", group("线上参加"), "能到"),
    ("老师21", group("没收到"), ""),
    ("老师22", group("收到请回复，谢谢"), ""),
    ("老师23", group("请假条在哪"), ""),
    ("老师24", group("不请假"), ""),
    ("老师25", group("要是有课就请假"), ""),
    ("老师26", group("待定，看情况"), ""),
    ("老师27", group("收到，几点结束？"), "能到"),
    ("老师28", group("请假，有课", "又能来了"), "能到"),
    ("老师29", group("能到", "来不了，看病"), "请假"),
    ("老师30", group("病假", "收到"), "请假"),
    ("老师31", group("能到", "说错了，晚到"), "晚到"),
    ("老师33", group("代老师32请假，住院"), ""),
    ("老师32", taps("对，就这样"), "请假"),
    ("老师33", group("帮老师34报名", "参加"), "能到"),
    ("老师34", taps("不对，撤销"), ""),
    ("老师35", roll("老师35", "老师36 请假"), "能到"),
    ("老师37", roll("老师35", "老师37 语文组"), "能到"),
    ("老师36", group("老师36 收到"), "请假"),
    ("老师38", quoting("收到", card=True), "能到"),
    ("老师39", quoting("收到", card=False), ""),
    ("老师40", group("老师41收到"), ""),
    ("老师41", group("請假，監考"), "请假"),
    ("老师42", private("收到", "收到"), "能到"),
]


@pytest.mark.stages
@pytest.mark.timeout(300)
def test_forty_people_answer_in_forty_ways(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=STAFF)
    office["办公室"].says(SAID).confirms()
    for name, act, _answer in WAYS:
        act(office[name])
    answered = {name: answer for name, _act, answer in WAYS if answer}
    wanted = {label: list(answered.values()).count(label) for label in ("能到", "晚到", "请假", "早退")}
    assert len({name for name, _act, _answer in WAYS}) == 40
    assert office.card.tally == {**wanted, "未答": STAFF - len(answered)}
    assert len(office.group) == 1 and "住院" not in office.group[0] and "监考" not in office.group[0]

    before = {name: len(office[name].inbox) for name in office.people}
    for evening, morning in (("周一 21:00", "周二 7:00"), ("周四 21:00", "周五 7:00")):
        office.later(to=evening)
        asleep = {name: len(office[name].inbox) for name in office.people}
        office.later(to=morning)
        assert asleep == {name: len(office[name].inbox) for name in office.people}
    office.later(to="周五 15:20")
    silent = {name for name in office.people if name not in answered}
    for name in office.people:
        more = office[name].inbox[before[name] :]
        reminders = [text for text in more if "请答复 ·" in text]
        assert len(reminders) == (1 if name in silent else 0), name
        assert more == reminders or name == "办公室", name
    assert [text for text in office["办公室"].inbox[before["办公室"] :] if "谁还没回" in text]
    listed = office.shown("notice-silent:1").text
    assert all((name in listed) == (name in silent) for name in ("老师21", "老师34", "老师40", "王老师", "老师05"))
    assert len(office.group) == 1


# --- what else goes wrong -------------------------------------------------------------------------------------


def edits(office: Office, name: str, text: str) -> None:
    """Mends a message in the group."""
    who = office[name]
    who._does(Said(f"paper:test:{uuid.uuid4()}", office.time(), who.account, office.room, text, None, None, True))


@pytest.mark.paper
def test_an_edited_message_is_a_second_thought(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    office["办公室"].says(SAID).confirms()
    office["王老师"].says("收到", in_group=True)
    edits(office, "王老师", "收到，请假，监考")
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 1, "未答": 7}
    edits(office, "王老师", "收到请回复")
    edits(office, "张老师", "没收到")
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 1, "未答": 7} and office["张老师"].inbox == []


@pytest.mark.paper
def test_an_old_word_that_is_mended_says_nothing_of_a_newer_notice(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    said_at = office.time()
    office.later(hours=1)
    office["办公室"].says(SAID).confirms()
    office.later(hours=1)
    who = office["王老师"]
    words = f"paper:test:{uuid.uuid4()}", office.time(), who.account, office.room, "收到"
    who._does(Said(*words, edited=True, first_at=said_at))
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 0, "未答": 8} and who.inbox == []
    words = f"paper:test:{uuid.uuid4()}", office.time(), who.account, office.room, "收到"
    who._does(Said(*words, edited=True, first_at=office.time() - timedelta(minutes=5)))
    assert office.card.tally == {"能到": 1, "晚到": 0, "请假": 0, "未答": 7}


@pytest.mark.paper
def test_words_that_were_passed_on_are_nobodys_answer_but_a_list_is_read(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    office["办公室"].says(SAID).confirms()
    office["王老师"].passes_on("收到", in_group=True)
    office["王老师"].passes_on("请假，监考", in_group=True)
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 0, "未答": 8} and office["王老师"].inbox == []
    office["王老师"].passes_on("收到")
    assert "转发来的话不算您说的" in office["王老师"].last
    office["办公室"].passes_on("取消通知")
    assert office.card.tally["未答"] == 8 and "转发来的话" in office["办公室"].last
    office["张老师"].passes_on("#接龙\n教学例会\n1. 张老师\n2. 李老师", in_group=True)
    assert office.card.tally == {"能到": 2, "晚到": 0, "请假": 0, "未答": 6}


@pytest.mark.paper
def test_a_card_forwarded_elsewhere_and_a_voice_we_do_not_know(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    office["办公室"].says(SAID).confirms()
    office["王老师"].says(office.group[0], in_group=True)  # the card's own text, forwarded
    office["访客"].says("收到", in_group=True)
    office["访客"].says("代王老师请假", in_group=True)
    office["访客"].says("#接龙\n教学例会\n1. 王老师\n2. 张老师", in_group=True)
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 0, "未答": 8}
    assert office["王老师"].inbox == [] and len(office.group) == 1


@pytest.mark.paper
def test_who_is_in_two_groups_counts_once_and_one_on_leave_not_at_all(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)

    def second(db: Db) -> None:
        people.meet_group(db, office.stage.channel, "group2", "数学组")
        people.bind_group(db, office.stage.channel, "group2", office.time())

    office.write(second)
    away = office["老师08"].number or 0
    office.write(lambda db: people.set_leave(db, away, date(2026, 11, 27), date(2026, 11, 27), "公出"))
    office["办公室"].says(SAID).confirms()
    other = Place(office.stage.channel, "group2", private=False)
    who = office["王老师"].says("收到", in_group=True)
    who._does(Said(f"paper:test:{uuid.uuid4()}", office.time(), who.account, other, "收到"))
    who._does(Said(f"paper:test:{uuid.uuid4()}", office.time(), who.account, other, "晚到十分钟"))
    office["老师08"].says("收到", in_group=True)
    assert office.shown("notice:1").tally == {"能到": 0, "晚到": 1, "请假": 0, "未答": 6}
    assert [len(office.stage.messages(place)) for place in ("group", "group2")] == [1, 1]


@pytest.mark.paper
def test_a_group_that_becomes_another_in_the_middle_loses_nothing(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    office["办公室"].says(SAID).confirms()
    office["王老师"].says("收到", in_group=True)
    who, old = office["张老师"], office.room
    who._does(Moved(f"paper:test:{uuid.uuid4()}", office.time(), who.account, old, "supergroup"))
    office.stage.group = "supergroup"
    office["张老师"].says("晚到十分钟", in_group=True)
    office["老师05"].says("#接龙\n教学例会\n1. 老师05\n2. 老师06 请假", in_group=True)
    assert office.shown("notice:1").tally == {"能到": 2, "晚到": 1, "请假": 1, "未答": 4}
    office["办公室"].says("更正通知 地点改到报告厅").taps("确认更正")
    assert any("报告厅" in text for text in office.group)


def test_two_people_of_one_name_and_two_notices_stay_apart(open_office: OpenOffice) -> None:
    office = open_office(feature, staff=8)
    office["办公室"].says(SAID).confirms()
    office["办公室"].says(OTHER).confirms()
    office["王老师"].says("收到", in_group=True)
    assert "哪一个通知" in office["王老师"].last
    office["王老师"].taps("1123-02 期中质量分析")
    office["王老师"].says("收到", in_group=True)
    office["张老师"].says("期中质量分析来不了", in_group=True)
    office["张老师"].says("监考请假", in_group=True)
    office["张老师"].taps("1123-01 教学例会")
    assert office.shown("notice:1").tally == {"能到": 1, "晚到": 0, "请假": 1, "未答": 6}
    assert office.shown("notice:2").tally == {"能到": 1, "晚到": 0, "请假": 0, "未答": 7}
    assert len(office.group) == 2

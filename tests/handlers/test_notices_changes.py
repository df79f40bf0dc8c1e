"""Corrections and cancellations: shown first, told to exactly who was told, nothing already answered lost."""

from __future__ import annotations

import pytest

from handlers.notices.feature import feature
from storage import corrections, diary, notices, people
from storage.base import Db
from tests.handlers.conftest import OpenOffice
from tests.office import Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
STAFF = 8
MOVED = "〔通知 1123-01〕更正：时间 由 11月27日 周五 15:30 改为 11月27日 周五 16:00"


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=STAFF)


@pytest.fixture
def sent(office: Office) -> Office:
    """One notice in the group; 王老师 comes, 张老师 comes late, 老师05 does not, the others are silent."""
    office["办公室"].says(SAID).confirms()
    office["王老师"].taps("能到")
    office["张老师"].taps("晚到")
    office["老师05"].taps("请假", reason="监考")
    return office


def booked(office: Office) -> dict[str, list[str]]:
    """What is booked, at school time."""
    names = ("notices.chase", "notices.due", "notices.close")
    zone = office.running.school.zone
    found = {name: office.ask(lambda db, n=name: diary.coming(db, n)) for name in names}  # type: ignore[misc]
    return {name[8:]: [f"{one.at.astimezone(zone):%d %H:%M}" for one in rows] for name, rows in found.items()}


def second_group(office: Office, name: str = "group2") -> None:
    def bind(db: Db) -> None:
        people.meet_group(db, office.stage.channel, name, "数学组")
        people.bind_group(db, office.stage.channel, name, office.time())

    office.write(bind)


def texts(office: Office, place: str) -> list[str]:
    return [seen.text for seen in office.stage.messages(place)]


def test_a_correction_asks_what_changes_and_shows_the_difference_first(sent: Office) -> None:
    someone = sent["办公室"].says("更正通知")
    assert "更正什么" in someone.last
    assert "改到什么时间" in someone.taps("时间").last
    shown = someone.says("周五下午四点").last
    assert "时间 由 11月27日 周五 15:30 改为 11月27日 周五 16:00" in shown
    assert "1 个群" in shown and "私聊 2 位" in shown
    assert len(sent.group) == 1 and "15:30" in sent.group[0]


@pytest.mark.stages(both=True)
def test_confirmed_it_reaches_the_group_and_those_who_are_coming_and_nobody_else(sent: Office) -> None:
    before = {name: len(sent[name].inbox) for name in ("老师05", "老师06")}
    sent["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    assert sent.group[-1] == f"{MOVED}。"
    assert "16:00" in sent.face(0) and len(sent.group) == 2
    for name in ("王老师", "张老师"):
        assert MOVED in sent[name].last and "不用再回" in sent[name].last
    assert before == {name: len(sent[name].inbox) for name in before}


def test_answers_are_kept_and_can_still_be_changed(sent: Office) -> None:
    before = sent.shown("notice:1").tally
    sent["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    assert sent.shown("notice:1").tally == before
    sent["王老师"].says("请假").says("有课")
    assert sent.shown("notice:1").tally == {**before, "能到": 0, "请假": 2}


def test_a_new_place_is_told_likewise_and_a_new_topic_only_in_the_group(sent: Office) -> None:
    sent["办公室"].says("更正通知 地点改到二楼报告厅").taps("确认更正")
    assert sent.group[-1] == "〔通知 1123-01〕更正：地点 由 三楼会议室 改为 二楼报告厅。"
    assert "二楼报告厅" in sent["王老师"].last and "二楼报告厅" in sent.face(0)
    before = len(sent["王老师"].inbox)
    sent["办公室"].says("更正通知").taps("主题").says("安全例会").taps("确认更正")
    assert sent.group[-1] == "〔通知 1123-01〕更正：主题 由 教学例会 改为 安全例会。"
    assert "会议通知 · 安全例会" in sent.face(0) and len(sent["王老师"].inbox) == before


def test_the_appointments_move_with_the_meeting(sent: Office) -> None:
    assert booked(sent) == {"chase": ["27 14:30"], "due": [], "close": ["27 15:30"]}
    sent["办公室"].says("更正通知 时间改到下周一下午四点").taps("确认更正")
    assert booked(sent) == {"chase": ["30 15:00"], "due": [], "close": ["30 16:00"]}
    sent.later(to="周五 16:00")
    assert sent.card.labels and sent["老师06"].inbox == []
    sent.later(to="11月30日 15:05")
    assert "请答复 ·" in sent["老师06"].last


def test_once_reminded_and_then_moved_the_silent_are_reminded_for_the_new_time(sent: Office) -> None:
    sent.later(to="周五 14:40")
    assert len([t for t in sent["老师06"].inbox if "请答复 ·" in t]) == 1
    sent["办公室"].says("更正通知 时间改到下周一下午四点").taps("确认更正")
    assert "30日" in sent.face(0, sent["老师06"])  # the reminder shows the new time
    sent.later(to="11月30日 15:05")
    assert len([t for t in sent["老师06"].inbox if "请答复 ·" in t]) == 2


def test_a_correction_can_be_dropped_and_then_nothing_happened(sent: Office) -> None:
    someone = sent["办公室"].says("更正通知 时间改到周五下午四点")
    assert someone.taps("不改了").toast == "好的，没有改动。"
    assert "已经做过" in (someone.forges("nt.fix:1:s", in_group=False).toast or "")
    assert len(sent.group) == 1 and "15:30" in sent.group[0]


def test_confirmed_twice_it_is_told_once(sent: Office) -> None:
    someone = sent["办公室"].says("更正通知 时间改到周五下午四点")
    someone.taps("确认更正")
    assert "已经做过" in (someone.forges("nt.fix:1:s", in_group=False).toast or "")
    assert "已经做过" in (someone.forges("nt.fix:1:n", in_group=False).toast or "")
    assert len(sent.group) == 2 and len([t for t in sent["王老师"].inbox if MOVED in t]) == 1


def test_two_corrections_at_once_do_not_undo_one_another(sent: Office) -> None:
    sent["办公室"].says("更正通知 时间改到周五下午四点")
    sent["李校长"].says("更正通知 时间改到周五下午五点").taps("确认更正")
    assert "刚刚被更正过" in (sent["办公室"].taps("确认更正").toast or "")
    assert "17:00" in sent.face(0) and len(sent.group) == 2


@pytest.mark.stages
def test_the_steps_work_as_words(sent: Office) -> None:
    sent["办公室"].says("更正通知").says("地点").says("操场").says("确认更正")
    assert "操场" in sent.group[-1]
    sent["办公室"].says("取消通知").says("不改了")
    assert "会议通知" in sent.group[0]
    sent["办公室"].says("取消通知").says("确认取消")
    assert "已取消 · 教学例会" in sent.board


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("更正通知 时间改到昨天下午三点", "已经过去了"),
        ("更正通知 时间改到周五下午三点半", "没有改动"),
        ("更正通知 地点改到三楼会议室", "没有改动"),
        ("更正通知 时间改到随便", "没看懂"),
        ("更正通知 时间改到周四", "几点"),
    ],
)
def test_what_changes_nothing_or_cannot_be_is_refused(sent: Office, said: str, answer: str) -> None:
    before = len(sent["办公室"].inbox)
    sent["办公室"].says(said)
    assert answer in "".join(sent["办公室"].inbox[before:])
    assert not sent["办公室"].sees("确认更正")


def test_a_time_that_was_not_understood_is_asked_again(sent: Office) -> None:
    someone = sent["办公室"].says("更正通知 改到随便").says("时间")
    assert "改到什么时间" in someone.last
    assert "16:00" in someone.says("周五下午四点").last and someone.sees("确认更正")


def test_with_two_open_it_is_asked_which(sent: Office) -> None:
    sent["办公室"].says("发通知 周四下午四点 报告厅 期中质量分析").confirms()
    someone = sent["办公室"].says("更正通知 地点改到操场")
    assert "哪一个" in someone.last
    someone.taps("1123-01 教学例会").taps("确认更正")
    assert sent.group[-1].startswith("〔通知 1123-01〕更正：地点")
    someone.says("取消通知 1123-02").taps("确认取消")
    assert any(text.startswith("〔通知 1123-02〕已取消") for text in sent.group[-2:])


def test_a_meeting_that_has_begun_can_be_neither_corrected_nor_cancelled(sent: Office) -> None:
    someone = sent["办公室"].says("更正通知 时间改到周六下午四点")
    sent.later(to="周五 15:40")
    assert "已经开始" in (someone.taps("确认更正").toast or "")
    assert "已经开始" in someone.says("更正通知").last
    assert "已经开始" in someone.says("取消通知").last


def test_a_deadline_for_answers_that_has_passed_falls_with_the_change(office: Office) -> None:
    office["办公室"].says(f"{SAID}，周四中午十二点前回复").confirms()
    office["王老师"].taps("能到")
    office.later(to="周四 12:05")
    assert office.card.labels == []
    office["办公室"].says("更正通知 时间改到周五下午五点").taps("确认更正")
    assert office["王老师"].taps("请假", in_="群").toast == "已记下：请假"
    assert office.shown("notice:1").tally["请假"] == 1


def test_an_assumed_time_is_said_before_it_is_confirmed(sent: Office) -> None:
    sent["办公室"].says("更正通知").taps("时间").says("11月28日三点")
    assert any("请核对" in text for text in sent["办公室"].inbox[-2:])


# --- cancelling -----------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_cancellation_is_confirmed_first_and_then_told_and_settled(sent: Office) -> None:
    someone = sent["办公室"].says("取消通知")
    assert "11月27日 周五 15:30" in someone.last and len(sent.group) == 1
    assert someone.taps("确认取消").toast == "已取消，告诉了 1 个群。"
    assert "已取消 · 教学例会" in sent.board
    assert "〔通知 1123-01〕已取消：11月27日 周五 15:30 教学例会，不用再答复。" in sent.group[1:]
    assert sent["王老师"].finds_closed("能到")


def test_after_a_cancellation_nothing_more_happens(sent: Office) -> None:
    sent["办公室"].says("取消通知").taps("确认取消")
    assert booked(sent) == {"chase": [], "due": [], "close": []}
    before, count = {name: len(sent[name].inbox) for name in ("王老师", "老师06")}, len(sent.group)
    sent.later(days=7)
    assert before == {name: len(sent[name].inbox) for name in before} and len(sent.group) == count
    assert "已经取消" in (sent["王老师"].forges("nt.rsvp:1:y").toast or "")
    assert "已经取消" in sent["办公室"].says("更正通知").last


def test_a_reminder_already_in_private_loses_its_buttons(sent: Office) -> None:
    sent["办公室"].says("催一下")
    assert sent["老师06"].sees("能到")
    sent["办公室"].says("取消通知").taps("确认取消")
    assert sent["老师06"].finds_closed("能到") and sent["老师06"].told("已取消")


# --- who is told ----------------------------------------------------------------------------------------------


@pytest.mark.paper
def test_exactly_the_groups_that_had_the_notice_hear_of_the_change(office: Office) -> None:
    second_group(office)
    office["办公室"].says(SAID).confirms()
    office.later(minutes=5)
    second_group(office, "group3")  # bound later: it never saw the notice
    office["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    assert texts(office, "group2")[-1] == f"{MOVED}。" and texts(office, "group3") == []
    office.write(lambda db: people.bind_group(db, office.stage.channel, "group2", None))
    office["办公室"].says("取消通知").taps("确认取消")
    assert len(texts(office, "group2")) == 2 and "已取消" in office.group[-1]


@pytest.mark.paper
def test_a_group_that_moved_or_was_bound_anew_still_hears_of_it(office: Office) -> None:
    second_group(office)
    office["办公室"].says(SAID).confirms()
    office.later(minutes=5)
    office.write(lambda db: people.move_group(db, office.stage.channel, "group2", "super2"))
    office.write(lambda db: people.bind_group(db, office.stage.channel, office.stage.group, office.time()))
    office["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    assert texts(office, "super2") == [f"{MOVED}。"] and office.group[-1] == f"{MOVED}。"


# --- at night -------------------------------------------------------------------------------------------------


def test_at_night_a_correction_waits_unless_it_must_not(sent: Office) -> None:
    sent.later(to="11月23日 22:00")
    sent["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    before = len(sent["王老师"].inbox)
    assert len(sent.group) == 1
    sent.later(to="11月24日 07:15")
    assert sent.group[-1] == f"{MOVED}。" and len(sent["王老师"].inbox) == before + 1
    sent.later(to="11月24日 22:00")
    sent["办公室"].says("更正通知 地点改到操场").taps("现在就发")
    assert "操场" in sent.group[-1] and len(sent.group) == 3


def test_a_cancellation_that_would_come_too_late_in_the_morning_must_be_sent_at_once(office: Office) -> None:
    office["办公室"].says("发通知 周二上午七点 操场 升旗彩排").confirms()
    office.later(to="11月23日 22:00")
    someone = office["办公室"].says("取消通知")
    assert "现在就发" in (someone.taps("确认取消").toast or "")
    assert "已取消" in (someone.taps("现在就发").toast or "")
    assert "已取消" in office.group[-1]


def test_what_nobody_has_read_yet_is_changed_without_a_word(office: Office) -> None:
    office.later(to="11月23日 22:00")
    office["办公室"].says(SAID).confirms()
    assert "还没有发到群里" in office["办公室"].says("更正通知 1123-01 地点改到操场").last
    office["办公室"].taps("确认更正")
    office.later(to="11月24日 07:15")
    assert len(office.group) == 1 and "操场" in office.group[0]


def test_what_nobody_has_read_yet_is_cancelled_without_a_word(office: Office) -> None:
    office.later(to="11月23日 22:00")
    office["办公室"].says(SAID).confirms()
    office["办公室"].says("取消通知").taps("确认取消")
    office.later(to="11月24日 10:00")
    assert office.group == []
    assert office.ask(lambda db: notices.opened(db, office.time())) == []


@pytest.mark.parametrize("token", ["nt.fix:999:s", "nt.fix:1:t", "nt.fix:1:q", "nt.fix:x:s", "nt.chase:999"])
def test_forged_steps_are_refused(sent: Office, token: str) -> None:
    sent["办公室"].says("更正通知 时间改到周五下午四点")
    assert sent["办公室"].forges(token, in_group=False).toast
    assert "办公室" in (sent["王老师"].forges("nt.fix:1:s").toast or "")
    assert sent.ask(lambda db: corrections.of(db, 1)) == [] and len(sent.group) == 1


# --- withdrawn, moved, widened --------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_withdrawn_notice_says_so_on_its_card_and_once_in_the_group(sent: Office) -> None:
    before = {name: len(sent[name].inbox) for name in ("王老师", "张老师", "老师06")}
    sent["办公室"].says("撤回通知").taps("确认撤回")
    assert any("发错了，已撤回" in text for text in sent.group)
    assert "已撤回 · 教学例会" in sent.shown("notice:1").text and not sent.shown("notice:1").labels
    assert "已经取消" in (sent["王老师"].forges("nt.rsvp:1:y").toast or "")
    sent.later(to="周五 16:00")
    assert before == {name: len(sent[name].inbox) for name in before}


def test_moving_in_one_sentence(sent: Office) -> None:
    shown = sent["办公室"].says("改期 周五下午四点").last
    assert "时间 由 11月27日 周五 15:30 改为 11月27日 周五 16:00" in shown
    sent["办公室"].taps("确认更正")
    assert "16:00" in sent.shown("notice:1").text


@pytest.mark.stages
def test_who_is_coming_can_answer_anew_by_a_tap_on_what_changed(sent: Office) -> None:
    sent["办公室"].says("改期 周五下午四点").taps("确认更正")
    assert MOVED in sent["王老师"].last
    sent["王老师"].taps("请假", in_="私聊")
    assert sent.shown("notice:1").tally["请假"] == 2


@pytest.mark.stages
def test_whoever_is_added_is_told_and_nobody_else(office: Office) -> None:
    for name in ("王老师", "张老师"):
        number = office[name].number or 0
        office.write(lambda db, n=number: people.change(db, n, department="数学组"))  # type: ignore[misc]
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 教学例会，数学组参加").confirms()
    office["王老师"].taps("能到")
    before = {name: len(office[name].inbox) for name in ("王老师", "张老师")}
    shown = office["办公室"].says("追加对象 教学部").last
    assert "参加的人 由 数学组 改为 数学组、教学部" in shown and "新加的 6 人" in shown
    office["办公室"].taps("确认追加")
    assert len(office.group) == 1 and "数学组、教学部" in office.shown("notice:1").text
    assert office.card.tally == {"能到": 1, "晚到": 0, "请假": 0, "未答": 7}
    assert before == {name: len(office[name].inbox) for name in before}
    assert "请答复 · 教学例会" in office["老师06"].last
    office["老师06"].taps("能到", in_="私聊")
    assert office.card.tally == {"能到": 2, "晚到": 0, "请假": 0, "未答": 6}


def test_everybody_cannot_be_widened(sent: Office) -> None:
    assert "全体" in sent["办公室"].says("追加对象 教学部").last

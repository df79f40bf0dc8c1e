"""What happens on Telegram alone: who never pressed Start, a group that moves, second thoughts, reactions."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.contents import FEATURES
from storage import drafts, people, rsvps
from tests.handlers.conftest import OpenOffice
from tests.office import Office, Somebody
from tests.stages import TelegramStage

STAFF = 8
SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
DRAFT = "征求意见 考勤办法\n第一条　为规范考勤。\n第二条　适用于全体教职工。\n第三条　每天签到两次。"
MODES = pytest.mark.parametrize("mode", ["polling", "webhook"])


@pytest.fixture
def office(open_office: OpenOffice, mode: str) -> Office:
    return open_office(*FEATURES, stage=TelegramStage(mode), staff=STAFF)


def wire(office: Office) -> TelegramStage:
    assert isinstance(office.stage, TelegramStage)
    return office.stage


def phone(someone: Somebody) -> Any:
    """The person behind the account, as the platform knows them."""
    return wire(someone.office).users[someone.account.id]


def said(someone: Somebody) -> Any:
    """Their newest message in the group."""
    mine = [m for m in wire(someone.office).room.messages if m.sender["id"] == phone(someone).id]
    return mine[-1]


def settle(office: Office) -> None:
    """After something that a phone did by itself."""
    wire(office)._heard()
    office.settle()


def answer(office: Office, name: str) -> str | None:
    given = office.ask(lambda db: rsvps.mine(db, 1, office[name].number or 0))
    return given.answer if given else None


# --- who never pressed Start ----------------------------------------------------------------------------------


@MODES
def test_who_never_pressed_start_can_do_everything_in_the_group(office: Office) -> None:
    """Their account came with the roster; Telegram lets nobody write to them first."""
    wang = office["王老师"]
    phone(wang).started = False
    office["办公室"].says(SAID).confirms().says(DRAFT).says("周四下午五点").says("可以").says("李校长").taps("确认发布")
    office["办公室"].says("评选 11月明星教师 候选人 张老师、老师05 截止 周五17:00").taps("确认开始")
    assert any("送不到：王老师" in text for text in office["办公室"].inbox)
    assert wang.taps("请假").toast == "已记下：请假"
    assert answer(office, "王老师") == "n"
    assert "私聊" in (wang.taps("去投票").toast or "") and "私聊" in (wang.taps("看全文").toast or "")
    before = len(office.group)
    wang.says("第三条建议改为自愿", in_group=True)
    assert [c.words for c in office.ask(lambda db: drafts.mine(db, 1, wang.number or 0))] == ["建议改为自愿"]
    assert len(office.group) == before + 1 and "建议" not in office.group[-1] and "私聊我" in office.group[-1]
    assert wang.inbox == []


@MODES
def test_once_they_press_start_they_are_reached(office: Office) -> None:
    wang = office["王老师"]
    phone(wang).started = False
    office["办公室"].says("学习提醒 今天下午四点 读《十项准则》").taps("确认")
    office.later(hours=7)
    assert wang.inbox == [] and any("送不到：王老师" in text for text in office["办公室"].inbox)
    assert wang.comes().last.startswith("王老师您好")
    office["办公室"].says("学习提醒 明天下午四点 读《考核办法》").taps("确认")
    office.later(to="11月24日 16:05")
    assert "考核办法" in wang.last


@MODES
def test_who_blocks_us_is_left_alone_until_they_come_back(office: Office) -> None:
    wang = office["王老师"]
    phone(wang).blocks()
    settle(office)
    office["办公室"].says("学习提醒 今天下午四点 读《十项准则》").taps("确认")
    office.later(hours=7)
    assert wang.inbox == []
    sent = [call for call in wire(office).fake.calls if call.params.get("chat_id") == phone(wang).id]
    assert sent == []
    wang.comes()
    office["办公室"].says("学习提醒 明天下午四点 读《考核办法》").taps("确认")
    office.later(to="11月24日 16:05")
    assert "考核办法" in wang.last


# --- a group that moves ---------------------------------------------------------------------------------------


@MODES
def test_a_group_that_becomes_a_supergroup_in_the_middle(open_office: OpenOffice, mode: str) -> None:
    """The old messages can no longer be changed; what is alive is shown anew, once, and answered there."""
    office = open_office(*FEATURES, stage=TelegramStage(mode, supergroup=False), staff=STAFF)
    office["办公室"].says(SAID).confirms()
    office["王老师"].taps("能到")
    old = wire(office).room
    wire(office).upgrades()
    office.settle()
    assert office.group == []
    office["张老师"].says("收到", in_group=True)
    assert len(office.group) == 1 and "能到 2" in office.group[0]
    office["老师05"].taps("晚到", in_="群")
    assert len(office.group) == 1 and "晚到 1" in office.group[0]
    office["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    office.restart()
    office.later(to="周五 16:05")
    assert "已开始" in office.group[0] and office.stage.messages(office.room.id)[0].buttons == []
    assert len(office.group) == 2 and len([m for m in old.from_bot if m.text]) == 1
    assert [group.id for group in office.ask(people.bound_groups)] == [office.stage.group]


@MODES
def test_a_settled_card_is_not_told_again_after_the_move(open_office: OpenOffice, mode: str) -> None:
    office = open_office(*FEATURES, stage=TelegramStage(mode, supergroup=False), staff=STAFF)
    office["办公室"].says("发通知 今天下午三点半 三楼会议室 教学例会").confirms()
    office.later(to="今天 16:00")
    wire(office).upgrades()
    office.later(days=2)
    assert office.group == []


# --- second thoughts ------------------------------------------------------------------------------------------


@MODES
def test_an_edited_answer_counts_as_it_reads_now(office: Office) -> None:
    office["办公室"].says(SAID).confirms()
    wang = office["王老师"].says("收到", in_group=True)
    assert answer(office, "王老师") == "y"
    phone(wang).edits(said(wang), "晚到十分钟")
    settle(office)
    assert answer(office, "王老师") == "l"
    phone(wang).edits(said(wang), "晚到十分钟！")
    settle(office)
    assert answer(office, "王老师") == "l" and len(office.group) == 1


@MODES
def test_an_edited_comment_takes_the_place_of_the_first(office: Office) -> None:
    office["办公室"].says(DRAFT).says("周四下午五点").says("可以").says("李校长").taps("确认发布")
    wang = office["王老师"].says("第三条建议改为自愿", in_group=True)
    phone(wang).edits(said(wang), "第三条建议改为自愿签到")
    settle(office)
    mine = office.ask(lambda db: [c.words for c in drafts.mine(db, 1, wang.number or 0)])
    assert mine == ["建议改为自愿签到"] and "作废" in wang.last


@MODES
def test_an_old_message_that_is_edited_is_no_answer_to_the_question_of_now(office: Office) -> None:
    """Whoever mends a slip in the topic does not want it for a place."""
    secretary = office["办公室"].says("发通知").says("教学例汇").says("周五下午三点半")
    asked = len(secretary.inbox)
    topic = next(m for m in phone(secretary).private.messages if m.text == "教学例汇")
    phone(secretary).edits(topic, "教学例会")
    settle(office)
    assert len(secretary.inbox) == asked
    secretary.says("三楼会议室")
    assert "地点：三楼会议室" in secretary.last


@MODES
def test_a_reaction_on_the_card_is_an_answer_and_taking_it_back_is_none(open_office: OpenOffice, mode: str) -> None:
    office = open_office(*FEATURES, stage=TelegramStage(mode, bot_admin=True), staff=STAFF)
    office["办公室"].says(SAID).confirms()
    card = wire(office).room.from_bot[-1]
    phone(office["王老师"]).reacts(card, "👍")
    phone(office["张老师"]).reacts(card, "😢")
    settle(office)
    assert answer(office, "王老师") == "y" and answer(office, "张老师") is None
    phone(office["王老师"]).reacts(card)
    settle(office)
    assert answer(office, "王老师") == "y"
    assert "能到 1" in office.group[0]

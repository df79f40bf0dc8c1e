"""What happens on 企业微信 alone: only words that call us are heard in a group, cards change only when pressed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.engine import postman
from handlers.contents import FEATURES
from storage import drafts, people, rsvps
from storage.people import Person
from tests.channels.wecom_stage import WecomStage
from tests.handlers.conftest import OpenOffice
from tests.office import Office, Somebody

STAFF = 8
SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
DRAFT = "征求意见 考勤办法\n第一条　为规范考勤。\n第二条　适用于全体教职工。\n第三条　每天签到两次。"
VOTE = "评选 11月明星教师 候选人 王老师、张老师、老师05 截止 周五17:00"
STUDY = "学习提醒 今天下午四点 读《十项准则》"
ASKED = re.compile(r"(?:回复|直接说|[发说答])(?:：|“)([^”\n]+)")
EVERYBODY = ("李校长", "办公室", "王老师", "张老师", "老师05", "老师06", "老师07", "老师08")


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(*FEATURES, stage=WecomStage(), staff=STAFF)


def wire(office: Office) -> WecomStage:
    assert isinstance(office.stage, WecomStage)
    return office.stage


def phone(someone: Somebody) -> Any:
    """The person behind the account, as the platform knows them."""
    return wire(someone.office).fake.people[someone.account.id]


def answer(office: Office, name: str) -> str | None:
    given = office.ask(lambda db: rsvps.mine(db, 1, office[name].number or 0))
    return given.answer if given else None


def began(office: Office) -> Office:
    """The office has said four sentences, and confirmed each by taps."""
    office["办公室"].says(SAID).taps("确认发送")
    office["办公室"].says(DRAFT).says("周四下午五点").taps("可以，已经批准").taps("李校长").taps("确认发布")
    office["办公室"].says(VOTE).taps("确认开始")
    office["办公室"].says(STUDY).taps("确认")
    return office


def test_four_jobs_by_taps_alone(office: Office) -> None:
    """After the office's own sentences nobody types a word, in the group or in private."""
    began(office)
    wang, zhang = office["王老师"], office["张老师"]
    assert wang.taps("能到", in_="群").toast == "已记下：能到"
    assert zhang.taps("请假", in_="群").toast == "已记下：请假"
    zhang.taps("监考", in_="私聊")
    assert office["老师05"].taps("无意见", in_="群").toast is not None
    wang.taps("看全文", in_="群")
    assert any("每天签到两次" in text for text in wang.inbox)
    assert wang.taps("去投票", in_="群").toast == "选票已经私聊发给您。"
    assert wang.taps("张老师", in_="私聊").toast == "已记上"
    for name in EVERYBODY[3:]:
        office[name].taps("老师05", in_="私聊")
    office.later(to="今天 16:05")
    wang.taps("已学", in_="私聊")
    zhang.taps("稍后", in_="私聊")
    assert {answer(office, "王老师"), answer(office, "张老师")} == {"y", "n"}
    assert office.shown("draft:1").tally == {"意见": 0, "无意见": 1}
    assert office.shown("plan:1").tally["已学"] == 1
    office["办公室"].says("更正通知").taps("地点").taps("取消")
    office.later(to="周五 17:30")
    assert office.shown("star-result:1").tally == {"王老师": 0, "张老师": 1, "老师05": 5, "弃权": 0}
    assert "会议已开始" in office.board and "（已截止）" in office.board and "明星教师 结果" in office.board
    assert wang.finds_closed("能到") and wang.finds_closed("无意见") and wang.finds_closed("张老师")


def test_four_jobs_by_words_alone(office: Office) -> None:
    """In private every word is heard; in the group whatever begins with our name."""
    for words in (
        SAID,
        "确认发送",
        DRAFT,
        "周四下午五点",
        "可以",
        "李校长",
        "确认发布",
        VOTE,
        "确认开始",
        STUDY,
        "确认",
    ):
        office["办公室"].says(words)
    wang, zhang = office["王老师"], office["张老师"]
    wang.says("收到", in_group=True)
    zhang.says("请假 监考")
    wang.says("第三条建议改为自愿", in_group=True)
    zhang.says("无意见")
    assert [c.words for c in office.ask(lambda db: drafts.mine(db, 1, wang.number or 0))] == ["建议改为自愿"]
    assert (answer(office, "王老师"), answer(office, "张老师")) == ("y", "n")
    for name in EVERYBODY[1:]:
        office[name].says("选老师05")
    office.later(to="今天 16:05")
    wang.says("已学")
    assert office.shown("plan:1").tally["已学"] == 1
    office.later(to="周五 17:30")
    assert office.shown("star-result:1").tally["老师05"] == 7


def test_words_that_do_not_call_us_are_never_heard_and_never_asked_for(office: Office) -> None:
    began(office)
    phone(office["王老师"]).says("收到", wire(office).room, mention=False)
    office.settle()
    assert answer(office, "王老师") is None
    office["办公室"].says("帮助")
    wanted = ASKED.findall(office.board)
    assert wanted == ["@红烛 第三条建议……。意见只有办公室看得到。"]
    assert "@红烛 绑定本群" in office["办公室"].last
    office["办公室"].says("解绑本群", in_group=True).says(SAID)
    assert "“@红烛 绑定本群”" in office["办公室"].last
    office["王老师"].says("@红烛 第三条建议改为自愿")  # as the card in the group has it, in private
    assert "已记入第三条" in office["王老师"].last


def test_the_group_is_bound_by_calling_us_and_whoever_was_never_seen_has_one_line_to_follow(office: Office) -> None:
    new = office.write(lambda db: people.add(db, Person(0, "赵新来", "语文组")))
    office.write(lambda db: people.bind(db, new, "wecom", "zhaoxinlai", talk=None, now=None))
    zhao = wire(office).fake.user("zhaoxinlai", "赵新来")
    wire(office).room.add(zhao)
    office["办公室"].says("解绑本群", in_group=True)
    phone(office["办公室"]).says("绑定本群", wire(office).room, mention=False)
    office.settle()
    assert office.ask(people.bound_groups) == []  # nobody called us
    office["王老师"].says("绑定本群", in_group=True)
    assert office.ask(people.bound_groups) == [] and "只能由办公室" in office["王老师"].last
    office["办公室"].says("绑定本群", in_group=True)
    assert office.group[-1].endswith("还没私聊过我的老师：请在企业微信里搜索“红烛”并打开，说一句“你好”，一次就够。")
    office["办公室"].says("谁还没绑定")
    who, to_forward = office["办公室"].last.split("\n")
    assert who == "企业微信：已绑定、还没私聊过 1 人：赵新来（语文组）"
    line = "老师您好，请在企业微信里搜索“红烛”并打开，说一句“你好”，一次就够：以后通知会私聊给您。"
    assert to_forward == f"　请转给他们：{line}"
    zhao.says("你好")
    wire(office).fake.wait(lambda: any("赵新来您好" in m.text for m in zhao.inbox), what="a greeting")
    office["办公室"].says("谁还没绑定")
    assert office["办公室"].last == "所有人都能私聊到。"
    office["办公室"].says("绑定码 王老师")
    assert "王老师您好，请在企业微信里搜索“红烛”并打开，发一句：绑定 " in office["办公室"].last


def test_who_never_spoke_to_the_bot_is_listed_and_has_one_thing_to_do(office: Office) -> None:
    """The platform lets a bot write first to nobody: the send is refused, the office is told, one word opens it."""
    wang = office["王老师"]
    wire(office).fake.talk(phone(wang).id).activated_at = None
    office["办公室"].says(STUDY).taps("确认")
    office.later(to="今天 16:05")
    assert wang.inbox == []
    assert any("送不到：王老师" in text for text in office["办公室"].inbox)
    office["办公室"].says("谁还没绑定")
    assert "王老师" in office["办公室"].last and "私聊" in office["办公室"].last
    assert wang.says("你好").last.startswith("王老师您好")
    assert not any("王老师" in person.name for person in office.ask(people.unreachable))


@pytest.fixture
def with_app(open_office: OpenOffice) -> Office:
    """The school has a self-built application, too; 王老师 and 张老师 never wrote to the bot."""
    office = open_office(*FEATURES, stage=WecomStage(app=True), staff=STAFF)
    stage = wire(office)
    stage.fake.http.app.callback_url = "http://127.0.0.1:9/unused"
    for name in ("王老师", "张老师"):
        stage.fake.talk(phone(office[name]).id).activated_at = None
    return office


def test_through_the_application_whoever_never_wrote_is_reached_and_sees_the_end_on_the_card(with_app: Office) -> None:
    """The code that came with the card outlives a restart, is used once, and says the last word within three days."""
    with_app["办公室"].says(VOTE.replace("周五17:00", "周三17:00")).taps("确认开始")
    ballots = [m for name in ("王老师", "张老师") for m in phone(with_app[name]).inbox if m.card]
    assert [ballot.via for ballot in ballots] == ["app", "app"]
    with_app.restart()
    with_app.later(to="周三 17:30")
    calls = wire(with_app).fake.calls_of("message/update_template_card")
    assert [call.errcode for call in calls] == [0, 0]
    assert len({call.body["response_code"] for call in calls}) == 2
    assert [m.id for name in ("王老师", "张老师") for m in phone(with_app[name]).inbox if m.card] == [
        b.id for b in ballots
    ]
    assert all(with_app[name].finds_closed("老师05") for name in ("王老师", "张老师"))


def test_whom_neither_way_reaches_is_listed_as_undelivered(with_app: Office) -> None:
    phone(with_app["王老师"]).in_range = False
    with_app["办公室"].says(STUDY).taps("确认")
    with_app.later(to="今天 16:05")
    with_app["办公室"].says("未送达")
    assert "王老师" in with_app["办公室"].last and "张老师" not in with_app["办公室"].last
    assert any("十项准则" in text for text in with_app["张老师"].inbox)


def test_a_group_that_no_way_leads_to_is_listed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said there any more, and there is no webhook: after some tries the office can read what was not."""
    monkeypatch.setattr(postman, "MAX_TRIES", 1)
    wire(office).fake.talk(wire(office).room.id).activated_at = None
    office["办公室"].says(SAID).confirms()
    assert office.group == []
    assert any("送不到：全体教职工群" in text for text in office["办公室"].inbox)
    assert "全体教职工群" in office["办公室"].says("未送达").last


def test_what_was_booked_for_the_full_hour_leaves_after_it(office: Office) -> None:
    """The platform asks for no masses at :00 and :30; nobody's reminder is lost by that, nor two minutes late."""
    office["办公室"].says(STUDY).taps("确认")
    office.later(to="今天 16:00")
    assert not any("十项准则" in text for text in office["王老师"].inbox)
    office.later(to="今天 16:02")
    assert all("十项准则" in office[name].last for name in EVERYBODY)


def test_a_ballot_on_the_screen_never_names_the_choice(office: Office) -> None:
    """Not on the card that was pressed, not on any other message, not in what was sent to show it."""
    office["办公室"].says(VOTE).taps("确认开始")
    calls = len(wire(office).fake.calls)
    office["王老师"].taps("张老师", in_="私聊").taps("老师05", in_="私聊")
    sent = [str(call.body) for call in wire(office).fake.calls[calls:]]
    assert sent and not any("已投：" in body for body in sent)
    assert "已记上" in office["王老师"].inbox[-3]


def test_the_last_state_in_the_night_waits_for_the_morning(office: Office) -> None:
    office["办公室"].says("发通知 今天晚上九点半 三楼会议室 家长会").confirms()
    office["王老师"].taps("能到")
    office.later(to="今天 23:00")
    assert len(office.group) == 1 and office["张老师"].finds_closed("能到")
    office.later(to="明天 7:30")
    assert len(office.group) == 2 and "会议已开始" in office.group[-1]


def test_a_card_nobody_pressed_is_told_anew_only_once(office: Office) -> None:
    office["办公室"].says(SAID).confirms()
    for name in EVERYBODY[2:]:
        office[name].taps("能到")
    sends = len(wire(office).fake.calls_of("aibot_send_msg"))
    office["老师08"].taps("晚到")
    assert len(wire(office).fake.calls_of("aibot_send_msg")) == sends and len(office.group) == 1
    office.later(to="周五 15:40")
    office.later(days=3)
    assert sum("会议已开始" in text for text in office.group) == 1


def test_what_is_over_says_nothing_in_private(office: Office) -> None:
    """A notice, a vote and their private cards close: the group is told once, nobody's own talk is."""
    office["办公室"].says(SAID).confirms()
    office["办公室"].says(VOTE).taps("确认开始")
    for name in ("王老师", "张老师"):
        office[name].taps("能到", in_="群").taps("去投票", in_="群").taps("老师05", in_="私聊")
    office.later(to="周五 15:40")
    mine = [len(office[name].inbox) for name in ("王老师", "张老师")]
    office.later(to="周五 17:30")
    assert "会议已开始" in office.board and "明星教师 结果" in office.board
    assert [len(office[name].inbox) for name in ("王老师", "张老师")] == mine
    assert office["王老师"].finds_closed("老师05")

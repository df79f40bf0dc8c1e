"""A meeting is announced and answered, as the office and the teachers live it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from bot.engine.port import DeliveryFailed
from handlers.notices.feature import feature
from storage import notices, people, rsvps
from storage.base import Db
from tests.handlers.conftest import OpenOffice
from tests.office import Office, PaperStage

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
OTHER = "发通知 周四下午四点 报告厅 期中质量分析"
STAFF = 8


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=STAFF)


@pytest.fixture
def sent(office: Office) -> Office:
    """An office with one notice in the group."""
    office["办公室"].says(SAID).confirms()
    return office


def tally(office: Office, **changed: int) -> dict[str, int]:
    """What the counter should show; what is not named is 0, and the rest has not answered."""
    counts = {"能到": 0, "晚到": 0, "请假": 0, **changed}
    return {**counts, "未答": STAFF - sum(counts.values())}


def card_ref(office: Office, title: str) -> str:
    """The message in the group that is the card of this meeting."""
    seen = next(m for m in reversed(office.stage.messages(office.room.id)) if title in m.text and m.buttons)
    return seen.ref


def note(office: Office, name: str, notice: int = 1) -> str | None:
    given = office.ask(lambda db: rsvps.mine(db, notice, office[name].number or 0))
    return given.note if given else None


def answered(office: Office, notice: int) -> int:
    return len(office.ask(lambda db: rsvps.last_words(db, notice)))


# --- announcing -----------------------------------------------------------------------------------------------


def test_the_office_sees_the_date_and_the_numbers_before_anybody_else_sees_anything(office: Office) -> None:
    office["办公室"].says(SAID)
    for words in ("11月27日 周五 15:30", "三楼会议室", "教学例会", f"将问 {STAFF} 人", "1 个群"):
        assert words in office["办公室"].last
    assert office.group == [] and office["王老师"].inbox == []


def test_confirming_puts_one_card_in_the_group(sent: Office) -> None:
    assert len(sent.group) == 1
    assert "会议通知 · 教学例会" in sent.group[0] and "〔通知 1123-01〕" in sent.group[0]
    assert sent.card.tally == tally(sent)
    assert sent.card.labels == ["能到", "晚到", "请假"]
    assert sent["办公室"].toast == "已发到 1 个群。"


@pytest.mark.stages
def test_what_is_missing_is_asked_one_thing_at_a_time(office: Office) -> None:
    someone = office["办公室"].says("发通知")
    assert "主题" in someone.last
    assert "什么时间" in someone.says("教学例会").last
    assert "在哪里" in someone.says("周五下午三点半").last
    assert "11月27日 周五 15:30" in someone.says("三楼会议室").last
    someone.confirms()
    assert "三楼会议室" in office.group[0]


def test_a_day_without_its_hour_is_asked_for_the_hour_of_that_day(office: Office) -> None:
    someone = office["办公室"].says("发通知 明天 三楼会议室 期中分析会")
    assert "几点" in someone.last
    assert "没看懂" in someone.says("尽快").last
    assert "11月24日 周二 15:00" in someone.says("下午三点").last


def test_an_hour_that_has_passed_on_that_day_is_asked_again(office: Office) -> None:
    someone = office["办公室"].says("发通知 今天 三楼会议室 期中分析会").says("上午八点")
    assert "已经过去" in someone.inbox[-2] and "什么时间" in someone.last
    assert "11月23日 周一 16:00" in someone.says("今天下午四点").last


def test_the_last_places_can_be_tapped(sent: Office) -> None:
    sent["办公室"].says("发通知 周四下午四点 期中质量分析").taps("三楼会议室")
    assert "三楼会议室" in sent["办公室"].last and sent["办公室"].sees("确认发送")


def test_a_time_in_the_past_is_said_and_asked_again(office: Office) -> None:
    someone = office["办公室"].says("发通知 昨天下午三点 报告厅 总结会")
    assert "11月22日 周日 15:00 已经过去了" in someone.inbox[-2]
    assert "报告厅" in someone.says("周五下午三点").last


def test_a_date_that_cannot_be_is_refused_with_the_reason(office: Office) -> None:
    assert "没有30日" in office["办公室"].says("发通知 2月30日下午三点 报告厅 总结会").last
    assert not office["办公室"].sees("确认发送")


def test_every_friday_is_not_a_notice(office: Office) -> None:
    assert "一次发一场" in office["办公室"].says("发通知 每周五下午三点 报告厅 例会").last


def test_a_time_that_was_assumed_is_said_so(office: Office) -> None:
    assert "请核对" in office["办公室"].says("发通知 三点半 三楼会议室 教学例会").last
    assert "请核对" not in office["办公室"].says(SAID).last


def test_a_day_off_is_pointed_out(office: Office) -> None:
    assert "11月28日 周六 是休息日" in office["办公室"].says("发通知 周六上午九点 报告厅 家长会").last
    assert "休息日" not in office["办公室"].says(SAID).last


def test_the_preview_counts_who_is_on_leave_that_day(office: Office) -> None:
    office.write(lambda db: people.set_leave(db, office["张老师"].number or 0, date(2026, 11, 25), None, "产假"))
    office["办公室"].says(SAID)
    assert f"将问 {STAFF - 1} 人（另有 1 人那天休假，不计）" in office["办公室"].last


def test_time_place_and_topic_can_be_changed_before_sending(office: Office) -> None:
    someone = office["办公室"].says(SAID)
    assert "11月27日 周五 16:00" in someone.taps("改时间").says("周五下午四点").last
    assert "二楼报告厅" in someone.taps("改地点").says("二楼报告厅").last
    assert "安全例会" in someone.taps("改主题").says("安全例会").last
    someone.confirms()
    assert "16:00" in office.group[0] and "二楼报告厅" in office.group[0] and "安全例会" in office.group[0]


def test_the_buttons_work_as_words_too(office: Office) -> None:
    someone = office["办公室"].says(SAID).says("改地点").says("报告厅")
    assert someone.says("确认发送").told("已发到 1 个群")
    assert "报告厅" in office.group[0]


def test_a_draft_can_be_dropped_and_is_then_gone(office: Office) -> None:
    someone = office["办公室"].says(SAID)
    someone.taps("不发了")
    assert not someone.sees("确认发送")
    assert "已经放弃" in (someone.forges("nt.draft:1:s", in_group=False).toast or "")
    assert office.group == []


def test_confirming_twice_sends_once(sent: Office) -> None:
    assert "没有再发" in (sent["办公室"].forges("nt.draft:1:s", in_group=False).toast or "")
    assert "没有再发" in (sent["李校长"].forges("nt.draft:1:n", in_group=False).toast or "")
    assert len(sent.group) == 1


def test_typed_in_the_group_it_is_prepared_in_private(office: Office) -> None:
    office["办公室"].says(SAID, in_group=True)
    assert office.group == []
    office["办公室"].confirms()
    assert len(office.group) == 1


def test_the_principal_may_and_a_teacher_may_not(office: Office) -> None:
    assert "办公室" in office["王老师"].says(SAID).last
    assert not office["王老师"].sees("确认发送")
    office["李校长"].says(SAID).confirms()
    assert "办公室" in (office["王老师"].forges("nt.draft:1:x", in_group=False).toast or "")
    assert len(office.group) == 1


def test_without_a_group_it_is_not_sent_and_says_how_to_bind(office: Office) -> None:
    office.write(lambda db: people.bind_group(db, office.stage.channel, office.stage.group, None))
    office["办公室"].says(SAID)
    assert "绑定本群" in office["办公室"].last
    assert "绑定本群" in (office["办公室"].confirms().toast or "")
    office.write(lambda db: people.bind_group(db, office.stage.channel, office.stage.group, office.time()))
    office["办公室"].confirms()
    assert len(office.group) == 1


def test_a_draft_whose_time_has_passed_is_not_sent(office: Office) -> None:
    office["办公室"].says(SAID)
    office.later(days=5)
    assert "已经过去" in (office["办公室"].confirms().toast or "")
    assert office.group == []


def test_a_deadline_for_answers_that_passed_while_the_draft_lay_is_not_set(office: Office) -> None:
    office["办公室"].says(f"{SAID}，周四中午十二点前回复")
    office.later(to="周四 13:00")
    office["办公室"].confirms()
    assert "回复截止" not in office.group[0]
    assert office["王老师"].taps("能到").toast == "已记下：能到"


def test_serials_tell_notices_apart(sent: Office) -> None:
    sent["办公室"].says(OTHER).confirms()
    assert "〔通知 1123-02〕" in sent.group[-1]


# --- answering ------------------------------------------------------------------------------------------------


def test_a_tap_is_kept_said_and_counted(sent: Office) -> None:
    before = sent.group[0]
    assert sent["王老师"].taps("能到").toast == "已记下：能到"
    first = sent.group[0]
    assert sent["张老师"].taps("晚到").toast == "已记下：晚到"
    assert sent.card.tally == tally(sent, 能到=1, 晚到=1)
    assert len(sent.group) == 1 and len({before, first, sent.group[0]}) == 3  # the card itself shows it, each time


@pytest.mark.stages
def test_a_second_thought_replaces_the_first_and_both_are_kept(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    sent["王老师"].taps("能到")
    assert sent.card.tally == tally(sent, 能到=1)
    words = sent.ask(lambda db: rsvps.all_words(db, 1, sent["王老师"].number or 0))
    assert [given.answer for given in words] == ["n", "n", "y"]


@pytest.mark.stages
def test_the_reason_for_leave_is_asked_in_private_and_never_shown_in_the_group(sent: Office) -> None:
    assert sent["王老师"].taps("请假").toast == "已记下：请假"
    assert sent.card.tally == tally(sent, 请假=1)
    sent["王老师"].taps("病假")
    assert note(sent, "王老师") == "病假"
    assert "只有办公室看得到" in sent["王老师"].last
    assert all("病假" not in text for text in sent.group)
    assert all("病假" not in text for name in ("张老师", "老师05") for text in sent[name].inbox)


def test_a_reason_can_be_left_out_and_is_asked_once(sent: Office) -> None:
    sent["王老师"].taps("请假").taps("跳过")
    assert note(sent, "王老师") == "" and sent.card.tally == tally(sent, 请假=1)


def test_giving_up_the_question_does_not_give_up_the_leave(sent: Office) -> None:
    assert "请假已经记下" in sent["王老师"].taps("请假").says("取消").last
    assert sent.card.tally == tally(sent, 请假=1)


def test_pressing_leave_again_keeps_the_reason_and_asks_no_more(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    before = len(sent["王老师"].inbox)
    sent["王老师"].taps("请假", in_="群")
    assert note(sent, "王老师") == "监考" and len(sent["王老师"].inbox) == before


def test_another_answer_typed_to_the_question_is_a_second_thought(sent: Office) -> None:
    assert "能到" in sent["王老师"].taps("请假").says("能到").last
    assert sent.card.tally == tally(sent, 能到=1)


@pytest.mark.stages
def test_words_in_the_group_count_and_are_not_answered(sent: Office) -> None:
    sent["王老师"].says("收到", in_group=True)
    sent["张老师"].says("晚到十分钟", in_group=True)
    sent["老师05"].says("👌", in_group=True)
    sent["老师06"].says("监考，请假", in_group=True)
    assert sent.card.tally == tally(sent, 能到=2, 晚到=1, 请假=1)
    assert len(sent.group) == 1
    assert note(sent, "张老师") == "晚到十分钟" and note(sent, "老师06") == "监考"
    assert sent["王老师"].inbox == [] and sent["老师06"].inbox == []


@pytest.mark.stages
def test_words_in_private_count_and_are_answered(sent: Office) -> None:
    assert sent["王老师"].says("收到").last == "已记下：能到"
    assert sent["张老师"].says("晚到十分钟").last == "已记下：晚到"
    assert "什么原因" in sent["老师05"].says("请假").last
    assert sent.card.tally == tally(sent, 能到=1, 晚到=1, 请假=1)


@pytest.mark.parametrize(
    "text", ["没收到", "收到请回复", "收到了吗？", "还没收到文件", "不请假", "请假条在哪", "代李四收到"]
)
def test_what_only_looks_like_an_answer_is_not_counted(sent: Office, text: str) -> None:
    for name in ("王老师", "办公室"):
        sent[name].says(text, in_group=True)
        sent[name].says(text)
    assert sent.card.tally == tally(sent) and len(sent.group) == 1


def test_a_bare_shoudao_does_not_take_back_a_leave(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    sent["王老师"].says("好的", in_group=True)
    assert "没有改动" in sent["王老师"].says("收到").last
    assert sent.card.tally == tally(sent, 请假=1)
    sent["王老师"].says("取消请假", in_group=True)
    assert sent.card.tally == tally(sent, 能到=1)


def test_an_answer_signed_with_another_name_is_not_mine(sent: Office) -> None:
    sent["王老师"].says("张老师收到", in_group=True)
    assert sent.card.tally == tally(sent)
    sent["王老师"].says("张老师生病了，请假", in_group=True)
    assert "您是代这位老师答复吗" in sent["王老师"].last
    sent["王老师"].taps("不是")
    assert sent.card.tally == tally(sent) and len(sent.group) == 1
    sent["王老师"].says("数学组收到", in_group=True)
    assert sent.card.tally == tally(sent, 能到=1)


@pytest.mark.paper
def test_a_guest_is_told_how_to_be_known_and_is_not_counted(sent: Office) -> None:
    assert "绑定" in (sent["访客"].taps("能到").toast or "")
    sent["访客"].says("收到", in_group=True)
    assert sent.card.tally == tally(sent) and len(sent.group) == 1


def test_who_is_on_leave_that_day_may_answer_but_is_not_expected(sent: Office) -> None:
    sent.write(
        lambda db: people.set_leave(db, sent["张老师"].number or 0, date(2026, 11, 27), date(2026, 11, 27), "公出")
    )
    assert "不计入应到" in (sent["张老师"].taps("能到").toast or "")
    assert sent.card.tally == {"能到": 0, "晚到": 0, "请假": 0, "未答": STAFF - 1}


def test_an_answer_after_the_start_is_refused_wherever_it_is_given(sent: Office) -> None:
    ref = card_ref(sent, "教学例会")
    sent.time.at = sent.time.at + timedelta(days=4, hours=5, minutes=30)  # 15:30 sharp, and nobody has closed it yet
    assert "已经开始" in (sent["王老师"].forges("nt.rsvp:1:y").toast or "")
    assert "已经开始" in sent["王老师"].says("请假").last
    assert "已经开始" not in sent["王老师"].says("好的").last
    sent["张老师"].says("收到", in_group=True, quotes=ref)
    assert "已经开始" in sent["张老师"].last
    sent["老师05"].says("收到", in_group=True)
    assert sent["老师05"].inbox == [] and answered(sent, 1) == 0


def test_at_the_start_the_card_is_settled(sent: Office) -> None:
    sent["王老师"].taps("能到")
    sent.later(to="周五 15:35")
    assert "会议已开始" in sent.board and sent.card.labels == []
    assert sent.card.tally == tally(sent, 能到=1)
    assert sent.ask(lambda db: notices.newest(db)).state == notices.CLOSED  # type: ignore[union-attr]


def test_a_deadline_for_answers_closes_them_before_the_meeting(office: Office) -> None:
    office["办公室"].says(f"{SAID}，周四下班前回复").confirms()
    assert "回复截止" in office.group[0] and "11月26日 周四 17:30" in office.group[0]
    office.later(to="周四 17:31")
    assert "答复已截止" in office.face(0) and office.card.labels == []
    assert "截止" in (office["王老师"].forges("nt.rsvp:1:y").toast or "")
    assert office.card.tally == tally(office)


@pytest.mark.parametrize(
    ("token", "answer"),
    [
        ("nt.rsvp:999:y", "没有这个通知"),
        ("nt.rsvp:-1:y", "没有这个通知"),
        ("nt.rsvp:2:y", "还没有发出"),
        ("nt.rsvp:1:z", "失效"),
        ("nt.rsvp:1:y:1", "失效"),
        ("nt.rsvp:9999999999999999999:y", "失效"),
        ("nt.rsvp:9223372036854775807:n", "没有这个通知"),
    ],
)
def test_a_forged_answer_is_refused_and_nothing_is_written(sent: Office, token: str, answer: str) -> None:
    sent["办公室"].says(OTHER)  # number 2, a draft
    assert answer in (sent["王老师"].forges(token).toast or "")
    assert (
        answered(sent, 1) == 0 and sent.ask(lambda db: db.value(select(func.count()).select_from(rsvps.history))) == 0
    )


# --- two open notices -----------------------------------------------------------------------------------------


@pytest.fixture
def two(sent: Office) -> Office:
    sent["办公室"].says(OTHER).confirms()
    return sent


@pytest.mark.stages
def test_with_two_open_the_quoted_card_is_meant(two: Office) -> None:
    two["王老师"].says("收到", in_group=True, quotes=card_ref(two, "教学例会"))
    assert (answered(two, 1), answered(two, 2)) == (1, 0)
    assert two["王老师"].inbox == [] and len(two.group) == 2


@pytest.mark.stages
def test_with_two_open_it_is_asked_in_private_which_is_meant(two: Office) -> None:
    two["王老师"].says("晚到十分钟", in_group=True)
    assert "哪一个" in two["王老师"].last and len(two.group) == 2
    assert "已记下：晚到" in two["王老师"].taps("1123-02 期中质量分析").last
    assert (answered(two, 1), answered(two, 2)) == (0, 1)
    assert note(two, "王老师", 2) == "晚到十分钟"


def test_which_one_can_be_said_by_its_number(two: Office) -> None:
    two["王老师"].says("收到").says("1123-01")
    assert (answered(two, 1), answered(two, 2)) == (1, 0)


def test_when_one_of_two_is_answered_a_bare_shoudao_means_the_other(two: Office) -> None:
    two["王老师"].forges("nt.rsvp:1:n").says("监考")
    two["王老师"].says("收到", in_group=True)
    assert (answered(two, 1), answered(two, 2)) == (1, 1)
    assert note(two, "王老师", 1) == "监考"
    two["王老师"].says("好的", in_group=True)
    assert (answered(two, 1), answered(two, 2)) == (1, 1)


@pytest.mark.paper
def test_an_answer_quoting_something_else_is_not_for_us(sent: Office) -> None:
    sent["王老师"].says("收到", in_group=True, quotes="77777")
    assert answered(sent, 1) == 0


def test_in_a_group_that_is_not_ours_nothing_counts(sent: Office) -> None:
    sent.write(lambda db: people.bind_group(db, sent.stage.channel, sent.stage.group, None))
    sent["王老师"].says("收到", in_group=True)
    assert answered(sent, 1) == 0


# --- hostile words, several groups, a restart -----------------------------------------------------------------


@pytest.mark.parametrize(
    "topic",
    [
        "<b>{n}</b> %s *_`[x](http://y)",
        "=HYPERLINK(1)",
        "教" * 120,
        "a\u202e倒\u2066写",
        "〔通知 1123-99〕",
        "'; drop table notices",
    ],
)
def test_a_hostile_topic_is_only_text(office: Office, topic: str) -> None:
    office["办公室"].says("发通知 周五下午三点半 三楼会议室").says(topic).confirms()
    assert office.card.key == "notice:1"
    assert office["王老师"].taps("能到").toast == "已记下：能到"
    assert "\u202e" not in office.board


def test_a_topic_of_a_whole_page_is_refused_and_asked_again(office: Office) -> None:
    someone = office["办公室"].says(f"发通知 周五下午三点半 三楼会议室 {'教' * 500}")
    assert "请写短一点" in someone.inbox[-2] and "主题" in someone.last


@pytest.mark.paper
def test_every_bound_group_gets_one_card_and_one_counter_holds_for_all(office: Office) -> None:
    def second(db: Db) -> None:
        people.meet_group(db, office.stage.channel, "group2", "数学组")
        people.bind_group(db, office.stage.channel, "group2", office.time())

    office.write(second)
    office["办公室"].says(SAID)
    assert "2 个群" in office["办公室"].last
    office["办公室"].confirms()
    office["王老师"].taps("能到")
    assert [len(office.stage.messages(place)) for place in (office.room.id, "group2")] == [1, 1]
    assert office.stage.messages("group2")[0].text == office.group[0]


@pytest.mark.stages(both=True)
def test_a_restart_in_the_middle_loses_nothing(office: Office) -> None:
    office["办公室"].says("发通知 周五下午三点半 三楼会议室")
    office.restart()
    office["办公室"].says("教学例会")
    office.restart()
    office["办公室"].confirms()
    office["王老师"].taps("请假")
    office.restart()
    office["王老师"].says("监考")
    office["张老师"].taps("能到")
    assert note(office, "王老师") == "监考" and office.card.tally == tally(office, 能到=1, 请假=1)
    office.run(office.running.stop())
    office.time.at += timedelta(days=7)
    office._open()
    assert "会议已开始" in office.board


def test_who_never_spoke_to_us_is_recorded_all_the_same(sent: Office) -> None:
    def mute(db: Db) -> None:
        account = sent["王老师"].account
        people.bind(db, sent["王老师"].number or 0, account.channel, account.id, talk=None, now=sent.time())

    sent.write(mute)
    assert sent["王老师"].taps("请假").toast == "已记下：请假"
    assert sent.card.tally == tally(sent, 请假=1) and len(sent.group) == 1


@pytest.mark.paper
def test_a_card_that_could_not_be_sent_is_sent_again_not_twice(office: Office) -> None:
    stage = office.stage
    assert isinstance(stage, PaperStage)
    tries: list[str] = []

    def once(place: object) -> DeliveryFailed | None:
        tries.append("")
        return DeliveryFailed("later", retry_after=0.01) if len(tries) == 2 else None

    stage.paper.broken = once  # type: ignore[assignment]
    office["办公室"].says(SAID).confirms()
    assert len(office.group) == 1 and len(tries) >= 3


def test_an_hour_is_no_place(office: Office) -> None:
    office["办公室"].says("发通知 下周三下午三点 教学例会").says("三点半")
    assert "“三点半”像是时间" in "".join(office["办公室"].inbox)
    assert "地点" in office["办公室"].says("三楼会议室").last and "三楼会议室" in office["办公室"].last


@pytest.mark.parametrize(
    ("said", "hour", "time"),
    [
        ("下周三下午", "三点半", "12月2日 周三 15:30"),
        ("下周三晚上", "七点", "12月2日 周三 19:00"),
        ("下周三上午", "下午两点", "12月2日 周三 14:00"),
        ("下周三下午", "16:10", "12月2日 周三 16:10"),
        ("明天上午", "周四下午三点", "11月26日 周四 15:00"),
    ],
)
def test_a_part_of_a_day_is_not_an_hour(office: Office, said: str, hour: str, time: str) -> None:
    someone = office["办公室"].says(f"发通知 {said} 三楼会议室 教学例会")
    assert "几点" in someone.last
    assert time in someone.says(hour).last and "三楼会议室" in someone.last
    assert "请核对" not in someone.last


def test_a_part_of_a_day_is_no_answer_to_when(office: Office) -> None:
    someone = office["办公室"].says("发通知 三楼会议室 教学例会").says("下周三下午")
    assert "还缺几点" in someone.last


# --- words while a question is open ---------------------------------------------------------------------------


@pytest.mark.stages
def test_an_answer_typed_while_a_question_is_open_is_asked_about_not_swallowed(sent: Office) -> None:
    someone = sent["办公室"].says("发通知 周四下午四点 报告厅")
    assert "主题" in someone.last
    assert "另一件事" in someone.says("能到").last
    someone.taps("是另一件事")
    assert sent.card.tally == tally(sent, 能到=1)
    assert any("已记下：能到" in text for text in someone.inbox) and "主题" in "".join(someone.inbox[-2:])
    assert "期中质量分析" in someone.says("期中质量分析").last and someone.sees("确认发送")


def test_words_that_look_like_an_answer_can_still_fill_the_form(sent: Office) -> None:
    someone = sent["办公室"].says("发通知 周四下午四点 报告厅").says("收到")
    assert "主题" in someone.last and "收到" in someone.last
    someone.taps("是回答这个问题")
    assert "收到" in someone.last and someone.sees("确认发送") and sent.card.tally == tally(sent)


def test_something_else_altogether_answers_the_question_that_is_open(sent: Office) -> None:
    someone = sent["办公室"].says("发通知 周四下午四点 报告厅").says("能到")
    assert "期中分析" in someone.says("期中分析").last and someone.sees("确认发送")
    assert sent.card.tally == tally(sent)


def test_a_quoted_card_says_what_the_words_are_for(sent: Office) -> None:
    sent["办公室"].says("催一下")
    sent["王老师"].taps("请假", in_="群")
    card = next(seen.ref for seen in sent.stage.messages(sent["王老师"].talk.id) if "请答复 ·" in seen.text)
    sent["王老师"].says("能到", quotes=card)
    assert sent.card.tally == tally(sent, 能到=1)

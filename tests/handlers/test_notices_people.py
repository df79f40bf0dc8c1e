"""Answers between people: for a colleague, with leave to be granted, with a question, cut short, about another day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.notices.feature import feature
from storage import people, rsvps
from tests.handlers.conftest import OpenOffice
from tests.office import Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
OTHER = "发通知 周四下午四点 报告厅 期中质量分析"
STAFF = 8


@pytest.fixture
def sent(open_office: OpenOffice) -> Office:
    office = open_office(feature, staff=STAFF)
    office["办公室"].says(SAID).confirms()
    return office


def tally(office: Office, **changed: int) -> dict[str, int]:
    counts = {"能到": 0, "晚到": 0, "请假": 0, **changed}
    return {**counts, "未答": STAFF - sum(counts.values())}


def hidden(office: Office, words: str, *, from_: tuple[str, ...] = ("老师06", "老师07", "老师08")) -> bool:
    """Neither the group nor anybody whom it does not concern has read these words."""
    return all(words not in text for text in [*office.group, *(text for name in from_ for text in office[name].inbox)])


# --- for a colleague ------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_an_answer_for_a_colleague_counts_and_is_confirmed_to_them(sent: Office) -> None:
    sent["王老师"].says("代老师05请假，监考", in_group=True)
    assert sent.card.tally == tally(sent, 请假=1) and len(sent.group) == 1
    assert "王老师 代您答复：请假" in sent["老师05"].last
    sent["老师05"].taps("对，就这样")
    assert sent.card.tally == tally(sent, 请假=1)
    assert hidden(sent, "监考")


@pytest.mark.stages
def test_whoever_it_was_said_for_can_refuse_it(sent: Office) -> None:
    sent["王老师"].says("帮老师05报名")
    assert "已代 老师05 记下：能到" in sent["王老师"].last
    sent["老师05"].taps("不对，撤销")
    assert sent.card.tally == tally(sent)
    assert "不对" in sent["王老师"].last
    words = sent.ask(lambda db: rsvps.all_words(db, 1, sent["老师05"].number or 0))
    assert [(one.answer, one.by) for one in words] == [("y", sent["王老师"].number), ("-", None)]


def test_nobody_else_can_refuse_it(sent: Office) -> None:
    sent["王老师"].says("代老师05请假，监考", in_group=True)
    assert "别人的答复" in (sent["张老师"].forges("nt.for:1:x", in_group=False).toast or "")
    assert sent.card.tally == tally(sent, 请假=1)


def test_what_somebody_said_themselves_is_never_replaced_by_a_colleague(sent: Office) -> None:
    sent["老师05"].taps("能到")
    before = len(sent["老师05"].inbox)
    sent["王老师"].says("代老师05请假", in_group=True)
    assert "自己已经答复过" in sent["王老师"].last
    assert sent.card.tally == tally(sent, 能到=1) and len(sent["老师05"].inbox) == before


def test_their_own_answer_replaces_what_a_colleague_said(sent: Office) -> None:
    sent["王老师"].says("代老师05请假", in_group=True)
    sent["老师05"].says("能到", in_group=True)
    assert sent.card.tally == tally(sent, 能到=1)
    assert "后来自己答复过" in (sent["老师05"].taps("不对，撤销").toast or "")
    assert sent.card.tally == tally(sent, 能到=1)


def test_a_name_that_nobody_has_is_said_in_private_and_not_counted(sent: Office) -> None:
    assert "名册里没有" in sent["王老师"].says("代李小明请假").last
    sent["王老师"].says("代李小明请假", in_group=True)
    assert sent.card.tally == tally(sent) and len(sent.group) == 1


def test_somebody_else_named_without_a_word_of_proxy_is_asked_about(sent: Office) -> None:
    sent["王老师"].says("老师05请假，监考", in_group=True)
    assert sent.card.tally == tally(sent)
    sent["王老师"].taps("是，代老师05")
    assert sent.card.tally == tally(sent, 请假=1) and "代您答复" in sent["老师05"].last


def test_a_pupil_who_is_ill_is_nobodys_leave(sent: Office) -> None:
    for words in ("李小明发烧请假", "王小红来不了", "班上有学生请假", "孩子来不了", "校车晚到十分钟"):
        sent["王老师"].says(words, in_group=True)
    assert sent.card.tally == tally(sent) and sent["王老师"].inbox == []


# --- leave ----------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_leave_goes_to_the_office_and_the_verdict_to_the_person(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="孩子发烧")
    assert "请假 · 王老师" in sent["办公室"].last and "孩子发烧" in sent["办公室"].last
    sent["办公室"].taps("同意")
    assert "请假已同意" in sent["王老师"].last
    assert sent.card.tally == tally(sent, 请假=1) and len(sent.group) == 1
    assert hidden(sent, "孩子发烧") and hidden(sent, "同意")
    assert "孩子发烧，已同意" in sent["办公室"].says("谁还没回").last


def test_leave_that_is_declined_stays_what_the_person_said_until_they_say_otherwise(sent: Office) -> None:
    sent["王老师"].says("监考请假", in_group=True)
    sent["办公室"].taps("不同意")
    assert "请假没有同意" in sent["王老师"].last and sent.card.tally == tally(sent, 请假=1)
    sent["王老师"].says("能到")
    assert sent.card.tally == tally(sent, 能到=1)


@pytest.mark.paper  # looks at a card that is edited
def test_without_a_reason_the_office_hears_of_it_ten_minutes_later(sent: Office) -> None:
    before = len(sent["办公室"].inbox)
    sent["王老师"].taps("请假")
    assert len(sent["办公室"].inbox) == before
    sent.later(minutes=12)
    assert len(sent["办公室"].inbox) == before + 1 and "没有写" in sent["办公室"].last
    sent["王老师"].says("监考")
    assert len(sent["办公室"].inbox) == before + 1 and "监考" in sent["办公室"].last


@pytest.mark.paper  # looks at a card that is edited
def test_who_comes_after_all_needs_no_verdict(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    sent["王老师"].taps("能到")
    assert "改为能来" in sent["办公室"].last and not sent["办公室"].sees("同意")
    sent["王老师"].says("请假 看病", in_group=True)
    assert "看病" in sent["办公室"].last and sent["办公室"].sees("同意")


def test_nobody_grants_their_own_leave_and_no_teacher_anybodys(sent: Office) -> None:
    sent["办公室"].says("请假 看病", in_group=True)
    assert "请假 · 办公室" in sent["李校长"].last
    assert "自己的请假" in (sent["办公室"].forges("nt.off:1:y", in_group=False).toast or "")
    assert "办公室" in (sent["王老师"].forges("nt.off:1:y", in_group=False).toast or "")
    sent["李校长"].taps("同意")
    assert "已经批过" in (sent["李校长"].forges("nt.off:1:x", in_group=False).toast or "")


def test_a_verdict_at_night_waits_for_the_morning(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    sent.later(to="周一 22:00")
    before = len(sent["王老师"].inbox)
    sent["办公室"].taps("同意")
    assert len(sent["王老师"].inbox) == before
    sent.later(hours=10)
    assert len(sent["王老师"].inbox) == before + 1


# --- with a question ------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_an_answer_that_also_asks_is_counted_and_the_question_answered(sent: Office) -> None:
    sent["王老师"].says("收到，要带听课本吗？", in_group=True)
    assert sent.card.tally == tally(sent, 能到=1) and len(sent.group) == 1
    assert "要带听课本吗" in sent["办公室"].last and "王老师" in sent["办公室"].last
    sent["办公室"].taps("答复").says("要带，每人一本")
    assert "要带，每人一本" in sent["王老师"].last
    assert hidden(sent, "每人一本")


def test_the_office_answers_by_quoting_the_question(sent: Office) -> None:
    sent["王老师"].says("能到，在几楼？")
    assert "问题已转给办公室" in sent["王老师"].last
    card = sent.stage.messages(sent["办公室"].talk.id)[-1]
    sent["办公室"].says("收到，三楼", quotes=card.ref)
    assert "收到，三楼" in sent["王老师"].last and sent.card.tally == tally(sent, 能到=1)


# --- cut short, and of another day ----------------------------------------------------------------------------


@pytest.mark.stages
def test_who_leaves_early_or_comes_for_half_is_kept_apart(sent: Office) -> None:
    sent["王老师"].says("能到，但四点要走", in_group=True)
    sent["张老师"].says("只能参加前半段", in_group=True)
    sent["老师05"].says("后半段参加", in_group=True)
    assert sent.card.tally == {**tally(sent, 晚到=1), "早退": 2, "未答": STAFF - 3}
    assert "四点要走" in sent["办公室"].says("谁还没回").last


def test_leave_on_another_day_is_asked_about(sent: Office) -> None:
    sent["王老师"].says("明天请假", in_group=True)
    assert sent.card.tally == tally(sent) and "哪一个通知" in sent["王老师"].last
    sent["王老师"].says("取消")
    sent["张老师"].says("周五请假", in_group=True)
    assert sent.card.tally == tally(sent, 请假=1)


def test_a_slip_that_is_put_right(sent: Office) -> None:
    sent["王老师"].says("能到", in_group=True)
    sent["王老师"].says("说错了，请假，监考", in_group=True)
    assert sent.card.tally == tally(sent, 请假=1)
    sent["王老师"].says("改成晚到", in_group=True)
    assert sent.card.tally == tally(sent, 晚到=1)


def test_after_the_deadline_nothing_counts_for_a_colleague_either(sent: Office) -> None:
    sent.time.at += timedelta(days=4, hours=6)
    sent["王老师"].says("代老师05请假")
    assert "已经开始" in sent["王老师"].last or "没看懂" in sent["王老师"].last
    assert sent.ask(lambda db: rsvps.last_words(db, 1)) == {}


def test_a_colleague_whom_we_cannot_reach_is_named_to_the_office(sent: Office) -> None:
    talk = sent["老师05"].talk
    sent.write(lambda db: people.close_talk(db, talk.channel, talk.id))
    sent["王老师"].says("代老师05请假，监考", in_group=True)
    assert "私聊不到 老师05" in sent["办公室"].last and sent.card.tally == tally(sent, 请假=1)

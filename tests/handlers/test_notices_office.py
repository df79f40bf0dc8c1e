"""Who is silent, and how little they are bothered: lists, reminders, caps and quiet hours."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from bot.kit.card import Facts, Table
from bot.kit.context import View
from bot.kit.feature import Month
from handlers.notices import sections
from handlers.notices.feature import feature
from storage import notices, nudges, people
from storage.base import Db
from tests.handlers.conftest import OpenOffice
from tests.office import ZONE, Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
STAFF = 8
EVERYBODY = ("李校长", "办公室", "王老师", "张老师", "老师05", "老师06", "老师07", "老师08")


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=STAFF)


@pytest.fixture
def sent(office: Office) -> Office:
    office["办公室"].says(SAID).confirms()
    return office


def reminded(office: Office) -> list[str]:
    """Who has the reminder in their private talk, once for each time; when it is over it says that it is."""
    words = ("请答复 ·", "不用再答复")
    return [name for name in EVERYBODY for text in office[name].inbox if any(word in text for word in words)]


def local(office: Office) -> time:
    return office.time().astimezone(ZONE).time()


# --- the lists ------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_office_sees_in_private_who_is_silent_and_why_others_cannot_come(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="监考")
    sent["张老师"].says("晚到十分钟", in_group=True)
    sent["办公室"].says("谁还没回", in_group=True)
    shown = sent["办公室"].last
    assert "未答复" in shown and "老师05（教学部）" in shown
    assert "王老师（监考）" in shown and "张老师（晚到十分钟）" in shown
    assert len(sent.group) == 1


def test_when_everybody_answered_the_list_says_so(sent: Office) -> None:
    for name in EVERYBODY:
        sent[name].taps("能到")
    assert "都答复了" in sent["办公室"].says("谁还没回").last
    assert not sent["办公室"].sees("催一下")


def test_the_numbers_are_told_by_department_and_agree_with_the_card(sent: Office) -> None:
    sent.write(lambda db: people.change(db, sent["张老师"].number or 0, department="数学组"))
    sent["王老师"].taps("能到")
    sent["张老师"].taps("请假", reason="病假")
    shown = sent["办公室"].says("统计").last
    assert "数学组" in shown and "病假" not in shown
    table = next(b for b in sent.shown("notice-stats:1").card.body if isinstance(b, Table))
    assert [tuple(row) for row in table.rows] == [
        ("教学部", "7", "1", "0", "0", "6"),
        ("数学组", "1", "0", "0", "1", "0"),
    ]
    assert sent.shown("notice-stats:1").tally == sent.card.tally


def test_an_older_notice_is_asked_for_by_its_serial_or_by_quoting_it(sent: Office) -> None:
    ref = sent.stage.messages(sent.room.id)[-1].ref
    sent["办公室"].says("发通知 周四下午四点 报告厅 期中质量分析").confirms()
    assert "期中质量分析" in sent["办公室"].says("谁还没回").last
    assert "教学例会" in sent["办公室"].says("谁还没回 1123-01").last
    sent["办公室"].says("统计", in_group=True, quotes=ref)
    assert "统计 · 教学例会" in sent["办公室"].last


def test_a_cancelled_notice_is_not_what_is_meant_while_there_is_another(sent: Office) -> None:
    sent["办公室"].says("发通知 周四下午四点 报告厅 期中质量分析").confirms()
    sent["办公室"].says("取消通知 1123-02").taps("确认取消")
    assert "教学例会" in sent["办公室"].says("谁还没回").last
    assert "期中质量分析" in sent["办公室"].says("谁还没回 1123-02").last


@pytest.mark.parametrize("word", ["谁还没回", "统计", "催一下", "更正通知", "取消通知"])
def test_what_is_the_offices_is_refused_to_a_teacher(sent: Office, word: str) -> None:
    assert "办公室" in sent["王老师"].says(word).last
    assert reminded(sent) == [] and len(sent.group) == 1


@pytest.mark.parametrize("word", ["谁还没回", "统计", "催一下", "更正通知", "取消通知"])
def test_without_any_notice_the_office_is_told_so(office: Office, word: str) -> None:
    assert "还没有发出过" in office["办公室"].says(word).last


def test_the_word_in_a_sentence_is_not_the_command(sent: Office) -> None:
    sent["王老师"].says("统计表已经交了", in_group=True)
    sent["办公室"].says("催一下三班的作业", in_group=True)
    assert sent["王老师"].inbox == [] and reminded(sent) == []


# --- reminding ------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_silent_are_reminded_once_in_private_before_the_meeting(sent: Office) -> None:
    sent["王老师"].taps("能到")
    sent["张老师"].taps("请假", reason="监考")
    sent["老师05"].taps("晚到")
    sent.later(to="周五 14:28")
    assert reminded(sent) == []
    sent.later(to="周五 14:35")
    assert reminded(sent) == ["李校长", "办公室", "老师06", "老师07", "老师08"]
    sent.later(to="周五 23:00")
    assert len(reminded(sent)) == 5
    assert "请答复" not in sent.board


def test_the_reminder_has_the_buttons_and_says_how_to_stop(sent: Office) -> None:
    sent.later(to="周五 14:35")
    assert "今天别提醒" in sent["王老师"].last
    assert sent["王老师"].taps("晚到", in_="私聊").toast == "已记下：晚到"
    assert sent.card.tally["晚到"] == 1
    sent.later(to="周五 15:35")
    assert sent["王老师"].finds_closed("能到")


@pytest.mark.stages
def test_on_request_the_silent_are_reminded_now_and_the_caps_hold(sent: Office) -> None:
    sent["王老师"].taps("能到")
    assert sent["办公室"].says("催一下").last == "已私聊提醒 7 人。"
    assert "王老师" not in reminded(sent)
    sent["张老师"].taps("能到")
    sent["办公室"].says("谁还没回").taps("催一下")
    assert sent["办公室"].last == "已私聊提醒 6 人。"
    said = sent["办公室"].says("催一下").last
    assert "没有要提醒的人了" in said and "6 人今天已经提醒够了" in said
    sent.later(to="周五 14:35")  # twice for one matter is enough, whatever the day
    assert len(reminded(sent)) == 13


def test_two_a_day_over_everything(sent: Office) -> None:
    def other(db: Db) -> None:
        for matter in ("study:1", "study:2"):
            nudges.note(db, sent["王老师"].number or 0, matter, date(2026, 11, 23))

    sent.write(other)
    assert "已私聊提醒 7 人。1 人" in sent["办公室"].says("催一下").last
    assert "王老师" not in reminded(sent)
    sent.later(to="周五 14:35")
    assert "王老师" in reminded(sent)


def test_who_asks_to_be_left_alone_today_is(sent: Office) -> None:
    sent["办公室"].says("催一下")
    assert "今天不再提醒" in (sent["王老师"].taps("今天别提醒").toast or "")
    assert "今天不再提醒" in sent["张老师"].says("今天别提醒").last
    assert "2 人" in sent["办公室"].says("催一下").last
    assert reminded(sent).count("王老师") == reminded(sent).count("张老师") == 1
    sent.later(to="周五 14:35")
    assert reminded(sent).count("王老师") == 2


def test_who_cannot_be_reached_is_named_to_the_office(sent: Office) -> None:
    sent.write(lambda db: people.close_talk(db, sent.stage.channel, sent["老师08"].talk.id))
    assert "1 人没有私聊过我，提醒不到：老师08" in sent["办公室"].says("催一下").last


def test_who_is_on_leave_is_neither_listed_nor_reminded(sent: Office) -> None:
    sent.write(
        lambda db: people.set_leave(db, sent["老师08"].number or 0, date(2026, 11, 27), date(2026, 11, 27), "公出")
    )
    assert "老师08" not in sent["办公室"].says("谁还没回").last
    sent.later(to="周五 14:35")
    assert "老师08" not in reminded(sent)


def test_a_notice_sent_shortly_before_the_meeting_is_not_chased(office: Office) -> None:
    office["办公室"].says("发通知 今天上午11点10分 三楼会议室 临时会").confirms()
    office.later(hours=3)
    assert reminded(office) == []


def test_a_deadline_is_chased_before_itself(office: Office) -> None:
    office["办公室"].says(f"{SAID}，周四下班前回复").confirms()
    office.later(to="周四 16:35")
    assert len(reminded(office)) == STAFF
    office.later(to="周五 15:00")
    assert len(reminded(office)) == STAFF


def test_nobody_is_chased_for_what_is_over(sent: Office) -> None:
    sent.later(to="周五 15:40")
    before = len(reminded(sent))
    assert "已经开始" in sent["办公室"].says("催一下").last
    assert len(reminded(sent)) == before


# --- quiet hours ----------------------------------------------------------------------------------------------


def night(office: Office, at: str = "22:00") -> None:
    office.later(to=f"11月23日 {at}")


@pytest.mark.stages
def test_at_night_the_notice_waits_for_the_morning(office: Office) -> None:
    night(office)
    office["办公室"].says(SAID)
    assert "安静时段" in office["办公室"].last and "11月24日 周二 07:0" in office["办公室"].last
    assert "07:0" in (office["办公室"].confirms().toast or "")
    office.later(to="11月24日 06:59")
    assert office.group == []
    office.later(to="11月24日 07:10")
    assert len(office.group) == 1 and office.card.tally["未答"] == STAFF


def test_before_it_is_out_of_the_door_a_word_in_the_group_is_no_answer_to_it(office: Office) -> None:
    night(office)
    office["办公室"].says(SAID).confirms()
    office["王老师"].says("好的", in_group=True)
    office.later(to="11月24日 07:10")
    assert office.card.tally["能到"] == 0


def test_at_night_it_can_be_sent_at_once_when_it_must(office: Office) -> None:
    night(office)
    office["办公室"].says(SAID).taps("现在就发")
    assert len(office.group) == 1


def test_by_day_there_is_no_such_button(office: Office) -> None:
    office["办公室"].says(SAID)
    assert not office["办公室"].sees("现在就发")


def test_a_meeting_before_the_morning_post_can_only_be_sent_at_once(office: Office) -> None:
    night(office)
    office["办公室"].says("发通知 明天上午七点 操场 升旗彩排")
    assert "现在就发" in (office["办公室"].confirms().toast or "")
    assert "已发到 1 个群" in (office["办公室"].taps("现在就发").toast or "")
    assert len(office.group) == 1


def test_nobody_is_reminded_at_night_and_who_answers_meanwhile_not_at_all(sent: Office) -> None:
    night(sent)
    assert "07:0" in sent["办公室"].says("催一下").last
    sent["王老师"].taps("能到")
    sent.later(to="11月24日 06:59")
    assert reminded(sent) == []
    sent.later(to="11月24日 07:15")
    assert len(reminded(sent)) == STAFF - 1 and "王老师" not in reminded(sent)


def test_an_early_meeting_is_chased_the_evening_before(office: Office) -> None:
    office["办公室"].says("发通知 周三上午七点 操场 升旗彩排").confirms()
    office.later(to="11月24日 19:55")
    assert reminded(office) == []
    office.later(to="11月24日 20:05")
    assert len(reminded(office)) == STAFF
    office.later(to="11月25日 09:00")
    assert len(reminded(office)) == STAFF


@pytest.mark.parametrize(("hour", "late"), [("七点二十分", STAFF - 1), ("七点", 0)])
def test_a_reminder_missed_in_the_evening_comes_in_the_morning_if_it_still_helps(
    office: Office, hour: str, late: int
) -> None:
    office["办公室"].says(f"发通知 周二上午{hour} 操场 升旗彩排").confirms()
    office.run(office.running.stop())
    office.time.at = datetime(2026, 11, 23, 22, 0, tzinfo=ZONE)  # it was due at eight in the evening
    office._open()
    office["王老师"].taps("能到")
    office.later(to="11月24日 06:59")
    assert reminded(office) == []
    office.later(to="11月24日 10:00")
    assert len(reminded(office)) == late and "王老师" not in reminded(office)


@pytest.mark.paper
def test_nothing_at_all_leaves_between_nine_and_seven(office: Office) -> None:
    office["办公室"].says(f"{SAID}，周四晚上十点前回复").confirms()
    counts: list[tuple[time, int]] = []
    for _ in range(5 * 24 * 4):
        before = sum(len(office[name].inbox) for name in EVERYBODY) + len(office.group)
        office.later(minutes=15)
        after = sum(len(office[name].inbox) for name in EVERYBODY) + len(office.group)
        counts.append((local(office), after - before))
    assert sum(count for _, count in counts) == STAFF
    assert all(count == 0 for at, count in counts if at > time(21, 15) or at <= time(7, 0))


# --- what the month knows -------------------------------------------------------------------------------------


def test_the_month_knows_its_meetings_and_nobodys_reason(sent: Office) -> None:
    sent["王老师"].taps("请假", reason="病假")
    sent["办公室"].says("发通知 周四下午四点 报告厅 期中质量分析").confirms()
    sent["办公室"].says("取消通知 1123-02").taps("确认取消")
    sent["办公室"].says("发通知 12月3日下午四点 报告厅 下个月的会").confirms()
    with sent.reading() as db:
        facts, table = sections.monthly(View(db, sent.time(), sent.running.school), Month(date(2026, 11, 1)))
        december = sections.monthly(View(db, sent.time(), sent.running.school), Month(date(2026, 12, 1)))
        january = sections.monthly(View(db, sent.time(), sent.running.school), Month(date(2027, 1, 1)))
    assert isinstance(facts, Facts) and tuple(facts.pairs) == (("会议", "1"), ("取消", "1"))
    assert isinstance(table, Table)
    assert [tuple(row) for row in table.rows] == [
        ("11月27日 周五 15:30", "教学例会", "三楼会议室", "8", "0", "0", "1", "7")
    ]
    assert len(december) == 2 and len(january) == 1


def test_the_notice_knows_its_author_and_its_life(sent: Office) -> None:
    notice = sent.ask(lambda db: notices.get(db, 1))
    assert notice is not None and notice.author == sent["办公室"].number and notice.state == notices.OPEN


# --- several at once, later, and not this week ----------------------------------------------------------------


def three_departments(office: Office) -> None:
    """王老师 and 张老师 are in 数学组, 老师05 in 语文组, the others in 教学部."""
    for name, department in (("王老师", "数学组"), ("张老师", "数学组"), ("老师05", "语文组")):
        number = office[name].number or 0
        office.write(lambda db, n=number, d=department: people.change(db, n, department=d, phone=f"81{n:02d}"))  # type: ignore[misc]


@pytest.mark.stages
def test_two_matters_are_one_message_and_each_can_be_answered_there(sent: Office) -> None:
    sent["办公室"].says("发通知 周五下午四点半 报告厅 期中质量分析").confirms()
    sent["王老师"].says("能到", quotes=None)
    sent["王老师"].taps("1123-01 教学例会")
    sent.later(to="周五 14:40")
    assert [text for text in sent["张老师"].inbox if "还有 2 个通知请您答复" in text]
    assert not [text for text in sent["张老师"].inbox if "请答复 ·" in text]
    sent["张老师"].taps("1 能到").taps("2 请假")
    assert sent.shown("notice:1").tally["能到"] == 2 and sent.shown("notice:2").tally["请假"] == 1
    assert "没有要答复的通知了" in sent.shown(f"notice-todo:{sent['张老师'].number}").text
    before = len(sent["张老师"].inbox)
    sent.later(to="周五 16:20")
    assert len(sent["张老师"].inbox) == before


@pytest.mark.paper
def test_a_merged_message_is_one_of_the_day_and_one_of_each_matter(sent: Office) -> None:
    sent["办公室"].says("发通知 周五下午四点半 报告厅 期中质量分析").confirms()
    sent.later(to="周五 16:25")
    heard = [text for text in sent["老师06"].inbox if "答复" in text]
    assert len(heard) == 2  # 14:30 for both, 15:30 for the second alone
    times = sent.ask(lambda db: [nudges.times(db, sent["老师06"].number or 0, f"notice:{n}") for n in (1, 2)])
    assert times == [1, 2]


@pytest.mark.stages
def test_later_means_once_more_and_not_for_who_has_answered(sent: Office) -> None:
    sent["办公室"].says("催一下")
    for name in ("王老师", "张老师"):
        assert "再提醒您一次" in (sent[name].taps("稍后").toast or "")
    sent["张老师"].taps("能到", in_="私聊")
    before = {name: len(sent[name].inbox) for name in ("王老师", "张老师")}
    sent.later(hours=2)
    assert {name: len(sent[name].inbox) - count for name, count in before.items()} == {"王老师": 1, "张老师": 0}
    assert "不再提醒" in (sent["王老师"].taps("稍后").toast or "")  # twice is enough


def test_not_this_week_holds_until_sunday_and_for_every_matter(sent: Office) -> None:
    sent["办公室"].says("催一下")
    assert "本周不再提醒" in (sent["王老师"].taps("本周别再提醒").toast or "")
    assert "本周不再提醒" in sent["张老师"].says("本周别再提醒").last
    sent["办公室"].says("发通知 周四下午四点半 报告厅 期中质量分析").confirms()
    before = {name: len(sent[name].inbox) for name in ("王老师", "张老师", "老师05")}
    sent.later(to="周五 15:20")
    after = {name: len(sent[name].inbox) - count for name, count in before.items()}
    assert (after["王老师"], after["张老师"]) == (0, 0) and after["老师05"] > 0
    assert sent["王老师"].forges("nt.rsvp:1:y").toast == "已记下：能到"


def test_at_last_the_office_has_the_names_with_their_extensions(sent: Office) -> None:
    three_departments(sent)
    sent["王老师"].taps("能到")
    before = len(sent["办公室"].inbox)
    sent.later(to="周五 14:50")
    assert not [text for text in sent["办公室"].inbox[before:] if "谁还没回" in text]
    sent.later(to="周五 15:05")
    listed = sent["办公室"].last
    assert "谁还没回" in listed and "张老师（数学组，8104）" in listed and "王老师" not in listed
    assert all("8104" not in text for text in [*sent.group, *sent["老师06"].inbox])


def test_when_all_have_answered_there_is_no_list(sent: Office) -> None:
    for name in EVERYBODY:
        sent[name].taps("能到")
    before = len(sent["办公室"].inbox)
    sent.later(to="周五 15:20")
    assert len(sent["办公室"].inbox) == before


# --- whom it concerns, and what to look at twice ----------------------------------------------------------------


@pytest.mark.stages
def test_only_the_departments_that_are_named_are_asked_counted_and_chased(office: Office) -> None:
    three_departments(office)
    office["办公室"].says("发通知 周五下午三点半三楼会议室教学例会，带上听课本，数学组和语文组参加，周四前回复")
    shown = office["办公室"].last
    for words in ("将问 3 人", "数学组、语文组", "听课本", "回复截止"):
        assert words in shown
    office["办公室"].confirms()
    assert office.card.tally == {"能到": 0, "晚到": 0, "请假": 0, "未答": 3}
    office["王老师"].taps("能到")
    assert "不计入应到" in (office["老师06"].taps("能到").toast or "")
    assert office.card.tally == {"能到": 1, "晚到": 0, "请假": 0, "未答": 2}
    office["办公室"].says("催一下")
    assert office["张老师"].inbox and office["老师05"].inbox
    assert office["老师07"].inbox == [] and office["老师08"].inbox == []


def test_a_department_that_does_not_exist_is_asked_about(office: Office) -> None:
    three_departments(office)
    someone = office["办公室"].says("发通知 周五下午三点半 三楼会议室 班主任会，班主任参加")
    assert "班主任" in someone.inbox[-2] and "哪些人参加" in someone.last
    assert "没有这个部门" in someone.says("后勤处").last
    assert "将问 1 人" in someone.says("语文组").last


def test_the_preview_tells_what_they_have_that_day_and_how_full_the_week_is(office: Office) -> None:
    three_departments(office)
    office["办公室"].says("发通知 周五上午九点 报告厅 升旗培训").confirms()
    office["办公室"].says("发通知 周四下午四点 报告厅 语文组教研，语文组参加").confirms()
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 数学组教研，数学组参加")
    assert "同一天他们还有：11月27日 周五 09:00 升旗培训" in office["办公室"].last
    assert "第 3 个会" not in office["办公室"].last
    office["办公室"].says("发通知 周三下午三点半 三楼会议室 教学例会")
    assert "这是他们这一周的第 3 个会" in office["办公室"].last


@pytest.mark.stages
def test_calling_everybody_needs_a_second_yes(office: Office) -> None:
    office["办公室"].says("发通知 @所有人 周五下午三点半 三楼会议室 教学例会").confirms()
    assert office.group == [] and "打扰" in office["办公室"].last
    office["办公室"].taps("确认 @所有人")
    assert len(office.group) == 1 and "@所有人" in office.group[0]
    office["办公室"].says("发通知 @所有人 周四下午四点 报告厅 期中质量分析").confirms()
    office["办公室"].taps("不@，照常发")
    assert len(office.group) == 2 and "@所有人" not in office.group[1]


def test_a_bare_shoudao_and_a_word_of_coming_are_kept_apart(sent: Office) -> None:
    sent["王老师"].says("收到", in_group=True)
    sent["张老师"].says("准时参加", in_group=True)
    sent["老师05"].taps("能到")
    assert "能到的 3 人里，1 人只回了“收到”" in sent["办公室"].says("统计").last
    sent["王老师"].taps("能到")
    assert "只回了" not in sent["办公室"].says("统计").last

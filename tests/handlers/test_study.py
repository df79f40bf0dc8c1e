"""学习提醒, as the office and the teachers talk: plans, occurrences, clocks, caps, and what each may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit import when
from bot.kit.calendar import Calendar
from bot.kit.card import Card
from bot.kit.context import School
from bot.kit.errors import Refused
from handlers.contents import FEATURES
from handlers.study import cards, forms, rules
from handlers.study.feature import feature
from handlers.study.rules import Wait
from storage import diary, nudges, outbox, people, study
from storage.base import Db
from storage.people import Person
from storage.study import Item, Occurrence, Plan
from tests.handlers.conftest import OpenOffice
from tests.office import MONDAY, ZONE, Office, sqlite_url

SCHOOL = School("红烛中学", when.SchoolHours(zone=ZONE), when.QuietHours(), Calendar())
WEEKLY = "学习提醒 每周三下午三点 读《教师职业行为十项准则》"


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=6)


def plans(office: Office, text: str = WEEKLY) -> None:
    office["办公室"].says(text).taps("确认")


def copies(office: Office, who: str) -> int:
    """How many reminders somebody has got."""
    return sum(text.startswith("学习提醒：") or text.startswith("学习提醒（补发）") for text in office[who].inbox)


def occurrences(office: Office) -> list[tuple[date, str, bool]]:
    found = office.ask(lambda db: study.between(db, date(2026, 1, 1), date(2030, 1, 1)))
    return [(one.day, one.state, one.late) for _plan, one in found]


def down(office: Office, **span: float) -> None:
    """The power is off for a while."""
    office.run(office.running.stop())
    office.time.at += timedelta(**span)
    office._open()


# --- a plan ---------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_weekly_plan_is_written_out_before_it_is_confirmed(office: Office) -> None:
    office["办公室"].says(WEEKLY)
    card = office.shown("plan:1")
    assert card.labels == ["确认", "不要了"]
    pairs = dict(_pairs(card.card))
    assert pairs["内容"] == "读《教师职业行为十项准则》"
    assert pairs["时间"] == "每周三 15:00"
    assert pairs["接下来"] == "11月25日 周三 15:00\n12月2日 周三 15:00\n12月9日 周三 15:00"
    assert pairs["发给"] == "6 人，私聊"
    assert "12 小时内补发" in card.text
    assert office.ask(lambda db: diary.coming(db, "study.fire")) == []


def _pairs(card: Card) -> list[tuple[str, str]]:
    return [pair for block in card.body for pair in getattr(block, "pairs", ())]


def test_a_plan_is_told_when_it_comes_next(office: Office) -> None:
    plans(office)
    assert office["办公室"].toast == "已安排，下一次：11月25日 周三 15:00。"
    assert office.shown("plan:1").labels == ["停止提醒"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("学习提醒 12月3日下午4点 学习二十大精神", "12月3日 周四 16:00"),
        ("学习提醒 每月31号上午9点 党课", "每月 31 日 09:00（没有 31 日的月份取当月最后一天）"),
        ("学习提醒 每月31号上午9点，没有31号的月份跳过 党课", "每月 31 日 09:00（没有 31 日的月份跳过）"),
        ("学习提醒 每月最后一个工作日下午四点 党课", "每月最后一个工作日 16:00"),
        ("学习提醒 每月第一个周五下午四点 党课", "每月第一个周五 16:00"),
        ("学习提醒 每周一三五早上7:50 晨读", "每周一、周三、周五 07:50"),
        ("学习提醒 读《准则》 每周三下午三点", "每周三 15:00"),
    ],
)
def test_when_a_plan_comes(office: Office, text: str, words: str) -> None:
    office["办公室"].says(text)
    pairs = dict(_pairs(office.shown("plan:1").card))
    assert pairs["时间"] == words
    assert "号" not in pairs["内容"] and "点" not in pairs["内容"]


def test_what_is_missing_is_asked(office: Office) -> None:
    office["办公室"].says("学习提醒")
    assert "学什么" in office["办公室"].last
    office["办公室"].says("读《准则》")
    assert "什么时候" in office["办公室"].last
    office["办公室"].says("12月3日")  # no hour
    assert "要写清几点" in office["办公室"].last
    office["办公室"].says("昨天下午三点")
    assert "已经过去" in office["办公室"].last
    office["办公室"].says("12月3日下午4点").taps("确认")
    assert "12月3日 周四 16:00" in (office["办公室"].toast or "")


def test_asked_in_the_group_it_goes_on_in_private(office: Office) -> None:
    office["办公室"].says(WEEKLY, in_group=True)
    assert office.group == []
    office["办公室"].says("确认")
    assert "已安排" in office["办公室"].last


def test_a_plan_may_be_dropped_by_tap_or_word(office: Office) -> None:
    office["办公室"].says(WEEKLY).taps("不要了").says(WEEKLY).says("不要了")
    office.later(days=14)
    assert occurrences(office) == []


def test_hours_are_said_with_the_plan(office: Office) -> None:
    office["办公室"].says("学习提醒 每周三下午三点 读《准则》第一章，1.5学时")
    pairs = dict(_pairs(office.shown("plan:1").card))
    assert (pairs["内容"], pairs["学时"]) == ("读《准则》第一章", "1.5")


def test_a_short_month_may_be_skipped_by_a_tap(office: Office) -> None:
    office["办公室"].says("学习提醒 每月31号上午9点 党课").taps("改短月的办法")
    assert "没有 31 日的月份跳过" in office.shown("plan:1").text
    assert "12月31日" in office.shown("plan:1").text and "2月28日" not in office.shown("plan:1").text
    office["办公室"].taps("改短月的办法")
    assert "取当月最后一天" in office.shown("plan:1").text


def test_a_night_hour_is_warned_of(office: Office) -> None:
    office["办公室"].says("学习提醒 每周三晚上十点 读《准则》")
    assert "免打扰时段" in office.shown("plan:1").text


def test_a_holiday_is_shown_beside_the_date(office: Office) -> None:
    office["办公室"].says("学习提醒 12月26日上午9点 读《准则》")
    assert "12月26日 周六（休息日） 09:00" in office.shown("plan:1").text
    office["办公室"].says("学习提醒 每周六上午9点 读《准则》")
    assert "休息日" in office.shown("plan:2").text


def test_a_teacher_plans_nothing(office: Office) -> None:
    office["王老师"].says(WEEKLY)
    assert "只有办公室" in office["王老师"].last
    office["办公室"].says(WEEKLY)
    office["王老师"].forges("st.plan:1:go", in_group=False)
    assert "只有办公室" in (office["王老师"].toast or "")


def test_a_plan_confirmed_after_its_time_is_refused(office: Office) -> None:
    office["办公室"].says("学习提醒 今天下午三点 读《准则》")
    office.later(hours=6)
    office["办公室"].taps("确认")
    assert "已经过去" in (office["办公室"].toast or "")


def test_a_second_yes_books_nothing_more(office: Office) -> None:
    plans(office)
    office["办公室"].forges("st.plan:1:go", in_group=False)
    assert "确认过" in (office["办公室"].toast or "")
    assert len(office.ask(lambda db: diary.coming(db, "study.fire"))) == 1


# --- it comes -------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_everybody_gets_a_card_of_their_own_in_private(office: Office) -> None:
    plans(office)
    office.later(to="11月25日 15:05")
    assert [copies(office, who) for who in ("李校长", "办公室", "王老师", "张老师")] == [1, 1, 1, 1]
    assert office.group == []
    assert occurrences(office) == [(date(2026, 11, 25), study.SENT, False)]


@pytest.mark.stages(both=True)
def test_it_comes_every_week_and_never_twice(office: Office) -> None:
    plans(office)
    office.later(days=15)
    office.later(days=7)
    assert [day.day for day, _state, _late in occurrences(office)] == [25, 2, 9]
    assert copies(office, "王老师") == 6  # each Wednesday, and once more on Thursday for whoever is silent


def test_once_is_once(office: Office) -> None:
    plans(office, "学习提醒 12月3日下午4点 学习二十大精神")
    office.later(days=30)
    assert occurrences(office) == [(date(2026, 12, 3), study.SENT, False)]
    assert office.ask(study.active) == []


def test_who_is_on_leave_is_not_asked_and_not_counted(office: Office) -> None:
    wang = office["王老师"].number or 0
    office.write(lambda db: people.set_leave(db, wang, date(2026, 11, 25), date(2026, 11, 27), "病假"))
    plans(office)
    office.later(to="11月25日 15:05")
    assert copies(office, "王老师") == 0
    assert _total(office) == 5


def _total(office: Office) -> int | None:
    return next((block.total for block in office.shown("plan:1").card.body if hasattr(block, "total")), None)


def test_who_cannot_be_reached_is_counted_for_the_office(office: Office) -> None:
    office.write(lambda db: people.add(db, Person(0, "赵敏")))
    plans(office)
    office.later(to="11月25日 15:05")
    assert _total(office) == 7
    assert "私聊不到 1 人" in office.shown("plan:1").text
    assert office.ask(lambda db: outbox.undelivered(db, MONDAY)) == []


def test_a_late_start_sends_late_and_says_so(office: Office) -> None:
    plans(office)
    down(office, days=2, hours=10)  # Wednesday 20:00
    assert occurrences(office) == [(date(2026, 11, 25), study.SENT, True)]
    assert office["王老师"].last.startswith("学习提醒（补发）：")


def test_after_twelve_hours_it_is_skipped_and_the_office_is_told(office: Office) -> None:
    plans(office)
    down(office, days=2, hours=18)  # Thursday 04:00
    office.later(hours=4)
    assert occurrences(office) == [(date(2026, 11, 25), study.MISSED, False)]
    assert copies(office, "王老师") == 0
    assert "错过了学习提醒“读《教师职业行为十项准则》”1 次" in office["办公室"].last
    office.later(to="12月2日 15:05")
    assert copies(office, "王老师") == 1


def test_three_weeks_down_are_three_rows_and_one_message(office: Office) -> None:
    plans(office)
    down(office, days=17)  # Thursday 12月10日 10:00
    states = [(day.day, state) for day, state, _late in occurrences(office)]
    assert states == [(25, study.MISSED), (2, study.MISSED), (9, study.MISSED)]
    assert sum("错过了学习提醒" in text for text in office["办公室"].inbox) == 1
    assert copies(office, "王老师") == 0


def test_in_the_night_it_waits_for_the_morning(office: Office) -> None:
    plans(office, "学习提醒 每周三晚上十点 读《准则》")
    office.later(to="11月26日早上6:30")
    assert copies(office, "王老师") == 0
    office.later(to="11月26日早上7:20")
    assert copies(office, "王老师") == 1


@pytest.mark.stages
def test_a_restart_between_plan_and_time_loses_nothing(office: Office) -> None:
    plans(office)
    office.restart()
    office.later(to="11月25日 15:05")
    office.restart()
    office.later(minutes=30)
    assert copies_in_rows(office) == 6


def copies_in_rows(office: Office) -> int:
    return len(
        {copy.card for n in range(1, 20) for copy in office.ask(lambda db, n=n: outbox.copies_of(db, f"study:{n}"))}
    )


def test_the_same_date_fired_twice_reminds_once(office: Office) -> None:
    plans(office)
    office.later(to="11月25日 15:05")
    due = int(datetime(2026, 11, 25, 15, tzinfo=ZONE).timestamp())
    office.write(lambda db: diary.book(db, "study.fire", "again", office.time(), {"plan": 1, "due": due}))
    office.later(minutes=1)
    assert occurrences(office) == [(date(2026, 11, 25), study.SENT, False)]
    assert copies(office, "王老师") == 1


def test_two_occurrences_of_a_day_cannot_be_kept(office: Office) -> None:
    def twice(db: Db) -> list[int | None]:
        plan = Plan(0, "读", None, "weekly 2 15:00", 10, 12, study.DRAFT, 1, office.time())
        number = study.draft(db, plan)
        return [study.occur(db, number, date(2026, 12, 2), office.time(), study.SENT) for _ in range(2)]

    first, second = office.write(twice)
    assert first is not None and second is None


# --- what a teacher does --------------------------------------------------------------------------------------


@pytest.fixture
def asked(office: Office) -> Office:
    plans(office)
    office.later(to="11月25日 15:05")
    return office


@pytest.mark.stages
def test_learned_by_a_tap(asked: Office) -> None:
    asked["王老师"].taps("已学")
    assert asked["王老师"].toast == "已记下：“读《教师职业行为十项准则》”已学。"
    assert "已学 · 11月25日 周三 15:05" in asked["王老师"].last
    assert not asked["王老师"].sees("稍后")
    assert asked.shown("plan:1").tally == {"已学": 1, "还没学": 5}


@pytest.mark.parametrize("word", ["已学", "学完了", "已学习", "已学。", "已学！"])
def test_learned_by_a_word(asked: Office, word: str) -> None:
    asked["王老师"].says(word)
    assert asked.shown("plan:1").tally == {"已学": 1, "还没学": 5}


@pytest.mark.stages
def test_learned_in_the_group_is_kept_and_not_answered_there(asked: Office) -> None:
    asked["王老师"].says("已学", in_group=True)
    assert asked.group == []
    assert asked.shown("plan:1").tally["已学"] == 1


@pytest.mark.stages
def test_learned_with_a_thought(asked: Office) -> None:
    asked["王老师"].says("已学，心得：要以身作则")
    assert "心得只有您自己看得到" in asked["王老师"].last
    asked["王老师"].says("我的学习")
    assert "要以身作则" in asked["王老师"].last
    assert "要以身作则" not in asked.shown("plan:1").text


def test_a_thought_may_come_later_by_a_tap(asked: Office) -> None:
    asked["王老师"].taps("已学").taps("写一句心得").says("要以身作则")
    assert "要以身作则" in asked.shown(_card_of(asked, "王老师")).text


def _card_of(office: Office, who: str) -> str:
    number = office[who].number or 0
    (item, *_older) = office.ask(lambda db: study.items_of(db, number, MONDAY))
    return f"study:{item.mark.id}"


def test_learned_twice_counts_once(asked: Office) -> None:
    asked["王老师"].taps("已学").says("已学")
    assert asked.shown("plan:1").tally["已学"] == 1
    asked["王老师"].says("我的学习")
    assert "学了 1 次，共 1 学时" in asked["王老师"].last


def test_of_two_things_to_learn_it_is_asked_which(office: Office) -> None:
    plans(office)
    plans(office, "学习提醒 每周三下午三点十分 观看警示教育片 2学时")
    office.later(to="11月25日 15:20")
    office["王老师"].says("已学")
    assert "哪一个" in office["王老师"].last
    office["王老师"].taps("观看警示教育片").says("我的学习")
    assert "学了 1 次，共 2 学时" in office["王老师"].last


@pytest.mark.stages
def test_a_quoted_card_is_the_one_that_is_meant(office: Office) -> None:
    plans(office)
    plans(office, "学习提醒 每周三下午三点十分 观看警示教育片 2学时")
    office.later(to="11月25日 15:20")
    ref = next(seen.ref for seen in office.stage.messages(office["王老师"].talk.id) if "十项准则" in seen.text)
    office["王老师"].says("已学", quotes=ref).says("我的学习")
    assert "学了 1 次，共 1 学时" in office["王老师"].last


def test_nobody_learns_for_another(asked: Office) -> None:
    other = _card_of(asked, "张老师").removeprefix("study:")
    for token in (f"st.done:{other}", f"st.later:{other}:2h", f"st.halt:{other}:1", f"st.note:{other}"):
        asked["王老师"].forges(token, in_group=False)
        assert "不是发给您的" in (asked["王老师"].toast or "")
    asked["访客"].forges(f"st.done:{other}", in_group=False)
    assert asked.shown("plan:1").tally["已学"] == 0


@pytest.mark.stages
def test_later_comes_in_two_hours(asked: Office) -> None:
    asked["王老师"].taps("稍后")
    assert asked["王老师"].toast == "好的，11月25日 周三 17:05 再提醒您。"
    asked.later(minutes=110)
    assert copies(asked, "王老师") == 1
    asked.later(minutes=11)
    assert copies(asked, "王老师") == 2


@pytest.mark.parametrize(("tap", "at"), [("1 小时后", "16:05"), ("明早", "11月26日 周四 08:0")])
def test_another_hour_may_be_chosen(asked: Office, tap: str, at: str) -> None:
    asked["王老师"].taps("稍后").taps(tap)
    assert at in (asked["王老师"].toast or "")
    asked.later(hours=26)
    assert copies(asked, "王老师") == 2


@pytest.mark.parametrize("word", ["稍后", "一小时后", "明天再提醒"])
def test_later_by_a_word(asked: Office, word: str) -> None:
    asked["王老师"].says(word)
    assert "再提醒您" in asked["王老师"].last


def test_later_in_the_evening_is_the_morning(asked: Office) -> None:
    asked.later(to="11月25日 20:00")
    asked["王老师"].taps("稍后")
    assert "11月26日 周四 07:0" in (asked["王老师"].toast or "")


def test_a_reminder_put_off_is_a_reminder_all_the_same(asked: Office) -> None:
    asked["王老师"].taps("稍后")
    asked.later(hours=3)
    asked["王老师"].taps("稍后")
    assert "已经提醒过 2 回" in (asked["王老师"].toast or "")
    asked.later(days=3)
    assert copies(asked, "王老师") == 2


def test_who_has_learned_is_not_reminded_whatever_was_booked(asked: Office) -> None:
    asked["王老师"].taps("稍后").says("已学")
    asked.later(days=3)
    assert copies(asked, "王老师") == 1


def test_a_full_day_moves_what_was_put_off_to_the_morning(asked: Office) -> None:
    asked["王老师"].taps("稍后")
    number = asked["王老师"].number or 0
    asked.write(lambda db: nudges.note(db, number, "notice:1", date(2026, 11, 25)))
    asked.later(hours=3)
    assert copies(asked, "王老师") == 1
    asked.later(hours=15)
    assert copies(asked, "王老师") == 2


def test_the_silent_are_reminded_once_more_and_then_never(asked: Office) -> None:
    asked["王老师"].taps("已学")
    asked.later(to="11月26日 15:05")
    assert (copies(asked, "王老师"), copies(asked, "张老师")) == (1, 2)
    asked.later(days=4)
    assert copies(asked, "张老师") == 2


def test_the_second_reminder_waits_for_a_working_day(office: Office) -> None:
    plans(office, "学习提醒 每周五下午三点 读《准则》")
    office.later(to="11月29日 20:00")
    assert copies(office, "王老师") == 1
    office.later(to="11月30日 15:05")
    assert copies(office, "王老师") == 2


def test_a_daily_plan_has_no_second_reminder(office: Office) -> None:
    plans(office, "学习提醒 每天下午三点 读《准则》")
    office.later(to="11月25日 16:00")
    assert copies(office, "王老师") == 3  # Monday, Tuesday, Wednesday
    assert len(occurrences(office)) == 3


def test_a_quiet_day_moves_the_reminder_to_the_morning(office: Office) -> None:
    plans(office)
    number = office["王老师"].number or 0
    office.write(lambda db: nudges.mute(db, number, date(2026, 11, 25)))
    office.later(to="11月25日 20:00")
    assert (copies(office, "王老师"), copies(office, "张老师")) == (0, 1)
    office.later(to="11月26日 8:30")
    assert copies(office, "王老师") == 1


@pytest.mark.stages
def test_stop_is_for_one_person_and_one_plan(asked: Office) -> None:
    asked["王老师"].taps("停")
    assert "不再提醒您" in (asked["王老师"].toast or "")
    asked.later(days=14)
    assert copies(asked, "王老师") == 1
    assert copies(asked, "张老师") > 2


@pytest.mark.parametrize("word", ["停", "不要提醒了"])
def test_stop_by_a_word_and_again_by_a_word(asked: Office, word: str) -> None:
    asked["王老师"].says(word)
    asked.later(to="12月2日 16:00")
    assert copies(asked, "王老师") == 1
    asked["王老师"].says("恢复提醒")
    asked.later(to="12月9日 16:00")
    assert copies(asked, "王老师") == 2


def test_again_by_a_tap(asked: Office) -> None:
    asked["王老师"].taps("停").taps("恢复提醒")
    asked.later(to="11月26日 16:00")
    assert copies(asked, "王老师") == 2


def test_words_without_a_reminder_are_not_ours(office: Office) -> None:
    for word in ("稍后", "停", "已学", "心得：很好"):
        office["王老师"].says(word)
        assert "没看懂" in office["王老师"].last
    office["王老师"].says("停", in_group=True)
    assert office.group == []


# --- the office -----------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_office_ends_a_plan_by_title(office: Office) -> None:
    plans(office)
    plans(office, "学习提醒 每周四下午三点 观看警示教育片")
    assert office["办公室"].says("停止提醒 警示教育").told("已停止")
    office.later(days=8)
    assert {plan.title for plan in office.ask(study.active)} == {"读《教师职业行为十项准则》"}
    assert not any("警示教育片" in text for text in office["王老师"].inbox)


def test_without_a_title_it_is_asked_and_tapped(office: Office) -> None:
    plans(office)
    plans(office, "学习提醒 每周四下午三点 观看警示教育片")
    office["办公室"].says("停止提醒").taps("观看警示教育片")
    assert [plan.id for plan in office.ask(study.active)] == [1]


def test_an_ended_plan_reminds_nobody_whatever_was_booked(asked: Office) -> None:
    asked["王老师"].taps("稍后")
    asked["办公室"].taps("停止提醒")
    asked.later(days=14)
    assert copies(asked, "王老师") == copies(asked, "张老师") == 1


@pytest.mark.stages
def test_who_has_not_learned_is_told_in_private_only(asked: Office) -> None:
    asked["王老师"].taps("已学")
    asked["办公室"].says("谁还没学", in_group=True)
    assert asked.group == []
    assert "还没学 5 人：李校长、办公室、张老师" in asked["办公室"].last
    assert "王老师" not in asked["办公室"].last
    asked["王老师"].says("谁还没学")
    assert "张老师" not in asked["王老师"].last


def test_when_all_have_learned_it_is_said_so(asked: Office) -> None:
    for name in list(asked.people):
        asked[name].says("已学")
    asked["办公室"].says("谁还没学")
    assert "6 人都学了" in asked["办公室"].last


def test_the_plans_are_listed_as_cards(office: Office) -> None:
    office["办公室"].says("学习计划")
    assert "现在没有学习提醒" in office["办公室"].last
    plans(office)
    office["办公室"].says("学习计划")
    assert "学习提醒，已安排" in office["办公室"].last


def test_the_ledger_is_ones_own(asked: Office) -> None:
    asked["王老师"].taps("已学").says("我的学习", in_group=True)
    assert asked.group == []
    assert "2026 年学了 1 次，共 1 学时。" in asked["王老师"].last
    asked["办公室"].says("我的学习")
    assert "学了 0 次" in asked["办公室"].last


def test_the_month_in_numbers(asked: Office) -> None:
    asked["王老师"].taps("已学")
    (table,) = asked.section("本月学习", date(2026, 11, 1))
    assert table.rows == [("11月25日 周三", "读《教师职业行为十项准则》", "1", "1/6")]  # type: ignore[union-attr]
    assert asked.section("本月学习", date(2026, 10, 1)) == []


def test_each_word_finds_its_own_feature_among_all(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), FEATURES, staff=6)
    plans(office)
    office["办公室"].says("发通知 11月27日下午三点半 三楼会议室 教学例会").confirms()
    office.later(to="11月25日 15:05")
    office["王老师"].says("收到", in_group=True).says("已学", in_group=True)
    office["张老师"].says("请假 监考", in_group=True).says("停")
    office["办公室"].says("王老师 请假 12月1日到12月5日 产假")
    assert office.card.tally["能到"] == office.card.tally["请假"] == 1
    assert office.shown("plan:1").tally["已学"] == 1
    assert len(office.ask(lambda db: study.halted(db, 1))) == 1
    assert [leave.kind for leave in office.ask(people.leaves_of)] == ["产假"]
    office.close()


def test_it_runs_on_postgresql_too(fresh_database: Callable[[], str]) -> None:
    office = Office(fresh_database(), [feature], staff=5)
    plans(office)
    office.later(to="11月25日 15:05")
    office["王老师"].taps("已学")
    office["张老师"].taps("停")
    office["李校长"].taps("稍后")
    office.later(days=8)
    assert [day.day for day, _state, _late in occurrences(office)] == [25, 2]
    office["办公室"].says("谁还没学").says("学习计划").says("停止提醒")
    assert office.ask(study.active) == []
    office.close()


# --- pure -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("已学", ""),
        ("学完了。", ""),
        ("已学习 收获很大", "收获很大"),
        ("已学，心得：要以身作则", "要以身作则"),
        ("心得：要以身作则", "要以身作则"),
        ("学习体会：很好", "很好"),
        ("学完了吗", None),
        ("已学了吗？", None),
        ("还没学完", None),
        ("已学习了三遍的内容请交", None),
        ("收到", None),
        ("没有心得", None),
    ],
)
def test_what_says_that_it_was_learned(text: str, note: str | None) -> None:
    assert rules.learned(text) == note


@pytest.mark.parametrize(
    ("text", "tenths"),
    [("2学时", 20), ("1.5学时", 15), ("半个学时", 5), ("两学时", 20), ("计 3 学时", 30), ("第二十学", None)],
)
def test_hours_as_people_write_them(text: str, tenths: int | None) -> None:
    found = rules.hours_in(f"读《准则》 {text}")
    assert (found[0] if found else None) == tenths


def _plan(rule: str | None, at: datetime | None = None, late: int = rules.LATE_HOURS) -> Plan:
    return Plan(1, "读", at, rule, 10, late, study.ACTIVE, 1, MONDAY)


def _local(text: str, zone: ZoneInfo = ZONE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "missed", "run", "late", "following"),
    [
        ("2026-11-25 15:01", [], "2026-11-25", False, "2026-12-02"),
        ("2026-11-25 15:11", [], "2026-11-25", True, "2026-12-02"),
        ("2026-11-26 02:59", [], "2026-11-25", True, "2026-12-02"),
        ("2026-11-26 03:01", ["2026-11-25"], None, False, "2026-12-02"),
        ("2026-12-02 20:00", ["2026-11-25"], "2026-12-02", True, "2026-12-09"),
        ("2026-12-10 10:00", ["2026-11-25", "2026-12-02", "2026-12-09"], None, False, "2026-12-16"),
    ],
)
def test_what_an_appointment_means_when_it_is_kept(
    now: str, missed: Sequence[str], run: str | None, late: bool, following: str
) -> None:
    found = rules.walk(_plan("weekly 2 15:00"), _local("2026-11-25 15:00"), _local(now), SCHOOL)
    assert [str(at.date()) for at in found.missed] == missed
    assert (str(found.run.date()) if found.run else None, found.late) == (run, late)
    assert found.next is not None and str(found.next.date()) == following


def test_once_missed_is_over() -> None:
    at = _local("2026-12-03 16:00")
    found = rules.walk(_plan(None, at), at, _local("2026-12-05 16:00"), SCHOOL)
    assert (found.missed, found.run, found.next) == ([at], None, None)


@settings(max_examples=60)
@given(
    st.sampled_from(
        ["daily 07:50", "weekly 0,2 15:00", "monthly 31 09:00 clamp", "monthly 31 09:00 skip", "monthly-nth -1 4 16:00"]
    ),
    st.lists(st.integers(0, 40 * 24), min_size=1, max_size=6),
)
def test_whatever_the_outages_no_date_is_dealt_with_twice_and_none_is_left_out(rule: str, outages: list[int]) -> None:
    """Each wake-up takes up where the last one stopped: together they are exactly the rule's own dates."""
    plan, now = _plan(rule), MONDAY
    due, dealt = rules.next_of(plan, now, SCHOOL), []
    first = due
    for hours in outages:
        now += timedelta(hours=hours)
        while due is not None and due <= now:
            found = rules.walk(plan, due, now, SCHOOL)
            dealt += [*found.missed, *([found.run] if found.run else [])]
            due = found.next
    expected = []
    at = first
    while at is not None and at <= now:
        expected.append(at)
        at = rules.next_of(plan, at, SCHOOL)
    assert dealt == expected
    assert len({at.astimezone(ZONE).date() for at in dealt}) == len(dealt)


@pytest.mark.parametrize(
    ("beyond", "days"),
    [
        ("clamp", ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        ("skip", ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"]),
    ],
)
def test_the_31st_of_short_months(beyond: str, days: list[str]) -> None:
    plan = _plan(f"monthly 31 09:00 {beyond}")
    assert [str(at.date()) for at in rules.coming(plan, _local("2027-01-01 00:00"), SCHOOL, 4)] == days


def test_the_other_way_and_back() -> None:
    plan = _plan("monthly 31 09:00 clamp")
    rule = rules.late_day(plan)
    assert rule is not None and rules.other_way(rule) == "monthly 31 09:00 skip"
    assert rules.late_day(_plan("monthly 28 09:00 clamp")) is None
    assert rules.late_day(_plan("weekly 2 15:00")) is None


@pytest.mark.parametrize(("rule", "wall"), [("daily 02:30", time(2, 30)), ("daily 01:30", time(1, 30))])
def test_a_clock_that_jumps_gives_one_occurrence_a_day(rule: str, wall: time) -> None:
    """Berlin 2027: 28.3. has no 02:30, 31.10. has 02:30 twice."""
    berlin = ZoneInfo("Europe/Berlin")
    school = School("Schule", when.SchoolHours(zone=berlin), when.QuietHours(), Calendar())
    for start in ("2027-03-26 12:00", "2027-10-29 12:00"):
        times = rules.coming(_plan(rule), _local(start, berlin), school, 4)
        days = [at.astimezone(berlin).date() for at in times]
        assert days == [days[0] + timedelta(days=n) for n in range(4)]
        assert all(at.astimezone(berlin).time() >= wall for at in times)


def test_the_second_reminder_keeps_away_from_the_next() -> None:
    due = _local("2026-11-25 15:00")
    assert rules.second_time(due, due + timedelta(days=1), SCHOOL) is None
    assert rules.second_time(due, due + timedelta(days=7), SCHOOL) == due + timedelta(days=1)
    assert rules.second_time(due, None, SCHOOL) == due + timedelta(days=1)
    friday = _local("2026-11-27 15:00")
    assert rules.second_time(friday, None, SCHOOL) == _local("2026-11-30 15:00")


@pytest.mark.parametrize(
    ("wait", "now", "at"),
    [
        (Wait.TWO_HOURS, "2026-11-25 15:05", "2026-11-25 17:05"),
        (Wait.ONE_HOUR, "2026-11-25 15:05", "2026-11-25 16:05"),
        (Wait.MORNING, "2026-11-25 15:05", "2026-11-26 08:00"),
        (Wait.MORNING, "2026-11-25 23:50", "2026-11-26 08:00"),
    ],
)
def test_when_later_is(wait: Wait, now: str, at: str) -> None:
    assert rules.again_at(wait, _local(now), SCHOOL) == _local(at)


def test_a_mark_of_another_is_refused() -> None:
    occurrence = Occurrence(1, 1, date(2026, 11, 25), MONDAY, study.SENT, False)
    item = Item(study.Mark(1, 1, 3, study.OPEN, None, ""), occurrence, _plan("weekly 2 15:00"))
    assert rules.check_mine(item, 3) is item
    for wrong in (None, item):
        with pytest.raises(Refused, match="不是发给您的"):
            rules.check_mine(wrong, 4)


def test_two_plans_of_one_title_have_two_labels() -> None:
    same = [Plan(n, "读《准则》", None, "daily 15:00", 10, 12, study.ACTIVE, 1, MONDAY) for n in (1, 2)]
    assert list(rules.labels(same)) == ["读《准则》 #1", "读《准则》 #2"]


@pytest.mark.parametrize("title", ["<b>读</b>", "{n}{title}", "%s%d", "=1+1", "读\u202e书", "长" * 190])
def test_a_hostile_title_breaks_no_sentence(office: Office, title: str) -> None:
    plans(office, f"学习提醒 每周三下午三点 {title}")
    office.later(to="11月25日 15:05")
    office["王老师"].taps("稍后").taps("已学")
    shown, turned = office["王老师"].last, "\u202e"  # shown by no wire
    assert title.replace(turned, "") in shown.replace(turned, "") or len(title) > 100
    office["办公室"].says("谁还没学").says("学习计划")
    down(office, days=20)
    assert "错过了学习提醒" in "".join(office["办公室"].inbox)


def test_the_gallery_shows_every_state() -> None:
    labels = {button.label for card in cards.GALLERY for button in card.buttons}
    assert {
        "确认",
        "不要了",
        "改短月的办法",
        "停止提醒",
        "已学",
        "稍后",
        "停",
        "1 小时后",
        "明早",
        "恢复提醒",
        "写一句心得",
    } <= labels
    assert all(len(button.action.pack()) <= 64 for card in cards.GALLERY for button in card.buttons)


def test_what_the_form_reads_it_can_keep(office: Office) -> None:
    values: dict[str, Any] = {
        "what": "读",
        "timed": forms.Timing(at=datetime(2026, 12, 3, 8, tzinfo=UTC)),
        "tenths": 15,
    }
    assert forms.NewPlan.load(forms.NewPlan.dump(values)) == values

"""Times as the school says them: tables of phrases, traps, round trips, clocks that jump, and an oracle for months."""

from __future__ import annotations

import subprocess
import sys
from calendar import Calendar as Pages
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit import when
from bot.kit.errors import NotUnderstood
from bot.kit.reading.rules import falls_on
from bot.kit.when import Kind

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
SUNDAY = datetime(2026, 11, 22, 10, 0, tzinfo=SHANGHAI)
SURE, ASKS = True, False


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def only(text: str, now: datetime = MONDAY) -> when.Reading:
    (reading,) = when.find(text, now)
    return reading


# ---------------------------------------------------------------------------------------------- days

DAYS = [
    ("今天", "2026-11-23", SURE),
    ("明天", "2026-11-24", SURE),
    ("后天", "2026-11-25", SURE),
    ("大后天", "2026-11-26", SURE),
    ("昨天", "2026-11-22", SURE),
    ("周三", "2026-11-25", SURE),
    ("星期三", "2026-11-25", SURE),
    ("礼拜三", "2026-11-25", SURE),
    ("禮拜天", "2026-11-29", SURE),
    ("周日", "2026-11-29", SURE),
    ("周一", "2026-11-23", ASKS),  # today, or in a week?
    ("这周三", "2026-11-25", SURE),
    ("本周五", "2026-11-27", SURE),
    ("上周三", "2026-11-18", SURE),
    ("下周三", "2026-12-02", SURE),
    ("下週三", "2026-12-02", SURE),
    ("下个星期三", "2026-12-02", SURE),
    ("下下周一", "2026-12-07", SURE),
    ("等下周三", "2026-12-02", ASKS),
    ("通知一下周三", "2026-11-25", SURE),
    ("12月2日", "2026-12-02", SURE),
    ("12月2号", "2026-12-02", SURE),
    ("12 月 2 日", "2026-12-02", SURE),
    ("十二月二号", "2026-12-02", SURE),
    ("十二月二十五號", "2026-12-25", SURE),
    ("２８号", "2026-11-28", SURE),
    ("二十八号", "2026-11-28", SURE),
    ("5号", "2026-12-05", ASKS),
    ("31号", "2026-12-31", ASKS),
    ("下个月5号", "2026-12-05", SURE),
    ("12-02", "2026-12-02", SURE),
    ("12-14", "2026-12-14", ASKS),
    ("12/2", "2026-12-02", SURE),
    ("12.2", "2026-12-02", SURE),
    ("11.28", "2026-11-28", SURE),
    ("11.28开会", "2026-11-28", SURE),
    ("2026-12-02", "2026-12-02", SURE),
    ("2026/12/2", "2026-12-02", SURE),
    ("2027年3月1日", "2027-03-01", SURE),
    ("二〇二七年三月一日", "2027-03-01", SURE),
    ("明年3月1日", "2027-03-01", SURE),
    ("3月1日", "2027-03-01", ASKS),  # it has passed this year
    ("2028年2月29日", "2028-02-29", SURE),
    ("12月2日（周三）", "2026-12-02", SURE),
    ("周三（12月2日）", "2026-12-02", SURE),
    ("11月20日 周五", "2026-11-20", ASKS),  # the weekday says: not next year's
    ("三天后", "2026-11-26", SURE),
    ("两周后", "2026-12-07", SURE),
    ("两周后的周二", "2026-12-08", SURE),
    ("1个月后", "2026-12-23", SURE),
    ("月底", "2026-11-30", SURE),
    ("12月底", "2026-12-31", SURE),
    ("高三12月5日模考", "2026-12-05", SURE),
    ("周三第七节", "2026-11-25", ASKS),  # the hour is the timetable's
    ("周六日", "2026-11-28", ASKS),
    ("12月2日前后", "2026-12-02", ASKS),
    ("周五前往区里", "2026-11-27", SURE),
    ("周五到校", "2026-11-27", SURE),
    ("明天晚到十分钟", "2026-11-24", SURE),
    ("周三班主任会", "2026-11-25", SURE),
]


@pytest.mark.parametrize(("text", "expected", "sure"), DAYS)
def test_a_day(text: str, expected: str, sure: bool) -> None:
    reading = only(text)
    assert (reading.kind, reading.start, reading.sure) == (Kind.DAY, local(expected), sure)
    assert reading.start is not None and reading.start.utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize(
    ("text", "expected", "sure"),
    [
        ("下周三", "2026-11-25", ASKS),  # half of the people mean 12月2日
        ("这周三", "2026-11-25", ASKS),
        ("周三", "2026-11-25", SURE),
        ("周日", "2026-11-22", ASKS),
        ("两周后的周二", "2026-12-01", SURE),
    ],
)
def test_a_day_named_on_a_sunday(text: str, expected: str, sure: bool) -> None:
    assert (only(text, SUNDAY).start, only(text, SUNDAY).sure) == (local(expected), sure)


# ---------------------------------------------------------------------------------------------- points

POINTS = [
    ("下周三下午三点", "2026-12-02 15:00", SURE),
    ("周五下午三点半", "2026-11-27 15:30", SURE),
    ("本周五下午三點半", "2026-11-27 15:30", SURE),
    ("明天上午九点", "2026-11-24 09:00", SURE),
    ("明天上午10点一刻", "2026-11-24 10:15", SURE),
    ("明天下午三点二十", "2026-11-24 15:20", SURE),
    ("明天下午三点二十五分", "2026-11-24 15:25", SURE),
    ("明天下午三点零五", "2026-11-24 15:05", SURE),
    ("明天中午12点半", "2026-11-24 12:30", SURE),
    ("明天中午一点", "2026-11-24 13:00", SURE),
    ("明晚七点", "2026-11-24 19:00", SURE),
    ("明早7点", "2026-11-24 07:00", SURE),
    ("明天15:00", "2026-11-24 15:00", SURE),
    ("明天15：30", "2026-11-24 15:30", SURE),
    ("明天１５：３０", "2026-11-24 15:30", SURE),
    ("明天03:30", "2026-11-24 03:30", SURE),
    ("明天3:30", "2026-11-24 15:30", ASKS),
    ("明天三点", "2026-11-24 15:00", ASKS),
    ("明天6点", "2026-11-24 18:00", ASKS),
    ("明天7点", "2026-11-24 07:00", ASKS),
    ("明天7:50", "2026-11-24 07:50", ASKS),
    ("明天8点", "2026-11-24 08:00", SURE),
    ("明天十二点", "2026-11-24 12:00", SURE),
    ("明天24点", "2026-11-25 00:00", SURE),
    ("明天晚上12点", "2026-11-25 00:00", ASKS),
    ("明天下午9点", "2026-11-24 21:00", ASKS),
    ("明天下午三点左右", "2026-11-24 15:00", ASKS),
    ("明天15时30分", "2026-11-24 15:30", SURE),
    ("12月2日（星期三）下午3:00", "2026-12-02 15:00", SURE),
    ("下周三（12月2日）下午三点", "2026-12-02 15:00", SURE),
    ("2026-12-02 15:00", "2026-12-02 15:00", SURE),
    ("2026-12-02T15:00", "2026-12-02 15:00", SURE),
    ("28号下午两点", "2026-11-28 14:00", SURE),
    ("今晚", "2026-11-23 19:00", ASKS),
    ("明早", "2026-11-24 08:00", ASKS),
    ("明天下午", "2026-11-24 14:00", ASKS),
    ("下午三点", "2026-11-23 15:00", SURE),
    ("三点", "2026-11-23 15:00", ASKS),
    ("会议改到三点", "2026-11-23 15:00", ASKS),
    ("上午九点", "2026-11-24 09:00", ASKS),  # it has passed today
    ("周一上午九点", "2026-11-30 09:00", ASKS),
    ("今天上午九点", "2026-11-23 09:00", SURE),  # said of the past, and meant
    ("10分钟后", "2026-11-23 10:10", SURE),
    ("半小时后", "2026-11-23 10:30", SURE),
    ("一个半小时后", "2026-11-23 11:30", SURE),
    ("两小时后", "2026-11-23 12:00", SURE),
    ("2小时30分钟后", "2026-11-23 12:30", SURE),
    ("三天后下午三点", "2026-11-26 15:00", SURE),
    ("两周后的周二下午两点", "2026-12-08 14:00", SURE),
    ("周三10点20人参加", "2026-11-25 10:00", SURE),
    ("周三三点三楼会议室", "2026-11-25 15:00", ASKS),
]


@pytest.mark.parametrize(("text", "expected", "sure"), POINTS)
def test_a_point(text: str, expected: str, sure: bool) -> None:
    reading = only(text)
    assert (reading.kind, reading.start, reading.sure) == (Kind.POINT, local(expected), sure)


# ---------------------------------------------------------------------------------------------- deadlines

DEADLINES = [
    ("周五前", "2026-11-27 23:59", SURE),
    ("周五之前", "2026-11-27 23:59", SURE),
    ("周五前提交", "2026-11-27 23:59", SURE),
    ("截止周五", "2026-11-27 23:59", SURE),
    ("周五截止", "2026-11-27 23:59", SURE),
    ("截止到12月2日", "2026-12-02 23:59", SURE),
    ("截止时间：12月2日18:00", "2026-12-02 18:00", SURE),
    ("最迟周五下班前", "2026-11-27 17:30", SURE),
    ("周五放学前", "2026-11-27 16:30", SURE),
    ("週五放學前", "2026-11-27 16:30", SURE),
    ("下班前", "2026-11-23 17:30", SURE),
    ("明天中午前", "2026-11-24 13:00", ASKS),
    ("月底前", "2026-11-30 23:59", SURE),
    ("年底前", "2026-12-31 23:59", SURE),
    ("11.30前", "2026-11-30 23:59", SURE),
    ("12月3日18点前", "2026-12-03 18:00", SURE),
    ("今晚八点半前", "2026-11-23 20:30", SURE),
    ("今晚12点前", "2026-11-23 23:59", ASKS),
    ("三天内", "2026-11-26 23:59", SURE),
    ("一周内", "2026-11-30 23:59", SURE),
    ("24小时内", "2026-11-24 10:00", SURE),
    ("本周内", "2026-11-29 23:59", SURE),
]


@pytest.mark.parametrize(("text", "expected", "sure"), DEADLINES)
def test_a_deadline(text: str, expected: str, sure: bool) -> None:
    reading = only(text)
    assert (reading.kind, reading.start, reading.sure) == (Kind.DEADLINE, local(expected), sure)


def test_off_work_is_the_schools_own() -> None:
    early = when.SchoolHours(off_work=time(16, 0), school_out=time(15, 10))
    assert [when.read(text, MONDAY, early).start for text in ("下班前", "放学前")] == [  # type: ignore[union-attr]
        local("2026-11-23 16:00"),
        local("2026-11-23 15:10"),
    ]


def test_a_deadline_already_past_today_is_tomorrow_and_asks() -> None:
    reading = only("下班前", local("2026-11-23 20:00"))
    assert (reading.start, reading.sure) == (local("2026-11-24 17:30"), ASKS)


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("周五", "2026-11-27 23:59"),
        ("周五前", "2026-11-27 23:59"),
        ("周五下午三点", "2026-11-27 15:00"),
        ("下周一到周三", "2026-12-02 23:59"),
    ],
)
def test_the_last_moment_meant(text: str, latest: str) -> None:
    assert only(text).latest == local(latest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("周五", False),
        ("周五三点", True),
        ("下周一到周三", False),
        ("本周末", False),
        ("14:00-16:00", True),
        ("周五前", True),
    ],
)
def test_whether_an_hour_was_said(text: str, said: bool) -> None:
    assert only(text).has_hour is said


# ---------------------------------------------------------------------------------------------- ranges

RANGES = [
    ("下午两点到四点", "2026-11-23 14:00", "2026-11-23 16:00", SURE),
    ("14:00-16:00", "2026-11-23 14:00", "2026-11-23 16:00", SURE),
    ("14：00—16：00", "2026-11-23 14:00", "2026-11-23 16:00", SURE),
    ("下午2-4点", "2026-11-23 14:00", "2026-11-23 16:00", SURE),
    ("三点到五点", "2026-11-23 15:00", "2026-11-23 17:00", ASKS),
    ("明天8点到5点", "2026-11-24 08:00", "2026-11-24 17:00", ASKS),
    ("明天上午10点到2点", "2026-11-24 10:00", "2026-11-24 14:00", ASKS),
    ("明天上午9点至下午3点", "2026-11-24 09:00", "2026-11-24 15:00", SURE),
    ("周三9点到11点半", "2026-11-25 09:00", "2026-11-25 11:30", SURE),
    ("十二月三号下午两点到四点", "2026-12-03 14:00", "2026-12-03 16:00", SURE),
    ("明晚10点到凌晨1点", "2026-11-24 22:00", "2026-11-25 01:00", ASKS),
    ("8:00-9:00", "2026-11-24 08:00", "2026-11-24 09:00", ASKS),  # both have passed
    ("9:00-11:00", "2026-11-23 09:00", "2026-11-23 11:00", SURE),  # under way
    ("下周一到周三", "2026-11-30 00:00", "2026-12-02 23:59", SURE),
    ("周五到周三", "2026-11-27 00:00", "2026-12-02 23:59", SURE),
    ("明天到后天", "2026-11-24 00:00", "2026-11-25 23:59", SURE),
    ("12月2日到12月5日", "2026-12-02 00:00", "2026-12-05 23:59", SURE),
    ("12月2-5日", "2026-12-02 00:00", "2026-12-05 23:59", SURE),
    ("12.2-12.5", "2026-12-02 00:00", "2026-12-05 23:59", SURE),
    ("28号到30号", "2026-11-28 00:00", "2026-11-30 23:59", SURE),
    ("12月30日到1月2日", "2026-12-30 00:00", "2027-01-02 23:59", ASKS),
    ("12月2日9点-5日17点", "2026-12-02 09:00", "2026-12-05 17:00", SURE),
]


@pytest.mark.parametrize(("text", "start", "end", "sure"), RANGES)
def test_a_range(text: str, start: str, end: str, sure: bool) -> None:
    reading = only(text)
    assert (reading.kind, reading.start, reading.end, reading.sure) == (Kind.RANGE, local(start), local(end), sure)


# ---------------------------------------------------------------------------------------------- recurrences

WED = date(2026, 11, 25)
RECURRENCES = [
    ("每天7:50", when.Daily(time(7, 50)), ASKS),
    ("每天早上7:50", when.Daily(time(7, 50)), SURE),
    ("每天", when.Daily(time(8)), ASKS),
    ("每周一早上7:50", when.Weekly((0,), time(7, 50)), SURE),
    ("每周一三五", when.Weekly((0, 2, 4), time(8)), ASKS),
    ("每周一、三、五下午4点", when.Weekly((0, 2, 4), time(16)), SURE),
    ("每周三三点二十", when.Weekly((2,), time(15, 20)), ASKS),
    ("每周一到五早上7:50", when.Weekly((0, 1, 2, 3, 4), time(7, 50)), SURE),
    ("每週日晚上8點", when.Weekly((6,), time(20)), SURE),
    ("每个工作日16:40", when.Weekly((0, 1, 2, 3, 4), time(16, 40)), SURE),
    ("周一至周五每天08:10", when.Weekly((0, 1, 2, 3, 4), time(8, 10)), SURE),
    ("双周周三", when.Weekly((2,), time(8), 2, WED), ASKS),
    ("每两周的周三 15:00", when.Weekly((2,), time(15), 2, WED), ASKS),
    ("每周五下班前", when.Weekly((4,), time(17, 30)), SURE),
    ("每月5号", when.Monthly(5, time(8)), ASKS),
    ("每月31号15:00", when.Monthly(31, time(15)), SURE),
    ("每月最后一天18:00", when.Monthly(31, time(18)), SURE),
    ("每月底前", when.Monthly(31, time(23, 59)), ASKS),
    ("每月第一个周五下午三点", when.MonthlyNth(1, 4, time(15)), SURE),
    ("每个月最后一个周五15:00", when.MonthlyNth(-1, 4, time(15)), SURE),
    ("每月最后一个工作日15:00", when.MonthlyLastWorkday(time(15)), SURE),
]


@pytest.mark.parametrize(("text", "rule", "sure"), RECURRENCES)
def test_a_recurrence(text: str, rule: when.Rule, sure: bool) -> None:
    reading = only(text)
    assert (reading.kind, reading.rule, reading.sure) == (Kind.RECURRENCE, rule, sure)
    assert reading.start is None and reading.words == when.describe(rule)


@pytest.mark.parametrize(("_text", "rule", "_sure"), RECURRENCES)
def test_a_rule_survives_the_database(_text: str, rule: when.Rule, _sure: bool) -> None:
    assert when.unpack_rule(when.pack_rule(rule)) == rule


# ---------------------------------------------------------------------------------------------- not a time

TRAPS = [
    "收到", "好的", "开会", "下午好", "早上好", "现在", "三年级二班", "两点建议", "我有两点建议", "提三点要求",
    "他提了三点", "三点，第一是安全", "第三点，注意安全", "周老师", "周一鸣老师", "一等奖", "三楼会议室",
    "第三条", "第三条建议改为两课时", "3人", "12人", "3-5人", "3.5分", "98.5", "12.5公里", "10.5万", "12.2.3",
    "v12.2", "192.168.12.2", "￥12.50", "1/2", "3-5", "30:70", "比分3:15", "13812345678", "3号楼", "28号楼",
    "投3号", "选3号", "我支持3号", "3号选手", "12.25%", "每周三次", "一周三次", "两周一次",
    "三天前", "10分钟前", "12月2日前三天", "每年12月2日", "早一点来",
    "快一点", "一点都不难", "一时没来", "明后天", "三日游", "两小时后勤会", "证明早上来过", "目前天气",
    "2026年", "2-3号楼", "每天都要打卡", "32号", "下周", "15号线",
]  # fmt: skip


@pytest.mark.parametrize("text", TRAPS)
def test_not_a_time(text: str) -> None:
    assert when.find(text, MONDAY) == []
    assert when.read(text, SUNDAY) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2月30日", "2月没有30日"),
        ("2026-02-30", "2月没有30日"),
        ("2月29日", "2027年2月没有29日"),
        ("本月31号", "11月没有31日"),
        ("13月1日", "没有13月"),
        ("25点", "25点"),
        ("明天25:00", "25:00"),
        ("下午三点七十分", "三点七十分"),
        ("上午3点", "上午没有3点"),
        ("12月2日（周四）", "不是周四"),
        ("下周三（12月3日）", "不是同一天"),
        ("16:00-14:00", "结束时间"),
        ("12月5日到12月2日", "结束时间"),
        ("每月5号和20号", "一次只能定每月的一天"),
        ("每月32号", "没有32号"),
        ("单周周三", "单周"),
        ("每天24点", "23:59"),
        ("第12周周三", "还没有设置这学期"),
        ("下周下午三点", "下周"),
        ("周末下午三点", "不止一天"),
        ("改天下午三点", "改天"),
        ("18:70", "18:70"),
        ("本月第五个周五", "没有“第五个周五”"),
        ("清明放假前一天", "还没有公布"),
    ],
)
def test_an_impossible_time_says_why(text: str, reason: str) -> None:
    with pytest.raises(NotUnderstood, match=reason):
        when.find(text, MONDAY)


# ---------------------------------------------------------------------------------------------- in a sentence


def test_a_notice_gives_its_time_and_what_to_cut_out() -> None:
    text = "请各位老师于本周五下午三点半到三楼会议室开会"
    reading = only(text)
    assert text[slice(*reading.span)] == "本周五下午三点半"
    assert reading.words == "11月27日 周五 15:30"


def test_full_width_and_traditional_text_keeps_its_place() -> None:
    text = "😀通知　下週三（１２月２日）下午３點，三樓"
    assert text[slice(*only(text).span)] == "下週三（１２月２日）下午３點"


def test_a_later_hour_belongs_to_the_day_spoken_of() -> None:
    first, second = when.find("周五开会，下午三点签到", MONDAY)
    assert first.kind is Kind.DAY
    assert (second.start, second.sure) == (local("2026-11-27 15:00"), ASKS)


def test_several_days_are_several_readings() -> None:
    found = when.find("周三 周五、12月8日", MONDAY)
    assert [reading.words for reading in found] == ["11月25日 周三", "11月27日 周五", "12月8日 周二"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("下周三下午三点", "12月2日 周三 15:00"),
        ("周五下班前", "11月27日 周五 17:30前"),
        ("下午两点到四点", "11月23日 周一 14:00-16:00"),
        ("下周一到周三", "11月30日 周一 至 12月2日 周三"),
        ("2028年3月1日", "2028年3月1日 周三"),
        ("每月31号15:00", "每月 31 日 15:00（没有 31 日的月份取当月最后一天）"),
        ("每月第一个周五15:00", "每月第一个周五 15:00"),
    ],
)
def test_the_echo(text: str, words: str) -> None:
    assert only(text).words == words


def test_a_time_without_a_zone_is_a_bug() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        when.find("明天", datetime(2026, 11, 23, 10))  # noqa: DTZ001


ALPHABET = (
    "0123456789０３:：.-/~到至年月日号周三一二五十两点半分时下上午晚早明今后前天每双第个最底内的（），"
    " 人建议楼次小期工作截止放学"
)


@settings(max_examples=600, deadline=None)
@given(st.text(st.sampled_from(ALPHABET), max_size=18) | st.text(max_size=12))
def test_whatever_is_typed_the_readings_lie_in_order_or_the_reason_is_given(text: str) -> None:
    try:
        found = when.find(text, MONDAY)
    except NotUnderstood as refusal:
        assert refusal.sentence
        return
    end = 0
    for reading in found:
        assert end <= reading.span[0] < reading.span[1] <= len(text)
        assert (reading.rule is None) != (reading.start is None)
        assert reading.end is None or (reading.start is not None and reading.end > reading.start)
        end = reading.span[1]


# ---------------------------------------------------------------------------------------------- there and back

CHINESE = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]


def in_chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else CHINESE[tens]) + "十" if tens else ""
    return head + (CHINESE[ones] if ones or not tens else "")


DATES = st.dates(MONDAY.date(), MONDAY.date() + timedelta(days=182))
ANY_DATE = st.dates(date(2000, 1, 1), date(2100, 12, 31))
MINUTES = st.integers(0, 24 * 60 - 1)
PHRASES = [
    lambda d: f"{d.month}月{d.day}日",
    lambda d: f"{in_chinese(d.month)}月{in_chinese(d.day)}号",
    lambda d: f"{d:%m-%d}",
    lambda d: f"{d.month}月{d.day}日（{when.write_day(d)[-2:]}）",
    lambda d: when.write_day(d),
    lambda d: f"{(d - MONDAY.date()).days}天后",
]


@given(DATES, st.sampled_from(PHRASES))
def test_a_date_said_is_the_date_read(day: date, phrase) -> None:  # type: ignore[no-untyped-def]
    reading = only(phrase(day))
    assert (reading.kind, reading.start) == (Kind.DAY, datetime.combine(day, time(), SHANGHAI))


@given(ANY_DATE, MINUTES)
def test_what_is_written_can_be_read_back(day: date, minutes: int) -> None:
    at = datetime.combine(day, time(minutes // 60, minutes % 60), SHANGHAI)
    now = MONDAY if day > MONDAY.date() or day.year != MONDAY.year else at - timedelta(days=1)
    reading = only(when.write(at, SHANGHAI, now), now)
    assert (reading.kind, reading.start) == (Kind.POINT, at)


@given(DATES)
def test_weekdays_of_the_coming_weeks(day: date) -> None:
    weeks = (day - MONDAY.date()).days // 7
    if weeks <= 2:
        phrase = "下" * weeks + "周" + "一二三四五六日"[day.weekday()]
        assert only(phrase).start == datetime.combine(day, time(), SHANGHAI)


@given(st.integers(0, 23), st.integers(0, 59), st.booleans())
def test_an_hour_with_its_part_of_the_day(hour: int, minute: int, chinese: bool) -> None:
    part = "凌晨" if hour < 5 else "上午" if hour < 12 else "下午" if hour < 18 else "晚上"
    said = hour if hour <= 12 else hour - 12
    number = in_chinese if chinese else str
    tail = "" if not minute else f"{number(minute)}分"
    reading = only(f"明天{part}{number(said)}点{tail}")
    assert reading.sure
    assert reading.start == datetime(2026, 11, 24, hour, minute, tzinfo=SHANGHAI)


# ---------------------------------------------------------------------------------------------- writing


def test_the_year_is_written_where_it_does_not_go_without_saying() -> None:
    times = ("2026-12-02 15:00", "2027-01-08 09:05", "2028-01-08 09:05")
    written = [when.write(local(at), SHANGHAI, MONDAY) for at in times]
    assert written == ["12月2日 周三 15:00", "1月8日 周五 09:05", "2028年1月8日 周六 09:05"]
    assert when.write(local("2025-12-31 15:00"), SHANGHAI, local("2026-01-02 10:00")).startswith("2025年")


def test_a_time_is_written_in_the_schools_zone() -> None:
    assert when.write(datetime(2026, 12, 2, 17, 30, tzinfo=UTC), SHANGHAI) == "12月3日 周四 01:30"
    assert when.local_date(datetime(2026, 12, 2, 17, 30, tzinfo=UTC), SHANGHAI) == date(2026, 12, 3)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (12000, "3 小时 20 分钟"),
        (timedelta(days=2, hours=3, minutes=9), "2 天 3 小时"),
        (timedelta(days=2, minutes=9), "2 天"),
        (59, "59 秒"),
        (90, "1 分钟 30 秒"),
        (0, "0 秒"),
        (timedelta(minutes=-5), "5 分钟"),
    ],
)
def test_a_span_in_words(span: timedelta | float, words: str) -> None:
    assert when.write_span(span) == words


# ---------------------------------------------------------------------------------------------- rules and months


def months(first: int, last: int) -> list[tuple[int, int]]:
    return [(year, month) for year in range(first, last + 1) for month in range(1, 13)]


def pages(year: int, month: int) -> list[date]:
    """The days of one month, off a wall calendar: another road than the code under test takes."""
    return [day for day in Pages().itermonthdates(year, month) if day.month == month]


def oracle(rule: when.Rule) -> list[date]:
    found: list[date] = []
    for year, month in months(2024, 2032):
        days = pages(year, month)
        match rule:
            case when.Monthly(day, _at, when.Beyond.CLAMP):
                found.append(days[day - 1] if day <= len(days) else days[-1])
            case when.Monthly(day, _at, when.Beyond.SKIP):
                found += [days[day - 1]] if day <= len(days) else []
            case when.MonthlyNth(nth, weekday):
                same = [day for day in days if day.weekday() == weekday]
                found += [same[nth if nth < 0 else nth - 1]] if nth <= len(same) else []
            case when.MonthlyLastWorkday():
                found.append([day for day in days if day.isoweekday() <= 5][-1])
    return found


def occurrences(rule: when.Rule, after: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    found: list[datetime] = []
    at = when.next_after(rule, after, zone)
    while at.astimezone(UTC) < until.astimezone(UTC):
        found.append(at)
        at = when.next_after(rule, at, zone)
    return found


EIGHT = time(8)
MONTHLIES = (
    [when.Monthly(day, EIGHT, beyond) for day in (1, 15, 28, 29, 30, 31) for beyond in when.Beyond]
    + [when.MonthlyNth(nth, weekday, EIGHT) for nth in (1, 2, 5, -1) for weekday in (0, 4, 6)]
    + [when.MonthlyLastWorkday(EIGHT)]
)


@pytest.mark.parametrize("rule", MONTHLIES, ids=when.pack_rule)
def test_months_2024_to_2032_against_a_wall_calendar(rule: when.Rule) -> None:
    start, end = local("2024-01-01 00:00"), local("2033-01-01 00:00")
    assert [at.date() for at in occurrences(rule, start, end, SHANGHAI)] == oracle(rule)


def test_the_last_workday_asks_the_schools_calendar() -> None:
    closed = {date(2026, 11, 30), date(2026, 11, 27)}
    rule = when.MonthlyLastWorkday(EIGHT)
    at = when.next_after(rule, MONDAY, SHANGHAI, lambda day: day.weekday() < 5 and day not in closed)
    assert at == local("2026-11-26 08:00")


def test_fortnights_are_counted_from_their_anchor() -> None:
    rule = when.Weekly((2, 4), EIGHT, 2, date(2026, 12, 31))
    days = [at.date().isoformat() for at in occurrences(rule, MONDAY, local("2027-02-01 00:00"), SHANGHAI)]
    assert days == ["2026-12-30", "2027-01-01", "2027-01-13", "2027-01-15", "2027-01-27", "2027-01-29"]


def test_no_fortnight_comes_before_its_anchor() -> None:
    rule = when.Weekly((2,), EIGHT, 2, WED)
    assert falls_on(rule, WED) and falls_on(rule, WED + timedelta(days=14))
    assert not falls_on(rule, WED - timedelta(days=14)) and not falls_on(rule, WED + timedelta(days=7))


def test_strictly_after() -> None:
    rule = when.Weekly((0,), time(10))
    assert when.next_after(rule, MONDAY, SHANGHAI) == local("2026-11-30 10:00")
    assert when.next_after(rule, MONDAY - timedelta(seconds=1), SHANGHAI) == MONDAY


@given(
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.times(timezones=st.none()).map(lambda at: at.replace(second=0, microsecond=0, fold=0)),
    st.integers(1, 6),
    ANY_DATE,
)
def test_weekly_rules_pack_and_stay_on_their_days(days: tuple[int, ...], at: time, every: int, anchor: date) -> None:
    rule = when.Weekly(days, at, every, anchor)
    assert when.unpack_rule(when.pack_rule(rule)) == rule
    coming = when.next_after(rule, datetime.combine(anchor, time(), SHANGHAI) - timedelta(days=30), SHANGHAI)
    monday = anchor - timedelta(days=anchor.weekday())
    assert (coming.weekday(), coming.time()) == (min(days), at)
    assert monday <= coming.date() < monday + timedelta(days=7)


BROKEN = ["", "daily", "daily 25:00", "weekly 7 08:00", "weekly 0 08:00 2 x", "monthly 0 08:00 clamp", "yearly 1"]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_row_is_never_read_as_some_rule(text: str) -> None:
    with pytest.raises(ValueError):
        when.unpack_rule(text)


# ---------------------------------------------------------------------------------------------- clocks that jump

JUMPS = [
    ("Asia/Shanghai", 1986, 1991),
    ("America/Sao_Paulo", 2015, 2019),  # at midnight
    ("Europe/Berlin", 2024, 2026),
    ("America/New_York", 2025, 2026),
    ("Australia/Lord_Howe", 2025, 2026),  # half an hour
    ("Africa/Cairo", 2023, 2025),
    ("Asia/Kathmandu", 1985, 1986),  # for good, by a quarter of an hour
]
WALLS = [time(0, 0), time(0, 30), time(1, 30), time(2, 0), time(2, 30), time(3, 30), time(23, 30)]


@pytest.mark.parametrize("wall", WALLS, ids=str)
@pytest.mark.parametrize(("name", "first", "last"), JUMPS)
def test_once_a_day_whatever_the_clocks_do(name: str, first: int, last: int, wall: time) -> None:
    zone = ZoneInfo(name)
    start, end = datetime(first, 1, 1, tzinfo=zone), datetime(last + 1, 1, 1, tzinfo=zone)
    found = occurrences(when.Daily(wall), start - timedelta(minutes=1), end, zone)
    days = (end.date() - start.date()).days
    assert len(found) == days == len({at.date() for at in found})
    for at in found:
        back = at.astimezone(UTC).astimezone(zone)
        assert (back.replace(tzinfo=None), back.fold) == (at.replace(tzinfo=None), at.fold)  # a time that exists
        if at.time() != wall:
            assert is_skipped(at.date(), wall, zone) and at.time() > wall
        assert not at.fold or at.time() != wall  # of two the first


def is_skipped(day: date, wall: time, zone: ZoneInfo) -> bool:
    naive = datetime.combine(day, wall)
    both = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return all(at.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive for at in both)


def test_the_sweep_meets_gaps_and_folds() -> None:
    """The sweep above would prove nothing on zones that stand still."""
    shanghai, sao_paulo = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Sao_Paulo")
    gap = when.next_after(when.Daily(time(2, 30)), datetime(1986, 5, 4, 0, 0, tzinfo=shanghai), shanghai)
    assert gap.isoformat() == "1986-05-04T03:30:00+09:00"
    fold = when.next_after(when.Daily(time(1, 30)), datetime(1986, 9, 14, 0, 0, tzinfo=shanghai), shanghai)
    assert fold.isoformat() == "1986-09-14T01:30:00+09:00"
    second = datetime(1986, 9, 14, 1, 10, tzinfo=shanghai, fold=1)
    assert when.next_after(when.Daily(time(1, 30)), second, shanghai).date() == date(1986, 9, 15)
    midnight = when.next_after(when.Daily(time(0)), datetime(2018, 11, 3, 12, tzinfo=sao_paulo), sao_paulo)
    assert midnight.isoformat() == "2018-11-04T01:00:00-02:00"


def test_a_day_the_island_skipped_fires_on_the_next() -> None:
    """Samoa had no 2011-12-30: its occurrence moves into the 31st and is still found from within the 31st."""
    apia = ZoneInfo("Pacific/Apia")
    after = datetime(2011, 12, 31, 0, 10, tzinfo=apia)
    at = when.next_after(when.Monthly(30, time(8)), after, apia)
    assert at.isoformat() == "2011-12-31T08:00:00+14:00"


def test_a_day_is_read_where_midnight_does_not_exist() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    reading = when.read("明天", datetime(2018, 11, 3, 12, tzinfo=zone), when.SchoolHours(zone=zone))
    assert reading is not None and reading.start is not None
    assert reading.start.isoformat() == "2018-11-04T01:00:00-02:00"


# ---------------------------------------------------------------------------------------------- off the hour, and quiet


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.text(max_size=20))  # noqa: DTZ001
def test_nothing_fires_on_the_hour_or_the_half(naive: datetime, key: str) -> None:
    sharp = naive.replace(minute=naive.minute // 30 * 30, second=0, microsecond=0, tzinfo=SHANGHAI)
    moved = when.off_the_hour(sharp, key)
    assert timedelta(seconds=60) <= sharp - moved < timedelta(seconds=180)
    assert moved == when.off_the_hour(sharp, key) == when.off_the_hour(moved, key)


def test_other_instants_stay_where_they_are() -> None:
    for text in ("2026-12-02 15:00:01", "2026-12-02 15:29:59", "2026-12-02 15:31:00", "2026-12-02 07:50:00"):
        assert when.off_the_hour(local(text), "notice:7") == local(text)


def test_keys_spread_and_every_process_agrees() -> None:
    sharp = local("2026-12-02 15:00")
    here = [(sharp - when.off_the_hour(sharp, f"notice:{n}")).seconds for n in range(200)]
    assert len(set(here)) > 60
    code = (
        "from datetime import datetime, UTC; from bot.kit.when import off_the_hour\n"
        "a = datetime(2026, 12, 2, 7, tzinfo=UTC)\n"
        "print([(a - off_the_hour(a, f'notice:{n}')).seconds for n in range(200)])"
    )
    seed = {"PYTHONHASHSEED": "7"}
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=seed)
    assert there.stdout.strip() == str(here)


NIGHT = when.QuietHours()


@pytest.mark.parametrize(
    ("at", "morning"),
    [
        ("2026-11-23 21:00:00", "2026-11-24"),
        ("2026-11-23 23:59:59", "2026-11-24"),
        ("2026-11-24 00:00:00", "2026-11-24"),
        ("2026-11-24 06:59:59", "2026-11-24"),
    ],
)
def test_the_night_waits_for_the_morning(at: str, morning: str) -> None:
    allowed = NIGHT.next_allowed(local(at), SHANGHAI)
    assert local(f"{morning} 07:01:00") <= allowed <= local(f"{morning} 07:05:00")


@pytest.mark.parametrize("at", ["2026-11-24 07:00:00", "2026-11-24 12:30:00", "2026-11-24 20:59:59"])
def test_the_day_is_not_touched(at: str) -> None:
    assert NIGHT.next_allowed(local(at), SHANGHAI) == local(at)


def test_quiet_hours_may_lie_within_a_day_or_not_be_at_all() -> None:
    nap = when.QuietHours(time(12), time(14))
    allowed = nap.next_allowed(local("2026-11-24 13:00"), SHANGHAI)
    assert local("2026-11-24 14:01") <= allowed <= local("2026-11-24 14:05")
    assert when.QuietHours(time(0), time(0)).next_allowed(MONDAY, SHANGHAI) == MONDAY


def test_the_night_keeps_its_order() -> None:
    night = ("2026-11-23 21:10", "2026-11-23 23:00", "2026-11-24 02:00", "2026-11-24 06:30")
    morning = [NIGHT.next_allowed(local(at), SHANGHAI) for at in night]
    assert morning == sorted(set(morning))


def test_an_end_that_comes_twice_is_waited_for_again() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    at = datetime(2026, 10, 25, 2, 20, tzinfo=berlin, fold=1)  # 02:30 has been once already
    allowed = when.QuietHours(time(22), time(2, 30)).next_allowed(at, berlin)
    assert timedelta(minutes=11) <= allowed.astimezone(UTC) - at.astimezone(UTC) <= timedelta(minutes=15)


ZONES = st.sampled_from(["Asia/Shanghai", "America/Sao_Paulo", "Europe/Berlin", "Australia/Lord_Howe"]).map(ZoneInfo)
CLOCK_TIMES = st.integers(0, 24 * 60 - 1).map(lambda minutes: time(minutes // 60, minutes % 60))


@settings(max_examples=400, deadline=None)
@given(st.datetimes(datetime(2016, 1, 1), datetime(2027, 1, 1)), CLOCK_TIMES, CLOCK_TIMES, ZONES)  # noqa: DTZ001
def test_quiet_hours_delay_but_keep_the_order(naive: datetime, start: time, end: time, zone: ZoneInfo) -> None:
    quiet, at = when.QuietHours(start, end), naive.replace(tzinfo=UTC)
    allowed, later = (quiet.next_allowed(moment, zone) for moment in (at, at + timedelta(seconds=30)))
    assert at <= allowed <= at + timedelta(hours=25, minutes=5)
    if allowed != at:
        assert (allowed.minute % 30, allowed.second) != (0, 0)
    if quiet.covers((at + timedelta(seconds=30)).astimezone(zone).time()):
        assert allowed <= later + timedelta(seconds=1)

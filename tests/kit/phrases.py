"""Times put into words at random, each with what it must be read as: for the property test and for the figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from bot.kit import when
from tests.kit.times import ZONE

WEEKDAYS = "一二三四五六日"
_DIGITS = "零一二三四五六七八九"
_WIDE = str.maketrans("0123456789:()", "０１２３４５６７８９：（）")
_TRADITIONAL = str.maketrans("点号周后两个时间学课前", "點號週後兩個時間學課前")


@dataclass(frozen=True, slots=True)
class Said:
    """``expected`` as in the table of times, without the question mark: how sure a reading may be is its own affair."""

    text: str
    expected: str


def chinese(number: int) -> str:
    """1-99 as it is said: 十二, 二十, 三十一."""
    tens, ones = divmod(number, 10)
    head = ("" if tens == 1 else _DIGITS[tens]) + "十" if tens else ""
    return head + (_DIGITS[ones] if ones or not tens else "")


def some_time(dice: Random, now: datetime) -> Said:
    """A phrase said at ``now`` about a time within half a year from it."""
    made = dice.choice((_point, _point, _day, _deadline, _deadline, _range, _days, _weekly, _monthly))(dice, now)
    text = dice.choice(_DRESSES)(made.text)
    before, after = dice.choice(_AROUND)
    return Said(before + text + after, made.expected)


# ---------------------------------------------------------------------------------------------- what is said


def _point(dice: Random, now: datetime) -> Said:
    day, text = _some_day(dice, now)
    minutes, hour = _some_hour(dice)
    return Said(_then(dice, text, hour), _written(day, minutes))


def _day(dice: Random, now: datetime) -> Said:
    day, text = _some_day(dice, now)
    return Said(text, f"{day}")


def _deadline(dice: Random, now: datetime) -> Said:
    day, text = _some_day(dice, now)
    before = dice.choice(("前", "之前", "以前"))
    how = dice.randrange(4)
    if how == 0:
        return Said(text + before, f"<{_written(day, 23 * 60 + 59)}")
    if how == 1:
        return Said(dice.choice(("最晚", "截止", "不晚于")) + text, f"<{_written(day, 23 * 60 + 59)}")
    if how == 2:
        word, minutes = dice.choice((("下班", 17 * 60 + 30), ("放学", 16 * 60 + 30)))
        return Said(text + word + before, f"<{_written(day, minutes)}")
    minutes, hour = _some_hour(dice)
    return Said(_then(dice, text, hour) + before, f"<{_written(day, minutes)}")


def _range(dice: Random, now: datetime) -> Said:
    day, text = _some_day(dice, now)
    start = dice.randrange(8 * 60, 16 * 60, 5)
    last = start + dice.randrange(20, 180, 5)
    to = dice.choice(("到", "至", "-", "~"))
    hours = _hour(dice, start) + to + _hour(dice, last)
    return Said(_then(dice, text, hours), f"{_written(day, start)} -> {_written(day, last)}")


def _days(dice: Random, now: datetime) -> Said:
    first = now.date() + timedelta(days=dice.randrange(1, 150))
    last = first + timedelta(days=dice.randrange(1, 20))
    expected = f"{_written(first, 0)} -> {_written(last, 23 * 60 + 59)}"
    to = dice.choice(("到", "至"))
    if first.month == last.month and dice.random() < 0.5:
        return Said(f"{first.month}月{first.day}日{to}{last.day}日", expected)
    return Said(f"{_date(dice, first)}{to}{_date(dice, last)}", expected)


def _weekly(dice: Random, now: datetime) -> Said:
    days = sorted(dice.sample(range(7), dice.randrange(1, 4)))
    minutes, hour = _some_hour(dice)
    signs = dice.choice(("", "、")).join(WEEKDAYS[day] for day in days)
    rule = when.Weekly(tuple(days), time(minutes // 60, minutes % 60))
    return Said(dice.choice(("每周", "每个星期", "每星期")) + signs + hour, when.pack_rule(rule))


def _monthly(dice: Random, now: datetime) -> Said:
    minutes, hour = _some_hour(dice)
    at = time(minutes // 60, minutes % 60)
    month, nth, weekday = dice.choice(("每月", "每个月")), dice.randrange(1, 5), dice.randrange(7)
    if dice.random() < 0.4:
        day = dice.randrange(1, 32)
        return Said(f"{month}{day}{dice.choice('日号')}{hour}", when.pack_rule(when.Monthly(day, at)))
    if dice.random() < 0.5:
        rule: when.Rule = when.MonthlyNth(nth, weekday, at)
        return Said(f"{month}第{_DIGITS[nth]}个周{WEEKDAYS[weekday]}{hour}", when.pack_rule(rule))
    if dice.random() < 0.5:
        rule = when.MonthlyNth(-1, weekday, at)
        return Said(f"{month}最后一个周{WEEKDAYS[weekday]}{hour}", when.pack_rule(rule))
    return Said(f"{month}最后一个工作日{hour}", when.pack_rule(when.MonthlyLastWorkday(at)))


# ---------------------------------------------------------------------------------------------- days and hours


def _some_day(dice: Random, now: datetime) -> tuple[date, str]:
    today = now.date()
    if dice.random() < 0.35:
        ahead = dice.randrange(1, 4)
        return today + timedelta(days=ahead), dice.choice(_NEAR[ahead])
    if dice.random() < 0.5:
        weeks, weekday = dice.randrange(1, 3), dice.randrange(7)
        monday = today - timedelta(days=today.weekday())
        name = dice.choice(("周", "星期", "礼拜"))
        return monday + timedelta(days=7 * weeks + weekday), "下" * weeks + name + WEEKDAYS[weekday]
    day = today + timedelta(days=dice.randrange(1, 180))
    return day, _date(dice, day)


_NEAR = {1: ("明天", "明日", "明儿"), 2: ("后天", "后儿"), 3: ("大后天", "三天后", "3天之后")}


def _date(dice: Random, day: date) -> str:
    weekday = WEEKDAYS[day.weekday()]
    return dice.choice(
        (
            f"{day.month}月{day.day}日",
            f"{day.month}月{day.day}号",
            f"{chinese(day.month)}月{chinese(day.day)}日",
            f"{day.month}月{day.day}日(周{weekday})",
            f"{day.month}月{day.day}日 星期{weekday}",
            f"{day:%Y-%m-%d}",
            f"{day.year}年{day.month}月{day.day}日",
        )
    )


def _some_hour(dice: Random) -> tuple[int, str]:
    minutes = dice.randrange(7 * 60, 22 * 60, 5)
    return minutes, _hour(dice, minutes)


def _hour(dice: Random, minutes: int) -> str:
    hour, minute = divmod(minutes, 60)
    if dice.random() < 0.3:
        return f"{hour:02}:{minute:02}"
    part = "上午" if hour < 12 else "中午" if hour == 12 else "下午" if hour < 18 else "晚上"
    spoken = hour if hour <= 12 else hour - 12
    write: Callable[[int], str] = dice.choice((str, chinese))
    said = "两" if spoken == 2 and write is chinese else write(spoken)
    if minute == 0:
        return f"{part}{said}{dice.choice(('点', '点钟', '点整'))}"
    if minute == 30 and dice.random() < 0.7:
        return f"{part}{said}点半"
    if minute in (15, 45) and dice.random() < 0.5:
        return f"{part}{said}点{'一' if minute == 15 else '三'}刻"
    if minute == 55 and dice.random() < 0.5:
        return f"{part}差五分{write(spoken % 12 + 1)}点" if hour not in (11, 12, 17) else f"{part}{said}点55分"
    return f"{part}{said}点{write(minute)}分" if minute > 9 else f"{part}{said}点零{write(minute)}分"


def _then(dice: Random, day: str, hour: str) -> str:
    """Nobody writes 2026-12-0215:00."""
    gap = " " if day[-1].isdigit() and hour[0].isdigit() else dice.choice(("", "", " "))
    return day + gap + hour


def _written(day: date, minutes: int) -> str:
    return f"{datetime.combine(day, time(minutes // 60, minutes % 60), ZONE):%Y-%m-%d %H:%M}"


# ---------------------------------------------------------------------------------------------- how it is typed

_DRESSES: tuple[Callable[[str], str], ...] = (
    str,
    str,
    str,
    lambda text: text.translate(_WIDE),
    lambda text: text.translate(_TRADITIONAL),
)
_AROUND = (
    ("", ""),
    ("", "，三楼会议室"),
    ("请各位老师于", "，到报告厅开会"),
    ("通知：", "。收到请回复"),
    ("教研组长会议 ", " 二楼"),
    ("各年级组：", "，不要迟到"),
)

"""The calendar of a teacher, read by a second reader: the right local time, nobody's name, corrections counted."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kit.context import View
from handlers.meetings import ics, links
from handlers.meetings.feature import feature
from handlers.notices.feature import feature as notices
from storage import meetings
from tests.handlers.conftest import OpenOffice
from tests.ics import Event, events, parsed
from tests.office import Office

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
WORDS = st.text(st.characters(codec="utf-8"), max_size=200)


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    office = open_office(notices, feature, staff=8)
    office["办公室"].says("发通知 周五下午三点半到五点 三楼会议室 教学例会").confirms()
    return office


def link(office: Office, person: int = 3) -> str:
    return office.write(lambda db: meetings.new_link(db, person, office.time()))


def feed(office: Office, secret: str) -> bytes | None:
    with office.reading() as db:
        found = links.feed(View(db, office.time(), office.running.school), secret)
    return found.encode() if found is not None else None


def seen(office: Office, secret: str) -> list[Event]:
    content = feed(office, secret)
    assert content is not None
    return events(content)


# --- what is in it --------------------------------------------------------------------------------------------


def test_a_meeting_stands_at_the_schools_own_time(office: Office) -> None:
    (one,) = seen(office, link(office))
    assert one.starts == datetime(2026, 11, 27, 15, 30, tzinfo=SHANGHAI)
    assert one.ends == datetime(2026, 11, 27, 17, 0, tzinfo=SHANGHAI)
    assert (one.summary, one.place, one.status, one.sequence) == ("教学例会", "三楼会议室", "CONFIRMED", 0)


def test_a_correction_raises_the_sequence_and_a_cancellation_says_so(office: Office) -> None:
    secret = link(office)
    (before,) = seen(office, secret)
    office["办公室"].says("更正通知 时间改到周五下午四点").taps("确认更正")
    (moved,) = seen(office, secret)
    assert moved.uid == before.uid and moved.sequence == 1
    assert moved.starts == datetime(2026, 11, 27, 16, 0, tzinfo=SHANGHAI)
    office["办公室"].says("取消通知").taps("确认取消")
    (gone,) = seen(office, secret)
    assert (gone.uid, gone.sequence, gone.status) == (before.uid, 2, "CANCELLED")


def test_nobodys_name_answer_or_reason_leaves_the_house(office: Office) -> None:
    office["王老师"].taps("请假", reason="看病")
    content = feed(office, link(office))
    assert content is not None
    text = content.decode().replace("\r\n ", "")
    assert not any(word in text for word in ("王老师", "张老师", "办公室", "请假", "看病", "应到"))


def test_what_is_a_draft_or_waits_for_the_morning_is_not_in_it(office: Office) -> None:
    office["办公室"].says("发通知 周四下午四点 报告厅 期中质量分析")
    assert len(seen(office, link(office))) == 1
    office.later(to="今天 22:00")
    office["办公室"].confirms()
    assert len(seen(office, link(office))) == 1
    office.later(to="明天 07:30")
    assert len(seen(office, link(office))) == 2


# --- whose it is ----------------------------------------------------------------------------------------------


def test_a_new_link_voids_the_old_and_a_revoked_one_opens_nothing(office: Office) -> None:
    first, second = link(office), link(office)
    assert feed(office, first) is None and feed(office, second) is not None
    office["王老师"].says("日历 停用")
    assert "已停用" in office["王老师"].last
    assert feed(office, second) is None
    office["王老师"].says("日历停用")
    assert "没有在用的" in office["王老师"].last


def test_who_left_the_school_has_no_calendar_any_more(office: Office) -> None:
    from storage import people

    secret = link(office)
    office.write(lambda db: people.change(db, 3, active=False))
    assert feed(office, secret) is None


def test_the_secret_itself_is_kept_nowhere(office: Office) -> None:
    secret = link(office)
    rows = office.ask(lambda db: db.all(meetings.links.select()))
    assert len(secret) == 32 and not any(secret in str(row) for row in rows)


def test_a_school_with_pages_sends_the_link_in_private(office: Office) -> None:
    office.running.pipeline.school = replace(office.running.school, site="https://bot.school.example")
    office["王老师"].says("日历").taps("日历文件")
    assert len(office["王老师"].documents) == 2
    office["王老师"].says("日历 链接")
    sent = next(text for text in reversed(office["王老师"].inbox) if "https://" in text)
    secret = sent.rpartition("/calendar/")[2].removesuffix(".ics")
    assert "https://bot.school.example/calendar/" in sent and feed(office, secret) is not None
    assert "https://" not in office.board


# --- the form -------------------------------------------------------------------------------------------------


@given(WORDS, WORDS, WORDS, st.booleans())
def test_whatever_the_words_the_file_is_a_calendar(summary: str, place: str, note: str, cancelled: bool) -> None:
    event = ics.Event("u@x", 3, NOW, NOW, None, summary, place, note, cancelled)
    (read,) = events(ics.calendar(summary, [event], SHANGHAI).encode())
    assert read.place == kept(place) and read.note == kept(note)
    assert read.summary.endswith(kept(summary)) and read.starts == NOW


def kept(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in text if sign == "\n" or (sign >= " " and sign != "\x7f"))


def test_where_the_clocks_change_times_are_written_in_utc() -> None:
    event = ics.Event("u@x", 0, NOW, NOW, NOW, "例会", "", "")
    (read,) = events(ics.calendar("x", [event], ZoneInfo("Europe/Berlin")).encode())
    assert read.starts == NOW and not [p for p in parsed(ics.calendar("x", [event], SHANGHAI).encode()).parts[1:-1]]


def test_the_reader_refuses_what_is_wrong(tmp_path: Path) -> None:
    good = ics.calendar("例会" * 30, [ics.Event("u@x", 0, NOW, NOW, None, "教,学;例\\会", "", "")], SHANGHAI).encode()
    assert events(good)[0].summary == "教,学;例\\会"
    bad = (
        good.replace(b"\r\n", b"\n"),
        good.replace(b"\r\n ", b""),
        good.replace(b"\\,", b","),
        good.replace(b"END:VEVENT\r\n", b""),
        good.replace(b"\\\\", b"\\x"),
        good[:-2],
    )
    for one, number in zip(bad, itertools.count(), strict=False):
        assert one != good
        with pytest.raises((AssertionError, KeyError, UnicodeDecodeError)):
            events(one)
            print(number)

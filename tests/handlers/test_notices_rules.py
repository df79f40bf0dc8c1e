"""The rules of notices in tables: what a sentence says, who is reminded when, who is counted, what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kit import when
from bot.kit.calendar import Calendar, Day
from bot.kit.card import Button, Card, Facts, Line, People, Table, Tally
from bot.kit.context import School
from bot.kit.errors import Refused
from handlers.notices import cards, rules
from handlers.notices.rules import Answer, Count
from handlers.notices.sentence import PLACE, TOPIC, glean
from storage.corrections import Change
from storage.notices import CANCELLED, CLOSED, DRAFT, DROPPED, OPEN, Notice
from storage.rsvps import Given
from tests.office import MONDAY, ZONE

QUIET = ["稍后", "今天别提醒", "本周别再提醒"]
SCHOOL = School("红烛中学", when.SchoolHours(zone=ZONE), when.QuietHours(), Calendar())
NOW = MONDAY.astimezone(UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


def notice(**facts: object) -> Notice:
    starts = local("11-27T15:30")
    plain = Notice(1, OPEN, date(2026, 11, 23), 1, "教学例会", "三楼会议室", starts, None, True, None, 2, NOW, NOW)
    return replace(plain, **facts)  # type: ignore[arg-type]


def answers(*pairs: tuple[int, str]) -> dict[int, Given]:
    return {person: Given(person, answer, "", NOW) for person, answer in pairs}


# --- the sentence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "topic", "place", "starts"),
    [
        ("周五下午三点半 三楼会议室 教学例会", "教学例会", "三楼会议室", "11-27T15:30"),
        ("教学例会 周五下午三点半 报告厅", "教学例会", "报告厅", "11-27T15:30"),
        ("周五下午三点半三楼会议室教学例会", "教学例会", "三楼会议室", "11-27T15:30"),
        ("周五下午3:30在三楼会议室开教学例会", "教学例会", "三楼会议室", "11-27T15:30"),
        ("时间：周五下午三点半\n地点：三楼会议室\n主题：教学例会", "教学例会", "三楼会议室", "11-27T15:30"),
        ("周五 15:30 腾讯会议 123-456-789 期中分析", "期中分析", "腾讯会议 123-456-789", "11-27T15:30"),
        ("下周一上午九点 操场 升旗仪式", "升旗仪式", "操场", "11-30T09:00"),
        ("周五下午三点 办公室主任会议", "办公室主任会议", "", "11-27T15:00"),
        ("周五下午三点 教室文化建设研讨会", "教室文化建设研讨会", "", "11-27T15:00"),
        ("周五下午三点 线上教学研讨会", "线上教学研讨会", "", "11-27T15:00"),
        ("周五下午三点 高效课堂研讨 录播教室", "高效课堂研讨", "录播教室", "11-27T15:00"),
        ("周五下午三点 三楼会议室（一） 党员大会", "党员大会", "三楼会议室(一)", "11-27T15:00"),
        ("周五下午三点 行政楼301 开学工作会", "开学工作会", "行政楼301", "11-27T15:00"),
        (
            "各位老师：定于11月27日（周五）下午3:30在三楼会议室召开教学例会，请准时参加。",
            "教学例会",
            "三楼会议室",
            "11-27T15:30",
        ),
        ("周五下午三点 报告厅 例会，带上听课本，数学组参加", "例会", "报告厅", "11-27T15:00"),
        ("教学例会", "教学例会", "", None),
        ("三楼会议室", "", "三楼会议室", None),
        ("周五下午三点半", "", "", "11-27T15:30"),
        ("", "", "", None),
    ],
)
def test_a_sentence_says(text: str, topic: str, place: str, starts: str | None) -> None:
    found = glean(text, MONDAY, SCHOOL)
    assert (found.topic, found.place) == (topic, place)
    assert (found.slot.starts if found.slot else None) == (local(starts) if starts else None)
    assert found.trouble == "" and (found.slot is None or found.slot.sure)


@pytest.mark.parametrize(
    ("text", "deadline"),
    [
        ("周五下午三点 报告厅 总结会，周四前回复", "11-26T23:59"),
        ("周五下午三点 报告厅 总结会，回复截止周四下班前", "11-26T17:30"),
        ("周五下午三点 报告厅 总结会，请于周四下班前回复", "11-26T17:30"),
        ("周五下午三点 报告厅 总结会，回执截止周四", "11-26T23:59"),
        ("周五下午三点 报告厅 总结会，周四中午十二点前报名", "11-26T12:00"),
        ("周五下午三点 报告厅 总结会", None),
        ("周五下午三点 报告厅 总结会，下周一前回复", None),
        ("周五下午三点 报告厅 总结会，带上月底前的计划", None),
    ],
)
def test_until_when_answers_count(text: str, deadline: str | None) -> None:
    found = glean(text, MONDAY, SCHOOL)
    assert found.deadline == (local(deadline) if deadline else None)
    assert found.slot is not None and found.slot.starts == local("11-27T15:00")
    assert found.topic.startswith("总结会") and "回复" not in found.topic


@pytest.mark.parametrize(
    ("text", "topic", "circles", "bring"),
    [
        (
            "周五下午三点半三楼会议室教学例会，带上听课本，数学组和语文组参加，周四前回复",
            "教学例会",
            ["数学组", "语文组"],
            "听课本",
        ),
        (
            "周五下午三点半 三楼会议室 教学例会 请带笔和本子 数学组、语文组参加",
            "教学例会",
            ["数学组", "语文组"],
            "笔和本子",
        ),
        ("周五下午三点半 报告厅 师德培训，全体教职工参加", "师德培训", ["全体教职工"], ""),
        ("周五下午三点半 报告厅 党员大会，参会人员：党员", "党员大会", ["党员"], ""),
        ("周五下午三点半 报告厅 班主任会，班主任参加", "班主任会", ["班主任"], ""),
        ("周五下午三点半 报告厅 带教老师会议", "带教老师会议", [], ""),
        ("周五下午三点半 报告厅 带头人评选会", "带头人评选会", [], ""),
        ("周五下午三点半 报告厅 教学例会，请准时参加", "教学例会", [], ""),
        ("周五下午三点半 报告厅 教学例会，请大家准时参加", "教学例会", ["大家"], ""),
        ("周五下午三点半 报告厅 教学例会，自带水杯", "教学例会", [], "水杯"),
    ],
)
def test_who_is_asked_and_what_to_bring(text: str, topic: str, circles: list[str], bring: str) -> None:
    found = glean(text, NOW, SCHOOL)
    assert (found.topic, list(found.circles), found.bring) == (topic, circles, bring)


def test_everybody_in_the_group_is_called_only_when_it_is_said() -> None:
    assert glean("@所有人 周五下午三点半 报告厅 教学例会", NOW, SCHOOL).loud
    assert glean("@所有人 周五下午三点半 报告厅 教学例会", NOW, SCHOOL).topic == "教学例会"
    assert not glean("周五下午三点半 报告厅 教学例会 全体教职工参加", NOW, SCHOOL).loud


def test_from_when_to_when() -> None:
    slot = glean("周五下午两点到四点 报告厅 新课标培训", MONDAY, SCHOOL).slot
    assert slot is not None and (slot.starts, slot.ends) == (local("11-27T14:00"), local("11-27T16:00"))


@pytest.mark.parametrize("text", ["三点半 会议室 开会", "11月28日 三点 报告厅 家长会"])
def test_what_was_assumed_is_not_sure(text: str) -> None:
    slot = glean(text, MONDAY, SCHOOL).slot
    assert slot is not None and not slot.sure


@pytest.mark.parametrize("text", ["每周五下午三点 例会", "2月30日下午三点 总结会", "11月31日 总结会"])
def test_what_cannot_be_announced_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        glean(text, MONDAY, SCHOOL)


@given(st.text(max_size=300))
def test_any_sentence_at_all_is_read_or_refused(text: str) -> None:
    try:
        found = glean(text, MONDAY, SCHOOL)
    except Refused:
        return
    assert len(found.topic) <= TOPIC and len(found.place) <= PLACE
    assert "\0" not in found.topic + found.place and "\u202e" not in found.topic + found.place


# --- who may answer -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "at", "refusal"),
    [
        ({}, "11-27T15:29", None),
        ({}, "11-27T15:30", "已经开始"),
        ({"state": CLOSED}, "11-27T12:00", "已经开始"),
        ({"state": CANCELLED}, "11-24T12:00", "已经取消"),
        ({"state": DRAFT}, "11-24T12:00", "还没有发出"),
        ({"state": DROPPED}, "11-24T12:00", "还没有发出"),
        ({"deadline": local("11-26T12:00")}, "11-26T11:59", None),
        ({"deadline": local("11-26T12:00")}, "11-26T12:00", "11月26日 周四 12:00 截止"),
        ({"deadline": local("11-30T12:00")}, "11-27T15:29", None),
        ({"deadline": local("11-30T12:00")}, "11-27T15:30", "已经开始"),
    ],
)
def test_until_when_an_answer_counts(facts: dict[str, object], at: str, refusal: str | None) -> None:
    if refusal is None:
        assert rules.check_open(notice(**facts), local(at), SCHOOL)
        return
    with pytest.raises(Refused, match=refusal):
        rules.check_open(notice(**facts), local(at), SCHOOL)


def test_no_such_notice() -> None:
    for check in (lambda: rules.check_open(None, NOW, SCHOOL), lambda: rules.check_draft(None)):
        with pytest.raises(Refused, match="没有这"):
            check()


@pytest.mark.parametrize(("state", "ok"), [(OPEN, True), (CLOSED, False), (CANCELLED, False), (DRAFT, False)])
def test_only_what_is_open_can_be_changed(state: str, ok: bool) -> None:
    if ok:
        assert rules.check_changeable(notice(state=state), NOW)
        return
    with pytest.raises(Refused):
        rules.check_changeable(notice(state=state), NOW)


# --- counting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expected", "given_", "count"),
    [
        ([1, 2, 3], [], Count(0, 0, 0, 3, 3)),
        ([1, 2, 3], [(1, "y"), (2, "l"), (3, "n")], Count(1, 1, 1, 0, 3)),
        ([1, 2], [(1, "y"), (9, "y")], Count(1, 0, 0, 1, 2, 1)),
        ([], [(9, "n")], Count(0, 0, 0, 0, 0, 1)),
    ],
)
def test_everybody_expected_is_counted_once(expected: list[int], given_: list[tuple[int, str]], count: Count) -> None:
    assert rules.count(expected, answers(*given_)) == count


@given(
    st.sets(st.integers(1, 60)),
    st.dictionaries(st.integers(1, 60), st.sampled_from([answer.value for answer in Answer])),
)
def test_the_counter_always_adds_up(expected: set[int], given_: dict[int, str]) -> None:
    count = rules.count(expected, answers(*given_.items()))
    assert count.yes + count.late + count.leave + count.early + count.silent == count.expected == len(expected)
    assert count.extra == len(set(given_) - expected)


# --- when -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("closes", "told", "chased"),
    [
        ("11-27T15:30", "11-23T10:00", "11-27T14:30"),
        ("11-23T11:20", "11-23T10:00", "11-23T10:20"),
        ("11-23T11:10", "11-23T10:00", None),  # they have only just been told
        ("11-23T10:30", "11-23T10:00", None),
        ("11-24T08:30", "11-23T10:00", "11-24T07:30"),
        ("11-24T07:45", "11-23T10:00", "11-24T07:04:54"),  # what falls into the night waits for the morning
        ("11-24T07:10", "11-23T10:00", "11-23T20:00"),  # and where that is too late, it is said the evening before
        ("11-24T07:00", "11-23T10:00", "11-23T20:00"),
        ("11-24T07:00", "11-23T19:50", None),
        ("11-24T07:00", "11-23T22:00", None),
        ("11-26T23:59", "11-23T10:00", "11-26T20:00"),
        ("11-24T00:30", "11-23T10:00", "11-23T20:00"),
        ("11-24T05:00", "11-23T10:00", "11-23T20:00"),
    ],
)
def test_when_the_silent_are_reminded(closes: str, told: str, chased: str | None) -> None:
    at = rules.chase_at(local(closes), local(told), SCHOOL)
    assert (at.astimezone(ZONE).replace(microsecond=0) if at else None) == (local(chased) if chased else None)


@given(st.integers(0, 7 * 24 * 60), st.integers(0, 7 * 24 * 60))
def test_nobody_is_ever_reminded_at_night_too_late_or_at_once(told: int, after: int) -> None:
    told_at = MONDAY + timedelta(minutes=told)
    closes = told_at + timedelta(minutes=after)
    at = rules.chase_at(closes, told_at, SCHOOL)
    if at is not None:
        assert told_at + rules.BREATH <= at < closes
        assert not SCHOOL.quiet.covers(at.astimezone(ZONE).time())


@pytest.mark.parametrize(
    ("now", "starts", "at_once", "refusal"),
    [
        ("11-23T10:00", "11-23T10:01", False, None),
        ("11-23T10:00", "11-23T10:00", False, "已经过去"),
        ("11-23T22:00", "11-24T08:00", False, None),
        ("11-23T22:00", "11-24T07:10", False, "现在就发"),
        ("11-23T22:00", "11-24T07:10", True, None),
        ("11-23T22:00", "11-23T22:30", False, "现在就发"),
    ],
)
def test_nobody_is_called_to_what_has_begun_when_the_message_arrives(
    now: str, starts: str, at_once: bool, refusal: str | None
) -> None:
    leaves = rules.leaves_at(local(now), SCHOOL, at_once)
    if refusal is None:
        return rules.check_time(local(starts), leaves, local(now), SCHOOL)
    with pytest.raises(Refused, match=refusal):
        rules.check_time(local(starts), leaves, local(now), SCHOOL)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 27), ""),
        (date(2026, 11, 28), "休息日"),
        (date(2026, 10, 1), "国庆"),
        (date(2026, 10, 10), "调休上班日"),
        (date(2026, 12, 4), "停课"),
        (date(2037, 3, 4), "还没有公布"),
    ],
)
def test_what_is_strange_about_a_day(day: date, words: str) -> None:
    note = rules.day_note(Calendar({date(2026, 12, 4): Day(False, "停课")}), day)
    assert (words in note) if words else note == ""


# --- corrections ----------------------------------------------------------------------------------------------


@given(st.integers(0, 366 * 24 * 60), st.none() | st.integers(1, 600))
def test_a_time_is_packed_and_unpacked(start: int, minutes: int | None) -> None:
    starts = MONDAY + timedelta(minutes=start)
    ends = starts + timedelta(minutes=minutes) if minutes else None
    assert rules.unpack_time(rules.pack_time(starts, ends)) == (starts, ends)


def test_a_correction_in_words() -> None:
    before, after = (
        rules.pack_time(local("11-27T15:30"), None),
        rules.pack_time(local("11-30T14:00"), local("11-30T16:00")),
    )
    moved = Change(1, 1, "time", before, after, "draft", 2, NOW)
    assert rules.spoken(moved, SCHOOL) == "时间 由 11月27日 周五 15:30 改为 11月30日 周一 14:00-16:00"
    placed = Change(1, 1, "place", "三楼会议室", "操场", "draft", 2, NOW)
    assert rules.spoken(placed, SCHOOL) == "地点 由 三楼会议室 改为 操场"


@pytest.mark.parametrize(
    ("kind", "value", "now", "deadline"),
    [
        ("time", "11-27T16:00", "11-25T12:00", "11-26T12:00"),  # still ahead: it stays
        ("time", "11-27T16:00", "11-26T13:00", None),  # passed: who cannot come now must be able to say so
        ("time", "11-26T11:00", "11-25T12:00", None),  # the meeting is earlier than that
        ("place", "操场", "11-26T13:00", None),
        ("topic", "安全例会", "11-26T13:00", "11-26T12:00"),
    ],
)
def test_what_a_correction_makes_of_the_deadline(kind: str, value: str, now: str, deadline: str | None) -> None:
    new = rules.pack_time(local(value), None) if kind == "time" else value
    changed = rules.changed(notice(deadline=local("11-26T12:00")), kind, new, local(now))
    assert changed.deadline == (local(deadline) if deadline else None)
    assert rules.packed(changed, kind) == new


# --- cards ----------------------------------------------------------------------------------------------------


def words_of(card: Card) -> Iterable[str]:
    yield from (card.title, card.foot)
    for block in card.body:
        match block:
            case Line(text):
                yield text
            case Facts(pairs):
                yield from (word for pair in pairs for word in pair)
            case People(title, names):
                yield from (title, *names)
            case Table(heads, rows):
                yield from (*heads, *(cell for row in rows for cell in row))
            case Tally(counts):
                yield from (name for name, _ in counts)


def test_the_gallery_shows_every_face_and_every_button_packs() -> None:
    prefixes = {card.key.split(":")[0] for card in cards.GALLERY}
    assert prefixes == {"notice", "notice-me", "notice-draft", "notice-fix", "notice-silent", "notice-stats"}
    buttons: list[Button] = [button for card in cards.GALLERY for button in card.buttons]
    assert all(button.action.pack() for button in buttons) and len(buttons) > 20


@pytest.mark.parametrize(
    ("facts", "at", "labels", "words"),
    [
        ({}, "11-24T10:00", ["能到", "晚到", "请假"], "〔通知 1123-01〕"),
        ({}, "11-27T15:31", [], "答复已截止"),
        ({"state": CLOSED}, "11-27T15:31", [], "会议已开始"),
        ({"state": CANCELLED}, "11-24T10:00", [], "会议已取消"),
        ({"deadline": local("11-26T12:00")}, "11-26T12:00", [], "答复已截止"),
    ],
)
def test_the_card_in_each_state(facts: dict[str, object], at: str, labels: list[str], words: str) -> None:
    face = cards.Face(notice(**facts), SCHOOL, local(at), Count(1, 1, 1, 5, 8))
    card = cards.group(face)
    assert card is not None and [button.label for button in card.buttons] == labels
    assert any(words in text for text in words_of(card))
    mine = cards.mine(face)
    assert mine is not None and [b.label for b in mine.buttons] == ([*labels, *QUIET] if labels else [])


@pytest.mark.parametrize("state", [DRAFT, DROPPED])
def test_what_is_not_sent_has_no_face_for_others(state: str) -> None:
    face = cards.Face(notice(state=state), SCHOOL, NOW, Count(0, 0, 0, 8, 8))
    assert cards.group(face) is None and cards.mine(face) is None

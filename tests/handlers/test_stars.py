"""The monthly vote, as the office and the teachers live it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.public import PrivateKey
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.kit.card import Button, Line, Tally
from bot.kit.context import Persons, View
from bot.kit.errors import Refused
from bot.kit.feature import Month
from handlers.stars import cards, rules, sealing, sections
from handlers.stars.feature import feature
from handlers.stars.sealing import KeyRing
from storage import ballots, nudges, people
from storage.ballots import Candidate, State
from storage.base import Db
from storage.people import Person
from tests.handlers.conftest import OpenOffice
from tests.office import ZONE, Office, Somebody, sqlite_url

OPEN = "评选 12月明星教师 候选人 王老师、张老师、老师05 截止 周五17:00"
RECEIPT = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")
EVERYBODY = ("李校长", "办公室", "王老师", "张老师", "老师05", "老师06", "老师07", "老师08")


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=8)


@pytest.fixture
def vote(office: Office) -> Office:
    """An office with a vote under way."""
    office["办公室"].says(OPEN).taps("确认开始")
    return office


def thanks(office: Office, name: str) -> str:
    """What a press on the ballot is answered with; where that would stay on the card, without the name."""
    return "已记上" if office.stage.toasts_stay else f"已投：{name}。截止前可改。"


def receipt(who: Somebody) -> str:
    """The last one."""
    return [text for text in who.inbox if "回执 " in text][-1]


def state(office: Office, number: int = 1) -> State | None:
    found = office.ask(lambda db: ballots.get(db, number))
    return found.state if found else None


def stored(office: Office, number: int = 1) -> dict[int, int]:
    return office.ask(lambda db: ballots.recount(db, number))


def keys(office: Office) -> list[Path]:
    return sorted((office.secrets / "elections").glob("*.sk"))


def envelope(office: Office, name: str) -> bytes | None:
    lines = office.ask(lambda db: ballots.lines(db, 1))
    return next(line.envelope for line in lines if line.person == office[name].number)


def again(office: Office, step: str, number: int = 1) -> None:
    """The appointment comes once more, as after a crash."""

    def keep(db: Db) -> None:
        pipeline = office.running.pipeline
        ctx = pipeline.alone(db)
        pipeline.router.appointments[f"stars.{step}"](ctx, election=number)
        pipeline.conclude_alone(ctx, f"again:{step}:{office.time().timestamp()}")

    office.write(keep)


def bind(office: Office, db: Db, person: int, account: int) -> None:
    stage = office.stage
    people.bind(db, person, stage.channel, stage.account(account), talk=stage.talk(account), now=office.time())


def ping(office: Office, db: Db, name: str, words: str) -> None:
    """Another feature writes to somebody."""
    number = office[name].number
    assert number is not None
    ctx = office.running.pipeline.alone(db)
    ctx.say(words, to=Persons([number]))
    office.running.pipeline.conclude_alone(ctx, f"ping:{name}")


def all_vote(office: Office, *names: str, choice: str = "王老师") -> None:
    for name in names:
        office[name].says(f"选{choice}")


def result(office: Office, number: int = 1) -> dict[str, int]:
    return office.shown(f"star-result:{number}").tally


def to_the_end(office: Office) -> None:
    office.later(to="周五17:02")
    office.later(minutes=20)


@pytest.mark.stages(both=True)
def test_a_whole_vote(office: Office) -> None:
    office["办公室"].says(OPEN).taps("确认开始")
    assert office["王老师"].taps("去投票", in_="群").toast == "选票已经私聊发给您。"
    assert office["王老师"].taps("张老师").toast == thanks(office, "张老师")
    assert office["王老师"].says("3号").told("已投：老师05。截止前可改。")
    all_vote(office, *EVERYBODY[3:], choice="老师05")
    assert office.card.tally == {"已投": 6}
    office.restart()
    to_the_end(office)
    assert result(office) == {"王老师": 0, "张老师": 0, "老师05": 6, "弃权": 0}
    assert "12月明星教师 结果" in office.board
    assert office["王老师"].finds_closed("张老师")


# --- opening --------------------------------------------------------------------------------------------------


def test_the_office_sees_what_would_be_frozen_before_anybody_else_sees_anything(office: Office) -> None:
    office["办公室"].says(OPEN)
    assert "王老师、张老师、老师05" in office["办公室"].last
    assert "8 人" in office["办公室"].last
    assert "11月27日 周五 17:00" in office["办公室"].last
    assert "每人一票，截止前可改，只公布票数；少于 5 票不公布" in office["办公室"].last
    assert office.group == []
    assert office["王老师"].inbox == []
    assert state(office) is State.DRAFT


@pytest.mark.stages
def test_opening_shows_one_card_in_the_group_and_a_ballot_to_each(vote: Office) -> None:
    assert len(vote.group) == 1
    assert vote.card.tally == {"已投": 0}
    assert vote.card.labels == ["去投票"]
    for name in EVERYBODY:
        assert any("12月明星教师 选票" in text for text in vote[name].inbox)
    assert any("全部 8 人" in text for text in vote["办公室"].inbox)  # the card and this come in either order


@pytest.mark.stages
def test_what_is_missing_is_asked_one_by_one(office: Office) -> None:
    secretary = office["办公室"].says("开始投票")
    assert "哪个月" in secretary.last
    secretary.taps("本月")
    assert "候选人" in secretary.last
    secretary.says("王老师 张老师")
    assert "截止" in secretary.last
    secretary.taps("明天下班前")
    assert "11月明星教师" in secretary.last
    assert "11月24日 周二 17:30" in secretary.last


def test_a_vote_is_prepared_in_private_even_when_asked_for_in_the_group(office: Office) -> None:
    office["办公室"].says(OPEN, in_group=True)
    assert office.group == []
    assert office["办公室"].sees("确认开始")


def test_an_unknown_candidate_is_named_with_the_nearest_name(office: Office) -> None:
    office["办公室"].says("评选 12月 候选人 王老帅、张老师 截止 周五17:00")
    assert "花名册里没有王老帅，是不是王老师" in office["办公室"].inbox[-2]
    office["办公室"].says("王老师、张老师")
    assert "王老师、张老师" in office["办公室"].last


def test_two_of_one_name_are_told_apart_by_their_department(office: Office) -> None:
    office.write(lambda db: people.add(db, Person(0, "王老师", "数学组")))
    secretary = office["办公室"].says("评选 12月 候选人 王老师、张老师 截止 周五17:00")
    assert "有 2 位王老师（教学部、数学组）" in secretary.inbox[-2]
    secretary.says("王老师（数学组）、王老师（教学部）、张老师").taps("确认开始")
    assert "王老师（数学组）" in office.card.text
    assert [b for b in ("王老师（数学组）", "王老师（教学部）") if office["张老师"].sees(b)] != []
    office["张老师"].says("选王老师")
    assert "不止一位王老师" in office["张老师"].last
    assert office["张老师"].says("王老师（数学组）").told("已投：王老师（数学组）。截止前可改。")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("评选 12月 候选人 王老师 截止 周五17:00", "候选人要 2 到 20 位"),
        ("评选 12月 候选人 王老师、张老师 截止 三分钟内", "太近"),
        ("评选 12月 候选人 王老师、张老师 截止 2027年5月1日", "太远"),
        ("评选 12月 候选人 王老师、张老师 截止 昨天", ""),
    ],
)
def test_what_cannot_be_opened_is_said_and_asked_again(office: Office, words: str, answer: str) -> None:
    office["办公室"].says(words)
    assert any(answer in text for text in office["办公室"].inbox)
    assert not office["办公室"].sees("确认开始")


def test_fewer_than_five_cannot_vote_in_secret(tmp_path: Path) -> None:
    office = Office(sqlite_url(tmp_path), [feature], staff=4)
    try:
        office["办公室"].says("评选 12月 候选人 王老师、张老师 截止 周五17:00")
        assert "保不了密" in office["办公室"].last
        assert state(office) is None
    finally:
        office.close()


def test_who_is_on_leave_today_is_not_on_the_roll(office: Office) -> None:
    number = office["老师08"].number
    assert number is not None
    office.write(lambda db: people.set_leave(db, number, date(2026, 11, 20), None, "产假"))
    office["办公室"].says(OPEN).taps("确认开始")
    assert "全部 7 人" in office["办公室"].last
    assert "不在这次的投票名单里" in office["老师08"].says("选王老师").last
    assert "不在这次的投票名单里" in (office["老师08"].forges("st.cast:1:1", in_group=False).toast or "")
    assert "没看懂" in office["老师08"].says("1").last


def test_who_comes_after_the_opening_is_not_on_the_roll(vote: Office) -> None:
    number = vote.write(lambda db: people.add(db, Person(0, "新老师")))
    vote.write(lambda db: bind(vote, db, number, number))
    vote.restart()
    assert "不在这次的投票名单里" in (vote["新老师"].taps("去投票").toast or "")


@pytest.mark.stages
def test_a_draft_can_be_dropped(office: Office) -> None:
    office["办公室"].says(OPEN).taps("不办了")
    assert state(office) is None
    assert not office["办公室"].sees("确认开始")
    assert "不办了" in (office["办公室"].forges("st.open:1", in_group=False).toast or "")
    assert office.group == []


def test_confirming_twice_opens_once(vote: Office) -> None:
    assert "已经开始了" in (vote["办公室"].forges("st.open:1", in_group=False).toast or "")
    assert len(vote.group) == 1
    assert len(keys(vote)) == 1


def test_a_second_vote_waits_for_the_first(vote: Office) -> None:
    assert "还没结束" in vote["办公室"].says(OPEN).last


def test_a_draft_that_lay_too_long_is_not_opened(office: Office) -> None:
    office["办公室"].says(OPEN)
    office.later(to="周五16:55")
    assert "太近" in (office["办公室"].taps("确认开始").toast or "")
    assert state(office) is State.DRAFT
    assert keys(office) == []


def test_a_teacher_can_neither_open_nor_look_nor_void(vote: Office) -> None:
    for words in (OPEN, "投票进度", "提前截止", "作废投票"):
        assert "只有办公室" in vote["王老师"].says(words).last
    for token in ("st.open:1", "st.drop:1", "st.close:1", "st.void:1", "st.annul:1"):
        assert "只有办公室" in (vote["王老师"].forges(token, in_group=False).toast or "")
    assert state(vote) is State.OPEN


def test_a_vote_whose_key_cannot_be_kept_does_not_open(office: Office) -> None:
    office.secrets.write_text("a file where the folder should be")
    office["办公室"].says(OPEN)
    assert "钥匙写不进" in (office["办公室"].taps("确认开始").toast or "")
    assert state(office) is State.DRAFT
    assert office.group == []


@pytest.mark.stages
def test_the_draft_is_confirmed_or_dropped_in_words_too(office: Office) -> None:
    office["王老师"].says("确认开始")
    office["办公室"].says(OPEN).says("不办了")
    assert office["办公室"].told("不办了") and state(office, 1) is None
    office["办公室"].says("确认开始")
    assert state(office, 1) is None
    office["办公室"].says(OPEN).says("确认开始")
    assert "去投票" in office.card.labels


def test_who_cannot_be_reached_is_named_to_the_office(office: Office) -> None:
    number = office["老师07"].number
    office.write(lambda db: people.close_talk(db, office.stage.channel, office.stage.talk(number)))
    office["办公室"].says(OPEN).taps("确认开始")
    assert "1 人没和我私聊过，收不到选票：老师07" in office["办公室"].last


# --- voting ---------------------------------------------------------------------------------------------------


def test_a_tap_on_the_private_ballot_is_a_vote(vote: Office) -> None:
    teacher = vote["王老师"].taps("张老师")
    assert teacher.toast == thanks(vote, "张老师")
    assert re.fullmatch(rf"已投票，截止前可改。回执 {RECEIPT.pattern}", receipt(teacher))
    assert vote.card.tally == {"已投": 1}


@pytest.mark.stages
def test_a_second_thought_replaces_the_first_and_looks_the_same(vote: Office) -> None:
    first = receipt(vote["王老师"].taps("张老师"))
    second = receipt(vote["王老师"].taps("老师05"))
    assert first != second
    assert RECEIPT.sub("", first) == RECEIPT.sub("", second)
    assert vote.card.tally == {"已投": 1}
    all_vote(vote, "李校长", "办公室", "张老师", "老师05")
    to_the_end(vote)
    assert result(vote) == {"王老师": 4, "张老师": 0, "老师05": 1, "弃权": 0}


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("选张老师", "张老师"),
        ("投张老师", "张老师"),
        ("我投给张老师。", "张老师"),
        ("改投张老师", "张老师"),
        ("支持张老师", "张老师"),
        ("投票给张老师", "张老师"),
        ("张老师", "张老师"),
        ("张老师+1", "张老师"),
        ("投张老师一票", "张老师"),
        ("2号", "张老师"),
        ("二号", "张老师"),
        ("投2号", "张老师"),
        ("第2位", "张老师"),
        ("2", "张老师"),
        ("２", "张老师"),
        ("②", "张老师"),
        ("弃权", "弃权"),
        ("我选弃权", "弃权"),
    ],
)
def test_words_in_private_are_a_vote(vote: Office, words: str, name: str) -> None:
    assert vote["王老师"].says(words).told(f"已投：{name}。截止前可改。")
    assert vote.card.tally == {"已投": 1}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("9号", "没有这个编号"),
        ("选张老帅", "是不是张老师"),
        ("王老师、张老师", "每人只能选一位"),
        ("都行", "算弃权吗"),
        ("今天天气不错", "没看懂"),
        ("老师06", "没看懂"),
    ],
)
def test_words_that_choose_nobody_are_no_vote(vote: Office, words: str, answer: str) -> None:
    assert answer in vote["王老师"].says(words).last
    assert vote.card.tally == {"已投": 0}


@pytest.mark.parametrize("words", ["选张老师", "投2号", "投票给张老师"])
def test_a_vote_said_in_the_group_is_answered_in_private_and_not_counted(vote: Office, words: str) -> None:
    vote["王老师"].says(words, in_group=True)
    assert "群里说的不算数" in vote["王老师"].inbox[-2]
    assert "选票" in vote["王老师"].last
    assert vote.card.tally == {"已投": 0}
    assert len(vote.group) == 1


@pytest.mark.parametrize("words", ["2", "张老师", "2号", "弃权", "选修课几点", "投影仪坏了"])
def test_what_may_be_about_something_else_is_left_alone_in_the_group(vote: Office, words: str) -> None:
    before = len(vote["王老师"].inbox)
    vote["王老师"].says(words, in_group=True)
    assert len(vote["王老师"].inbox) == before
    assert vote.card.tally == {"已投": 0}


@pytest.mark.stages
def test_a_bare_number_is_a_vote_only_with_the_ballot_before_ones_eyes(vote: Office) -> None:
    vote.write(lambda db: ping(vote, db, "王老师", "周五15:00开会，收到请回1"))
    assert "没看懂" in vote["王老师"].says("1").last
    assert vote.card.tally == {"已投": 0}
    assert vote["王老师"].says("1号").told("已投：王老师")
    vote["王老师"].says("选票")
    assert vote["王老师"].says("2").told("已投：张老师")
    ballot = next(seen.ref for seen in vote.stage.messages(vote["张老师"].talk.id) if "选票" in seen.text)
    vote.write(lambda db: ping(vote, db, "张老师", "周五15:00开会，收到请回1"))
    assert vote["张老师"].says("3", quotes=ballot).told("已投：老师05")


def test_a_number_answers_the_reminder(vote: Office) -> None:
    vote.later(to="周四18:00")
    assert "还没收到您的票" in vote["王老师"].last
    assert vote["王老师"].says("2").told("已投：张老师")


@pytest.mark.stages
def test_a_ballot_button_pressed_in_the_group_is_not_counted(vote: Office) -> None:
    assert "私聊" in (vote["王老师"].forges("st.cast:1:2", in_group=True).toast or "")
    assert vote.card.tally == {"已投": 0}


@pytest.mark.stages
def test_the_button_in_the_group_brings_the_ballot_in_private(vote: Office) -> None:
    before = len(vote["王老师"].inbox)
    assert vote["王老师"].taps("去投票").toast == "选票已经私聊发给您。"
    assert len(vote["王老师"].inbox) == before + 1


def test_who_never_spoke_to_us_is_told_how(vote: Office) -> None:
    number = vote["王老师"].number
    vote.write(lambda db: people.close_talk(db, vote.stage.channel, vote.stage.talk(number)))
    assert "私聊发一句话" in (vote["王老师"].taps("去投票", in_="群").toast or "")
    vote["王老师"].says("投票")
    assert "选票" in vote["王老师"].last


@pytest.mark.parametrize("seat", [4, -1, 99, 70000])
def test_a_forged_seat_is_refused(vote: Office, seat: int) -> None:
    assert "没有这个编号" in (vote["王老师"].forges(f"st.cast:1:{seat}", in_group=False).toast or "")
    assert vote.card.tally == {"已投": 0}


@pytest.mark.parametrize("number", [0, 2, -1, 999999])
def test_a_forged_election_is_refused(vote: Office, number: int) -> None:
    assert "没有这次投票" in (vote["王老师"].forges(f"st.cast:{number}:1", in_group=False).toast or "")
    assert "没有这次投票" in (vote["王老师"].forges(f"st.go:{number}").toast or "")


def test_a_draft_is_no_ballot_box(office: Office) -> None:
    office["办公室"].says(OPEN)
    assert "没有这次投票" in (office["办公室"].forges("st.cast:1:1", in_group=False).toast or "")


def test_forged_buttons_of_the_office_about_nothing_are_sentences(office: Office) -> None:
    assert "现在没有投票" in office["王老师"].says("投票").last
    for verb in ("open", "drop", "close", "void", "annul", "keep"):
        toast = office["办公室"].says("投票进度").forges(f"st.{verb}:999999", in_group=True).toast
        assert toast and "编号" not in toast
    assert state(office) is None and office.group == []


def test_a_stranger_cannot_vote(vote: Office) -> None:
    assert "没看懂" in vote["访客"].says("选王老师").last
    assert "绑定" in (vote["访客"].forges("st.cast:1:1", in_group=False).toast or "")
    assert vote.card.tally == {"已投": 0}


def test_a_double_press_is_one_vote(vote: Office) -> None:
    vote["王老师"].taps("张老师").taps("张老师")
    assert vote.card.tally == {"已投": 1}
    all_vote(vote, "李校长", "办公室", "张老师", "老师05")
    to_the_end(vote)
    assert sum(result(vote).values()) == 5


def test_a_second_account_of_a_person_is_no_second_vote(vote: Office) -> None:
    number = vote["王老师"].number
    assert number is not None
    vote.write(lambda db: bind(vote, db, number, 777))
    vote["王老师"].says("选张老师")
    vote.people["王老师的平板"] = type(vote["王老师"])(vote, "王老师的平板", 777)
    vote["王老师的平板"].says("选老师05")
    assert vote["王老师的平板"].told("已投：老师05。截止前可改。")
    assert vote.card.tally == {"已投": 1}


def test_a_candidate_may_vote_also_for_herself(vote: Office) -> None:
    assert vote["张老师"].taps("张老师").toast == thanks(vote, "张老师")


def test_the_private_talk_never_shows_the_choice_after_the_press(vote: Office) -> None:
    """F6: nobody who takes the phone, or asks to see it, can read it there."""
    vote["王老师"].taps("张老师").taps("老师05")
    after = [text for text in vote["王老师"].inbox if "选票" not in text]
    assert after
    assert not any(name in text for text in after for name in ("张老师", "老师05"))
    shown = [text for name in EVERYBODY for text in vote[name].inbox if "选票" in text and "发给" not in text]
    faces = {text.replace("已记上\n", "") for text in shown}
    assert len(faces) == 1


@pytest.mark.stages
def test_the_office_sees_turnout_and_no_names(vote: Office) -> None:
    vote["王老师"].says("选张老师")
    vote["办公室"].says("投票进度")
    assert vote["办公室"].last == "12月明星教师：已投 1/8，11月27日 周五 17:00 截止"
    assert "还没有开过" not in vote["办公室"].last


@pytest.mark.stages
def test_the_silent_are_reminded_once_and_nobody_else(vote: Office) -> None:
    vote["王老师"].says("选张老师")
    vote.later(to="周四18:00")
    asked = [name for name in EVERYBODY if any("还没收到您的票" in text for text in vote[name].inbox)]
    assert asked == [name for name in EVERYBODY if name != "王老师"]
    again(vote, "remind")
    assert sum("还没收到您的票" in text for text in vote["张老师"].inbox) == 1


def test_a_reminder_respects_the_cap_of_the_day(vote: Office) -> None:
    number = vote["张老师"].number
    assert number is not None
    for matter in ("notice:1", "notice:2"):
        vote.write(lambda db, m=matter: nudges.note(db, number, m, date(2026, 11, 26)))  # type: ignore[misc]
    vote.later(to="周四18:00")
    assert not any("还没收到您的票" in text for text in vote["张老师"].inbox)


def test_a_reminder_that_the_night_would_carry_past_the_deadline_is_not_sent(office: Office) -> None:
    office.later(to="今天19:50")
    office["办公室"].says("评选 12月 候选人 王老师、张老师 截止 今天23:00").taps("确认开始")
    office.later(hours=14)
    assert not any("还没收到您的票" in text for name in EVERYBODY for text in office[name].inbox)


def test_without_its_key_no_vote_is_taken_and_the_office_is_told_once(vote: Office) -> None:
    key = keys(vote)[0]
    kept = key.read_bytes()
    key.unlink()
    for name in ("王老师", "张老师"):
        assert "没有记上" in (vote[name].taps("老师05").toast or "")
    assert vote.card.tally == {"已投": 0}
    assert sum("钥匙文件不见了" in text for text in vote["办公室"].inbox) == 1
    key.write_bytes(kept)
    assert vote["王老师"].taps("老师05").toast == thanks(vote, "老师05")


# --- the deadline ---------------------------------------------------------------------------------------------


def test_the_closing_second_decides_by_the_clock_of_the_transaction(vote: Office) -> None:
    closes = datetime(2026, 11, 27, 17, 0, tzinfo=ZONE).astimezone(UTC)
    vote.later(to="周五16:59")
    vote.time.at = closes - timedelta(microseconds=1)
    assert vote["王老师"].taps("张老师").toast == thanks(vote, "张老师")
    vote.time.at = closes
    assert state(vote) is State.OPEN
    assert "截止" in (vote["王老师"].taps("老师05").toast or "")
    assert "没有记上" in vote["张老师"].says("选老师05").last
    assert vote.card.tally == {"已投": 1}


def test_the_close_never_comes_before_the_deadline(office: Office) -> None:
    """The diary moves what is due at :00 or :30 to before it."""
    for minute in (0, 20, 29, 30, 59):
        closes = datetime(2026, 11, 27, 16, minute, tzinfo=UTC)
        for second in range(0, 60):
            due = rules.after(closes + timedelta(seconds=second))
            assert due > closes and due.second != 0


def test_the_receipts_hang_out_before_anything_is_opened(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    mine = RECEIPT.findall(receipt(vote["王老师"]))[0]
    vote.later(to="周五17:02")
    assert state(vote) is State.CLOSING
    published = RECEIPT.findall(vote.group[-1])
    assert published == sorted(published) and len(published) == 5
    assert mine in published
    assert stored(vote) == {}
    assert vote.card.labels == []
    assert vote["王老师"].finds_closed("老师05")
    assert "截止" in (vote["老师06"].forges("st.cast:1:1", in_group=False).toast or "")


@pytest.mark.stages
def test_the_result_shows_counts_in_the_order_of_the_candidates(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", choice="老师05")
    all_vote(vote, "张老师", "老师05", choice="王老师")
    vote["老师06"].says("弃权")
    to_the_end(vote)
    assert state(vote) is State.PUBLISHED
    assert list(result(vote).items()) == [("王老师", 2), ("张老师", 0), ("老师05", 3), ("弃权", 1)]
    assert "并列" not in vote.group[-1]
    assert "%" not in vote.group[-1]
    assert keys(vote) == []
    assert all(line.envelope is None and line.mac is None for line in vote.ask(lambda db: ballots.lines(db, 1)))
    assert vote.ask(lambda db: ballots.turnout(db, 1)).voted == 6


def test_a_tie_is_named_and_left_to_people(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", choice="老师05")
    all_vote(vote, "张老师", "老师05", "老师06", choice="王老师")
    to_the_end(vote)
    assert "王老师、老师05票数并列" in vote.board


def test_four_votes_are_never_opened(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师")
    to_the_end(vote)
    assert state(vote) is State.PUBLISHED
    assert "票数太少，为保密不开票" in vote.board
    assert stored(vote) == {}
    assert result(vote) == {}
    assert keys(vote) == []


def test_five_votes_are_opened(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    to_the_end(vote)
    assert result(vote)["王老师"] == 5


def test_a_vote_without_votes_ends_quietly(vote: Office) -> None:
    to_the_end(vote)
    assert state(vote) is State.PUBLISHED
    assert "没有人投票" in vote.group[1]


@pytest.mark.stages
def test_when_everybody_has_voted_the_office_may_close_early(vote: Office) -> None:
    all_vote(vote, *EVERYBODY[:-1])
    assert not vote["办公室"].sees("提前截止")
    assert "还有 1 人没投" in vote["办公室"].says("提前截止").last
    all_vote(vote, EVERYBODY[-1])
    vote["王老师"].says("选张老师")
    assert sum("8 人都投了" in text for text in vote["办公室"].inbox) == 1
    vote["办公室"].taps("提前截止")
    assert state(vote) is State.CLOSING
    vote.later(minutes=20)
    assert result(vote) == {"王老师": 7, "张老师": 1, "老师05": 0, "弃权": 0}
    vote.later(to="周五17:30")
    assert sum("投票已截止" in text for text in vote.group) == 1


def test_a_forged_early_close_is_refused_while_somebody_is_silent(vote: Office) -> None:
    assert "还有 8 人没投" in (vote["办公室"].forges("st.close:1", in_group=False).toast or vote["办公室"].last)
    assert state(vote) is State.OPEN


def test_a_vote_that_ends_at_night_is_counted_after_the_receipts_could_be_read(office: Office) -> None:
    office["办公室"].says("评选 12月 候选人 王老师、张老师 截止 周五").taps("确认开始")
    all_vote(office, *EVERYBODY[:6])
    office.later(to="周六06:00")
    assert state(office) is State.CLOSING
    assert len(office.group) == 1
    office.later(to="周六07:10")
    assert "回执" in office.group[1]
    assert state(office) is State.CLOSING
    office.later(to="周六08:00")
    assert state(office) is State.PUBLISHED


# --- crashes --------------------------------------------------------------------------------------------------


def test_a_restart_after_every_step_changes_nothing(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    steps = [("close", State.CLOSING), ("count", State.COUNTED), ("seal", State.SEALED), ("publish", State.PUBLISHED)]
    vote.time.at = datetime(2026, 11, 27, 17, 0, 5, tzinfo=ZONE).astimezone(UTC)
    for step, after in steps:
        again(vote, step)
        assert state(vote) is after
        vote.restart()
        for early, _after in steps[: steps.index((step, after)) + 1]:
            again(vote, early)
        assert state(vote) is after
    vote.later(hours=2)
    assert result(vote)["王老师"] == 5
    assert sum("投票已截止：" in text for text in vote.group) == 1
    assert sum("12月明星教师 结果" in text for text in vote.group) == 1
    assert stored(vote) == {1: 5}


def test_a_step_out_of_turn_does_nothing(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    for step in ("count", "seal", "publish", "close", "burn"):
        again(vote, step)
    assert state(vote) is State.OPEN
    assert len(keys(vote)) == 1
    assert len(vote.group) == 1


def test_a_school_that_slept_through_the_deadline_closes_on_waking(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.run(vote.running.stop())
    vote.time.at += timedelta(days=5)
    vote._open()
    assert state(vote) is State.CLOSING
    vote.later(minutes=30)
    assert result(vote)["王老师"] == 5


def test_the_key_outlives_the_count_until_the_count_is_durable(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.later(to="周五17:02")

    def count_and_fall(db: Db) -> None:
        pipeline = vote.running.pipeline
        pipeline.router.appointments["stars.count"](pipeline.alone(db), election=1)
        raise RuntimeError("the power fails before the commit")

    with pytest.raises(RuntimeError, match="power"):
        vote.write(count_and_fall)
    assert state(vote) is State.CLOSING
    assert len(keys(vote)) == 1
    again(vote, "count")
    assert state(vote) is State.COUNTED
    assert len(keys(vote)) == 1
    again(vote, "seal")
    assert keys(vote) == []


def test_a_crash_between_the_key_and_the_commit_is_no_loss(vote: Office) -> None:
    """The key is destroyed only when the count is durable: gone already, the rest goes on."""
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.later(to="周五17:02")
    again(vote, "count")
    KeyRing(vote.secrets).destroy(1)
    vote.later(minutes=20)
    assert result(vote)["王老师"] == 5


def test_a_key_lost_while_the_vote_is_open_voids_it_at_the_close(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    keys(vote)[0].unlink()
    to_the_end(vote)
    assert state(vote) is State.VOID
    assert sum("投票作废：钥匙文件丢失" in text for text in vote.group) == 1
    assert stored(vote) == {}
    assert "作废" in vote.shown("stars:1").text
    vote["办公室"].says("评选 12月 候选人 王老师、张老师 截止 下周五17:00").taps("确认开始")
    assert state(vote, 2) is State.OPEN


def test_a_key_lost_while_the_receipts_hang_out_voids_the_vote(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.later(to="周五17:02")
    keys(vote)[0].unlink()
    vote.later(minutes=20)
    assert state(vote) is State.VOID
    assert sum("投票作废：钥匙" in text for text in vote.group) == 1


def test_another_key_in_its_place_is_no_key(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.later(to="周五17:02")
    keys(vote)[0].write_bytes(bytes(PrivateKey.generate()))
    vote.later(minutes=20)
    assert state(vote) is State.VOID


# --- void -----------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_office_may_void_before_the_count_but_is_asked_first(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote["办公室"].says("作废投票")
    assert "已投的 5 票不会打开" in vote["办公室"].last
    vote["办公室"].taps("不作废")
    assert state(vote) is State.OPEN
    vote["办公室"].says("作废投票").taps("确认作废")
    assert state(vote) is State.VOID
    vote.later(minutes=5)
    assert keys(vote) == []
    assert all(line.envelope is None for line in vote.ask(lambda db: ballots.lines(db, 1)))
    assert sum("投票作废：办公室决定作废" in text for text in vote.group) == 1
    assert "作废" in (vote["老师06"].forges("st.cast:1:1", in_group=False).toast or "")
    vote.later(days=6)
    assert state(vote) is State.VOID


def test_an_objection_voids_before_anything_is_opened(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote.later(to="周五17:02")
    vote["办公室"].taps("有异议，作废").taps("确认作废")
    vote.later(minutes=30)
    assert state(vote) is State.VOID
    assert stored(vote) == {}


def test_after_the_count_it_is_too_late_to_void(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")
    vote["办公室"].says("作废投票")
    vote.later(to="周五17:02")
    again(vote, "count")
    assert "已经开票" in (vote["办公室"].forges("st.annul:1", in_group=False).toast or "")
    assert state(vote) is State.COUNTED
    vote.later(minutes=20)
    assert "没有可以作废的投票" in vote["办公室"].says("作废投票").last


def test_voiding_is_in_the_audit_with_its_author_and_votes_are_without(vote: Office) -> None:
    from storage import audit

    vote["王老师"].taps("张老师")
    vote["办公室"].says("作废投票").taps("确认作废")
    lines = vote.ask(lambda db: audit.lines(db))
    assert {actor for _s, _at, what, actor, _o in lines if what == "st.cast"} == {None}
    assert [actor for _s, _at, what, actor, _o in lines if what == "st.annul"] == [vote["办公室"].number]


# --- tampering ------------------------------------------------------------------------------------------------


def forge(office: Office, *statements: Any) -> None:
    """Somebody who can write to the database, but has no key."""
    office.write(lambda db: [db.run(statement) for statement in statements])


def line_of(office: Office, name: str) -> Any:
    return (ballots.roll.c.election == 1) & (ballots.roll.c.person == office[name].number)


def raw(office: Office, name: str) -> tuple[bytes, bytes]:
    row = office.ask(lambda db: db.first(select(ballots.roll).where(line_of(office, name))))
    assert row is not None
    return bytes(row.envelope), bytes(row.mac)


def tamper_move(office: Office) -> None:
    """A's envelope under B's name."""
    envelope_, mac = raw(office, "王老师")
    blank = update(ballots.roll).where(line_of(office, "王老师")).values(envelope=None, mac=None, voted=False)
    given = update(ballots.roll).where(line_of(office, "老师08")).values(envelope=envelope_, mac=mac, voted=True)
    forge(office, blank, given)


def tamper_swap(office: Office) -> None:
    (a, a_mac), (b, b_mac) = raw(office, "王老师"), raw(office, "张老师")
    blank = update(ballots.roll).where(line_of(office, "王老师")).values(envelope=None)
    second = update(ballots.roll).where(line_of(office, "张老师")).values(envelope=a, mac=a_mac)
    first = update(ballots.roll).where(line_of(office, "王老师")).values(envelope=b, mac=b_mac)
    forge(office, blank, second, first)


def tamper_stuff(office: Office) -> None:
    """An envelope sealed for the right key, for somebody who did not vote."""
    found = office.ask(lambda db: ballots.get(db, 1))
    assert found is not None and found.pk is not None
    made = sealing.seal(found.pk, 1)
    forged = sealing.mac(b"0" * 32, 1, found.settings_hash, office["老师08"].number or 0, made)
    forge(office, update(ballots.roll).where(line_of(office, "老师08")).values(voted=True, envelope=made, mac=forged))


def tamper_flag(office: Office) -> None:
    forge(office, update(ballots.roll).where(line_of(office, "王老师")).values(voted=False))


def tamper_line(office: Office) -> None:
    forge(office, delete(ballots.roll).where(line_of(office, "王老师")))


def tamper_candidates(office: Office) -> None:
    """Two candidates change places, and the hash with them."""
    from dataclasses import replace

    found = office.ask(lambda db: ballots.get(db, 1))
    assert found is not None
    turned = replace(found.settings, candidates=found.settings.candidates[::-1])
    text, digest = ballots.freeze(turned)
    forge(office, update(ballots.elections).values(settings=text, settings_hash=digest))


def tamper_settings(office: Office) -> None:
    forge(office, update(ballots.elections).values(settings=ballots.elections.c.settings + " "))


@pytest.mark.parametrize(
    "tamper",
    [tamper_move, tamper_swap, tamper_stuff, tamper_flag, tamper_line, tamper_candidates, tamper_settings],
)
def test_a_tampered_box_is_not_opened(vote: Office, tamper: Any) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05", "老师06")
    tamper(vote)
    to_the_end(vote)
    assert state(vote) is State.DISPUTED
    assert stored(vote) == {}
    for name in ("办公室", "李校长"):
        assert sum("核对不上" in text for text in vote[name].inbox) == 1
    assert not any("结果" in text for text in vote.group)
    vote["办公室"].says("作废投票").taps("确认作废")
    assert state(vote) is State.VOID


def test_a_vote_taken_out_after_the_receipts_were_published_is_seen(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05", "老师06")
    vote.later(to="周五17:02")
    blank = {"voted": False, "envelope": None, "mac": None}
    forge(vote, update(ballots.roll).where(line_of(vote, "王老师")).values(**blank))
    vote.later(minutes=20)
    assert state(vote) is State.DISPUTED


def test_a_stuffed_ballot_between_the_counts_is_seen(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05", "老师06")
    vote.later(to="周五17:02")
    again(vote, "count")
    forge(vote, insert(ballots.ballots).values(election=1, ballot=b"\xff" * 16, choice=2))
    vote.later(minutes=20)
    assert state(vote) is State.DISPUTED
    assert "两次点票结果不同" in vote["办公室"].last
    vote["办公室"].says("作废投票").taps("确认作废")
    assert stored(vote) == {}


def test_one_envelope_cannot_lie_under_two_names(vote: Office) -> None:
    all_vote(vote, "王老师", "张老师")
    envelope_, mac = raw(vote, "王老师")
    with vote.running.shelves.writer.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(update(ballots.roll).where(line_of(vote, "张老师")).values(envelope=envelope_, mac=mac))


# --- promises of the pieces -----------------------------------------------------------------------------------


def test_the_rules_are_frozen_and_announced_by_their_hash(vote: Office) -> None:
    found = vote.ask(lambda db: ballots.get(db, 1))
    assert found is not None
    assert ballots.digest(found.text) == found.settings_hash
    assert found.settings.electors == tuple(range(1, 9))
    assert (found.settings.least, found.settings.objection, found.settings.receipt) == (5, 10, "inclusion")
    assert sealing.fingerprint(found.settings_hash) in vote.group[0]
    text, other = ballots.freeze(found.settings)
    assert (text, other) == (found.text, found.settings_hash)


def test_a_name_that_changes_later_does_not_change_the_ballot(vote: Office) -> None:
    number = vote["张老师"].number
    assert number is not None
    vote.write(lambda db: people.change(db, number, name="张校长"))
    assert "张老师" in vote.shown("ballot:1").labels


def test_keys_are_readable_by_us_alone_and_go_for_good(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path / "secrets")
    pk, other = ring.make(1), ring.make(11)
    path = next((tmp_path / "secrets" / "elections").glob("1.*"))
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "host.key").stat().st_mode & 0o777 == 0o600
    key = ring.read(1, pk)
    assert key is not None and bytes(key.public_key) == pk
    assert ring.read(1, other) is None
    ring.destroy(1)
    ring.destroy(1)
    assert ring.read(1, pk) is None
    assert ring.read(11, other) is not None


def test_a_second_key_never_overwrites_the_first(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    first, second = ring.make(1), ring.make(1)
    assert ring.read(1, first) is not None and ring.read(1, second) is not None


def test_envelopes_of_one_choice_are_all_different_and_all_of_one_length() -> None:
    key = PrivateKey.generate()
    made = [sealing.seal(bytes(key.public_key), seat) for seat in (0, 1, 1, 20)]
    assert {len(envelope) for envelope in made} == {sealing.LENGTH}
    assert len(set(made)) == 4
    assert sorted(s for s in sealing.opened(key, made) if s is not None) == [0, 1, 1, 20]
    assert sealing.opened(PrivateKey.generate(), made) == [None] * 4


def test_a_receipt_belongs_to_one_person_one_vote_and_one_envelope() -> None:
    codes = {sealing.code(e, p, x) for e in (1, 2) for p in (1, 2) for x in (b"a", b"b")}
    assert len(codes) == 8
    assert all(RECEIPT.fullmatch(code) for code in codes)


@pytest.mark.parametrize(
    "words", ["", "收到", "没收到", "好的", "谢谢", "第三条建议改为每周一次", "下周三下午三点开会吗"]
)
def test_ordinary_words_are_no_choice(words: str) -> None:
    candidates = (Candidate(1, "王老师"), Candidate(2, "张老师"))
    pick = rules.read_pick(words)
    assert pick is None or rules.seat_of(candidates, pick) is None


def test_a_surname_alone_chooses_nobody() -> None:
    with pytest.raises(Refused):
        rules.seat_of((Candidate(1, "王小明"), Candidate(2, "王小红")), rules.Pick("王小"))


def test_the_month_shows_turnout_and_result(vote: Office) -> None:
    all_vote(vote, "李校长", "办公室", "王老师", "张老师", "老师05")

    def month(first: date) -> list[Any]:
        with vote.reading() as db:
            return list(sections.monthly(View(db, vote.time(), vote.running.school), Month(first)))

    assert month(date(2026, 11, 1)) == [Line("12月明星教师：已投 5/8，11月27日 周五 17:00 截止")]
    to_the_end(vote)
    assert Tally([("王老师", 5), ("张老师", 0), ("老师05", 0), ("弃权", 0)], 5) in month(date(2026, 11, 1))
    assert month(date(2026, 12, 1)) == []


def test_every_card_of_the_gallery_has_buttons_that_fit() -> None:
    buttons: list[Button] = [button for card in cards.GALLERY for button in card.buttons]
    assert len(buttons) >= 16
    assert all(len(button.action.pack().encode()) <= 64 for button in buttons)

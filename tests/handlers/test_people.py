"""名册与绑定, as the office talks: binding, names, roles, leave, groups, and what does not arrive."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from bot.app import KEEP_FILES, KEEP_SENT
from bot.engine.port import DeliveryFailed
from bot.engine.router import build
from bot.kit.context import Way
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.event import Submitted
from bot.kit.role import Role
from handlers.contents import FEATURES
from handlers.people import cards, rules
from handlers.people.feature import feature, leave_sentence
from storage import audit, files, outbox, people
from storage.base import Db
from storage.people import Leave, Person
from tests.handlers.conftest import OpenOffice
from tests.office import Office, Paper, PaperStage


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=8)


def add(office: Office, name: str, department: str = "语文组", **facts: Any) -> int:
    """Somebody on the roster whom nobody has bound yet."""
    return office.write(lambda db: people.add(db, Person(0, name, department, **facts)))


def code_for(office: Office, name: str) -> str:
    office["办公室"].says(f"绑定码 {name}")
    found = re.search(r"绑定码：(\d{6})", office["办公室"].last)
    assert found, office["办公室"].last
    return found[1]


def person(office: Office, name: str) -> Person:
    return office.ask(lambda db: next(p for p in people.everybody(db) if p.name == name))


def counted(office: Office, day: date = date(2026, 12, 2)) -> list[str]:
    return [p.name for p in office.ask(lambda db: people.expected(db, day))]


def audited(office: Office, what: str) -> int:
    return sum(line[2] == what for line in office.ask(audit.lines))


# --- hello ----------------------------------------------------------------------------------------------------


def test_somebody_unknown_is_told_how_to_bind(office: Office) -> None:
    office["访客"].comes()
    assert "绑定 123456" in office["访客"].last


@pytest.mark.stages
def test_somebody_known_is_greeted_by_name(office: Office) -> None:
    office["王老师"].comes()
    assert office["王老师"].last.startswith("王老师您好")


def test_one_arrival_told_twice_is_greeted_once(office: Office) -> None:
    office["王老师"].comes().says("/start")
    assert len(office["王老师"].inbox) == 1


def test_hello_in_the_group_is_not_for_the_bot(office: Office) -> None:
    office["王老师"].says("你好", in_group=True)
    assert office.group == []
    assert office["王老师"].inbox == []


def test_a_sentence_that_only_begins_with_a_command_is_no_command(office: Office) -> None:
    office["办公室"].says("体检安排在周五", in_group=True)
    office["王老师"].says("帮助学生要耐心", in_group=True)
    assert office["办公室"].inbox == office["王老师"].inbox == office.group == []


@pytest.mark.parametrize(
    ("who", "has", "has_not"),
    [
        ("访客", "绑定 123456", "我的信息"),
        ("王老师", "我的信息", "绑定码 全部"),
        ("办公室", "绑定码 全部", "设为办公室"),
        ("李校长", "设为办公室", "没有这一句"),
    ],
)
def test_help_is_by_role(office: Office, who: str, has: str, has_not: str) -> None:
    office[who].says("帮助")
    assert has in office[who].last
    assert has_not not in office[who].last


@pytest.mark.stages
def test_help_asked_in_the_group_is_answered_in_private(office: Office) -> None:
    office["王老师"].says("帮助", in_group=True)
    assert office.group == []
    assert "我会做这些事" in office["王老师"].last


def test_help_names_only_words_that_somebody_answers() -> None:
    """A word in the help that nobody understands would be a promise broken."""
    router = build(FEATURES)
    for job in (*cards.GUEST, *cards.STAFF, *cards.OFFICE, *cards.PRINCIPAL):
        about, *lines = job.replace("{call}", "").split("\n")
        assert about and lines
        for example in (one for line in lines for one in line.split("　")[1:]):
            understood = any(phrase.read(example) is not None for phrase in router.phrases if _choosy(phrase.read))
            assert router.command(example) is not None or understood, example


def _choosy(read: Callable[[str], object]) -> bool:
    """Some phrases read anything and leave it to their scope; they prove nothing here."""
    return read("今天天气不错") is None


# --- binding --------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_teacher_binds_with_the_code_of_the_office(office: Office) -> None:
    add(office, "赵敏")
    office["赵敏"].says(f"绑定 {code_for(office, '赵敏')}")
    assert office["赵敏"].last.startswith("赵敏您好（语文组），已绑定")
    office["赵敏"].says("我的信息")
    assert "姓名：赵敏" in office["赵敏"].last
    assert audited(office, "people.bind") == 1


def test_a_code_is_typed_as_people_type(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏").translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    office["赵敏"].says(f"绑定：{code[:3]} {code[3:]}。")
    assert "已绑定" in office["赵敏"].last


def test_a_link_may_carry_the_code(office: Office) -> None:
    add(office, "赵敏")
    office["赵敏"].says(f"/start {code_for(office, '赵敏')}")
    assert "已绑定" in office["赵敏"].last


@pytest.mark.stages
def test_a_code_works_once(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["赵敏"].says(f"绑定 {code}")
    office["访客"].says(f"绑定 {code}")
    assert "不对" in office["访客"].last


def test_a_new_code_voids_the_old_one(office: Office) -> None:
    add(office, "赵敏")
    old, new = code_for(office, "赵敏"), code_for(office, "赵敏")
    assert old != new
    office["赵敏"].says(f"绑定 {old}")
    assert "不对" in office["赵敏"].last
    office["赵敏"].says(f"绑定 {new}")
    assert "已绑定" in office["赵敏"].last


def test_a_code_is_void_after_a_day(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office.later(hours=23, minutes=59)
    assert office.ask(lambda db: people.owner_of_code(db, "bind", code, office.time())) is not None
    office.later(minutes=2)
    office["赵敏"].says(f"绑定 {code}")
    assert "过期" in office["赵敏"].last


def test_a_code_seen_in_the_group_is_void(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["赵敏"].says(f"绑定 {code}", in_group=True)
    assert "已作废" in office.group[-1]
    assert code not in office.group[-1]
    office["赵敏"].says(f"绑定 {code}")
    assert "不对" in office["赵敏"].last


def test_a_wrong_code_in_the_group_sounds_like_a_right_one(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["访客"].says("绑定 000000" if code != "000000" else "绑定 000001", in_group=True)
    office["访客"].says(f"绑定 {code}", in_group=True)
    assert office.group[-1] == office.group[-2]


@pytest.mark.stages
def test_after_five_wrong_codes_there_is_silence_even_for_the_right_one(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    for wrong in range(5):
        office["访客"].says(f"绑定 {(int(code) + 1 + wrong) % 1000000:06d}")
    assert "一小时内不再回答" in office["访客"].last
    before = len(office["访客"].inbox)
    office["访客"].says(f"绑定 {code}")
    assert len(office["访客"].inbox) == before
    office["赵敏"].says(f"绑定 {code}")  # another account is not punished for it
    assert "已绑定" in office["赵敏"].last


def test_the_silence_ends_after_an_hour(office: Office) -> None:
    for wrong in range(5):
        office["访客"].says(f"绑定 00000{wrong}")
    office.later(minutes=61)
    add(office, "赵敏")
    office["访客"].says(f"绑定 {code_for(office, '赵敏')}")
    assert "已绑定" in office["访客"].last


def test_four_wrong_and_one_right_is_no_fault(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    for wrong in range(4):
        office["赵敏"].says(f"绑定 {(int(code) + 1 + wrong) % 1000000:06d}")
    office["赵敏"].says(f"绑定 {code}")
    assert "已绑定" in office["赵敏"].last


def test_an_account_belongs_to_one_person(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["王老师"].says(f"绑定 {code}")
    assert "已经是王老师的了" in office["王老师"].last
    office["赵敏"].says(f"绑定 {code}")  # and the code is still good
    assert "已绑定" in office["赵敏"].last


def test_a_second_account_is_told_to_the_first(office: Office) -> None:
    office["新手机"].says(f"绑定 {code_for(office, '王老师')}")
    assert any("又绑定了一个账号" in text for text in office["王老师"].inbox)


def test_somebody_who_left_cannot_bind(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["办公室"].says("停用人员 赵敏")
    office["赵敏"].says(f"绑定 {code}")
    assert "不对" in office["赵敏"].last


@pytest.mark.stages
def test_codes_for_everybody_come_as_a_file_in_private(office: Office) -> None:
    for name in ("赵敏", "=cmd|' /C calc'!A0"):
        add(office, name)
    office["办公室"].says("绑定码 全部", in_group=True)
    assert office.group == []
    document = office["办公室"].documents[-1]
    text = document.content.decode("utf-8-sig")
    found = re.search(r"赵敏您好.*绑定 (\d{6})", text)
    assert document.name == "绑定码.txt"
    assert found and text.count("您好") == 2
    office["赵敏"].says(f"绑定 {found[1]}")
    assert "已绑定" in office["赵敏"].last


@pytest.mark.stages
def test_the_file_of_codes_is_gone_after_a_day(office: Office) -> None:
    add(office, "赵敏")
    office["办公室"].says("绑定码 全部")
    assert office.ask(lambda db: files.get(db, 1)) is not None
    office.later(hours=25)
    assert office.ask(lambda db: files.get(db, 1)) is None


def test_five_hundred_codes_are_all_different(office: Office) -> None:
    def issue(db: Db) -> list[str]:
        until, rolls = office.time() + timedelta(days=1), iter(n // 2 for n in range(2000))
        numbers = [people.add(db, Person(0, f"人{n}")) for n in range(500)]
        return [
            people.issue_fresh_code(db, n, "bind", until, office.time(), lambda: f"{next(rolls):06d}") for n in numbers
        ]

    assert len(set(office.write(issue))) == 500


def test_an_office_may_unbind_and_the_account_is_free(office: Office) -> None:
    add(office, "赵敏")
    code = code_for(office, "赵敏")
    office["办公室"].says("解绑 王老师")
    assert "已解绑王老师的 1 个账号" in office["办公室"].last
    office["王老师"].says(f"绑定 {code}")
    assert office["王老师"].last.startswith("赵敏您好")


def test_nobody_unbinds_themselves(office: Office) -> None:
    office["办公室"].says("解绑 办公室")
    assert "不能自己办" in office["办公室"].last


def test_the_office_cannot_take_the_principals_place(office: Office) -> None:
    office["办公室"].says("绑定码 李校长")
    assert "校长本人" in office["办公室"].last
    office["办公室"].says("解绑 李校长")
    assert "校长本人" in office["办公室"].last
    office["办公室"].says("停用人员 李校长")
    assert "校长本人" in office["办公室"].last


def test_a_teacher_gets_no_codes(office: Office) -> None:
    office["王老师"].says("绑定码 张老师")
    assert "只有办公室" in office["王老师"].last


# --- names ----------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_of_two_people_of_one_name_the_office_is_asked_which(office: Office) -> None:
    add(office, "刘洋", "语文组")
    maths = add(office, "刘洋", "数学组")
    office["办公室"].says("绑定码 刘洋")
    assert "是哪一位" in office["办公室"].last
    office["办公室"].taps("刘洋（数学组）")
    found = re.search(r"绑定码：(\d{6})", office["办公室"].last)
    assert found
    assert office.ask(lambda db: people.owner_of_code(db, "bind", found[1], office.time())) == maths


@pytest.mark.parametrize("answer", ["数学组", "2", "刘洋（数学组）", "刘洋(数学组)"])
def test_which_of_the_two_may_be_said_in_words(office: Office, answer: str) -> None:
    add(office, "刘洋", "语文组")
    maths = add(office, "刘洋", "数学组")
    office["办公室"].says("停用人员 刘洋").says(answer)
    assert office.ask(lambda db: people.get(db, maths)).active is False  # type: ignore[union-attr]
    assert len([name for name in counted(office) if name == "刘洋"]) == 1


def test_an_answer_that_is_neither_is_asked_again(office: Office) -> None:
    add(office, "刘洋", "语文组")
    add(office, "刘洋", "数学组")
    office["办公室"].says("停用人员 刘洋").says("体育组")
    assert "是哪一位" in office["办公室"].last
    assert counted(office).count("刘洋") == 2


def test_two_of_one_name_and_department_are_told_apart_by_number(office: Office) -> None:
    add(office, "刘洋", "语文组", staff_no="1001")
    second = add(office, "刘洋", "语文组", staff_no="1002")
    office["办公室"].says("停用人员 刘洋").taps("刘洋（语文组 1002）")
    assert office.ask(lambda db: people.get(db, second)).active is False  # type: ignore[union-attr]


def test_a_name_that_only_sounds_right_is_offered_and_not_taken(office: Office) -> None:
    add(office, "王小明")
    office["办公室"].says("停用人员 王晓明")
    assert "王小明" in counted(office)
    office["办公室"].taps("王小明（语文组）")
    assert "王小明" not in counted(office)


def test_a_title_after_the_name_is_no_part_of_it(office: Office) -> None:
    add(office, "王小明")
    assert code_for(office, "王小明老师")


def test_a_name_nobody_has_is_refused_with_what_to_do(office: Office) -> None:
    office["办公室"].says("绑定码 诸葛亮")
    assert "名册里没有“诸葛亮”" in office["办公室"].last


def test_without_a_name_the_name_is_asked(office: Office) -> None:
    office["办公室"].says("销假")
    assert "哪一位" in office["办公室"].last
    office["办公室"].says("王老师")
    assert "没有登记请假" in office["办公室"].last


@pytest.mark.parametrize(
    ("typed", "exact", "maybe"),
    [
        ("王小明", ["王小明"], []),
        ("王小明老师", ["王小明"], []),
        ("王老师", [], ["王小明", "王芳"]),
        ("王晓明", [], ["王小明"]),
        ("张玮", [], ["张伟"]),
        ("善雄", [], ["单雄"]),  # a surname that a dictionary reads as another word
        ("张", [], []),
        ("不在", [], []),
    ],
)
def test_who_is_meant(typed: str, exact: list[str], maybe: list[str]) -> None:
    roster = [Person(n, name, "组") for n, name in enumerate(("王小明", "王芳", "张伟", "单雄", "老师"), 1)]
    found = rules.find(typed, roster)
    assert [p.name for p in found.exact] == exact
    assert [p.name for p in found.maybe] == maybe


@pytest.mark.parametrize(
    ("text", "name", "rest"),
    [
        ("王老师 12月1日", "王老师", "12月1日"),
        ("王老师12月1日到5日", "王老师", "12月1日到5日"),
        ("王小明老师 明天", "王小明老师", "明天"),
        ("刘洋（语文组）明天", "刘洋（语文组）", "明天"),
        ("诸葛亮 明天", "诸葛亮", "明天"),
    ],
)
def test_a_name_is_cut_from_what_follows(text: str, name: str, rest: str) -> None:
    roster = [Person(1, "王老师"), Person(2, "王小明"), Person(3, "刘洋", "语文组")]
    assert rules.split(text, roster) == (name, rest)


# --- roles ----------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_principal_makes_an_office(office: Office) -> None:
    office["李校长"].says("设为办公室 张老师")
    assert person(office, "张老师").role == "office"
    assert "您的角色改成了“办公室”" in office["张老师"].last
    assert audited(office, "people.role.office") == 1
    office["张老师"].says("谁在请假")
    assert office["张老师"].last == "今天没有人请假。"


@pytest.mark.parametrize("who", ["办公室", "王老师"])
def test_nobody_else_makes_an_office(office: Office, who: str) -> None:
    office[who].says("设为办公室 张老师")
    assert person(office, "张老师").role == "staff"


def test_the_last_office_stays(office: Office) -> None:
    office["李校长"].says("取消办公室 办公室")
    assert "唯一的办公室" in office["李校长"].last
    office["李校长"].says("停用人员 办公室")
    assert person(office, "办公室").active and person(office, "办公室").role == "office"


def test_one_of_two_offices_may_go(office: Office) -> None:
    office["李校长"].says("设为办公室 张老师").says("取消办公室 办公室")
    assert person(office, "办公室").role == "staff"


def test_who_may_is_asked_again_when_the_question_is_answered(office: Office) -> None:
    add(office, "刘洋", "语文组")
    add(office, "刘洋", "数学组")
    office["李校长"].says("设为办公室 刘洋")
    office.write(lambda db: people.change(db, office["李校长"].number or 0, role="office"))
    office["李校长"].taps("刘洋（数学组）")
    assert "只有校长可以做" in (office["李校长"].toast or "")
    assert len(office.ask(lambda db: people.holding(db, "office"))) == 2


@pytest.mark.paper
@pytest.mark.parametrize("verb", ["office", "stop", ""])
def test_a_whole_form_from_outside_carries_no_deed(office: Office, verb: str) -> None:
    """A page could send the form at once; what is to be done is never taken from it."""
    me, values = office["办公室"], {"which": "张老师", "verb": verb, "typed": "张老师"}
    me._does(Submitted(me._id(), me._at(), me.account, me.talk, "people.which", values))
    assert "只有校长可以做" in me.last
    assert person(office, "张老师") == Person(4, "张老师", "教学部", "群众", "staff")


# --- leave ----------------------------------------------------------------------------------------------------


def test_leave_takes_a_person_out_of_the_count_for_its_days(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 产假")
    assert "王老师 产假 12月1日 周二 至 12月5日 周六" in office["办公室"].last
    assert "王老师" in counted(office, date(2026, 11, 30))
    assert "王老师" not in counted(office, date(2026, 12, 1))
    assert "王老师" not in counted(office, date(2026, 12, 5))
    assert "王老师" in counted(office, date(2026, 12, 6))


def test_leave_is_told_in_a_sentence(office: Office) -> None:
    office["办公室"].says("王老师 请假 12月1日到12月5日 产假")
    assert "已登记：王老师 产假" in office["办公室"].last


def test_a_teachers_sentence_of_leave_is_none_of_ours(office: Office) -> None:
    office["张老师"].says("王老师 请假 12月1日到12月5日 产假")
    assert counted(office, date(2026, 12, 2)).count("王老师") == 1
    office["办公室"].says("王老师 请假 12月1日到12月5日 产假", in_group=True)
    assert office.group == []
    assert counted(office, date(2026, 12, 2)).count("王老师") == 1


@pytest.mark.stages
def test_what_is_missing_of_a_leave_is_asked_and_may_be_tapped(office: Office) -> None:
    office["办公室"].says("请假登记 王老师")
    office["办公室"].says("明天到周五")
    assert "什么假" in office["办公室"].last
    office["办公室"].taps("病假")
    assert "王老师 病假 11月24日 周二 至 11月27日 周五" in office["办公室"].last


@pytest.mark.stages
def test_leave_registered_in_the_group_is_answered_in_private(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 病假", in_group=True)
    assert office.group == []
    assert "病假" in office["办公室"].last


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("12月1日到12月5日", date(2026, 12, 1), date(2026, 12, 5)),
        ("明天", date(2026, 11, 24), date(2026, 11, 24)),
        ("11月20日到12月5日", date(2026, 11, 20), date(2026, 12, 5)),  # begun last week, said today
        ("到6月底", date(2026, 11, 23), date(2027, 6, 30)),
        ("12月1日起", date(2026, 12, 1), None),
        ("即日起", date(2026, 11, 23), None),
        ("从12月1日到明年3月1日", date(2026, 12, 1), date(2027, 3, 1)),
    ],
)
def test_the_days_of_a_leave(office: Office, said: str, first: date, last: date | None) -> None:
    office["办公室"].says(f"请假登记 王老师 {said} 病假")
    number = person(office, "王老师").id
    (leave,) = office.ask(lambda db: people.leaves_of(db, number))
    assert (leave.first, leave.last, leave.kind) == (first, last, "病假")


@pytest.mark.parametrize("said", ["11月1日到11月5日", "2月30日", "12月5日到12月2日"])
def test_days_that_cannot_be_are_refused(office: Office, said: str) -> None:
    office["办公室"].says(f"请假登记 王老师 {said} 病假")
    assert "已登记" not in office["办公室"].last
    assert office.ask(lambda db: people.leaves_of(db)) == []


def test_the_same_leave_twice_is_refused(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 病假").says("请假登记 王老师 12月2日 病假")
    assert "已经登记过" in office["办公室"].last
    assert len(office.ask(lambda db: people.leaves_of(db))) == 1


def test_a_longer_leave_takes_the_place_of_a_shorter_one(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 病假").says("请假登记 王老师 12月3日到12月9日 病假")
    leaves = [(leave.first.day, leave.last.day if leave.last else 0) for leave in office.ask(people.leaves_of)]
    assert leaves == [(1, 2), (3, 9)]


def test_who_comes_back_counts_from_today(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 今天到12月5日 病假")
    office.later(to="12月2日 10:00")
    office["办公室"].says("销假 王老师")
    assert "从今天起" in office["办公室"].last
    assert "王老师" in counted(office, date(2026, 12, 2))
    assert "王老师" not in counted(office, date(2026, 12, 1))


def test_a_leave_to_come_may_be_cancelled(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 病假").says("销假 王老师")
    assert "已取消" in office["办公室"].last
    assert office.ask(lambda db: people.leaves_of(db)) == []


def test_who_is_on_leave_is_told_in_private_to_the_office_only(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 今天到12月5日 病假").says("谁在请假", in_group=True)
    assert "王老师 病假" in office["办公室"].last
    assert office.group == []
    office["张老师"].says("谁在请假")
    assert "病假" not in office["张老师"].last


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("王老师 请假 12月1日", "王老师 12月1日"),
        ("王老师请假 12月1日", "王老师 12月1日"),
        ("请假 监考", None),
        ("请假", None),
        ("我请假 监考", None),
        ("我不请假 12月1日", None),
        ("王老师 请假", None),
    ],
)
def test_a_sentence_of_leave(text: str, heard: str | None) -> None:
    assert leave_sentence(text) == heard


def test_a_leave_wholly_past_or_within_another_is_no_leave() -> None:
    today, there = date(2026, 11, 23), [Leave(1, 1, date(2026, 12, 1), None, "借调")]
    with pytest.raises(NotUnderstood, match="过去"):
        rules.check_leave(date(2026, 11, 1), date(2026, 11, 5), [], today)
    with pytest.raises(Refused, match="登记过"):
        rules.check_leave(date(2026, 12, 3), date(2027, 1, 5), there, today)
    rules.check_leave(date(2026, 11, 25), date(2026, 12, 5), there, today)


# --- groups ---------------------------------------------------------------------------------------------------


@pytest.mark.paper
def test_a_new_group_is_told_what_to_do(office: Office) -> None:
    office["办公室"].says("解绑本群", in_group=True).brings_bot()
    assert "绑定本群" in office.group[-1]
    assert len(office.group) == 2


def test_a_group_that_is_bound_is_not_greeted_again(office: Office) -> None:
    office["办公室"].brings_bot()
    assert office.group == []


@pytest.mark.stages
def test_the_office_binds_the_group(office: Office) -> None:
    add(office, "赵敏")
    office["办公室"].says("解绑本群", in_group=True)
    assert office.ask(people.bound_groups) == []
    office["办公室"].says("绑定本群", in_group=True)
    told, first_word = office.group[-1].split("\n")
    assert told == "已绑定：全体教职工群，在册 9 人，已能私聊 8 人。"
    assert first_word.startswith("还没私聊过我的老师：请") and "说一句“你好”" in first_word and "赵敏" not in first_word
    assert len(office.ask(people.bound_groups)) == 1


def test_a_teacher_cannot_bind_a_group(office: Office) -> None:
    office["办公室"].says("解绑本群", in_group=True)
    office["王老师"].says("绑定本群", in_group=True)
    assert "只能由办公室" in office["王老师"].last
    assert len(office.group) == 1
    assert office.ask(people.bound_groups) == []


def test_a_stranger_is_told_so_in_the_group(office: Office) -> None:
    office["访客"].says("解绑本群", in_group=True)
    assert "只能由办公室" in office.group[-1]
    assert len(office.ask(people.bound_groups)) == 1


def test_a_private_talk_is_no_group(office: Office) -> None:
    office["办公室"].says("绑定本群")
    assert "群里" in office["办公室"].last


# --- what does not arrive -------------------------------------------------------------------------------------


def test_who_needs_a_code_and_who_only_a_word(office: Office) -> None:
    add(office, "赵敏")
    known = add(office, "钱进")
    office.write(lambda db: people.bind(db, known, "wecom", "qianjin", talk=None, now=None))
    office["办公室"].says("谁还没绑定")
    needs_code, needs_word, to_forward = office["办公室"].last.split("\n")
    assert "赵敏" in needs_code and "钱进" not in needs_code
    assert "钱进" in needs_word
    assert "说一句“你好”" in to_forward and "钱进" not in to_forward
    assert office["王老师"].says("谁还没绑定").last.startswith("这件事只有办公室")


def test_whom_no_message_reaches_is_told_by_platform_and_by_reason(office: Office) -> None:
    """In the roster's order, whatever they did or did not do: it is no ranking."""
    for name, channel, closed in (("周一", "wecom", False), ("吴二", "telegram", False), ("郑三", "wecom", True)):
        number = add(office, name, "语文组")
        office.write(lambda db, n=number, c=channel: people.bind(db, n, c, f"x{n}", talk=None, now=None))
        if closed:
            office.write(lambda db, n=number: people.seen(db, "wecom", f"x{n}", f"x{n}", office.time()))
            office.write(lambda db, n=number: people.close_talk(db, "wecom", f"x{n}"))
    both = add(office, "冯四", "语文组")
    office.write(lambda db: people.bind(db, both, "wecom", "feng", talk=None, now=None))
    office.write(lambda db: people.bind(db, both, "telegram", "77", talk="77", now=office.time()))
    office["办公室"].says("谁还没绑定")
    lines = office["办公室"].last.replace("企业微信：", "wecom：").split("\n")  # where it is connected, by its name
    told = [line for line in lines if not line.startswith("　")]
    assert told == [
        "telegram：已绑定、还没私聊过 1 人：吴二（语文组）",
        "wecom：已绑定、还没私聊过 1 人：周一（语文组）",
        "wecom：发不进去 1 人（从没跟我说过话，或停用、屏蔽了我）：郑三（语文组）",
    ]


@pytest.mark.paper
def test_where_we_may_write_first_an_account_is_enough(open_office: OpenOffice) -> None:
    stage = PaperStage()
    office = open_office(feature, staff=5, stage=stage)
    zhao = add(office, "赵敏")
    office.write(lambda db: people.bind(db, zhao, "paper", "zhaomin", talk=None, now=None))
    office["办公室"].says("谁还没绑定")
    assert "赵敏" in office["办公室"].last
    stage.ways = {"paper": Way("纸", "看门口的纸", first=True)}
    office.restart()
    office["办公室"].says("谁还没绑定")
    assert office["办公室"].last == "所有人都能私聊到。"
    office["李校长"].says("设为办公室 赵敏")
    assert any("角色" in seen.text for seen in stage.messages("zhaomin"))


@pytest.mark.paper
def test_what_did_not_arrive_is_told_with_the_remedy(office: Office) -> None:
    add(office, "赵敏")
    stage: Paper = office.stage.paper  # type: ignore[attr-defined]
    gone = office["王老师"].talk
    stage.broken = lambda place: DeliveryFailed("blocked", permanent=True) if place == gone else None
    office["李校长"].says("设为办公室 赵敏").says("设为办公室 王老师")
    office["办公室"].says("未送达")
    assert re.search(r"赵敏：\d 条（还没私聊过我", office["办公室"].last)
    assert re.search(r"王老师：\d 条（对方停用或屏蔽了", office["办公室"].last)


def test_all_delivered_is_said_so(office: Office) -> None:
    office["办公室"].says("未送达")
    assert "没有送不到" in office["办公室"].last


def test_a_check_up_tells_numbers_and_worries(office: Office) -> None:
    add(office, "赵敏")
    office["办公室"].says("体检")
    assert "能私聊：8 / 9 人" in office["办公室"].last
    assert "回复“谁还没绑定”" in office["办公室"].last


def test_a_check_up_of_a_healthy_school(office: Office) -> None:
    office["办公室"].says("体检")
    assert office["办公室"].last.endswith("都正常。")


def test_my_own_facts_are_mine(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 今天到12月5日 病假")
    office["王老师"].says("我的信息", in_group=True)
    assert office.group == []
    assert "请假：病假 11月23日 周一 至 12月5日 周六" in office["王老师"].last


def test_the_privacy_page_says_what_the_housekeeping_does(office: Office) -> None:
    assert (KEEP_SENT, KEEP_FILES) == (outbox.KEPT, files.KEPT)
    office["访客"].says("隐私")
    assert f"发出的消息记录保留 {KEEP_SENT.days} 天" in office["访客"].last


def test_somebody_stopped_is_a_stranger_until_started_again(office: Office) -> None:
    office["办公室"].says("停用人员 王老师")
    office["王老师"].says("我的信息")
    assert "还不认识您" in office["王老师"].last
    office["办公室"].says("启用人员 王老师")
    office["王老师"].says("我的信息")
    assert "姓名：王老师" in office["王老师"].last


def test_the_roster_in_numbers(office: Office) -> None:
    office["办公室"].says("请假登记 王老师 今天到12月5日 病假").says("名册")
    assert "在册：8" in office["办公室"].last
    assert "今天在岗：7" in office["办公室"].last
    assert "办公室：办公室" in office["办公室"].last


def test_the_section_for_reports_names_nobody(office: Office) -> None:
    (block,) = office.section("名册概况", date(2026, 11, 1))
    assert "王老师" not in str(block)
    assert ("在册", "8") in block.pairs  # type: ignore[union-attr]


# --- hostile --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["{n}{name}", "%s%d", "<b>王</b>", "王\u202e师老", "=1+1", "a" * 64])
def test_a_hostile_name_breaks_no_sentence(office: Office, name: str) -> None:
    add(office, name)
    office["办公室"].says("谁还没绑定")
    turned = "\u202e"  # shown by no wire
    assert name.replace(turned, "") in office["办公室"].last.replace(turned, "")
    office["办公室"].says("绑定码 全部")
    assert "1 人的绑定码" in office["办公室"].last
    office["办公室"].says(f"停用人员 {name}")
    assert office.ask(lambda db: people.count_active(db)) == 8


@pytest.mark.parametrize("rest", ["", "   ", "12345", "1234567", "abcdef", "１２３", "123456; drop table people"])
def test_what_is_no_code_is_answered_with_an_example(office: Office, rest: str) -> None:
    office["访客"].says(f"绑定 {rest}")
    assert "例：绑定 123456" in office["访客"].last


@pytest.mark.parametrize("who", ["访客", "王老师"])
def test_words_of_the_office_do_nothing_for_others(office: Office, who: str) -> None:
    for command in feature.commands:
        if not Role.STAFF.includes(command.who):
            office[who].says(f"{command.words[0]} 张老师" if not command.whole else command.words[0])
    assert person(office, "张老师") == Person(4, "张老师", "教学部", "群众", "staff")
    assert office.ask(lambda db: people.leaves_of(db)) == []


def test_the_dialogues_run_on_postgresql_too(fresh_database: Callable[[], str]) -> None:
    office = Office(fresh_database(), [feature], staff=5)
    add(office, "刘洋", "语文组")
    add(office, "刘洋", "数学组")
    office["办公室"].says("绑定码 刘洋").taps("刘洋（数学组）")
    found = re.search(r"绑定码：(\d{6})", office["办公室"].last)
    assert found
    office["刘洋的手机"].says("绑定 000000").says(f"绑定 {found[1]}")
    assert "数学组" in office["刘洋的手机"].last
    office["办公室"].says("请假登记 王老师 12月1日到12月5日 病假").says("请假登记 王老师 12月3日到12月9日 事假")
    assert [leave.first.day for leave in office.ask(people.leaves_of)] == [1, 3]
    office["办公室"].says("谁还没绑定").says("未送达").says("体检").says("绑定码 全部").says("销假 王老师")
    office.close()


# --- the way to our own pages ---------------------------------------------------------------------------------


def with_pages(office: Office) -> None:
    office.running.pipeline.school = dataclasses.replace(office.running.school, site="https://bot.school.example")


def test_who_is_known_gets_a_link_that_is_good_once_and_for_five_minutes(office: Office) -> None:
    with_pages(office)
    office["王老师"].says("登录", in_group=True)
    found = re.search(r"https://bot\.school\.example/login/(\S{20,})", office["王老师"].last)
    assert found is not None
    assert not any("login" in text for text in office.group)
    late = office.time() + timedelta(minutes=6)
    assert office.ask(lambda db: db.value(people.codes.select().with_only_columns(people.codes.c.until))) < late
    assert office.write(lambda db: people.redeem_code(db, "login", found[1], office.time())) == office["王老师"].number
    assert office.write(lambda db: people.redeem_code(db, "login", found[1], office.time())) is None


def test_where_there_are_no_pages_or_nobody_is_known_there_is_no_link(office: Office) -> None:
    office["王老师"].says("登录")
    assert "没有开网页" in office["王老师"].last
    with_pages(office)
    office["访客"].says("登录")
    assert "login" not in office["访客"].last


def test_the_office_sends_a_link_to_who_has_no_account_yet_and_to_nobody_else(office: Office) -> None:
    office["办公室"].says("登录链接 新来的")
    assert "没有“新来的”" in office["办公室"].last
    newcomer = add(office, "新来的", "语文组")
    office["办公室"].says("登录链接 新来的")
    assert "没有开网页" in office["办公室"].last
    with_pages(office)
    office["办公室"].says("登录链接 新来的", in_group=True)
    found = re.search(r"https://bot\.school\.example/login/(\S{20,})", office["办公室"].last)
    assert found is not None
    assert "只能用一次" in office["办公室"].last
    assert not any("login" in text for text in office.group)
    assert office.write(lambda db: people.redeem_code(db, "login", found[1], office.time())) == newcomer
    office["办公室"].says("登录链接 王老师")
    assert "请本人私聊我发“登录”" in office["办公室"].last
    office["王老师"].says("登录链接 新来的")
    assert "只有办公室" in office["王老师"].last

"""What happens around a meeting, as the office and the teachers live it: the door, the papers of the inspectors."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from docx import Document as open_docx

from handlers.meetings import rules
from handlers.meetings.feature import feature
from handlers.notices.feature import feature as notices
from storage import meetings, people
from tests.handlers.conftest import OpenOffice
from tests.office import Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
OTHER = "发通知 周五下午四点 报告厅 期中质量分析"
STAFF = 8


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    """An office with one meeting on Friday at 15:30, answered by two."""
    office = open_office(notices, feature, staff=STAFF)
    office["办公室"].says(SAID).confirms()
    office["王老师"].taps("能到")
    office["张老师"].taps("请假", reason="看病，别告诉别人")
    return office


@pytest.fixture
def at_the_door(office: Office) -> Office:
    """Ten minutes before it begins, the office opens the door."""
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到")
    return office


def document(office: Office, ending: str, of: str = "办公室") -> bytes:
    return next(one.content for one in reversed(office[of].documents) if one.name.endswith(ending))


def table(content: bytes, number: int = 0) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in open_docx(BytesIO(content)).tables[number].rows]


def form(content: bytes) -> dict[str, str]:
    return dict(row for row in table(content) if len(row) == 2)  # type: ignore[misc]


def sheet(content: bytes, name: str) -> list[tuple[Any, ...]]:
    found = openpyxl.load_workbook(BytesIO(content))[name]
    return [tuple(cell or "" for cell in row) for row in found.iter_rows(values_only=True)]


def read(content: bytes, ending: str) -> str:
    """Everything that stands in a file."""
    if ending == "docx":
        return str(open_docx(BytesIO(content)).element.xml)
    return str([list(page.values) for page in openpyxl.load_workbook(BytesIO(content))])


def signed(office: Office, notice: int = 1) -> list[str]:
    def ask(db: Any) -> list[str]:
        return [people.get(db, person).name for person in meetings.signed(db, notice)]  # type: ignore[union-attr]

    return office.ask(ask)


# --- 6 the papers ---------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_office_gets_what_everybody_answered_as_word_and_excel(office: Office) -> None:
    office["办公室"].says("回执统计")
    names = [one.name for one in office["办公室"].documents]
    assert [name.rpartition(".")[2] for name in names] == ["docx", "xlsx"]
    rows = table(document(office, "docx"), 1)
    assert rows[0] == ("序号", "姓名", "部门", "答复", "答复时间")
    assert [row[3] for row in rows[1:]] == ["未答", "未答", "能到", "请假", *["未答"] * 4]
    assert sheet(document(office, "xlsx"), "回执统计")[-1] == ("合计", "8", "1", "0", "1", "6")


def test_a_reason_for_leave_is_in_none_of_the_papers(at_the_door: Office) -> None:
    office = at_the_door
    for word in ("回执统计", "签到表", "会议记录"):
        office["办公室"].says(word)
    office["办公室"].taps("生成会议记录")
    assert len(office["办公室"].documents) == 5
    for one in office["办公室"].documents:
        words = read(one.content, one.name.rpartition(".")[2])
        assert "张老师" in words and "看病" not in words and "别告诉" not in words


def test_without_a_door_the_sheet_is_to_be_signed_by_hand(office: Office) -> None:
    office["办公室"].says("签到表")
    rows = table(document(office, "docx"))
    assert rows[0] == ("序号", "姓名", "部门", "签到", "备注")
    assert {row[3] for row in rows[1:]} == {""}
    assert [row[4] for row in rows[1:]] == ["", "", "", "请假", "", "", "", ""]


@pytest.mark.stages
def test_with_a_door_the_sheet_says_who_signed_and_when(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].taps("签到")
    office.later(minutes=12)
    office["李校长"].says("签到")
    office["办公室"].says("签到表")
    rows = {row[1]: row[3:] for row in table(document(office, "docx"))}
    assert rows["王老师"] == ("15:20", "")
    assert rows["李校长"] == ("15:32", "晚到")
    assert rows["张老师"] == ("", "请假")
    assert rows["老师05"] == ("", "")
    page = sheet(document(office, "xlsx"), "签到表")
    assert page[3][0] == "应到 8 人，实到 2 人"


def test_minutes_say_what_was_recorded_and_leave_the_rest_to_be_written(office: Office) -> None:
    office.later(to="周五 16:00")
    office["办公室"].says("生成会议记录")
    said = form(document(office, "docx"))
    assert said["会议名称"] == "教学例会" and said["地点"] == "三楼会议室"
    assert said["时间"] == "2026年11月27日 周五 15:30"
    assert said["应到"] == "8 人" and said["请假（按答复）"] == "1 人：张老师"
    for blank in ("主持人", "记录人", "实到", "未到", "会议议程", "会议决议"):
        assert said[blank] == "〔待填〕"


@pytest.mark.stages
def test_the_recorder_fills_the_minutes_by_tap_and_by_word(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].taps("签到")
    office.later(to="周五 16:30")
    me = office["办公室"]
    me.says("会议记录").taps("主持人").taps("李校长")
    me.taps("记录人").taps("办公室")
    me.says("记议程 通报期中情况\n布置月考")
    me.taps("决议").says("同意 12 月 7 日月考")
    me.taps("生成会议记录")
    said = form(document(office, "docx"))
    assert said["主持人"] == "李校长" and said["记录人"] == "办公室"
    assert said["会议议程"] == "1. 通报期中情况\n2. 布置月考"
    assert said["会议决议"] == "同意 12 月 7 日月考"
    assert said["实到"] == "1 人" and said["请假"] == "1 人：张老师"
    assert said["未到"].startswith("6 人：")


def test_leave_that_was_not_granted_is_no_leave(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].taps("签到")
    office["办公室"].taps("不同意")
    office.later(to="周五 16:30")
    office["办公室"].says("生成会议记录")
    said = form(document(office, "docx"))
    assert said["请假"] == "无" and "张老师" in said["未到"]


def test_names_and_words_that_look_like_formulas_stay_text(open_office: OpenOffice) -> None:
    office = open_office(notices, feature, staff=4)
    office.write(lambda db: people.change(db, 3, name="=1+1\x01", department="@SUM(A1)"))
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 =cmd|' /C calc'!A0").confirms()
    office["办公室"].says("签到表")
    page = openpyxl.load_workbook(BytesIO(document(office, "xlsx")))["签到表"]
    cells = {cell.value: cell.data_type for row in page.iter_rows() for cell in row if cell.value}
    assert cells["=1+1"] == "s" and cells["@SUM(A1)"] == "s"
    assert set(cells.values()) == {"s"}


# --- 3 the door -----------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_door_is_closed_unless_the_office_opens_it(office: Office) -> None:
    office.later(to="周五 15:20")
    office["王老师"].says("签到")
    assert "现在没有会议在签到" in office["王老师"].last
    office["王老师"].says("签到", in_group=True)
    assert signed(office) == []
    office["办公室"].says("开始签到")
    assert "15:50 结束" in office["办公室"].last
    office["王老师"].taps("签到", in_="群")
    assert office["王老师"].told("已签到：15:20")
    assert signed(office) == ["王老师"]
    assert office.shown("meeting-door:1").tally == {"已签到": 1}


@pytest.mark.stages
def test_the_group_reads_a_number_and_never_a_name(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].says("签到", in_group=True)
    office["张老师"].taps("签到")
    office["办公室"].says("结束签到")
    assert "应到 8 人，实到 2 人" in office["办公室"].last
    assert "王老师" not in office.board and "张老师" not in office.board
    assert sum("签到 · 教学例会" in text for text in office.group) == 1
    assert office["王老师"].finds_closed("签到")


@pytest.mark.stages
def test_a_late_tap_says_so_and_one_after_the_end_is_not_written(at_the_door: Office) -> None:
    office = at_the_door
    office.later(to="周五 15:41")
    office["王老师"].taps("签到", in_="群")
    assert office["王老师"].told("已签到：15:41。会议 15:30 已经开始，记为晚到。")
    office.later(to="周五 15:51")
    office["张老师"].says("签到")
    assert "签到已于" in office["张老师"].last and "补签" in office["张老师"].last
    assert signed(office) == ["王老师"]
    assert any("签到结束：应到 8 人，实到 1 人" in text for text in office["办公室"].inbox)


@pytest.mark.stages
def test_who_said_leave_may_sign_and_nobody_signs_for_another(at_the_door: Office) -> None:
    office = at_the_door
    office["张老师"].says("签到")
    assert signed(office) == ["张老师"]
    office["王老师"].says("帮李校长签到")
    assert "只能本人" in office["王老师"].last
    office["王老师"].says("签到表在哪")
    assert signed(office) == ["张老师"]


def test_the_first_time_counts(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].taps("签到")
    office.later(minutes=15)
    office["王老师"].says("签到")
    assert "已经签过了：15:20" in office["王老师"].last
    assert signed(office) == ["王老师"]


@pytest.mark.stages
def test_the_office_signs_for_a_phone_that_was_left_at_home(at_the_door: Office) -> None:
    office = at_the_door
    office["王老师"].taps("签到")
    office.later(to="周五 16:00")
    office["办公室"].says("补签 老师05、老师06")
    assert "已补签 2 人" in office["办公室"].last
    office["办公室"].says("补签").taps("老师07")
    office["办公室"].says("签到表")
    rows = {row[1]: row[3:] for row in table(document(office, "docx"))}
    assert rows["老师05"] == rows["老师07"] == ("已签到", "办公室补签")


def test_without_a_door_nobody_is_signed_in_and_so_nobody_made_absent(office: Office) -> None:
    office.later(to="周五 16:00")
    office["办公室"].says("补签 老师05")
    assert "没有开过签到" in office["办公室"].last and signed(office) == []
    office["办公室"].says("生成会议记录")
    assert form(document(office, "docx"))["未到"] == "〔待填〕"


def test_a_door_that_was_opened_by_mistake_makes_nobody_absent(at_the_door: Office) -> None:
    office = at_the_door
    office["办公室"].says("结束签到")
    office.later(to="周五 16:30")
    office["办公室"].says("生成会议记录")
    assert form(document(office, "docx"))["未到"] == "〔待填〕"


def test_somebody_on_long_leave_who_comes_is_written_as_a_guest(office: Office) -> None:
    office.write(lambda db: people.set_leave(db, 5, office.time().date(), None, "产假"))
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到 20分钟")
    office["老师05"].taps("签到")
    assert office["老师05"].told("列席")
    office["办公室"].says("签到表")
    rows = table(document(office, "docx"))
    assert rows[-1][1] == "老师05" and rows[-1][4] == "列席" and len(rows) == 9


@pytest.mark.stages
def test_with_two_meetings_about_now_the_office_is_asked_which(office: Office) -> None:
    office["办公室"].says(OTHER).confirms()
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到")
    assert "哪一场会议" in office["办公室"].last
    office["办公室"].taps("1123-02 期中质量分析")
    office["王老师"].says("签到")
    assert signed(office, 2) == ["王老师"] and signed(office) == []


def test_with_two_doors_open_a_teacher_is_asked_which(office: Office) -> None:
    office["办公室"].says(OTHER).confirms()
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到 1123-01").says("开始签到 1123-02")
    office["王老师"].says("签到").taps("1123-02 期中质量分析")
    assert signed(office, 2) == ["王老师"] and signed(office) == []


def test_a_door_opens_neither_too_early_nor_for_a_meeting_that_was_cancelled(office: Office) -> None:
    office["办公室"].says("开始签到")
    assert "离开会还早" in office["办公室"].last
    office.later(to="周五 15:00")
    office["办公室"].says("取消通知").taps("确认取消")
    office["办公室"].says("开始签到 1123-01")
    assert "已经取消" in office["办公室"].last


@pytest.mark.stages
def test_with_a_code_a_tap_at_home_is_not_enough(office: Office) -> None:
    office.later(to="周五 15:20")
    office["办公室"].says("凭码签到")
    door = office.ask(lambda db: meetings.door(db, 1))
    assert door is not None and door.secret
    office["王老师"].taps("签到", in_="群")
    assert "四位数" in office["王老师"].last
    right = rules.code(door, office.time())
    wrong = f"{(int(right) + 1) % 10_000:04d}"
    office["王老师"].says(wrong)
    assert "不对" in office["王老师"].last and signed(office) == []
    office["王老师"].says(f"签到 {right}")
    assert signed(office) == ["王老师"]
    office.later(minutes=2)
    office["张老师"].says(f"签到 {right}")
    assert "不对" in office["张老师"].last and signed(office) == ["王老师"]


def test_a_code_is_not_found_by_trying(office: Office) -> None:
    office.later(to="周五 15:20")
    office["办公室"].says("凭码签到")
    door = office.ask(lambda db: meetings.door(db, 1))
    assert door is not None
    right = rules.code(door, office.time())
    for step in range(1, 6):
        office["王老师"].says(f"签到 {(int(right) + step) % 10_000:04d}")
        assert "不对" in office["王老师"].last
    office["王老师"].says(f"签到 {right}")
    assert "错得太多" in office["王老师"].last and signed(office) == []
    office["张老师"].says(f"签到 {right}")
    assert signed(office) == ["张老师"]
    office.later(minutes=11)
    office["王老师"].says(f"签到 {rules.code(door, office.time())}")
    assert signed(office) == ["张老师", "王老师"]


def test_without_pages_the_office_reads_the_code_to_everybody(office: Office) -> None:
    office.later(to="周五 15:20")
    office["办公室"].says("凭码签到")
    assert any("没有开网页" in text for text in office["办公室"].inbox[-3:])
    office["办公室"].says("会务")
    door = office.ask(lambda db: meetings.door(db, 1))
    assert door is not None and rules.code(door, office.time()) in office["办公室"].last
    assert rules.code(door, office.time()) not in office.board


@pytest.mark.stages
def test_a_teacher_and_a_stranger_cannot_open_the_door(office: Office) -> None:
    office.later(to="周五 15:20")
    office["王老师"].says("开始签到")
    assert "办公室" in office["王老师"].last
    office["访客"].forges("mt.do:1:o")
    office["王老师"].forges("mt.do:1:o")
    assert office.ask(lambda db: meetings.door(db, 1)) is None

"""The roster's file: what it may say, what it would change, and that nothing happens before it is confirmed."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit import tables
from handlers.people.feature import feature as people_feature
from handlers.roster import export, rules, work
from handlers.roster.feature import apply, feature
from handlers.roster.rules import Plan, Roster
from storage import imports, people
from storage.base import Db
from storage.imports import Line, Sheet
from storage.people import Leave, Person
from tests.handlers.conftest import OpenOffice
from tests.office import Office

TODAY = date(2026, 11, 23)
HEADS = ("姓名", "部门", "政治面貌", "角色", "在岗状态", "开始日期", "结束日期", "telegram", "wecom", "电话", "工号")
Row = Sequence[Any]


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(people_feature, feature, staff=5)


def xlsx(*rows: Row, heads: Row = HEADS, above: Sequence[Row] = (), sheet: str = "名册") -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        page = book.add_worksheet(sheet)
        for number, row in enumerate([*above, heads, *rows]):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    page.write_datetime(number, column, value, day)
                elif value not in (None, ""):
                    page.write(number, column, value)
    return made.getvalue()


def csv(*lines: str, encoding: str = "utf-8-sig") -> bytes:
    return "\r\n".join(lines).encode(encoding)


def read(payload: bytes) -> Sheet:
    return msgspec.convert(work.read_roster(payload, {}), Sheet)


def problems(*rows: Row, heads: Row = HEADS) -> Sequence[str]:
    return read(xlsx(*rows, heads=heads)).problems


def sends(office: Office, payload: bytes, name: str = "名册.xlsx", who: str = "办公室") -> None:
    office[who].says("", file=(name, payload))


def everybody(office: Office) -> dict[str, Person]:
    return {person.name: person for person in office.ask(people.active)}


# --- what a file looks like -----------------------------------------------------------------------------------


def test_a_whole_row_is_read() -> None:
    row = (
        "王老师",
        "语文组",
        "党员",
        "教师",
        "产假",
        date(2026, 12, 1),
        "2027年3月1日",
        10001,
        "WangLi",
        13800000000,
        "0012",
    )
    (line,) = read(xlsx(row)).lines
    assert line == Line(
        2, "王老师", "语文组", "中共党员", "staff", "产假", date(2026, 12, 1), date(2027, 3, 1),
        "10001", "wangli", "13800000000", "0012",
    )  # fmt: skip


def test_headings_are_found_by_name_in_any_order() -> None:
    heads = ("序号", "联系电话（手机）", "教研组", "职工号*", "教师姓名")
    sheet = read(xlsx((1, "138 0000 0000", "数学组", "7", "张老师"), heads=heads))
    assert sheet.lines == [Line(2, "张老师", "数学组", phone="13800000000", staff_no="7")]
    assert sheet.unused == ["序号"]


def test_a_title_above_the_headings_moves_the_cells() -> None:
    payload = xlsx(("王老师", "2月30日"), heads=("姓名", "开始日期"), above=[("红烛中学教职工名册",), ()])
    assert read(payload).problems == ["B4：日期看不懂：2月30日（要写年月日，例：2026-12-01）"]


def test_the_sheet_with_the_names_is_found_behind_another() -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        book.add_worksheet("说明").write(0, 0, "请先阅读")
        page = book.add_worksheet("名册")
        page.write(0, 0, "姓名")
        page.write(1, 0, "王老师")
    assert [line.name for line in read(made.getvalue()).lines] == ["王老师"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_of_any_make_is_read(encoding: str, delimiter: str) -> None:
    lines = (
        delimiter.join(("姓名", "部门")),
        delimiter.join(("王老师", "语文组")),
        delimiter.join(("𠮷老师", "数学组")),
    )
    assert [(line.name, line.department) for line in read(csv(*lines, encoding=encoding)).lines] == [
        ("王老师", "语文组"),
        ("𠮷老师", "数学组"),
    ]


def test_what_a_file_is_its_first_bytes_say() -> None:
    assert [line.name for line in read(xlsx(("王老师",), heads=("姓名",))).lines] == ["王老师"]
    assert read(b"<html><table><tr><td>\xe5\xa7\x93\xe5\x90\x8d</td></tr></table>").problems


@pytest.mark.parametrize(
    "cell", [date(2026, 12, 1), "2026-12-01", "2026/12/1", "2026.12.1", "2026年12月1日", "20261201", 46357]
)
def test_a_day_as_people_write_it(cell: object) -> None:
    (line,) = read(xlsx(("王老师", "病假", cell), heads=("姓名", "在岗状态", "开始日期"))).lines
    assert line.first == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张　三", "张三"),
        (" 张 三 ", "张三"),
        ("王\u200b老\ufeff师", "王老师"),
        ("王\u202e师老", "王师老"),
        ("阿卜杜热合曼·阿卜杜热西提", "阿卜杜热合曼·阿卜杜热西提"),
        ("John  Smith", "John Smith"),
        ("<b>王</b>", "<b>王<b>"),
    ],
)
def test_a_name_as_people_write_it(typed: str, name: str) -> None:
    sheet = read(xlsx((typed,), heads=("姓名",)))
    assert [line.name for line in sheet.lines] == [name] or ("/" in typed and "一格只写一个人" in sheet.problems[0])


# --- every kind of bad cell -----------------------------------------------------------------------------------

BAD = [
    ("姓名", "", "A2：姓名是空的"),
    ("姓名", "=1+1", "A2：这不像姓名：=1+1"),
    ("姓名", "@SUM(A1)", "A2：这不像姓名"),
    ("姓名", "+王", "A2：这不像姓名"),
    ("姓名", 12345, "A2：这不像姓名：12345"),
    ("姓名", "——", "A2：这不像姓名"),
    ("姓名", "张三、李四", "A2：一格只写一个人"),
    ("姓名", "王" * 33, "A2：姓名太长（33 字）"),
    ("部门", "组" * 33, "B2：太长（33 字）"),
    ("政治面貌", "路人", "C2：政治面貌不认识：路人（可以写：中共党员、"),
    ("角色", "班主任", "D2：角色不认识：班主任（可以写：校长、办公室、教职工）"),
    ("在岗状态", "旅游", "E2：在岗状态不认识：旅游"),
    ("开始日期", "2月30日", "F2：日期看不懂：2月30日"),
    ("开始日期", "2026-02-30", "F2：日期看不懂：2026-02-30"),
    ("开始日期", "下周三", "F2：日期看不懂：下周三"),
    ("结束日期", "12月1日", "G2：日期看不懂：12月1日"),
    ("telegram", "@wangli", "H2：telegram 要写数字编号，不是用户名：@wangli"),
    ("telegram", 1.5, "H2：telegram 要写数字编号"),
    ("telegram", "0123456", "H2：telegram 要写数字编号"),
    ("wecom", "王 丽", "I2：企业微信账号只有字母"),
    ("电话", "138-abc", "J2：电话看不懂：138-abc"),
    ("电话", "13800000000/13900000000", "J2：电话看不懂"),
    ("工号", "9" * 33, "K2：太长"),
]


@pytest.mark.parametrize(("head", "cell", "sentence"), BAD, ids=[f"{head}-{n}" for n, (head, _c, _s) in enumerate(BAD)])
def test_a_bad_cell_is_named(head: str, cell: object, sentence: str) -> None:
    row = ["王老师", "语文组", "", "", "病假", "", "", "", "", "", ""]
    row[HEADS.index(head)] = cell  # type: ignore[call-overload]
    found = problems(row)
    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_a_formula_that_failed_is_an_empty_name() -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ("姓名", "部门"))
        page.write_formula(1, 0, "=NA()", None, "#N/A")
        page.write(1, 1, "语文组")
    assert read(made.getvalue()).problems == ["A2：姓名是空的"]


def test_every_bad_cell_of_a_row_is_named_at_once() -> None:
    assert len(problems(("", "组", "路人", "班主任", "旅游", "2月30日", "", "@x", "", "", ""))) == 6


@pytest.mark.parametrize(
    ("status", "first", "last", "sentence"),
    [
        ("", "2026-12-01", "", "F2：写了日期，却没有写在岗状态"),
        ("在岗", "", "2026-12-01", "G2：在岗的人不用写日期"),
        ("病假", "2026-12-05", "2026-12-01", "G2：结束日期早于开始日期"),
    ],
)
def test_days_that_do_not_fit_the_state_are_named(status: str, first: str, last: str, sentence: str) -> None:
    (found,) = problems(("王老师", "", "", "", status, first, last))
    assert found.startswith(sentence)


def test_two_of_one_name_must_be_told_apart() -> None:
    (found,) = problems(("刘洋", "语文组"), ("张老师", "语文组"), ("刘洋", "语文组"))
    assert found == "A2、A4：2 位刘洋的部门也一样，请加一列“工号”区分"
    assert problems(("刘洋", "语文组"), ("刘洋", "数学组")) == []
    pair = [("刘洋", "语文组", *[""] * 8, number) for number in ("1", "2")]
    assert problems(*pair) == []


@pytest.mark.parametrize(("column", "value"), [(7, "10001"), (8, "wangli"), (10, "12")])
def test_what_belongs_to_one_person_stands_once(column: int, value: str) -> None:
    rows = [[name, *[""] * 10] for name in ("王老师", "张老师")]
    for row in rows:
        row[column] = value
    (found,) = problems(*rows)
    assert found.endswith("写了一样的内容，应当一人一个")


def test_two_columns_of_one_meaning_are_a_problem() -> None:
    (found,) = problems(("王老师", "13800000000", "13900000000"), heads=("姓名", "电话", "手机号"))
    assert found == "B1、C1：有两列都是“手机号”，请只留一列"


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        (b"", "没有找到“姓名”"),
        (b"hello", "没有找到“姓名”"),
        (csv("部门,电话", "语文组,1"), "没有找到“姓名”"),
        (csv("姓名", ""), "没有人"),
        (b"PK\x03\x04rubbish", "损坏"),
        (xlsx(("王老师",))[:-200], "损坏"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 2000, "损坏"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "不是表格"),
        (b"\xff\xfe\x00\xd8", "编码"),
        (b"x" * (tables.MAX_BYTES + 1), "文件太大"),
        (csv("姓名", *["王老师"] * 2001), "太多行"),
    ],
    ids=range(11),
)
def test_a_file_that_cannot_be_read_says_what_to_do(payload: bytes, sentence: str) -> None:
    (found,) = read(payload).problems
    assert sentence in found
    assert "请" in found


def test_a_zip_bomb_is_refused_by_what_it_says_of_itself() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/worksheets/sheet1.xml", b"\0" * (tables.MAX_UNPACKED + 1))
    assert len(made.getvalue()) < 100_000
    assert "展开后太大" in read(made.getvalue()).problems[0]


@settings(max_examples=60)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(payload: bytes) -> None:
    for head in (b"", b"PK\x03\x04", "姓名,部门\n".encode(), b"\xd0\xcf\x11\xe0"):
        sheet = read(head + payload)
        assert sheet.problems or sheet.lines


@settings(max_examples=60)
@given(
    st.lists(st.lists(st.one_of(st.text(max_size=20), st.floats(), st.dates(), st.booleans(), st.none()), max_size=11))
)
def test_no_cells_break_the_reader(cells: list[list[Any]]) -> None:
    sheet = work.parse([HEADS, ("王老师",), *cells])
    good = {line.row for line in sheet.lines}
    assert 2 in good
    assert all(line.name and len(line.name) <= 32 for line in sheet.lines)


# --- what it would change -------------------------------------------------------------------------------------

PRINCIPAL = Person(1, "李校长", "校长室", "", "principal")
SECRETARY = Person(2, "办公室", "办公室", "", "office")
WANG = Person(3, "王老师", "语文组", "群众")
LETTERS = {name: work.letter(n) for n, name in enumerate(export.HEADINGS)}


def plan(
    *lines: Line, roster: Sequence[Person] = (PRINCIPAL, SECRETARY, WANG), by: Person = SECRETARY, **known: Any
) -> Plan:
    facts: dict[str, Any] = {"leaves": (), "accounts": {}, **known}
    return rules.compare(Sheet(LETTERS, (), lines), Roster(roster, today=TODAY, by=by, **facts))


HEAD = (Line(2, "李校长"), Line(3, "办公室"))


def test_somebody_new_and_somebody_changed_and_somebody_missing() -> None:
    found = plan(Line(2, "李校长"), Line(3, "王老师", "数学组"), Line(4, "赵敏", "语文组"))
    assert [change.name for change in found.new] == ["赵敏"]
    assert [(c.person, c.facts) for c in found.changed] == [(3, [("department", "语文组", "数学组")])]
    assert (found.same, found.missing, [p.name for p in found.safe]) == (1, [], ["办公室"])


def test_an_empty_cell_changes_nothing() -> None:
    assert plan(*HEAD, Line(4, "王老师", None)).same == 3


def test_two_of_one_name_are_met_by_department() -> None:
    roster = (PRINCIPAL, SECRETARY, Person(3, "刘洋", "语文组"), Person(4, "刘洋", "数学组"))
    found = plan(*HEAD, Line(4, "刘洋", "数学组", phone="1"), Line(5, "刘洋", "语文组"), roster=roster)
    assert [change.person for change in found.changed] == [4]
    assert found.same == 3


def test_a_second_of_a_name_is_somebody_new() -> None:
    found = plan(*HEAD, Line(4, "王老师", "语文组"), Line(5, "王老师", "数学组"))
    assert [change.name for change in found.new] == ["王老师"]
    assert found.changed == []


@pytest.mark.parametrize("line", [Line(4, "刘洋"), Line(4, "刘洋", "体育组")])
def test_a_line_that_may_mean_two_is_a_problem(line: Line) -> None:
    roster = (PRINCIPAL, SECRETARY, Person(3, "刘洋", "语文组"), Person(4, "刘洋", "数学组"))
    (found,) = plan(*HEAD, line, roster=roster).problems
    assert found == "A4：名册里有 2 位刘洋（语文组、数学组），请写清部门或工号。"


def test_the_number_decides_before_the_department() -> None:
    roster = (
        PRINCIPAL,
        SECRETARY,
        Person(3, "刘洋", "语文组", staff_no="1"),
        Person(4, "刘洋", "语文组", staff_no="2"),
    )
    found = plan(*HEAD, Line(4, "刘洋", "数学组", staff_no="2"), Line(5, "刘洋", "语文组", staff_no="1"), roster=roster)
    assert [(c.person, c.facts) for c in found.changed] == [(4, [("department", "语文组", "数学组")])]


def test_a_number_of_another_name_is_a_problem() -> None:
    roster = (PRINCIPAL, SECRETARY, Person(3, "王老师", "语文组", staff_no="1"))
    (found,) = plan(*HEAD, Line(4, "张老师", staff_no="1"), roster=roster).problems
    assert found == "K4：工号 1 在名册里是王老师，请核对。"


def test_two_lines_for_one_person_are_a_problem() -> None:
    roster = (PRINCIPAL, SECRETARY, Person(3, "王老师", "语文组", staff_no="1"))
    found = plan(*HEAD, Line(4, "王老师", "语文组"), Line(5, "王老师", "数学组", staff_no="1"), roster=roster)
    assert found.problems == ["A4、A5：这两行说的是同一个人（王老师），请只留一行。"]


def test_roles_are_the_principals_to_give() -> None:
    line = Line(4, "王老师", role="office")
    assert plan(*HEAD, line).problems == ["D4：角色只能由校长改，请留空或写原来的角色。"]
    assert plan(*HEAD, Line(5, "赵敏", role="office")).problems == ["D5：角色只能由校长改，请留空或写原来的角色。"]
    assert plan(*HEAD, line, by=PRINCIPAL).changed[0].facts == [("role", "staff", "office")]
    assert plan(Line(2, "办公室", role="office"), Line(4, "王老师", role="staff")).problems == []


def test_the_first_file_names_the_principal() -> None:
    found = plan(Line(2, "李校长", role="principal"), Line(3, "办公室"), roster=(SECRETARY,))
    assert found.problems == []
    assert found.new[0].facts == [("role", "", "principal")]


def test_a_file_does_not_leave_the_school_without_an_office() -> None:
    (found,) = plan(Line(2, "李校长"), Line(3, "办公室", role="staff"), by=PRINCIPAL).problems
    assert "没有办公室了" in found
    (found,) = plan(Line(2, "李校长"), Line(3, "办公室", status="离职")).problems
    assert "没有办公室了" in found


def test_the_office_does_not_retire_the_principal() -> None:
    (found, *_rest) = plan(Line(2, "李校长", status="退休"), Line(3, "办公室")).problems
    assert found.startswith("E2：校长是否在岗只能由校长改")


def test_an_account_of_another_is_a_problem() -> None:
    accounts = {("telegram", "10001"): 2}
    (found,) = plan(*HEAD, Line(4, "王老师", telegram="10001"), accounts=accounts).problems
    assert found == "H4：这个账号已经绑定给办公室，请核对。"
    assert plan(*HEAD, Line(4, "王老师", telegram="10001"), accounts={("telegram", "10001"): 3}).same == 3
    assert plan(*HEAD, Line(4, "王老师", telegram="10001")).changed[0].accounts == [("telegram", "10001")]


def test_the_account_of_somebody_who_left_is_free() -> None:
    gone = Person(9, "赵老师", active=False)
    roster, accounts = (PRINCIPAL, SECRETARY, WANG, gone), {("telegram", "10001"): 9}
    assert plan(*HEAD, Line(4, "王老师", telegram="10001"), roster=roster, accounts=accounts).problems == []


def test_the_office_binds_no_second_account_to_the_principal() -> None:
    accounts = {("telegram", "10001"): 1}
    (found,) = plan(Line(2, "李校长", telegram="66666"), Line(3, "办公室"), accounts=accounts).problems
    assert found.startswith("H2：校长的账号要校长本人绑定")


def test_who_left_and_stands_in_the_file_comes_back() -> None:
    gone = Person(9, "赵老师", "语文组", active=False)
    found = plan(*HEAD, Line(4, "王老师"), Line(5, "赵老师"), roster=(PRINCIPAL, SECRETARY, WANG, gone))
    assert found.changed[0].facts == [("active", "", "1")]
    retired = plan(
        *HEAD, Line(4, "王老师"), Line(5, "赵老师", status="退休"), roster=(PRINCIPAL, SECRETARY, WANG, gone)
    )
    assert retired.changed == []


def test_who_retires_is_stopped_and_who_never_was_here_is_not_added() -> None:
    found = plan(*HEAD, Line(4, "王老师", status="退休"), Line(5, "赵老师", status="退休"))
    assert found.changed[0].facts == [("active", "", "")]
    assert (found.new, found.gone) == ([], ["赵老师"])


def test_who_retires_later_is_on_leave_from_then() -> None:
    found = plan(*HEAD, Line(4, "王老师", status="退休", first=date(2027, 2, 1)))
    assert found.changed[0].absence == rules.Absence("退休", date(2027, 2, 1), None)


SICK = Leave(1, 3, date(2026, 11, 1), date(2026, 12, 31), "病假")


@pytest.mark.parametrize(
    ("status", "first", "last", "absence", "back"),
    [
        (None, None, None, None, False),
        ("在岗", None, None, None, True),
        ("病假", None, None, None, False),  # known already
        ("病假", SICK.first, SICK.last, None, False),
        ("病假", SICK.first, date(2027, 1, 31), ("病假", SICK.first, date(2027, 1, 31)), False),
        ("产假", None, None, ("产假", None, None), False),
        ("病假", date(2026, 11, 1), date(2026, 11, 20), None, True),  # over since Friday
    ],
)
def test_the_state_against_the_leave_that_is_known(
    status: str | None, first: date | None, last: date | None, absence: tuple[Any, ...] | None, back: bool
) -> None:
    found = plan(*HEAD, Line(4, "王老师", status=status, first=first, last=last), leaves=(SICK,))
    change = found.changed[0] if found.changed else rules.Change(3, "王老师")
    assert (change.absence, change.back) == (rules.Absence(*absence) if absence else None, back)


def test_at_work_who_was_at_work_is_no_change() -> None:
    assert plan(*HEAD, Line(4, "王老师", status="在岗")).same == 3


@settings(max_examples=40)
@given(st.permutations(range(6)), st.integers(0, 63))
def test_a_file_applied_is_a_file_that_changes_nothing(order: list[int], mask: int) -> None:
    """Whatever subset, in whatever order: after it is applied the same file finds everybody the same."""
    lines = [
        Line(2, "王老师", "数学组", "中共党员"),
        Line(3, "赵敏", "语文组", status="产假", first=date(2026, 12, 1)),
        Line(4, "刘洋", "语文组"),
        Line(5, "刘洋", "数学组", status="病假"),
        Line(6, "办公室", phone="13800000000"),
        Line(7, "李校长", wecom="li"),
    ]
    chosen = [lines[n] for n in order if mask >> n & 1]
    with _shelf() as db:
        for person in (PRINCIPAL, SECRETARY, WANG):
            people.add(db, person)
        for expected in (None, len(chosen)):
            known = Roster(people.everybody(db), people.leaves_of(db), people.account_owners(db), TODAY, SECRETARY)
            found = rules.compare(Sheet(LETTERS, (), chosen), known)
            assert found.problems == []
            assert expected is None or (found.same, found.new, found.changed) == (expected, [], [])
            apply(db, found, (), TODAY)


class _shelf:
    """An empty roster in memory."""

    def __enter__(self) -> Db:
        from sqlalchemy import create_engine

        from storage.base import metadata

        self.engine = create_engine("sqlite://")
        metadata.create_all(self.engine)
        self.connection = self.engine.connect()
        return Db(self.connection)

    def __exit__(self, *_error: object) -> None:
        self.connection.close()
        self.engine.dispose()


def test_five_hundred_rows_are_compared_in_a_moment() -> None:
    rows = [(f"老师{chr(0x4E00 + n)}", f"第{n % 20}组", "群众") for n in range(500)]
    sheet = read(xlsx(*rows))
    assert len(sheet.lines) == 500
    roster = [
        PRINCIPAL,
        SECRETARY,
        *(Person(n + 10, line.name, line.department or "") for n, line in enumerate(sheet.lines)),
    ]
    started = datetime.now().astimezone()
    found = rules.compare(sheet, Roster(roster, (), {}, TODAY, SECRETARY))
    assert len(found.changed) == 500
    assert (datetime.now().astimezone() - started).total_seconds() < 2


# --- as the office talks --------------------------------------------------------------------------------------


@pytest.mark.stages(both=True)
def test_a_roster_is_previewed_and_confirmed(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组", "党员"), ("王老师", "数学组"), ("张老师", "教学部")))
    card = office.shown("roster:1")
    assert "名册预览" in card.text
    assert ("新增", "1 人") in _pairs(card) and ("有变动", "1 人") in _pairs(card) and ("不变", "1 人") in _pairs(card)
    assert "赵敏" not in everybody(office)
    office["办公室"].taps("确认导入")
    assert office["办公室"].toast == "已导入：新增 1 人，变动 1 人，停用 0 人。"
    assert everybody(office)["赵敏"].politics == "中共党员"
    assert everybody(office)["王老师"].department == "数学组"
    assert everybody(office)["王老师"].politics == "群众"
    assert not office["办公室"].sees("确认导入")


def _pairs(shown: Any) -> list[tuple[str, str]]:
    return [pair for block in shown.card.body for pair in getattr(block, "pairs", ())]


@pytest.mark.stages
def test_a_word_confirms_as_well_as_a_button(office: Office) -> None:
    sends(office, csv("姓名,部门", "赵敏,语文组"), "名册.csv")
    assert office["办公室"].says("确认导入").told("已导入：新增 1 人")
    office["办公室"].says("确认导入")
    assert "没有等您确认的名册" in office["办公室"].last


@pytest.mark.stages
def test_a_bad_row_stops_the_whole_file(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组"), ("钱进", "语文组", "路人")))
    assert "名册没有导入：1 处要改" in office["办公室"].last
    assert "C3：政治面貌不认识：路人" in office["办公室"].last
    assert not office["办公室"].sees("确认导入")
    office["办公室"].says("确认导入")
    assert "还有 1 处要改" in office["办公室"].last
    office["办公室"].forges("ro.go:1:0", in_group=False)
    assert "还有 1 处要改" in (office["办公室"].toast or "")
    assert "赵敏" not in everybody(office)


def test_the_same_file_again_changes_nothing(office: Office) -> None:
    payload = xlsx(("赵敏", "语文组", "党员", "", "产假", date(2026, 12, 1), "", 10001), ("王老师", "数学组"))
    sends(office, payload)
    office["办公室"].taps("确认导入")
    before = office.ask(lambda db: (people.everybody(db), people.leaves_of(db), people.account_owners(db)))
    sends(office, payload)
    assert ("不变", "2 人") in _pairs(office.shown("roster:2"))
    assert not office["办公室"].sees("确认导入")
    office["办公室"].forges("ro.go:2:0", in_group=False)
    assert office.ask(lambda db: (people.everybody(db), people.leaves_of(db), people.account_owners(db))) == before


@pytest.mark.stages
def test_who_is_not_in_the_file_stays_unless_the_button_says_so(office: Office) -> None:
    sends(office, xlsx(("王老师", "教学部", "党员")))
    assert "在名册里、文件里没有" in office["办公室"].last
    office["办公室"].taps("确认导入")
    assert len(everybody(office)) == 5


def test_the_button_stops_teachers_but_never_the_office(office: Office) -> None:
    sends(office, xlsx(("王老师", "教学部")))
    office["办公室"].taps("导入并停用没有的 2 人")
    assert sorted(everybody(office)) == sorted(["李校长", "办公室", "王老师"])


def test_leave_and_accounts_come_with_the_file(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组", "", "", "产假", date(2026, 12, 1), date(2027, 3, 1), 10001, "ZhaoMin")))
    office["办公室"].taps("确认导入")
    number = everybody(office)["赵敏"].id
    assert office.ask(lambda db: [(leave.first, leave.kind) for leave in people.leaves_of(db, number)]) == [
        (date(2026, 12, 1), "产假")
    ]
    assert office.ask(people.account_owners)["wecom", "zhaomin"] == number
    assert number not in [p.id for p in office.ask(lambda db: people.expected(db, date(2026, 12, 2)))]


@pytest.mark.stages
def test_a_preview_survives_a_restart(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")))
    office.restart()
    office["办公室"].forges("ro.go:1:0", in_group=False)
    assert "已导入" in (office["办公室"].toast or "")
    assert "赵敏" in everybody(office)


def test_a_preview_belongs_to_who_sent_the_file(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")))
    office["李校长"].forges("ro.go:1:0", in_group=False)
    assert "别人发的" in (office["李校长"].toast or "")
    office["王老师"].forges("ro.go:1:0", in_group=False)
    assert "只有办公室" in (office["王老师"].toast or "")
    assert "赵敏" not in everybody(office)


def test_what_changed_since_the_preview_is_shown_before_it_is_done(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")))
    office.write(lambda db: people.add(db, Person(0, "赵敏", "语文组")))
    office["办公室"].taps("确认导入")
    assert "预览已更新" in (office["办公室"].toast or "")
    assert [p.name for p in office.ask(people.active)].count("赵敏") == 1
    office["办公室"].forges("ro.go:1:0", in_group=False)
    assert "新增 0 人" in (office["办公室"].toast or "")


@pytest.mark.stages
def test_a_second_press_does_nothing_more(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")))
    office["办公室"].taps("确认导入").forges("ro.go:1:0", in_group=False)
    assert "已经处理过" in (office["办公室"].toast or "")


@pytest.mark.stages
def test_a_preview_may_be_dropped(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")))
    office["办公室"].taps("不要了")
    office["办公室"].forges("ro.go:1:0", in_group=False)
    assert "已经处理过" in (office["办公室"].toast or "")
    assert "赵敏" not in everybody(office)


@pytest.mark.parametrize("how", ["一天以后", "确认以后", "再发一份以后"])
def test_the_words_of_the_file_are_not_kept(office: Office, how: str) -> None:
    sends(office, xlsx(("赵敏", "语文组", *[""] * 7, "13800000000")))
    if how == "一天以后":
        office.later(hours=25)
    elif how == "确认以后":
        office["办公室"].taps("确认导入")
    else:
        sends(office, xlsx(("钱进", "语文组")))
    found = office.ask(lambda db: imports.get(db, 1))
    assert found is not None and found.state != imports.WAITING
    assert not (found.sheet.lines or found.sheet.columns or found.sheet.problems)


def test_a_file_in_the_group_is_no_roster(office: Office) -> None:
    for who in ("办公室", "王老师", "访客"):
        office[who].says("", in_group=True, file=("成绩.xlsx", xlsx(("赵敏", "语文组"))))
    assert office.group == office["办公室"].inbox == office["王老师"].inbox == []


@pytest.mark.stages
def test_a_teachers_file_is_refused(office: Office) -> None:
    sends(office, xlsx(("赵敏", "语文组")), who="王老师")
    assert "只有办公室" in office["王老师"].last
    sends(office, xlsx(("赵敏", "语文组")), who="访客")
    assert "还不认识您" in office["访客"].last


def test_a_bomb_stops_only_the_child(office: Office) -> None:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        page = book.add_worksheet()
        page.write(0, 0, "姓名")
        page.write(1048575, 16383, "x")  # a table of 17 thousand million cells in 5 kB
    assert len(made.getvalue()) < 10_000
    sends(office, made.getvalue())
    assert "读不了" in office["办公室"].last
    sends(office, csv("姓名,部门", "赵敏,语文组"), "名册.csv")
    assert "名册预览" in office["办公室"].last


def test_a_zip_that_lies_about_its_size_stops_only_the_child(office: Office) -> None:
    payload = bytearray(_bomb(40_000_000))
    where = payload.rindex(b"PK\x01\x02")
    struct.pack_into("<I", payload, where + 24, 1000)  # the declared size, in the central directory
    sends(office, bytes(payload))
    assert "名册" in office["办公室"].last
    assert "赵敏" not in everybody(office)
    sends(office, csv("姓名,部门", "赵敏,语文组"), "名册.csv")
    assert "名册预览" in office["办公室"].last


def _bomb(size: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as bomb:
        source = zipfile.ZipFile(io.BytesIO(xlsx(("赵敏",))))
        for name in source.namelist():
            if name != "xl/sharedStrings.xml":
                bomb.writestr(name, source.read(name))
        bomb.writestr("xl/sharedStrings.xml", b"<sst>" + b"<si><t>x</t></si>" * (size // 17))
    return made.getvalue()


def test_the_template_is_what_the_reader_reads(office: Office) -> None:
    office["办公室"].says("名册模板")
    document = office["办公室"].documents[-1]
    book = openpyxl.load_workbook(io.BytesIO(document.content))
    page = book.worksheets[0]
    assert document.name == "名册模板.xlsx"
    assert [cell.value for cell in page[1]] == list(HEADS_OF_TEMPLATE)
    for column, value in enumerate(("=赵敏", "语文组", "中共党员"), 1):
        page.cell(2, column, value).data_type = "s"
    saved = io.BytesIO()
    book.save(saved)
    assert read(saved.getvalue()).problems == ["A2：这不像姓名：=赵敏"]
    assert "没有人" in read(document.content).problems[0]


HEADS_OF_TEMPLATE = tuple(words.split()[0] for words in export.HEADINGS.values())


@pytest.mark.stages
def test_the_template_asked_in_the_group_comes_in_private(office: Office) -> None:
    office["办公室"].says("名册模板", in_group=True)
    assert office.group == []
    assert office["办公室"].documents[-1].name == "名册模板.xlsx"


def test_a_roster_is_imported_into_postgresql_too(fresh_database: Callable[[], str]) -> None:
    office = Office(fresh_database(), [people_feature, feature], staff=5)
    sends(office, xlsx(("赵敏", "语文组", "党员", "", "产假", date(2026, 12, 1), "", 10001), ("王老师", "数学组")))
    office["办公室"].taps("确认导入")
    assert everybody(office)["赵敏"].politics == "中共党员"
    assert office.ask(lambda db: [leave.kind for leave in people.leaves_of(db)]) == ["产假"]
    office.close()

"""征求意见汇总表, read back by other readers than wrote it: what is in it is what was said, sign for sign."""

from __future__ import annotations

import json
import time
from io import BytesIO
from typing import Any

import msgspec
import openpyxl
import pytest
from docx import Document as open_docx
from docx.oxml.ns import qn

from bot.engine.port import Document
from bot.kit import papers
from bot.kit.feature import Work
from handlers.drafts import cards, export, work
from handlers.drafts.export import HEADS, Row, Sheet
from handlers.drafts.feature import feature
from storage import drafts, files, people
from storage.drafts import Clause, Counts, Draft, Said
from tests.handlers.conftest import OpenOffice
from tests.handlers.test_drafts import BODIES, TITLE, publish
from tests.office import Office

FORMULAS = (
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    '=HYPERLINK("http://x")',
    "{=1}",
    "http://x.cn",
    "007",
    "1e5",
)
WORDS = ("建议改为\n两行", "<b>&amp;</b>", "%s {n}", "👩\u200d🏫", "䶮", "长" * 2000, " 前后有空格 ", *FORMULAS)


def sheet(*words: str, names: tuple[str, ...] = ("王老师",), questions: tuple[str, ...] = ()) -> Sheet:
    def rows(texts: tuple[str, ...]) -> list[Row]:
        return [
            Row(n, "第三条", "第三条　教师每天签到。", text, names[n % len(names)], "语文组")
            for n, text in enumerate(texts, 1)
        ]

    return Sheet("《考勤办法》征求意见汇总表", ["征求时间：甲 至 乙", "批准人：李校长"], rows(words), rows(questions))


def made(table: Sheet) -> dict[str, bytes]:
    """Through the same door as in the child."""
    return work.make_table(msgspec.json.encode(table), {"draft": 1, "final": 0})


def xlsx(content: bytes, page: str = "意见") -> list[tuple[Any, ...]]:
    found = openpyxl.load_workbook(BytesIO(content))[page]
    return [tuple(row) for row in found.iter_rows(values_only=True)]


def below_heads(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return rows[rows.index(tuple(HEADS)) + 1 :]


def docx(content: bytes, table: int = 0) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in open_docx(BytesIO(content)).tables[table].rows]


# --- what was said is what is written -------------------------------------------------------------------------


def test_the_spreadsheet_says_word_for_word_what_was_said() -> None:
    table = sheet(*WORDS)
    assert below_heads(xlsx(made(table)["xlsx"])) == [row.cells() for row in table.rows]


def test_the_document_says_word_for_word_what_was_said() -> None:
    table = sheet(*WORDS)
    assert docx(made(table)["docx"]) == [tuple(HEADS), *(row.cells() for row in table.rows)]


@pytest.mark.parametrize("text", FORMULAS)
def test_what_looks_like_a_formula_stays_text_wherever_it_stands(text: str) -> None:
    row = Row(1, text, text, text, text, text)
    page = openpyxl.load_workbook(BytesIO(made(Sheet(text, [text], [row], []))["xlsx"]))["意见"]
    cells = [cell for line in page.iter_rows() for cell in line if cell.value == text]
    assert len(cells) == 7
    assert {cell.data_type for cell in cells} == {"s"} and not any(cell.hyperlink for cell in cells)


@pytest.mark.parametrize("sign", ["\x00", "\x01", "\x0b", "\ud800", "\ufffe"])
def test_a_sign_that_no_file_can_hold_is_dropped(sign: str) -> None:
    table = Sheet("题", [], [Row(1, "第一条", f"原{sign}文", f"改{sign}为", f"王{sign}", "")], [])
    for content in (export.xlsx(table), export.docx(table)):
        assert content
    assert below_heads(xlsx(export.xlsx(table)))[0][2:5] == ("原文", "改为", "王")
    assert docx(export.docx(table))[1][2:5] == ("原文", "改为", "王")


def test_a_cell_holds_no_more_than_a_cell_may() -> None:
    row = Row(1, "第一条", "原" * 40_000, "改", "王老师", "")
    found = below_heads(xlsx(made(Sheet("题", [], [row], []))["xlsx"]))[0][2]
    assert len(found) == papers.CELL + 1 and found.endswith("…")


def test_what_nobody_has_written_is_left_to_be_written() -> None:
    for cells in below_heads(xlsx(made(sheet("甲", "乙"))["xlsx"])):
        assert cells[6:] == ("〔待填〕", "〔待填〕")


def test_questions_stand_apart() -> None:
    files_ = made(sheet("甲", questions=("什么意思？",)))
    assert [cells[3] for cells in below_heads(xlsx(files_["xlsx"]))] == ["甲"]
    assert [cells[3] for cells in below_heads(xlsx(files_["xlsx"], "提问"))] == ["什么意思？"]
    assert docx(files_["docx"], 1)[1][3] == "什么意思？"


def test_without_a_single_comment_there_is_still_a_table() -> None:
    files_ = made(sheet())
    assert below_heads(xlsx(files_["xlsx"])) == [] and docx(files_["docx"]) == [tuple(HEADS)]


def test_the_facts_stand_above_the_table() -> None:
    files_ = made(sheet("甲"))
    assert xlsx(files_["xlsx"])[0][0] == "《考勤办法》征求意见汇总表"
    texts = [paragraph.text for paragraph in open_docx(BytesIO(files_["docx"])).paragraphs]
    assert texts[:3] == ["《考勤办法》征求意见汇总表", "征求时间：甲 至 乙", "批准人：李校长"]


def test_chinese_has_a_chinese_font_and_the_heads_come_again_on_every_page() -> None:
    found = open_docx(BytesIO(made(sheet("甲"))["docx"]))
    fonts = found.styles["Normal"].element.rPr.rFonts
    assert fonts.get(qn("w:eastAsia")) == "仿宋"
    assert found.styles["Heading 1"].element.rPr.rFonts.get(qn("w:eastAsia")) == "黑体"
    assert found.tables[0].rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
    page = found.sections[0]
    assert (page.page_width or 0) > (page.page_height or 0)


def test_hundreds_of_comments_are_written_within_the_time_of_a_child() -> None:
    started = time.process_time()
    found = made(sheet(*(f"第{n}条意见" for n in range(300))))
    assert time.process_time() - started < 10
    assert len(below_heads(xlsx(found["xlsx"]))) == 300


# --- in the order of the clauses ------------------------------------------------------------------------------


_AT = cards._AT


def test_the_table_follows_the_clauses_and_counts_only_comments() -> None:
    draft = Draft(1, "办法", "", "articles", "", "open", 1, "李校长", None, _AT, _AT, None)
    text = [Clause(1, "第一条", "", "第一条 甲"), Clause(2, "第二条", "", "第二条 乙")]
    said = [
        Said(9, 0, "", "comment", "总体好", "王", "语文组"),
        Said(3, 1, "第二款", "comment", "改", "张", "数学组"),
        Said(4, 2, "", "question", "为何？", "李", ""),
    ]
    table = export.sheet(draft, text, said, Counts(2, 5, 2), ["事实"])
    assert [(row.number, row.clause, row.original) for row in table.rows] == [
        (1, "全文", ""),
        (2, "第一条第二款", "第一条 甲"),
    ]
    assert [(row.number, row.clause) for row in table.questions] == [(1, "第二条")]
    assert table.facts[-1] == "共收到 2 条意见，5 人无意见。"


# --- from the first word to the file --------------------------------------------------------------------------


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=8)


def sent(office: Office, name: str, ending: str) -> Document:
    return next(d for d in reversed(office[name].documents) if d.name.endswith(ending))


@pytest.mark.stages
def test_what_teachers_said_is_what_the_office_reads(office: Office) -> None:
    publish(office)
    office["王老师"].says("第三条建议改为每天一次", in_group=True)
    office["张老师"].says("第一条第二款：=1+1")
    office["老师05"].says("第三条是什么意思？")
    office["老师06"].taps("无意见")
    office["老师07"].says("第四条建议删除").says("撤回 #4")
    office.later(to="周五 17:20")
    rows = below_heads(xlsx(sent(office, "办公室", ".xlsx").content))
    assert rows == [
        ("1", "第一条第二款", f"第一条　{BODIES[0]}", "=1+1", "张老师", "教学部", "〔待填〕", "〔待填〕"),
        ("2", "第三条", f"第三条　{BODIES[2]}", "建议改为每天一次", "王老师", "教学部", "〔待填〕", "〔待填〕"),
    ]
    assert docx(sent(office, "办公室", ".docx").content)[1:] == rows
    facts = [row[0] for row in xlsx(sent(office, "办公室", ".xlsx").content)[:5]]
    assert "共收到 2 条意见，1 人无意见。" in facts and "批准人：李校长" in facts
    assert any(str(fact).startswith("征求时间：11月23日 周一 10:00 至 11月27日 周五 17:00") for fact in facts)


def test_the_table_of_pay_carries_the_note_of_the_staff_congress(office: Office) -> None:
    publish(office, "征求意见 绩效工资分配方案\n第一条 甲\n第二条 乙")
    office["办公室"].says("汇总")
    assert any("教职工代表大会" in str(row[0]) for row in xlsx(sent(office, "办公室", ".xlsx").content)[:5])


def test_a_title_that_no_file_name_can_hold_still_names_the_file(office: Office) -> None:
    publish(office, '征求意见 a/b\\c:d*e?"f<g>h|i\n第一条 甲\n第二条 乙')
    office["办公室"].says("汇总")
    assert not set('/\\:*?"<>|') & set(sent(office, "办公室", ".xlsx").name)


def test_the_files_belong_to_whoever_asked_and_to_nobody_else(office: Office) -> None:
    publish(office)
    office["办公室"].says("汇总")
    asked = office["办公室"].number
    kept = [office.ask(lambda db, n=n: files.get(db, n)) for n in range(1, 5)]
    assert [file.owner for file in kept if file is not None] == [asked, asked]


def test_somebody_who_has_left_stays_in_the_table(office: Office) -> None:
    publish(office)
    office["王老师"].says("第三条建议改为自愿")
    office.write(lambda db: people.change(db, office["王老师"].number or 0, active=False))
    office["办公室"].says("汇总")
    assert below_heads(xlsx(sent(office, "办公室", ".xlsx").content))[0][4] == "王老师"


def test_a_table_that_cannot_be_made_is_said_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(office)
    dies = Work("drafts.table", json.loads)  # type: ignore[arg-type]  # it takes no note: the child ends badly
    monkeypatch.setitem(office.running.router.works, "drafts.table", dies)
    office["办公室"].says("汇总")
    assert "没有做成" in office["办公室"].last and "再试一次" in office["办公室"].last
    office.later(to="周五 17:20")
    assert sum("没有做成" in text for text in office["办公室"].inbox) == 2
    assert office.ask(lambda db: drafts.get(db, 1)).state == "closed"  # type: ignore[union-attr]
    assert any("已截止，共收到 0 条意见" in text and TITLE in text for text in office.group)

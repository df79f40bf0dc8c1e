"""征求意见汇总表, as .docx and .xlsx, as inspectors ask for it. Only what was said; what nobody wrote stays 〔待填〕.

Text stays text: a name or a comment that looks like a formula or a link is written as the words it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import msgspec

from bot.kit.words import N_, _
from handlers.drafts.answers import ALL
from storage.drafts import COMMENT, Clause, Counts, Draft, Said

HEADS = (N_("序号"), N_("条款"), N_("原文"), N_("意见"), N_("提出人"), N_("部门"), N_("处理"), N_("理由"))
BLANK = N_("〔待填〕")
CELL = 32_000  # characters; a cell of a spreadsheet holds 32,767
WIDTHS = (6, 14, 40, 40, 10, 12, 12, 20)  # of a spreadsheet's columns, and in proportion of the document's
FONT = "仿宋"


class Row(msgspec.Struct, frozen=True):
    """One comment; ``number`` is its place in the table, not its serial."""

    number: int
    clause: str
    original: str
    words: str
    name: str
    department: str

    def cells(self) -> tuple[str, ...]:
        mine = (str(self.number), self.clause, self.original, self.words, self.name, self.department)
        return (*mine, _(BLANK), _(BLANK))


class Sheet(msgspec.Struct, frozen=True):
    """Everything a table says; it crosses to the child as bytes."""

    title: str
    facts: Sequence[str]
    rows: Sequence[Row]
    questions: Sequence[Row]


def sheet(draft: Draft, clauses: Sequence[Clause], said: Sequence[Said], counts: Counts, facts: Sequence[str]) -> Sheet:
    """The table of a draft, in the order of its clauses."""
    by_position = {clause.position: clause for clause in clauses}

    def rows(kind: bool) -> list[Row]:
        chosen = [one for one in said if (one.kind == COMMENT) is kind]
        return [_row(number, one, by_position.get(one.position)) for number, one in enumerate(chosen, 1)]

    total = _("共收到 {n} 条意见，{m} 人无意见。", n=counts.comments, m=counts.clear)
    return Sheet(f"《{draft.title}》{_('征求意见汇总表')}", [*facts, total], rows(True), rows(False))


def _row(number: int, one: Said, clause: Clause | None) -> Row:
    name = (clause.label if clause else _(ALL)) + one.point
    return Row(number, name, clause.text if clause else "", one.words, one.name, one.department)


def _plain(text: str) -> str:
    """No sign that XML cannot hold, and no more than a cell takes."""
    kept = "".join(
        s for s in text if s in "\n\t" or (s >= " " and not "\ud800" <= s <= "\udfff" and s not in "\ufffe\uffff")
    )
    return kept if len(kept) <= CELL else kept[:CELL] + "…"


# --- .xlsx ----------------------------------------------------------------------------------------------------


def xlsx(table: Sheet) -> bytes:
    import xlsxwriter  # only the child needs it

    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, plain) as book:
        _page(book, _("意见"), table, table.rows)
        if table.questions:
            _page(book, _("提问"), table, table.questions)
    return out.getvalue()


def _page(book: Any, name: str, table: Sheet, rows: Sequence[Row]) -> None:
    page = book.add_worksheet(name)
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "bg_color": "#EEEEEE"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    page.merge_range(0, 0, 0, len(HEADS) - 1, "", title)
    page.write_string(0, 0, _plain(table.title), title)
    for line, fact in enumerate(table.facts, 1):
        page.write_string(line, 0, _plain(fact))
    top = len(table.facts) + 1
    for column, (text, width) in enumerate(zip(HEADS, WIDTHS, strict=True)):
        page.set_column(column, column, width)
        page.write_string(top, column, _(text), head)
    for line, row in enumerate(rows, top + 1):
        for column, text in enumerate(row.cells()):
            page.write_string(line, column, _plain(text), cell)
    page.freeze_panes(top + 1, 0)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)
    page.repeat_rows(top)


# --- .docx ----------------------------------------------------------------------------------------------------


def docx(table: Sheet) -> bytes:
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    document = Document()
    page = document.sections[0]
    page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    page.left_margin = page.right_margin = Mm(18)
    _fonts(document)
    document.add_heading(_plain(table.title), level=1)
    for fact in table.facts:
        document.add_paragraph(_plain(fact))
    _table(document, table.rows)
    if table.questions:
        document.add_heading(_("提问（未计入意见）"), level=2)
        _table(document, table.questions)
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def _fonts(document: Any) -> None:
    """Without ``w:eastAsia`` Chinese falls to the default font of whoever opens it."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name, font, size in (("Normal", FONT, 11), ("Heading 1", "黑体", 16), ("Heading 2", "黑体", 13)):
        style = document.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = font, Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for name in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(name), None)
        fonts.set(qn("w:eastAsia"), font)


def _table(document: Any, rows: Sequence[Row]) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    grid = document.add_table(rows=1, cols=len(HEADS), style="Table Grid")
    grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # again on every page
    lines = [tuple(_(head) for head in HEADS), *(row.cells() for row in rows)]
    for _line in lines[1:]:
        grid.add_row()
    widths = [Mm(261 * width / sum(WIDTHS)) for width in WIDTHS]
    for line, cells in zip(grid.rows, lines, strict=True):
        for cell, text, width in zip(line.cells, cells, widths, strict=True):
            cell.text, cell.width = _plain(text), width

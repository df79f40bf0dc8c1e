"""A paper as inspectors ask for it: a title, a few facts, tables; as .docx and .xlsx. For slow work in a child.

Text stays text: a name that looks like a formula or a link is written as the words it is. What nobody wrote stays
〔待填〕: whoever makes a paper writes only what was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import msgspec

from bot.kit.words import N_

BLANK = N_("〔待填〕")
CELL = 32_000  # characters; a cell of a spreadsheet holds 32,767
NAME = 31  # characters of a sheet's name
FONT = "仿宋"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


_UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069]')


class Part(msgspec.Struct, frozen=True):
    """A table. ``heads`` may be empty: then each row is a fact and its value, as in a form. ``widths``: of a
    spreadsheet's columns in characters, and in proportion of the document's."""

    name: str
    rows: Sequence[Sequence[str]]
    widths: Sequence[int]
    heads: Sequence[str] = ()


class Paper(msgspec.Struct, frozen=True):
    """Everything a paper says; it crosses to the child as bytes. ``foot``: what stands below, to be signed."""

    title: str
    facts: Sequence[str]
    parts: Sequence[Part]
    foot: str = ""
    wide: bool = False


def clean(text: str) -> str:
    """No sign that XML cannot hold, and no more than a cell takes."""
    kept = "".join(
        s for s in text if s in "\n\t" or (s >= " " and not "\ud800" <= s <= "\udfff" and s not in "\ufffe\uffff")
    )
    return kept if len(kept) <= CELL else kept[:CELL] + "…"


def file_name(*words: str, ending: str) -> str:
    """``签到表-教学例会.docx``: nothing in it that a disk cannot hold or that turns the direction of writing."""
    plain = "-".join(_UNSAFE.sub("_", word) for word in words if word)
    return f"{plain[:80].strip(' .')}.{ending}"


# --- .xlsx ----------------------------------------------------------------------------------------------------


def xlsx(paper: Paper) -> bytes:
    import xlsxwriter  # only the child needs it

    out = BytesIO()
    plain = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, plain) as book:
        for part in paper.parts:
            _page(book, paper, part)
    return out.getvalue()


def _page(book: Any, paper: Paper, part: Part) -> None:
    page = book.add_worksheet(re.sub(r"[\[\]:*?/\\']", "", clean(part.name))[:NAME])
    title = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "bg_color": "#EEEEEE"})
    cell = book.add_format({"border": 1, "text_wrap": True, "valign": "vcenter"})
    if len(part.widths) > 1:
        page.merge_range(0, 0, 0, len(part.widths) - 1, "", title)
    page.write_string(0, 0, clean(paper.title), title)
    for line, fact in enumerate(paper.facts, 1):
        page.write_string(line, 0, clean(fact))
    top = len(paper.facts) + 1
    for column, width in enumerate(part.widths):
        page.set_column(column, column, width)
    for column, text in enumerate(part.heads):
        page.write_string(top, column, clean(text), head)
    first = top + bool(part.heads)
    for line, row in enumerate(part.rows, first):
        for column, text in enumerate(row):
            page.write_string(line, column, clean(text), cell)
    if paper.foot:
        page.write_string(first + len(part.rows) + 1, 0, clean(paper.foot))
    _printed(page, paper, part, top)


def _printed(page: Any, paper: Paper, part: Part, top: int) -> None:
    if part.heads:
        page.freeze_panes(top + 1, 0)
        page.repeat_rows(top)
    if paper.wide:
        page.set_landscape()
    page.set_paper(9)  # A4
    page.fit_to_pages(1, 0)


# --- .docx ----------------------------------------------------------------------------------------------------


def docx(paper: Paper) -> bytes:
    from docx import Document
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    document = Document()
    page = document.sections[0]
    page.page_width, page.page_height = Mm(210), Mm(297)
    if paper.wide:
        page.orientation, page.page_width, page.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
    page.left_margin = page.right_margin = Mm(18)
    _fonts(document)
    document.add_heading(clean(paper.title), level=1)
    for fact in paper.facts:
        document.add_paragraph(clean(fact))
    for number, part in enumerate(paper.parts):
        if number:
            document.add_heading(clean(part.name), level=2)
        _table(document, part, 261 if paper.wide else 174)
    if paper.foot:
        document.add_paragraph(clean(paper.foot))
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
        for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(theme), None)
        fonts.set(qn("w:eastAsia"), font)


def _table(document: Any, part: Part, millimetres: int) -> None:
    from docx.oxml import OxmlElement
    from docx.shared import Mm

    lines = [*([part.heads] if part.heads else []), *part.rows]
    if not lines:
        return
    grid = document.add_table(rows=len(lines), cols=len(part.widths), style="Table Grid")
    if part.heads:
        grid.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))  # again on every page
    widths = [Mm(millimetres * width / sum(part.widths)) for width in part.widths]
    for line, cells in zip(grid.rows, lines, strict=True):
        for cell, text, width in zip(line.cells, cells, widths, strict=True):
            cell.text, cell.width = clean(text), width

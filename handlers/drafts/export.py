"""征求意见汇总表, as .docx and .xlsx, as inspectors ask for it. Only what was said; what nobody wrote stays 〔待填〕.

How it becomes a file, and that text stays text, is the business of ``bot.kit.papers``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.kit import papers
from bot.kit.papers import BLANK, Paper, Part
from bot.kit.words import N_, _
from handlers.drafts.answers import ALL
from storage.drafts import COMMENT, Clause, Counts, Draft, Said

HEADS = (N_("序号"), N_("条款"), N_("原文"), N_("意见"), N_("提出人"), N_("部门"), N_("处理"), N_("理由"))
WIDTHS = (6, 14, 40, 40, 10, 12, 12, 20)  # of a spreadsheet's columns, and in proportion of the document's


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


# --- as files -------------------------------------------------------------------------------------------------


def xlsx(table: Sheet) -> bytes:
    return papers.xlsx(_paper(table, _("提问")))


def docx(table: Sheet) -> bytes:
    return papers.docx(_paper(table, _("提问（未计入意见）")))


def _paper(table: Sheet, asked: str) -> Paper:
    """The questions apart, where there are any."""
    parts = [_part(_("意见"), table.rows), *([_part(asked, table.questions)] if table.questions else [])]
    return Paper(table.title, table.facts, parts, wide=True)


def _part(name: str, rows: Sequence[Row]) -> Part:
    return Part(name, [row.cells() for row in rows], WIDTHS, [_(head) for head in HEADS])

"""Reads a roster file in a child process: bytes in, out comes what each line says and every cell that is wrong."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from bot.kit.errors import Refused
from bot.kit.tables import Cell, Rows, letter, sheets, text_of
from bot.kit.words import N_, _
from handlers.roster import export
from storage.imports import Line, Sheet

MAX_ROWS, MAX_COLUMNS, MAX_PROBLEMS = 2000, 60, 200
HEADER_WITHIN = 15  # rows: a title and a remark may stand above the headings


def read_roster(payload: bytes, note: dict[str, int | str]) -> Any:
    """A ``Sheet`` in plain values. What is wrong with the file as a whole is its only problem."""
    try:
        sheet = parse(next((rows for rows in sheets(payload) if _header(rows) is not None), ()))
    except Refused as refusal:
        sheet = Sheet(problems=(refusal.sentence,))
    return msgspec.to_builtins(sheet)


# --- headings -------------------------------------------------------------------------------------------------


def _heading(cell: Cell) -> str | None:
    plain = re.sub(r"[（(].*?[)）]|[\s*＊:：/、_-]", "", unicodedata.normalize("NFKC", text_of(cell)).lower())
    return next((field for field, words in export.HEADINGS.items() if plain in words.split()), None)


def _header(rows: Rows) -> int | None:
    within = enumerate(rows[:HEADER_WITHIN])
    return next((n for n, row in within if any(_heading(cell) == "name" for cell in row)), None)


# --- lines ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reader:
    """Reads one row after another and gathers what is wrong, cell by cell."""

    columns: dict[str, int]
    problems: list[str] = field(default_factory=list)

    def wrong(self, row: int, name: str, why: str) -> None:
        self.problems.append(_("{cell}：{why}", cell=f"{letter(self.columns[name])}{row}", why=why))

    def line(self, row: int, cells: Sequence[Cell]) -> Line | None:
        """``None`` where the row is empty, or not to be used."""
        known = {name: self._cell(cells, column) for name, column in self.columns.items()}
        texts = {name: text_of(cell) for name, cell in known.items()}
        if not any(texts.values()):
            return None
        before = len(self.problems)
        facts = {
            name: self._read(row, name, texts[name], known[name]) for name in texts if name != "name" and texts[name]
        }
        name = self._name(row, texts["name"])
        self._check_days(row, facts)
        return Line(row, name, **facts) if len(self.problems) == before else None

    def _cell(self, cells: Sequence[Cell], column: int) -> Cell:
        return cells[column] if column < len(cells) else ""

    def _read(self, row: int, name: str, text: str, cell: Cell) -> Any:
        try:
            return _READ.get(name, _short)(text, cell)
        except Refused as refusal:
            self.wrong(row, name, refusal.sentence)
            return None

    def _name(self, row: int, text: str) -> str:
        try:
            return name_of(text)
        except Refused as refusal:
            self.wrong(row, "name", refusal.sentence)
            return ""

    def _check_days(self, row: int, facts: dict[str, Any]) -> None:
        first, last, status = facts.get("first"), facts.get("last"), facts.get("status")
        said = "first" if first else "last"
        if (first or last) and status in (None, export.ON_DUTY) and "status" not in facts:
            self.wrong(row, said, _("写了日期，却没有写在岗状态（病假、产假、借调……）"))
        elif (first or last) and status == export.ON_DUTY:
            self.wrong(row, said, _("在岗的人不用写日期；请假的话，请把状态改成病假、产假……"))
        elif first and last and last < first:
            self.wrong(row, "last", _("结束日期早于开始日期"))


def parse(rows: Rows) -> Sheet:
    """Every row below the headings; a row with a bad cell is in ``problems`` only."""
    header = _header(rows)
    if header is None:
        raise Refused(_("没有找到“姓名”这一列。第一行请写表头；回复“名册模板”可以取一份模板。"))
    reader, unused = _columns(rows[header], header + 1)
    if len(rows) - header - 1 > MAX_ROWS:
        raise Refused(_("太多行了（超过 {n} 行），请只留名册那些行。", n=MAX_ROWS))
    numbered = enumerate(rows[header + 1 :], header + 2)
    lines = [line for row, cells in numbered if (line := reader.line(row, cells)) is not None]
    if not lines and not reader.problems:
        raise Refused(_("表头下面没有人。请每行写一位老师再发。"))
    reader.problems += _twice(lines, reader.columns)
    columns = {name: letter(column) for name, column in reader.columns.items()}
    return Sheet(columns, unused, lines, reader.problems[:MAX_PROBLEMS])


def _columns(cells: Sequence[Cell], row: int) -> tuple[Reader, list[str]]:
    reader, unused = Reader({}), []
    for column, cell in enumerate(cells[:MAX_COLUMNS]):
        name = _heading(cell)
        if name in reader.columns:
            there, here = letter(reader.columns[name]), letter(column)
            sentence = _(
                "{a}{row}、{b}{row}：有两列都是“{head}”，请只留一列", a=there, b=here, row=row, head=text_of(cell)
            )
            reader.problems.append(sentence)
        elif name is not None:
            reader.columns[name] = column
        elif text_of(cell):
            unused.append(text_of(cell)[:20])
    return reader, unused


def _twice(lines: Sequence[Line], columns: dict[str, int]) -> Iterator[str]:
    """The same person, number or account in two rows."""
    for name in ("telegram", "wecom", "staff_no"):
        for rows in _shared(lines, lambda line, name=name: getattr(line, name)):  # type: ignore[misc]
            cells = "、".join(f"{letter(columns[name])}{line.row}" for line in rows)
            yield _("{cells}：写了一样的内容，应当一人一个", cells=cells)
    for rows in _shared(lines, lambda line: (line.name, line.department or "", line.staff_no or "")):
        cells = "、".join(f"{letter(columns['name'])}{line.row}" for line in rows)
        yield _("{cells}：{n} 位{name}的部门也一样，请加一列“工号”区分", cells=cells, n=len(rows), name=rows[0].name)


def _shared(lines: Sequence[Line], key: Callable[[Line], Any]) -> Iterator[Sequence[Line]]:
    found = defaultdict[Any, list[Line]](list)
    for line in lines:
        if key(line):
            found[key(line)].append(line)
    return (rows for rows in found.values() if len(rows) > 1)


# --- what a cell may say --------------------------------------------------------------------------------------

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


def name_of(text: str) -> str:
    """张　三 -> 张三. A formula, a number or two names in one cell are no name."""
    plain = unicodedata.normalize("NFC", text)
    plain = plain.replace(" ", "") if _HAN.search(plain) else plain
    if not plain:
        raise Refused(_("姓名是空的"))
    if len(plain) > 32:
        raise Refused(_("姓名太长（{n} 字）", n=len(plain)))
    if plain[0] in "=+-@#" or not any(sign.isalpha() for sign in plain) or any(sign.isdigit() for sign in plain):
        raise Refused(_("这不像姓名：{text}", text=plain[:20]))
    if re.search(r"[、，,;；/|]", plain):
        raise Refused(_("一格只写一个人：{text}", text=plain[:20]))
    return plain


def _short(text: str, cell: Cell) -> str:
    plain = unicodedata.normalize("NFKC", text)
    if len(plain) > 32:
        raise Refused(_("太长（{n} 字），请写在 32 字以内", n=len(plain)))
    return plain


def _one_word(table: dict[str, str], why: str, say: Callable[[str], str] = str) -> Callable[[str, Cell], str]:
    def read(text: str, cell: Cell) -> str:
        found = export.canonical(unicodedata.normalize("NFKC", text).replace(" ", "").lower(), table)
        if found is None:
            raise Refused(
                _("{why}：{text}（可以写：{words}）", why=_(why), text=text[:20], words="、".join(map(say, table)))
            )
        return found

    return read


def _telegram(text: str, cell: Cell) -> str:
    plain = unicodedata.normalize("NFKC", text).replace(" ", "")
    if not re.fullmatch(r"[1-9][0-9]{4,14}", plain):
        raise Refused(_("telegram 要写数字编号，不是用户名：{text}（不知道就留空，让本人用绑定码）", text=text[:20]))
    return plain


def _wecom(text: str, cell: Cell) -> str:
    plain = unicodedata.normalize("NFKC", text).lower()
    if not re.fullmatch(r"[0-9a-z_.@-]{1,64}", plain):
        raise Refused(_("企业微信账号只有字母、数字和 _-.@：{text}", text=text[:20]))
    return plain


def _phone(text: str, cell: Cell) -> str:
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch(r"\+?[0-9]{5,15}", plain):
        raise Refused(_("电话看不懂：{text}（只写一个号码）", text=text[:20]))
    return plain


_DATE = re.compile(
    r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?:[ T]00:00(?::00)?)?|([0-9]{4})([0-9]{2})([0-9]{2})"
)
_EXCEL_DAY_0 = date(1899, 12, 30)  # Excel counts days from there, if the cell was never told that it is a date


def _day(text: str, cell: Cell) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    plain = unicodedata.normalize("NFKC", text)
    if isinstance(cell, int | float) and 20000 < cell < 80000:
        return _EXCEL_DAY_0 + timedelta(days=int(cell))
    found = _DATE.fullmatch(plain)
    try:
        year, month, day = (int(part) for part in (found.groups() if found else ()) if part is not None)
        return date(year, month, day)
    except ValueError as error:
        raise Refused(_("日期看不懂：{text}（要写年月日，例：2026-12-01）", text=text[:20])) from error


_READ: dict[str, Callable[[str, Cell], Any]] = {
    "politics": _one_word(export.POLITICS, N_("政治面貌不认识")),
    "role": _one_word(export.ROLES, N_("角色不认识"), export.role_word),
    "status": _one_word(export.STATUS, N_("在岗状态不认识")),
    "first": _day,
    "last": _day,
    "telegram": _telegram,
    "wecom": _wecom,
    "phone": _phone,
}

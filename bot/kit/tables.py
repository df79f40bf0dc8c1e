"""The cells of a table that somebody sent: .xlsx, .xls or .csv, whoever made it. For slow work in a child process.

What a file is, its first bytes say, not its name. What it would unpack to is refused by its own word; one that lies
is stopped by the child's memory.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from bot.kit.errors import Refused
from bot.kit.words import _

MAX_BYTES = 5_000_000
MAX_UNPACKED = 60_000_000
MAX_ROWS, MAX_COLUMNS = 6000, 200

Cell = Any  # str, int, float, bool, date, datetime, time, timedelta
Rows = Sequence[Sequence[Cell]]


def sheets(payload: bytes) -> Iterator[Rows]:
    """The cells of each sheet, from A1 on. ``Refused`` with what to do, where it cannot be read."""
    if len(payload) > MAX_BYTES:
        raise Refused(_("文件太大（超过 {n} MB）。请去掉图片，只留表格再发。", n=MAX_BYTES // 1_000_000))
    if payload[:4] == b"PK\x03\x04":
        _check_zip(payload)
        return _spreadsheet(payload)
    if payload[:4] == b"\xd0\xcf\x11\xe0":
        return _spreadsheet(payload)
    return iter([_csv(payload)])


def _check_zip(payload: bytes) -> None:
    try:
        entries = zipfile.ZipFile(io.BytesIO(payload)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Refused(_("文件损坏了，打不开。请用 Excel 或 WPS 另存为 .xlsx 再发。")) from error
    if len(entries) > 2000 or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise Refused(_("文件展开后太大。请把要用的几列复制到一个新表格再发。"))


def _spreadsheet(payload: bytes) -> Iterator[Rows]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(io.BytesIO(payload))
        for number in range(len(book.sheet_names)):
            sheet = book.get_sheet_by_index(number)
            _check_size(sheet)
            yield sheet.to_python(skip_empty_area=False)
    except python_calamine.PasswordError as error:
        raise Refused(_("文件加了密码，我打不开。请去掉密码另存再发。")) from error
    except (python_calamine.CalamineError, ValueError) as error:
        raise Refused(_("文件损坏了，打不开。请用 Excel 或 WPS 另存为 .xlsx 再发。")) from error


def _check_size(sheet: Any) -> None:
    if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
        size = {"name": sheet.name[:31], "rows": sheet.total_height, "columns": sheet.total_width}
        raise Refused(_("表格“{name}”太大（{rows} 行 {columns} 列）。请只留要用的部分再发。", **size))


def _csv(payload: bytes) -> Rows:
    text = _decoded(payload)
    if "\0" in text:
        raise Refused(_("这不是表格文件。请用 Excel 或 WPS 另存为 .xlsx 或 .csv 再发。"))
    lines = text.splitlines()
    delimiter = max(",\t;，", key="\n".join(lines[:20]).count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))[: MAX_ROWS + 1]
    except csv.Error as error:
        raise Refused(_("这个 .csv 读不了。请用 Excel 或 WPS 另存为 .xlsx 再发。")) from error


def _decoded(payload: bytes) -> str:
    """Excel writes UTF-8 with a mark, or the Chinese code page; ``Unicode text`` is UTF-16."""
    wide = payload[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return payload.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused(_("看不懂这个文件的文字编码。请用 Excel 或 WPS 另存为 .xlsx 再发。"))


# Marks nobody sees and marks that turn the direction of writing: a name with one in it could pass for another.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def text_of(cell: Cell) -> str:
    """What stands in a cell, on one line; 13800000000.0 is a number that somebody typed without the point."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime):
        cell = cell.date()
    return " ".join(_UNSEEN.sub("", str(cell)).split())


def letter(column: int) -> str:
    """0 is A, 26 is AA."""
    return letter(column // 26 - 1) + chr(65 + column % 26) if column >= 26 else chr(65 + column)

"""Slow work, in a child of its own: a file into clauses, a summary into files. Bytes in, plain values out.

What is declared is checked before anything is inflated; what is declared falsely fails at its own checksum, or dies
with the child. A broken file makes a parser say many things; the person reads one sentence.
"""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

import msgspec

from bot.kit.errors import Refused
from bot.kit.words import _
from handlers.drafts import clauses, export, rules

MOST_BYTES = 8 << 20  # of a .docx, pictures and all
MOST_TEXT_BYTES = 1 << 20  # of a text file
MOST_INFLATED = 64 << 20
MOST_XML = 24 << 20
MOST_PARTS = 2000
OLD_WORD = b"\xd0\xcf\x11\xe0"  # .doc, or a .docx with a password
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

Note = dict[str, int | str]


def read_draft(payload: bytes, note: Note) -> dict[str, Any]:
    """A file into ``title``, ``preface``, ``how`` and ``pieces`` ([label, heading, text])."""
    name, title = str(note.get("name", "")), str(note.get("title", ""))
    text = _docx(payload) if name.lower().endswith(".docx") else _decoded(payload)
    found = cut(text, title, name)
    pieces = [[piece.label, piece.heading, piece.text] for piece in found.pieces]
    return {"title": found.title or named(name), "preface": found.preface, "how": found.how, "pieces": pieces}


def make_table(payload: bytes, note: Note) -> dict[str, bytes]:
    """The summary as ``docx`` and ``xlsx``."""
    table = msgspec.json.decode(payload, type=export.Sheet)
    return {"docx": export.docx(table), "xlsx": export.xlsx(table)}


def check_size(name: str, content: bytes) -> None:
    """Before the bytes are kept anywhere."""
    most = MOST_BYTES if name.lower().endswith(".docx") else MOST_TEXT_BYTES
    if not content:
        raise Refused(_("这个文件是空的。请重新保存后再发。"))
    if len(content) > most:
        raise Refused(
            _(
                "文件太大（{n} MB），最多 {most} MB。请去掉图片，或另存为 .txt 再发。",
                n=len(content) >> 20,
                most=most >> 20,
            )
        )


def cut(text: str, title: str, name: str = "") -> clauses.Split:
    """The clauses of a text that may be shown."""
    text = clauses.tidy(text[: 4 * rules.MOST_CHARACTERS])
    if len(text) > rules.MOST_CHARACTERS:
        raise Refused(_("稿子太长了，最多 {most} 字。请分成几份发。", most=rules.MOST_CHARACTERS))
    return rules.check_text(clauses.split(text, clauses.clean_title(title)), text, f"{title}\n{name}")


def named(name: str) -> str:
    """A title made of a file's name, whoever gave it that name."""
    stem = re.sub(r"\.[A-Za-z]{1,5}$", "", re.split(r"[/\\]", name)[-1])
    kept = "".join(" " if unicodedata.category(s).startswith(("C", "Z")) else s for s in stem)
    return clauses.clean_title(re.sub(r'[<>:"|?*]', " ", kept))


# --- text files -----------------------------------------------------------------------------------------------


def _decoded(payload: bytes) -> str:
    if payload.startswith((b"PK\x03\x04", b"%PDF", OLD_WORD)):
        raise Refused(_("这个文件的内容和后缀对不上。请另存为 .docx 或 .txt 再发。"))
    for encoding in _encodings(payload):
        try:
            text = payload.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _is_text(text):
            return text
    raise Refused(_("读不出文字：编码不对，或者不是文本文件。请另存为 UTF-8 的 .txt 或 .docx 再发。"))


def _encodings(payload: bytes) -> tuple[str, ...]:
    if payload.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    return ("utf-8-sig", "gb18030")


def _is_text(text: str) -> bool:
    """gb18030 reads almost any bytes as something; noise has signs that nobody writes."""
    odd = sum(unicodedata.category(s) in ("Cc", "Cn", "Co", "Cs") and s not in "\t\n\r\f\v\x1a" for s in text)
    return odd * 200 <= len(text)


# --- .docx ----------------------------------------------------------------------------------------------------


def _docx(payload: bytes) -> str:
    if payload.startswith(OLD_WORD):
        raise Refused(_("这是旧版 .doc，或者加了密码。请去掉密码，另存为 .docx 再发。"))
    try:
        with ZipFile(BytesIO(payload)) as archive:
            _check_parts(archive)
            readable = _numbered(archive, payload)
        import mammoth  # keeps tracked insertions and drops tracked deletions, as the reader of a draft would

        return str(mammoth.extract_raw_text(BytesIO(readable)).value)
    except Refused:
        raise
    except Exception as error:
        raise Refused(_("这个 .docx 打不开：文件坏了，或者不是真的 .docx。请重新另存一次再发。")) from error


def _check_parts(archive: ZipFile) -> None:
    """What it says of itself, before anything is inflated; then that no part declares entities."""
    parts = archive.infolist()
    inflated = sum(part.file_size for part in parts)
    largest = max((p.file_size for p in parts if p.filename.lower().endswith((".xml", ".rels"))), default=0)
    if len(parts) > MOST_PARTS or inflated > MOST_INFLATED or largest > MOST_XML:
        raise Refused(_("这个 .docx 展开后太大，没有打开。请去掉图片和附件，或另存为 .txt 再发。"))
    names = {part.filename for part in parts}
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused(_("这个文件带宏，没有打开。请另存为不带宏的 .docx 再发。"))
    if "word/document.xml" not in names:
        raise BadZipFile("not a document")
    for name in names:
        if name.lower().endswith((".xml", ".rels")) and _declares(archive, name):
            raise BadZipFile("a document type has no place here")


def _declares(archive: ZipFile, name: str) -> bool:
    """A document type, and with it entities that may grow without end; in UTF-16 too."""
    return b"<!DOCTYPE" in archive.read(name).replace(b"\x00", b"")


# --- numbers that Word writes by itself -----------------------------------------------------------------------


@dataclass(slots=True)
class _List:
    """A list of a document: for each level what it says (第%1条), in which numerals, and how far it has come."""

    levels: dict[int, tuple[str, str, int]]
    counts: dict[int, int] = field(default_factory=dict)

    def next(self, level: int) -> str:
        said, _numerals, first = self.levels[level]
        self.counts[level] = self.counts.get(level, first - 1) + 1
        for deeper in [n for n in self.counts if n > level]:
            del self.counts[deeper]
        return re.sub(r"%([1-9])", lambda found: self._at(int(found[1]) - 1), said)

    def _at(self, level: int) -> str:
        _said, numerals, first = self.levels.get(level, ("", "decimal", 1))
        count = self.counts.get(level, first)
        return clauses.chinese(count) if re.search("hinese|ideograph|japanese", numerals) else str(count)


def _numbered(archive: ZipFile, payload: bytes) -> bytes:
    """Word keeps 第三条 as a rule, not as text, where it counts by itself; here the text gets it back."""
    names = set(archive.namelist())
    if "word/numbering.xml" not in names:
        return payload
    lists = _lists(ET.fromstring(archive.read("word/numbering.xml")))  # noqa: S314 no DOCTYPE, so no entities
    styles = ET.fromstring(archive.read("word/styles.xml")) if "word/styles.xml" in names else None  # noqa: S314
    by_style = _by_style(styles) if styles is not None else {}
    document = ET.fromstring(archive.read("word/document.xml"))  # noqa: S314
    for paragraph in document.iter(f"{W}p"):
        _write_number(paragraph, lists, by_style)
    out = BytesIO()
    with ZipFile(out, "w") as copy:
        for name in names - {"word/document.xml"}:
            if name.lower().endswith((".xml", ".rels")):
                copy.writestr(name, archive.read(name))
        copy.writestr("word/document.xml", ET.tostring(document, encoding="utf-8"))
    return out.getvalue()


def _value(element: ET.Element | None, path: str) -> str:
    found = element.find(path) if element is not None else None
    return found.get(f"{W}val", "") if found is not None else ""


def _lists(numbering: ET.Element) -> dict[str, _List]:
    """By the number that paragraphs use; several may share one list."""
    abstract = {}
    for one in numbering.iter(f"{W}abstractNum"):
        levels = {}
        for level in one.iter(f"{W}lvl"):
            first = _value(level, f"{W}start")
            said = (_value(level, f"{W}lvlText"), _value(level, f"{W}numFmt"), int(first) if first.isdigit() else 1)
            levels[int(level.get(f"{W}ilvl", "0"))] = said
        abstract[one.get(f"{W}abstractNumId", "")] = _List(levels)
    found = {num.get(f"{W}numId", ""): _value(num, f"{W}abstractNumId") for num in numbering.iter(f"{W}num")}
    return {number: abstract[name] for number, name in found.items() if name in abstract}


def _number_of(properties: ET.Element | None) -> tuple[str, int] | None:
    number = _value(properties, f"{W}numPr/{W}numId")
    level = _value(properties, f"{W}numPr/{W}ilvl")
    return (number, int(level) if level.isdigit() else 0) if number else None


def _by_style(styles: ET.Element) -> dict[str, tuple[str, int]]:
    """The numbering that a paragraph has by its style alone."""
    found = {one.get(f"{W}styleId", ""): _number_of(one.find(f"{W}pPr")) for one in styles.iter(f"{W}style")}
    return {name: number for name, number in found.items() if number is not None}


def _write_number(p: ET.Element, lists: Mapping[str, _List], by_style: Mapping[str, tuple[str, int]]) -> None:
    properties = p.find(f"{W}pPr")
    number = _number_of(properties) or by_style.get(_value(properties, f"{W}pStyle"))
    found = lists.get(number[0]) if number else None
    if found is None or number is None or number[1] not in found.levels or next(p.iter(f"{W}t"), None) is None:
        return
    if found.levels[number[1]][1] in ("bullet", "none", ""):
        return
    run = ET.Element(f"{W}r")
    ET.SubElement(run, f"{W}t").text = found.next(number[1]) + " "
    p.insert(1 if properties is not None else 0, run)

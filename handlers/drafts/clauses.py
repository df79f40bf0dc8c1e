"""A text into clauses: 第三条, or 三、 and 3. where there are none of those, or else its paragraphs. Pure.

Every piece gets a label of one form (第二十一条): everybody can say which they mean, whatever the text looks like.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

ARTICLES, NUMBERS, PARAGRAPHS = "articles", "numbers", "paragraphs"
TITLE = 80  # characters
HEADING = 60

_ONES = "一二三四五六七八九"
_DIGITS = {sign: value for value, sign in enumerate(_ONES, 1)} | {"零": 0, "〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
NUMBER = r"(?:[0-9０-９]{1,4}|[零〇一二三四五六七八九十百千两]{1,9})"
_TWINS = dict(
    zip(
        "条项议见无没对关应该为删设时间长严宽过处补调细确标点写错别个们这后与给将请问谁么吗难办规务组认觉总体题阅谢",
        "條項議見無沒對關應該為刪設時間長嚴寬過處補調細確標點寫錯別個們這後與給將請問誰麼嗎難辦規務組認覺總體題閱謝",
        strict=True,
    )
)


def both(pattern: str) -> str:
    """The pattern, reading 建議 and 第三條 as it reads 建议 and 第三条."""
    made, inside = "", False
    for sign in pattern:
        inside = (inside or sign == "[") and sign != "]"
        twin = _TWINS.get(sign, "")
        made += sign + twin if inside or not twin else f"[{sign}{twin}]"
    return made


@dataclass(frozen=True, slots=True)
class Piece:
    """One clause; ``heading`` is the chapter it stands under, ``text`` is word for word."""

    label: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Split:
    """``title`` is "" where none could be told; ``preface`` is what stands before the first clause."""

    title: str
    preface: str
    how: str
    pieces: Sequence[Piece]


# --- numbers --------------------------------------------------------------------------------------------------


def numeral(text: str) -> int:
    """21 from 二十一, 21 or ２１; 0 for what is no number."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if plain.isascii() and plain.isdigit():
        return int(plain)
    if plain and all(sign in _DIGITS for sign in plain):
        return int("".join(str(_DIGITS[sign]) for sign in plain))  # 二〇
    total = digit = 0
    for sign in plain:
        if sign in _UNITS:
            total += (digit or 1) * _UNITS[sign]
            digit = 0
        else:
            digit = _DIGITS.get(sign, 0)
    return total + digit


def chinese(number: int) -> str:
    """二十一 from 21, up to 9999."""
    text, zero = "", False
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if zero else "") + _ONES[digit - 1] + sign
            zero = False
        elif text:
            zero = True
    return text.removeprefix("一") if text.startswith("一十") else text


def label(number: int, sub: int = 0) -> str:
    """第三条, 第三条之一."""
    return f"第{chinese(number)}条" + (f"之{chinese(sub)}" if sub else "")


# --- splitting ------------------------------------------------------------------------------------------------

_HEAD = re.compile(
    both(
        rf"(?P<line>^)?(?(line)|(?<=[。；;！!]))[ \t　]*第\s*(?P<n>{NUMBER})\s*条(?:之(?P<sub>{NUMBER}))?"
        r"(?!\s*(?:规定|所|的|、|和|与|及|至|到|第|以及|或|以上|以下|中(?!学)))"
    ),
    re.MULTILINE,
)
_CHAPTER = re.compile(both(rf"^[ \t　]*第\s*{NUMBER}\s*[章节编部篇](?![^\s　]*[，。；,;]).{{0,{HEADING}}}$"))
_APPENDIX = re.compile(both(rf"^[ \t　]*附\s*[件表录则]\s*(?P<n>{NUMBER})?(?=[\s　:：]|$)"))
_ITEM = re.compile(
    r"^[ \t　]*(?:(?P<a>[零〇一二三四五六七八九十百]{1,5})[、.．]|(?P<b>[0-9０-９]{1,3})(?:[、．)）]|\.(?![0-9])))"
)
_MARKUP = re.compile(r"^[ \t]{0,3}(?:#{1,6}[ \t]+|>[ \t]?)|\*\*|__", re.MULTILINE)
_TITLE_END = re.compile(
    r"(?:办法|制度|规定|方案|细则|条例|规则|意见|章程|规范|守则|计划|预案|纲要|要点|职责|公约|标准|流程)(?:[（(].{1,20}[）)])?$"
)


def readable(text: str) -> str:
    """Without signs that nobody sees and some programs choke on; the joiner of an emoji stays."""
    hidden = ("Cc", "Cf", "Cs", "Co")
    return "".join(sign for sign in text if sign in "\n\t\u200d" or unicodedata.category(sign) not in hidden)


def tidy(text: str) -> str:
    """One kind of line end, nothing hidden, no Markdown signs, no blanks at the ends of lines."""
    text = readable(re.sub("\r\n|[\r\v\f\u2028]", "\n", text))
    return "\n".join(line.rstrip(" \t　") for line in _MARKUP.sub("", text).split("\n")).strip("\n")


def split(text: str, title: str = "") -> Split:
    """The pieces of a tidied text. ``title``: what it was called already; else it is looked for above the clauses."""
    marks = _articles(text)
    how = ARTICLES
    if not marks:
        marks, how = _numbers(text), NUMBERS
    if not marks:
        return _paragraphs(text, title)
    before, pieces = text[: marks[0][0]], _cut(text, marks)
    found, preface, heading = _opening(before, title)
    return Split(found, preface, how, _unique(_headed(pieces, heading)))


def _articles(text: str) -> list[tuple[int, str]]:
    """Where each 第X条 begins. A number that runs back, or stands inside a sentence, only speaks of a clause."""
    marks: list[tuple[int, str]] = []
    last = (0, 0)
    for found in _HEAD.finditer(text):
        here = (numeral(found["n"]), numeral(found["sub"] or ""))
        follows = here[0] == last[0] + 1 or (here[0] == last[0] and here[1] == last[1] + 1)
        ahead = here > last or here == (1, 0)
        if here[0] and (ahead if found["line"] is not None else follows and bool(marks)):
            marks.append((found.start(), label(*here)))
            last = here
    return marks


def _numbers(text: str) -> list[tuple[int, str]]:
    """Where 一、 二、 … begin, or 1. 2. …; at least two, in order from one."""
    for group in "ab":
        marks: list[tuple[int, str]] = []
        for start, line in _lines(text):
            found = _ITEM.match(line)
            if found and found[group] and numeral(found[group]) == len(marks) + 1:
                marks.append((start, label(len(marks) + 1)))
        if len(marks) > 1:
            return marks
    return []


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _cut(text: str, marks: Sequence[tuple[int, str]]) -> list[tuple[str, str]]:
    ends = [start for start, _ in marks[1:]] + [len(text)]
    return [(name, text[start:end].strip("\n")) for (start, name), end in zip(marks, ends, strict=True)]


def _headed(pieces: Sequence[tuple[str, str]], heading: str) -> Iterator[Piece]:
    """Chapters and appendices are cut out of the clause they follow; a chapter names what comes after it."""
    for name, text in pieces:
        body: list[str] = []
        current, under = name, heading
        for line in text.split("\n"):
            appendix = _APPENDIX.match(line)
            if _CHAPTER.match(line):
                heading = _under(heading, line)
            elif appendix and body and "附则" not in line:
                yield Piece(current, under, _body(body))
                current, under, body, heading = _appendix(appendix), "", [line], ""
            elif appendix and "附则" in line and len(line.strip()) < 6:
                heading = line.strip()
            else:
                body.append(line)
        yield Piece(current, under, _body(body))


def _appendix(found: re.Match[str]) -> str:
    return "附件" + (str(numeral(found["n"])) if found["n"] else "")


def _under(heading: str, line: str) -> str:
    """A 节 stands under its 章."""
    plain = " ".join(line.split())
    section = re.match(rf"第\s*{NUMBER}\s*节", plain)
    chapter = heading.split(" · ")[0]
    return f"{chapter} · {plain}" if section and chapter else plain


def _body(lines: Sequence[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n").strip(" \t　")


def _opening(before: str, title: str) -> tuple[str, str, str]:
    """Title, preface and the chapter of the first clause, from what stands above it."""
    lines = [line.strip(" \t　") for line in before.split("\n")]
    lines = [line for line in lines if line]
    heading = ""
    rest: list[str] = []
    for line in lines:
        if _CHAPTER.match(line):
            heading = _under(heading, line)
        else:
            rest.append(line)
    named, rest = (title, _without(rest, title)) if title else _title(rest)
    return named, "\n".join(rest), heading


def _title(lines: list[str]) -> tuple[str, list[str]]:
    """The first line that ends as titles end, else the first that is short enough and no sentence."""
    short = [line for line in lines[:4] if len(line) <= TITLE and not re.search(r"[。；;！!？?：:，,]", line)]
    found = next((line for line in short if _TITLE_END.search(line)), short[0] if short else "")
    return clean_title(found), [line for line in lines if line != found]


def _without(lines: list[str], title: str) -> list[str]:
    return [line for line in lines if clean_title(line) != title]


def clean_title(text: str) -> str:
    """One line, without 《》 and （征求意见稿）, which every card says anyway."""
    plain = " ".join(text.split()).strip("《》 ")
    plain = re.sub(r"\s*[（(【\[]\s*(?:征求意见稿|讨论稿|草案|初稿|送审稿)\s*[）)】\]]\s*", "", plain)
    return plain.strip("《》 ")[:TITLE]


def _paragraphs(text: str, title: str) -> Split:
    blocks = [block.strip("\n") for block in re.split(r"\n[ \t　]*\n", text) if block.strip()]
    if len(blocks) == 1:
        blocks = [line for line in blocks[0].split("\n") if line.strip()]
    named, rest = title, blocks
    if blocks and not title and len(blocks) > 1:
        named, _left = _title(blocks[:1])
    if named and blocks and clean_title(blocks[0]) == named:
        rest = blocks[1:]
    pieces = [Piece(label(number), "", block.strip(" \t　")) for number, block in enumerate(rest, 1)]
    return Split(named, "", PARAGRAPHS, pieces)


def _unique(pieces: Iterator[Piece]) -> list[Piece]:
    """Two parts may both begin with 第一条: the second is 第一条（2）."""
    seen: dict[str, int] = {}
    found = []
    for piece in pieces:
        times = seen[piece.label] = seen.get(piece.label, 0) + 1
        found.append(Piece(f"{piece.label}（{times}）", piece.heading, piece.text) if times > 1 else piece)
    return found

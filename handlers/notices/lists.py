"""A pasted 接龙: numbered lines under a title, as WeChat makes them or as people type them. Pure.

Everybody posts the whole list again with one line more, so a list is never the truth: it is compared with what was
known. What it takes from whom, ``rolls`` decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from handlers.notices import vocabulary
from handlers.notices.answers import Heard, hear
from handlers.notices.rules import Answer
from storage.rolls import Entry

LONGEST, MOST = 12_000, 400  # signs, lines
TITLE = 80


@dataclass(frozen=True, slots=True)
class Roll:
    """``headed``: it says 接龙 itself; else it is a numbered list that may be an agenda as well."""

    title: str
    lines: Sequence[str]
    headed: bool


def read_roll(text: str) -> Roll | None:
    """The lines of a 接龙 without their numbers, or ``None`` where the text is none."""
    if len(text) > LONGEST or not _MAYBE.search(text):
        return None
    lines = [line.strip() for line in _cut(text)]
    headed = any(_HEADER.search(line) for line in lines[:3])
    title, found = _titled(lines), _numbered(lines)
    if not found or (not headed and (len(found) < 2 or not _MAYBE_FIRST.match(text_of_first(lines)))):
        return None
    return Roll(title, found[:MOST], headed)


def text_of_first(lines: Sequence[str]) -> str:
    """The first numbered line, number and all."""
    return next((line for line in lines if _NUMBER.match(line)), "")


def _cut(text: str) -> Sequence[str]:
    """One line for each number: ①张三 as 1. 张三, and 1.张三 2.李四 on one line as two."""
    text = "".join(f"{_CIRCLED.index(sign) + 1}. " if sign in _CIRCLED else sign for sign in text)
    text = unicodedata.normalize("NFKC", _KEYCAP.sub(r"\1. ", text))
    lines = text.replace("\r", "\n").split("\n")
    if sum(bool(_NUMBER.match(line)) for line in lines) <= 1:
        lines = [part for line in lines for part in re.split(r"(?<=\S)\s+(?=[0-9]{1,3}[.、)])", line)]
    return lines


def _titled(lines: Sequence[str]) -> str:
    head = []
    for line in lines:
        if _NUMBER.match(line):
            break
        bare = _HEADER.sub("", line).strip(" #:：")
        if bare and not _EXAMPLE.match(bare):
            head.append(bare)
    return " ".join(head)[:TITLE]


def _numbered(lines: Sequence[str]) -> Sequence[str]:
    """A line without a number belongs to the one before it."""
    found: list[str] = []
    for line in lines:
        numbered = _NUMBER.match(line)
        if numbered and numbered["text"].strip():
            found.append(numbered["text"].strip())
        elif found and line and not numbered and not _HEADER.search(line):
            found[-1] += f" {line}"
    return found


# --- what stands behind a name --------------------------------------------------------------------------------


def remark(text: str, departments: Collection[str] = ()) -> Heard | None:
    """What is written behind a name: nothing, a department and (2人) are a plain 收到; ``None``: not understood."""
    bare = text.strip(" ()（）。.,，")
    if not bare or bare in departments or vocabulary.GROUP.fullmatch(bare) or _SIGN.fullmatch(bare):
        return Heard(Answer.YES, plain=True)
    if _COUNT.fullmatch(bare):
        return Heard(Answer.YES, note=bare, plain=True)
    heard = hear(bare)
    if heard and not (heard.who or heard.proxy or heard.asks):
        return heard
    doubted = heard or any(sign.search(bare) for sign in (vocabulary.DOUBT, vocabulary.TRAP, _NO_SIGN))
    return None if doubted else Heard(Answer.YES, note=bare[:100], plain=True)


def vanished(versions: Sequence[tuple[int, Sequence[Entry]]], poster: int, now: Sequence[Entry]) -> Sequence[int]:
    """Who stood in an earlier version and is not in this one although whoever made it had seen them.

    Two people who post at the same moment each miss the other's line; that is no withdrawal. It may be one when
    somebody takes out their own line, when a line that came after it is still there, or when the list got shorter and
    no longer. ``versions``: posters and lines, oldest first.
    """
    here = {line.person for line in now if line.person}
    known = {line.person for _poster, lines in versions for line in lines if line.person}
    gone = []
    for person in sorted(known - here):
        after = {
            line.person
            for _poster, lines in versions
            for line in lines[_place(lines, person) + 1 :]
            if _place(lines, person) >= 0 and line.person
        }
        if poster == person or after & here or here < known:
            gone.append(person)
    return gone


def _place(lines: Sequence[Entry], person: int) -> int:
    return next((n for n, line in enumerate(lines) if line.person == person), len(lines))


def about(title: str, topic: str) -> bool:
    """Has the title two signs in a row in common with the topic that not every meeting has?"""
    plain = re.sub(_GENERIC, " ", title)
    return any(plain[at : at + 2] in topic for at in range(len(plain) - 1) if not re.search(r"\s", plain[at : at + 2]))


def generic(title: str) -> bool:
    """收到请接龙, 参会接龙, 会议通知: says nothing of what it is about."""
    return not re.sub(rf"{_GENERIC}|[\s,，。!！:：#的]", "", title)


_GENERIC = (
    r"(?:请|大家|各位|老师|会议|开会|参会|参加|通知|收到|已阅|回执|回复|接龙|报名|统计|确认|签到|名单|人员|情况|全体"
    r"|教师|教职工)"
)
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_KEYCAP = re.compile(r"([0-9])\ufe0f?\u20e3")
_MAYBE = re.compile(rf"接龙|接龍|group note|[1１{_CIRCLED[0]}]", re.IGNORECASE)
_MAYBE_FIRST = re.compile(r"[(（]?1[.、)）:．\s]")
_HEADER = re.compile(r"#?\s*(?:接[龙龍]|group note)\s*", re.IGNORECASE)
_EXAMPLE = re.compile(r"(?:例|示例|格式)(?:[:：\s]|如)")
_NUMBER = re.compile(r"\s*[(（]?(?P<number>[0-9]{1,3})\s*(?:[.、)）:．]|\s)\s*(?P<text>[^0-9].*|)$")
_SIGN = re.compile(r"\+?1|[√✓✔]|收到|ok", re.IGNORECASE)
_NO_SIGN = re.compile(r"[×✗✘xX/?？否-]")
_COUNT = re.compile(r"\+?[0-9一二两三]+(?:人|位|个)")

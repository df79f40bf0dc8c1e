"""Who is meant by a name as people type it: 王芳, 数学组-王芳, 初二 王芳, 王芳老师, 王方. Pure.

A name that is written right is that person, whoever else sounds alike. One that is not is taken only where a single
person sounds the same and nobody else is near; everything else is for people to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from storage.people import Person

NEAR = 85  # of 100: two names that sound so alike are never told apart by us
TITLES = ("老师", "校长", "书记", "主任", "组长", "同志")
_SUBJECTS = (
    r"语文|数学|英语|物理|化学|生物|历史|地理|政治|道法|音乐|体育|美术|科学|信息|信息技术|劳动|心理|后勤|总务|教务|德育"
)
_GRADE = r"(?:[初高小][一二三四五六]|[一二三四五六七八九]年级)(?:\(?[0-9]{1,2}\)?班)?|[0-9]{1,2}班"
GROUP = re.compile(rf"(?:{_GRADE}|{_SUBJECTS})(?:备课|教研|年级)?组?|[\u4e00-\u9fff]{{1,6}}(?:组|部|处|室|科|年级|班)")
_PREFIX = re.compile(rf"(?:{GROUP.pattern})(?:[\s\-_—/·.:|]|(?=[\u4e00-\u9fff]))+")
_SUFFIX = re.compile(rf"[\s\-_—/·(]+(?:{GROUP.pattern})\)?$")
_SURNAMES = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "乐": "yue", "区": "ou", "查": "zha", "朴": "piao",
    "盖": "ge", "尉": "yu", "华": "hua", "任": "ren", "宁": "ning", "缪": "miao", "翟": "zhai", "员": "yun",
}  # fmt: skip
"""pypinyin reads these as words, not as surnames."""


@dataclass(frozen=True, slots=True)
class Match:
    """``person``: certainly this one. ``close``: who may have been meant, never to be taken unasked."""

    person: Person | None = None
    close: Sequence[Person] = ()


def match(typed: str, roster: Sequence[Person]) -> Match:
    """Who of the roster is meant."""
    text = " ".join(unicodedata.normalize("NFKC", typed).split()).strip(" 。.,，:：-@")
    for word in _forms(text):
        if same := [one for one in roster if one.name == word]:
            return _one_of(same, text)
    for word in _forms(text):
        if found := _by_title(word, roster):
            return Match(found[0]) if len(found) == 1 else Match(close=found)
    return _by_sound(_forms(text)[-1], roster)


def _forms(text: str) -> Sequence[str]:
    """As typed, without the group before or behind it, without 老师."""
    bare = _SUFFIX.sub("", _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text).strip()
    untitled = next((bare.removesuffix(title) for title in TITLES if bare.endswith(title) and bare != title), bare)
    return [*dict.fromkeys((text, bare, untitled.strip()))]


def _one_of(same: Sequence[Person], text: str) -> Match:
    """Two of one name are told apart by the group in front, or not at all."""
    if len(same) == 1:
        return Match(same[0])
    grouped = [one for one in same if one.department and (one.department in text or one.department[:2] in text)]
    return Match(grouped[0]) if len(grouped) == 1 else Match(close=same)


def _by_title(word: str, roster: Sequence[Person]) -> Sequence[Person]:
    """王老师: whoever is called 王."""
    title = next((title for title in TITLES if word.endswith(title)), "")
    surname = word.removesuffix(title)
    if not title or len(surname) != 1:
        return []
    return [one for one in roster if one.name.startswith(surname) and len(one.name) > 1]


def _by_sound(word: str, roster: Sequence[Person]) -> Match:
    if not 2 <= len(word) <= 4 or not all("\u4e00" <= sign <= "\u9fff" for sign in word):
        return Match()
    from rapidfuzz import fuzz  # with pypinyin 120 ms to load: only for whoever mistypes

    spoken = sound(word)
    near = [one for one in roster if fuzz.ratio(spoken, sound(one.name)) >= NEAR or _one_sign_off(word, one.name)]
    same = [one for one in near if sound(one.name) == spoken and len(one.name) == len(word)]
    return Match(same[0]) if len(same) == 1 and len(near) == 1 else Match(close=near)


def _one_sign_off(word: str, name: str) -> bool:
    """王晓明, 王小明: one sign of three is another."""
    return len(word) == len(name) >= 3 and sum(a != b for a, b in zip(word, name, strict=True)) == 1


def sound(name: str) -> str:
    """``wang xiao ming``: without tones, surnames as surnames are spoken."""
    from pypinyin import lazy_pinyin

    sounds = lazy_pinyin(name)
    return " ".join([_SURNAMES.get(name[:1], sounds[0]), *sounds[1:]]) if sounds else name


def first(text: str, roster: Sequence[Person]) -> tuple[str, str]:
    """张三 请假, 数学组-王芳：晚到, 李四请假: the name at the beginning, and what is written behind it."""
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    group = _PREFIX.match(text)
    at = group.end() if group else 0
    known = sorted((one.name for one in roster if text[at:].startswith(one.name)), key=len, reverse=True)
    whole = next((one.name for one in roster if text.startswith(one.name)), "")
    if known or whole:
        name = known[0] if known else whole
        end = (at if known else 0) + len(name)
        title = next((title for title in TITLES if text[end:].startswith(title)), "")
        return text[: end + len(title)], text[end + len(title) :].strip(" ,，:：-—")
    cut = re.search(r"[\s,，:：(（\-—]", text[at:])
    end = at + cut.start() if cut else len(text)
    return text[:end], text[end:].strip(" ,，:：-—")

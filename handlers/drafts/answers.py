"""What people mean by what they say to a draft: 第三条建议改为…… · 第5条第2款：… · 三、(二)… · 无意见. Pure.

Words are kept as they were typed; only where they belong is read. Three readers, from strict to kind: ``plainly`` for
talk in a group that happens to be about a clause, ``privately`` for a talk with us, ``replying`` to the card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.kit.words import N_
from handlers.drafts.clauses import NUMBER, both, label, numeral, readable
from handlers.drafts.sentence import (
    ABOUT,
    AGREES,
    ASKS,
    BEGINS,
    BUT,
    COMMA,
    CUE,
    DONE,
    ENUMERATOR,
    HEARD,
    ITEM,
    NOTHING,
    ON_IT,
    OPEN,
    PARTED,
    REF,
    SENTENCE,
    TAIL,
    TITLED,
    WANTS,
)

ALL = N_("全文")
MOST = 60  # remarks in one message
LONGEST = 8000  # characters that are still read as somebody's remarks


@dataclass(frozen=True, slots=True)
class Remark:
    """``clause``: 第三条, 附件1 or 全文. ``point``: 第二款. ``asks``: a question for the office, not a comment."""

    clause: str
    point: str
    words: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """``text`` as it was said; no remarks: 无意见."""

    text: str
    remarks: tuple[Remark, ...]


# --- the readers ----------------------------------------------------------------------------------------------


def plainly(text: str) -> Meaning | None:
    """In a group, to nobody: only what can be about nothing but the draft."""
    text = _clean(text)
    if _says_nothing(text):
        return Meaning(text, ())
    if _but(text):
        return _meaning(text, _read(text))
    found = _item(text, strict=True) or _read(text)
    parted = PARTED.search(text) is not None
    about = [r for r in found if (ABOUT.search(r.words) if r.clause == ALL else _telling(r, parted=parted))]
    return _meaning(text, found) if about else None


def privately(text: str) -> Meaning | None:
    """In a talk with us: a clause is enough, or a beginning that says 建议."""
    text = _clean(text)
    if _says_nothing(text):
        return Meaning(text, ())
    found = _item(text, strict=False) or _read(text)
    named = any(remark.clause != ALL or ABOUT.search(remark.words) for remark in found)
    return _meaning(text, found) if named or BEGINS.match(text) or _but(text) else None


def replying(text: str) -> Meaning | None:
    """In answer to the card: everything that is not merely a sign of having seen it."""
    text = _clean(text)
    agrees = AGREES.match(text)
    if (
        _says_nothing(text)
        or (agrees and TAIL.fullmatch(text, agrees.end()))
        or re.fullmatch("无|無|没有?|沒有?", text)
    ):
        return Meaning(text, ())
    if HEARD.fullmatch(text) or len(re.findall(r"\w", text)) < 2:
        return None
    return _meaning(text, _item(text, strict=False) or _read(text))


def _meaning(text: str, found: tuple[Remark, ...]) -> Meaning | None:
    return Meaning(text, found) if found else None


# --- how they read --------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    return re.sub(r"^\s*(?:@\S+\s+){1,3}", "", readable(text[:LONGEST])).strip()


def _says_nothing(text: str) -> bool:
    found = NOTHING.match(text)
    return found is not None and TAIL.fullmatch(text, found.end()) is not None


def _but(text: str) -> bool:
    """没意见，但是……: a comment after all."""
    found = NOTHING.match(text)
    return found is not None and BUT.match(text, found.end()) is not None


def _telling(remark: Remark, *, parted: bool) -> bool:
    """Does it say something of the clause, or only mention it? ``parted``: a sign stands behind the clause."""
    words = re.sub(r"^的?(?:建议|意见)", "", remark.words)
    if HEARD.fullmatch(words) or DONE.match(words):
        return False
    return remark.asks or CUE.search(remark.words) is not None or (parted and len(words) > 1)


def _item(text: str, *, strict: bool) -> tuple[Remark, ...]:
    """三、(二)……; a list of one's own (一、… 二、…) is not about clause one and two."""
    found = ITEM.fullmatch(text)
    if found is None or REF.search(text) or re.search(r"[\n\s。；;]\s*[一二三四五六七八九十]{1,3}\s*[、.．]", text):
        return ()
    words = found["words"].strip(" 　：:，,")
    if not words or (strict and not (found["point"] and CUE.search(words))):
        return ()
    return (_remark(label(numeral(found["n"])), found["point"] or "", words),)


def _read(text: str) -> tuple[Remark, ...]:
    """Sentence by sentence: one that opens with a clause begins a remark, the others go on with theirs."""
    parts: list[tuple[re.Match[str] | None, str]] = []
    for sentence in _sentences(text):
        found = _opens(sentence)
        if (found is not None and len(parts) < MOST) or not parts:
            parts.append((found, sentence))
        else:
            before, words = parts[-1]
            parts[-1] = (before, words + sentence)
    if parts and parts[0][0] is None and not _worth(parts[0][1], alone=len(parts) == 1):
        parts = parts[1:]
    found_all = tuple(remark for found, words in parts for remark in _remarks(found, words))
    telling = tuple(r for r in found_all if not _agreeing(r.words))
    return telling or found_all


def _agreeing(words: str) -> bool:
    agrees = NOTHING.match(words) or AGREES.match(words)
    return agrees is not None and TAIL.fullmatch(words, agrees.end()) is not None


def _sentences(text: str) -> Iterator[str]:
    for found in SENTENCE.finditer(text):
        start = 0
        for comma in COMMA.finditer(found[0]):
            before = found[0][start : comma.start()]
            if _opens(before) or _says_nothing(before.strip()):
                yield before
                start = comma.end()
        if found[0][start:].strip():
            yield found[0][start:]


def _opens(sentence: str) -> re.Match[str] | None:
    """The clause a sentence opens with, behind an enumerator and a few polite words."""
    lead = ENUMERATOR.match(sentence)
    start = lead.end() if lead else 0
    found = REF.search(sentence, start)
    if found is None:
        return None
    before = sentence[start : found.start()]
    polite = NOTHING.match(before) or re.match(r"收到|已阅|好的", before)
    if polite:
        before = re.sub(r"^[，,。.\s]*(?:但是?|不过|只是|就是|另外|除了)?[，,\s]*", "", before[polite.end() :])
    return found if OPEN.fullmatch(before) else None


def _worth(text: str, *, alone: bool) -> bool:
    """Words before the first clause: a comment on the whole, or only a way to begin (有两点意见：)?"""
    bare = re.sub(
        both(r"[几两一二三四五0-9]{1,3}[点条个]?(?:建议|意见)|(?:修改)?(?:建议|意见)(?:如下|是)"), "", text
    ).strip()
    if bare.endswith(("：", ":")) or not re.search(r"\w", bare):
        return False
    return alone or (len(bare) > 8 and CUE.search(bare) is not None)


def _remarks(found: re.Match[str] | None, text: str) -> Iterator[Remark]:
    if found is None:
        yield _remark(ALL, "", text.strip())
        return
    lead = ENUMERATOR.match(text)
    start = lead.end() if lead else 0
    before, after = text[start : found.start()], text[found.end() :]
    words = TITLED.sub("", after, count=1) if TITLED.match(after) else after
    words = words.strip(" 　：:，,、\n").rstrip("；;")
    if not words or ON_IT.search(before) or re.match(r"[和与與跟同及至到\-~后後前]", words):
        words = text[start:].strip()  # 建议删除第三条: without its clause it says nothing
    if words == found[0].strip():
        return
    if found["annex"]:
        yield _remark("附件" + (str(numeral(found["annexed"])) if found["annexed"] else ""), "", words)
    elif found["n"] is None:
        yield _remark(ALL, "", text.strip())
    else:
        for number in [found["n"], *re.findall(NUMBER, found["more"] + found["also"])[:MOST]]:
            yield _remark(label(numeral(number), numeral(found["sub"] or "")), found["point"], words)


def _remark(clause: str, point: str, words: str) -> Remark:
    asks = ASKS.search(words) is not None and WANTS.search(words) is None
    return Remark(clause, re.sub(r"[\s,，]", "", point)[:32], words, asks)

"""What people really type when they answer a notice: 收到, 数学组收到, 晚到十分钟, 监考请假, 代李四请假. Pure.

A wrong reading is worse than none: whoever is not understood stays on the list of the silent and is asked once more,
but whoever is counted by mistake is not. So a text is read only when all of it is understood: it is made plain, thrown
out when it asks, orders, doubts or speaks for others, cut at its commas, and each piece must be one of the forms of
``vocabulary``. A question after a firm answer (收到，几点开始？) is kept beside the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from handlers.notices import vocabulary as v
from handlers.notices.rules import Answer

LONGEST = 60


@dataclass(frozen=True, slots=True)
class Heard:
    """``plain``: a bare 收到, which says nothing against an earlier 请假. ``who``: in whose name, as it was typed;
    ``proxy``: said for that person by somebody else. ``asks``: the question that came with the answer."""

    answer: Answer
    note: str = ""
    plain: bool = False
    who: str = ""
    proxy: bool = False
    asks: str = ""


def hear(text: str) -> Heard | None:
    """What a text answers to a meeting notice, or ``None`` where it is not certainly an answer."""
    typed = plain(text)
    words = v.TAIL.sub("", typed)  # 好吧。 is no more an answer than 好吧
    if not words or len(words) > LONGEST or v.LISTED.match(typed):
        return None
    return _proxy(words) or _answer(words) or _asking(text, words)


def plain(text: str) -> str:
    """One spelling for everything: NFKC, simplified, stickers and signs as words, no decoration."""
    words = _simplified().convert(unicodedata.normalize("NFKC", text[:300]).lower())
    words = v.SIGNS.sub(" 收到 ", v.STICKER.sub(_sticker, words))
    words = "".join(sign for sign in words if sign == "👎" or unicodedata.category(sign) not in v.DECORATION)
    words = v.MENTION.sub(" ", words)
    for typo, meant in v.TYPOS:
        words = words.replace(typo, meant)
    return words.strip()


@cache
def _simplified() -> Any:
    from opencc import OpenCC  # loaded by the first word, not by the start

    return OpenCC("t2s")


def _sticker(found: re.Match[str]) -> str:
    inside = found[1]
    if inside in v.STICKERS:
        return " 收到 "
    return f" {inside} " if v.ACK.fullmatch(inside) or (v.NAME.fullmatch(inside) and len(inside) > 2) else " "


def _polite(piece: str) -> str:
    """谢谢, 辛苦了 and whom it is said to are no part of the answer, nor is the 但是 before it."""
    bare = v.THANKS.sub("", v.BUT.sub("", piece))
    if bare != piece and is_name(bare) and v.THANKS.search(piece):  # 王老师辛苦了 is said to 王老师
        return ""
    return "" if v.COURTESY.fullmatch(piece) or v.COURTESY.fullmatch(bare) else bare


def _cut(words: str) -> Sequence[str]:
    words = v.CHANGED.sub("", v.GLUED.sub(r"\1,", words))
    pieces = [piece for piece in (_polite(piece) for piece in v.CUT.split(words)) if piece]
    return pieces[1:] if len(pieces) > 1 and v.SLIP.fullmatch(pieces[0]) else pieces


def _answer(words: str) -> Heard | None:
    if v.TRAP.search(words):
        return None
    pieces = _cut(words)
    found = _together(pieces, [_piece(piece) for piece in pieces])
    slipped = found is not None and v.SLIP.match(v.CUT.split(words)[0])
    return replace(found, plain=False) if found and slipped else found


# --- one piece ------------------------------------------------------------------------------------------------


def _piece(piece: str) -> Heard | None:
    if v.ACK.fullmatch(piece):
        return Heard(Answer.YES, plain=True)
    if v.YES.fullmatch(piece):
        return Heard(Answer.YES, note=piece if v.ONLINE.fullmatch(piece) else "")
    return _early(piece) or _late(piece) or _leave(piece) or _named(piece)


def _early(piece: str) -> Heard | None:
    if v.EARLY.fullmatch(piece):
        return Heard(Answer.EARLY, note=piece)
    return Heard(Answer.LATE, note=piece) if v.SECOND_HALF.fullmatch(piece) else None


def _late(piece: str) -> Heard | None:
    if v.LATE_NOT.search(piece):
        return None
    found = v.LATE.fullmatch(piece)
    why = found["why"] if found else ""
    mine = found and (re.fullmatch(v.SELF, why) or v.CAUSE.fullmatch(why) or v.ON_THE_WAY.fullmatch(why))
    return Heard(Answer.LATE, note=piece) if mine or v.AFTER.fullmatch(piece) else None


def _leave(piece: str) -> Heard | None:
    if refusal := v.CANNOT.fullmatch(piece):
        return Heard(Answer.LATE, note=piece) if refusal["punctual"] else Heard(Answer.LEAVE)
    if v.LEAVE.fullmatch(piece):
        return Heard(Answer.LEAVE)
    if v.BUSY.fullmatch(piece):
        return Heard(Answer.LEAVE, note=piece)
    if v.NOT_MINE.search(piece):
        return None
    after = v.LEAVE_FOR.fullmatch(piece)
    if after and v.CAUSE.fullmatch(after["why"]):
        return Heard(Answer.LEAVE, note=after["why"])
    found = v.FOR_LEAVE.fullmatch(piece) or v.FOR_CANNOT.fullmatch(piece)
    return _because(found["why"]) if found else None


def _because(why: str) -> Heard | None:
    """The speaker's own reason, or somebody's who is named before it; ``None`` for anything else."""
    if v.CAUSE.fullmatch(why):
        return Heard(Answer.LEAVE, note=re.sub(r"^(?:我|本人)?(?:因为?|由于)", "", why) or why)
    of_other = v.OF_OTHER.fullmatch(why)
    if of_other and is_name(of_other["who"]):
        return Heard(Answer.LEAVE, note=of_other["why"], who=of_other["who"])
    return Heard(Answer.LEAVE, who=why) if is_name(why) else None


def _named(piece: str) -> Heard | None:
    """张三收到, 数学组收到, 语文张三收到."""
    found = v.BY_NAME.fullmatch(piece)
    who = found["who"] if found else ""
    known = v.GROUP.fullmatch(who) or any(is_name(who[-size:]) for size in (2, 3, 4) if len(who) >= size)
    return Heard(Answer.YES, plain=True, who=who) if who and known and not v.NO_NAME.fullmatch(who) else None


def is_name(word: str) -> bool:
    """张三, 张老师, 老师05: what can be somebody's name and is no everyday word. Who it is, the roster says."""
    return bool(v.NAME.fullmatch(word)) and _begins_like_a_name(word) and not v.NO_NAME.fullmatch(word)


def _begins_like_a_name(word: str) -> bool:
    return word[0] in v.SURNAMES or (word[-1:].isdigit() and word.startswith("老师"))


# --- the pieces together --------------------------------------------------------------------------------------


def _together(pieces: Sequence[str], found: Sequence[Heard | None]) -> Heard | None:
    """收到，下午监考，请假: the pieces make one answer, or none where they do not fit together."""
    if len(pieces) == 1 and v.AMONG_US.fullmatch(pieces[0]):
        return None
    known = [heard for heard in found if heard]
    rest = [piece for piece, heard in zip(pieces, found, strict=True) if heard is None]
    meant = {heard.answer for heard in known if not heard.plain} - {Answer.YES}
    names = {heard.who for heard in known if heard.who}
    firm_yes = any(heard.answer is Answer.YES and not heard.plain for heard in known)
    if names and Answer.LEAVE in meant and any(heard.plain and not heard.who for heard in known):
        return None  # 好的，张三请假: somebody takes note of a leave
    if not known or len(meant) > 1 or len(names) > 1 or (Answer.LEAVE in meant and firm_yes):
        return _busy_and_late(pieces, found) if len(meant) == 2 and not firm_yes else None
    who = next(iter(names), "") or _signature(pieces, rest)
    firm = bool(v.FIRM.match(pieces[0]) or v.FIRM.match(pieces[-1]))
    who = who or (rest[0] if firm and len(rest) == 1 and v.GROUP.fullmatch(rest[0]) else "")
    rest = [piece for piece in rest if piece != who and not (who and v.GROUP.fullmatch(piece))]
    answer = next(iter(meant), Answer.YES)
    if answer is not Answer.YES:
        if not all(v.CAUSE.fullmatch(piece) or v.ON_THE_WAY.fullmatch(piece) for piece in rest):
            return _about_other(answer, rest)
        notes = [heard.note if heard else piece for piece, heard in zip(pieces, found, strict=True) if piece != who]
        return Heard(answer, "，".join(note for note in notes if note), who=who)
    if not all(_more(piece) for piece in rest) or (rest and not v.FIRM.match(pieces[0])):
        return None
    return Heard(Answer.YES, next((heard.note for heard in known if heard.note), ""), plain=not firm_yes, who=who)


def _busy_and_late(pieces: Sequence[str], found: Sequence[Heard | None]) -> Heard | None:
    """有课，晚到: a reason that alone would be a leave is the reason of what is said after it."""
    if not all(found) or not any(heard and heard.answer is Answer.LEAVE for heard in found):
        return None
    leaves = [piece for piece, heard in zip(pieces, found, strict=True) if heard and heard.answer is Answer.LEAVE]
    other = {heard.answer for heard in found if heard and heard.answer not in (Answer.LEAVE, Answer.YES)}
    if len(other) != 1 or not all(v.BUSY.fullmatch(piece) for piece in leaves):
        return None
    said = [piece for piece, heard in zip(pieces, found, strict=True) if heard and not heard.plain]
    return Heard(other.pop(), "，".join(said))


def _about_other(answer: Answer, rest: Sequence[str]) -> Heard | None:
    """小明发烧，请假: the reason is somebody's; whose, is not for us to guess."""
    found = v.OF_OTHER.fullmatch(rest[0]) if len(rest) == 1 else None
    return Heard(answer, found["why"], who=found["who"]) if found and is_name(found["who"]) else None


def _signature(pieces: Sequence[str], rest: Sequence[str]) -> str:
    """数学组 张三 收到, 收到 张三, 张三 请假: the name it is signed with; 马上改 after 收到 is none."""
    signed = [p for p in rest if is_name(p) and not (_more(p) or v.CAUSE.fullmatch(p) or v.OF_OTHER.fullmatch(p))]
    said = v.FIRM.match(pieces[0]) or v.FIRM.match(pieces[-1]) or (len(rest) < len(pieces) and v.OFF.search(pieces[-1]))
    return signed[0] if len(signed) == 1 and said else ""


def _more(piece: str) -> bool:
    """收到，会带听课本: what may follow a firm 收到 and does not take it back."""
    return bool(v.MORE.fullmatch(piece)) and not v.DOUBT.search(piece)


# --- for somebody else, and with a question -------------------------------------------------------------------


def _proxy(words: str) -> Heard | None:
    """代李四请假，李四让我说来不了: an answer of 李四, given by the speaker."""
    head, _comma, tail = words.partition("，") if "，" in words else words.partition(",")
    found = v.PROXY.fullmatch(re.sub(r"\s+", "", head))
    if found is None or v.QUESTION.search(words):
        return None
    who = found["who"] or found["who2"] or found["who3"]
    what = found["what"] or found["what2"] or found["what3"]
    heard = _answer(",".join(part for part in (re.sub(r"^(?:说|回复|答复)", "", what), tail) if part))
    if heard is None or heard.who or not is_name(who):
        return None
    return replace(heard, who=who, proxy=True)


def _asking(text: str, words: str) -> Heard | None:
    """收到，几点开始？ is both: an answer, and a question for the office. The answer must come first, and be firm."""
    clauses = [clause for clause in re.split(r"(?<=[,，。;；!！?？\n])|\s+", words) if clause and clause.strip()]
    asked = next((n for n, clause in enumerate(clauses) if v.QUESTION.search(clause)), 0)
    if not asked or not all(clause.strip() for clause in clauses):
        return None
    heard, question = _answer("".join(clauses[:asked])), "".join(clauses[asked:]).strip()
    first = _cut(clauses[0])
    firm = heard is not None and (not heard.plain or (first and v.FIRM.match(first[0])))
    return replace(heard, asks=question) if heard and firm and not v.OF_THE_ANSWER.search(question) else None

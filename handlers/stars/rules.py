"""What may be done when, and what words mean: rows and the time in, a value or ``Refused`` out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.kit.errors import Refused
from bot.kit.words import _
from storage.ballots import Candidate, Election, State

ABSTAIN = 0  # the seat of an abstention
LEAST = 5  # fewer votes than this give everybody away
MOST_CANDIDATES = 20
SOONEST = timedelta(minutes=10)
LATEST = timedelta(days=31)
LONG = timedelta(hours=36)  # a vote that lasts longer is recalled a day before its end, a shorter one half-way


# --- opening --------------------------------------------------------------------------------------------------


def check_roll(size: int) -> None:
    if size < LEAST:
        raise Refused(_("今天在岗的只有 {n} 人。少于 {least} 人投票保不了密，请改用当面评议。", n=size, least=LEAST))


def check_candidates(count: int) -> None:
    if not 2 <= count <= MOST_CANDIDATES:
        raise Refused(_("候选人要 2 到 {most} 位，这里有 {n} 位。请重新写一次名单。", most=MOST_CANDIDATES, n=count))


def check_closes(closes: datetime, now: datetime) -> None:
    if closes - now < SOONEST:
        raise Refused(_("截止时间太近了，至少留 10 分钟，请换一个时间。"))
    if closes - now > LATEST:
        raise Refused(_("截止时间太远了，最长 31 天，请换一个时间。"))


def check_alone(latest: Election | None) -> None:
    """Words like 2号 must mean one election only."""
    if latest is not None and latest.live:
        raise Refused(_("{title}还没结束，结束以后再开新的；要停掉它请发“作废投票”。", title=latest.title))


def check_draft(election: Election | None) -> Election:
    if election is None:
        raise Refused(_("这次评选已经不办了。要办请重新发“评选”。"))
    if election.state is not State.DRAFT:
        raise Refused(_("{title}已经开始了。发“投票进度”看进展。", title=election.title))
    return election


def check_standing(election: Election, active: Collection[int]) -> None:
    gone = [candidate.name for candidate in election.settings.candidates if candidate.person not in active]
    if gone:
        raise Refused(_("{names}已经不在花名册上了。请点“不办了”，再重新发“评选”。", names="、".join(gone)))


def after(at: datetime) -> datetime:
    """A little later, and never on a full minute: the diary moves what is due at :00 or :30 to *before* it."""
    later = at + timedelta(seconds=40)
    return later if later.second else later + timedelta(seconds=1)


def remind_at(now: datetime, closes: datetime) -> datetime:
    return closes - timedelta(hours=24) if closes - now > LONG else now + (closes - now) / 2


# --- voting ---------------------------------------------------------------------------------------------------


def check_vote(election: Election | None, person: int, now: datetime) -> Election:
    """The election, if this person may vote in it at this moment."""
    if election is None or election.state is State.DRAFT:
        raise Refused(_("没有这次投票。请用最新的选票。"))
    if election.state is State.VOID:
        raise Refused(_("这次投票已经作废，请等办公室重新发起。"))
    if election.state is not State.OPEN or now >= election.closes:
        raise Refused(_("投票已经截止，这一票没有记上。结果会发在群里。"))
    if person not in election.electors:
        raise Refused(_("您不在这次的投票名单里：名单在开始那天按在岗的人定下。有疑问请找办公室。"))
    return election


def check_seat(election: Election, seat: int) -> int:
    if not 0 <= seat <= len(election.settings.candidates):
        raise Refused(_("没有这个编号。可以选 1 到 {n}，或弃权。", n=len(election.settings.candidates)))
    return seat


def seat_name(candidates: Sequence[Candidate], seat: int) -> str:
    """The candidate as shown; with the department where two have one name."""
    if seat == ABSTAIN:
        return _("弃权")
    chosen = candidates[seat - 1]
    twins = sum(candidate.name == chosen.name for candidate in candidates) > 1
    return f"{chosen.name}（{chosen.department}）" if twins else chosen.name


# --- words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pick:
    """What somebody seems to choose. ``plain``: no verb was said, so it may be about something else; ``bare``: it
    would mean nothing without the ballot before one's eyes (1, 都行)."""

    word: str = ""
    number: int | None = None
    plain: bool = False
    bare: bool = False


_TAIL = re.compile(r"(?:\+1|一票|谢谢.*|[。.!~,，、\s])+$")
_VERB = re.compile(r"^我?(?:要|想)?(?:改?投票?给|改?投|改?选|支持)[::\s]*(?P<rest>.+)$")
_NUMBER = re.compile(r"^第?(?P<number>\d{1,2}|[一二三四五六七八九十])(?P<unit>号|位|个)?(?:候选人)?$")
_ABSTAIN = re.compile(r"^弃权票?$|^弃$")
_UNSURE = ("都行", "都可以", "随便", "都好", "谁都行")
_AND = re.compile(r"[、,和与]")
_NUMERALS = "一二三四五六七八九十"


def read_pick(text: str) -> Pick | None:
    """选赵老师 · 投2号 · 赵老师 · 2号 · 2 · ② · 弃权. ``None`` for what is certainly no choice."""
    words = _TAIL.sub("", unicodedata.normalize("NFKC", text).strip())
    said = _VERB.match(words)
    rest = said["rest"].strip() if said else words
    if not rest or len(rest) > 20 or "\n" in rest:
        return None
    if _ABSTAIN.match(rest):
        return Pick(number=ABSTAIN, plain=said is None)
    number = _NUMBER.match(rest)
    if number and (number["unit"] or number["number"] not in _NUMERALS):
        alone = said is None and not number["unit"]
        return Pick(number=_value(number["number"]), plain=said is None, bare=alone)
    return Pick(word=rest, plain=said is None, bare=said is None and rest in _UNSURE)


def _value(sign: str) -> int:
    return _NUMERALS.index(sign) + 1 if sign in _NUMERALS else int(sign)


def seat_of(candidates: Sequence[Candidate], pick: Pick) -> int | None:
    """The seat that is meant; ``None`` where the words are not about this ballot."""
    if pick.number is not None:
        return pick.number
    if pick.word in _UNSURE:
        raise Refused(_("“{word}”算弃权吗？要弃权请回复“弃权”，或者选一位。", word=pick.word))
    known = [(candidate.name, candidate.department) for candidate in candidates]
    seats = matching(known, pick.word)
    if len(seats) > 1:
        raise Refused(_("不止一位{name}，请回复编号，或者点选票上的按钮。", name=pick.word))
    if seats:
        return seats[0] + 1
    several = _AND.split(pick.word)
    if len(several) > 1 and all(matching(known, word) for word in several):
        raise Refused(_("每人只能选一位，请只写一个名字。"))
    from rapidfuzz import process  # only for whoever mistypes: it weighs megabytes

    near = process.extractOne(pick.word, [name for name, _department in known], score_cutoff=60)
    if near and not pick.plain:
        raise Refused(_("候选人里没有“{word}”，是不是{near}？请再写一次。", word=pick.word, near=near[0]))
    return None


def matching(people: Sequence[tuple[str, str]], word: str) -> list[int]:
    """Which of these (name, department) a written name means: 赵敏 · 赵敏老师 · 赵敏（语文组） · 语文组赵敏."""
    plain = re.sub(r"[()（）\s·:\-—]", "", unicodedata.normalize("NFKC", word))
    exact = [i for i, (name, _department) in enumerate(people) if plain == name]
    if exact:
        return exact
    return [
        i
        for i, (name, department) in enumerate(people)
        if plain == f"{name}老师" or (department and plain in (f"{name}{department}", f"{department}{name}"))
    ]


# --- counting -------------------------------------------------------------------------------------------------


def count(seats: Sequence[int | None], candidates: int) -> tuple[int, ...] | None:
    """How many for each seat, the abstentions first; ``None`` where a ballot holds what is no seat."""
    counts = [0] * (candidates + 1)
    for seat in seats:
        if seat is None or not 0 <= seat <= candidates:
            return None
        counts[seat] += 1
    return tuple(counts)


def agrees(result: Sequence[int] | None, recount: dict[int, int], voted: int) -> bool:
    """The second count, made by another hand from the stored ballots, against the first."""
    if result is None:
        return not recount
    return Counter(recount) == Counter(dict(enumerate(result))) and sum(recount.values()) == voted


def tied(result: Sequence[int]) -> list[int]:
    """The seats that share the first place, where more than one does."""
    most = max(result[1:], default=0)
    first = [seat for seat, votes in enumerate(result) if seat != ABSTAIN and votes == most]
    return first if most and len(first) > 1 else []


def check_early(election: Election | None, silent: Collection[int]) -> Election:
    if election is None or election.state is not State.OPEN:
        raise Refused(_("现在没有开着的投票。要办请发“评选”。"))
    if silent:
        raise Refused(_("还有 {n} 人没投，不能提前截止。要停掉这次投票请发“作废投票”。", n=len(silent)))
    return election


def check_void(election: Election | None) -> Election:
    if election is None or not election.live:
        raise Refused(_("现在没有可以作废的投票。发“评选”可以开一次新的。"))
    if election.state in (State.COUNTED, State.SEALED):
        raise Refused(_("{title}已经开票，不能作废了。结果会发在群里。", title=election.title))
    return election

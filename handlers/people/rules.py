"""Names, codes, leave and roles: what may be and who is meant. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.kit.errors import NotUnderstood, Refused
from bot.kit.names import sound
from bot.kit.role import Role
from bot.kit.words import N_, _
from storage.people import Leave, Person

CODE_HOURS = 24
WRONG_CODES = 5  # in an hour, from one conversation
WINDOW = timedelta(hours=1)
KINDS = (N_("病假"), N_("产假"), N_("事假"), N_("公假"), N_("借调"), N_("支教"))
ROLES = {"principal": N_("校长"), "office": N_("办公室"), "staff": N_("教职工")}

_TITLES = ("老师", "校长", "书记", "主任", "组长", "同志")
_LABEL = re.compile(r"(?P<name>.+?)\s*[（(](?P<tail>[^（()）]*)[)）]$")
_MOST = 8  # suggestions at a time


# --- who is meant ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """``exact``: everybody of that name, for certain; ``maybe``: who may have been meant, never to be taken unasked."""

    exact: Sequence[Person] = ()
    maybe: Sequence[Person] = ()


def label(person: Person, roster: Sequence[Person]) -> str:
    """王老师（语文组）, and where that is still two people, with 工号 or number: what a button says."""
    alike = [p for p in roster if (p.name, p.department) == (person.name, person.department)]
    tail = person.department or _("未写部门")
    if len(alike) > 1:
        tail = f"{tail} {person.staff_no or f'#{person.id}'}"
    return f"{person.name}（{tail}）"


def find(typed: str, roster: Sequence[Person]) -> Found:
    """Who is meant by a name as typed: 王小明, 王小明老师, 王老师, 王晓明, 王小明（语文组）."""
    name = " ".join(typed.split()).strip("。.！!，,")
    found = [p for p in roster if label(p, roster) == name.replace("(", "（").replace(")", "）")]
    found = found or [p for p in roster if p.name == name] or _in_department(name, roster)
    plain = _without_title(name)
    found = found or [p for p in roster if p.name == plain]
    return Found(exact=found) if found else Found(maybe=_maybe(name, plain, roster)[:_MOST])


def _in_department(name: str, roster: Sequence[Person]) -> list[Person]:
    said = _LABEL.fullmatch(name)
    if said is None:
        return []
    tail = said["tail"].strip()
    return [p for p in roster if p.name == said["name"] and tail in (p.department, p.staff_no)]


def _without_title(name: str) -> str:
    return next((name.removesuffix(title) for title in _TITLES if name.endswith(title) and name != title), name)


def _maybe(name: str, plain: str, roster: Sequence[Person]) -> list[Person]:
    if name != plain and len(plain) <= 2:
        return [p for p in roster if p.name.startswith(plain)]
    return _alike(plain, roster) if len(plain) >= 2 else []


def _alike(name: str, roster: Sequence[Person]) -> list[Person]:
    """Who sounds the same or nearly: 王晓明 for 王小明. Edit distance over the characters alone would miss it."""
    from rapidfuzz import fuzz  # with pypinyin 120 ms to load: only for whoever mistypes

    spoken = sound(name)
    scores = [(fuzz.ratio(spoken, sound(p.name)), p) for p in roster]
    near = [(score, p) for score, p in scores if score >= 85]
    return [p for _score, p in sorted(near, key=lambda pair: (-pair[0], pair[1].id))]


def split(text: str, roster: Sequence[Person]) -> tuple[str, str]:
    """王老师12月1日到5日 产假 -> the name (with its department), and the rest."""
    known = sorted((p.name for p in roster if text.startswith(p.name)), key=len, reverse=True)
    if not known:
        name, _space, rest = text.partition(" ")
        return name, rest.strip()
    rest = text[len(known[0]) :]
    tail = re.match(r"老师(?=\s|$)|\s*[（(][^（()）]*[)）]", rest)
    end = tail.end() if tail else 0
    return known[0] + rest[:end].strip(), rest[end:].strip(" ，,、:：")


# --- codes ----------------------------------------------------------------------------------------------------


def code_in(text: str) -> str | None:
    """The six digits, as people type them: １２３ ４５６."""
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text)).strip("。.“”\"'")
    return digits if re.fullmatch(r"[0-9]{6}", digits) else None


# --- leave ----------------------------------------------------------------------------------------------------


def covers(leave: Leave, day: date) -> bool:
    return leave.first <= day and (leave.last is None or leave.last >= day)


def current(leaves: Sequence[Leave], today: date) -> Leave | None:
    """The leave of today, or else the next that is to come."""
    alive = [leave for leave in leaves if leave.last is None or leave.last >= today]
    return next((leave for leave in alive if leave.first <= today), alive[0] if alive else None)


def check_leave(first: date, last: date | None, leaves: Sequence[Leave], today: date) -> None:
    """A leave lies not wholly in the past, and not wholly within one that is there."""
    if last is not None and last < first:
        raise NotUnderstood(_("结束的日子早于开始的日子，请再写一次。例：12月1日到12月5日。"))
    if last is not None and last < today:
        raise NotUnderstood(_("这几天已经过去了，不用登记。请写今天或以后的日期。"))
    if any(_within(first, last, leave) for leave in leaves):
        raise Refused(_("这几天已经登记过请假了，没有重复登记。要改，请先“销假”再登记。"))


def _within(first: date, last: date | None, leave: Leave) -> bool:
    ends = leave.last is None or (last is not None and last <= leave.last)
    return leave.first <= first and ends


# --- who may do what to whom ----------------------------------------------------------------------------------


def check_guard(me: Person, other: Person) -> None:
    """The office does not open the principal's door: whoever holds it could make roles."""
    mine, theirs = Role(me.role), Role(other.role)
    if not mine.includes(theirs):
        raise Refused(_("{name}是校长，这件事要校长本人办，或请维护的人用命令行办。", name=other.name))


def check_make_office(person: Person) -> None:
    if person.role == "principal":
        raise Refused(_("{name}是校长，办公室能做的事本来就都能做。", name=person.name))
    if person.role == "office":
        raise Refused(_("{name}已经是办公室了。", name=person.name))


def check_unmake_office(person: Person, offices: int) -> None:
    if person.role != "office":
        raise Refused(_("{name}不是办公室，不用取消。回复“名册”看现在的角色。", name=person.name))
    check_not_last(person, offices)


def check_not_last(person: Person, offices: int) -> None:
    if person.role == "office" and offices <= 1:
        raise Refused(_("{name}是唯一的办公室，请先“设为办公室”另一位，再办这件事。", name=person.name))


def check_not_self(me: Person, other: Person) -> None:
    if me.id == other.id:
        raise Refused(_("这是您自己，不能自己办。请另一位办公室或校长来办。"))

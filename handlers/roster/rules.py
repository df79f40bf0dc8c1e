"""What a roster file may say, and what it would change: lines and the roster in, a plan out. Pure."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import msgspec

from bot.kit.errors import Refused
from bot.kit.words import _
from handlers.roster.export import GONE, ON_DUTY
from storage.imports import Line, Sheet
from storage.people import Leave, Person


def cell(sheet: Sheet, field: str, row: int) -> str:
    """Where a line says it: C7, or in an address book whose line it is."""
    return sheet.rows.get(row) or f"{sheet.columns.get(field, '?')}{row}"


# --- the plan -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Roster:
    """What is known today. ``by``: who sends the file."""

    people: Sequence[Person]
    leaves: Sequence[Leave]
    accounts: Mapping[tuple[str, str], int]
    today: date
    by: Person

    def person(self, number: int) -> Person | None:
        return next((person for person in self.people if person.id == number), None)


@dataclass(frozen=True, slots=True)
class Absence:
    """``first`` None: from the day it is confirmed."""

    kind: str
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one person; ``person`` None: somebody new. ``facts``: field, before, after."""

    person: int | None
    name: str
    facts: Sequence[tuple[str, str, str]] = ()
    absence: Absence | None = None
    back: bool = False  # on leave until now, and at work again
    accounts: Sequence[tuple[str, str]] = ()

    @property
    def empty(self) -> bool:
        return not (self.facts or self.absence or self.back or self.accounts)


@dataclass(frozen=True, slots=True)
class Plan:
    """``missing``: on the roster and not in the file; ``safe``: those of them who are never stopped by a file."""

    new: Sequence[Change] = ()
    changed: Sequence[Change] = ()
    same: int = 0
    gone: Sequence[str] = ()  # retired already, and never on our roster: not added
    missing: Sequence[Person] = ()
    safe: Sequence[Person] = ()
    problems: Sequence[str] = ()

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Problem(Exception):
    """Something about one line; the sentence begins with its cell."""


Match = Callable[[Sheet, Line, Roster, Mapping[str, Sequence[Line]]], Person | None]
"""Whom a line means, given all lines by their names; ``None``: somebody new."""


def compare(sheet: Sheet, roster: Roster, match: Match | None = None) -> Plan:
    """What confirming the file would do. With any problem nothing may be done."""
    if sheet.problems:
        return Plan(problems=sheet.problems)
    changes, problems, matched = [], [], dict[int, Line]()
    namesakes = _by_name(sheet.lines)
    for line in sheet.lines:
        try:
            person = (match or _match)(sheet, line, roster, namesakes)
            if person is not None and person.id in matched:
                raise Problem(_two_lines(sheet, line, matched[person.id]))
            if person is not None:
                matched[person.id] = line
            changes.append((line, _change(sheet, line, person, roster)))
        except Problem as problem:
            problems.append(str(problem))
    return _plan(changes, problems, matched, roster)


def _plan(
    changes: Sequence[tuple[Line, Change]], problems: Sequence[str], matched: Mapping[int, Line], roster: Roster
) -> Plan:
    absent = [person for person in roster.people if person.active and person.id not in matched]
    retired = [c.name for line, c in changes if c.person is None and _gone(line, roster.today)]
    plan = Plan(
        new=[c for line, c in changes if c.person is None and not _gone(line, roster.today)],
        changed=[c for _line, c in changes if c.person is not None and not c.empty],
        same=sum(c.person is not None and c.empty for _line, c in changes),
        gone=retired,
        missing=[p for p in absent if p.role == "staff"],
        safe=[p for p in absent if p.role != "staff"],
    )
    return replace(plan, problems=[*problems, *_without_head(plan, roster)])


def _by_name(lines: Sequence[Line]) -> Mapping[str, Sequence[Line]]:
    found = defaultdict[str, list[Line]](list)
    for line in lines:
        found[line.name].append(line)
    return found


# --- who a line means -----------------------------------------------------------------------------------------


def _match(sheet: Sheet, line: Line, roster: Roster, namesakes: Mapping[str, Sequence[Line]]) -> Person | None:
    """Whom the line means; ``None``: somebody new. Those who have left are looked at last."""
    if line.staff_no:
        numbered = [p for p in roster.people if p.staff_no == line.staff_no]
        if numbered and numbered[0].name != line.name:
            where, name = cell(sheet, "staff_no", line.row), numbered[0].name
            raise Problem(_("{cell}：工号 {no} 在名册里是{name}，请核对。", cell=where, no=line.staff_no, name=name))
        if numbered:
            return numbered[0]
    for active in (True, False):
        alike = [p for p in roster.people if p.name == line.name and p.active is active]
        alike = [p for p in alike if not (line.staff_no and p.staff_no)]
        if alike:
            return _one_of(sheet, line, alike, namesakes[line.name])
    return None


def _one_of(sheet: Sheet, line: Line, alike: Sequence[Person], lines: Sequence[Line]) -> Person | None:
    """Which of several; the department decides, and a change of department only where nobody else could be meant."""
    exact = [p for p in alike if p.department == line.department]
    if len(exact) == 1:
        return exact[0]
    taken = {(other.name, other.department) for other in lines if other is not line}
    free = [p for p in alike if (p.name, p.department) not in taken]
    if not free and not exact and line.department:
        return None
    if not exact and len(alike) == len(lines) == 1:
        return alike[0]
    departments = "、".join(p.department or _("未写部门") for p in alike)
    where, n = cell(sheet, "name", line.row), len(alike)
    sentence = _(
        "{cell}：名册里有 {n} 位{name}（{which}），请写清部门或工号。",
        cell=where,
        n=n,
        name=line.name,
        which=departments,
    )
    raise Problem(sentence)


def _two_lines(sheet: Sheet, line: Line, other: Line) -> str:
    cells = cell(sheet, "name", other.row), cell(sheet, "name", line.row)
    return _("{a}、{b}：这两行说的是同一个人（{name}），请只留一行。", a=cells[0], b=cells[1], name=line.name)


# --- what changes ---------------------------------------------------------------------------------------------

PLAIN = ("department", "politics", "role", "phone", "staff_no")


def _change(sheet: Sheet, line: Line, person: Person | None, roster: Roster) -> Change:
    _check_role(sheet, line, person, roster)
    said = [(name, getattr(person, name, ""), getattr(line, name)) for name in PLAIN]
    facts = [(name, old, new) for name, old, new in said if new is not None and new != old]
    leaving = _gone(line, roster.today)
    if person is not None and person.active == leaving:
        _check_principal(sheet, line, person, roster)
        facts.append(("active", "", "" if leaving else "1"))
    number = person.id if person else None
    accounts = [pair for pair in accounts_of(line) if _free(sheet, line, pair, person, roster)]
    if leaving:
        return Change(number, line.name, facts if person and person.active else (), None, False, ())
    absence, back = _absence(line, [leave for leave in roster.leaves if leave.person == number], roster.today)
    return Change(number, line.name, facts, absence, back, accounts)


def _gone(line: Line, today: date) -> bool:
    return line.status in GONE and (line.first is None or line.first <= today)


def _check_role(sheet: Sheet, line: Line, person: Person | None, roster: Roster) -> None:
    """Roles are the principal's to give; the very first file may name the principal."""
    before = person.role if person else "staff"
    first_of_all = not any(p.role == "principal" for p in roster.people)
    if line.role in (None, before) or roster.by.role == "principal" or first_of_all:
        return
    raise Problem(_("{cell}：角色只能由校长改，请留空或写原来的角色。", cell=cell(sheet, "role", line.row)))


def _check_principal(sheet: Sheet, line: Line, person: Person, roster: Roster) -> None:
    """The office's file neither retires a principal nor brings one back."""
    if person.role == "principal" and roster.by.role != "principal":
        where = cell(sheet, "status" if line.status else "name", line.row)
        raise Problem(_("{cell}：校长是否在岗只能由校长改，请去掉这一行或请校长来导入。", cell=where))


def accounts_of(line: Line) -> Iterator[tuple[str, str]]:
    if line.telegram:
        yield "telegram", line.telegram
    if line.wecom:
        yield "wecom", line.wecom


def _free(sheet: Sheet, line: Line, account: tuple[str, str], person: Person | None, roster: Roster) -> bool:
    """Is it to be bound? Not where it is theirs already; somebody else's is a problem, and so is the principal's."""
    owner = roster.person(roster.accounts.get(account, 0))
    if owner is not None and person is not None and owner.id == person.id:
        return False
    where = cell(sheet, account[0], line.row)
    if owner is not None and owner.active:
        raise Problem(_("{cell}：这个账号已经绑定给{name}，请核对。", cell=where, name=owner.name))
    bound = person is not None and person.id in roster.accounts.values()
    if person is not None and person.role == "principal" and bound and roster.by.role != "principal":
        raise Problem(_("{cell}：校长的账号要校长本人绑定，请把这一格留空。", cell=where))
    return True


def _absence(line: Line, leaves: Sequence[Leave], today: date) -> tuple[Absence | None, bool]:
    """The leave to be written, and whether the present one ends. A line that says what is known says nothing new."""
    now = next(
        (leave for leave in leaves if leave.first <= today and (leave.last is None or leave.last >= today)), None
    )
    over = line.last is not None and line.last < today
    if line.status is None:
        return None, False
    if line.status == ON_DUTY or over:
        return None, now is not None
    for leave in leaves:
        begins = leave is now if line.first is None else leave.first == line.first
        if leave.kind == line.status and begins and line.last in (None, leave.last):
            return None, False
    return Absence(line.status, line.first, line.last), False


def _without_head(plan: Plan, roster: Roster) -> Iterator[str]:
    """A file never leaves the school without whoever may do things."""
    after = {p.id: p.role for p in roster.people if p.active}
    for change in plan.changed:
        for name, _old, new in change.facts:
            if name == "role":
                after[change.person or 0] = new
            if name == "active" and not new:
                after.pop(change.person or 0, None)
    roles = [*after.values(), *(fact[2] for change in plan.new for fact in change.facts if fact[0] == "role")]
    before = [p.role for p in roster.people if p.active]
    for role, title in (("office", _("办公室")), ("principal", _("校长"))):
        if role in before and role not in roles:
            yield _("这样改以后就没有{role}了，请至少留一位。", role=title)


def check_sender(owner: int, me: int) -> None:
    if owner != me:
        raise Refused(_("这份名册是别人发的，只有发的人可以确认。请您自己把文件发给我。"))

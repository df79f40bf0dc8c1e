"""A platform's address book as a roster: each line has an account, and is called by its name instead of a cell. Pure.

The account says who is meant, whatever the name has become; only where nobody has it yet the name and the department
do. Whoever cannot be told for certain is a problem, and with any problem nothing is imported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.kit.contacts import Contact, Contacts
from bot.kit.errors import Refused
from bot.kit.words import _
from handlers.roster.rules import Plan, Problem, Roster, accounts_of, cell
from handlers.roster.work import name_of
from storage.imports import Line, Sheet
from storage.people import Person

_BRACKETS = re.compile(r"[（(].*?[)）]")


def sheet_of(book: Contacts) -> Sheet:
    """Every contact as a line, in the book's order; whoever has no readable name is a problem."""
    rows = {number: _called(one) for number, one in enumerate(book.people, 1)}
    lines, problems = [], []
    for number, one in enumerate(book.people, 1):
        try:
            facts: dict[str, str] = {book.channel: one.account}
            lines.append(Line(number, _name(one), one.department[:32] or None, **facts))  # type: ignore[arg-type]
        except Refused as refusal:
            problems.append(_("{cell}：{why}", cell=rows[number], why=refusal.sentence))
    return Sheet(lines=lines, problems=problems, rows=rows)


def _called(one: Contact) -> str:
    where = _("{department}，账号 {account}", department=one.department or _("未写部门"), account=one.account)
    return _("{name}（{where}）", name=one.name[:32] or _("没有姓名"), where=where)


def _name(one: Contact) -> str:
    """王明（语文） is 王明; an account in the place of a name is none."""
    plain = _BRACKETS.sub("", one.name).strip()
    if plain.lower() == one.account:
        raise Refused(_("通讯录里写的是账号，不是姓名"))
    return name_of(plain)


def match(sheet: Sheet, line: Line, roster: Roster, namesakes: Mapping[str, Sequence[Line]]) -> Person | None:
    """Whom the line means; ``None``: somebody new."""
    (account,) = accounts_of(line)
    owner = roster.person(roster.accounts.get(account, 0))
    if owner is not None:
        return _same(sheet, line, owner)
    alike = [person for person in roster.people if person.name == line.name]
    free = [person for person in alike if person.active and _is_free(sheet, line, person, roster, namesakes)]
    if not free:
        left = [person for person in alike if not person.active]
        return left[0] if left and not any(person.active for person in alike) else None
    return _one_of(sheet, line, free, [o for o in namesakes[line.name] if not _owned(o, roster)])


def _owned(line: Line, roster: Roster) -> bool:
    return any(account in roster.accounts for account in accounts_of(line))


def _same(sheet: Sheet, line: Line, owner: Person) -> Person:
    if _BRACKETS.sub("", owner.name).strip() != line.name:
        where = cell(sheet, "name", line.row)
        raise Problem(_("{cell}：名册里这个账号是{name}的，请核对是不是同一个人。", cell=where, name=owner.name))
    return owner


def _is_free(sheet: Sheet, line: Line, person: Person, roster: Roster, namesakes: Mapping[str, Sequence[Line]]) -> bool:
    """Has nobody in the book their account? An account that is not in the book any more is a doubt."""
    channel = next(accounts_of(line))[0]
    theirs = {a for a, number in roster.accounts.items() if number == person.id and a[0] == channel}
    if not theirs:
        return True
    if theirs & {account for other in namesakes[line.name] for account in accounts_of(other)}:
        return False
    where = cell(sheet, "name", line.row)
    sentence = _(
        "{cell}：名册里的{name}绑定的是另一个账号。是同一个人，请先发“解绑 {name}”。", cell=where, name=person.name
    )
    raise Problem(sentence)


def _one_of(sheet: Sheet, line: Line, free: Sequence[Person], lines: Sequence[Line]) -> Person | None:
    """Which of those without an account, among the lines whose account nobody has."""
    if len(free) == len(lines) == 1:
        return free[0]
    by_department = [p for p in free if p.department == line.department]
    if len(by_department) == 1 and sum(other.department == line.department for other in lines) == 1:
        return by_department[0]
    certain = {p.id for p in free if sum(other.department == p.department for other in lines) == 1}
    if not by_department and all(person.id in certain for person in free):
        return None
    where, n, m = cell(sheet, "name", line.row), len(lines), len(free)
    sentence = _(
        "{cell}：通讯录里有 {n} 位{name}，名册里有 {m} 位，分不清是谁。请先让他们用绑定码绑定，再发“通讯录”。",
        cell=where, n=n, name=line.name, m=m,
    )  # fmt: skip
    raise Problem(sentence)


def without_stopping(plan: Plan, roster: Roster) -> Plan:
    """An address book stops nobody, for we may see a part of it only; and brings nobody back who was stopped."""
    stopped = {person.id for person in roster.people if not person.active}
    back = [change.name for change in plan.changed if change.person in stopped]
    changed = [change for change in plan.changed if change.person not in stopped]
    return replace(plan, changed=changed, gone=[*plan.gone, *back], missing=(), safe=[*plan.missing, *plan.safe])

"""What the office does about one person: who is meant is asked where it is not certain, then the deed is done."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.kit import when
from bot.kit.context import Context, Persons
from bot.kit.errors import NotUnderstood, Refused
from bot.kit.form import Form, ask, line
from bot.kit.reply import Ask, Reply
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.people import cards, rules
from storage import audit, people
from storage.base import Db
from storage.people import Person

# --- the forms ------------------------------------------------------------------------------------------------


def namesakes(ctx: Context, values: Mapping[str, object]) -> Sequence[str]:
    """The people who may be meant, as buttons."""
    deed = DEEDS.get(str(values.get("verb")))
    roster = deed.roster(ctx.db) if deed else ()
    found = rules.find(str(values.get("typed", "")), roster)
    return [rules.label(person, roster) for person in found.exact or found.maybe]


@dataclass(frozen=True, slots=True)
class Days:
    """A leave's days; ``last`` is None where nobody knows yet."""

    first: date
    last: date | None


_OPEN = re.compile(r"\s*(?:起|开始|以后|之后|往后)")
_UNTIL = re.compile(r"(?:到|至|直到)\s*$")


def days(ctx: Context, text: str) -> Days:
    """12月1日到12月5日 · 明天 · 到6月底 · 12月1日起 · 即日起."""
    found = days_in(ctx, text)
    if found is None:
        raise NotUnderstood(_("没看懂日期。例：12月1日到12月5日，明天，12月1日起（到期未定）。"))
    return found[0]


def days_in(ctx: Context, text: str) -> tuple[Days, str] | None:
    """The days, and the text without them."""
    today = when.local_date(ctx.now, ctx.school.zone)
    if said := re.match(r"\s*(?:从)?(?:即日|现在)(?:起|开始)?", text):
        return Days(today, None), text[said.end() :]
    reading = ctx.school.read_time(text, ctx.now)
    if reading is None or reading.start is None:
        return None
    start, end = reading.span
    first = when.local_date(reading.start, ctx.school.zone)
    last = when.local_date(reading.end, ctx.school.zone) if reading.end else first
    if not reading.sure and first > today + timedelta(days=300):  # 11月20日到12月5日, said on the 23rd: of this year
        first, last = _year_before(first), _year_before(last)
    opened = _OPEN.match(text, end)
    if opened:
        return Days(first, None), text[:start] + text[opened.end() :]
    if _UNTIL.search(text[:start]) and reading.end is None:
        return Days(today, last), _UNTIL.sub("", text[:start]) + text[end:]
    return Days(first, last), text[:start] + text[end:]


def _year_before(day: date) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if leap_day else day.day)


@dataclass(frozen=True, kw_only=True)
class Whom(Form, name="people.whom"):
    """No name was said."""

    verb: str = ""
    typed: str = ask(N_("哪一位老师？写姓名。"), line)


@dataclass(frozen=True, kw_only=True)
class Which(Form, name="people.which"):
    """Several of that name, or nobody of exactly that name."""

    verb: str = ""
    typed: str = ""
    rest: str = ""
    which: str = ask(N_("是哪一位？请点名字，或写“姓名（部门）”。"), line, choices=namesakes)


@dataclass(frozen=True, kw_only=True)
class Absence(Form, name="people.leave"):
    person: int = 0
    days: Days = ask(N_("从哪天到哪天？例：12月1日到12月5日；还不知道到哪天，写“12月1日起”。"), days)
    kind: str = ask(N_("什么假？只有办公室看得到。"), line, choices=rules.KINDS)

    @classmethod
    def glean(cls, ctx: Context, text: str) -> dict[str, object]:
        found = days_in(ctx, text)
        rest = (found[1] if found else text).replace("请假", " ")
        kind = re.search(r"[^\s，,。、从到至]{0,4}假|借调|支教|培训|进修|出差|外出|住院", rest)
        known: dict[str, object] = {"days": found[0]} if found else {}
        return known | ({"kind": kind[0]} if kind else {})


# --- who is meant ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Deed:
    """``run`` gets the person and what was said after the name; ``roster``: among whom the name is looked up."""

    who: Role
    run: Callable[[Context, Person, str], Reply]
    roster: Callable[[Db], Sequence[Person]] = people.active


def about(ctx: Context, verb: str, text: str) -> Reply:
    """Does the deed to whoever is named first in ``text``; asks where that is nobody, or more than one."""
    deed = _allowed(ctx, verb)
    if not text.strip():
        return Ask(Whom, {"verb": verb}, private=True)
    roster = deed.roster(ctx.db)
    typed, rest = rules.split(text, roster)
    found = rules.find(typed, roster)
    if len(found.exact) == 1:
        return deed.run(ctx, found.exact[0], rest)
    if not (found.exact or found.maybe):
        raise Refused(_("名册里没有“{name}”。请核对姓名，或先把名册文件私聊发给我。", name=typed[:20]))
    return Ask(Which, {"verb": verb, "typed": typed, "rest": rest}, private=True)


def chosen(ctx: Context, form: Which) -> Reply:
    """The answer may be the whole label, or only the department."""
    deed = _allowed(ctx, form.verb)
    roster = deed.roster(ctx.db)
    found = rules.find(form.which, roster).exact or rules.find(f"{form.typed}（{form.which}）", roster).exact
    if len(found) == 1:
        return deed.run(ctx, found[0], form.rest)
    return Ask(Which, {"verb": form.verb, "typed": form.typed, "rest": form.rest}, private=True)


def _allowed(ctx: Context, verb: str) -> Deed:
    deed = DEEDS.get(verb)
    if deed is None or not Role(ctx.me.role).includes(deed.who):
        raise Refused(_("这件事只有校长可以做。"))
    return deed


def aside(ctx: Context, text: str) -> Reply:
    """In private, wherever it was asked."""
    if ctx.place.private:
        return text
    ctx.say(text, to=Persons([ctx.me.id]))
    return None


# --- the deeds ------------------------------------------------------------------------------------------------


def send_code(ctx: Context, person: Person, rest: str) -> Reply:
    bound = people.accounts_of(ctx.db, person.id)
    if bound:
        rules.check_guard(ctx.me, person)
    code = new_code(ctx, person)
    audit.note(ctx.db, "people.code", ctx.me.id, str(person.id), ctx.now)
    return aside(ctx, cards.code_text(ctx.school, person, code, [row.channel for row in bound]))


def send_link(ctx: Context, person: Person, rest: str) -> Reply:
    """Only for who has no account yet: a link for somebody who can log in by themselves would be a second key."""
    if not ctx.school.site:
        raise Refused(_("这所学校没有开网页。"))
    rules.check_guard(ctx.me, person)
    if people.accounts_of(ctx.db, person.id):
        raise Refused(_("{name}已经绑定过账号，请本人私聊我发“登录”。", name=person.name))
    until = ctx.now + timedelta(hours=rules.CODE_HOURS)
    link = login_link(ctx, person, until)
    audit.note(ctx.db, "people.link", ctx.me.id, str(person.id), ctx.now)
    told = _(
        "{name}的网页登录链接，只能用一次，{time} 前有效。请只转给本人：\n{link}",
        name=person.name,
        time=ctx.school.write_time(until),
        link=link,
    )
    return aside(ctx, told)


def login_link(ctx: Context, person: Person, until: datetime) -> str:
    word = secrets.token_urlsafe(24)
    people.issue_code(ctx.db, person.id, "login", word, until)
    return f"{ctx.school.site}/login/{word}"


def new_code(ctx: Context, person: Person) -> str:
    until = ctx.now + timedelta(hours=rules.CODE_HOURS)
    return people.issue_fresh_code(ctx.db, person.id, "bind", until, ctx.now, _six_digits)


def _six_digits() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


def unbind(ctx: Context, person: Person, rest: str) -> Reply:
    rules.check_guard(ctx.me, person)
    rules.check_not_self(ctx.me, person)
    bound = people.accounts_of(ctx.db, person.id)
    if not bound:
        raise Refused(_("{name}还没有绑定过账号。要绑定，请发“绑定码 {name}”。", name=person.name))
    for row in bound:
        people.unbind(ctx.db, row.channel, row.id)
    audit.note(ctx.db, "people.unbind", ctx.me.id, str(person.id), ctx.now)
    return aside(ctx, _("已解绑{name}的 {n} 个账号。换新账号，请发“绑定码 {name}”。", name=person.name, n=len(bound)))


def make_office(ctx: Context, person: Person, rest: str) -> Reply:
    rules.check_make_office(person)
    return _role(ctx, person, "office", _("{name}现在是办公室了。", name=person.name))


def unmake_office(ctx: Context, person: Person, rest: str) -> Reply:
    rules.check_unmake_office(person, len(people.holding(ctx.db, "office")))
    return _role(ctx, person, "staff", _("{name}不再是办公室，仍在名册里。", name=person.name))


def _role(ctx: Context, person: Person, role: str, told: str) -> Reply:
    people.change(ctx.db, person.id, role=role)
    audit.note(ctx.db, f"people.role.{role}", ctx.me.id, str(person.id), ctx.now)
    words = _("{me}把您的角色改成了“{role}”。回复“帮助”看看能做什么。", me=ctx.me.name, role=_(rules.ROLES[role]))
    ctx.say(words, to=Persons([person.id]), gentle=True)
    return aside(ctx, told)


def stop(ctx: Context, person: Person, rest: str) -> Reply:
    rules.check_guard(ctx.me, person)
    rules.check_not_self(ctx.me, person)
    rules.check_not_last(person, len(people.holding(ctx.db, "office")))
    people.change(ctx.db, person.id, active=False)
    audit.note(ctx.db, "people.stop", ctx.me.id, str(person.id), ctx.now)
    return aside(ctx, _("已停用{name}，不再计入人数，也不再收到消息。要恢复，发“启用人员 {name}”。", name=person.name))


def start(ctx: Context, person: Person, rest: str) -> Reply:
    rules.check_guard(ctx.me, person)
    people.change(ctx.db, person.id, active=True)
    audit.note(ctx.db, "people.start", ctx.me.id, str(person.id), ctx.now)
    return aside(ctx, _("已恢复{name}。", name=person.name))


def begin_leave(ctx: Context, person: Person, rest: str) -> Reply:
    return Ask(Absence, {"person": person.id, **Absence.glean(ctx, rest)}, private=True)


def keep_leave(ctx: Context, form: Absence) -> Reply:
    person = people.get(ctx.db, form.person)
    if person is None or not person.active:
        raise Refused(_("不知道是给谁请假。请发“请假登记 姓名 日期”。"))
    first, last = form.days.first, form.days.last
    today = when.local_date(ctx.now, ctx.school.zone)
    rules.check_leave(first, last, people.leaves_of(ctx.db, person.id), today)
    people.clear_leave(ctx.db, person.id, first, last)
    people.set_leave(ctx.db, person.id, first, last, form.kind[:32])
    audit.note(ctx.db, "people.leave", ctx.me.id, str(person.id), ctx.now)
    return aside(ctx, cards.leave_text(person, form.kind, first, last, today))


def end_leave(ctx: Context, person: Person, rest: str) -> Reply:
    today = when.local_date(ctx.now, ctx.school.zone)
    leave = rules.current(people.leaves_of(ctx.db, person.id), today)
    if leave is None:
        raise Refused(_("{name}现在没有登记请假，不用销假。回复“谁在请假”看名单。", name=person.name))
    people.clear_leave(ctx.db, person.id, max(today, leave.first), leave.last)
    audit.note(ctx.db, "people.back", ctx.me.id, str(person.id), ctx.now)
    span = cards.span(leave.first, leave.last, today)
    if leave.first > today:
        return aside(ctx, _("已取消{name}的请假：{span}。", name=person.name, span=span))
    return aside(ctx, _("{name}已销假，从今天起照常通知、照常计数。", name=person.name))


def _stopped(db: Db) -> Sequence[Person]:
    return [person for person in people.everybody(db) if not person.active]


DEEDS = {
    "code": Deed(Role.OFFICE, send_code),
    "link": Deed(Role.OFFICE, send_link),
    "unbind": Deed(Role.OFFICE, unbind, people.everybody),
    "office": Deed(Role.PRINCIPAL, make_office),
    "unoffice": Deed(Role.PRINCIPAL, unmake_office),
    "leave": Deed(Role.OFFICE, begin_leave),
    "back": Deed(Role.OFFICE, end_leave),
    "stop": Deed(Role.OFFICE, stop),
    "start": Deed(Role.OFFICE, start, _stopped),
}

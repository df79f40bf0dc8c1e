"""名册：办公室把 .xlsx 或 .csv 私聊发来，或者说“通讯录”，看过预览，一次导入。

1. The office sends the file in private; a child process reads it (``work``), so a bomb stops nobody else.
2. Every bad cell is named (C7：日期看不懂：2月30日). With any of them nothing can be confirmed, only read.
3. Otherwise a preview says who is new, what changes and who is not in the file. It belongs to whoever sent the file.
4. 确认导入 does all of it in one transaction; who is not in the file stays, unless 导入并停用 is pressed.
5. If the roster changed since the preview, the preview is drawn anew and has to be confirmed anew.
6. The same file again changes nothing. 名册模板 gives an empty file with the headings.
7. 通讯录 fetches the platform's address book instead of a file; the same preview, and it stops nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

import msgspec

from bot.kit import tables, when
from bot.kit.card import Card
from bot.kit.contacts import Contacts
from bot.kit.context import Context, Persons, View
from bot.kit.errors import Refused
from bot.kit.feature import Feature, Outcome
from bot.kit.reply import Reply, Show, Toast
from bot.kit.role import Role
from bot.kit.words import N_, _
from handlers.roster import cards, contacts, export, rules, work
from handlers.roster.cards import HOURS, Confirm, Drop
from handlers.roster.rules import Change, Plan, Roster
from storage import audit, files, imports, people
from storage.base import Db
from storage.imports import DONE, DROPPED, WAITING, Import, Sheet
from storage.people import Person

feature = Feature("roster", title=N_("名册导入"))
feature.work("read")(work.read_roster)
feature.work("template")(export.template)
feature.errand("contacts")


# --- the file comes -------------------------------------------------------------------------------------------


@feature.upload(".xlsx", ".xls", ".csv", help=N_("把名册文件私聊发给我"))
def receive(ctx: Context, text: str) -> Reply:
    if ctx.upload is None or not ctx.place.private:
        return None  # in a group people pass one another tables; that is no roster for us
    if len(ctx.upload.content) > tables.MAX_BYTES:
        size = tables.MAX_BYTES // 1_000_000
        raise Refused(_("文件太大（超过 {n} MB）。名册只要文字，请去掉图片再发。", n=size))
    ctx.start("roster.read", ctx.upload.content, name=ctx.upload.name[:120])
    return None


@feature.done("read")
def show(ctx: Context, outcome: Outcome) -> Reply:
    if outcome.failed or ctx.person is None or not Role(ctx.person.role).includes(Role.OFFICE):
        return _("这份名册我读不了（太大或太复杂）。请把姓名、部门等几列复制到一个新表格再发。")
    return _shown(ctx, str(outcome.note.get("name", "")), msgspec.convert(outcome.value, Sheet))


def _shown(ctx: Context, name: str, sheet: Sheet) -> Reply:
    """The preview, to whoever asked and to nobody else."""
    number = imports.keep(ctx.db, ctx.me.id, name, sheet, ctx.now)
    imports.promise(ctx.db, number, _plan(ctx, sheet, ctx.me).digest)
    ctx.book("roster.forget", ctx.now + timedelta(hours=HOURS), key=str(number), number=number)
    if ctx.place.private:
        return Show(f"roster:{number}")
    ctx.post(f"roster:{number}", Persons([ctx.me.id]))
    return None


def _plan(view: View, sheet: Sheet, by: Person) -> Plan:
    db = view.db
    known = Roster(people.everybody(db), people.leaves_of(db), people.account_owners(db), _today(view), by)
    if sheet.is_file:
        return rules.compare(sheet, known)
    return contacts.without_stopping(rules.compare(sheet, known, contacts.match), known)


def _today(view: View) -> date:
    return when.local_date(view.now, view.school.zone)


@feature.card("roster")
def face(view: View, number: int) -> Card | None:
    found = imports.get(view.db, number)
    if found is None:
        return None
    if found.state == DONE:
        return cards.done(number, found.name, found.plan)
    by = people.get(view.db, found.person)
    if found.state == DROPPED or by is None:
        return cards.dropped(number, found.name)
    return cards.preview(number, found.name, _plan(view, found.sheet, by), found.sheet.unused, _today(view))


# --- or the address book --------------------------------------------------------------------------------------


@feature.command(cards.CONTACTS, who=Role.OFFICE, private=True, whole=True, help=N_("从通讯录带出姓名和部门"))
def ask_contacts(ctx: Context, rest: str) -> Reply:
    ctx.start("roster.contacts", b"")
    return _("正在读通讯录，读完给您看预览，您确认了才写入。人多时要等一两分钟。")


@feature.done("contacts")
def show_contacts(ctx: Context, outcome: Outcome) -> Reply:
    if ctx.person is None or not Role(ctx.person.role).includes(Role.OFFICE):
        return None
    if outcome.failed:
        told = _("{why}也可以把名册文件（.xlsx 或 .csv）私聊发给我。", why=outcome.failed)
        ctx.say(told, to=None if ctx.place.private else Persons([ctx.me.id]))
        return None
    return _shown(ctx, cards.CONTACTS, contacts.sheet_of(msgspec.convert(outcome.value, Contacts)))


# --- it is decided --------------------------------------------------------------------------------------------


@feature.action(Confirm, who=Role.OFFICE)
def confirm(ctx: Context, tap: Confirm) -> Reply:
    found = _mine(ctx, tap.number)
    plan = _plan(ctx, found.sheet, ctx.me)
    if plan.problems:
        raise Refused(cards.not_yet(found.name, len(plan.problems)))
    if plan.digest != found.plan:
        imports.promise(ctx.db, found.id, plan.digest)
        ctx.redraw(f"roster:{found.id}")
        return Toast(_("名册在预览以后变过，预览已更新。请看过再确认一次。"), alert=True)
    stopped = plan.missing if tap.stop else ()
    apply(ctx.db, plan, stopped, _today(ctx), ctx.school.writes_first)
    counts = (len(plan.new), len(plan.changed), plan.same, len(stopped))
    imports.decide(ctx.db, found.id, DONE, ",".join(str(count) for count in counts))
    audit.note(ctx.db, "roster.import", ctx.me.id, str(found.id), ctx.now)
    ctx.settle(f"roster:{found.id}")
    return Toast(_("已导入：新增 {new} 人，变动 {changed} 人，停用 {stopped} 人。", **_named(counts)))


def _named(counts: tuple[int, int, int, int]) -> dict[str, int]:
    return {"new": counts[0], "changed": counts[1], "stopped": counts[3]}


def _mine(ctx: Context, number: int) -> Import:
    found = imports.get(ctx.db, number)
    if found is None or found.state != WAITING or ctx.now - found.made_at > timedelta(hours=HOURS):
        raise Refused(_("这份名册已经处理过或过期了。要导入，请把文件重新发给我。"))
    rules.check_sender(found.person, ctx.me.id)
    return found


@feature.command("确认导入", who=Role.OFFICE, private=True, whole=True)
def confirm_in_words(ctx: Context, rest: str) -> Reply:
    found = imports.waiting(ctx.db, ctx.me.id)
    if found is None:
        raise Refused(_("没有等您确认的名册。请先把名册文件私聊发给我，或回复“通讯录”。"))
    reply = confirm(ctx, Confirm(found.id, 0))
    return reply.text if isinstance(reply, Toast) else reply


@feature.action(Drop, who=Role.OFFICE)
def drop(ctx: Context, tap: Drop) -> Reply:
    found = _mine(ctx, tap.number)
    imports.decide(ctx.db, found.id, DROPPED)
    ctx.settle(f"roster:{found.id}")
    return Toast(_("好的，没有导入。"))


@feature.appointment("forget")
def forget(ctx: Context, number: int) -> None:
    """A day later the file's words go, decided or not."""
    if imports.decide(ctx.db, number, DROPPED):
        ctx.settle(f"roster:{number}")


# --- one transaction ------------------------------------------------------------------------------------------


def apply(
    db: Db, plan: Plan, stopped: Sequence[Person], today: date, writes_first: Collection[str] = frozenset()
) -> None:
    """``writes_first``: the channels where an account that is known can be written to."""
    for change in plan.new:
        facts = {name: new for name, _old, new in change.facts}
        number = people.add(db, Person(0, change.name, **facts))  # type: ignore[arg-type]
        _settle(db, number, change, today, writes_first)
    for change in plan.changed:
        number = change.person or 0
        if change.facts:
            people.change(db, number, **{f: bool(new) if f == "active" else new for f, _old, new in change.facts})
        _settle(db, number, change, today, writes_first)
    for person in stopped:
        people.change(db, person.id, active=False)


def _settle(db: Db, number: int, change: Change, today: date, writes_first: Collection[str]) -> None:
    """Leave and accounts of one person."""
    if change.back:
        people.clear_leave(db, number, today, today)
    if change.absence is not None:
        first = change.absence.first or today
        people.clear_leave(db, number, first, change.absence.last)
        people.set_leave(db, number, first, change.absence.last, change.absence.kind)
    for channel, account in change.accounts:
        people.bind(db, number, channel, account, talk=account if channel in writes_first else None, now=None)


# --- the template ---------------------------------------------------------------------------------------------


@feature.command("名册模板", who=Role.OFFICE, private=True, whole=True, help=N_("取一份空白名册"))
def template(ctx: Context, rest: str) -> Reply:
    ctx.start("roster.template", b"")
    return None


@feature.done("template")
def send_template(ctx: Context, outcome: Outcome) -> Reply:
    if outcome.failed:
        return _("模板没有做出来，请过一会儿再回复“名册模板”。")
    name = _(export.TEMPLATE_NAME)
    file = files.keep(ctx.db, name, export.TEMPLATE_MIME, outcome.value, ctx.now)
    ctx.send(file, name, to=None if ctx.place.private else Persons([ctx.me.id]))
    return None

"""The preview of a roster file, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.kit.action import Action
from bot.kit.card import Block, Button, Card, Facts, Line, People, Table, Tone
from bot.kit.when import write_day
from bot.kit.words import N_, _
from handlers.roster.rules import Absence, Change, Plan
from storage.people import Person

MOST_CHANGES, MOST_NAMES, MOST_PROBLEMS = 12, 40, 20
HOURS = 24
CONTACTS = "通讯录"
"""The word that asks for the address book, and the name of what it brings; a file's name has an ending."""

_FIELDS = {
    "department": N_("部门"),
    "politics": N_("政治面貌"),
    "role": N_("角色"),
    "phone": N_("电话"),
    "staff_no": N_("工号"),
}
_ROLES = {"principal": N_("校长"), "office": N_("办公室"), "staff": N_("教职工")}


@dataclass(frozen=True)
class Confirm(Action, verb="ro.go"):
    """``stop`` 1: who is not in the file is stopped as well."""

    number: int
    stop: int


@dataclass(frozen=True)
class Drop(Action, verb="ro.no"):
    number: int


def preview(number: int, file: str, plan: Plan, unused: Sequence[str], today: date) -> Card:
    """What confirming would do; with a bad row only the list of them."""
    if plan.problems:
        return refused(number, file, plan.problems)
    source = _source(file)
    body: list[Block] = [Facts(_counts(plan, source))]
    if plan.changed:
        rows = [(change.name, words(change, today)) for change in plan.changed[:MOST_CHANGES]]
        body.append(Table((_("姓名"), _("变动")), rows))
        body += _rest(len(plan.changed) - MOST_CHANGES)
    body += _names(_("新增"), [change.name for change in plan.new])
    body += _names(
        _("在名册里、{source}里没有（不会删除）", source=source),
        [person.name for person in [*plan.missing, *plan.safe]],
    )
    body += _names(_("已离开，不加入"), plan.gone)
    body += [Line(_("没有用到的列：{names}", names="、".join(unused[:10])))] if unused else []
    foot = _("只有发文件的人可以确认，{n} 小时内有效；也可以回复“确认导入”。", n=HOURS)
    if file == CONTACTS:
        foot = _("只有您可以确认，{n} 小时内有效；也可以回复“确认导入”。", n=HOURS)
    return Card(f"roster:{number}", _("名册预览：{file}", file=file[:60]), body, _buttons(number, plan), foot)


def _buttons(number: int, plan: Plan) -> Sequence[Button]:
    drop = Button(_("不要了"), Drop(number))
    if not (plan.new or plan.changed or plan.missing):
        return (drop,)
    buttons = [Button(_("确认导入"), Confirm(number, 0), Tone.MAIN)] if plan.new or plan.changed else []
    if plan.missing:
        label = _("导入并停用没有的 {n} 人", n=len(plan.missing))
        buttons.append(Button(label, Confirm(number, 1), Tone.DANGER))
    return (*buttons, drop)


def _source(file: str) -> str:
    return _("通讯录") if file == CONTACTS else _("文件")


def again(file: str) -> str:
    """What to do to begin anew."""
    return _("改好后再发“通讯录”。") if file == CONTACTS else _("改好后把文件重新发给我。")


def not_yet(file: str, problems: int) -> str:
    return _("名册里还有 {n} 处要改，一行也没有写入。{again}", n=problems, again=again(file))


def _counts(plan: Plan, source: str) -> Sequence[tuple[str, str]]:
    counts = (
        (_("新增"), len(plan.new)),
        (_("有变动"), len(plan.changed)),
        (_("不变"), plan.same),
        (_("{source}里没有", source=source), len(plan.missing) + len(plan.safe)),
    )
    return [(label, _("{n} 人", n=n)) for label, n in counts]


def _names(title: str, names: Sequence[str]) -> list[Block]:
    return [People(title, names[:MOST_NAMES]), *_rest(len(names) - MOST_NAMES)] if names else []


def _rest(more: int) -> list[Block]:
    return [Line(_("……另有 {n} 人", n=more))] if more > 0 else []


def words(change: Change, today: date) -> str:
    """部门 语文组→数学组；产假 12月1日 周二起. A phone number is not repeated."""
    parts = [_fact(*fact) for fact in change.facts]
    if change.absence is not None:
        parts.append(absence_words(change.absence, today))
    if change.back:
        parts.append(_("销假，从今天起在岗"))
    parts += [_("绑定 {channel}", channel=channel) for channel, _account in change.accounts]
    return "；".join(parts)


def _fact(field: str, old: str, new: str) -> str:
    if field == "active":
        return _("恢复在册") if new else _("停用")
    if field == "phone":
        return _("电话已改")
    if field == "role":
        old, new = _(_ROLES.get(old, old)), _(_ROLES.get(new, new))
    return f"{_(_FIELDS[field])} {old or _('（空）')}→{new}"


def absence_words(absence: Absence, today: date) -> str:
    first = write_day(absence.first or today, today)
    if absence.last is None:
        return _("{kind} {first}起", kind=absence.kind, first=first)
    return _("{kind} {first} 至 {last}", kind=absence.kind, first=first, last=write_day(absence.last, today))


def refused(number: int, file: str, problems: Sequence[str]) -> Card:
    lines = [Line(problem) for problem in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        lines.append(Line(_("……另有 {n} 处", n=len(problems) - MOST_PROBLEMS)))
    title = _("名册没有导入：{n} 处要改", n=len(problems))
    return Card(
        f"roster:{number}", title, lines, (), _("{file}：一行也没有写入。{again}", file=file[:60], again=again(file))
    )


def done(number: int, file: str, counts: str) -> Card:
    new, changed, same, stopped = (int(part) for part in counts.split(","))
    pairs = ((_("新增"), new), (_("有变动"), changed), (_("不变"), same), (_("停用"), stopped))
    body = [Facts([(label, _("{n} 人", n=n)) for label, n in pairs])]
    foot = _("下一步：回复“绑定码 全部”，把每人的绑定码私下转给本人。") if new else ""
    if file == CONTACTS:
        foot = _("下一步：回复“谁还没绑定”，看还有谁私聊不到。")
    return Card(f"roster:{number}", _("名册已导入：{file}", file=file[:60]), body, (), foot)


def dropped(number: int, file: str) -> Card:
    foot = _("要导入，请再发“通讯录”。") if file == CONTACTS else _("要导入，请把文件重新发给我。")
    return Card(f"roster:{number}", _("没有导入：{file}", file=file[:60]), (), (), foot)


# --- for the preview page and the contract of the channels ----------------------------------------------------

_HOSTILE = "<b>王</b>&{n}%s_*老师*_"
_PEOPLE = [Person(n, name) for n, name in enumerate(("欧阳娜娜", "阿卜杜热合曼·阿卜杜热西提", _HOSTILE), 1)]
_CHANGES = (
    Change(
        1, "王老师", (("department", "语文组", "数学组"), ("phone", "1", "2")), Absence("产假", date(2026, 12, 1), None)
    ),
    Change(2, _HOSTILE, (("role", "staff", "office"), ("active", "", "1")), None, True, (("telegram", "10001"),)),
)
_TODAY = date(2026, 11, 23)
_MANY = [Change(None, f"新老师{n}") for n in range(1, 60)]

GALLERY: Sequence[Card] = (
    preview(1, "教职工名册.xlsx", Plan(_MANY, _CHANGES, 30, ("赵退休",), _PEOPLE), ("身份证号", "职务"), _TODAY),
    preview(2, _HOSTILE + ".csv", Plan(same=38), (), _TODAY),
    preview(3, "名册.xlsx", Plan(problems=[f"C{n}：日期看不懂：2月30日" for n in range(2, 40)]), (), _TODAY),
    done(4, "名册.xlsx", "12,3,30,2"),
    dropped(5, "名册.xlsx"),
)

"""What people read: who they are to us, how to bind, who is on leave. Short, one thing a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.kit.card import Card
from bot.kit.context import School
from bot.kit.role import Role
from bot.kit.when import write_day
from bot.kit.words import N_, _
from handlers.people.rules import CODE_HOURS, ROLES
from storage.people import Leave, Person

# --- help -----------------------------------------------------------------------------------------------------

GUEST = (N_("绑定：向办公室要一个绑定码，私聊发给我\n　绑定 123456"),)
STAFF = (
    N_("会议通知：点卡片上的按钮，或者直接回复\n　收到　请假 监考　晚到十分钟"),
    N_("会议前后：签到、材料、会后的事、自己的日历\n　签到　会议材料　我的行动项　日历"),
    N_("征求意见：写清第几条就会记下\n　第三条建议改为……　无意见　我的意见"),
    N_("明星教师：在私聊的选票上点名字，截止前都可以改\n　投票"),
    N_("学习提醒：学完回一句，或让我稍后再提醒\n　已学　稍后　停"),
    N_("自己的事：看我记了您什么、学了什么\n　我的信息　我的学习　今天别提醒　隐私"),
)
OFFICE = (
    N_("会议通知：缺什么我会问，您确认了才发\n　发通知 周五下午三点半 三楼会议室 教学例会\n　更正通知　取消通知"),
    N_("看谁没回：名单只私聊给您\n　谁还没回　谁还没提　谁还没学　投票进度　催一下"),
    N_("会议前后：签到、材料、记录、会后的事，点“会务”都有\n　会务　签到表　会议记录　行动项 王老师 周五前 交教案"),
    N_("征求意见：粘贴全文，或发来 .docx\n　征求意见　汇总"),
    N_("明星教师：写明候选人和截止时间\n　评选 12月明星教师 候选人 赵老师、钱老师 截止 周五17:00"),
    N_("学习提醒：一次、每周或每月\n　学习提醒 每周三下午三点 读《十项准则》\n　学习计划　停止提醒"),
    N_("名册：发来 .xlsx 或 .csv，或从通讯录带出\n　名册模板　通讯录　名册　绑定码 王老师　绑定码 全部　谁还没绑定"),
    N_("请假：影响通知谁、算不算人数\n　请假登记 王老师 12月1日到12月5日 产假\n　销假 王老师　谁在请假"),
    N_("群：在群里发一句就生效\n　{call}绑定本群　{call}解绑本群"),
    N_("运行：看我是不是都好，哪些没送到\n　体检　未送达"),
)
PRINCIPAL = (N_("角色：只有校长能改\n　设为办公室 张老师　取消办公室 张老师"),)


def help_text(role: Role, call: str = "") -> str:
    """What I can do for this role: two lines a job."""
    jobs = {
        Role.GUEST: GUEST,
        Role.STAFF: STAFF,
        Role.OFFICE: (*OFFICE, *STAFF[-1:]),
        Role.PRINCIPAL: (*PRINCIPAL, *OFFICE, *STAFF[-1:]),
    }
    return "\n".join([_("我会做这些事："), *(_(job, call=call) for job in jobs[role])])


def greeting(school: str, person: Person | None) -> str:
    if person is None:
        return _(
            "您好，我是{school}的事务助手。我还不认识您：请向办公室要一个绑定码，再发给我：绑定 123456", school=school
        )
    return _("{name}您好，我是{school}的事务助手。回复“帮助”看看能做什么。", name=person.name, school=school)


# --- binding --------------------------------------------------------------------------------------------------


def code_text(school: School, person: Person, code: str, bound: Sequence[str]) -> str:
    lines = [
        _("{name}的绑定码：{code}，{n} 小时内有效，只能用一次。", name=person.name, code=code, n=CODE_HOURS),
        _("请把下面这句私下转给本人，不要发在群里："),
        forward(school, person, code),
    ]
    if bound:
        lines.insert(1, _("（已绑定过 {channels}，这次会再加一个账号。）", channels="、".join(bound)))
    return "\n".join(lines)


def forward(school: School, person: Person, code: str) -> str:
    facts = {"name": person.name, "way": steps(school), "code": code}
    return _("{name}您好，请{way}，发一句：绑定 {code}", **facts)


def steps(school: School, channel: str = "") -> str:
    """What somebody does to find us, on one channel or on whichever they have: 在企业微信里搜索“红烛”并打开."""
    ways = [way for name, way in school.ways.items() if channel in ("", name)]
    words = _("，或").join(way.steps for way in ways)
    return words or _("私聊{school}的机器人", school=school.name)


def hello(school: School, channel: str = "") -> str:
    """The one line for a teacher who was never seen."""
    return _("老师您好，请{way}，说一句“你好”，一次就够：以后通知会私聊给您。", way=steps(school, channel))


def bound_text(person: Person) -> str:
    where = _("（{department}）", department=person.department) if person.department else ""
    return _(
        "{name}您好{where}，已绑定。以后的通知和提醒会私聊给您，回复“帮助”看看能做什么。", name=person.name, where=where
    )


def codes_file(rows: Sequence[tuple[Person, str]], school: School, until: str) -> bytes:
    """A sentence for each to forward, one a line; plain text, so that no name can be a formula."""
    head = _("绑定码，{until} 前有效，每个只能用一次。请逐条私下转给本人，不要发在群里。", until=until)
    lines = [f"{person.department}\t{forward(school, person, code)}" for person, code in rows]
    return "\r\n".join([head, "", *lines, ""]).encode("utf-8-sig")


# --- leave ----------------------------------------------------------------------------------------------------


def span(first: date, last: date | None, today: date) -> str:
    if last is None:
        return _("{first}起，到期未定", first=write_day(first, today))
    if first == last:
        return write_day(first, today)
    return _("{first} 至 {last}", first=write_day(first, today), last=write_day(last, today))


def leave_text(person: Person, kind: str, first: date, last: date | None, today: date) -> str:
    facts = {"name": person.name, "kind": kind, "span": span(first, last, today)}
    return _("已登记：{name} {kind} {span}。这几天不通知、不催、不计入人数。提前回来发“销假 {name}”。", **facts)


def on_leave_text(rows: Sequence[tuple[Person, Leave]], today: date) -> str:
    if not rows:
        return _("今天没有人请假。")
    lines = [f"{person.name} {leave.kind} {span(leave.first, leave.last, today)}" for person, leave in rows]
    return "\n".join([_("今天请假 {n} 人：", n=len(rows)), *lines])


# --- people and groups ----------------------------------------------------------------------------------------


def me_text(person: Person, leave: Leave | None, channels: Sequence[str], today: date) -> str:
    facts = [
        (_("姓名"), person.name),
        (_("部门"), person.department or _("（空）")),
        (_("政治面貌"), person.politics or _("（空）")),
        (_("角色"), _(ROLES.get(person.role, person.role))),
        (_("绑定的账号"), "、".join(channels) or _("没有")),
        (_("请假"), f"{leave.kind} {span(leave.first, leave.last, today)}" if leave else _("没有")),
    ]
    lines = [f"{name}：{value}" for name, value in facts]
    return "\n".join([*lines, _("有不对的请告诉办公室改。想知道我记了什么，回复“隐私”。")])


@dataclass(frozen=True, slots=True)
class Silent:
    """People who cannot be written to on one channel, for one reason. ``closed``: it was open once, or was refused."""

    channel: str
    closed: bool
    names: Sequence[str]


def unbound_text(unbound: Sequence[str], silent: Sequence[Silent], school: School) -> str:
    """Who needs a code, and who only has to say a first word: with the sentence to pass on to them."""
    if not (unbound or silent):
        return _("所有人都能私聊到。")
    lines = []
    if unbound:
        names = "、".join(unbound)
        sentence = _("还没绑定 {n} 人（发“绑定码 全部”，得到给每人转发的一句）：{names}", n=len(unbound), names=names)
        lines.append(sentence)
    for one in silent:
        way = school.ways.get(one.channel)
        lines.append(_silent(one, way.title if way else one.channel))
        lines.append(_("　请转给他们：{words}", words=hello(school, one.channel)))
    return "\n".join(lines)


def _silent(one: Silent, title: str) -> str:
    facts = {"channel": title, "n": len(one.names), "names": "、".join(one.names)}
    if one.closed:
        return _("{channel}：发不进去 {n} 人（从没跟我说过话，或停用、屏蔽了我）：{names}", **facts)
    return _("{channel}：已绑定、还没私聊过 {n} 人：{names}", **facts)


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages that did not arrive, for one person or group."""

    name: str
    count: int
    never_came: bool


def undelivered_text(lost: Sequence[Lost], days: int) -> str:
    if not lost:
        return _("最近 {days} 天没有送不到的消息。", days=days)
    lines = [_("最近 {days} 天送不到的：", days=days)]
    for one in lost:
        why = _("还没私聊过我，请他私聊一句") if one.never_came else _("对方停用或屏蔽了，请当面说一声，再私聊我一句")
        lines.append(_("{name}：{n} 条（{why}）", name=one.name, n=one.count, why=why))
    return "\n".join(lines)


def roster_text(counts: Sequence[tuple[str, int]], offices: Sequence[str], principals: Sequence[str]) -> str:
    lines = [_("{label}：{n}", label=label, n=n) for label, n in counts]
    lines.append(_("校长：{names}", names="、".join(principals) or _("没有")))
    lines.append(_("办公室：{names}", names="、".join(offices) or _("没有")))
    lines.append(_("要增减或修改，请把名册文件私聊发给我；回复“名册模板”取模板。"))
    return "\n".join(lines)


def privacy_text(keep: Sequence[tuple[str, timedelta]]) -> str:
    lines = [
        _(
            "我记什么：名册（姓名、部门、政治面貌、电话、请假）、绑定的账号编号、您对通知和征求意见的回复、会议签到和行动项、学习记录。"
        ),
        _("谁能看：您自己；办公室看名单和数字。请假原因只有办公室看得到，投票内容谁都看不到。"),
        _("群里不点名、不排名；我不保存群聊原文。"),
        *(_("{what}保留 {n} 天", what=what, n=span.days) for what, span in keep),
        _("不想再收某类提醒，回复“停”；要更正或删除，请找办公室。"),
    ]
    return "\n".join(lines)


def health_text(facts: Sequence[tuple[str, str]], worries: Sequence[str]) -> str:
    lines = [f"{name}：{value}" for name, value in facts]
    return "\n".join([*lines, *(worries or (_("都正常。"),))])


GALLERY: Sequence[Card] = ()  # people talk to this feature in words; its one picture is the roster's preview

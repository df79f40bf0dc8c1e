"""Who may press what and say what: every route of the product by every role, from the route table.

A new route without a line here fails: who may do it is decided on purpose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_type_hints

import pytest

from bot.engine.router import build
from bot.kit.role import Role
from handlers.contents import FEATURES
from tests.office import Office, sqlite_url

ROUTER = build(FEATURES)
BUG = re.compile(r"编号 [0-9A-F]{4}\b")
PEOPLE = {"访客": Role.GUEST, "王老师": Role.STAFF, "办公室": Role.OFFICE, "李校长": Role.PRINCIPAL}
TABLE = {
    Role.GUEST: """
        start 你好 帮助 绑定 绑定本群 解绑本群 隐私
    """,
    Role.STAFF: """
        dr.none dr.read dr.speak nt.for nt.later nt.mute nt.mutew nt.rsvp st.cast st.done st.go st.halt st.later st.note
        今天别提醒 本周别再提醒
        征求意见 恢复提醒 我的信息 我的学习 我的意见 投票 提意见 看全文 登录
        mt.cal mt.done mt.papers mt.read mt.sign 会议材料 已补学 我的行动项 日历 日历停用 日历链接
    """,
    Role.OFFICE: """
        dr.drop dr.fill dr.publish nt.ask nt.chase nt.draft nt.fix nt.off ro.go ro.no st.annul st.close st.drop st.keep
        st.open st.plan st.void 体检 作废投票 停止提醒 停用人员 催一下 发通知 取消通知 名册 名册模板 启用人员 通讯录
        学习提醒 学习计划 投票进度 提前截止 更正通知 未送达 汇总 确认导入 绑定码 登录链接 统计 解绑 评选 请假登记
        改期 撤回通知 追加对象 谁在请假 谁还没回 谁还没学 谁还没提 谁还没绑定 销假
        mt.do mt.drop mt.unfile 会务 会议记录 附件 行动项 补签 记主持 记决议 记议程 记记录人 生成会议记录 发给没到会的
        回执统计 签到表 开始签到 凭码签到 结束签到
    """,
    Role.PRINCIPAL: """
        取消办公室 设为办公室
    """,
}
WHO = {route: role for role, routes in TABLE.items() for route in routes.split()}
"""The least role that may, by verb or first word."""


def forged(verb: str) -> str:
    """A well-formed token of this verb about things that do not exist."""
    action: Any = ROUTER.actions[verb].action
    hints = get_type_hints(action)
    parts = [_value(hints[name]) for name in action.__dataclass_fields__]
    return ":".join([verb, *parts])


def _value(kind: type) -> str:
    if issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    return "999999" if kind is int else "x"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office(sqlite_url(tmp_path_factory.mktemp("matrix")), FEATURES, staff=8)
    yield office
    office.close()


def test_every_route_has_its_line() -> None:
    routes = {*ROUTER.actions, *(command.words[0] for command in ROUTER.commands.values())}
    assert routes == set(WHO), f"missing: {routes - set(WHO)}; gone: {set(WHO) - routes}"


def test_the_table_says_what_the_features_say() -> None:
    declared = {verb: on.who for verb, on in ROUTER.actions.items()}
    declared |= {command.words[0]: command.who for command in ROUTER.commands.values()}
    assert declared == WHO


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("verb", ROUTER.actions)
def test_a_forged_press_is_refused_in_a_sentence(office: Office, verb: str, name: str) -> None:
    toast = office[name].forges(forged(verb), in_group=False).toast
    assert not BUG.search(toast or ""), f"{verb} by {name} is a bug: {toast}"
    if not PEOPLE[name].includes(WHO[verb]):
        assert toast is not None and ("绑定" in toast or "办公室" in toast or "校长" in toast)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("word", sorted({command.words[0] for command in ROUTER.commands.values()}))
def test_a_word_is_answered_or_refused_never_a_bug(office: Office, word: str, name: str) -> None:
    before = len(office[name].inbox)
    office[name].says(word)
    said = office[name].inbox[before:]
    assert not any(BUG.search(text) for text in said), f"{word} by {name} is a bug: {said}"
    if not PEOPLE[name].includes(WHO[word]):
        assert said and ("绑定" in said[0] or "办公室" in said[0] or "校长" in said[0])
    office[name].says("取消")

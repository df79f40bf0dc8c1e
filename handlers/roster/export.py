"""What a roster file says: its headings and words, and a template that holds them."""

from __future__ import annotations

import io
from collections.abc import Mapping

from bot.kit.words import N_, _

HEADINGS = {
    "name": "姓名 名字 教师姓名 教职工姓名 职工姓名",
    "department": "部门 科室 处室 教研组 年级组 组别 所在部门",
    "politics": "政治面貌 面貌",
    "role": "角色 权限",
    "status": "在岗状态 状态 在岗情况 人员状态",
    "first": "开始日期 起始日期 离岗日期 开始时间",
    "last": "结束日期 截止日期 终止日期 结束时间",
    "telegram": "telegram tg telegramid",
    "wecom": "wecom 企业微信 企业微信账号 企微 userid",
    "phone": "电话 手机 手机号 手机号码 联系电话 联系方式",
    "staff_no": "工号 职工号 教工号 职工编号 教师编号",
}
POLITICS = {
    "中共党员": "党员 正式党员 共产党员",
    "中共预备党员": "预备党员",
    "发展对象": "",
    "入党积极分子": "积极分子",
    "共青团员": "团员",
    "群众": "普通群众",
    "无党派人士": "无党派",
    "民革党员": "民革",
    "民盟盟员": "民盟",
    "民建会员": "民建",
    "民进会员": "民进",
    "农工党党员": "农工党",
    "致公党党员": "致公党",
    "九三学社社员": "九三学社",
    "台盟盟员": "台盟",
}
ROLES = {"principal": "校长", "office": "办公室 书记", "staff": "教职工 教师 老师 职工 普通"}
LEAVES = {
    "病假": "",
    "产假": "",
    "事假": "",
    "公假": "",
    "陪产假": "护理假",
    "哺乳假": "",
    "育儿假": "",
    "婚假": "",
    "丧假": "",
    "借调": "借出",
    "支教": "",
    "进修": "脱产进修 外出学习 培训",
}
ON_DUTY, GONE = "在岗", ("退休", "离职", "调离")
STATUS = {ON_DUTY: "在职 正常 到岗", **LEAVES, "退休": "", "离职": "辞职", "调离": "调出 调走"}

TEMPLATE_NAME = N_("名册模板.xlsx")
TEMPLATE_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOTES = (
    N_("每行写一位老师。只有“姓名”必须写；别的列可以不要，空着的格子表示不改。"),
    N_("两位老师同名：部门要不同，或者写上各自的工号。"),
    N_("病假、产假、借调等请写开始日期；还不知道到哪天，结束日期就空着。日期例：2026-12-01"),
    N_("telegram 写数字编号，wecom 写企业微信账号；不知道就空着，让本人用绑定码。"),
    N_("写好后把文件私聊发给机器人，看过预览再确认。"),
)


def canonical(word: str, table: Mapping[str, str]) -> str | None:
    """党员 -> 中共党员; ``None`` for a word we do not know."""
    return next((key for key, others in table.items() if word == key or word in others.split()), None)


def role_word(role: str) -> str:
    return ROLES[role].split()[0]


def template(payload: bytes, note: dict[str, int | str]) -> bytes:
    """The empty file: every cell is text, so that a number keeps its zeros and nothing becomes a formula."""
    import xlsxwriter

    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        text = book.add_format({"num_format": "@"})
        head = book.add_format({"bold": True, "num_format": "@", "bottom": 1})
        sheet, notes = book.add_worksheet(_("名册")), book.add_worksheet(_("说明"))
        sheet.set_column(0, len(HEADINGS) - 1, 14, text)
        sheet.freeze_panes(1, 0)
        for column, (field, words) in enumerate(HEADINGS.items()):
            sheet.write_string(0, column, words.split()[0], head)
            if choices := _CHOICES.get(field):
                sheet.data_validation(1, column, 2000, column, {"validate": "list", "source": choices})
        for row, sentence in enumerate(_NOTES):
            notes.write_string(row, 0, _(sentence))
    return made.getvalue()


_CHOICES = {"politics": list(POLITICS), "role": [role_word(role) for role in ROLES], "status": list(STATUS)}

"""Texts into clauses, words into remarks, files into texts: the tables."""

from __future__ import annotations

import struct
import time
import zlib
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from docx import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from hypothesis import given
from hypothesis import strategies as st

from bot.kit.errors import NotUnderstood, Refused
from handlers.drafts import answers, clauses, rules, sections, taps, work
from handlers.drafts.clauses import split, tidy

# --- numbers --------------------------------------------------------------------------------------------------


@given(st.integers(1, 9999))
def test_a_number_written_in_chinese_is_read_back(number: int) -> None:
    assert clauses.numeral(clauses.chinese(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("二十一", 21),
        ("21", 21),
        ("２１", 21),
        ("十", 10),
        ("一百零五", 105),
        ("一百一十", 110),
        ("二〇", 20),
        ("两", 2),
        ("条", 0),
    ],
)
def test_numbers_in_any_script(text: str, number: int) -> None:
    assert clauses.numeral(text) == number


# --- clauses --------------------------------------------------------------------------------------------------

SPLITS: dict[str, tuple[str, str, str, list[str]]] = {
    # name: text, title, how, labels
    "plain": ("考勤办法\n第一条 甲。\n第二条 乙。", "考勤办法", "articles", ["第一条", "第二条"]),
    "full-width blanks": ("考勤办法\n　　第一条　甲。\n　　第二条　乙。", "考勤办法", "articles", ["第一条", "第二条"]),
    "digits": ("第1条 甲\n第2条 乙\n第10条 丙", "", "articles", ["第一条", "第二条", "第十条"]),
    "full-width digits": ("第１条 甲\n第２１条 乙", "", "articles", ["第一条", "第二十一条"]),
    "twenty-first": ("第二十条 甲\n第二十一条 乙", "", "articles", ["第二十条", "第二十一条"]),
    "hundred": ("第一百零一条 甲\n第一百零二条 乙", "", "articles", ["第一百零一条", "第一百零二条"]),
    "no blank behind": ("第一条甲乙\n第二条丙丁", "", "articles", ["第一条", "第二条"]),
    "inserted": ("第三条 甲\n第三条之一 乙\n第四条 丙", "", "articles", ["第三条", "第三条之一", "第四条"]),
    "all in one line": ("第一条 甲。第二条 乙；第三条 丙。", "", "articles", ["第一条", "第二条", "第三条"]),
    "traditional": ("第一條 甲\n第二條 乙", "", "articles", ["第一条", "第二条"]),
    "markdown": ("# 考勤办法\n\n## 第一条\n**甲**\n\n## 第二条\n乙", "考勤办法", "articles", ["第一条", "第二条"]),
    "windows lines": ("第一条 甲\r\n第二条 乙\r\n", "", "articles", ["第一条", "第二条"]),
    "a reference at the start of a line": (
        "第一条 甲。违反\n第三条规定的，处分。\n第二条 乙\n第三条 丙",
        "",
        "articles",
        ["第一条", "第二条", "第三条"],
    ),
    "a reference to an earlier one": (
        "第一条 甲\n第二条 按\n第一条、第二条办。\n第三条 丙",
        "",
        "articles",
        ["第一条", "第二条", "第三条"],
    ),
    "a reference inside": ("第一条 甲。按照第三条执行。\n第二条 乙", "", "articles", ["第一条", "第二条"]),
    "appendix": ("第一条 甲\n附件1：请假单\n姓名\n附件2 流程图", "", "articles", ["第一条", "附件1", "附件2"]),
    "two parts": ("第一条 甲\n附件 细则\n第一条 乙", "", "articles", ["第一条", "附件", "第一条（2）"]),
    "chinese items": (
        "工作安排\n一、学习\n（一）每周\n二、检查\n三、总结",
        "工作安排",
        "numbers",
        ["第一条", "第二条", "第三条"],
    ),
    "digit items": ("1. 甲\n2. 乙\n3、丙", "", "numbers", ["第一条", "第二条", "第三条"]),
    "full-width items": ("１、甲\n２、乙", "", "numbers", ["第一条", "第二条"]),
    "a decimal is no item": ("1.5 倍工资。\n2.0 倍工资。", "", "paragraphs", ["第一条", "第二条"]),
    "one item alone is none": ("考勤办法\n\n一、甲", "考勤办法", "paragraphs", ["第一条"]),
    "paragraphs": ("考勤办法\n\n甲。\n仍是甲。\n\n乙。", "考勤办法", "paragraphs", ["第一条", "第二条"]),
    "lines": ("甲。\n乙。\n丙。", "", "paragraphs", ["第一条", "第二条", "第三条"]),
    "nothing": ("　\n\t\n", "", "paragraphs", []),
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_text_is_split(name: str) -> None:
    text, title, how, labels = SPLITS[name]
    found = split(tidy(text))
    assert (found.title, found.how, [piece.label for piece in found.pieces]) == (title, how, labels)


def test_chapters_stand_over_their_clauses_and_not_in_them() -> None:
    text = "办法\n第一章 总则\n第一条 甲\n第二章 考勤\n第一节 上班\n第二条 乙\n第二节 请假\n第三条 丙\n附则\n第四条 丁"
    found = split(tidy(text)).pieces
    assert [piece.heading for piece in found] == [
        "第一章 总则",
        "第二章 考勤 · 第一节 上班",
        "第二章 考勤 · 第二节 请假",
        "附则",
    ]
    assert [piece.text for piece in found] == ["第一条 甲", "第二条 乙", "第三条 丙", "第四条 丁"]


def test_the_paragraphs_of_a_clause_stay_with_it_word_for_word() -> None:
    found = split(tidy("第三条　教师每天签到：\n（一）上午；\n（二）下午。\n第四条 乙")).pieces
    assert found[0].text == "第三条　教师每天签到：\n（一）上午；\n（二）下午。"


@pytest.mark.parametrize(
    ("above", "title"),
    [
        ("红烛中学\n教职工考勤管理办法\n（征求意见稿）", "教职工考勤管理办法"),
        ("《教职工考勤管理办法（讨论稿）》", "教职工考勤管理办法"),
        ("关于期末工作的通知\n各部门：请于周五前反馈。", "关于期末工作的通知"),
        ("各位老师：\n现将办法印发，请讨论。", ""),
    ],
)
def test_the_title_is_found_above_the_first_clause(above: str, title: str) -> None:
    assert split(tidy(f"{above}\n第一条 甲\n第二条 乙")).title == title


def test_a_title_that_is_known_is_not_looked_for() -> None:
    found = split(tidy("考勤办法\n说明一行。\n第一条 甲"), "请假办法")
    assert found.title == "请假办法" and found.preface == "考勤办法\n说明一行。"


@given(st.text(max_size=400))
def test_no_text_breaks_the_splitting_and_nothing_of_a_clause_is_lost(text: str) -> None:
    found = split(tidy(text))
    assert len({piece.label for piece in found.pieces}) == len(found.pieces)
    signs = "".join(piece.text + piece.heading for piece in found.pieces) + found.preface + found.title
    kept = {sign for sign in tidy(text) if sign.isalnum()}
    assert kept <= set(signs) | set("征求意见稿讨论草案初送审附则")


# --- remarks --------------------------------------------------------------------------------------------------

# text -> (clause, point, words) of each remark, as it is understood in a group without any quote
SAID: dict[str, list[tuple[str, str, str]]] = {
    "第三条建议改为每周一次": [("第三条", "", "建议改为每周一次")],
    "第三条，建议改为每周一次": [("第三条", "", "建议改为每周一次")],
    "第三条：应为“应当”": [("第三条", "", "应为“应当”")],
    "第5条第2款：时间太长": [("第五条", "第2款", "时间太长")],
    "第五条第二款第（一）项建议删除": [("第五条", "第二款第（一）项", "建议删除")],
    "第十一条第(三)项改为自愿": [("第十一条", "第(三)项", "改为自愿")],
    "三、(二)建议改为校长审批": [("第三条", "(二)", "建议改为校长审批")],
    "三、（二）太笼统": [("第三条", "（二）", "太笼统")],
    "第二十一条施行日期建议改为明年": [("第二十一条", "", "施行日期建议改为明年")],
    "第２１条：标点有误": [("第二十一条", "", "标点有误")],
    "第三條建議改為每週一次": [("第三条", "", "建議改為每週一次")],
    "第三条之一建议单列": [("第三条之一", "", "建议单列")],
    "第二章第五条建议删除": [("第五条", "", "建议删除")],
    "建议删除第三条": [("第三条", "", "建议删除第三条")],
    "建议把第三条改为每周": [("第三条", "", "建议把第三条改为每周")],
    "建议在第三条后增加一款": [("第三条", "", "建议在第三条后增加一款")],
    "建议第三条放宽到五天": [("第三条", "", "放宽到五天")],
    "我觉得第三条太严了": [("第三条", "", "太严了")],
    "对第三条的意见：太笼统": [("第三条", "", "太笼统")],
    "关于第三条，建议细化": [("第三条", "", "建议细化")],
    "意见：第三条应删去“必须”": [("第三条", "", "应删去“必须”")],
    "数学组：第三条太严": [("第三条", "", "太严")],
    "@红烛 第三条建议细化": [("第三条", "", "建议细化")],
    "收到，第三条建议改为自愿": [("第三条", "", "建议改为自愿")],
    "第三条 每周一次就够了": [("第三条", "", "每周一次就够了")],
    "第三条不同意": [("第三条", "", "不同意")],
    "第三条有歧义": [("第三条", "", "有歧义")],
    "第三条的规定对班主任不公平": [("第三条", "", "的规定对班主任不公平")],
    "第三条能不能改成每周一次？": [("第三条", "", "能不能改成每周一次？")],
    "第三条是否可以放宽": [("第三条", "", "是否可以放宽")],
    "第三条建议与第五条合并": [("第三条", "", "建议与第五条合并")],
    "第三条到第五条建议合并": [("第三条", "", "第三条到第五条建议合并")],
    "第三条建议改为A。第五条删去。": [("第三条", "", "建议改为A。"), ("第五条", "", "删去。")],
    "第三条建议改为A，第五条建议删除": [("第三条", "", "建议改为A"), ("第五条", "", "建议删除")],
    "第三条建议改为A，因为第五条已有规定": [("第三条", "", "建议改为A，因为第五条已有规定")],
    "第三、五条建议删除": [("第三条", "", "建议删除"), ("第五条", "", "建议删除")],
    "第三条、第五条建议删除": [("第三条", "", "建议删除"), ("第五条", "", "建议删除")],
    "1. 第三条建议A；\n2. 第五条改为B。": [("第三条", "", "建议A"), ("第五条", "", "改为B。")],
    "①第三条建议A ②\n（2）第五条改为B": [("第三条", "", "建议A ②"), ("第五条", "", "改为B")],
    "第三条\n建议改为每周\n第五条\n删去": [("第三条", "", "建议改为每周"), ("第五条", "", "删去")],
    "看了稿子，有两点意见：\n第三条太严；第五条建议放宽": [("第三条", "", "太严"), ("第五条", "", "建议放宽")],
    "总体很好，建议尽快实施。第三条建议放宽": [("全文", "", "总体很好，建议尽快实施。"), ("第三条", "", "建议放宽")],
    "第三条没意见，第五条建议删除": [("第五条", "", "建议删除")],
    "没意见但是第三条要改一下": [("第三条", "", "要改一下")],
    "没意见，不过第三条建议再斟酌": [("第三条", "", "建议再斟酌")],
    "没意见但是时间太紧": [("全文", "", "没意见但是时间太紧")],
    "无意见，建议尽快实施": [("全文", "", "无意见，建议尽快实施")],
    "附件1建议增加一列": [("附件1", "", "建议增加一列")],
    "建议增加一条：双休日不加班": [("全文", "", "建议增加一条：双休日不加班")],
    "第二章建议整体删去": [("全文", "", "第二章建议整体删去")],
}


@pytest.mark.parametrize("text", SAID)
def test_a_comment_in_a_group_is_understood(text: str) -> None:
    found = answers.plainly(text)
    assert found is not None
    assert [(one.clause, one.point, one.words) for one in found.remarks] == SAID[text]
    assert not any(one.asks for one in found.remarks)


QUESTIONS = (
    "第三条是什么意思？",
    "请问第三条包括实习老师吗",
    "第三条不太懂",
    "第三条请假要不要扣钱",
    "第三条什么时候开始执行",
    "第五条第二款怎么算？",
)


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_a_question(text: str) -> None:
    found = answers.plainly(text)
    assert found is not None and all(one.asks for one in found.remarks)


NONE_AT_ALL = (
    "无意见",
    "没意见",
    "没有意见。",
    "没有修改意见",
    "没有其他意见，谢谢",
    "我没有意见",
    "语文组无意见",
    "我们组没有修改意见",
    "已阅，无意见",
    "收到，没有意见",
    "无异议",
    "暂无意见",
    "沒有意見",
    "对《考勤办法》没有意见",
    "暂时没有意见和建议",
)


@pytest.mark.parametrize("text", NONE_AT_ALL)
def test_nothing_to_say(text: str) -> None:
    found = answers.plainly(text)
    assert found is not None and found.remarks == ()


TALK = (
    "没有意见吗？",
    "有没有意见",
    "谁没有意见",
    "还没提意见",
    "没有意见的回复1",
    "没意见就好",
    "没有意见箱",
    "第三条消息撤回一下",
    "第3条微信看到了吗",
    "第三条路堵了",
    "第三条通知是谁发的",
    "按第三条办",
    "根据第三条，应当请假",
    "你说的第三条我没看到",
    "第三条",
    "第三条：",
    "第三条我看了",
    "第三条，收到",
    "第三条建议收到，谢谢",
    "第三条已修改",
    "第三条已经改好了",
    "三、（二）班的同学集合",
    "一、明天开会 二、后天放假",
    "1. 建议增加培训 2. 建议减少会议",
    "三条建议我都看了",
    "建议改为周五开会",
    "同意",
    "收到",
    "好的",
    "",
    "　",
    "看了稿子，有两点意见：",
)


@pytest.mark.parametrize("text", TALK)
def test_talk_is_no_comment(text: str) -> None:
    assert answers.plainly(text) is None


@pytest.mark.parametrize(
    ("text", "clause", "words"),
    [
        ("第三条写得真好", "第三条", "写得真好"),
        ("三、改为自愿", "第三条", "改为自愿"),
        ("建议双休日不加班", "全文", "建议双休日不加班"),
        ("总体不错", "全文", "总体不错"),
        ("题目建议改为暂行办法", "全文", "题目建议改为暂行办法"),
    ],
)
def test_in_private_less_is_enough(text: str, clause: str, words: str) -> None:
    found = answers.privately(text)
    assert found is not None and [(one.clause, one.words) for one in found.remarks] == [(clause, words)]


@pytest.mark.parametrize("text", ["今天天气不错", "帮助", "收到", "我请假", "1", ""])
def test_in_private_talk_is_still_talk(text: str) -> None:
    assert answers.privately(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [("太严了", "太严了"), ("1. 多培训\n2. 少开会", "1. 多培训\n2. 少开会"), ("同意第三条", "同意第三条")],
)
def test_in_answer_to_the_card_everything_is_a_comment(text: str, words: str) -> None:
    found = answers.replying(text)
    assert found is not None and [one.words for one in found.remarks] == [words]


@pytest.mark.parametrize("text", ["同意", "赞成", "没问题", "没有", "无", "原则同意", "都同意！"])
def test_in_answer_to_the_card_agreeing_is_nothing_to_say(text: str) -> None:
    found = answers.replying(text)
    assert found is not None and found.remarks == ()


@pytest.mark.parametrize("text", ["收到", "好的，谢谢", "已阅", "👍", "1", "+1", "嗯嗯", "OK", "？", "辛苦了"])
def test_in_answer_to_the_card_having_seen_it_is_nothing_at_all(text: str) -> None:
    assert answers.replying(text) is None


HEAVY = (
    "第一条，第二条、",
    "第三条、",
    "、第一",
    "没意见",
    "我们组",
    "谢谢",
    "嗯",
    "1",
    "三、",
    "建议删除第三条，",
    "我 ",
    "收到，",
    "对稿",
    "@a ",
    "其他任何",
)


@pytest.mark.parametrize("piece", HEAVY)
def test_no_message_keeps_the_desk_busy(piece: str) -> None:
    text = piece * (4096 // len(piece)) + "x"
    for read in (answers.plainly, answers.privately, answers.replying, taps.numbers, sections.longer):
        started = time.process_time()
        read(text)
        assert time.process_time() - started < 0.5, read.__name__


@given(st.text(alphabet="第三五条款项、，。：建议改为没意见但是吗？\n1.(二) x", max_size=60))
def test_no_words_break_the_reading(text: str) -> None:
    for read in (answers.plainly, answers.privately, answers.replying):
        found = read(text)
        assert found is None or all(one.words.strip() and one.clause for one in found.remarks)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("3", "第三条"),
        ("三", "第三条"),
        ("第3条", "第三条"),
        ("第三条（2）", "第三条（2）"),
        ("全文", "全文"),
        ("附件2", "附件2"),
        ("第３段", "第三条"),
        ("三条建议", None),
        ("", None),
        ("0条", None),
    ],
)
def test_the_clause_somebody_names(text: str, name: str | None) -> None:
    assert rules.named(text) == name


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("撤回 #12", [12]),
        ("撤回12", [12]),
        ("撤回意见 #12、#13", [12, 13]),
        ("撤销 ＃１２ 号", [12]),
        ("撤回", None),
        ("撤回通知 3", None),
        ("把 #12 撤回", None),
    ],
)
def test_what_is_to_be_taken_back(text: str, numbers: list[int] | None) -> None:
    assert taps.numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("延期 周五", "周五"),
        ("延期到下周一下午五点", "下周一下午五点"),
        ("征求意见延期至12月5日", "12月5日"),
        ("延期 2月30日", "2月30日"),
        ("延期再说", None),
        ("不延期 周五", None),
        ("延期", None),
    ],
)
def test_until_when_it_is_to_be_longer(text: str, when: str | None) -> None:
    assert sections.longer(text) == when


# --- what may be shown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("此件★一年", "★"),
        ("机 密", "机密"),
        ("密级：无", "密级"),
        ("绝密", "绝密"),
        ("内部资料", "内部"),
        ("機密文件", "机密"),
        ("本件为秘密", "秘密"),
        ("保守国家秘密，不得泄露考试机密", None),
        ("学校内部管理与内部控制", None),
        ("保密工作责任制", None),
        ("秘密投票", None),
    ],
)
def test_marks_of_secrecy(text: str, mark: str | None) -> None:
    assert rules.forbidden(text) == mark


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("绩效工资分配办法", "分配"),
        ("教师考核细则", "考核"),
        ("学生奖惩办法", ""),
        ("职称评聘办法", "聘任"),
        ("疗休养办法", "福利"),
        ("考勤办法", ""),
    ],
)
def test_what_the_staff_congress_decides(title: str, kind: str) -> None:
    assert rules.kind(title) == kind


@pytest.mark.parametrize("text", ["", "　", "\u202e\u200b"])
def test_a_comment_without_words_is_asked_again(text: str) -> None:
    with pytest.raises(NotUnderstood):
        rules.words(text)


def test_hidden_signs_are_dropped_and_an_emoji_is_not() -> None:
    assert rules.words("改\u202e为\x00自愿 👩\u200d🏫") == "改为自愿 👩\u200d🏫"


# --- files ----------------------------------------------------------------------------------------------------

TEXT = "考勤办法\n第一条　教师每天签到。\n第二条　请假提前一天。"
LABELS = ["第一条", "第二条"]


def read(name: str, content: bytes) -> dict[str, Any]:
    return work.read_draft(content, {"name": name, "title": ""})


def labels(found: dict[str, Any]) -> list[str]:
    return [piece[0] for piece in found["pieces"]]


def saved(document: Any) -> bytes:
    out = BytesIO()
    document.save(out)
    return out.getvalue()


def document(*lines: str) -> Any:
    made = Document()
    for line in lines:
        made.add_paragraph(line)
    return made


def rezipped(content: bytes, **changed: bytes | None) -> bytes:
    """The document with parts changed, added or (``None``) left out; ``__`` stands for ``/``, ``_DOT_`` for ``.``."""
    names = {name.replace("__", "/").replace("_DOT_", "."): value for name, value in changed.items()}
    out = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(out, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in names:
                new.writestr(name, old.read(name))
        for name, value in names.items():
            if value is not None:
                new.writestr(name, value)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_a_text_file_in_the_encodings_of_our_offices(encoding: str) -> None:
    found = read("考勤.txt", TEXT.encode(encoding))
    assert labels(found) == LABELS and found["title"] == "考勤办法"
    assert found["pieces"][0][2] == "第一条　教师每天签到。"


def test_a_rare_name_in_gb18030() -> None:
    assert "䶮老师、㛃老师" in str(read("a.txt", "第一条 䶮老师、㛃老师\n第二条 乙".encode("gb18030")))


def test_a_document() -> None:
    found = read(
        "考勤.docx", saved(document("考勤办法", "", "第一章 总则", "第一条　教师每天签到。", "第二条　请假。"))
    )
    assert found["title"] == "考勤办法" and found["how"] == "articles"
    assert found["pieces"] == [
        ["第一条", "第一章 总则", "第一条　教师每天签到。"],
        ["第二条", "第一章 总则", "第二条　请假。"],
    ]


def test_a_tracked_insertion_is_read_and_a_tracked_deletion_is_not() -> None:
    made = document("第一条 教师", "第二条 乙")
    paragraph = made.paragraphs[0]._p
    author = 'w:id="1" w:author="李" w:date="2026-11-01T00:00:00Z"'
    space = 'xml:space="preserve"'
    paragraph.append(parse_xml(f"<w:ins {nsdecls('w')} {author}><w:r><w:t {space}>每天</w:t></w:r></w:ins>"))
    paragraph.append(
        parse_xml(f"<w:del {nsdecls('w')} {author}><w:r><w:delText {space}>每周</w:delText></w:r></w:del>")
    )
    paragraph.append(parse_xml(f"<w:r {nsdecls('w')}><w:t {space}>签到。</w:t></w:r>"))
    assert read("a.docx", saved(made))["pieces"][0][2] == "第一条 教师每天签到。"


def numbered(*lines: str, level: str = "第%1条", form: str = "chineseCounting", style: bool = False) -> bytes:
    """A document whose clauses are counted by Word itself."""
    made = document("考勤办法", *lines)
    numbering = made.part.numbering_part.element
    numbering.insert(
        0,
        parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
            f'<w:numFmt w:val="{form}"/><w:lvlText w:val="{level}"/></w:lvl></w:abstractNum>'
        ),
    )
    numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
    number = f'<w:numPr {nsdecls("w")}><w:ilvl w:val="0"/><w:numId w:val="77"/></w:numPr>'
    if style:
        made.styles["Body Text"].element.get_or_add_pPr().append(parse_xml(number))
    for paragraph in made.paragraphs[1:]:
        if style:
            paragraph.style = "Body Text"
        else:
            paragraph._p.get_or_add_pPr().append(parse_xml(number))
    return saved(made)


@pytest.mark.parametrize("style", [False, True], ids=["in the paragraph", "by the style"])
def test_numbers_that_word_writes_by_itself_are_read(style: bool) -> None:
    found = read("a.docx", numbered("教师每天签到。", "请假提前。", "施行。", style=style))
    assert labels(found) == ["第一条", "第二条", "第三条"]
    assert found["pieces"][1][2] == "第二条 请假提前。"


def test_items_that_word_counts_by_itself_are_read() -> None:
    found = read("a.docx", numbered("学习", "检查", level="%1.", form="decimal"))
    assert found["how"] == "numbers" and found["pieces"][1][2] == "2. 检查"


def test_a_table_in_a_document_is_read() -> None:
    made = document("第一条 扣分如下：")
    table = made.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "迟到", "一分"
    assert "迟到" in read("a.docx", saved(made))["pieces"][0][2]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("考勤办法（征求意见稿）.txt", "考勤办法"),
        ("../../etc/考勤办法.txt", "考勤办法"),
        ("C:\\我的文档\\考勤办法.txt", "考勤办法"),
        ("考勤\u202e办法\x00.txt", "考勤 办法"),
        ("<img src=x>考勤|办法?.txt", "img src=x 考勤 办法"),
        ("办" * 300 + ".txt", "办" * 80),
        (".txt", ""),
    ],
)
def test_a_hostile_name_makes_a_harmless_title(name: str, title: str) -> None:
    assert read(name, "第一条 甲\n第二条 乙".encode())["title"] == title


def bomb() -> bytes:
    """A few kilobytes that say of themselves that they are very large."""
    return rezipped(saved(document("第一条 甲")), word__media__x_DOT_bin=b"\0" * (80 << 20))


def xml_bomb() -> bytes:
    huge = b"<a>" + b" " * (30 << 20) + b"</a>"
    return rezipped(saved(document("第一条 甲")), word__document_DOT_xml=huge)


def lying() -> bytes:
    """A part that says it is small and is not: the size in both headers is changed by hand."""
    out = BytesIO()
    body = b"<w:document>" + b"A" * (8 << 20) + b"</w:document>"
    with ZipFile(out, "w", ZIP_DEFLATED) as new:
        new.writestr("word/document.xml", body)
    return out.getvalue().replace(struct.pack("<I", len(body)), struct.pack("<I", 100))


def entities() -> bytes:
    """A document that would be read like any other, if what it declares were expanded."""
    whole = saved(document("第一条 HERE"))
    with ZipFile(BytesIO(whole)) as old:
        head, _end, text = old.read("word/document.xml").partition(b"?>")
    declared = b'<!DOCTYPE w:document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    return rezipped(whole, word__document_DOT_xml=head + b"?>" + declared + text.replace(b"HERE", b"&b;"))


def many_parts() -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as new:
        for number in range(2500):
            new.writestr(f"{number}.xml", b"")
    return out.getvalue()


BAD: dict[str, tuple[str, bytes, str]] = {
    "zip bomb": ("a.docx", bomb(), "展开后太大"),
    "xml bomb": ("a.docx", xml_bomb(), "展开后太大"),
    "many parts": ("a.docx", many_parts(), "展开后太大"),
    "lying header": ("a.docx", lying(), "打不开"),
    "entities": ("a.docx", entities(), "打不开"),
    "macros": ("a.docx", rezipped(saved(document("第一条 甲")), word__vbaProject_DOT_bin=b"x"), "带宏"),
    "old word": ("a.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "旧版 .doc"),
    "no document": ("a.docx", rezipped(saved(document("甲")), word__document_DOT_xml=None), "打不开"),
    "broken xml": ("a.docx", rezipped(saved(document("甲")), word__document_DOT_xml=b"<w:document"), "打不开"),
    "cut short": ("a.docx", saved(document("甲"))[:2000], "打不开"),
    "a text called docx": ("a.docx", TEXT.encode(), "打不开"),
    "a docx called txt": ("a.txt", saved(document("甲")), "对不上"),
    "a pdf called txt": ("a.txt", b"%PDF-1.7 ...", "对不上"),
    "binary": ("a.txt", bytes(range(256)) * 8, "读不出"),
    "noise": ("a.txt", zlib.compress(TEXT.encode() * 50), "读不出"),
    "empty document": ("a.docx", saved(document("", "")), "没有读到正文"),
    "only blanks": ("a.txt", "　\n\n \t".encode(), "没有读到正文"),
    "too long": ("a.txt", ("第一条 " + "字" * 70_000).encode(), "太长"),
    "too many clauses": ("a.txt", "\n".join(f"第{n}条 甲" for n in range(1, 400)).encode(), "条款太多"),
    "a secret": ("a.txt", f"机密\n{TEXT}".encode(), "机密"),
    "a secret by its name": ("内部资料.txt", TEXT.encode(), "内部"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_a_sentence_that_says_what_to_do(name: str) -> None:
    file, content, sentence = BAD[name]
    with pytest.raises(Refused) as refused:
        read(file, content)
    assert sentence in refused.value.sentence and refused.value.sentence.endswith("。")
    assert any(word in refused.value.sentence for word in ("再发", "请分", "请粘贴", "请改", "重新"))


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    started = time.process_time()
    with pytest.raises(Refused):
        work.read_draft(BAD["zip bomb"][1], {"name": "a.docx", "title": ""})
    assert time.process_time() - started < 0.2


@pytest.mark.parametrize(("name", "size"), [("a.txt", 10 << 20), ("a.docx", 9 << 20), ("a.md", (1 << 20) + 1)])
def test_a_file_too_large_is_refused_before_it_is_kept(name: str, size: int) -> None:
    with pytest.raises(Refused, match="太大"):
        work.check_size(name, b"x" * size)


def test_the_readers_of_a_child_are_found_by_their_names() -> None:
    for function in (work.read_draft, work.make_table):
        assert getattr(work, function.__qualname__) is function


def test_the_hidden_helpers_of_this_file_make_real_documents() -> None:
    """Else the refusals above would prove nothing."""
    assert labels(read("a.docx", rezipped(saved(document("第一条 甲", "第二条 乙"))))) == LABELS
    assert OxmlElement("w:p").tag == qn("w:p")

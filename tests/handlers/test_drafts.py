"""A draft goes round: what the office and the teachers live, line by line of the feature's story."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.engine.port import DeliveryFailed
from bot.kit.card import Table
from bot.kit.event import Said, Upload
from handlers.drafts.feature import feature
from handlers.drafts.office import Terms
from handlers.notices.feature import feature as notices
from storage import audit, diary, drafts, nudges, people
from storage.base import Db
from tests.handlers.conftest import OpenOffice
from tests.office import ZONE, Office, PaperStage

BODIES = (
    "为规范考勤，制定本办法。",
    "适用于全体教职工。",
    "教师每天签到两次。",
    "请假提前一天。",
    "自发布之日起施行。",
)
CLAUSES = "\n".join(f"第{n}条　{body}" for n, body in zip("一二三四五", BODIES, strict=True))
TITLE = "教职工考勤管理办法"
DRAFT = f"征求意见 {TITLE}\n第一章　总则\n{CLAUSES}"
UNTIL = "周五下午五点"
FRIDAY = datetime(2026, 11, 27, 17, 0, tzinfo=ZONE).astimezone(UTC)
STAFF = 8


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(feature, staff=STAFF)


@pytest.fixture
def out(office: Office) -> Office:
    """An office with one draft in the group."""
    publish(office)
    return office


def publish(office: Office, text: str = DRAFT, until: str = UNTIL) -> None:
    office["办公室"].says(text).says(until).taps("可以，已经批准").says("李校长").taps("确认发布")


def tally(comments: int = 0, clear: int = 0) -> dict[str, int]:
    return {"意见": comments, "无意见": clear}


def words(office: Office, name: str, draft: int = 1) -> list[tuple[int, str]]:
    """What somebody has said that stands: position and words."""
    number = office[name].number or 0
    return office.ask(lambda db: [(one.position, one.words) for one in drafts.mine(db, draft, number)])


def card_ref(office: Office, title: str = TITLE) -> str:
    return next(m for m in reversed(office.stage.messages(office.room.id)) if title in m.text and m.buttons).ref


def edits(office: Office, name: str, text: str) -> None:
    """Changes a message in the group."""
    who = office[name]
    who._does(Said(who._id(), office.time(), who.account, office.room, text, edited=True))


def states(office: Office) -> Sequence[str]:
    return office.ask(lambda db: [d.state for n in range(1, 9) if (d := drafts.get(db, n))])


# --- from a text to the group ---------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_pasted_draft_is_asked_about_and_goes_out_after_the_gate(office: Office) -> None:
    someone = office["办公室"].says(DRAFT)
    assert "征求到什么时候" in someone.last
    assert "可以在群里征求意见吗" in someone.says(UNTIL).last
    assert "谁批准的" in someone.taps("可以，已经批准").last
    assert office.group == []
    someone.taps("李校长")
    assert "共 5 条" in someone.last and "11月27日 周五 17:00" in someone.last and "李校长" in someone.last
    someone.taps("确认发布")
    assert len(office.group) == 1 and TITLE in office.group[0]
    assert office.card.tally == tally()
    assert office.card.labels == ["看全文", "提意见", "无意见"]


def test_the_preview_says_how_it_was_split_and_shows_both_ends(office: Office) -> None:
    office["办公室"].says(DRAFT)
    preview = office.shown("draft-new:1").text
    assert "按“第X条”分" in preview and "为规范考勤" in preview and "自发布之日起施行" in preview
    office["办公室"].says("取消").says("征求意见 工作安排\n一、加强学习\n二、检查作业\n三、期末总结")
    assert "编号是我加的" in office.shown("draft-new:2").text


def test_what_is_shown_before_publishing_says_how_many_will_read_it(office: Office) -> None:
    office["办公室"].says(DRAFT).says(UNTIL).says("可以").says("李校长")
    assert f"1 个群，{STAFF} 人" in office.shown("draft-new:1").text


def test_not_approved_is_not_published_and_not_kept(office: Office) -> None:
    someone = office["办公室"].says(DRAFT).says(UNTIL).taps("不可以")
    assert "没有留下" in someone.last and "领导批准" in someone.last
    assert states(office) == [] and office.ask(lambda db: drafts.text(db, 1)) == []
    someone.taps("继续")
    assert "重新发一次" in (someone.toast or "")


@pytest.mark.parametrize("mark", ["★", "密级：内部", "机密", "绝 密", "内部资料，注意保存"])
def test_a_paper_with_a_mark_of_secrecy_is_refused_with_the_reason(office: Office, mark: str) -> None:
    someone = office["办公室"].says(f"征求意见 {TITLE}\n{mark}\n{CLAUSES}")
    assert "字样，不能在群里征求意见" in someone.last and "线下" in someone.last
    assert states(office) == []


def test_a_secret_title_typed_later_is_refused_too(office: Office) -> None:
    someone = office["办公室"].says("征求意见\n" + CLAUSES)
    assert "叫什么" in someone.last
    someone.says("机密文件管理办法").says(UNTIL).says("可以").says("李校长")
    assert "题目里有“机密”" in someone.last
    assert not someone.sees("确认发布")


def test_a_rule_about_secrets_is_no_secret(office: Office) -> None:
    office["办公室"].says("征求意见 保密工作制度\n第一条 教职工应当保守国家秘密。\n第二条 内部控制由办公室负责。")
    assert "征求到什么时候" in office["办公室"].last


def test_who_approved_it_is_kept(out: Office) -> None:
    draft = out.ask(lambda db: drafts.get(db, 1))
    assert draft is not None and draft.approver == "李校长"
    assert ("dr.publish", "1") in [(what, thing) for _n, _at, what, _who, thing in out.ask(audit.lines)]


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("绩效工资分配方案", "分配"),
        ("教职工考核办法", "考核"),
        ("教师奖惩办法", "奖惩"),
        ("岗位聘任实施细则", "聘任"),
        ("教职工福利发放办法", "福利"),
    ],
)
def test_what_the_staff_congress_must_pass_carries_the_note(office: Office, title: str, kind: str) -> None:
    publish(office, f"征求意见 {title}\n{CLAUSES}")
    assert "须经教职工代表大会讨论通过" in office.group[0] and kind in office.group[0]


def test_an_ordinary_draft_carries_no_such_note(out: Office) -> None:
    assert "教职工代表大会" not in out.group[0]


def test_a_teacher_cannot_begin_but_sees_what_is_open(out: Office) -> None:
    out["王老师"].says("征求意见 我的办法\n第一条 甲\n第二条 乙")
    assert TITLE in out["王老师"].last
    assert states(out) == ["open"]


def test_a_teacher_cannot_publish_by_a_forged_button(office: Office) -> None:
    office["办公室"].says(DRAFT).says(UNTIL).says("可以").says("李校长")
    assert "办公室" in (office["王老师"].forges("dr.publish:1").toast or "")
    assert office.group == []


def test_nothing_goes_out_without_a_deadline_and_an_approver(office: Office) -> None:
    office["办公室"].says(DRAFT)
    assert "还缺" in (office["办公室"].forges("dr.publish:1", in_group=False).toast or "")
    assert states(office) == ["new"]


def test_publishing_twice_publishes_once(out: Office) -> None:
    assert "已经发布过" in (out["办公室"].forges("dr.publish:1", in_group=False).toast or "")
    assert len(out.group) == 1


def test_the_words_of_the_buttons_do_what_the_buttons_do(office: Office) -> None:
    office["办公室"].says(DRAFT).says(UNTIL).says("可以").says("李校长").says("确认发布")
    assert len(office.group) == 1
    office["办公室"].says(DRAFT).says("取消").says("放弃")
    assert "没有留下" in office["办公室"].last and states(office) == ["open"]


def test_a_deadline_in_the_past_is_asked_again(office: Office) -> None:
    someone = office["办公室"].says(DRAFT).says("昨天下午三点")
    assert "已经过去" in someone.last or "没看懂" in someone.last
    assert "可以在群里" in someone.says(UNTIL).last


def test_a_deadline_that_passed_before_publishing_is_refused(office: Office) -> None:
    office["办公室"].says(DRAFT).says(UNTIL).says("可以").says("李校长")
    office.later(days=7)
    assert "截止时间已经过了" in (office["办公室"].taps("确认发布").toast or "")
    office["办公室"].taps("重新填")
    assert "征求到什么时候" in office["办公室"].last


def test_without_a_bound_group_nothing_is_published(office: Office) -> None:
    office.write(lambda db: people.bind_group(db, office.room.channel, office.room.id, None))
    office["办公室"].says(DRAFT).says(UNTIL).says("可以").says("李校长").taps("确认发布")
    assert "绑定本群" in (office["办公室"].toast or "")
    assert states(office) == ["new"]


def test_a_draft_is_not_begun_in_a_group(office: Office) -> None:
    office["办公室"].says(DRAFT, in_group=True)
    assert "私聊发给我" in office["办公室"].last
    assert states(office) == [] and office.group == []
    office["王老师"].says("征求意见稿我看了，很好", in_group=True)
    assert office["王老师"].inbox == [] and office.group == []


def test_in_the_quiet_hours_the_card_waits_for_the_morning(office: Office) -> None:
    office.later(hours=12)
    publish(office)
    assert office.group == [] and "安静时段" in office["办公室"].last
    office.later(hours=10)
    assert len(office.group) == 1


def test_an_unfinished_form_survives_a_restart(office: Office) -> None:
    office["办公室"].says(DRAFT).says(UNTIL)
    office.restart()
    office["办公室"].says("可以").says("李校长").taps("确认发布")
    assert len(office.group) == 1


# --- a file ---------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_text_file_is_read_in_a_child_and_answered_at_once(office: Office) -> None:
    office["办公室"].says("", file=("考勤管理办法（征求意见稿）.txt", CLAUSES.encode("gb18030")))
    inbox = office["办公室"].inbox
    assert "正在读取" in inbox[0]
    assert any("考勤管理办法" in text and "共 5 条" in text for text in inbox)
    assert "征求到什么时候" in office["办公室"].last
    office["办公室"].says(UNTIL).says("可以").says("李校长").taps("确认发布")
    assert "考勤管理办法" in office.group[0]


def test_a_file_may_come_when_the_text_is_asked_for(office: Office) -> None:
    office["办公室"].says("征求意见 校服管理办法")
    assert "粘贴全文" in office["办公室"].last
    office["办公室"].says("", file=("a.md", CLAUSES.encode()))
    assert "校服管理办法" in office.shown("draft-new:1").text


@pytest.mark.paper
def test_a_file_with_the_words_beside_it_takes_its_title_from_them(office: Office) -> None:
    office["办公室"].says("征求意见 校服管理办法", file=("新建文本文档.txt", CLAUSES.encode()))
    assert "校服管理办法" in office.shown("draft-new:1").text


@pytest.mark.paper
@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"", "空的"),
        ("a.txt", b"x" * (10 << 20), "太大"),
        ("a.docx", b"PK\x03\x04broken", "打不开"),
        ("a.txt", b"\x00\x01\x02" * 99, "读不出"),
    ],
    ids=["empty", "10 MB", "broken", "binary"],
)
def test_a_bad_file_is_refused_with_a_sentence_and_leaves_nothing(
    office: Office, name: str, content: bytes, sentence: str
) -> None:
    office["办公室"].says("", file=(name, content))
    assert sentence in office["办公室"].last
    assert states(office) == [] and office["办公室"].says("汇总").last


def test_a_file_that_teachers_pass_around_is_no_business_of_ours(office: Office) -> None:
    for name in ("王老师", "办公室"):
        office[name].says("", file=("教案.docx", b"PK"), in_group=True)
        assert office[name].inbox == []
    assert office.group == []


@pytest.mark.paper
def test_a_restart_while_the_child_works_loses_nothing(office: Office) -> None:
    who = office["办公室"]
    sent = Upload("考勤办法.txt", CLAUSES.encode())
    office.run(office.stage.deliver(Said(who._id(), office.time(), who.account, who.talk, "", upload=sent)))
    office.run(office.running.stop())
    assert states(office) == []
    office._open()
    office.settle()
    assert "征求到什么时候" in who.last and states(office) == ["new"]


# --- saying something -----------------------------------------------------------------------------------------


def test_a_comment_in_the_group_is_kept_and_echoed_to_its_author_alone(out: Office) -> None:
    before = len(out.group)
    out["王老师"].says("第三条建议改为每天一次", in_group=True)
    assert "已记入第三条意见 #1" in out["王老师"].last
    assert words(out, "王老师") == [(3, "建议改为每天一次")]
    assert len(out.group) == before and "每天一次" not in out.group[0]
    assert out.card.tally == tally(1)


def test_a_comment_in_private_and_one_in_answer_to_the_card(out: Office) -> None:
    out["王老师"].says("第五条第2款：时间太长")
    assert "第五条第2款意见 #1" in out["王老师"].last
    out["张老师"].says("太严了", in_group=True, quotes=card_ref(out))
    assert words(out, "张老师") == [(0, "太严了")]


def test_several_clauses_in_one_message_are_several_comments(out: Office) -> None:
    out["王老师"].says("1. 第三条建议改为自愿；\n2. 第五条改为明年施行。")
    assert "#1" in out["王老师"].last and "#2" in out["王老师"].last
    assert [position for position, _words in words(out, "王老师")] == [3, 5]
    assert out.card.tally == tally(2)


@pytest.mark.stages
def test_by_taps_alone_up_to_the_words(out: Office) -> None:
    out["张老师"].taps("提意见")
    assert "私聊" in (out["张老师"].toast or "") and "哪一条" in out["张老师"].last
    out["张老师"].taps("第四条")
    assert "请假提前一天" in out["张老师"].inbox[-2] and "请写您的意见" in out["张老师"].last
    out["张老师"].says("应当允许事后补假")
    assert "已记入第四条意见 #1" in out["张老师"].last
    assert words(out, "张老师") == [(4, "应当允许事后补假")]


@pytest.mark.parametrize(("typed", "position"), [("4", 4), ("四", 4), ("第4条", 4), ("第四条", 4), ("全文", 0)])
def test_the_clause_may_be_typed(out: Office, typed: str, position: int) -> None:
    out["张老师"].taps("提意见").says(typed).says("不妥")
    assert words(out, "张老师") == [(position, "不妥")]


def test_a_whole_comment_instead_of_the_clause_is_taken_as_one(out: Office) -> None:
    out["张老师"].taps("提意见").says("第二条建议加上实习教师")
    assert words(out, "张老师") == [(2, "建议加上实习教师")]


def test_a_draft_with_many_clauses_asks_for_the_number(office: Office) -> None:
    many = "\n".join(f"第{n}条 内容{n}" for n in range(1, 41))
    publish(office, f"征求意见 {TITLE}\n{many}")
    office["张老师"].taps("提意见")
    assert not office["张老师"].sees("第二十五条")
    office["张老师"].says("25").says("建议删除")
    assert words(office, "张老师") == [(25, "建议删除")]


def test_words_that_name_another_clause_belong_there(out: Office) -> None:
    out["张老师"].taps("提意见").taps("第四条").says("第五条建议推迟施行")
    assert words(out, "张老师") == [(5, "建议推迟施行")]


@pytest.mark.stages
def test_a_clause_that_is_not_there_is_asked_back_in_private_with_the_words_kept(out: Office) -> None:
    out["王老师"].says("第十五条建议删除", in_group=True)
    assert "没有第十五条" in "".join(out["王老师"].inbox) and out.card.tally == tally()
    out["王老师"].says("五")
    assert words(out, "王老师") == [(5, "建议删除")]


def test_what_is_right_beside_what_is_wrong_is_kept(out: Office) -> None:
    out["王老师"].says("第二条建议细化。第十五条建议删除")
    assert words(out, "王老师") == [(2, "建议细化。")]
    assert "没有第十五条" in "".join(out["王老师"].inbox[-2:])


def test_two_first_clauses_are_told_apart(office: Office) -> None:
    publish(office, f"征求意见 {TITLE}\n{CLAUSES}\n附件1 实施细则\n第一条 甲\n第二条 乙")
    office["王老师"].says("第一条建议重写")
    assert "几处第一条" in "".join(office["王老师"].inbox)
    office["王老师"].taps("第一条（2）")
    assert words(office, "王老师") == [(7, "建议重写")]


def test_the_same_words_again_are_one_comment(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿", in_group=True).says("第三条建议改为自愿")
    assert "已经记过" in out["王老师"].last and out.card.tally == tally(1)


@pytest.mark.paper
def test_an_edited_message_takes_the_place_of_what_it_said(out: Office) -> None:
    out["王老师"].says("第三条建议改为每天一次", in_group=True)
    edits(out, "王老师", "第三条建议改为每周一次")
    assert words(out, "王老师") == [(3, "建议改为每周一次")]
    assert "#2" in out["王老师"].last and "#1 作废" in out["王老师"].last
    old = out.ask(lambda db: drafts.get_comment(db, 1))
    assert old is not None and old.state == drafts.REPLACED and old.words == "建议改为每天一次"


def test_a_question_goes_to_the_office_and_is_no_comment(out: Office) -> None:
    out["王老师"].says("第三条是什么意思？", in_group=True)
    assert "王老师问" in out["办公室"].last and "第三条：是什么意思？" in out["办公室"].last
    assert "没有记作意见" in out["王老师"].last
    assert out.card.tally == tally()


@pytest.mark.parametrize(
    "talk",
    ["第三条消息撤回一下", "按第三条办", "好的", "收到", "三条建议我都看了", "第三条已经改好了", "明天几点开会？"],
)
def test_talk_in_the_group_is_left_alone(out: Office, talk: str) -> None:
    out["王老师"].says(talk, in_group=True)
    assert words(out, "王老师") == [] and out["王老师"].inbox == [] and len(out.group) == 1


@pytest.mark.paper
def test_an_answer_to_somebody_else_is_not_for_us(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿", in_group=True, quotes="no-message-of-ours")
    assert words(out, "王老师") == []


def test_a_group_that_is_not_the_schools_is_not_heard(out: Office) -> None:
    out.write(lambda db: people.bind_group(db, out.room.channel, out.room.id, None))
    out["王老师"].says("第三条建议改为自愿", in_group=True)
    assert words(out, "王老师") == []


@pytest.mark.paper
def test_a_visitor_may_not_comment_and_sees_no_text(out: Office) -> None:
    out["访客"].says("第三条建议改为自愿", in_group=True)
    assert "绑定" in (out["访客"].taps("看全文").toast or "")
    assert "绑定" in (out["访客"].taps("无意见").toast or "")
    assert out.card.tally == tally() and len(out.group) == 1


def test_whoever_has_no_talk_with_us_reads_in_the_group_only_that_it_is_kept(out: Office) -> None:
    out.write(lambda db: people.close_talk(db, out["王老师"].talk.channel, out["王老师"].talk.id))
    out["王老师"].says("第三条建议改为自愿", in_group=True)
    assert "已记下" in out.group[-1] and "自愿" not in out.group[-1] and "第三条" not in out.group[-1]
    assert words(out, "王老师") == [(3, "建议改为自愿")]
    assert "私聊" in (out["王老师"].taps("看全文").toast or "")


def test_the_full_text_comes_in_private(out: Office) -> None:
    out["王老师"].taps("看全文")
    assert "第一章" in out["王老师"].last and "自发布之日起施行" in out["王老师"].last
    assert len(out.group) == 1


def test_the_text_is_kept_as_it_was_typed(out: Office) -> None:
    text = out.ask(lambda db: drafts.text(db, 1))
    assert text[0].text == "第一条　为规范考勤，制定本办法。" and text[0].heading == "第一章 总则"


@pytest.mark.paper
def test_a_long_text_comes_as_a_file(office: Office) -> None:
    publish(office, f"征求意见 {TITLE}\n" + "\n".join(f"第{n}条 " + "内容" * 200 for n in range(1, 41)))
    office["王老师"].taps("看全文")
    sent = office["王老师"].documents[-1]
    assert sent.name == f"{TITLE}.txt" and sent.content.decode("utf-8-sig").count("内容") == 8000


# --- nothing to say, and second thoughts ----------------------------------------------------------------------


def test_nothing_to_say_by_tap_and_by_word(out: Office) -> None:
    assert "无意见" in (out["王老师"].taps("无意见").toast or "")
    out["张老师"].says("没有修改意见", in_group=True)
    assert "无意见" in out["张老师"].last
    assert out.card.tally == tally(0, 2)
    out["王老师"].taps("无意见")
    assert out.card.tally == tally(0, 2)


def test_a_later_comment_takes_the_place_of_nothing_to_say(out: Office) -> None:
    out["王老师"].taps("无意见").says("第三条建议改为自愿")
    assert out.card.tally == tally(1, 0)


def test_nothing_to_say_but_is_a_comment(out: Office) -> None:
    out["王老师"].says("没意见，但是第三条太严", in_group=True)
    assert words(out, "王老师") == [(3, "太严")] and out.card.tally == tally(1, 0)


def test_nothing_to_say_does_not_wipe_out_what_was_said(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿").taps("无意见")
    assert "撤回 #1" in (out["王老师"].toast or "") and out.card.tally == tally(1, 0)


def test_a_comment_is_taken_back_by_its_author_alone(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out["张老师"].says("撤回 #1")
    assert "没有找到您的意见" in out["张老师"].last and out.card.tally == tally(1)
    out["王老师"].says("撤回 #1")
    assert "已收回第三条意见 #1" in out["王老师"].last and out.card.tally == tally(0)
    assert "已经收回过" in out["王老师"].says("撤回 #1").last


def test_ones_own_comments_and_nobody_elses(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out["张老师"].says("我的意见")
    assert "还没有提过" in out["张老师"].last
    out["王老师"].says("我的意见", in_group=True)
    assert "#1 第三条：建议改为自愿" in out["王老师"].last and len(out.group) == 1


def test_my_opinion_is_that_is_a_comment(out: Office) -> None:
    out["王老师"].says("我的意见是第三条应该放宽")
    assert words(out, "王老师") == [(3, "应该放宽")]


# --- the end --------------------------------------------------------------------------------------------------


def test_in_the_last_instant_it_counts_and_in_the_next_it_does_not(out: Office) -> None:
    out.time.at = FRIDAY - timedelta(microseconds=1)
    out["王老师"].says("第三条建议改为自愿")
    assert "已记入" in out["王老师"].last
    out.time.at = FRIDAY
    out["张老师"].says("第四条建议删除")
    assert "截止" in out["张老师"].last and "直接发给办公室" in out["张老师"].last
    assert "截止" in (out["张老师"].taps("无意见", in_="群").toast or "")
    assert states(out) == ["open"], "the appointment has not run: the transaction alone has refused"
    assert out.card.tally == tally(1)


def test_a_withdrawal_after_the_end_is_refused(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out.time.at = FRIDAY + timedelta(seconds=1)
    assert "截止" in out["王老师"].says("撤回 #1").last
    assert words(out, "王老师") == [(3, "建议改为自愿")]


@pytest.mark.stages(both=True)
def test_at_the_end_the_card_is_settled_and_the_office_gets_the_table(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out.later(to="周五 17:20")
    assert "（已截止）" in out.board and out.card.labels == ["看全文"]
    assert any(text.startswith(f"《{TITLE}》征求意见已截止，共收到 1 条意见") for text in out.group)
    assert sorted(d.name.rsplit(".", 1)[1] for d in out["办公室"].documents) == ["docx", "xlsx"]
    assert out["王老师"].documents == out["李校长"].documents == []


def test_the_end_comes_once_and_not_before_its_time(out: Office) -> None:
    out.later(to="周五 16:59")
    assert states(out) == ["open"]
    out.later(days=3)
    assert sum("已截止，共收到" in text for text in out.group) == 1
    assert len(out["办公室"].documents) == 2


def test_an_end_that_comes_too_early_waits(out: Office) -> None:
    early = FRIDAY - timedelta(hours=2)
    out.write(lambda db: diary.book(db, "drafts.close", "1", early, {"draft": 1}))
    out.later(to="周五 16:00")
    assert states(out) == ["open"]
    out.later(to="周五 17:10")
    assert states(out) == ["closed"]


def test_an_end_that_fell_due_while_we_were_down_comes_on_waking(out: Office) -> None:
    out.run(out.running.stop())
    out.time.at += timedelta(days=8)
    out._open()
    out.settle()
    assert states(out) == ["closed"] and len(out["办公室"].documents) == 2


def test_late_words_in_the_group_are_refused_in_private_for_a_day_only(out: Office) -> None:
    out.later(to="周五 18:00")
    count = len(out.group)
    out["王老师"].says("第三条建议改为自愿", in_group=True)
    assert "直接发给办公室" in out["王老师"].last and len(out.group) == count
    out.later(days=2)
    out["张老师"].says("第三条建议改为自愿", in_group=True)
    assert out["张老师"].inbox[-1:] == [] or "直接发给办公室" not in out["张老师"].last


def test_longer_moves_the_end_the_card_and_tells_the_group(out: Office) -> None:
    out["办公室"].says("延期 下周一")
    assert "11月30日 周一 23:59" in out["办公室"].last and "11月30日" in out.face(0)
    assert "延期到" in out.group[-1]
    out.later(to="周五 18:00")
    assert states(out) == ["open"]
    out["王老师"].says("第三条建议改为自愿")
    assert "已记入" in out["王老师"].last
    out.later(days=4)
    assert states(out) == ["closed"]


def test_a_longer_end_that_had_to_be_guessed_is_asked_for(out: Office) -> None:
    """The group is told at once, without a preview."""
    assert "是 11月30日 周一 15:00前 吗" in out["办公室"].says("延期 下周一三点前").last
    assert len(out.group) == 1 and "11月30日" not in out.face(0)
    assert "12月5日 周六（休息日） 17:00" in out["办公室"].says("延期 12月5日下午5点").last


@pytest.mark.parametrize(
    ("name", "text"), [("王老师", "延期 下周一"), ("王老师", "延期到周五吧"), ("办公室", "延期的事再说")]
)
def test_only_the_office_makes_it_longer_and_only_by_a_time(out: Office, name: str, text: str) -> None:
    out[name].says(text, in_group=True)
    draft = out.ask(lambda db: drafts.get(db, 1))
    assert draft is not None and draft.until == FRIDAY and len(out.group) == 1


def test_longer_must_be_longer_and_in_time(out: Office) -> None:
    assert "不比原来的晚" in out["办公室"].says("延期 周四").last
    out.later(to="周五 18:00")
    out["办公室"].says("延期 下周一", in_group=True, quotes=card_ref(out))
    assert "不能再延期" in out["办公室"].last and states(out) == ["closed"]


# --- reminding and knowing ------------------------------------------------------------------------------------


def test_a_day_before_only_the_silent_are_reminded_once_in_private(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out["张老师"].taps("无意见")
    out.later(to="周四 17:30")
    assert "还差您的意见" in out["老师05"].last and out["老师05"].sees("无意见")
    for name in ("王老师", "张老师", "办公室", "李校长"):
        assert not any("还差您的意见" in text for text in out[name].inbox)
    out.later(to="周五 16:00")
    assert sum("还差您的意见" in text for text in out["老师05"].inbox) == 1 and len(out.group) == 1


def test_whoever_is_on_leave_or_was_reminded_enough_today_is_not(out: Office) -> None:
    day = date(2026, 11, 26)
    five, six = out["老师05"].number or 0, out["老师06"].number or 0

    def arrange(db: Db) -> None:
        people.set_leave(db, five, day, day, "病假")
        for matter in ("notice:7", "notice:8"):
            nudges.note(db, six, matter, day)

    out.write(arrange)
    out.later(to="周四 17:30")
    assert out["老师05"].inbox == [] and out["老师06"].inbox == []
    assert "还差您的意见" in out["老师07"].last


def test_longer_moves_the_reminder_too(out: Office) -> None:
    out["办公室"].says("延期 下周一下午五点")
    out.later(to="周五 17:30")
    assert out["王老师"].inbox == []
    out.later(days=2, hours=20)
    assert "还差您的意见" in out["王老师"].last and "11月30日 周一 17:00" in out["王老师"].last


def test_a_reminder_at_night_waits_for_the_morning(office: Office) -> None:
    publish(office, until="周五晚上十点")
    office.later(to="周四 22:30")
    assert office["王老师"].inbox == []
    office.later(to="周五 07:30")
    assert "还差您的意见" in office["王老师"].last


def test_who_has_said_nothing_is_told_to_the_office_alone(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out["张老师"].taps("无意见")
    out["办公室"].says("谁还没提", in_group=True)
    assert "1 人提了意见，1 人无意见，4 人没有答复" in out["办公室"].last
    assert "老师05" in out["办公室"].last and "张老师" not in out["办公室"].last and len(out.group) == 1
    assert "办公室或校长" in out["王老师"].says("谁还没提").last


def test_the_table_at_any_time_for_the_office_alone(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    out["办公室"].says("汇总")
    assert len(out["办公室"].documents) == 2 and out["李校长"].documents == []
    assert "办公室或校长" in out["王老师"].says("汇总").last and out["王老师"].documents == []


def test_the_month_knows_its_drafts(out: Office) -> None:
    out["王老师"].says("第三条建议改为自愿")
    (table,) = out.section("征求意见", date(2026, 11, 1))
    assert isinstance(table, Table) and list(table.rows) == [(TITLE, "征求中", "1", "0")]
    (line,) = out.section("征求意见", date(2026, 12, 1))
    assert "没有" in str(line)


# --- two at once, and beside other things ---------------------------------------------------------------------


@pytest.fixture
def two(out: Office) -> Office:
    publish(out, f"征求意见 校服管理办法\n{CLAUSES}", until="周四下午五点")
    return out


@pytest.mark.stages
def test_with_two_drafts_it_is_asked_which(two: Office) -> None:
    two["王老师"].says("第三条建议改为自愿", in_group=True)
    assert "哪一份" in two["王老师"].last and words(two, "王老师", 1) == words(two, "王老师", 2) == []
    two["王老师"].taps("2 《校服管理办法》")
    assert words(two, "王老师", 2) == [(3, "建议改为自愿")] and words(two, "王老师", 1) == []


def test_with_two_drafts_an_answer_to_a_card_needs_no_question(two: Office) -> None:
    two["王老师"].says("第三条建议改为自愿", in_group=True, quotes=card_ref(two, TITLE))
    assert words(two, "王老师", 1) == [(3, "建议改为自愿")]


def test_with_two_drafts_nothing_to_say_longer_and_the_table_ask_too(two: Office) -> None:
    two["王老师"].says("无意见").says("1")
    assert two.shown("draft:1").tally == tally(0, 1) and two.shown("draft:2").tally == tally()
    two["办公室"].says("延期 下周二").says("2")
    assert two.ask(lambda db: [d.until for d in drafts.open_ones(db)]) == [
        FRIDAY,
        datetime(2026, 12, 1, 23, 59, tzinfo=ZONE).astimezone(UTC),
    ]
    two["办公室"].says("汇总").says("1")
    assert all(TITLE in d.name for d in two["办公室"].documents)


def test_a_draft_that_was_not_offered_cannot_be_chosen(two: Office) -> None:
    two["王老师"].says("第三条建议改为自愿").says("9")
    assert "没有这一份" in two["王老师"].last and words(two, "王老师", 1) == []


def test_serials_are_unique_over_all_drafts(two: Office) -> None:
    two["王老师"].says("太严", in_group=True, quotes=card_ref(two, TITLE))
    two["张老师"].says("太松", in_group=True, quotes=card_ref(two, "校服"))
    assert "#1" in two["王老师"].last and "#2" in two["张老师"].last


def test_beside_a_meeting_notice_each_hears_its_own(open_office: OpenOffice) -> None:
    office = open_office(notices, feature, staff=STAFF)
    publish(office)
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 教学例会").confirms()
    office["王老师"].says("第三条建议改为自愿", in_group=True)
    office["张老师"].says("没有意见", in_group=True)
    office["老师05"].says("收到", in_group=True)
    assert office.shown("draft:1").tally == tally(1, 1)
    assert "老师05" not in str(words(office, "老师05"))


# --- promises -------------------------------------------------------------------------------------------------


@pytest.mark.paper
@pytest.mark.parametrize("token", ["dr.read:1", "dr.speak:1", "dr.none:1"])
def test_an_unpublished_draft_is_shown_to_nobody(office: Office, token: str) -> None:
    office["办公室"].says(DRAFT)
    assert "稿" in (office["王老师"].forges(token).toast or "")
    assert not any(BODIES[2] in text for text in office["王老师"].inbox)


@pytest.mark.paper
@pytest.mark.parametrize(
    "token", ["dr.read:99", "dr.speak:99", "dr.none:99", "dr.fill:99", "dr.publish:99", "dr.drop:99"]
)
def test_a_draft_that_never_was_is_refused_with_a_sentence(office: Office, token: str) -> None:
    assert (office["办公室"].forges(token, in_group=False).toast or "").endswith("。")


def test_names_and_words_with_signs_in_them_break_nothing(office: Office) -> None:
    publish(office, "征求意见 <b>{n}</b> %s & *办法*\n第一条 {x} %d\n第二条 <script>")
    office["王老师"].says("第一条建议改为 {y} %s </b> =1+1")
    assert words(office, "王老师") == [(1, "建议改为 {y} %s </b> =1+1")]
    office["王老师"].says("我的意见").taps("看全文")
    assert "{x} %d" in office["王老师"].last


def test_a_comment_too_long_is_refused_and_nothing_is_kept(out: Office) -> None:
    out["王老师"].says("第三条建议" + "改" * 2100)
    assert "太长" in out["王老师"].last and words(out, "王老师") == []


@pytest.mark.paper
def test_a_group_that_cannot_be_reached_loses_no_comment(out: Office) -> None:
    assert isinstance(out.stage, PaperStage)
    out.stage.paper.broken = lambda place: None if place.private else DeliveryFailed("down")
    out["王老师"].says("第三条建议改为自愿")
    assert words(out, "王老师") == [(3, "建议改为自愿")] and "#1" in out["王老师"].last


def test_the_form_is_named_by_hand() -> None:
    assert Terms.name == "drafts.terms"

"""All four jobs, played through to their end in a real browser, by the office and by teachers.

What needs no waiting is played on the program itself, started as a newcomer starts it: ``python -m bot run`` in an
empty folder. What needs hours to pass is played on the same assembly in this process, whose clock is moved by hand;
the program itself has no such lever, and gets none for a test. Screenshots are kept in ``artifacts/``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pytest
from playwright.sync_api import Page, expect

from tests.browser.school import GROUP, PRIVATE, DemoSchool, Reader

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(180)]
Open = Callable[..., Page]
Keep = Callable[..., None]

OFFICE, WANG, ZHANG, CHEN = "p2", "p3", "p4", "p8"
PHONE = {"width": 390, "height": 844}
MEETING, DRILL = "会议通知 · 教学例会", "消防演练"
DRAFT = "教职工考勤管理办法"
CLAUSES = (
    "第一章 总则",
    "第一条　为规范教职工考勤，保障教学秩序，制定本办法。",
    "第二条　本办法适用于全体教职工。",
    "第三条　教职工应当在上课前二十分钟到校。迟到三次以上的，由部门负责人谈话提醒。",
    "第四条　本办法自发布之日起施行。",
)
VOTE = "12月明星教师"


@pytest.fixture
def shows(keeps: Keep) -> Callable[[Reader, str], None]:
    """A screenshot, named after the job and who looks, once nothing passing lies over it."""

    def show(reader: Reader, name: str) -> None:
        size = reader.page.viewport_size
        assert size is not None
        assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
        keeps(reader.page, f"job-{name}-{size['width']}")

    return show


def draft_file(folder: Path) -> Path:
    made = docx.Document()
    made.add_heading(f"{DRAFT}（征求意见稿）", 0)
    for text in CLAUSES:
        made.add_paragraph(text)
    made.save(str(folder / f"{DRAFT}（征求意见稿）.docx"))
    return folder / f"{DRAFT}（征求意见稿）.docx"


# --- on the program itself ------------------------------------------------------------------------------------


def test_a_notice_from_the_first_sentence_to_the_cancellation(
    program: Open, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(program("", path="/")), Reader(program(WANG, **PHONE))
    zhang, chen = Reader(program(ZHANG)), Reader(program(CHEN, **PHONE))
    expect(office.page.locator("#switch")).to_contain_text("办公室")
    shows(office, "0-first-look")

    office.says("发通知 下周三 教学例会").asked("这一天几点开始")
    office.says("下午三点半").asked("在哪里开")
    office.says("三点半").reads("像是时间")
    office.says("三楼会议室").reads("会议通知 预览").reads("周三 15:30").reads("将问 38 人，发到 1 个群")
    shows(office, "1-notice-preview")
    expect(wang.card(MEETING)).to_have_count(0)
    office.taps("确认发送").sees("已发到 1 个群")

    office.goes(GROUP).page.evaluate("window.here = true")
    wang.taps("能到", GROUP).sees("已记下：能到")
    chen.taps("晚到", GROUP).sees("已记下：晚到")
    zhang.taps("请假", GROUP).sees("已记下：请假")
    office.counts("教学例会", 能到=1, 晚到=1, 请假=1, 未答=35)
    zhang.asked("什么原因？只有办公室看得到")
    shows(zhang, "1-notice-reason")
    zhang.taps("监考").reads("原因已记下")
    Reader(program("p9")).says("收到", GROUP)
    office.counts("教学例会", 能到=2, 未答=34)
    assert office.page.evaluate("window.here"), "the counter moved without a reload"
    shows(office, "1-notice-group")
    shows(wang, "1-notice-group")
    assert not any("监考" in text for text in wang.messages(GROUP)), "a reason is for the office only"

    office.says("谁还没回").reads("未答复").reads("张老师（监考）").reads("刘洋（信息组）")
    shows(office, "1-notice-silent")
    office.says("统计").reads("语文组")
    office.says("更正通知 地点改到二楼报告厅").reads("由 三楼会议室 改为 二楼报告厅")
    office.taps("确认更正").sees("告诉了 1 个群")
    wang.reads("更正：地点", PRIVATE)
    expect(wang.card(MEETING)).to_contain_text("二楼报告厅")
    wang.goes(GROUP)
    shows(wang, "1-notice-corrected")

    office.says("发通知 下周四上午十点 一楼大厅 消防演练").reads("会议通知 预览").taps("确认发送").sees("已发到")
    wang.goes(GROUP).counts(DRILL, 未答=38)
    office.says("取消通知").asked("取消哪一个通知").taps("1" + number_of(office, DRILL)).reads("取消通知 · 消防演练")
    shows(office, "1-notice-cancel")
    office.taps("确认取消").sees("已取消")
    wang.reads("已取消", GROUP)
    expect(wang.card("已取消 · 消防演练")).to_contain_text("不用再答复")
    expect(wang.card("已取消 · 消防演练").locator("button")).to_have_count(0)
    wang.counts("教学例会", 能到=2)
    shows(wang, "1-notice-cancelled")


def number_of(office: Reader, topic: str) -> str:
    """``1123-02 消防演练`` without its first digit: what the button says."""
    label = office.page.locator("#pane-me .question button", has_text=topic).last.inner_text()
    return label[1:]


def test_a_draft_from_the_paperclip_to_the_table(
    program: Open, tmp_path: Path, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(program(OFFICE)), Reader(program(WANG, **PHONE))
    zhang, chen = Reader(program(ZHANG)), Reader(program(CHEN, **PHONE))

    office.says("征求意见").asked("请把稿子发给我")
    office.sends(draft_file(tmp_path)).asked("意见征求到什么时候")
    expect(office.card("读到一份稿子", PRIVATE)).to_contain_text("共 4 条")
    shows(office, "2-draft-read")
    office.says("下周五下午五点").asked("可以在群里征求意见吗").taps("可以，已经批准")
    office.asked("是谁批准的").taps("李校长").reads("请核对，确认后发到群里").reads("周五 17:00")
    shows(office, "2-draft-preview")
    expect(wang.card(f"征求意见：{DRAFT}")).to_have_count(0)
    office.taps("确认发布").reads("已发布")

    wang.goes(GROUP)
    shows(wang, "2-draft-group")
    wang.taps("看全文", GROUP).reads("上课前二十分钟到校")
    wang.taps("提意见", GROUP).asked("对哪一条提意见").taps("第三条").asked("请写您的意见")
    wang.says("建议改为上课前十五分钟。").reads("已记入第三条意见 #1")
    shows(wang, "2-draft-comment")
    zhang.reads("您好")  # the first look into the private talk is greeted; the echo below comes after it
    zhang.says("第三条建议把“谈话提醒”改为“书面提醒”", GROUP).reads("已记入第三条意见 #2")
    zhang.says("第二条是否包括外聘教师？").reads("这是个问题，已转给办公室")
    chen.taps("无意见", GROUP).sees("已记下：对《教职工考勤管理办法》无意见")
    office.counts(DRAFT, 意见=2, 无意见=1)
    zhang.says("撤回 #2").reads("已收回第三条意见 #2")
    office.counts(DRAFT, 意见=1)
    zhang.says("第四条建议写明试行一年").reads("已记入第四条意见 #4")

    office.says("谁还没提").reads("2 人提了意见，1 人无意见").reads("刘洋（语文组）")
    office.says("汇总")
    word, sheet = office.saves(".docx", tmp_path), office.saves(".xlsx", tmp_path)
    shows(office, "2-draft-table")
    written = [cell.text for table in docx.Document(str(word)).tables for row in table.rows for cell in row.cells]
    cells = [str(cell.value) for row in openpyxl.load_workbook(sheet).active.iter_rows() for cell in row]
    for found in (written, cells):
        assert any("建议改为上课前十五分钟" in text for text in found)
        assert any("试行一年" in text for text in found)
        assert not any("书面提醒" in text for text in found), "what was taken back is not in the table"


def test_a_ballot_is_cast_in_private_and_leaves_no_trace(program: Open, shows: Callable[[Reader, str], None]) -> None:
    office, wang = Reader(program(OFFICE)), Reader(program(WANG, **PHONE))
    zhang, chen = Reader(program(ZHANG)), Reader(program(CHEN, **PHONE))

    office.says(f"评选 {VOTE} 候选人 王老师、张老师、陈静怡").asked("什么时候截止").says("下周五17:00")
    office.reads("今天在岗的 38 人")
    shows(office, "3-stars-preview")
    office.taps("确认开始").reads("选票已私聊发给全部 38 人")

    chen.taps("去投票", GROUP).sees("选票已经私聊发给您")
    chen.taps("王老师").sees("已投：王老师。截止前可改。").reads("已投票，截止前可改。回执")
    wang.taps("陈静怡").sees("已投：陈静怡")
    shows(wang, "3-stars-ballot")
    wang.taps("张老师").sees("已投：张老师")
    expect(wang.page.locator(".toast", has_text="已投：陈静怡")).to_have_count(0)
    zhang.says("选王老师", GROUP).goes(PRIVATE)
    expect(zhang.page.locator("#pane-me")).to_contain_text("投票是保密的，群里说的不算数")
    zhang.says("弃权").sees("已投：弃权")
    office.goes(GROUP).counts(VOTE, 已投=3)
    shows(office, "3-stars-group")
    office.says("投票进度").reads(f"{VOTE}：已投 3/38")
    office.says("提前截止").reads("还有 35 人没投，不能提前截止")

    for voter in (wang, zhang, chen):
        kept = voter.messages(PRIVATE)
        assert any("回执" in text for text in kept)
        assert not any("已投：" in text for text in kept), "the choice was shown once and is kept nowhere"
    assert not any("已投：" in text or "弃权" in text for text in office.messages(GROUP))


# --- where hours must pass ------------------------------------------------------------------------------------


def test_a_notice_reminds_the_silent_once_and_closes_itself(
    demo_school: DemoSchool, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(demo_school.opens(OFFICE)), Reader(demo_school.opens(WANG, **PHONE))
    zhang = Reader(demo_school.opens(ZHANG, **PHONE))
    office.says("发通知 今天下午三点半 三楼会议室 教学例会").reads("会议通知 预览").taps("确认发送").sees("已发到")
    wang.taps("能到", GROUP).sees("已记下：能到")

    demo_school.later(to="14:45")
    zhang.reads("请答复 · 教学例会").reads("今天就不再提醒您")
    shows(zhang, "1-notice-reminder")
    zhang.taps("晚到").sees("已记下：晚到")
    office.counts("教学例会", 能到=1, 晚到=1, 未答=36)
    assert not any("请答复" in text for text in wang.messages(PRIVATE)), "who has answered is left alone"

    demo_school.later(to="15:35")
    expect(wang.card(MEETING)).to_contain_text("会议已开始，不再收答复")
    expect(wang.card(MEETING).locator("button")).to_have_count(0)
    wang.goes(GROUP)
    shows(wang, "1-notice-closed")


def test_a_draft_closes_at_its_deadline_and_brings_the_table(
    demo_school: DemoSchool, tmp_path: Path, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(demo_school.opens(OFFICE)), Reader(demo_school.opens(WANG, **PHONE))
    zhang = Reader(demo_school.opens(ZHANG))
    office.sends(draft_file(tmp_path)).asked("意见征求到什么时候").says("周三下午五点")
    office.asked("可以在群里征求意见吗").taps("可以，已经批准").asked("是谁批准的").taps("李校长")
    office.reads("请核对").taps("确认发布").reads("已发布")
    zhang.says("第三条建议改为上课前十五分钟").reads("已记入第三条意见 #1")

    demo_school.later(to="周二 17:10")
    wang.reads(f"《{DRAFT}》还差您的意见")
    shows(wang, "2-draft-reminder")
    wang.taps("无意见").sees("无意见")

    demo_school.later(to="周三 17:10")
    expect(wang.card(f"{DRAFT}（已截止）")).to_contain_text("意见 1")
    wang.reads(f"《{DRAFT}》征求意见已截止，共收到 1 条意见", GROUP)
    shows(wang, "2-draft-closed")
    wang.says("第一条建议再想想").reads("截止")
    office.saves(".docx", tmp_path)
    shows(office, "2-draft-closed")
    sheet = openpyxl.load_workbook(office.saves(".xlsx", tmp_path)).active
    assert any("上课前十五分钟" in str(cell.value) for row in sheet.iter_rows() for cell in row)


def test_a_vote_is_closed_early_objected_to_by_nobody_and_counted(
    demo_school: DemoSchool, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(demo_school.opens(OFFICE)), Reader(demo_school.opens(WANG, **PHONE))
    zhang = Reader(demo_school.opens(ZHANG))
    office.says(f"评选 {VOTE} 候选人 王老师、张老师、陈静怡 截止 周五17:00").reads("今天在岗的 38 人")
    office.taps("确认开始").reads("选票已私聊发给全部 38 人")
    wang.taps("张老师").sees("已投：张老师")
    receipt = wang.page.locator("#pane-me .bot .bubble", has_text="回执").last.inner_text().rpartition(" ")[2]
    zhang.says("3号").sees("已投：陈静怡")
    for number in range(1, 39):
        if number not in (2, 3, 4):
            demo_school.person(number).says("弃权" if number % 5 == 0 else "选王老师")
    office.taps("弃权").sees("已投：弃权")

    office.reads("38 人都投了")
    shows(office, "3-stars-full")
    office.taps("提前截止").reads("已截止。回执发在群里，核对之后开票。")
    expect(office.card(f"{VOTE} 已截止", PRIVATE)).to_contain_text("有人找不到自己的回执，就不要开")
    shows(office, "3-stars-check")
    wang.reads(receipt, GROUP)
    shows(wang, "3-stars-receipts")
    wang.says("选王老师").reads("投票已经截止")

    demo_school.later(minutes=15)
    result = wang.card(f"{VOTE} 结果")
    expect(result).to_contain_text("钥匙已销毁")
    wang.goes(GROUP).counts(f"{VOTE} 结果", 王老师=28, 张老师=1, 陈静怡=1, 弃权=8)
    shows(wang, "3-stars-result")
    office.goes(GROUP)
    shows(office, "3-stars-result")
    expect(office.card(f"{VOTE} 投票")).to_contain_text("投票已结束，结果已公布")


def test_study_is_planned_by_week_and_month_and_comes_on_its_day(
    demo_school: DemoSchool, shows: Callable[[Reader, str], None]
) -> None:
    office, wang = Reader(demo_school.opens(OFFICE)), Reader(demo_school.opens(WANG, **PHONE))
    zhang, chen = Reader(demo_school.opens(ZHANG)), Reader(demo_school.opens(CHEN, **PHONE))
    office.says("学习提醒 每周三下午三点 读《十项准则》").reads("学习提醒，请确认").reads("11月25日 周三 15:00")
    shows(office, "4-study-weekly")
    office.taps("确认").sees("已安排，下一次：11月25日 周三 15:00")
    office.says("学习提醒 每月31号上午9点 师德自查 2学时").reads("没有 31 日的月份取当月最后一天")
    shows(office, "4-study-monthly")
    office.taps("改短月的办法").reads("没有 31 日的月份跳过").taps("确认").sees("已安排")

    demo_school.later(to="周三 15:05")
    for reader in (wang, zhang, chen):
        reader.reads("学习提醒：读《十项准则》")
    shows(wang, "4-study-reminder")
    wang.taps("已学").sees("“读《十项准则》”已学")
    expect(wang.card("读《十项准则》", PRIVATE)).to_contain_text("已学 · 11月25日 周三 15:05")
    wang.taps("写一句心得").asked("写一句心得").says("以身作则").reads("心得只有您自己看得到")
    shows(wang, "4-study-learned")
    zhang.taps("稍后").sees("17:05")
    chen.says("停").reads("不再提醒您")
    office.says("谁还没学").reads("还没学 37 人")
    office.says("学习计划").reads("师德自查")
    shows(office, "4-study-plans")

    asked_before = len(zhang.messages(PRIVATE))
    demo_school.later(hours=2, minutes=5)
    expect(zhang.page.locator("#pane-me .message[data-seq]")).to_have_count(asked_before + 1)
    zhang.says("已学").reads("已学")
    wang.says("我的学习").reads("2026 年学了 1 次，共 1 学时").reads("心得：以身作则")
    demo_school.later(to="下周三 15:05")
    wang.reads("学习提醒：读《十项准则》")
    assert sum("学习提醒：读" in text for text in chen.messages(PRIVATE)) == 1, "停 is kept"
    shows(chen, "4-study-halted")


# --- the picture in the README --------------------------------------------------------------------------------


def test_the_picture_of_a_busy_morning(program: Open, keeps: Keep) -> None:
    """``docs/screenshot.png`` is ``artifacts/readme.png`` of such a run."""
    office, wang = Reader(program(OFFICE, 1120, 940)), Reader(program(WANG))
    office.says("发通知 下周三下午三点半 三楼会议室 教学例会，周二前回复").reads("预览").taps("确认发送").sees("已发到")
    office.says(f"评选 {VOTE} 候选人 王老师、张老师、陈静怡 截止 下周五17:00").reads("38 人").taps("确认开始").reads(
        "38 人"
    )
    base = wang.page.url.partition("/as/")[0]
    tap = """async ([base, who, place, token, message, id]) => (await fetch(`${base}/as/${who}/tap`, {method: "POST",
        headers: {"content-type": "application/json"}, body: JSON.stringify({id, place, token, message})})).status"""
    cards = {name: wang.card(name) for name in ("教学例会", f"{VOTE} 投票")}
    wang.goes(GROUP)
    seq = {name: card.evaluate("c => c.closest('.message').dataset.seq") for name, card in cards.items()}
    answers = cards["教学例会"].locator(".buttons button").evaluate_all("all => all.map((b) => b.dataset.token)")
    for number in range(9, 33):
        token = answers[0 if number % 7 else 1 if number % 2 else 2]
        facts = [base, f"p{number}", GROUP, token, seq["教学例会"], f"picture-{number}"]
        assert wang.page.evaluate(tap, facts) == 200
    wang.goes(PRIVATE).taps("张老师").sees("已投")
    ballot = wang.page.locator("#pane-me .buttons button", has_text="张老师").last.get_attribute("data-token")
    for number in range(9, 26):
        facts = [base, f"p{number}", PRIVATE, ballot, None, f"ballot-{number}"]
        assert wang.page.evaluate(tap, facts) == 200
    wang.says("收到，我带上听课记录。", GROUP)
    office.goes(GROUP).counts("教学例会", 未答=13).counts(VOTE, 已投=18)
    expect(office.page.locator(".toast")).to_have_count(0, timeout=8000)
    keeps(office.page, "readme")

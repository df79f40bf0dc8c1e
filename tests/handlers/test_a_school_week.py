"""One week of one office: all four jobs at once, on every stage and both databases; in the middle the power fails."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pytest
from docx import Document as Word

from handlers.contents import FEATURES
from storage import diary, outbox
from tests.handlers.conftest import OpenOffice
from tests.office import MONDAY, Office

STAFF = 10
EVERYBODY = ("李校长", "办公室", "王老师", "张老师", *(f"老师{n:02d}" for n in range(5, STAFF + 1)))
CLAUSES = ("为规范考勤，制定本办法。", "适用于全体教职工。", "每天签到两次。", "请假提前一天。", "自发布之日起施行。")
PRIVATE = ("监考", "自愿签到", "改为提前半天", "食堂")  # what was said to the office alone


@pytest.mark.stages(both=True)
@pytest.mark.slow
def test_a_school_week(open_office: OpenOffice) -> None:
    office = open_office(*FEATURES, staff=STAFF)
    monday(office)
    tuesday(office)
    the_power_fails(office)
    wednesday(office)
    thursday(office)
    friday(office)
    the_week_after(office)
    nothing_was_told_to_the_wrong_people(office)


def monday(office: Office) -> None:
    """The meeting is announced and answered by taps and words; a draft goes round as a file; a reminder is planned."""
    office["办公室"].says("发通知 周三下午三点半 三楼会议室 教学例会")
    assert "11月25日 周三 15:30" in office["办公室"].last and f"将问 {STAFF} 人" in office["办公室"].last
    office["办公室"].confirms()
    assert office["王老师"].taps("能到").toast == "已记下：能到"
    office["张老师"].says("收到", in_group=True)
    office["老师05"].says("晚到十分钟", in_group=True, quotes=newest(office, "教学例会"))
    office["老师06"].taps("请假", reason="监考")
    assert office.shown("notice:1").tally == {"能到": 2, "晚到": 1, "请假": 1, "未答": STAFF - 4}
    office["办公室"].says("谁还没回", in_group=True)
    assert "老师07" in office["办公室"].last and "监考" in office["办公室"].last

    office["办公室"].says("征求意见", file=("考勤管理办法（征求意见稿）.docx", word_file()))
    assert "征求到什么时候" in office["办公室"].last
    office["办公室"].says("周四下午五点").taps("可以，已经批准").says("李校长").taps("确认发布")
    assert "考勤管理办法" in office.group[-1] and "共 5 条" in office.group[-1]

    office["办公室"].says("学习提醒 每周二下午四点 读《十项准则》").taps("确认")
    assert "11月24日 周二 16:00" in told(office, "办公室")


def tuesday(office: Office) -> None:
    """Comments come in, the study reminder fires, a vote is opened and the meeting moves."""
    office.later(to="11月24日 10:00")
    office["王老师"].says("第三条建议改为自愿签到", in_group=True)
    assert "已记入第三条意见 #1" in office["王老师"].last
    office["张老师"].taps("提意见").taps("第四条").says("改为提前半天")
    assert "已记入第四条意见 #2" in office["张老师"].last
    office["老师05"].says("建议增加一条食堂就餐的规定", in_group=True, quotes=newest(office, "征求意见"))
    assert "#3" in office["老师05"].last
    office["老师06"].taps("无意见")
    assert office.shown("draft:1").tally == {"意见": 3, "无意见": 1}

    office["办公室"].says("评选 11月明星教师 候选人 王老师、张老师、老师05 截止 周五17:00").taps("确认开始")
    assert office["王老师"].taps("去投票", in_="群").toast == "选票已经私聊发给您。"
    assert office["王老师"].taps("张老师").told("已记上" if office.stage.toasts_stay else "已投：张老师。截止前可改。")
    office["王老师"].says("3号")
    assert told(office, "王老师", "已投：老师05。截止前可改。")
    for name in EVERYBODY[3:7]:
        office[name].says("选老师05")
    office["老师08"].says("选王老师").says("弃权")
    assert office.shown("stars:1").tally == {"已投": 6}

    office["办公室"].says("更正通知 时间改到周三下午四点").taps("确认更正")
    assert "更正" in office.group[-1] and "16:00" in office.group[-1]
    assert "16:00" in office["王老师"].last and "不用再回" in office["王老师"].last

    office.later(to="11月24日 16:05")
    for name in EVERYBODY:
        assert "十项准则" in office[name].last, name
    office["王老师"].taps("已学")
    office["张老师"].says("稍后")
    office["老师05"].says("停")
    assert office.shown("plan:1").tally["已学"] == 1
    office.later(to="11月24日 18:30")
    assert sum(text.startswith("学习提醒：") for text in office["张老师"].inbox) == 2
    office["张老师"].says("已学")
    assert office.shown("plan:1").tally["已学"] == 2


def the_power_fails(office: Office) -> None:
    """Between two questions: the half-filled form, the counter and all that is booked are there again."""
    office["老师07"].taps("请假")
    before, booked = office.shown("notice:1").tally, office.ask(lambda db: len(diary.coming(db, "notices.close")))
    office.restart()
    office["老师07"].says("监考")
    assert "只有办公室看得到" in office["老师07"].last
    assert office.shown("notice:1").tally == before and before["请假"] == 2
    assert office.ask(lambda db: len(diary.coming(db, "notices.close"))) == booked == 1
    assert len(office.group) == 4  # the notice, the draft, the vote, the correction: nothing came twice


def wednesday(office: Office) -> None:
    """Only the silent are reminded, once, in private; the meeting begins and its card is settled."""
    office.later(to="11月25日 15:10")
    reminded = [name for name in EVERYBODY if any("请答复 ·" in text for text in office[name].inbox)]
    assert reminded == ["李校长", "办公室", "老师08", "老师09", "老师10"]
    office["老师08"].taps("能到", in_="私聊")
    office.later(to="11月25日 16:10")
    assert office.shown("notice:1").tally == {"能到": 3, "晚到": 1, "请假": 2, "未答": STAFF - 6}
    assert "会议已开始" in office.board and over(office, "教学例会")
    office["老师09"].says("能到")
    assert office.shown("notice:1").tally["能到"] == 3


def thursday(office: Office) -> None:
    """The draft closes; the office has the table in both forms, word for word; a late comment is told where to go."""
    office.later(to="11月26日 17:10")
    assert any("征求意见已截止，共收到 3 条意见" in text for text in office.group)
    made = {document.name.rpartition(".")[2]: document.content for document in office["办公室"].documents}
    assert sorted(made) == ["docx", "xlsx"]
    for said in ("自愿签到", "改为提前半天", "食堂就餐"):
        assert said in in_word(made["docx"]) and said in in_excel(made["xlsx"]), said
    office["王老师"].says("第五条建议推迟到下学期")
    assert "截止" in office["王老师"].last and "办公室" in office["王老师"].last


def friday(office: Office) -> None:
    """The vote closes, the receipts hang out, the result is the numbers and no names of voters."""
    office.later(to="11月27日 17:02")
    assert "回执" in office.group[-1]
    office["老师09"].says("选王老师")
    assert told(office, "老师09", "截止")
    office.later(minutes=20)
    assert office.shown("star-result:1").tally == {"王老师": 0, "张老师": 0, "老师05": 5, "弃权": 1}
    assert any("明星教师 结果" in text and "老师05" in text for text in office.group)
    assert over(office, "明星教师")


def the_week_after(office: Office) -> None:
    """The reminder comes again by itself, and not to whoever said 停."""
    had = {name: sum(text.startswith("学习提醒：") for text in office[name].inbox) for name in EVERYBODY}
    office.later(to="12月1日 16:05")
    new = {name: sum(text.startswith("学习提醒：") for text in office[name].inbox) - had[name] for name in EVERYBODY}
    assert new == {name: int(name != "老师05") for name in EVERYBODY}
    office["办公室"].says("停止提醒").says("谁还没学")
    office.later(days=14)
    assert office.ask(lambda db: diary.coming(db, "study.fire")) == []


def nothing_was_told_to_the_wrong_people(office: Office) -> None:
    """The group has read eight messages in two weeks; nothing said to the office stands there or with a colleague.

    Where a card is changed only by a press, the last state of three cards came as a message of its own.
    """
    assert len(office.group) <= 8 + 3 * (not office.stage.edits), office.group
    for words in PRIVATE:
        assert not any(words in text for text in office.group), words
        assert not any(words in text for text in office["老师10"].inbox), words
    assert office["访客"].inbox == []
    assert office.ask(lambda db: outbox.undelivered(db, MONDAY)) == []


# --- small words ----------------------------------------------------------------------------------------------


def newest(office: Office, words: str) -> str:
    """The message of the bot in the group with these words on it."""
    return next(seen.ref for seen in reversed(office.stage.messages(office.room.id)) if words in seen.text)


def over(office: Office, words: str) -> bool:
    """Can nothing be pressed any more in the group on whatever has these words?"""
    seen = [one for one in office.stage.messages(office.room.id) if words in one.text]
    return all(office["老师10"].finds_closed(label) for one in seen for label, _token in one.buttons)


def told(office: Office, name: str, words: str = "") -> str:
    """What somebody was answered last, at once or as a message."""
    someone = office[name]
    return next((text for text in (someone.toast or "", *someone.inbox[-3:]) if text and words in text), "")


def word_file() -> bytes:
    made = Word()
    made.add_heading("考勤管理办法", level=1)
    for number, words in zip("一二三四五", CLAUSES, strict=True):
        made.add_paragraph(f"第{number}条　{words}")
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def in_word(content: bytes) -> str:
    return "\n".join(cell.text for table in Word(BytesIO(content)).tables for row in table.rows for cell in row.cells)


def in_excel(content: bytes) -> str:
    book = openpyxl.load_workbook(BytesIO(content))
    return "\n".join(str(cell.value) for page in book for row in page.iter_rows() for cell in row)

"""After a meeting: minutes for who was not there, what they catch up on, tasks that come back, papers, the calendar."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from docx import Document as open_docx

from handlers.meetings import rules
from handlers.meetings.feature import feature
from handlers.notices.feature import feature as notices
from handlers.study.feature import feature as study
from storage import files, followups, meetings, people
from storage.people import Person
from tests.handlers.conftest import OpenOffice
from tests.office import Office

SAID = "发通知 周五下午三点半 三楼会议室 教学例会"
STAFF = 8


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    """An office with one meeting on Friday at 15:30."""
    office = open_office(notices, feature, study, staff=STAFF)
    office["办公室"].says(SAID).confirms()
    return office


@pytest.fixture
def over(office: Office) -> Office:
    """The meeting was held; all but 张老师 (with leave) and 老师05 (without) signed."""
    office["张老师"].taps("请假", reason="看病")
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到")
    for name in ("李校长", "办公室", "王老师", "老师06", "老师07", "老师08"):
        office[name].says("签到")
    office.later(to="周五 16:30")
    return office


def nudged(office: Office, name: str, title: str) -> int:
    return sum(title in text for text in office[name].inbox)


# --- 4 who was not there --------------------------------------------------------------------------------------


@pytest.mark.stages
def test_the_absent_get_the_minutes_and_nobody_else_does(over: Office) -> None:
    office = over
    office["办公室"].says("记决议 下周起交电子教案")
    office["办公室"].says("会议记录").taps("发给没到会的")
    assert any("没到会的有 2 人" in text for text in office["办公室"].inbox[-3:])
    assert not office["张老师"].documents
    office["办公室"].taps("只发会议记录")
    for name in ("张老师", "老师05"):
        words = "".join(
            cell.text
            for row in open_docx(BytesIO(office[name].documents[-1].content)).tables[0].rows
            for cell in row.cells
        )
        assert "下周起交电子教案" in words
        assert not any(one in words for one in ("张老师", "老师05", "看病"))
    assert not office["王老师"].documents
    assert not office["张老师"].sees("已补学")


@pytest.mark.stages
def test_who_is_asked_to_catch_up_hears_it_at_most_twice_and_nothing_after_the_answer(over: Office) -> None:
    office = over
    office["办公室"].says("发给没到会的").taps("发会议记录，请他们补学")
    office["张老师"].taps("已补学")
    assert office["张老师"].told("已补学")
    before = len(office["张老师"].inbox)
    for _day in range(10):
        office.later(days=1)
    assert len(office["张老师"].inbox) == before
    assert nudged(office, "老师05", "您没能到会") == 3  # the task itself, and two reminders
    assert "1/2 人已补学" in office.shown("meeting-minutes:1").text
    assert nudged(office, "王老师", "补学") == 0


def test_catching_up_can_be_said(over: Office) -> None:
    office = over
    office["办公室"].says("发给没到会的").taps("发会议记录，请他们补学")
    office["老师05"].says("已补学")
    assert "已记下：已补学" in office["老师05"].last
    assert office.ask(lambda db: followups.catchups_mine(db, 5)) == []


def test_who_was_there_after_all_need_not_catch_up(over: Office) -> None:
    office = over
    office["办公室"].says("发给没到会的").taps("发会议记录，请他们补学")
    office["办公室"].says("补签 老师05")
    office["老师05"].says("已补学")
    assert "没有等您补学" in office["老师05"].last
    before = len(office["老师05"].inbox)
    office.later(days=8)
    assert len(office["老师05"].inbox) == before
    assert "0/1 人已补学，还没有的：张老师。" in office.shown("meeting-minutes:1").text


def test_the_office_is_told_that_it_sent_them_before(over: Office) -> None:
    office = over
    office["办公室"].says("发给没到会的").taps("只发会议记录")
    office["办公室"].says("发给没到会的")
    assert any("发过一次" in text for text in office["办公室"].inbox[-2:])
    office["办公室"].says("取消")
    assert len(office["张老师"].documents) == 1


def test_nothing_is_sent_at_night(over: Office) -> None:
    office = over
    office.later(to="周五 22:00")
    office["办公室"].says("发给没到会的").taps("发会议记录，请他们补学")
    assert not office["老师05"].documents
    office.later(to="周六 07:10")
    assert office["老师05"].documents and office["老师05"].sees("已补学")


def test_somebody_elses_reading_cannot_be_ticked_off(over: Office) -> None:
    office = over
    office["办公室"].says("发给没到会的").taps("发会议记录，请他们补学")
    number = office.ask(lambda db: followups.catchups_of(db, 1))[5].id
    office["王老师"].forges(f"mt.read:{number}", in_group=False)
    assert office["王老师"].told("不是发给您的")
    assert len(office.ask(lambda db: followups.catchups_mine(db, 5))) == 1


# --- 5 tasks --------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_task_goes_to_its_owner_and_comes_back_until_it_is_done(over: Office) -> None:
    office = over
    office["办公室"].says("行动项 王老师 下周四下午五点前 交教案")
    assert any("已记下行动项，12月3日 周四 17:00 前：交教案" in text for text in office["办公室"].inbox[-2:])
    assert office["王老师"].sees("完成")
    assert office.ask(lambda db: followups.tasks_of(db, 1))[0].owner == 3
    office.later(to="下周三 18:00")
    assert nudged(office, "王老师", "交教案") == 2
    office["王老师"].taps("完成")
    assert office["王老师"].told("办完了")
    before = len(office["王老师"].inbox)
    office.later(days=2)
    assert len(office["王老师"].inbox) == before
    assert "没有没办完的" in office.shown("meeting-tasks:0").text


@pytest.mark.stages
def test_what_a_task_does_not_say_is_asked_and_can_be_tapped(over: Office) -> None:
    office = over
    office["办公室"].says("会议记录").taps("加行动项").taps("王老师").taps("三天内").says("整理档案")
    task = office.ask(lambda db: followups.open_tasks(db, 3))[0]
    assert task.what == "整理档案" and task.notice == 1
    assert task.due.astimezone(office.running.school.zone).date() == office.time().date() + timedelta(days=3)
    office["办公室"].says("行动项")
    assert "整理档案" in office["办公室"].last
    office["办公室"].taps("撤掉：王老师 整理档案")
    assert office.ask(followups.open_tasks) == []


def test_a_name_that_two_people_have_is_asked_and_never_guessed(over: Office) -> None:
    office = over
    office.write(lambda db: people.add(db, Person(0, "王小明", "教学部", "群众", "staff")))
    roster = office.ask(people.active)
    assert rules.owners("王老师 交教案", roster)[0][0].name == "王老师"
    office.write(lambda db: people.change(db, 3, name="王大明"))
    office["办公室"].says("行动项 王老师 周日前 交教案")
    assert "谁来办" in office["办公室"].last
    assert office.ask(followups.open_tasks) == []


@pytest.mark.parametrize(
    ("text", "who", "rest"),
    [
        ("王老师 交教案", ["王老师"], "交教案"),
        ("王老师、张老师 周五前 交教案", ["王老师", "张老师"], "周五前 交教案"),
        ("王老师，张老师：交教案", ["王老师", "张老师"], "交教案"),
        ("王老师、孙老师 交教案", [], "王老师、孙老师 交教案"),
        ("周五前 交教案", [], "周五前 交教案"),
        ("王芳老师 交教案", ["王芳"], "交教案"),
        ("王方 交教案", [], "王方 交教案"),
        ("陈老师 交教案", ["陈静怡"], "交教案"),
        ("陈老师、王芳 交教案", ["陈静怡", "王芳"], "交教案"),
        ("", [], ""),
    ],
)
def test_who_is_named(text: str, who: list[str], rest: str) -> None:
    roster = [Person(n, name) for n, name in enumerate(("王老师", "张老师", "王芳", "陈静怡"), 1)]
    found, left = rules.owners(text, roster)
    assert ([one.name for one in found], left) == (who, rest)


def test_one_task_may_have_several_owners(over: Office) -> None:
    office = over
    office["办公室"].says("行动项 王老师、张老师 周日下午五点前 交教案")
    assert [one.owner for one in office.ask(followups.open_tasks)] == [3, 4]


def test_a_task_of_another_cannot_be_ticked_off_and_mine_are_shown_when_asked(over: Office) -> None:
    office = over
    office["办公室"].says("行动项 王老师 周日下午五点前 交教案")
    office["张老师"].forges("mt.done:1", in_group=False)
    assert office["张老师"].told("不是您的")
    office["张老师"].forges("mt.drop:1", in_group=False)
    assert len(office.ask(followups.open_tasks)) == 1
    office["王老师"].says("我的行动项")
    assert "交教案" in office["王老师"].last
    office["张老师"].says("我的行动项")
    assert "没有等您办的事" in office["张老师"].last


def test_a_task_is_done_by_word_where_it_is_clear_which(over: Office) -> None:
    office = over
    office["办公室"].says("行动项 王老师 周日下午五点前 交教案").says("行动项 王老师 周日下午五点前 交试卷")
    office["王老师"].says("完成")
    assert len(office.ask(followups.open_tasks)) == 2
    office["王老师"].taps("完成").says("办完了")
    assert office.ask(followups.open_tasks) == []


def test_what_a_button_says_can_be_typed(over: Office) -> None:
    office = over
    for word, field in (("主持人", "chair"), ("记录人", "recorder"), ("议程", "agenda"), ("决议", "resolutions")):
        office["办公室"].says(word).says(f"这是{word}")
        assert getattr(office.ask(lambda db: meetings.minutes_of(db, 1)), field) == f"这是{word}"
    office["王老师"].says("决议", in_group=True).says("主持人")
    assert "没看懂" in office["王老师"].last


def test_the_caps_of_a_day_hold_over_all_tasks(over: Office) -> None:
    office = over
    for what in ("一", "二", "三", "四"):
        office["办公室"].says(f"行动项 王老师 下周四下午五点前 事{what}")
    office.later(to="下周三 06:00")
    before = len(office["王老师"].inbox)
    office.later(to="今天 20:00")
    assert len(office["王老师"].inbox) == before + 2


def test_who_asked_to_be_left_alone_is_left_alone(over: Office) -> None:
    office = over
    office["办公室"].says("行动项 王老师 下周四下午五点前 交教案")
    office.later(to="下周三 08:00")
    office["王老师"].says("今天别提醒")
    before = len(office["王老师"].inbox)
    office.later(to="今天 20:00")
    assert len(office["王老师"].inbox) == before


# --- 2 papers -------------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_papers_are_told_once_and_given_to_whoever_asks(office: Office) -> None:
    office["办公室"].says("附件", file=("议程.docx", b"PK\x03\x04agenda"))
    if "已加上" not in office["办公室"].last:  # where a file comes without words it is asked for
        office["办公室"].says("附件").says("", file=("议程.docx", b"PK\x03\x04agenda"))
    office["办公室"].says("会务").taps("加材料").says("", file=("名单.pdf", b"%PDF-1.7"))
    assert "已加上：名单.pdf" in office["办公室"].last
    assert sum("会议材料" in text for text in office.group) == 0
    office.later(minutes=6)
    assert sum("会议材料" in text for text in office.group) == 1
    office["王老师"].taps("发给我")
    assert [one.name for one in office["王老师"].documents] == ["议程.docx", "名单.pdf"]
    office["张老师"].says("会议材料")
    assert [one.content for one in office["张老师"].documents] == [b"PK\x03\x04agenda", b"%PDF-1.7"]
    office.later(hours=3)
    assert sum("会议材料" in text for text in office.group) == 1


def test_an_agenda_is_told_once_and_a_change_of_it_once_more(office: Office) -> None:
    office["办公室"].says("记议程 期中总结").says("记议程 期中总结\n月考安排")
    office.later(minutes=6)
    assert sum("会议材料" in text for text in office.group) == 1 and "月考安排" in office.board
    office["王老师"].says("会议材料")
    assert office["王老师"].told("“教学例会”会议议程：\n期中总结\n月考安排")
    office.later(hours=2)
    office["办公室"].says("记议程 只谈月考")
    office.later(minutes=6)
    assert sum("会议材料" in text for text in office.group) == 2
    office.later(to="周五 16:00")
    office["办公室"].says("记议程 只谈月考，已谈")
    office.later(minutes=6)
    assert sum("会议材料" in text for text in office.group) == 2


def test_with_papers_of_two_meetings_a_teacher_chooses(office: Office) -> None:
    for said in ("发通知 周四下午四点 报告厅 期中质量分析", "发通知 周四上午九点 操场 升旗"):
        office["办公室"].says(said).confirms()
    for serial in ("1123-01", "1123-02"):
        office["办公室"].says(f"加材料 {serial}").says("", file=(f"{serial}.pdf", b"%PDF"))
    office["王老师"].says("会议材料")
    assert office["王老师"].sees("1123-01 教学例会") and not office["王老师"].sees("1123-03 升旗")
    office["王老师"].taps("1123-02 期中质量分析")
    assert [one.name for one in office["王老师"].documents] == ["1123-02.pdf"]


def test_the_wrong_paper_is_taken_back(office: Office) -> None:
    office["办公室"].says("附件").says("", file=("工资.xlsx", b"PK\x03\x04"))
    office["办公室"].says("会务").taps("撤掉：工资.xlsx")
    office.later(minutes=6)
    assert "会议材料" not in office.board
    office["王老师"].says("会议材料")
    assert not office["王老师"].documents and "没有会议材料" in office["王老师"].last
    assert office.ask(lambda db: files.get(db, 1)) is None


def test_a_program_is_no_paper(office: Office) -> None:
    office["办公室"].says("附件").says("", file=("setup.exe", b"MZ"))
    assert "不收" in office["办公室"].last
    assert office.ask(lambda db: meetings.papers_of(db, 1)) == []


def test_in_a_group_these_words_are_talk(office: Office) -> None:
    for text in ("会议材料在哪", "附件里有表", "会议记录我发群里了", "日历上写着周五", "签到表打印好了"):
        before = len(office["王老师"].inbox)
        office["王老师"].says(text, in_group=True)
        assert len(office["王老师"].inbox) == before, text


# --- 1 the calendar -------------------------------------------------------------------------------------------


@pytest.mark.stages
def test_a_teacher_gets_the_meetings_as_a_file(office: Office) -> None:
    office["王老师"].says("日历")
    content = office["王老师"].documents[-1].content
    assert b"BEGIN:VCALENDAR\r\n" in content and "教学例会".encode() in content
    assert office["王老师"].sees("日历文件") and not office["王老师"].sees("要订阅链接")  # this school has no site
    office["王老师"].says("日历 链接")
    assert "没有开网页" in office["王老师"].last


def test_a_file_kept_for_one_is_nobody_elses(office: Office) -> None:
    office["王老师"].says("日历")
    found = [office.ask(lambda db, n=n: files.get(db, n)) for n in range(1, 9)]  # type: ignore[misc]
    assert {one.owner for one in found if one} == {3}


# --- only some are asked --------------------------------------------------------------------------------------


def test_only_who_is_asked_is_counted_and_gets_the_papers(open_office: OpenOffice) -> None:
    office = open_office(notices, feature, staff=STAFF)
    office.write(lambda db: [people.change(db, n, department="数学组") for n in (3, 4, 5)])
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 教研会，数学组参加").confirms()
    office["办公室"].says("附件").says("", file=("议程.pdf", b"%PDF"))
    office["王老师"].says("会议材料")
    office["老师08"].says("会议材料")
    assert office["王老师"].documents and not office["老师08"].documents
    office["王老师"].says("日历")
    office["老师08"].says("日历")
    assert "教研会".encode() in office["王老师"].documents[-1].content
    assert "教研会".encode() not in office["老师08"].documents[-1].content
    office.later(to="周五 15:20")
    office["办公室"].says("开始签到")
    office["老师08"].taps("签到")
    assert office["老师08"].told("列席")
    assert office.shown("meeting-door:1").tally == {"已签到": 0}

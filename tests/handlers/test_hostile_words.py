"""Words that would break a message, a table or a screen, through the whole road of every stage: seen as typed.

On paper nothing is drawn, so what stands there is raw; on the wires the signs that turn the writing around are taken
out, and nothing else.
"""

from __future__ import annotations

import re
from io import BytesIO

import openpyxl
import pytest

from handlers.contents import FEATURES
from storage import people
from storage.people import Person
from tests.handlers.conftest import PAPER, OpenOffice
from tests.office import Office
from tests.stages import STAGES

STAFF = 6
WIRES = tuple(name for name in STAGES if name != PAPER)
UNMARKED = re.compile(r"^（\d+/\d+）\n")  # before each part of a long message on Telegram
FAMILY = "👨‍👩‍👧‍👦"
WORDS = (
    "<b>粗</b><script>alert(1)</script>",
    "*粗* _斜_ `码` [点我](http://x.example) ~删~ ||藏||",
    "&lt;b&gt; &amp; &#60; %3Cb%3E",
    '=HYPERLINK("http://x.example","点")',
    "+1-2 @SUM(A1) {name} {0} %s %(x)s $x",
    "\u202e反过来的字",
    "零\u200b宽\ufeff度",
    f"一家{FAMILY}🇨🇳👍🏿",
    "'; DROP TABLE people; --",
    "𠮷野家𪚥",
)
UNSEEN = re.compile("[\u200b\ufeff\u202e ]")
TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069")  # all but U+2068, which is ours


@pytest.fixture
def office(open_office: OpenOffice) -> Office:
    return open_office(*FEATURES, staff=STAFF)


def look(text: str) -> str:
    """What the eye sees: a feature may leave a space, or nothing, where a sign was that nobody sees."""
    return UNSEEN.sub("", text)


@pytest.mark.stages
def test_what_is_typed_is_what_is_seen(office: Office, scene: str) -> None:
    """As topic and place of a meeting, as a comment in both tables, as a thing to learn."""
    office["办公室"].says("征求意见 考勤办法\n第一条　为规范考勤。\n第二条　适用于全体教职工。\n第三条　每天签到两次。")
    office["办公室"].says("周四下午五点").says("可以").says("李校长").taps("确认发布")
    for typed in WORDS:
        words, before = look(typed), len(office.group)
        office["办公室"].says("发通知").says(typed).says("周五下午三点半").says(typed).confirms()
        card = look(office.group[before]).replace("\n", "")  # a long title may be broken
        assert f"会议通知·{words}" in card and card.count(words) == 2, typed
        office["王老师"].says(f"第三条建议改为{typed}")
        assert "已记入第三条意见" in office["王老师"].last, typed
        office["办公室"].says("学习提醒").says(typed).says("每周三下午三点")
        assert any(words in look(text) for text in office["办公室"].inbox[-3:]), typed
        office["办公室"].says("不要了")
    if scene in WIRES:
        assert not any(sign in text for text in office.group for sign in TURNING)
    office["办公室"].says("汇总")
    made = {document.name.rpartition(".")[2]: document.content for document in office["办公室"].documents}
    cells = [cell for page in openpyxl.load_workbook(BytesIO(made["xlsx"])) for row in page.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}  # text and empty cells, no formula
    said = look("\n".join(str(cell.value) for cell in cells))
    assert [typed for typed in WORDS if look(typed) not in said] == []


@pytest.mark.stages
def test_a_name_breaks_no_sentence_and_hides_nobody(office: Office, scene: str) -> None:
    names = {  # on the roster -> on the wire
        "王\u202e师老": "王师老",
        "李\n〔通知 9999-99〕": "李 〔通知 9999-99〕",
        "<i>张</i>": "<i>张</i>",
        "محمد": "\u2068محمد（教学部）\u2069",
        f"赵{FAMILY}": f"赵{FAMILY}",
        "*钱*_老师_": "*钱*_老师_",
        "=1+1": "=1+1",
    }
    for name in names:
        office.write(lambda db, name=name: people.add(db, Person(0, name, "教学部")))  # type: ignore[misc]
    office["办公室"].says("发通知 周五下午三点半 三楼会议室 教学例会").confirms()
    before = len(office["办公室"].inbox)
    shown = "\n".join(office["办公室"].says("谁还没回").inbox[before:])
    assert "=1+1（教学部）" in shown
    if scene in WIRES:
        assert [words for words in names.values() if words not in shown] == []
        assert not any(sign in shown.replace("\u2068محمد（教学部）\u2069", "") for sign in TURNING)


@pytest.mark.stages
def test_four_thousand_signs_arrive_whole_or_are_refused_with_a_sentence(office: Office, scene: str) -> None:
    """A topic is one line; a draft is as long as it is; nothing is cut without a word, and no sign in two."""
    secretary = office["办公室"].says("发通知").says((f"长题目{FAMILY}" * 600)[:4000])
    assert "太长了" in secretary.last and office.group == []
    secretary.says("取消")
    clause = "".join(f"{n}：{FAMILY}<b>𠮷</b>。" for n in range(250))
    text = f"第一条　为规范考勤。\n第二条　{clause}\n第三条　每天签到两次。"
    secretary.says("", file=("考勤办法.txt", text.encode()))
    secretary.says("周四下午五点").says("可以").says("李校长").taps("确认发布")
    reader = office["王老师"]
    before = len(reader.inbox)
    told = reader.says("看全文").inbox[before:]
    assert len(told) > 1 and clause in "".join(UNMARKED.sub("", part) for part in told)
    assert not any(part.startswith("\u200d") or part.endswith("\u200d") for part in told)
    reader.says(f"第二条建议{'改' * 1500}{FAMILY}")
    assert "已记入第二条意见" in reader.last or "太长" in reader.last

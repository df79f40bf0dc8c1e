"""The small story of the rig on 企业微信: in a group and in private, by taps and by words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.channels.wecom_stage import WecomStage
from tests.engine.test_road import feature, hands
from tests.office import Office, sqlite_url


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    stage = WecomStage()
    office = Office(sqlite_url(tmp_path), [feature], stage, staff=6)
    yield office
    office.close()
    stage.close()
    assert stage.fake.folded == []
    assert stage.fake.dropped == []


def test_a_whole_small_story(office: Office) -> None:
    office["办公室"].says("举手")
    assert office["办公室"].last == "发出了"
    assert office["王老师"].taps("举").toast == "已记下"
    assert office["张老师"].taps("举").toast == "已记下"
    assert office.card.tally == {"举手": 2}
    assert "举手" in office.group[-1] and "2" in office.group[-1]
    assert "绑定" in (office["访客"].forges("t.raise:1:1", in_group=False).toast or "")
    office["王老师"].says("请假", in_group=True)
    assert "为什么" in office["王老师"].last
    office["王老师"].taps("监考")
    assert office["王老师"].last == "理由：监考"
    office["王老师"].says("数 abcde")
    assert office["王老师"].last == "5 个字节"


def test_by_words_alone(office: Office) -> None:
    office["办公室"].says("举手")
    office["王老师"].says("请假")
    office["王老师"].says("2")
    assert office["王老师"].last == "理由：监考"


def test_a_story_goes_on_after_a_restart(office: Office) -> None:
    office["办公室"].says("举手")
    office["王老师"].says("请假")
    office.restart()
    office["王老师"].says("家里有事")
    assert office["王老师"].last == "理由：家里有事"
    office["张老师"].taps("举")
    assert office.card.tally == {"举手": 1}
    office.later(hours=2)
    assert office.group[-1] == "结束了" or "结束了" in office.group


def test_each_sees_what_they_pressed_and_a_redraw_costs_nobody_a_message(office: Office) -> None:
    office["办公室"].says("举手")
    stage = office.stage
    assert isinstance(stage, WecomStage)
    before = len(stage.room.from_bot)
    office["王老师"].taps("举")
    office["张老师"].taps("举")
    (message,) = [m for m in stage.room.from_bot if m.card]
    wang, zhang, li = (stage.account(office[name].number or 0) for name in ("王老师", "张老师", "李校长"))
    assert "举手 1" in message.text_for(wang)
    assert "举手 2" in message.text_for(zhang)
    assert "举手 0" in message.text_for(li)
    assert len(stage.room.from_bot) == before


def test_the_last_state_is_a_message_of_its_own(office: Office) -> None:
    office["办公室"].says("举手")
    office["王老师"].taps("举")
    zhang = office["张老师"].number
    office.write(lambda db: db.run(insert(hands).values(person=zhang, up=1)))  # what no click has shown to anybody
    office.later(hours=2)
    assert any("举手 2" in text for text in office.group[1:])


def test_a_suggestion_once_taken_asks_no_more(office: Office) -> None:
    office["王老师"].says("请假")
    assert office["王老师"].taps("有课").toast == "已收到"
    assert not office["王老师"].sees("有课")
    assert "理由：有课" in office["王老师"].inbox

"""The rig itself: one small dialogue on every stage, so that a stage that lies is found here and not in a feature."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.test_road import feature
from tests.office import Office, sqlite_url
from tests.stages import STAGES


@pytest.fixture(params=STAGES)
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    office = Office(sqlite_url(tmp_path), [feature], STAGES[request.param](), staff=6)
    yield office
    office.close()


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


def test_a_story_goes_on_after_a_restart(office: Office) -> None:
    office["办公室"].says("举手")
    office["王老师"].says("请假")
    office.restart()
    office["王老师"].says("家里有事")
    assert office["王老师"].last == "理由：家里有事"
    office["张老师"].taps("举")
    assert office.card.tally == {"举手": 1}
    office.later(hours=2)
    assert "结束了" in office.group

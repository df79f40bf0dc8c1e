"""The projector page and what its code opens: over a real socket, by the school's clock, for the office only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from handlers.meetings import rules
from handlers.meetings.feature import feature
from storage import meetings, notices, people, sessions
from storage.base import Db
from storage.meetings import Door
from tests.channels.web_school import WebSchool

SECRET = "s" * 32


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC).replace(second=1, microsecond=0)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def school(tmp_path: Path, clock: Clock) -> Iterator[WebSchool]:
    """A real school with one meeting in ten minutes and its door open, with a code."""
    made = WebSchool(tmp_path, demo=False, features=[feature], now=clock)

    def announce(db: Db) -> None:
        starts = clock.at + timedelta(minutes=10)
        facts = {"ends": None, "sure": True, "deadline": None, "author": 1, "now": clock.at}
        number = notices.draft(db, topic="<b>例会</b>", place="三楼", starts=starts, **facts)  # type: ignore[arg-type]
        notices.send(db, number, clock.at.date(), clock.at)
        meetings.open_door(db, Door(number, clock.at, clock.at + timedelta(minutes=30), 1, SECRET))

    made.write(announce)
    yield made
    made.close()


def client(school: WebSchool, role: str) -> httpx.Client:
    """Somebody of this role, logged in."""

    def log_in(db: Db) -> str:
        person = people.holding(db, role)[0]
        session, now = sessions.new_id(), school.running.now()
        sessions.begin(db, session, person, now, now + timedelta(days=1))
        people.bind(db, person.id, "web", f"p{person.id}", talk=f"p{person.id}", now=now)
        return session

    return school.client(cookies={"hongzhu": school.write(log_in)})


def test_the_office_projects_and_nobody_else(school: WebSchool) -> None:
    for path in ("/projector/1", "/projector/1/now", "/projector/1/qr.svg"):
        with client(school, "office") as office:
            assert office.get(path).status_code == 200
            assert office.get(path.replace("1", "99", 1)).status_code == 404
        with client(school, "staff") as teacher:
            assert teacher.get(path).status_code == 403
        with school.client() as stranger:
            assert stranger.get(path).status_code == 401


def test_the_code_changes_by_the_schools_clock(school: WebSchool, clock: Clock) -> None:
    door = school.read(lambda db: meetings.door(db, 1))
    assert door is not None
    with client(school, "office") as office:
        first = office.get("/projector/1/now").json()
        assert first["code"] == rules.code(door, clock.at) and first["open"] and first["left"] <= 30
        clock.at += timedelta(seconds=30)
        second = office.get("/projector/1/now").json()
        assert second["code"] == rules.code(door, clock.at)
        clock.at += timedelta(minutes=31)
        over = office.get("/projector/1/now").json()
        assert not over["open"] and over["code"] == ""
        assert office.get("/projector/1/qr.svg").status_code == 404
    assert SECRET not in str(first)


def test_the_page_shows_numbers_and_never_names(school: WebSchool) -> None:
    with client(school, "office") as office:
        page = office.get("/projector/1").text
        names = [one.name for one in school.read(people.active)]
        assert not any(name in page.replace("红烛", "") for name in names if len(name) > 1)
        assert "&lt;b&gt;例会" in page and "<b>例会" not in page
        assert not re.search(r"<script(?![^>]*src=)", page) and "style=" not in page


def test_the_picture_is_a_picture(school: WebSchool) -> None:
    with client(school, "office") as office:
        got = office.get("/projector/1/qr.svg")
    assert got.headers["content-type"] == "image/svg+xml" and got.content.startswith(b"<svg")
    assert b"<script" not in got.content and b"href" not in got.content


def test_who_is_logged_in_signs_with_one_press_and_others_read_what_to_say(school: WebSchool, clock: Clock) -> None:
    door = school.read(lambda db: meetings.door(db, 1))
    assert door is not None
    code = rules.code(door, clock.at)
    with school.client() as stranger:
        page = stranger.get(f"/sign/1/{code}")
        assert page.status_code == 200 and f"签到 {code}" in page.text and "data-words" not in page.text
        assert stranger.get("/sign/1/abcd").status_code == 404
    with client(school, "staff") as teacher:
        page = teacher.get(f"/sign/1/{code}").text
        words = re.search(r'data-words="([^"]*)"', page)
        assert words is not None
        said = teacher.post("/say", json={"id": "sign-12345678", "place": "me", "text": words[1]})
        assert said.json()["ok"]
    assert len(school.read(lambda db: meetings.signed(db, 1))) == 1

"""The calendar link as a program, a stranger and a guesser meet it: over a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.channels.web.feeds import MISSES
from handlers.meetings.feature import feature
from storage import meetings, notices
from storage.base import Db
from tests.channels.web_school import WebSchool
from tests.ics import events


class Clock:
    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def school(tmp_path: Path, clock: Clock) -> Iterator[WebSchool]:
    """A real school with one meeting in two days."""
    made = WebSchool(tmp_path, demo=False, features=[feature], now=clock)

    def announce(db: Db) -> None:
        starts = clock.at + timedelta(days=2)
        facts = {"ends": None, "sure": True, "deadline": None, "author": 1, "now": clock.at}
        number = notices.draft(db, topic="教学例会", place="三楼", starts=starts, **facts)  # type: ignore[arg-type]
        notices.send(db, number, clock.at.date(), clock.at)

    made.write(announce)
    yield made
    made.close()


def link(school: WebSchool, person: int = 3) -> str:
    return "/calendar/" + school.write(lambda db: meetings.new_link(db, person, school.running.now())) + ".ics"


def test_the_link_opens_without_a_cookie_and_sets_none(school: WebSchool) -> None:
    with school.client() as client:
        got = client.get(link(school))
    assert got.status_code == 200 and [one.summary for one in events(got.content)] == ["教学例会"]
    assert got.headers["content-type"] == "text/calendar; charset=utf-8"
    assert got.headers["cache-control"] == "private, max-age=300"
    assert "set-cookie" not in got.headers and got.headers["x-content-type-options"] == "nosniff"


def test_a_link_that_is_none_is_not_found_whatever_it_looks_like(school: WebSchool) -> None:
    right = link(school)
    school.write(lambda db: meetings.revoke_link(db, 3))
    with school.client() as client:
        for path in (right, "/calendar/x.ics", "/calendar/" + "a" * 500 + ".ics", "/calendar/%E7%8E%8B.ics"):
            got = client.get(path)
            assert got.status_code == 404 and "教学例会" not in got.text, path
        assert client.get("/calendar/.ics").status_code == 404
        assert client.get("/calendar/x").status_code == 404


def test_the_link_is_read_and_nothing_else(school: WebSchool) -> None:
    path = link(school)
    with school.client() as client:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, path).status_code == 405
        assert client.get(path, headers={"host": "evil.example"}).status_code == 403


def test_who_guesses_is_stopped_and_may_come_back_later(school: WebSchool, clock: Clock) -> None:
    path = link(school)
    with school.client() as client:
        assert {client.get(f"/calendar/guess{n}.ics").status_code for n in range(MISSES)} == {404}
        stopped = client.get("/calendar/guess.ics")
        assert stopped.status_code == 429 and stopped.headers["retry-after"] == "60"
        assert client.get(path).status_code == 429, "a guesser does not learn which guess was right"
        clock.at += timedelta(seconds=61)
        assert client.get(path).status_code == 200


def test_in_the_demo_there_are_no_links(tmp_path: Path) -> None:
    made = WebSchool(tmp_path, features=[feature])
    with made.client() as client:
        assert client.get(link(made)).status_code == 404
    made.close()

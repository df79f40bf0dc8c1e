"""From the workbench to our pages: one press there, and whoever is on the roster is in. Nobody else, and only once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from bot.channels.web.signin import SignIn
from bot.channels.wecom.app import Application
from bot.serving_wecom import Workbench
from storage import people
from tests.channels.test_wecom_school import SECRET, code_for, settle_in
from tests.channels.web_school import WebSchool
from tests.fakes.wecom import FakeWecom
from tests.test_cli import Running, free_port

SITE = "https://bot.school.example"


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom(corp_id="ww00000000c0ffee01") as one:
        yield one


class Clock:
    ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def school(tmp_path: Path, fake: FakeWecom, clock: Clock) -> Iterator[WebSchool]:
    """王老师 is on the roster, with the account wanglaoshi."""
    app = fake.http.app
    through = Workbench(Application(fake.corp_id, app.secret, app.agent_id, base=fake.url))
    one = WebSchool(tmp_path, demo=False, now=clock, sign_in=SignIn(through, SITE))
    one.write(lambda db: people.bind(db, 3, "wecom", "wanglaoshi", talk=None, now=None))
    fake.user("WangLaoShi", "王老师")
    fake.user("stranger", "生人")
    yield one
    one.run(through.app.close())
    one.close()


def goes(client: httpx.Client, path: str = "/in") -> dict[str, str]:
    """What the platform is asked with."""
    answer = client.get(path, headers={"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert (where.scheme, where.netloc, where.fragment) == ("https", "open.weixin.qq.com", "wechat_redirect")
    return {name: values[0] for name, values in parse_qs(where.query).items()}


def comes_back(client: httpx.Client, state: str, code: str, **more: str) -> httpx.Response:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    return client.get("/in/back", params={"code": code, "state": state, **more}, headers=headers)


def code_of(fake: FakeWecom, userid: str = "WangLaoShi") -> str:
    return fake.http.app.sign_in(fake.people[userid])


def test_whoever_is_known_is_in_with_one_press(school: WebSchool, fake: FakeWecom) -> None:
    with school.client() as client:
        asked = goes(client)
        assert asked["redirect_uri"] == f"{SITE}/in/back" and asked["appid"] == fake.corp_id
        assert re.fullmatch(r"[a-zA-Z0-9]{16,128}", asked["state"])
        assert client.get("/").status_code == 401
        answer = comes_back(client, asked["state"], code_of(fake))
        assert answer.status_code == 200 and "王老师您好" in answer.text and answer.headers["refresh"] == "0; url=/"
        cookies = [cookie.lower() for cookie in answer.headers.get_list("set-cookie")]
        session = next(cookie for cookie in cookies if cookie.startswith("hongzhu="))
        assert "httponly" in session and "samesite=strict" in session
        assert "王老师" in client.get("/").text
    assert school.read(lambda db: people.behind(db, "web", "p3")) is not None


def test_the_one_time_link_works_beside_it(school: WebSchool) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)
    school.write(lambda db: people.issue_code(db, 3, "login", "one-time-login-code-01234", until))
    with school.client() as client:
        goes(client)
        assert client.post("/login/one-time-login-code-01234").status_code == 200
        assert "王老师" in client.get("/").text


def test_a_stranger_is_told_how_to_bind(school: WebSchool, fake: FakeWecom) -> None:
    with school.client() as client:
        answer = comes_back(client, goes(client)["state"], code_of(fake, "stranger"))
        assert answer.status_code == 403 and "向办公室要绑定码" in answer.text
        assert not any(cookie.startswith("hongzhu=") for cookie in answer.headers.get_list("set-cookie"))
        assert client.get("/").status_code == 401
    school.write(lambda db: people.change(db, 3, active=False))
    with school.client() as client:
        assert comes_back(client, goes(client)["state"], code_of(fake)).status_code == 403  # who has left


def test_a_word_is_good_once_here_and_now_only(school: WebSchool, fake: FakeWecom, clock: Clock) -> None:
    with school.client() as client, school.client() as victim:
        state = goes(client)["state"]
        for strange in ("", "x" * 500, "0" * 32, state[:-1], "\u6211"):
            assert comes_back(client, strange, code_of(fake)).status_code == 403
        state = goes(client)["state"]
        assert comes_back(victim, state, code_of(fake)).status_code == 403, "a link that was sent to somebody"
        assert comes_back(client, state, code_of(fake)).status_code == 403, "and then it is used up"
        state = goes(client)["state"]
        kept = client.cookies["hongzhu_in"]
        assert comes_back(client, state, code_of(fake)).status_code == 200
        client.cookies.set("hongzhu_in", kept, path="/in")
        assert comes_back(client, state, code_of(fake)).status_code == 403, "twice"
        state = goes(victim)["state"]
        clock.ahead = timedelta(minutes=11)
        assert comes_back(victim, state, code_of(fake)).status_code == 403, "too late"
        assert victim.get("/").status_code == 401


def test_a_code_is_good_once(school: WebSchool, fake: FakeWecom) -> None:
    code = code_of(fake)
    with school.client() as client, school.client() as thief:
        assert comes_back(client, goes(client)["state"], code).status_code == 200
        assert comes_back(thief, goes(thief)["state"], code).status_code == 403
        for bad in ("", "y" * 2000, "nonsense"):
            assert comes_back(thief, goes(thief)["state"], bad).status_code == 403
        assert thief.get("/").status_code == 401


def test_no_request_says_where_it_goes(school: WebSchool, fake: FakeWecom) -> None:
    evil = "https://evil.example/"
    with school.client() as client:
        for path in (f"/in?next={evil}", f"/in?redirect_uri={evil}", f"/in?back={evil}"):
            assert goes(client, path)["redirect_uri"] == f"{SITE}/in/back"
        state = goes(client)["state"]
        answer = comes_back(client, state, code_of(fake), next=evil, redirect_uri=evil)
        assert answer.headers["refresh"] == "0; url=/" and "evil" not in answer.text + str(answer.headers)
        assert client.get("/in", headers={"host": "evil.example"}).status_code == 403


def test_a_platform_that_cannot_be_asked_is_said_so(
    school: WebSchool, fake: FakeWecom, capfd: pytest.CaptureFixture[str]
) -> None:
    code = code_of(fake)
    fake.fault("auth/getuserinfo", errcode=60020)
    with school.client() as client:
        state = goes(client)["state"]
        answer = comes_back(client, state, code)
    assert answer.status_code == 503 and "登录" in answer.text
    told = "".join(capfd.readouterr())
    assert code not in told and state not in told and fake.http.app.secret not in told


def test_a_session_that_was_there_ends(school: WebSchool, fake: FakeWecom) -> None:
    with school.client() as client:
        comes_back(client, goes(client)["state"], code_of(fake))
        first = client.cookies["hongzhu"]
        comes_back(client, goes(client)["state"], code_of(fake))
        assert client.cookies["hongzhu"] != first
    with school.client(cookies={"hongzhu": first}) as thief:
        assert thief.get("/").status_code == 401


def test_without_the_application_there_is_no_such_page(tmp_path: Path) -> None:
    one = WebSchool(tmp_path, demo=False)
    with one.client() as client:
        assert client.get("/in").status_code == client.get("/in/back").status_code == 404
    one.close()


@pytest.mark.slow
def test_a_running_school_has_the_door(tmp_path: Path, fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the settings to the page, in a process of its own, whose output has no secret."""
    monkeypatch.setenv(SECRET, fake.secret)
    monkeypatch.setenv("HONGZHU_WECOM_APP__SECRET", fake.http.app.secret)
    port = free_port()
    monkeypatch.setenv("HONGZHU_WEB__PUBLIC_URL", f"http://127.0.0.1:{port}")
    app = f'[wecom.app]\ncorp_id = "{fake.corp_id}"\nagent_id = {fake.http.app.agent_id}\n'
    settle_in(tmp_path, fake, app, web=True)
    said = code_for(tmp_path, "李书记")
    secretary = fake.user("LiShuji", "李书记")
    one = Running(tmp_path, port)
    try:
        one.says("红烛已启动")
        fake.wait(lambda: fake.connected, 20)
        secretary.says(said)
        fake.wait(lambda: any("已绑定" in m.text for m in secretary.inbox), what="bound")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            state, code = goes(client)["state"], code_of(fake, "LiShuji")
            assert comes_back(client, state, code).status_code == 200
            assert "李书记" in client.get("/").text
        assert one.process.stdout is not None
        one.process.terminate()
        told = one.process.stdout.read()
        assert not any(secret in told for secret in (state, code, fake.secret, fake.http.app.secret))
    finally:
        one.process.kill()
        one.process.wait(20)
        if one.process.stdout is not None:
            one.process.stdout.close()


def test_the_application_says_who_came_and_nobody_else(fake: FakeWecom) -> None:
    app = fake.http.app

    async def asked() -> list[object]:
        bench = Workbench(Application(fake.corp_id, app.secret, app.agent_id, base=fake.url))
        found = [await bench.who_came(code) for code in (code_of(fake), "nonsense")]
        await bench.app.close()
        return list(found)

    fake.user("WangLaoShi", "王老师")
    known, unknown = asyncio.run(asked())
    assert getattr(known, "id", None) == "wanglaoshi" and unknown is None

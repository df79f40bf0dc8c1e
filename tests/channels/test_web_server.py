"""The web server as a stranger, a thief, a clumsy finger and a lost connection meet it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.channels.web.guard import POLICY
from bot.channels.web.server import build
from bot.engine.port import Answer as Told
from bot.engine.port import Unavailable
from bot.kit.card import Card, Line
from bot.kit.event import Event, Place
from storage import outbox, people, sessions, webchat
from tests.channels.web_school import WebSchool, deed, gallery

CODE = "one-time-code-of-22-chars"
GETS = (
    "/",
    "/as/p3/",
    "/as/p3/stream",
    "/as/p3/older?place=all&before=9",
    "/as/p3/file/1",
    "/healthz",
    "/static/chat.js",
)
POSTS = ("/as/p3/say", "/as/p3/tap", "/as/p3/submit", "/as/p3/upload?id=12345678&place=me", "/as/p3/open")


@pytest.fixture
def school(tmp_path: Path) -> Iterator[WebSchool]:
    made = WebSchool(tmp_path)
    yield made
    made.close()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[WebSchool]:
    """A real school: no switch, one-time links."""
    made = WebSchool(tmp_path, demo=False)
    yield made
    made.close()


@pytest.fixture
def wang(school: WebSchool) -> Iterator[Callable[..., httpx.Response]]:
    with school.client() as client:
        yield lambda path, **facts: client.post(f"/as/p3/{path}", json=facts)


def group(school: WebSchool) -> list[str]:
    return [m.body for m in school.read(lambda db: webchat.recent(db, "all", 50))]


def talk(school: WebSchool, account: str) -> list[str]:
    return [m.gist for m in school.read(lambda db: webchat.recent(db, account, 50))]


# --- the guard ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example"])
def test_another_host_is_refused_everywhere(school: WebSchool, host: str) -> None:
    with school.client() as client:
        for path in GETS:
            assert client.get(path, headers={"host": host}).status_code == 403, path
        for path in POSTS:
            headers = {"host": host, "origin": f"http://{host}"}
            assert client.post(path, json={}, headers=headers).status_code == 403, path


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1", "file://", ""])
def test_a_post_must_come_from_our_own_page(school: WebSchool, origin: str | None) -> None:
    with httpx.Client(base_url=school.url, trust_env=False) as client:
        for path in (*POSTS, "/login/x", "/logout", "/nowhere"):
            headers = {} if origin is None else {"origin": origin}
            assert client.post(path, json=deed(text="收到"), headers=headers).status_code == 403, path
    assert group(school) == []


def test_another_page_may_not_read_along(school: WebSchool) -> None:
    with school.client() as client:
        for path in GETS[1:5]:
            headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
            assert client.get(path, headers=headers).status_code == 403
        headers = {"sec-fetch-site": "cross-site"}
        assert client.post("/as/p3/say", json=deed(text="收到"), headers=headers).status_code == 403


def test_every_answer_carries_the_policy(school: WebSchool) -> None:
    with school.client() as client:
        answers = [
            client.get(path) for path in ("/", "/as/p3/", "/healthz", "/static/chat.js", "/nowhere", "/as/p999/")
        ]
        answers.append(client.post("/as/p3/say", json={}))
        answers.append(client.get("/", headers={"host": "evil.example"}))
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        kept = "immutable" in answer.headers["cache-control"]
        assert kept if "chat.js" in str(answer.url) else answer.headers["cache-control"] == "no-store"


def test_a_socket_is_refused(school: WebSchool) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    with school.client() as client:
        answer = client.get("/as/p3/stream", headers={**headers, "sec-websocket-key": "x" * 22 + "==", "host": "evil"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["/static/../server.py", "/static/%2e%2e/server.py", "/static/..%2f..%2fchannel.py", "/static/"]
)
def test_nothing_but_our_files_is_served(school: WebSchool, path: str) -> None:
    with school.client() as client:
        assert client.get(path).status_code in (404, 405)


def test_the_demo_is_for_this_machine_only(school: WebSchool) -> None:
    with pytest.raises(ValueError, match="this machine"):
        build(school.channel, hosts=("127.0.0.1", "school.example"), demo=True)


# --- saying and tapping ---------------------------------------------------------------------------------------------


def test_what_is_said_in_the_group_is_heard_once(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    said = deed(text="收到")
    for _ in range(3):
        assert wang("say", **said).json()["ok"]
    assert group(school) == ["收到"]
    assert school.meeting.said == ["收到"]


def test_a_double_tap_counts_once(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    tap = deed(token="t.rsvp:1:y")
    assert wang("tap", **tap).json()["toast"] == "已记下：能到"
    assert wang("tap", **tap).json()["toast"] == "已经收到过了。"
    assert school.meeting.taps == 1


def test_a_forged_button_is_answered_and_does_nothing(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    answer = wang("tap", **deed(token="t.nothing:1")).json()
    assert (answer["toast"], answer["alert"]) == ("这个按钮已经失效了，请用最新的消息。", True)


def test_what_is_typed_in_private_is_nowhere_on_disk(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    assert wang("say", **deed("me", text="我投赵老师一票密语")).json()["ok"]
    school.settle()
    assert talk(school, "p3") == ["没看懂。回复“帮助”看看我会做什么。"]
    path = school.shelves.path
    assert path is not None
    for file in path.parent.iterdir():
        assert "密语".encode() not in file.read_bytes(), file.name


def test_a_toast_is_never_stored(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    wang("tap", **deed("me", token="t.rsvp:1:y"))
    school.settle()
    assert talk(school, "p3") == []


def test_too_long_is_refused_with_a_sentence(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    answer = wang("say", **deed(text="好" * 4001))
    assert answer.status_code == 422
    assert "4001" in answer.json()["error"]
    assert wang("say", **deed(text="好" * 60_000)).status_code == 413
    assert group(school) == []


def test_when_nothing_can_be_recorded_it_says_so(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    hear = school.channel._hear

    async def full(event: Event) -> Told:
        raise Unavailable

    school.channel._hear = full
    said = deed(text="收到")
    answer = wang("say", **said)
    assert (answer.status_code, answer.json()["error"]) == (503, "暂时无法记录，请稍后再试。")
    school.channel._hear = hear
    assert wang("say", **said).json()["ok"]
    assert group(school) == ["收到"]
    assert school.meeting.said == ["收到"]


def test_before_anybody_listens_nothing_is_taken(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    school.channel._hear = None
    assert wang("say", **deed(text="收到")).status_code == 503
    assert wang("open").status_code == 503
    assert group(school) == []
    with school.client() as client:
        assert client.get("/healthz").status_code == 503


def test_a_bug_is_a_sentence_too(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    async def broken(event: Event) -> Told:
        raise RuntimeError("secret detail")

    school.channel._hear = broken
    answer = wang("say", **deed("me", text="你好"))
    assert answer.status_code == 500
    assert answer.json() == {"error": "出了点问题，请稍后再试。"}


def test_a_reply_names_the_card(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    wang("say", **deed(text="第一句"))
    first = school.read(lambda db: webchat.recent(db, "all", 1))[0].seq
    wang("say", **deed(text="收到", quotes=str(first)))
    answer = school.read(lambda db: webchat.recent(db, "all", 1))[0]
    assert (answer.quoted_name, answer.quoted_gist) == ("王老师", "第一句")


def test_a_card_can_be_quoted_by_its_message(school: WebSchool) -> None:
    with school.client() as client:
        client.post("/as/p2/say", json=deed(text="开会"))
    school.settle()
    seq = school.read(lambda db: webchat.recent(db, "all", 1))[0].seq
    assert school.read(lambda db: outbox.card_of(db, "web", "all", str(seq))) == "meet:1"


def test_opening_the_talk_is_greeted_once(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    for _ in range(2):
        assert wang("open").json() == {"ok": True}
    school.settle()
    assert talk(school, "p3") == ["您好，我是红烛。回复“帮助”看看我会做什么。"]


def test_a_form_may_come_whole(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    wang("submit", **deed("me", form="test.why", values={"reason": "监考"}))
    school.settle()
    assert talk(school, "p3")[0].startswith("已记下：请假（监考）")


# --- files ----------------------------------------------------------------------------------------------------------


def upload(
    school: WebSchool, name: str, content: bytes, where: str = "me", nonce: str = "upload-0001"
) -> httpx.Response:
    from urllib.parse import quote

    with school.client() as client:
        headers = {"x-file-name": quote(name)}
        return client.post(f"/as/p3/upload?id={nonce}&place={where}", content=content, headers=headers)


def test_a_file_reaches_the_feature_and_is_not_kept(school: WebSchool) -> None:
    assert upload(school, "意见.txt", b"12345").json()["ok"]
    school.settle()
    assert talk(school, "p3") == ["收到文件 意见.txt，5 字节。"]


def test_a_file_in_the_group_is_everybodys(school: WebSchool) -> None:
    for _ in range(2):
        upload(school, "../意见 稿.txt", b"12345", "all")
    found = [m for m in school.read(lambda db: webchat.recent(db, "all", 9)) if m.kind == "file"]
    assert [m.body for m in found] == ["意见 稿.txt"]
    with school.client() as client:
        answer = client.get(f"/as/p4/file/{found[0].file}")
    assert answer.content == b"12345"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="file-{found[0].file}.txt"')


@pytest.mark.parametrize(
    ("name", "content", "status"), [("a.exe", b"x", 415), ("a.txt", b"", 422), ("a.txt", b"x" * 200_001, 413)]
)
def test_other_files_are_refused(school: WebSchool, name: str, content: bytes, status: int) -> None:
    assert upload(school, name, content).status_code == status


def test_a_file_without_a_length_is_capped_too(school: WebSchool) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(300):
            yield b"x" * 1000

    with school.client() as client:
        answer = client.post("/as/p3/upload?id=12345678&place=me", content=endless(), headers={"x-file-name": "a.txt"})
    assert answer.status_code == 413


def test_a_private_file_is_its_owners(school: WebSchool) -> None:
    file = school.keep_file("talk.html", b"<script>1</script>", owner=3)
    with school.client() as client:
        assert client.get(f"/as/p3/file/{file}").headers["content-type"] == "application/octet-stream"
        for stranger in ("p2", "p4", "gabcdef01"):
            assert client.get(f"/as/{stranger}/file/{file}").status_code == 404


# --- who is who -----------------------------------------------------------------------------------------------------


def test_the_demo_begins_as_the_office(school: WebSchool) -> None:
    with school.client() as client:
        assert client.get("/").headers["location"] == "/as/p2/"
        page = client.get("/as/p2/").text
    assert "李校长" in page
    assert "访客" in page


def test_a_stranger_sees_nothing_of_the_group(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    wang("say", **deed(text="内部消息"))
    with school.client(follow_redirects=True) as client:
        page = client.get("/as/guest/")
        base = str(page.url)
        assert "内部消息" not in page.text
        assert "pane-all" not in page.text
        assert client.get(f"{base}older?place=all&before=99").status_code == 403
        assert client.post(f"{base}say", json=deed(text="我来了")).status_code == 403
        assert client.post(f"{base}tap", json=deed(token="t.rsvp:1:y")).status_code == 403
        client.post(f"{base}tap", json=deed("me", token="t.rsvp:1:y"))
        assert "内部消息" not in "".join(hear(client, f"{base}stream?after=0.0", 0.5))
    assert school.meeting.answers == {}


@pytest.mark.parametrize("who", ["p999", "p0", "x", "p3x", "g", "all"])
def test_nobody_else_exists(school: WebSchool, who: str) -> None:
    with school.client() as client:
        assert client.get(f"/as/{who}/").status_code == 401
        assert client.get(f"/as/{who}/stream").status_code == 401
        assert client.post(f"/as/{who}/say", json=deed(text="你好")).status_code == 401


def test_a_real_school_has_no_switch(real: WebSchool) -> None:
    with real.client() as client:
        for path in ("/as/p3/", "/as/guest/", "/as/p3/stream"):
            assert client.get(path).status_code == 404
        assert client.post("/as/p3/say", json=deed(text="收到")).status_code == 404
        assert client.get("/").status_code == 401
        assert "pane-all" not in client.get("/").text
        for path in ("/stream", "/older?place=all&before=9", "/file/1"):
            assert client.get(path).status_code == 401
        for path in ("/say", "/tap", "/submit", "/open", "/upload?id=12345678&place=me"):
            assert client.post(path, json=deed(text="收到")).status_code == 401


def link(school: WebSchool, person: int = 3, code: str = CODE, minutes: int = 5) -> str:
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    school.write(lambda db: people.issue_code(db, person, "login", code, until))
    return f"/login/{code}"


def test_a_link_is_used_by_the_press_and_not_by_a_preview(real: WebSchool) -> None:
    path = link(real)
    with real.client() as client:
        for _ in range(3):
            assert "进入" in client.get(path).text
        assert client.get("/").status_code == 401
        entered = client.post(path)
        cookie = entered.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert "王老师" in client.get("/").text
        assert client.post(path).status_code == 403
    assert real.read(lambda db: people.behind(db, "web", "p3")) is not None


@pytest.mark.parametrize("minutes", [-1])
def test_an_old_link_opens_nothing(real: WebSchool, minutes: int) -> None:
    with real.client() as client:
        assert client.post(link(real, minutes=minutes)).status_code == 403
        assert client.post("/login/unknown-unknown-unknown").status_code == 403
        assert client.post(link(real, code="123456")).status_code == 403, "a code that can be guessed is no key"
        assert client.get("/").status_code == 401


def test_a_login_makes_a_new_session_and_ends_the_old_one(real: WebSchool) -> None:
    with real.client() as client:
        client.cookies.set("hongzhu", "fixed-by-somebody-else")
        client.post(link(real))
        first = client.cookies["hongzhu"] if len(list(client.cookies.jar)) == 1 else _last(client)
        assert first != "fixed-by-somebody-else"
        client.post(link(real))
    with real.client(cookies={"hongzhu": first}) as thief:
        assert thief.get("/").status_code == 401


def _last(client: httpx.Client) -> str:
    return [c.value or "" for c in client.cookies.jar if c.value != "fixed-by-somebody-else"][-1]


@pytest.mark.parametrize("end", ["logout", "role", "leave", "revoke"])
def test_a_stolen_cookie_is_worth_nothing_afterwards(real: WebSchool, end: str) -> None:
    with real.client() as client:
        client.post(link(real))
        stolen = client.cookies["hongzhu"]
        assert client.get("/").status_code == 200
        ends: dict[str, Callable[[], Any]] = {
            "logout": lambda: client.post("/logout"),
            "role": lambda: real.write(lambda db: people.change(db, 3, role="office")),
            "leave": lambda: real.write(lambda db: people.change(db, 3, active=False)),
            "revoke": lambda: real.write(lambda db: sessions.end_all(db, 3)),
        }
        ends[end]()
    with real.client(cookies={"hongzhu": stolen}) as thief:
        assert thief.get("/").status_code == 401
        assert thief.get("/stream").status_code == 401
        assert thief.post("/say", json=deed(text="收到")).status_code == 401


def test_an_open_stream_ends_with_the_session(real: WebSchool) -> None:
    with real.client() as client:
        client.post(link(real))
        cookie = client.cookies["hongzhu"]
        with client.stream("GET", "/stream", timeout=10) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1500"
            with real.client(cookies={"hongzhu": cookie}) as other:
                other.post("/logout")
            assert "event: gone" in list(lines)


# --- hearing --------------------------------------------------------------------------------------------------------


def hear(client: httpx.Client, path: str, seconds: float = 1.0, headers: dict[str, str] | None = None) -> list[str]:
    """What a stream brings within that time."""
    lines: list[str] = []
    try:
        with client.stream("GET", path, headers=headers, timeout=seconds) as stream:
            lines.extend(stream.iter_lines())
    except httpx.ReadTimeout:
        return lines
    return lines


def frames(
    client: httpx.Client, path: str, count: int, headers: dict[str, str] | None = None
) -> list[tuple[str, dict[str, str]]]:
    """The next ``count`` messages of a stream: id and content."""
    found: list[tuple[str, dict[str, str]]] = []
    number = ""
    with client.stream("GET", path, headers=headers, timeout=5) as stream:
        for line in stream.iter_lines():
            if line.startswith("id: "):
                number = line[4:]
            elif line.startswith("data: {"):
                found.append((number, json.loads(line[6:])))
                if len(found) == count:
                    return found
    raise AssertionError(found)


def test_who_comes_back_misses_nothing(school: WebSchool, wang: Callable[..., httpx.Response]) -> None:
    wang("say", **deed(text="一"))
    with school.client() as client:
        first = frames(client, "/as/p4/stream?after=0.0", 1)[0]
        assert ">一<" in first[1]["html"]
        wang("say", **deed(text="二"))
        client.post("/as/p4/say", json=deed("me", text="帮助"))
        school.settle()
        wang("say", **deed(text="三"))
        again = frames(client, "/as/p4/stream?after=0.0", 3, {"last-event-id": first[0]})
        group = [content["html"] for _, content in again if content["where"] == "all"]
        assert [word for word in "一二三" if any(f">{word}<" in html for html in group)] == ["二", "三"]
        assert [content["where"] for _, content in again].count("me") == 1
        assert hear(client, "/as/p4/stream", 0.5, {"last-event-id": again[-1][0]}) == ["retry: 1500", ""]


def test_an_edit_is_heard_as_well(school: WebSchool) -> None:
    place = Place("web", "all", private=False)
    ref = school.run(school.channel.send(place, Card("x:1", "例会", [Line("甲")])))[0]
    with school.client() as client:
        mark, _ = frames(client, "/as/p4/stream", 1)[0]
        school.run(school.channel.edit(place, ref, Card("x:1", "例会", [Line("乙")]), final=False))
        number, content = frames(client, "/as/p4/stream", 1, {"last-event-id": mark})[0]
    assert int(number.partition(".")[0]) > int(mark.partition(".")[0])
    assert f'id="m{ref}"' in content["html"]
    assert "乙" in content["html"]


def test_many_listeners_share_one_reading(school: WebSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.channels.web import live

    reads: list[int] = []
    since = live.webchat.since
    monkeypatch.setattr(
        live.webchat, "since", lambda db, place, after: (reads.append(after), since(db, place, after))[1]
    )
    ears = [school.channel.hub.open({"all": 0}) for _ in range(50)]

    async def all_read() -> None:
        for _ in ears:
            await school.channel.hub.since("all", 0)

    school.run(all_read())
    assert len(reads) == 1
    for ear in ears:
        school.channel.hub.leave(ear)


@pytest.mark.parametrize("seen", ["", "x", "-1.-1", "9" * 40, "１.２", "1.2.3"])
def test_a_strange_number_is_no_reason_to_fall_over(school: WebSchool, seen: str) -> None:
    with school.client() as client:
        assert hear(client, f"/as/p3/stream?after={seen}", 0.3)[0] == "retry: 1500"


def test_a_card_that_is_gone_is_told(school: WebSchool) -> None:
    from bot.engine.port import DeliveryFailed

    with pytest.raises(DeliveryFailed) as failed:
        school.run(school.channel.edit(Place("web", "all", private=False), "999", gallery("x"), final=False))
    assert failed.value.gone


def test_closing_does_not_wait_for_open_pages(tmp_path: Path) -> None:
    made = WebSchool(tmp_path)
    with made.client() as client, client.stream("GET", "/as/p3/stream", timeout=10) as stream:
        next(stream.iter_lines())
        began = time.monotonic()
        made.close()
        assert time.monotonic() - began < 2.5


# --- the platform's door --------------------------------------------------------------------------------------------


def test_the_webhook_asks_for_no_origin_and_no_host(school: WebSchool) -> None:
    with httpx.Client(base_url=school.url, trust_env=False) as client:
        headers = {"host": "bot.school.example", "x-telegram-bot-api-secret-token": "right"}
        assert client.post("/telegram/webhook", content=b'{"update_id":1}', headers=headers).status_code == 200
        assert client.post("/telegram/webhook", content=b"{}").status_code == 403
        assert client.get("/telegram/webhook").status_code == 405
        assert client.post("/telegram/webhook", content=b"x" * (1024 * 1024 + 1)).status_code == 413
        assert client.post("/telegram/webhook/", content=b"{}").status_code == 403
    assert school.hooks == [(b'{"update_id":1}', "right"), (b"{}", None)]

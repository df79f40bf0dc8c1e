"""The fake keeps the platform's rules (reference, 4.2, 7 and 11); driven by bare frames, and from another process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.fakes.wecom import FakeWecom
from tests.fakes.wecom_control import RemoteWecom

BUTTONS: dict[str, Any] = {
    "card_type": "button_interaction",
    "main_title": {"title": "例会"},
    "button_list": [{"text": "能到", "style": 1, "key": "y"}],
    "task_id": "t1",
}


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake


class Wire:
    """A bot that does exactly what the test says."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.number = 0

    async def ask(self, cmd: str, body: Any = None, req_id: str = "") -> tuple[int, Any]:
        self.number += 1
        number = req_id or f"r{self.number}"
        await self.socket.send(json.dumps({"cmd": cmd, "headers": {"req_id": number}, "body": body}))
        while True:
            told = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
            if "cmd" not in told and told["headers"]["req_id"] == number:
                return told["errcode"], told.get("body")

    async def hears(self) -> Any:
        while "cmd" not in (told := json.loads(await asyncio.wait_for(self.socket.recv(), 5))):
            pass
        return told

    async def sends(self, chatid: str, text: str = "x") -> int:
        body = {"chatid": chatid, "msgtype": "markdown", "markdown": {"content": text}}
        return (await self.ask("aibot_send_msg", body))[0]

    async def card(self, chatid: str, card: dict[str, Any]) -> int:
        body = {"chatid": chatid, "msgtype": "template_card", "template_card": card}
        return (await self.ask("aibot_send_msg", body))[0]


@asynccontextmanager
async def wire(fake: FakeWecom, *, subscribed: bool = True) -> AsyncIterator[Wire]:
    async with connect(fake.ws_url, ping_interval=None, proxy=None) as socket:
        one = Wire(socket)
        if subscribed:
            assert await one.ask("aibot_subscribe", {"bot_id": fake.bot_id, "secret": fake.secret}) == (0, None)
        yield one


async def test_first_of_all_one_subscribes(fake: FakeWecom) -> None:
    async with wire(fake, subscribed=False) as one:
        assert await one.sends("anybody") == 846609
        assert (await one.ask("aibot_subscribe", {"bot_id": fake.bot_id, "secret": "x"}))[0] == 853000
        assert (await one.ask("ping"))[0] == 0


async def test_whoever_subscribes_throws_the_other_out(fake: FakeWecom) -> None:
    async with wire(fake) as old, wire(fake) as new:
        assert (await old.hears())["body"]["event"]["eventtype"] == "disconnected_event"
        with pytest.raises(ConnectionClosed):
            await old.hears()
        assert (await new.ask("ping"))[0] == 0


async def test_only_who_wrote_before_is_written_to_and_thirty_times_a_minute(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    async with wire(fake) as one:
        assert await one.sends("nobody") == 93006
        assert await one.sends("wang") == fake.cold_code
        wang.says("你好")
        for _each in range(30):
            assert await one.sends("wang") == 0
        assert await one.sends("wang") == 846607
        fake.clock.advance(seconds=61)
        assert await one.sends("wang") == 0
        assert await one.sends("wang", "") == 44004
        assert await one.sends("wang", "字" * 6827) == 40058


async def test_a_group_is_heard_only_where_the_bot_is_named(fake: FakeWecom) -> None:
    room = fake.group("组")
    wang = fake.user("Wang")
    async with wire(fake) as one:
        assert wang.says("没人听", in_=room, mention=False) is None
        wang.says("听得见", in_=room)
        body = (await one.hears())["body"]
    assert body["text"]["content"] == "@红烛 听得见"
    assert (body["chattype"], body["chatid"], body["from"]) == ("group", room.id, {"userid": "Wang"})
    assert "create_time" not in body


async def test_a_click_is_answered_once_within_five_seconds_and_for_its_own_card(fake: FakeWecom) -> None:
    wang, li = fake.user("wang", known=True), fake.user("li", known=True)
    room = fake.group("组", members=[wang, li], known=True)
    new = {**BUTTONS, "main_title": {"title": "例会", "desc": "已记下"}}
    async with wire(fake) as one:
        assert await one.card(room.id, BUTTONS) == 0
        assert await one.card(room.id, BUTTONS) == 42014
        press = wang.presses("例会", "能到")
        event = await one.hears()
        number = event["headers"]["req_id"]
        assert event["body"]["event"]["template_card_event"]["task_id"] == "t1"
        update = {"response_type": "update_template_card", "userids": ["wang"], "template_card": new}
        other = {**update, "template_card": {**new, "task_id": "t2"}}
        assert (await one.ask("aibot_respond_update_msg", other, number))[0] == 42014
        assert (await one.ask("aibot_respond_msg", {"msgtype": "markdown"}, number))[0] == 846605
        assert (await one.ask("aibot_respond_update_msg", update, number))[0] == 0
        assert (await one.ask("aibot_respond_update_msg", update, number))[0] == 846605
        assert press.answered and "已记下" in press.text
        (message,) = room.from_bot
        assert "已记下" in message.text_for("wang") and "已记下" not in message.text_for("li")
        wang.presses(message, "能到")
        number = (await one.hears())["headers"]["req_id"]
        fake.clock.advance(seconds=6)
        assert (await one.ask("aibot_respond_update_msg", update, number))[0] == 846605
        li.presses(message, "能到")
        number = (await one.hears())["headers"]["req_id"]
        assert (await one.ask("aibot_respond_update_msg", {**update, "userids": None}, number))[0] == 0
        assert "已记下" in message.text_for("li")


async def test_a_kind_may_or_may_not_change(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    vote = {
        "card_type": "vote_interaction", "main_title": {"title": "例会"}, "task_id": "t1",
        "checkbox": {"question_key": "q", "option_list": [{"id": "a", "text": "一"}]},
        "submit_button": {"text": "提交", "key": "s"},
    }  # fmt: skip
    async with wire(fake) as one:
        await one.card("wang", BUTTONS)
        for allowed, wanted in ((False, 42031), (True, 0)):
            fake.updates_may_change_type = allowed
            wang.presses(wang.inbox[0], "能到")
            number = (await one.hears())["headers"]["req_id"]
            body = {"response_type": "update_template_card", "template_card": vote}
            assert (await one.ask("aibot_respond_update_msg", body, number))[0] == wanted


async def test_a_welcome_is_for_who_comes_once_a_day(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    async with wire(fake) as one:
        assert wang.opens() and not wang.opens()
        event = await one.hears()
        number, said = event["headers"]["req_id"], {"msgtype": "text", "text": {"content": "您好"}}
        assert "chatid" not in event["body"] and "chattype" not in event["body"]
        assert (await one.ask("aibot_respond_welcome_msg", {"msgtype": "markdown"}, number))[0] == 40008
        assert (await one.ask("aibot_respond_welcome_msg", said, number))[0] == 0
        assert (await one.ask("aibot_respond_welcome_msg", said, number))[0] == 846605
        fake.clock.advance(days=1)
        assert wang.opens()


async def test_streams_end(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    async with wire(fake) as one:
        wang.says("天气")
        number = (await one.hears())["headers"]["req_id"]

        async def says(id: str, content: str, finish: bool = False) -> int:
            stream = {"id": id, "finish": finish, "content": content}
            return (await one.ask("aibot_respond_msg", {"msgtype": "stream", "stream": stream}, number))[0]

        assert [await says("a", "晴"), await says("a", "晴天", finish=True), await says("a", "雨")] == [0, 0, 846608]
        assert await says("b", "一") == 0
        fake.clock.advance(minutes=7)
        assert await says("b", "二") == 846608
        assert await says("c", "字" * 6827) == 40058
        fake.clock.advance(days=1)
        assert await says("d", "晚") == 846605
    assert [m.text for m in wang.inbox] == ["晴天", "一"]


LONG = "字" * 40


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"card_type": "new"}, 42031),
        ({"task_id": "有字"}, 42014),
        ({"task_id": "x" * 129}, 42014),
        ({"main_title": {}}, 41016),
        ({"button_list": []}, 42038),
        ({"button_list": [{"text": "一", "key": f"k{n}"} for n in range(7)]}, 42038),
        ({"button_list": [{"text": "一", "key": "k"}, {"text": "二", "key": "k"}]}, 42039),
        ({"button_list": [{"text": "一", "key": "k" * 1025}]}, 42039),
        ({"horizontal_content_list": [{"keyname": "一", "value": "二"}] * 7}, 42035),
        ({"horizontal_content_list": [{"value": "二"}]}, 42035),
        ({"surprise": 1}, 40058),
        ({"card_type": "text_notice"}, 42045),
        ({"card_type": "vote_interaction"}, 42043),
        ({"card_type": "multiple_interaction"}, 42047),
    ],
)
async def test_a_card_outside_the_limits_is_refused(fake: FakeWecom, change: dict[str, Any], code: int) -> None:
    fake.user("wang", known=True)
    async with wire(fake) as one:
        assert await one.card("wang", {**BUTTONS, **change}) == code
    assert fake.people["wang"].inbox == []


async def test_what_is_longer_than_advised_is_folded_and_noted(fake: FakeWecom) -> None:
    fake.user("wang", known=True)
    async with wire(fake) as one:
        assert await one.card("wang", {**BUTTONS, "sub_title_text": LONG * 3, "main_title": {"title": LONG}}) == 0
    assert len(fake.folded) == 2


async def test_a_file_comes_in_pieces(fake: FakeWecom) -> None:
    fake.user("wang", known=True)
    async with wire(fake) as one:
        begin = {"type": "file", "filename": "a.txt", "total_size": 12, "total_chunks": 2, "md5": ""}
        code, told = await one.ask("aibot_upload_media_init", begin)
        assert code == 0
        pieces = [{**told, "chunk_index": n, "base64_data": "aGVsbG8h"} for n in (1, 0, 1)]
        assert (await one.ask("aibot_upload_media_finish", told))[0] == 40058
        for piece in pieces:
            assert (await one.ask("aibot_upload_media_chunk", piece))[0] == 0
        code, told = await one.ask("aibot_upload_media_finish", told)
        body = {"chatid": "wang", "msgtype": "file", "file": {"media_id": told["media_id"]}}
        assert (await one.ask("aibot_send_msg", body))[0] == 0
        assert (await one.ask("aibot_upload_media_init", {**begin, "total_size": 5}))[0] == 40058
    assert fake.people["wang"].inbox[0].file == ("a.txt", b"hello!hello!")


async def test_callbacks_that_found_nobody_come_later_or_never(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    wang.says("一")
    assert wang.opens() is False
    fake.keeps_messages = False
    wang.says("二")
    async with wire(fake) as one:
        assert (await one.hears())["body"]["text"]["content"] == "一"
        wang.says("三")
        assert (await one.hears())["body"]["text"]["content"] == "三"


def test_from_another_process_with_a_book(tmp_path: Path) -> None:
    book = tmp_path / "seen.jsonl"

    async def bot(remote: RemoteWecom) -> None:
        async with connect(remote.ws_url, ping_interval=None, proxy=None) as socket:
            one = Wire(socket)
            await one.ask("aibot_subscribe", {"bot_id": remote.bot_id, "secret": remote.secret})
            wang = await asyncio.to_thread(remote.user, "wang", "王老师")
            await asyncio.to_thread(wang.says, "你好")
            await one.hears()
            await one.card("wang", BUTTONS)
            press = await asyncio.to_thread(wang.presses, "例会", "能到")
            number = (await one.hears())["headers"]["req_id"]
            body = {"response_type": "update_template_card", "template_card": {**BUTTONS, "sub_title_text": "已记下"}}
            await one.ask("aibot_respond_update_msg", body, number)
            assert (await asyncio.to_thread(remote.ask, "press", id=press["press"]))["answered"]
            (message,) = await asyncio.to_thread(lambda: wang.inbox)
            assert "已记下" in message["text"]

    with RemoteWecom.spawn(log=book) as remote:
        asyncio.run(bot(remote))
        with pytest.raises(RuntimeError, match="no verb"):
            remote.user("li").flies()
    lines = [json.loads(line) for line in book.read_text().splitlines()]
    assert [line["what"] for line in lines] == ["subscribed", "said", "sent", "pressed", "updated"]

"""The published SDKs against our fake, and an independent crypto against ours: what keeps the fake honest.

They are for tests alone; where they are not installed these tests are skipped. Their known faults (no new connection
after a clean close, a war after a kick) are why the bot has a client of its own, and are not tried here.
"""

from __future__ import annotations

import asyncio
import base64
import importlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom import crypto
from bot.channels.wecom.callback import SEALED
from bot.channels.wecom.crypto import Seal
from tests.fakes.wecom import FakeWecom

TOKEN, KEY, CORP = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
PAYLOADS = Path(__file__).parents[1] / "channels" / "payloads" / "wecom"
CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "教学例会", "desc": "周五 15:30"},
    "button_list": [{"text": "能到", "style": 1, "key": "y"}, {"text": "请假", "style": 2, "key": "n"}],
}


class Quiet:
    """A logger that says nothing; neither SDK asks for more than these."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *words: None


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as one:
        yield one


Bot = Any
Open = Callable[[], Any]


def _community(fake: FakeWecom, secret: str) -> Bot:
    sdk = pytest.importorskip("wecom_aibot_sdk")
    return sdk.WSClient(fake.bot_id, secret, ws_url=fake.ws_url, logger=Quiet(), max_auth_failure_attempts=1)


def _official(fake: FakeWecom, secret: str, monkeypatch: pytest.MonkeyPatch) -> Bot:
    sdk = pytest.importorskip("aibot")
    monkeypatch.setattr(importlib.import_module("aibot.ws"), "_SSL_CONTEXT", None)  # it insists on wss
    options = sdk.WSClientOptions(bot_id=fake.bot_id, secret=secret, ws_url=fake.ws_url, logger=Quiet())
    return sdk.WSClient(options)


@pytest.fixture(params=["community", "official"])
def make(request: pytest.FixtureRequest, fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Bot]:
    if request.param == "community":
        return lambda secret: _community(fake, secret)
    return lambda secret: _official(fake, secret, monkeypatch)


@asynccontextmanager
async def connected(bot: Bot) -> AsyncIterator[dict[str, asyncio.Queue[Any]]]:
    """The frames it hears, by the name of its event."""
    heard: dict[str, asyncio.Queue[Any]] = {}
    for name in ("authenticated", "message.text", "event.template_card_event", "event.enter_chat", "disconnected"):
        queue = heard[name] = asyncio.Queue[Any]()
        bot.on(name, lambda *frame, queue=queue: queue.put_nowait(frame[0] if frame else None))
    await bot.connect()
    await asyncio.wait_for(heard["authenticated"].get(), 10)
    try:
        yield heard
    finally:
        ended = bot.disconnect()
        if isinstance(ended, Awaitable):
            await ended
        await asyncio.sleep(0)


async def next_of(queue: asyncio.Queue[Any]) -> Any:
    return await asyncio.wait_for(queue.get(), 10)


async def test_words_are_heard_and_answered(fake: FakeWecom, make: Callable[[str], Bot]) -> None:
    wang = fake.user("wang", "王老师")
    room = fake.group("全体教职工群", members=[wang])
    bot = make(fake.secret)
    async with connected(bot) as heard:
        await asyncio.to_thread(wang.says, "收到", room)
        frame = await next_of(heard["message.text"])
        assert "收到" in frame["body"]["text"]["content"] and frame["body"]["chattype"] == "group"
        await bot.reply_stream(frame, "s1", "在想", False)
        await bot.reply_stream(frame, "s1", "已记下", True)
        sent = await bot.send_message(room.id, {"msgtype": "markdown", "markdown": {"content": "**通知**"}})
        assert sent["errcode"] == 0
    assert [message.text for message in room.from_bot] == ["已记下", "**通知**"]


async def test_a_card_is_pressed_and_updated(fake: FakeWecom, make: Callable[[str], Bot]) -> None:
    wang = fake.user("wang", "王老师", known=True)
    bot = make(fake.secret)
    async with connected(bot) as heard:
        card = {**CARD, "task_id": "task-1"}
        await bot.send_message("wang", {"msgtype": "template_card", "template_card": card})
        press = await asyncio.to_thread(wang.presses, "教学例会", "能到")
        frame = await next_of(heard["event.template_card_event"])
        told = frame["body"]["event"]["template_card_event"]
        assert (told["event_key"], told["task_id"]) == ("y", "task-1")
        updated = {**card, "main_title": {"title": "教学例会", "desc": "已记下：能到"}}
        await bot.update_template_card(frame, updated, ["wang"])
        assert "已记下：能到" in await asyncio.to_thread(press.wait)
        with pytest.raises(Exception, match="846605"):
            await bot.update_template_card(frame, updated, ["wang"])


async def test_whoever_opens_the_talk_is_welcomed(fake: FakeWecom, make: Callable[[str], Bot]) -> None:
    wang = fake.user("wang", "王老师")
    bot = make(fake.secret)
    async with connected(bot) as heard:
        await asyncio.to_thread(wang.opens)
        frame = await next_of(heard["event.enter_chat"])
        await bot.reply_welcome(frame, {"msgtype": "text", "text": {"content": "您好"}})
    assert [message.text for message in wang.inbox] == ["您好"]


async def test_a_file_is_brought_up_and_a_file_is_opened(fake: FakeWecom) -> None:
    """Only one of the two can upload; each opens what somebody sent, with the key that came along."""
    wang = fake.user("wang", "王老师", known=True)
    bot = _community(fake, fake.secret)
    async with connected(bot):
        content = bytes(range(256)) * 5000  # three pieces
        brought = await bot.upload_media(content, type="file", filename="汇总.xlsx")
        await bot.send_message("wang", {"msgtype": "file", "file": {"media_id": brought["media_id"]}})
    assert wang.inbox[0].file == ("汇总.xlsx", content)


async def test_whoever_subscribes_later_takes_the_bot(fake: FakeWecom) -> None:
    bot = _community(fake, fake.secret)
    other = _community(fake, fake.secret)
    async with connected(bot) as heard, connected(other):
        await next_of(heard["disconnected"])
        assert fake.connected


@pytest.mark.parametrize("module", ["wecom_aibot_sdk.crypto", "aibot.crypto_utils"])
def test_their_files_are_ours(module: str) -> None:
    theirs = pytest.importorskip(module)
    key, content = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2A=", b"hello wecom media\n"
    sealed = base64.b64decode("OndPWicVVi6oPKe/3nvr/KwXVAazRtY+grA+oPd2AeM=")
    assert theirs.decrypt_file(sealed, key) == content == crypto.media(key, sealed)


# --- envelopes, by another hand -------------------------------------------------------------------------------


def theirs_for(receiver: str) -> Any:
    return pytest.importorskip("wechatpy.enterprise.crypto").WeChatCrypto(TOKEN, KEY, receiver)


def test_the_official_samples_are_read_by_both() -> None:
    theirs = theirs_for(CORP)
    body = (PAYLOADS / "official_post.xml").read_text()
    signed = "477715d11cdb4164915debcba66cb864d751f3e6"
    opened = theirs.decrypt_message(body, signed, "1409659813", "1372623149")
    found = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]>", body)
    assert found is not None
    assert Seal(TOKEN, KEY, CORP).open(signed, "1409659813", "1372623149", found[1]).decode() == _text(opened)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=400)


@given(words)
def test_they_read_what_we_seal(said: str) -> None:
    theirs = theirs_for(CORP)
    sealed, signed = Seal(TOKEN, KEY, CORP).close(said.encode(), "1409659813", "n1")
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    assert _text(theirs.decrypt_message(body, signed, "1409659813", "n1")) == said


@given(words)
def test_we_read_what_they_seal(said: str) -> None:
    theirs = theirs_for(CORP)
    envelope = _text(theirs.encrypt_message(said, "n1", "1409659813"))
    (sealed,) = SEALED.findall(envelope.encode())
    signed = re.search(r"<MsgSignature><!\[CDATA\[(.*?)\]\]>", envelope)
    assert signed is not None
    assert Seal(TOKEN, KEY, CORP).open(signed[1], "1409659813", "n1", sealed.decode()).decode() == said


def test_they_refuse_what_is_for_another_corp_as_we_do() -> None:
    theirs = theirs_for(CORP)
    sealed, signed = Seal(TOKEN, KEY, "wxffffffffffffffff").close(b"hello", "1", "2")
    body = f"<xml><ToUserName>x</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    with pytest.raises(Exception, match=r"(?i)corp"):
        theirs.decrypt_message(body, signed, "1", "2")


def _text(given: str | bytes) -> str:
    return given.decode() if isinstance(given, bytes) else given

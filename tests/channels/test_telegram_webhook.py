"""The webhook: 200 only for what is durable, nothing without the secret, the answer on the 200."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.parse import KINDS
from bot.engine.port import Answer
from bot.kit.event import Tapped
from tests.channels.telegram_office import CARD, SECRET, Office, channel, listening, place, until
from tests.channels.test_telegram_parse import NASTY
from tests.fakes.telegram import FakeTelegram, Person


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(strict_schema=True) as fake:
        yield fake


def pressed(fake: FakeTelegram, wang: Person, number: int = 1) -> bytes:
    message = {"message_id": 5, "date": 0, "chat": wang.private.as_dict()}
    query = {"id": "77", "from": wang.as_dict(), "message": message, "chat_instance": "1", "data": "nt.rsvp:42:y"}
    return msgspec.json.encode({"update_id": number, "callback_query": query})


@asynccontextmanager
async def hooked(fake: FakeTelegram, office: Office, **more: Any) -> AsyncIterator[TelegramChannel]:
    ears = channel(fake, mode="webhook", webhook_url="http://127.0.0.1:9/telegram", **more)
    async with listening(ears, office):
        await until(lambda: fake.calls_of("getMe"))
        yield ears


async def test_the_answer_to_a_press_rides_on_the_200(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office(answer=lambda e: Answer(toast="已记下：能到", alert=True))
    async with hooked(fake, office) as ears:
        status, body = await ears.webhook(pressed(fake, wang), SECRET)
    assert status == 200
    assert msgspec.json.decode(body) == {
        "method": "answerCallbackQuery", "callback_query_id": "77", "text": "已记下：能到", "show_alert": True,
    }  # fmt: skip
    assert [type(e) for e in office.heard] == [Tapped]
    assert not fake.calls_of("answerCallbackQuery")


async def test_only_with_the_secret(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    async with hooked(fake, office) as ears:
        for secret in (None, "", "x", SECRET[:-1], SECRET + "x", "密码", "\ud800"):
            assert await ears.webhook(pressed(fake, wang), secret) == (403, b"")
    assert not office.heard


async def test_without_a_configured_secret_there_still_is_one(fake: FakeTelegram) -> None:
    office = Office()
    async with hooked(fake, office, webhook_secret=None) as ears:
        secret = fake.webhook.secret
        assert len(secret) == 64
        assert fake.token.partition(":")[2] not in secret
        assert (await ears.webhook(b"{}", secret))[0] == 200
    again = channel(fake, webhook_secret=None)
    assert again._secret.decode() == secret


async def test_what_is_no_update(fake: FakeTelegram) -> None:
    office = Office()
    async with hooked(fake, office) as ears:
        for body in (b"", b"{", b"[]", b"1", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 50_000):
            assert (await ears.webhook(body, SECRET))[0] == 400
        assert (await ears.webhook(b" " * (256 * 1024 + 1), SECRET))[0] == 413
        for raw in NASTY:
            try:
                body = msgspec.json.encode({"update_id": raw, "message": raw, "callback_query": raw})
            except (ValueError, OverflowError, msgspec.MsgspecError):
                continue
            if len(body) < 256 * 1024:
                assert (await ears.webhook(body, SECRET))[0] in (200, 400)
        assert (await ears.webhook(b'{"update_id":1,"message":{"text":"\\ud800"}}', SECRET))[0] == 200
    assert not office.heard


async def test_not_durable_is_not_ok(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office(unavailable=2, answer=lambda e: Answer(toast="好"))
    ears = channel(fake, mode="webhook", webhook_url="http://127.0.0.1:9/x")
    assert (await ears.webhook(pressed(fake, wang), SECRET))[0] == 503  # nobody listens yet
    async with listening(ears, office):
        await until(lambda: fake.calls_of("getMe"))
        assert [(await ears.webhook(pressed(fake, wang), SECRET))[0] for _ in range(3)] == [503, 503, 200]


async def test_a_press_that_always_fails_ends_after_three(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office(broken=lambda e: True)
    async with hooked(fake, office) as ears:
        assert [(await ears.webhook(pressed(fake, wang), SECRET))[0] for _ in range(3)] == [500, 500, 200]


async def test_200_only_after_the_commit(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office(delay=0.1)
    async with hooked(fake, office) as ears:
        answer = asyncio.create_task(ears.webhook(pressed(fake, wang), SECRET))
        await asyncio.sleep(0.05)
        assert not answer.done()
        assert (await answer)[0] == 200


async def test_the_webhook_is_set_with_secret_and_kinds(fake: FakeTelegram) -> None:
    fake.fault("setWebhook", status=502)
    async with hooked(fake, Office()) as ears:
        await until(lambda: fake.webhook.url)
        assert fake.webhook.secret == SECRET
        assert fake.calls_of("setWebhook")[-1].params["allowed_updates"] == list(KINDS)
        assert await ears.check() == []
        await ears.start_webhook("http://127.0.0.1:9/other")
        assert fake.webhook.url.endswith("/other")
        await ears.stop_webhook()
        assert any("网址" in sentence for sentence in await ears.check())


async def test_a_webhook_without_an_address_polls_and_says_so(fake: FakeTelegram) -> None:
    office = Office()
    ears = channel(fake, mode="webhook")
    async with listening(ears, office):
        fake.user("王老师").says("在")
        await until(lambda: office.texts == ["在"])
        assert any("webhook_url" in sentence for sentence in await ears.check())


async def test_the_fake_delivers_through_the_webhook(fake: FakeTelegram) -> None:
    """Over HTTP, with the fake's own retries and its obedience to the body of the 200."""
    from aiohttp import web

    wang = fake.user("王老师", started=True)
    office = Office(answer=lambda e: Answer(toast="已记下"), unavailable=1)
    ears = channel(fake, mode="webhook", webhook_url="http://127.0.0.1:9/x")

    async def route(request: web.Request) -> web.Response:
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        status, body = await ears.webhook(await request.read(), secret)
        return web.Response(status=status, body=body, content_type="application/json")

    app = web.Application()
    app.router.add_post("/telegram", route)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    try:
        async with listening(ears, office):
            await until(lambda: fake.webhook.url)
            await ears.start_webhook(f"http://127.0.0.1:{address[1]}/telegram")
            await ears.send(place(wang), CARD)
            assert await asyncio.to_thread(wang.presses("教学例会", "能到").wait) == "已记下"
            await until(lambda: fake.pending == 0)
        assert fake.webhook.failures == 1
        assert len(office.heard) == 1
    finally:
        await runner.cleanup()

"""The fake is honest: python-telegram-bot and aiogram, their clients and their schemas, agree with it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiogram.exceptions
import aiogram.types
import aiohttp
import httpx
import pytest
import telegram
import telegram.error
import telegram.helpers
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.utils.text_decorations import html_decoration, markdown_decoration
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from tests.fakes.telegram import FakeTelegram, Group, Message, Person
from tests.fakes.telegram_control import RemoteTelegram
from tests.fakes.telegram_limits import Limits
from tests.fakes.telegram_markup import BadText
from tests.fakes.telegram_text import formatted, units

Json = dict[str, Any]
ALL_KINDS = json.dumps(
    ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member", "chat_member"]
)
YES_NO = {
    "inline_keyboard": [
        [{"text": "能到", "callback_data": "nt.rsvp:1:y"}, {"text": "请假", "callback_data": "nt.rsvp:1:n"}]
    ]
}


# ---- the house


def both_schemas(update: Json) -> None:
    """aiogram and python-telegram-bot both understand it, and neither meets a field it does not know."""
    assert_nothing_unknown(aiogram.types.Update.model_validate(update))
    parsed = telegram.Update.de_json(update, None)
    for part in (parsed, parsed.message, parsed.callback_query, parsed.my_chat_member, parsed.chat_member):
        assert part is None or not part.api_kwargs, part


def assert_nothing_unknown(model: Any) -> None:
    if isinstance(model, BaseModel):
        assert not model.model_extra, (type(model), model.model_extra)
        for name in type(model).model_fields:
            assert_nothing_unknown(getattr(model, name))
    elif isinstance(model, list):
        for one in model:
            assert_nothing_unknown(one)


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(strict_schema=True) as running:
        running.check_schema = both_schemas  # type: ignore[method-assign]
        yield running


@pytest.fixture
def http(fake: FakeTelegram) -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


Call = Callable[..., Json]


@pytest.fixture
def call(fake: FakeTelegram, http: httpx.Client) -> Call:
    """call("sendMessage", chat_id=1, text="") -> the whole JSON answer."""

    def one(method: str, **params: Any) -> Json:
        answer = http.post(f"{fake.base_url}{fake.token}/{method}", json=params)
        told: Json = answer.json()
        assert told["ok"] == (answer.status_code == 200) and told.get("error_code", 200) == answer.status_code
        return told

    return one


@pytest.fixture
def wang(fake: FakeTelegram) -> Person:
    return fake.user("王老师", username="wang", started=True)


@pytest.fixture
def office(fake: FakeTelegram, wang: Person) -> Group:
    return fake.group("教研组", members=[wang])


def updates(call: Call, **params: Any) -> list[Json]:
    result: list[Json] = call("getUpdates", **params)["result"]
    return result


def words(told: list[Json]) -> list[str]:
    return [u["message"]["text"] for u in told if "message" in u]


# ---- the face of the server


def test_a_wrong_token_and_an_unknown_method_are_refused(fake: FakeTelegram, http: httpx.Client) -> None:
    answer = http.get(f"{fake.base_url}123:wrong/getMe")
    assert (answer.status_code, answer.json()["error_code"], answer.json()["ok"]) == (401, 401, False)
    assert http.get(f"{fake.base_url}nonsense/getMe").status_code == 404
    assert http.get(f"{fake.base_url}{fake.token}/makeCoffee").status_code == 404
    assert http.get(f"{fake.url}/elsewhere").status_code == 404


def test_get_json_form_and_multipart_are_all_understood(fake: FakeTelegram, http: httpx.Client, wang: Person) -> None:
    url = f"{fake.base_url}{fake.token}/sendMessage"
    http.get(url, params={"chat_id": wang.id, "text": "一"})
    http.post(url, json={"chat_id": wang.id, "text": "二"})
    http.post(url, data={"chat_id": str(wang.id), "text": "三", "reply_markup": json.dumps(YES_NO)})
    http.post(url.replace("sendMessage", "SENDMESSAGE"), files={"chat_id": (None, str(wang.id)), "text": (None, "四")})
    assert [m.text for m in wang.inbox] == ["一", "二", "三", "四"]
    assert wang.inbox[2].labels == ["能到", "请假"]


def test_it_takes_thousands_of_calls(fake: FakeTelegram, wang: Person) -> None:
    fake.strict_schema = False

    async def flood() -> float:
        async with aiohttp.ClientSession() as session:

            async def some() -> None:
                for _ in range(100):
                    async with session.post(
                        f"{fake.base_url}{fake.token}/sendMessage", data={"chat_id": str(wang.id), "text": "好"}
                    ) as answer:
                        assert (await answer.json())["ok"]

            started = time.monotonic()
            await asyncio.gather(*(some() for _ in range(10)))
            return time.monotonic() - started

    assert asyncio.run(flood()) < 5, "1,000 calls should take well under a second on a quiet machine"
    assert len(wang.inbox) == 1000


def test_it_stops_and_starts_again_on_the_same_port(fake: FakeTelegram, http: httpx.Client, wang: Person) -> None:
    port = fake.port
    fake.stop()
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{fake.url}/x")
    wang.says("断网时说的")
    fake.start()
    told = httpx.get(f"{fake.base_url}{fake.token}/getUpdates").json()
    assert fake.port == port and words(told["result"]) == ["断网时说的"]


# ---- getUpdates


def test_a_long_poll_wakes_at_once(fake: FakeTelegram, call: Call, wang: Person) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(updates, call, timeout=20)
        fake.wait(lambda: fake.is_polled)
        started = time.monotonic()
        wang.says("收到")
        assert words(waiting.result(5)) == ["收到"]
        assert time.monotonic() - started < 2


def test_a_long_poll_with_nothing_to_say_comes_back_empty(call: Call) -> None:
    started = time.monotonic()
    assert updates(call, timeout=1) == []
    assert 0.9 < time.monotonic() - started < 4


def test_a_positive_offset_confirms_and_a_negative_one_keeps_the_last(
    fake: FakeTelegram, call: Call, wang: Person
) -> None:
    for text in "一二三四五":
        wang.says(text)
    told = updates(call, limit=2)
    assert words(told) == ["一", "二"] and fake.pending == 5 and fake.confirmed_offset == 0
    assert words(updates(call, offset=told[1]["update_id"] + 1)) == ["三", "四", "五"]
    assert fake.pending == 3 and fake.confirmed_offset == told[1]["update_id"] + 1
    assert words(updates(call, offset=-1)) == ["五"] and fake.pending == 1


def test_an_offset_far_in_the_future_confirms_nothing(fake: FakeTelegram, call: Call, wang: Person) -> None:
    wang.says("收到")
    assert words(updates(call, offset=fake.queue.last_id + 1000)) == ["收到"]
    assert fake.confirmed_offset == 0


def test_allowed_updates_stick_and_filter_when_the_update_is_made(
    fake: FakeTelegram, call: Call, wang: Person, office: Group
) -> None:
    call("sendMessage", chat_id=office.id, text="到会吗", reply_markup=YES_NO)
    wang.says("先说的", in_=office)
    updates(call, allowed_updates=["callback_query", "no such kind"])
    updates(call)  # says nothing of kinds: the setting stays
    wang.says("没人听", in_=office)
    wang.presses("到会吗", "能到")
    told = updates(call)
    assert [sorted(u) for u in told] == [["message", "update_id"], ["callback_query", "update_id"]]
    updates(call, allowed_updates=[])
    wang.says("又听得见了", in_=office)
    assert words(updates(call)) == ["先说的", "又听得见了"]
    assert len(fake.queue.unwanted) == 1


def test_the_older_of_two_polls_gets_409(fake: FakeTelegram, call: Call, wang: Person) -> None:
    with ThreadPoolExecutor() as pool:
        older = pool.submit(call, "getUpdates", timeout=20)
        fake.wait(lambda: fake.is_polled)
        newer = pool.submit(call, "getUpdates", timeout=20)
        refused = older.result(5)
        assert refused["error_code"] == 409 and "terminated by other getUpdates" in refused["description"]
        fake.wait(lambda: fake.is_polled)
        wang.says("收到")
        assert words(newer.result(5)["result"]) == ["收到"]


def test_polling_and_a_webhook_exclude_each_other(fake: FakeTelegram, call: Call) -> None:
    with ThreadPoolExecutor() as pool:
        older = pool.submit(call, "getUpdates", timeout=20)
        fake.wait(lambda: fake.is_polled)
        call("setWebhook", url="http://127.0.0.1:9/hook")
        assert older.result(5)["description"] == "Conflict: terminated by setWebhook request"
    assert call("getUpdates")["error_code"] == 409
    call("deleteWebhook")
    assert updates(call) == []


def test_stopping_ends_a_poll_early(fake: FakeTelegram, call: Call) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(call, "getUpdates", timeout=30)
        fake.wait(lambda: fake.is_polled)
        started = time.monotonic()
        fake.stop()
        assert waiting.result(5)["result"] == [] and time.monotonic() - started < 3


def test_a_poller_that_dies_leaves_nothing_behind(fake: FakeTelegram, call: Call, wang: Person) -> None:
    async def polls_and_dies() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", fake.port)
        writer.write(f"GET /bot{fake.token}/getUpdates?timeout=30 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await asyncio.to_thread(fake.wait, lambda: fake.is_polled)
        writer.transport.abort()

    asyncio.run(polls_and_dies())
    fake.wait(lambda: not fake.is_polled)
    wang.says("收到")
    assert words(updates(call)) == ["收到"] and fake.pending == 1


def test_updates_die_after_a_day_and_presses_much_sooner(fake: FakeTelegram, call: Call, wang: Person) -> None:
    call("sendMessage", chat_id=wang.id, text="到会吗", reply_markup=YES_NO)
    wang.says("收到")
    wang.presses("到会吗", "能到")
    fake.clock.advance(seconds=fake.press_lives + 1)
    assert words(updates(call)) == ["收到"] and fake.pending == 1
    fake.clock.advance(hours=24)
    assert updates(call) == [] and len(fake.queue.expired) == 2


def test_after_a_silent_week_the_ids_jump_down(fake: FakeTelegram, call: Call, wang: Person) -> None:
    wang.says("放假前")
    last = updates(call)[0]["update_id"]
    updates(call, offset=last + 1)
    fake.clock.advance(days=8)
    wang.says("开学了")
    (first,) = updates(call, offset=last + 1)
    assert first["update_id"] < last
    wang.says("第二句")
    assert words(updates(call, offset=first["update_id"] + 1)) == ["第二句"]


def test_raw_updates_pass_unfiltered(fake: FakeTelegram, call: Call) -> None:
    fake.push({"message": {"no": "sense"}})
    fake.push({"update_id": 7, "unheard_of": 1})
    assert updates(call)[0]["update_id"] == 7 and fake.pending == 2


# ---- webhook


class Hook(ThreadingHTTPServer):
    """A bot's web server: answers from a script, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.script: list[tuple[int, Json]] = []
        self.got: list[tuple[Json, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def heard(self) -> list[str]:
        return [u["message"]["text"] for u, _ in self.got]


class Answering(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        update = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.gate.wait(10)
        self.server.got.append((update, self.headers.get("X-Telegram-Bot-Api-Secret-Token", "")))
        status, body = self.server.script.pop(0) if self.server.script else (200, {})
        told = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    yield server
    server.gate.set()
    server.shutdown()
    server.server_close()


def test_a_webhook_gets_updates_in_order_with_its_secret(
    fake: FakeTelegram, call: Call, hook: Hook, wang: Person
) -> None:
    wang.says("设置之前")
    assert call("setWebhook", url=hook.url, secret_token="s-1_x")["description"] == "Webhook was set"
    for text in ("一", "二", "三"):
        wang.says(text)
    fake.wait(lambda: fake.webhook.delivered == 4)
    assert hook.heard == ["设置之前", "一", "二", "三"]
    assert {secret for _, secret in hook.got} == {"s-1_x"} and fake.pending == 0
    assert fake.confirmed_offset == hook.got[-1][0]["update_id"] + 1


def test_a_failing_webhook_is_tried_again_and_holds_up_the_rest(
    fake: FakeTelegram, call: Call, hook: Hook, wang: Person
) -> None:
    hook.script = [(500, {}), (403, {})]
    call("setWebhook", url=hook.url)
    hook.gate.clear()
    wang.says("一")
    wang.says("二")
    assert call("getWebhookInfo")["result"]["pending_update_count"] == 2
    hook.gate.set()
    fake.wait(lambda: fake.webhook.delivered == 2)
    assert hook.heard == ["一", "一", "一", "二"] and fake.webhook.failures == 2
    info = call("getWebhookInfo")["result"]
    assert info["last_error_message"] == "Wrong response from the webhook: 403 Forbidden"
    assert telegram.WebhookInfo.de_json(info, None).pending_update_count == 0
    assert aiogram.types.WebhookInfo.model_validate(info).url == hook.url


def test_a_webhook_that_does_not_answer_counts_as_failed(
    fake: FakeTelegram, call: Call, hook: Hook, wang: Person
) -> None:
    fake.webhook.timeout = 0.1
    hook.gate.clear()
    call("setWebhook", url=hook.url)
    wang.says("一")
    fake.wait(lambda: fake.webhook.failures >= 1)
    assert fake.webhook.last_error == "Read timeout expired" and fake.pending == 1
    fake.webhook.timeout = 5.0


def test_a_webhook_nobody_serves_keeps_the_updates(fake: FakeTelegram, call: Call, wang: Person) -> None:
    call("setWebhook", url="http://127.0.0.1:9/hook")
    wang.says("一")
    fake.wait(lambda: fake.webhook.failures >= 2)
    assert fake.webhook.last_error.startswith("Connection failed") and fake.pending == 1
    call("deleteWebhook", drop_pending_updates=True)
    assert fake.pending == 0


def test_the_call_in_a_webhook_answer_is_executed(fake: FakeTelegram, call: Call, hook: Hook, wang: Person) -> None:
    call("sendMessage", chat_id=wang.id, text="到会吗", reply_markup=YES_NO)
    call("setWebhook", url=hook.url)
    hook.gate.clear()
    press = wang.presses("到会吗", "能到")
    hook.script = [(200, {"method": "answerCallbackQuery", "callback_query_id": press.id, "text": "已记下"})]
    hook.gate.set()
    assert press.wait() == "已记下"
    hook.script = [(200, {"method": "deleteWebhook"}), (200, {"method": "sendMessage", "chat_id": wang.id, "text": ""})]
    wang.says("一")
    wang.says("二")
    fake.wait(lambda: fake.webhook.delivered == 3)
    assert fake.webhook.url == hook.url and len(wang.inbox) == 1


def test_out_of_order_a_failing_sender_holds_up_only_himself(
    fake: FakeTelegram, call: Call, hook: Hook, wang: Person
) -> None:
    zhang = fake.user("张老师", started=True)
    fake.webhook.in_order = False
    fake.webhook.first_delay = 30.0
    hook.script = [(500, {})]
    call("setWebhook", url=hook.url)
    wang.says("王一")
    fake.wait(lambda: fake.webhook.failures == 1)
    wang.says("王二")
    zhang.says("张一")
    fake.wait(lambda: fake.webhook.delivered == 1)
    assert hook.heard == ["王一", "张一"] and fake.pending == 2


@pytest.mark.parametrize(
    ("params", "phrase"),
    [
        ({"url": "ftp://x"}, "invalid webhook URL"),
        ({"url": "http://x/", "secret_token": "空"}, "unallowed characters"),
        ({"url": "http://x/", "secret_token": "a" * 257}, "too long"),
    ],
)
def test_a_wrong_webhook_is_refused(call: Call, params: Json, phrase: str) -> None:
    told = call("setWebhook", **params)
    assert told["error_code"] == 400 and phrase in told["description"]


# ---- what is refused


def entity(offset: int, length: int, kind: str = "bold") -> Json:
    return {"entities": [{"type": kind, "offset": offset, "length": length}]}


def keyboard(*buttons: Json) -> Json:
    return {"text": "x", "reply_markup": {"inline_keyboard": [list(buttons)]}}


REFUSALS: list[tuple[Json, str]] = [
    ({"text": ""}, "message text is empty"),
    ({}, "message text is empty"),
    ({"text": " \n "}, "text must be non-empty"),
    ({"text": "好" * 4097}, "message is too long"),
    ({"text": "😀" * 2049}, "message is too long"),
    ({"text": "a" * 40000}, "text is too long"),
    ({"text": "<b>粗", "parse_mode": "HTML"}, "can't parse entities: Can't find end tag"),
    ({"text": "a < b", "parse_mode": "HTML"}, 'can\'t parse entities: Unsupported start tag ""'),
    ({"text": "a <b", "parse_mode": "HTML"}, "can't parse entities: Unclosed start tag"),
    (
        {"text": "<h1>a</h1>", "parse_mode": "HTML"},
        'can\'t parse entities: Unsupported start tag "h1" at byte offset 0',
    ),
    ({"text": "<b>a</i>", "parse_mode": "HTML"}, "can't parse entities: Unmatched end tag at byte offset 4"),
    ({"text": "a</b>", "parse_mode": "HTML"}, "can't parse entities: Unexpected end tag"),
    ({"text": "snake_case", "parse_mode": "Markdown"}, "Can't find end of the entity starting at byte offset 5"),
    ({"text": "王_五", "parse_mode": "Markdown"}, "Can't find end of the entity starting at byte offset 3"),
    ({"text": "好.", "parse_mode": "MarkdownV2"}, "Character '.' is reserved"),
    ({"text": "*好", "parse_mode": "MarkdownV2"}, "Can't find end of Bold entity at byte offset 0"),
    ({"text": "好", "parse_mode": "BBCode"}, "unsupported parse_mode"),
    ({"text": "ab", **entity(-1, 1)}, "incorrect offset"),
    ({"text": "ab", **entity(0, 3)}, "ends after the end of the text"),
    ({"text": "ab", **entity(2, 1)}, "begins after the end of the text"),
    ({"text": "😀好", **entity(1, 2)}, "begins in a middle of a UTF-16 symbol"),
    ({"text": "好😀", **entity(0, 2)}, "ends in a middle of a UTF-16 symbol"),
    ({"text": "ab", "entities": "{"}, "can't parse entities JSON object"),
    ({"text": "ab", "entities": [{"type": "bold"}]}, "can't parse MessageEntity"),
    (keyboard({"text": "能到", "callback_data": ""}), "BUTTON_DATA_INVALID"),
    (keyboard({"text": "能到", "callback_data": "a" * 65}), "BUTTON_DATA_INVALID"),
    (keyboard({"text": "能到"}), "Text buttons are unallowed in the inline keyboard"),
    (keyboard({"callback_data": "x"}), "can't parse inline keyboard button"),
    (keyboard({"text": " ", "callback_data": "x"}), "BUTTON_TEXT_INVALID"),
    (keyboard(*[{"text": "x", "callback_data": "x"}] * 101), "reply markup is too long"),
    ({"text": "x", "reply_markup": "["}, "can't parse reply keyboard markup"),
    ({"text": "x", "reply_parameters": {"message_id": 99}}, "message to be replied not found"),
    ({"text": "x", "chat_id": 42}, "chat not found"),
    ({"text": "x", "chat_id": "@nobody"}, "chat not found"),
    ({"text": "x", "chat_id": ""}, "chat_id is empty"),
]


@pytest.mark.parametrize(("params", "phrase"), REFUSALS, ids=[phrase for _, phrase in REFUSALS])
def test_a_bad_message_is_refused(call: Call, wang: Person, params: Json, phrase: str) -> None:
    told = call("sendMessage", **({"chat_id": wang.id} | params))
    assert (
        told["error_code"] == 400 and told["description"].startswith("Bad Request: ") and phrase in told["description"]
    )
    assert wang.inbox == []


def test_the_longest_that_is_allowed_passes(call: Call, wang: Person) -> None:
    call("sendMessage", chat_id=wang.id, text="😀" * 2048)
    call("sendMessage", chat_id=wang.id, text="<b>" + "好" * 4096 + "</b>", parse_mode="HTML")
    call("sendMessage", chat_id=wang.id, **keyboard(*[{"text": "x", "callback_data": "a" * 64}] * 100))
    assert len(wang.inbox) == 3


def test_who_cannot_be_written_to(fake: FakeTelegram, call: Call, wang: Person) -> None:
    stranger, gone = fake.user("访客"), fake.user("已注销", started=True)
    wang.blocks()
    gone.deletes_account()
    reasons = {
        stranger.id: "Forbidden: bot can't initiate conversation with a user",
        wang.id: "Forbidden: bot was blocked by the user",
        gone.id: "Forbidden: user is deactivated",
    }
    for chat, reason in reasons.items():
        told = call("sendMessage", chat_id=chat, text="通知")
        assert (told["error_code"], told["description"]) == (403, reason)
    wang.starts()
    stranger.starts("invite7")
    assert (
        call("sendMessage", chat_id=wang.id, text="通知")["ok"]
        and call("sendMessage", chat_id=stranger.id, text="通知")["ok"]
    )
    assert words(updates(call)) == ["/start", "/start invite7"]


def test_a_bot_that_was_kicked_out(fake: FakeTelegram, call: Call, office: Group) -> None:
    basic = fake.group("老群", supergroup=False)
    office.kicks_bot()
    basic.kicks_bot()
    assert (
        call("sendMessage", chat_id=office.id, text="x")["description"]
        == "Forbidden: bot was kicked from the supergroup chat"
    )
    assert call("getChat", chat_id=basic.id)["description"] == "Forbidden: bot was kicked from the group chat"
    changes = [u["my_chat_member"]["new_chat_member"]["status"] for u in updates(call)]
    assert changes == ["kicked", "kicked"]
    office.readds_bot()
    assert call("leaveChat", chat_id=office.id)["ok"]
    assert (
        call("sendMessage", chat_id=office.id, text="x")["description"]
        == "Forbidden: bot is not a member of the supergroup chat"
    )


@pytest.mark.parametrize("told", ["old first", "new first"])
def test_a_group_that_was_upgraded(fake: FakeTelegram, call: Call, wang: Person, told: str) -> None:
    old = fake.group("教研组", supergroup=False, members=[wang])
    new = old.upgrades(by=wang, told=told)
    refused = call("sendMessage", chat_id=old.id, text="通知")
    assert refused["error_code"] == 400 and refused["parameters"] == {"migrate_to_chat_id": new.id}
    service = [u["message"] for u in updates(call)]
    service = service if told == "old first" else service[::-1]
    assert (service[0]["chat"]["id"], service[0]["migrate_to_chat_id"]) == (old.id, new.id)
    assert (service[1]["chat"]["id"], service[1]["migrate_from_chat_id"]) == (new.id, old.id)
    assert call("sendMessage", chat_id=new.id, text="通知")["ok"] and wang.says("收到", in_=new)


# ---- changing and deleting


def test_edits(fake: FakeTelegram, call: Call, wang: Person) -> None:
    sent = call("sendMessage", chat_id=wang.id, text="<b>到会</b>吗", parse_mode="HTML", reply_markup=YES_NO)["result"]
    where = {"chat_id": wang.id, "message_id": sent["message_id"]}
    same = call("editMessageText", **where, text="*到会*吗", parse_mode="Markdown", reply_markup=YES_NO)
    assert same["error_code"] == 400 and "message is not modified" in same["description"]
    assert call("editMessageText", **where, text="到会：1")["result"]["edit_date"]
    (message,) = wang.inbox
    assert (message.text, message.buttons, message.edits, message.versions) == ("到会：1", [], 1, ["到会吗", "到会：1"])
    call("editMessageReplyMarkup", **where, reply_markup=YES_NO)
    assert wang.inbox[0].labels == ["能到", "请假"] and wang.inbox[0].text == "到会：1"
    assert "message is not modified" in call("editMessageReplyMarkup", **where, reply_markup=YES_NO)["description"]
    missing = call("editMessageText", chat_id=wang.id, message_id=999, text="x")
    assert missing["description"] == "Bad Request: message to edit not found"
    theirs = wang.says("我的话")
    assert (
        "message can't be edited"
        in call("editMessageText", chat_id=wang.id, message_id=theirs.id, text="x")["description"]
    )


def test_deletes(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    sent = call("sendMessage", chat_id=office.id, text="贴错了")["result"]["message_id"]
    assert call("deleteMessage", chat_id=office.id, message_id=sent)["result"] is True
    assert office.messages == []
    assert "message to delete not found" in call("deleteMessage", chat_id=office.id, message_id=sent)["description"]
    assert (
        "message to edit not found"
        in call("editMessageText", chat_id=office.id, message_id=sent, text="x")["description"]
    )
    theirs = wang.says("收到", in_=office)
    assert "message can't be deleted" in call("deleteMessage", chat_id=office.id, message_id=theirs.id)["description"]
    office.makes_bot_admin()
    assert call("deleteMessage", chat_id=office.id, message_id=theirs.id)["ok"]


def test_message_ids_are_by_supergroup_and_shared_elsewhere(
    fake: FakeTelegram, call: Call, wang: Person, office: Group
) -> None:
    basic = fake.group("老群", supergroup=False)
    ids = [
        call("sendMessage", chat_id=c, text="x")["result"]["message_id"]
        for c in (office.id, wang.id, basic.id, office.id)
    ]
    assert ids == [1, 1, 2, 2]


def test_pins_and_reactions_of_the_bot(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    said = wang.says("好消息", in_=office)
    where = {"chat_id": office.id, "message_id": said.id}
    assert call("setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "👍"}])["ok"]
    assert said.reactions[fake.bot_id] == [{"type": "emoji", "emoji": "👍"}]
    assert call("setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "✅"}])["description"].endswith(
        "REACTION_INVALID"
    )
    assert "not enough rights" in call("pinChatMessage", **where)["description"]
    office.makes_bot_admin()
    assert call("pinChatMessage", **where)["ok"] and call("getChat", chat_id=office.id)["result"]["pinned_message"]
    assert updates(call)[-1]["message"]["pinned_message"]["message_id"] == said.id
    assert call("unpinChatMessage", **where)["ok"]


def test_commands_must_be_latin(call: Call) -> None:
    assert call("setMyCommands", commands=[{"command": "notice", "description": "发通知"}])["ok"]
    assert call("getMyCommands")["result"] == [{"command": "notice", "description": "发通知"}]
    assert (
        "BOT_COMMAND_INVALID"
        in call("setMyCommands", commands=[{"command": "发通知", "description": "x"}])["description"]
    )
    assert "DESCRIPTION" in call("setMyCommands", commands=[{"command": "a", "description": ""}])["description"]


# ---- taps


def test_a_press_is_answered_once_and_in_time(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    call("sendMessage", chat_id=office.id, text="教学例会", reply_markup=YES_NO)
    press = wang.presses("教学例会", "能到")
    (update,) = updates(call)
    assert update["callback_query"]["data"] == "nt.rsvp:1:y" and update["callback_query"]["from"]["id"] == wang.id
    assert press.toast is None and press.update_id == update["update_id"]
    assert call("answerCallbackQuery", callback_query_id=press.id, text="已记下：能到", show_alert=True)["ok"]
    assert press.wait() == "已记下：能到" and press.alert
    too_late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert call("answerCallbackQuery", callback_query_id=press.id)["description"] == too_late
    assert call("answerCallbackQuery", callback_query_id="12345")["description"] == too_late
    late = wang.presses(office.messages[0], "请假")
    fake.clock.advance(seconds=fake.callback_age_limit + 1)
    assert call("answerCallbackQuery", callback_query_id=late.id, text="x")["description"] == too_late
    assert late.toast is None and len(fake.diary.of("unheard")) == 3
    assert "MESSAGE_TOO_LONG" in call("answerCallbackQuery", callback_query_id=late.id, text="长" * 201)["description"]


def test_waiting_for_an_answer_that_never_comes_tells_the_story(fake: FakeTelegram, call: Call, wang: Person) -> None:
    call("sendMessage", chat_id=wang.id, text="到会吗", reply_markup=YES_NO)
    with pytest.raises(TimeoutError, match=r"(?s)王老师's press of '能到'.*1 updates pending.*sendMessage"):
        wang.presses("到会吗", "能到").wait(timeout=0.05)


def test_a_button_is_found_by_its_label(fake: FakeTelegram, call: Call, wang: Person) -> None:
    rows = [
        [{"text": "能到 3", "callback_data": "a"}],
        [{"text": "不能到", "callback_data": "b"}, {"text": "看", "url": "https://x.cn"}],
    ]
    call("sendMessage", chat_id=wang.id, text="到会吗", reply_markup={"inline_keyboard": rows})
    assert wang.presses("到会吗", "能到").data == "a"
    assert wang.presses("到会吗", "不能").data == "b"
    for label in ("到", "没有", "看"):
        with pytest.raises(LookupError):
            wang.presses("到会吗", label)
    with pytest.raises(LookupError, match="sees no message"):
        fake.user("访客").presses("到会吗", "能到")


def test_forged_data_and_a_message_already_gone(fake: FakeTelegram, call: Call, wang: Person) -> None:
    sent = call("sendMessage", chat_id=wang.id, text="到会吗", reply_markup=YES_NO)["result"]
    message = wang.inbox[0]
    wang.forges(message, "nt.rsvp:999:y")
    call("deleteMessage", chat_id=wang.id, message_id=sent["message_id"])
    wang.forges(message, "nt.rsvp:1:y")
    first, second = (u["callback_query"] for u in updates(call))
    assert first["data"] == "nt.rsvp:999:y" and first["message"]["text"] == "到会吗"
    assert second["message"]["date"] == 0 and "text" not in second["message"]


# ---- files


def test_a_document_comes_and_goes(fake: FakeTelegram, call: Call, http: httpx.Client, wang: Person) -> None:
    wang.sends_document("制度草案.docx", b"PK\x03\x04 draft", caption="请看")
    told = updates(call)[0]["message"]
    assert (told["caption"], told["document"]["file_name"]) == ("请看", "制度草案.docx")
    found = call("getFile", file_id=told["document"]["file_id"])["result"]
    answer = http.get(f"{fake.base_file_url}{fake.token}/{found['file_path']}")
    assert answer.content == b"PK\x03\x04 draft"
    assert http.get(f"{fake.base_file_url}{fake.token}/documents/none").status_code == 404
    assert http.get(f"{fake.base_file_url}1:wrong/{found['file_path']}").status_code == 401
    assert "wrong file_id" in call("getFile", file_id="nothing")["description"]
    again = call("sendDocument", chat_id=wang.id, document=told["document"]["file_id"], caption="还给您")["result"]
    assert again["document"]["file_name"] == "制度草案.docx" and wang.inbox[0].file == b"PK\x03\x04 draft"


def test_bad_documents_are_refused(fake: FakeTelegram, call: Call, http: httpx.Client, wang: Person) -> None:
    url = f"{fake.base_url}{fake.token}/sendDocument"
    empty = http.post(url, data={"chat_id": str(wang.id)}, files={"document": ("a.txt", b"")}).json()
    assert "file must be non-empty" in empty["description"]
    assert "no document" in call("sendDocument", chat_id=wang.id)["description"]
    assert "wrong remote file" in call("sendDocument", chat_id=wang.id, document="xyz")["description"]
    long = http.post(
        url, data={"chat_id": str(wang.id), "caption": "长" * 1025}, files={"document": ("a.txt", b"x")}
    ).json()
    assert "caption is too long" in long["description"]
    wang.sends_document("大.bin", b"0" * (20 * 1024 * 1024 + 1))
    assert (
        "file is too big" in call("getFile", file_id=updates(call)[0]["message"]["document"]["file_id"])["description"]
    )


# ---- limits


class Tick:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def sends(limits: Limits, chat: int, times: int, edit: bool = False) -> list[int]:
    return [limits.ask(chat, edit) for _ in range(times)]


def test_strict_limits_shut_the_whole_scope_until_the_time_is_up() -> None:
    now = Tick()
    limits = Limits(mode="strict", now=now)
    assert [limits.ask(chat, False) for chat in range(1, 31)] == [0] * 30
    now.at += 0.5
    assert limits.ask(31, False) == 1
    now.at += 0.7
    assert limits.ask(32, False) == 1, "the window has room again, but the scope is still shut for everybody"
    now.at += 0.4
    assert limits.ask(33, False) == 0 and limits.refused == {"all": 2}


def test_strict_limits_of_a_private_chat_and_a_group() -> None:
    now = Tick()
    limits = Limits(mode="strict", now=now, chat_burst=3)
    assert sends(limits, 1, 4) == [0, 0, 0, 3]
    now.at += 2.9
    assert limits.ask(1, False) == 1 and limits.ask(2, False) == 0
    now.at += 0.2
    assert limits.ask(1, False) == 0
    now.at += 60
    assert sends(limits, -5, 21) == [0] * 20 + [60]
    now.at += 30
    assert limits.ask(-5, False) == 30 and limits.sent["chat -5"] == 20 and limits.refused["chat -5"] == 2


def test_lenient_limits_only_ask_to_wait_for_the_next_token() -> None:
    now = Tick()
    limits = Limits(mode="lenient", now=now, group_per_minute=20)
    assert sends(limits, -5, 21) == [0] * 20 + [3]
    now.at += 3.01
    assert sends(limits, -5, 2) == [0, 3]


def test_edits_have_a_limit_of_their_own() -> None:
    now = Tick()
    limits = Limits(mode="strict", now=now, edits_per_minute=2)
    assert sends(limits, -5, 3, edit=True) == [0, 0, 60]
    assert limits.ask(-5, False) == 0 and limits.edited["chat -5"] == 2


def test_a_breach_is_answered_with_429(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fake.limits.mode, fake.limits.chat_burst = "strict", 1
    fake.limits.now = fake.clock.now
    call("sendMessage", chat_id=wang.id, text="一")
    told = call("sendMessage", chat_id=wang.id, text="二")
    assert told["error_code"] == 429 and told["parameters"] == {"retry_after": 1}
    assert told["description"] == "Too Many Requests: retry after 1"
    fake.clock.advance(seconds=1.01)
    assert call("sendMessage", chat_id=wang.id, text="二")["ok"]
    assert fake.limits.refusals == 1 and [m.text for m in wang.inbox] == ["一", "二"]


# ---- trouble


def test_scripted_answers_are_used_up(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fake.fault("sendMessage", status=502, times=2)
    fake.fault("sendMessage", status=429, retry_after=7)
    fake.fault("sendMessage", status=500, effect=True)
    told = [call("sendMessage", chat_id=wang.id, text=t) for t in "一二三四五"]
    assert [t.get("error_code", 200) for t in told] == [502, 502, 429, 500, 200]
    assert told[2]["parameters"] == {"retry_after": 7}
    assert [m.text for m in wang.inbox] == ["四", "五"]
    assert [c.status for c in fake.calls_of("sendmessage")] == [502, 502, 429, 500, 200]


@pytest.mark.parametrize(("cut", "arrived"), [("before", 0), ("after", 1), ("body", 1)])
def test_a_cut_connection(fake: FakeTelegram, call: Call, wang: Person, cut: str, arrived: int) -> None:
    fake.fault("sendMessage", cut=cut)
    with pytest.raises(httpx.TransportError):
        call("sendMessage", chat_id=wang.id, text="通知")
    assert len(wang.inbox) == arrived
    fake.wait(lambda: not fake.in_flight)
    assert fake.calls[-1].status == 0 and call("sendMessage", chat_id=wang.id, text="再来")["ok"]


def test_a_fault_for_one_chat_only(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    fake.fault("*", status=403, chat_id=wang.id, description="Forbidden: whim")
    assert call("sendMessage", chat_id=office.id, text="x")["ok"]
    assert call("sendMessage", chat_id=wang.id, text="x")["description"] == "Forbidden: whim"


@pytest.mark.parametrize("effect", [False, True])
def test_a_call_that_hangs(fake: FakeTelegram, call: Call, wang: Person, effect: bool) -> None:
    fault = fake.fault("sendMessage", hang=True, effect=effect)
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(call, "sendMessage", chat_id=wang.id, text="通知")
        fake.wait(lambda: fault.happened)
        call("getMe")
        assert len(wang.inbox) == int(effect) and not hanging.done()
        fake.release(fault)
        assert hanging.result(5)["ok"] and len(wang.inbox) == 1


def test_a_hang_ends_when_the_fake_stops(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fault = fake.fault("getMe", hang=True)
    with ThreadPoolExecutor() as pool:
        hanging = pool.submit(call, "getMe")
        fake.wait(lambda: fault.happened)
        fake.stop()
        with pytest.raises(httpx.TransportError):
            hanging.result(5)


def test_latency(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fake.latency = lambda method: 0.2 if method == "sendmessage" else 0.0
    started = time.monotonic()
    call("sendMessage", chat_id=wang.id, text="慢")
    slow, started = time.monotonic() - started, time.monotonic()
    call("getMe")
    assert slow >= 0.2 > time.monotonic() - started


# ---- who hears what


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("收到", False),
        ("/help", True),
        ("请看 /help@hongzhu_bot 谢谢", True),
        ("/help@other_bot", False),
        ("/发通知", False),
        ("@hongzhu_bot 在吗", True),
        ("@hongzhu_botx 在吗", False),
    ],
)
def test_privacy_mode(fake: FakeTelegram, call: Call, wang: Person, text: str, heard: bool) -> None:
    fake.privacy = True
    office = fake.group("教研组", members=[wang])
    wang.says(text, in_=office)
    assert bool(updates(call)) == heard
    assert call("getMe")["result"]["can_read_all_group_messages"] is False


def test_privacy_mode_lets_replies_through_and_changes_only_on_a_new_invitation(
    fake: FakeTelegram, call: Call, wang: Person
) -> None:
    fake.privacy = True
    office = fake.group("教研组", members=[wang])
    call("sendMessage", chat_id=office.id, text="通知")
    wang.says("收到", reply_to=office.messages[0])
    assert updates(call)[0]["message"]["reply_to_message"]["text"] == "通知"
    fake.privacy = False
    wang.says("还听不见", in_=office)
    office.readds_bot()
    wang.says("听见了", in_=office)
    assert [u["message"].get("text") for u in updates(call) if "message" in u] == ["收到", None, "听见了"]


def test_an_admin_bot_hears_all_and_sees_reactions_when_it_asks(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fake.privacy = True
    office = fake.group("教研组", members=[wang])
    said = wang.says("一", in_=office)
    wang.reacts(said, "👍")
    office.makes_bot_admin(by=wang)
    wang.reacts(said, "👌")  # not asked for
    assert [sorted(u)[0] for u in updates(call, allowed_updates=ALL_KINDS)] == ["my_chat_member"]
    elsewhere = fake.group("没有权限的群", members=[wang])
    wang.reacts(wang.says("三", in_=elsewhere), "👍")  # not an admin
    wang.says("二", in_=office)
    wang.reacts(said, "👍", "👌")
    seen = updates(call)
    (reaction,) = [u for u in seen if "message_reaction" in u]
    assert words(seen) == ["二"] and reaction["message_reaction"]["chat"]["id"] == office.id
    assert [r["emoji"] for r in reaction["message_reaction"]["old_reaction"]] == ["👌"]
    assert len(reaction["message_reaction"]["new_reaction"]) == 2


def test_coming_and_going(fake: FakeTelegram, call: Call, wang: Person) -> None:
    updates(call, allowed_updates=ALL_KINDS)
    office = fake.group("教研组", bot_admin=True)
    office.joins(wang)
    office.leaves(wang)
    wang.blocks()
    seen = updates(call)
    assert {k for u in seen for k in u} == {"update_id", "message", "chat_member", "my_chat_member"}
    assert [u["message"]["new_chat_members"][0]["id"] for u in seen if "new_chat_members" in u.get("message", {})] == [
        wang.id
    ]
    assert call("getChatMember", chat_id=office.id, user_id=wang.id)["result"]["status"] == "left"
    assert call("getChatMember", chat_id=office.id, user_id=5)["error_code"] == 400


def test_people_edit_what_they_said(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    said = wang.says("收到吗", in_=office)
    wang.edits(said, "收到")
    first, second = updates(call)
    assert first["message"]["text"] == "收到吗" and second["edited_message"]["text"] == "收到"
    assert second["edited_message"]["edit_date"] and office.messages[0].versions == ["收到吗", "收到"]


# ---- the clock


def test_the_clock_dates_the_messages(fake: FakeTelegram, call: Call, wang: Person) -> None:
    fake.clock.set(datetime(2026, 12, 2, 7, 0, tzinfo=UTC))
    fake.clock.freeze()
    wang.says("早")
    assert updates(call)[0]["message"]["date"] == int(datetime(2026, 12, 2, 7, 0, tzinfo=UTC).timestamp())
    with pytest.raises(ValueError, match="naive"):
        fake.clock.set(datetime(2026, 12, 2))  # noqa: DTZ001


# ---- text, against two other people's writers


SAID = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60).filter(
    lambda t: t.strip(" \n") == t
)


@settings(max_examples=150, deadline=None)
@given(SAID)
def test_escaped_text_arrives_as_it_was(text: str) -> None:
    assert formatted(html_decoration.quote(text), "HTML", None)[0] == text
    assert formatted(markdown_decoration.quote(text), "MarkdownV2", None)[0] == text
    assert formatted(telegram.helpers.escape_markdown(text, version=2), "MarkdownV2", None)[0] == text
    assert formatted(text, "", None)[0] == text


KINDS = st.sampled_from(["bold", "italic", "underline", "strikethrough", "spoiler", "code", "text_link"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.text(st.sampled_from("好a😀_*.<&"), min_size=1, max_size=5), KINDS), min_size=1, max_size=5)
)
def test_markup_written_by_another_library_is_read_back(pieces: list[tuple[str, str]]) -> None:
    text, entities = "", []
    for piece, kind in pieces:
        entities.append({"type": kind, "offset": units(text), "length": units(piece)})
        if kind == "text_link":
            entities[-1]["url"] = "https://school.cn/?a=1&b=(2)"
        text += piece + "，"
    parsed = [aiogram.types.MessageEntity.model_validate(e) for e in entities]
    assert formatted(html_decoration.unparse(text, parsed), "HTML", None, find=False) == (text, entities)
    assert formatted(text, "", entities, find=False) == (text, entities)
    ptb = telegram.Message(1, datetime.now(UTC), telegram.Chat(1, "private"), text=text,
                           entities=[telegram.MessageEntity.de_json(e, None) for e in entities])  # fmt: skip
    assert formatted(ptb.text_html, "HTML", None, find=False) == (text, entities)
    assert formatted(ptb.text_markdown_v2, "MarkdownV2", None, find=False) == (text, entities)


@pytest.mark.parametrize(
    ("text", "mode", "plain", "kinds"),
    [
        ("<b>粗<i>斜</i></b>", "HTML", "粗斜", ["bold", "italic"]),
        ("&lt;b&gt; &amp; &quot;&#20013;", "HTML", '<b> & "中', []),
        ('<pre><code class="language-python">x=1</code></pre>', "HTML", "x=1", ["pre"]),
        (
            '<span class="tg-spoiler">谁</span><blockquote expandable>引</blockquote>',
            "HTML",
            "谁引",
            ["spoiler", "expandable_blockquote"],
        ),
        ("*粗* _斜_ `码` [网](https://a.cn)", "Markdown", "粗 斜 码 网", ["bold", "italic", "code", "text_link"]),
        ("```python\nx=1\n```", "MarkdownV2", "x=1", ["pre"]),
        (">一\n>二\n三", "MarkdownV2", "一\n二\n三", ["blockquote"]),
        ("__下划__ ~删~ ||藏||", "MarkdownV2", "下划 删 藏", ["underline", "strikethrough", "spoiler"]),
        ("a\\_b", "Markdown", "a_b", []),
        ("  #接龙 王老师@wang_1 /help\r\n", "", "#接龙 王老师@wang_1 /help", ["hashtag", "bot_command"]),
    ],
)
def test_markup_by_hand(text: str, mode: str, plain: str, kinds: list[str]) -> None:
    got, entities = formatted(text, mode, None)
    assert got == plain and [e["type"] for e in entities] == kinds


def test_trimming_moves_the_entities() -> None:
    bold = {"type": "bold", "offset": 4, "length": 5}
    assert formatted("\n  \r😀好，  \n", "", [bold], find=False) == ("😀好，", [bold | {"offset": 0, "length": 4}])


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(BadText, match="UTF-8"):
        formatted("\ud83d", "", None)


# ---- two independent clients


@pytest.fixture
async def gram(fake: FakeTelegram) -> Any:
    bot = aiogram.Bot(fake.token, session=AiohttpSession(api=TelegramAPIServer.from_base(fake.url)))
    yield bot
    await bot.session.close()


@pytest.fixture
async def ptb(fake: FakeTelegram) -> Any:
    async with telegram.Bot(fake.token, base_url=fake.base_url, base_file_url=fake.base_file_url) as bot:
        yield bot


async def test_aiogram_works_against_it(fake: FakeTelegram, gram: aiogram.Bot, wang: Person, office: Group) -> None:
    office.makes_bot_admin()
    markup = aiogram.types.InlineKeyboardMarkup.model_validate(YES_NO)
    me = await gram.get_me()
    assert (me.username, me.can_read_all_group_messages) == ("hongzhu_bot", True)
    sent = await gram.send_message(office.id, "<b>教学例会</b>", parse_mode="HTML", reply_markup=markup)
    assert sent.entities and sent.entities[0].type == "bold"
    press = wang.presses("教学例会", "请假")
    *_, update = await gram.get_updates(timeout=5)
    assert (
        update.callback_query
        and await update.callback_query.answer("已记下：请假").as_(gram)
        and press.wait() == "已记下：请假"
    )
    edited = await gram.edit_message_text("到会 0", chat_id=office.id, message_id=sent.message_id)
    assert isinstance(edited, aiogram.types.Message) and office.messages[-1].text == "到会 0"
    file = aiogram.types.BufferedInputFile(b"xlsx bytes", "到会表.xlsx")
    document = (await gram.send_document(wang.id, file, caption="名单")).document
    assert document and wang.inbox[-1].file == b"xlsx bytes" and wang.inbox[-1].text == "名单"
    downloaded = await gram.download(document)
    assert downloaded and downloaded.read() == b"xlsx bytes"
    assert (await gram.get_chat(office.id)).title == "教研组" and await gram.get_chat_member_count(office.id) == 2
    assert [m.user.id for m in await gram.get_chat_administrators(office.id)] == [fake.bot_id]
    assert (await gram.get_chat_member(office.id, wang.id)).status == "member"
    assert await gram.send_chat_action(office.id, "typing") and await gram.pin_chat_message(office.id, sent.message_id)
    assert await gram.set_my_commands([aiogram.types.BotCommand(command="help", description="帮助")])
    assert await gram.set_message_reaction(office.id, sent.message_id, [aiogram.types.ReactionTypeEmoji(emoji="👍")])
    assert (await gram.get_webhook_info()).url == "" and await gram.delete_message(office.id, sent.message_id)
    fake.fault("sendMessage", status=429, retry_after=3)
    with pytest.raises(aiogram.exceptions.TelegramRetryAfter):
        await gram.send_message(wang.id, "x")
    wang.blocks()
    with pytest.raises(aiogram.exceptions.TelegramForbiddenError):
        await gram.send_message(wang.id, "x")
    old = fake.group("老群", supergroup=False)
    old.upgrades()
    with pytest.raises(aiogram.exceptions.TelegramMigrateToChat):
        await gram.send_message(old.id, "x")


@pytest.mark.filterwarnings("ignore:.*`retry_after`")
async def test_python_telegram_bot_works_against_it(
    fake: FakeTelegram, ptb: telegram.Bot, wang: Person, office: Group
) -> None:
    office.makes_bot_admin()
    markup = telegram.InlineKeyboardMarkup.de_json(YES_NO, None)
    assert ptb.username == "hongzhu_bot" and ptb.can_read_all_group_messages
    entities = [telegram.MessageEntity("bold", 0, 4)]
    sent = await ptb.send_message(office.id, "教学例会", entities=entities, reply_markup=markup)
    press = wang.presses("教学例会", "能到")
    update = (await ptb.get_updates(timeout=5))[-1]
    assert (
        update.callback_query and await update.callback_query.answer("已记下：能到") and press.wait() == "已记下：能到"
    )
    await sent.edit_text("到会 1")
    reply = wang.says("收到", reply_to=office.messages[-1])
    answer = await ptb.send_message(office.id, "好的", reply_parameters=telegram.ReplyParameters(reply.id))
    assert answer.reply_to_message and answer.reply_to_message.text == "收到"
    document = (await ptb.send_document(wang.id, b"xlsx bytes", filename="到会表.xlsx", caption="名单")).document
    assert document and wang.inbox[-1].file == b"xlsx bytes"
    assert bytes(await (await document.get_file()).download_as_bytearray()) == b"xlsx bytes"
    assert (await ptb.get_chat(office.id)).title == "教研组" and (await ptb.get_chat(wang.id)).first_name == "王老师"
    assert [m.user.id for m in await ptb.get_chat_administrators(office.id)] == [fake.bot_id]
    assert (await ptb.get_chat_member(office.id, wang.id)).status == "member"
    assert await ptb.set_my_commands([("help", "帮助")]) and (await ptb.get_my_commands())[0].command == "help"
    assert await ptb.set_message_reaction(office.id, sent.id, "👍") and await ptb.pin_chat_message(office.id, sent.id)
    assert await ptb.send_chat_action(office.id, "typing") and await ptb.delete_message(office.id, sent.id)
    fake.fault("sendMessage", status=429, retry_after=3)
    with pytest.raises(telegram.error.RetryAfter):
        await ptb.send_message(wang.id, "x")
    wang.blocks()
    with pytest.raises(telegram.error.Forbidden):
        await ptb.send_message(wang.id, "x")
    old = fake.group("老群", supergroup=False)
    new = old.upgrades()
    with pytest.raises(telegram.error.ChatMigrated) as moved:
        await ptb.send_message(old.id, "x")
    assert moved.value.new_chat_id == new.id
    fake.fault("getMe", cut="after")
    with pytest.raises(telegram.error.NetworkError):
        await ptb.get_me()
    fake.token = "7000000002:AA-another"
    with pytest.raises(telegram.error.InvalidToken):
        await ptb.get_me()


def test_what_breaks_the_schema_is_noticed() -> None:
    with FakeTelegram(strict_schema=True) as fake:
        wang = fake.user("王老师")
        wang.name = None  # type: ignore[assignment]
        with pytest.raises(ValueError, match="first_name"):
            wang.says("谁？")


# ---- watching


def test_quiet_waits_until_the_bot_has_done_everything(fake: FakeTelegram, call: Call, wang: Person) -> None:
    over = threading.Event()

    def bot() -> None:
        offset = 0
        while not over.is_set():
            for update in updates(call, offset=offset, timeout=20):
                offset = update["update_id"] + 1
                call("sendMessage", chat_id=wang.id, text=f"听到：{update['message']['text']}")

    running = threading.Thread(target=bot)
    running.start()
    for text in "一二三":
        wang.says(text)
    fake.quiet()
    assert [m.text for m in wang.inbox] == ["听到：一", "听到：二", "听到：三"] and fake.pending == 0
    over.set()
    wang.says("再见")
    running.join(5)


def test_quiet_gives_up_on_a_deaf_bot(fake: FakeTelegram, wang: Person) -> None:
    wang.says("有人吗")
    with pytest.raises(TimeoutError, match="come to rest"):
        fake.quiet(timeout=0.1)


def test_the_book_of_what_people_saw(tmp_path: Path) -> None:
    path = tmp_path / "seen.jsonl"
    with FakeTelegram(log=path) as fake:
        wang = fake.user("王老师", started=True)
        url = f"{fake.base_url}{fake.token}/"
        httpx.post(url + "sendMessage", json={"chat_id": wang.id, "text": "到会吗", "reply_markup": YES_NO})
        press = wang.presses("到会吗", "能到")
        httpx.post(url + "answerCallbackQuery", json={"callback_query_id": press.id, "text": "已记下"})
        httpx.post(url + "editMessageText", json={"chat_id": wang.id, "message_id": 1, "text": "到会 1"})
        httpx.post(url + "getUpdates", json={"offset": (press.update_id or 0) + 1})
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["what"] for line in lines] == ["message", "pressed", "toast", "edit", "confirmed"]
    assert lines[2] | {"text": "已记下", "by": wang.id, "data": "nt.rsvp:1:y", "update_id": press.update_id} == lines[2]
    assert lines[4]["update_ids"] == [press.update_id]
    times = [line["ns"] for line in lines]
    assert times == sorted(times) and times[-1] <= time.monotonic_ns()


# ---- in a process of its own


def test_driven_from_another_process(tmp_path: Path) -> None:
    with RemoteTelegram.spawn(log=tmp_path / "seen.jsonl") as far:
        li = far.user("李校长", username="li")
        office = far.group("教研组", members=[li], supergroup=False)
        url = f"{far.base_url}{far.token}/"
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(httpx.get, url + "getUpdates?timeout=20", timeout=30)
            far.wait(lambda: far.state["polling"])
            said = li.says("发通知", in_=office)
            (update,) = waiting.result(5).json()["result"]
            assert update["message"]["text"] == "发通知" and office.messages == [said]
        httpx.post(
            url + "sendMessage",
            json={"chat_id": update["message"]["chat"]["id"], "text": "到会吗", "reply_markup": YES_NO},
        )
        press = li.presses("到会吗", "能到")
        httpx.post(url + "answerCallbackQuery", json={"callback_query_id": li.forges(office.inbox[-1], "x")["press"]})
        httpx.post(url + "answerCallbackQuery", json={"callback_query_id": press["press"], "text": "好"})
        assert far.toast(press) == "好"
        li.sends_document("a.bin", b"\x00\xff")
        assert far.ask("messages", of={"chat": li.ref["person"]})[0]["document"]["file_size"] == 2
        far.fault("getMe", status=502)
        far.set(mode="strict", latency=0.001)
        assert httpx.get(url + "getMe").status_code == 502 and httpx.get(url + "getMe").status_code == 200
        before = far.state["now"]
        assert far.ask("advance", hours=25) - before > 89999 and far.state["pending"] == 0
        office.upgrades(told="later")
        assert far.ask("calls")[-1]["method"] == "getMe"
        with pytest.raises(RuntimeError, match="no verb 'dances'"):
            li.dances()
        with pytest.raises(TimeoutError):
            far.wait(lambda: False, timeout=0.05)
    kinds = [json.loads(line)["what"] for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert kinds[0] == "said" and kinds.count("toast") == 2 and "expired" in kinds


def test_a_message_knows_its_place(fake: FakeTelegram, call: Call, wang: Person, office: Group) -> None:
    call("sendMessage", chat_id=office.id, text="通知", reply_markup=YES_NO)
    message = wang.sees("通知")
    assert isinstance(message, Message) and message.chat is office and message.from_bot
    assert message.buttons == [[("能到", "nt.rsvp:1:y"), ("请假", "nt.rsvp:1:n")]]

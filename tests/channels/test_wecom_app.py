"""The self-built application and the group webhook: sealed callbacks heard once, one token, nothing dropped unseen."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom import callback as callback_module
from bot.channels.wecom import doctor, plainxml
from bot.channels.wecom.api import Api
from bot.channels.wecom.app import Application
from bot.channels.wecom.callback import Callback, event_id
from bot.channels.wecom.channel import WecomChannel
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.door import callback_route, query_of
from bot.channels.wecom.webhook import Webhook
from bot.engine.port import Answer, DeliveryFailed, Document
from bot.kit.card import Button, Card, Line
from bot.kit.event import Joined, Said, Tapped
from tests.channels.test_wecom_crypto import BAD, CORP, ECHO, KEY, TOKEN
from tests.channels.wecom_office import CARD, Cards, Office, Rsvp, channel, listening, place, until
from tests.fakes.wecom import FakeWecom
from tests.stages import Door

SAID = "已记下：能到"


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake
    assert fake.folded == [] and fake.dropped == []


def application(fake: FakeWecom, **more: Any) -> Application:
    app = fake.http.app
    given = {"token": app.token, "aes_key": app.aes_key, "base": fake.url} | more
    return Application(fake.corp_id, app.secret, app.agent_id, **given)


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"nothing"})


@asynccontextmanager
async def served(fake: FakeWecom, office: Office, **more: Any) -> AsyncIterator[WecomChannel]:
    """A channel with its application, whose callback has a web server."""
    app = application(fake)
    ears = channel(fake, app=app, **more)
    assert app.door is not None
    door = Door()
    await door.open(callback_route(nothing, app.door.answer))
    fake.http.app.callback_url = f"{door.url}/wecom/callback"
    try:
        async with listening(ears, office):
            yield ears
    finally:
        await door.close()


# --- who is at the door -----------------------------------------------------------------------------------------------


async def test_the_published_verification_over_http() -> None:
    seal = Callback(CORP, 218, TOKEN, KEY)
    door = Door()
    await door.open(callback_route(nothing, seal.answer))
    query = {
        "msg_signature": "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
        "timestamp": "1409659589",
        "nonce": "263014780",
    }
    async with httpx.AsyncClient(trust_env=False) as client:
        url = f"{door.url}/wecom/callback?{urlencode(query)}&echostr="
        for echo in (quote(ECHO, safe=""), ECHO):  # a bare + must not become a space
            answer = await client.get(url + echo)
            assert (answer.status_code, answer.content) == (200, b"1616140317555161061")
        for name, value in [*query.items(), ("echostr", ECHO)]:
            bad = {**query, "echostr": ECHO, name: value[:-3] + ("1" if value[-3] != "1" else "2") + value[-2:]}
            answer = await client.get(f"{door.url}/wecom/callback?{urlencode(bad)}")
            assert (answer.status_code, answer.content) == (403, b"")
        assert (await client.get(f"{door.url}/wecom/callback")).status_code == 403
        assert (await client.put(url)).status_code == 405
        assert (await client.get(f"{door.url}/elsewhere")).status_code == 404
    await door.close()


def test_a_plus_is_a_plus() -> None:
    assert query_of(b"a=x+y%2B%20z&a=2&b") == {"a": "x+y+ z", "b": ""}


@pytest.fixture
def door_of(fake: FakeWecom) -> Any:
    """The bare answerer, with the time of the fake."""

    async def ask(body: bytes, query: str, method: str = "POST") -> tuple[int, bytes]:
        app = fake.http.app
        return await Callback(fake.corp_id, app.agent_id, app.token, app.aes_key).answer(
            method, query_of(query.encode()), body
        )

    return ask


async def test_every_single_change_is_refused_without_a_word(fake: FakeWecom, door_of: Any) -> None:
    app = fake.http.app
    query, body = app.sealed(app.xml("wang", {"MsgType": "text", "Content": "hi", "MsgId": "1"}))
    assert (await door_of(body, query))[0] == 503  # nobody listens yet: it is to come again
    parts = dict(pair.split("=") for pair in query.split("&"))
    for name in parts:
        for at in range(len(parts[name])):
            bad = parts | {name: parts[name][:at] + ("1" if parts[name][at] != "1" else "2") + parts[name][at + 1 :]}
            assert await door_of(body, urlencode(bad)) == (403, b"")
    start = body.index(b"<Encrypt><![CDATA[") + 18
    for at in range(start, body.index(b"]]></Encrypt>"), 3):
        bad_body = body[:at] + (b"A" if body[at : at + 1] != b"A" else b"B") + body[at + 1 :]
        assert await door_of(bad_body, query) == (403, b"")
    assert await door_of(body, "") == (403, b"")
    assert await door_of(b"", query) == (403, b"")


async def test_another_corp_and_copies_of_old_mail_are_refused(fake: FakeWecom, door_of: Any) -> None:
    app = fake.http.app
    xml = app.xml("wang", {"MsgType": "text", "Content": "hi", "MsgId": "1"})
    query, body = app.sealed(xml, corp="wwffffffffffffffff")
    assert await door_of(body, query) == (403, b"")
    query, body = app.sealed(xml.replace(fake.corp_id, "wwffffffffffffffff"))
    assert await door_of(body, query) == (403, b"")
    for ahead in (-3600, -864000, 3600):
        query, body = app.sealed(xml, ahead=ahead)
        assert await door_of(body, query) == (403, b"")


@pytest.mark.parametrize("inside", BAD, ids=range(len(BAD)))
async def test_what_is_inside_is_read_as_carefully(fake: FakeWecom, door_of: Any, inside: bytes) -> None:
    app = fake.http.app
    sealed = app.encrypt(inside, fake.corp_id)
    stamp = str(int(fake.clock.now()))
    query = urlencode({"msg_signature": app.sign(stamp, "n", sealed), "timestamp": stamp, "nonce": "n"})
    assert await door_of(f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode(), query) == (403, b"")


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
async def test_the_envelope_is_not_even_parsed(door_of: Any, body: bytes) -> None:
    assert await door_of(body, "msg_signature=x&timestamp=1&nonce=n") == (403, b"")


async def test_a_body_of_a_hundred_megabytes_is_not_read(fake: FakeWecom) -> None:
    async with served(fake, Office()):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1600):
                yield b"x" * 65536

        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                answer = await client.post(fake.http.app.callback_url, content=endless())
                assert answer.status_code == 413
            except httpx.TransportError:
                pass  # hung up on: as good
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


# --- what is heard ----------------------------------------------------------------------------------------------------


async def test_words_and_a_click_through_the_application(fake: FakeWecom) -> None:
    wang = fake.user("WangLaoShi")
    office = Office(answer=lambda event: Answer(toast=SAID if isinstance(event, Tapped) else None))
    async with served(fake, office) as ears:
        fake.http.app.says(wang, "帮助")
        await until(lambda: office.heard)
        await ears.send(office.heard[0].place, CARD)
        press = wang.presses("教学例会", "能到")
        assert SAID in await asyncio.to_thread(press.wait)
    said, tap = office.heard
    assert isinstance(said, Said) and said.text == "帮助" and said.sender.id == "wanglaoshi"
    assert isinstance(tap, Tapped) and tap.token == "nt.rsvp:42:y"
    assert [m.via for m in wang.inbox] == ["app"]
    assert press.seconds < 1.0


async def test_a_vote_through_the_application(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    many = Card("ballot:1", "明星教师", [], [Button(f"{n + 1}号老师", Rsvp(n, "v")) for n in range(12)])
    office = Office(answer=lambda event: Answer(toast="投给了 7号老师"))
    async with served(fake, office, draw=Cards(many)) as ears:
        await ears.send(place(wang), many)
        assert "投给了 7号老师" in await asyncio.to_thread(wang.presses("明星教师", "7号老师").wait)
        assert "请先选一项" in await asyncio.to_thread(wang.submits_nothing(wang.inbox[0]).wait)
    assert [tap.token for tap in office.heard if isinstance(tap, Tapped)] == ["nt.rsvp:6:v"]


async def test_repeats_while_our_shelves_are_stalled_are_one(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's five seconds are half a second here; the shelves stall for more than two of them."""
    monkeypatch.setattr(callback_module, "PATIENCE", 0.4)
    fake.http.app.patience = 0.5
    wang = fake.user("wang")
    for stall, wanted in ((0.0, 1), (0.6, 2), (0.95, 3)):
        office = Office(answer=lambda event: Answer(toast=SAID), delay=stall)
        async with served(fake, office):
            fake.http.app.deliveries.clear()
            xml = fake.http.app.xml(
                "wang", {"MsgType": "text", "Content": f"收到{stall}", "MsgId": f"9{stall * 100:.0f}"}
            )
            assert await asyncio.to_thread(fake.http.app.deliver, xml) == 200
            await until(lambda o=office: not o.under_way)
            assert len(office.heard) == 1, stall
            assert len(fake.http.app.deliveries) == wanted
    assert len([m for m in wang.inbox if m.text == SAID]) == 3


async def test_the_same_mail_again_a_second_later_is_confirmed_and_not_heard(fake: FakeWecom) -> None:
    fake.user("wang")
    office = Office()
    async with served(fake, office):
        app = fake.http.app
        xml = app.xml("wang", {"MsgType": "text", "Content": "收到", "MsgId": "77"})
        for _again in range(3):
            status, _body = await asyncio.to_thread(app.post, xml)
            assert status == 200
    assert len(office.heard) == 1


async def test_what_was_not_kept_is_not_confirmed(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.channels.wecom import hearing

    monkeypatch.setattr(hearing, "KEPT_TRYING", 0.1)
    fake.user("wang", known=True)
    office = Office(unavailable=10**6)
    async with served(fake, office):
        xml = fake.http.app.xml("wang", {"MsgType": "text", "Content": "收到", "MsgId": "78"})
        status, _body = await asyncio.to_thread(fake.http.app.post, xml)
        assert status == 503
        office.unavailable = 0
        status, _body = await asyncio.to_thread(fake.http.app.post, xml)
        assert status == 200
    assert office.texts == ["收到"]


async def test_other_events(fake: FakeWecom) -> None:
    fake.user("wang")
    office = Office()
    async with served(fake, office) as ears:
        app = fake.http.app
        for event in ("enter_agent", "subscribe", "unsubscribe", "inactive_alert", "change_contact", "brand_new"):
            who = "" if event == "inactive_alert" else "wang"
            assert await asyncio.to_thread(app.deliver, app.xml(who, {"MsgType": "event", "Event": event})) == 200
        await until(lambda: office.heard)
        assert any("停用" in sentence for sentence in await ears.check())
    assert [type(event) for event in office.heard] == [Joined]


FIELDS = st.fixed_dictionaries(
    {
        "ToUserName": st.just("ww1"),
        "FromUserName": st.sampled_from(["a", "b"]),
        "CreateTime": st.sampled_from(["1", "2"]),
        "MsgType": st.just("event"),
        "Event": st.sampled_from(["template_card_event", "click"]),
        "EventKey": st.text(alphabet="ab|:", max_size=3),
        "TaskId": st.text(alphabet="ab", max_size=2),
    },
    optional={"ResponseCode": st.text(alphabet="ab", max_size=2), "AgentID": st.sampled_from(["1", "2"])},
)


def xml_of(fields: dict[str, str]) -> plainxml.Node:
    return plainxml.read(
        ("<xml>" + "".join(f"<{k}>{plainxml.cdata(v)}</{k}>" for k, v in fields.items()) + "</xml>").encode()
    )


@given(FIELDS, FIELDS)
def test_two_events_that_differ_in_any_field_are_two(one: dict[str, str], two: dict[str, str]) -> None:
    assert (event_id(xml_of(one), 1) == event_id(xml_of(two), 1)) == (one == two)
    assert len(event_id(xml_of(one), 1000002)) <= 160


async def test_what_is_kept_is_confirmed_within_a_second_however_slow_the_card_is(fake: FakeWecom) -> None:
    wang = fake.user("WangLaoShi")
    office = Office(answer=lambda event: Answer(toast=SAID if isinstance(event, Tapped) else None))
    cards = Cards()
    async with served(fake, office, draw=cards) as ears:
        await ears.send(place(wang), CARD)
        cards.delay = 30.0
        press = wang.presses("教学例会", "能到")
        assert SAID in await asyncio.to_thread(press.wait)
        fake.http.app.says(wang, "帮助")
        await until(lambda: len(fake.http.app.deliveries) == 2)
    assert [status for status, _seconds in fake.http.app.deliveries] == [200, 200]
    assert max(seconds for _status, seconds in fake.http.app.deliveries) < 1.0


# --- sending ----------------------------------------------------------------------------------------------------------


async def test_a_person_who_never_wrote_to_the_bot_is_reached(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    ears = channel(fake, app=application(fake))
    fake.http.app.callback_url = "http://127.0.0.1:9/unused"
    async with listening(ears, Office()):
        await ears.send(place(wang), CARD)
        await ears.send(place(wang), "字" * 3000)
        await ears.send(place(wang), Document("汇总.xlsx", "application/x", b"0123456789"))
    card, *texts, file = wang.inbox
    assert card.labels == ["能到", "请假"] and file.file == ("汇总.xlsx", b"0123456789")
    assert len(texts) == 5 and all(len(m.text.encode()) <= 2048 for m in texts)
    assert sum(m.text.count("字") for m in texts) == 3000


async def test_lost_answers_deliver_once_and_the_same_words_twice_are_two(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    ears = channel(fake, app=application(fake))
    async with listening(ears, Office()):
        fake.fault("message/send", lose="ack")
        await ears.send(place(wang), "没看懂")
        await ears.send(place(wang), "没看懂")
    assert [m.text for m in wang.inbox] == ["没看懂", "没看懂"]
    assert len(fake.calls_of("message/send")) == 3


async def test_who_cannot_be_reached_is_named(fake: FakeWecom) -> None:
    away, unlicensed = fake.user("away"), fake.user("unlicensed")
    away.in_range, unlicensed.unlicensed = False, True
    ears = channel(fake, app=application(fake))
    async with listening(ears, Office()):
        for person in (away, unlicensed):
            with pytest.raises(DeliveryFailed) as failure:
                await ears.send(place(person), "通知")
            assert failure.value.permanent


async def test_nothing_is_dropped_in_silence_by_sending_too_fast(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    ears = channel(fake, app=application(fake))
    async with listening(ears, Office()):
        sent = 0
        with pytest.raises(DeliveryFailed) as failure:
            for sent in range(40):
                await ears.send(place(wang), f"第 {sent} 条")
    assert 50 < (failure.value.retry_after or 0) <= 60.1
    assert len(wang.inbox) == sent == 15


async def test_a_card_is_settled_once_with_its_code(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    fake.http.app.callback_url = "http://127.0.0.1:9/unused"
    ears = channel(fake, app=application(fake))
    over = Card("notice:42", "教学例会", [Line("到会 12 人")])
    async with listening(ears, Office()):
        (ref,) = await ears.send(place(wang), CARD)
        await ears.edit(place(wang), ref, over, final=False)
        await ears.edit(place(wang), ref, over, final=True)
        assert "到会 12 人" in wang.inbox[0].text_for("wang")
        updates = len(fake.calls_of("message/update_template_card"))
        await ears.edit(place(wang), ref, over, final=True)
        assert len(fake.calls_of("message/update_template_card")) == updates == 1
        (ref,) = await ears.send(place(wang), CARD)
        fake.clock.advance(hours=73)
        await ears.edit(place(wang), ref, over, final=True)
    assert len(wang.inbox) == 2, "a private card that is over says nothing, whether it could be changed or not"


# --- the token --------------------------------------------------------------------------------------------------------


async def test_twenty_senders_on_a_token_that_was_taken_back_fetch_one(fake: FakeWecom) -> None:
    people = [fake.user(f"t{n}") for n in range(20)]
    app = application(fake)
    await asyncio.gather(
        *(app.post(place(person), {"msgtype": "markdown", "markdown": {"content": "一"}}) for person in people)
    )
    assert fake.http.app.tokens_given == 1
    fake.http.app.expire_now()
    fake.http.latency = 0.05
    await asyncio.gather(
        *(app.post(place(person), {"msgtype": "markdown", "markdown": {"content": "二"}}) for person in people)
    )
    assert fake.http.app.tokens_given == 2
    assert all([m.text for m in person.inbox] == ["一", "二"] for person in people)
    await app.close()


async def test_a_wrong_secret_is_not_tried_again_by_every_sender(fake: FakeWecom) -> None:
    """Many calls with one shut out the school's whole address."""
    api = Api(fake.corp_id, "wrong", fake.url)
    gone = await asyncio.gather(*(api.get("/cgi-bin/agent/get") for _sender in range(20)), return_exceptions=True)
    assert {one.errcode for one in gone if isinstance(one, Trouble)} == {40001} and len(gone) == 20
    assert len(fake.calls_of("cgi-bin/gettoken")) == 1
    await api.close()


async def test_a_token_that_is_refused_twice_is_a_trouble(fake: FakeWecom) -> None:
    fake.user("wang")
    api = Api(fake.corp_id, fake.http.app.secret, fake.url)
    fake.fault("agent/get", errcode=40014, times=2)
    with pytest.raises(Trouble) as trouble:
        await api.get("/cgi-bin/agent/get", agentid=fake.http.app.agent_id)
    assert trouble.value.errcode == 40014
    await api.close()


async def test_no_secret_in_any_trouble(fake: FakeWecom) -> None:
    app = application(fake)
    hook = Webhook("key-that-nobody-may-see", fake.url)
    secrets = (fake.http.app.secret, fake.http.app.aes_key, "key-that-nobody-may-see")
    troubles: list[BaseException] = []
    fake.stop()
    for call in (app.api.token(), hook.mention("x", ["@all"])):
        try:
            await call
        except Trouble as trouble:
            troubles.append(trouble)
            assert trouble.__cause__ is None
    assert len(troubles) == 2
    told = repr(troubles) + repr(app) + repr(app.api) + repr(hook) + repr(app.door)
    assert not any(secret in told for secret in secrets)
    await app.close()
    await hook.close()


# --- people -----------------------------------------------------------------------------------------------------------


async def test_the_address_book_and_who_comes_from_the_workbench(fake: FakeWecom) -> None:
    fake.http.app.parties = {1: "红烛中学", 2: "教学部", 3: "语文组", 4: "工会"}
    fake.http.app.parents = {3: 2}
    wang = fake.user("WangLaoShi", "王老师")
    wang.parties = [4, 3]
    fake.user("li", "李老师")
    fake.user("wang2", "王老师").parties = [2]
    told: list[tuple[int, int]] = []

    async def progress(done: int, total: int) -> None:
        told.append((done, total))

    app = application(fake)
    members = {m.userid: (m.name, list(m.departments)) for m in await app.members(progress)}
    assert members == {
        "wanglaoshi": ("王老师", ["语文组", "工会"]),  # the nearest first, and the school itself is no department
        "li": ("李老师", []),
        "wang2": ("王老师", ["教学部"]),
    }
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4)]
    code = fake.http.app.sign_in(wang)
    assert await app.who_came(code) == "wanglaoshi"
    assert await app.who_came(code) is None
    old = fake.http.app.sign_in(wang)
    fake.clock.advance(minutes=6)
    assert await app.who_came(old) is None
    assert "redirect_uri=https%3A%2F%2Fbot.school.example%2Fin" in app.sign_in_address(
        "https://bot.school.example/in", "s1"
    )
    await app.close()


async def test_a_message_is_taken_back(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    app = application(fake)
    await app.post(place(wang), {"msgtype": "markdown", "markdown": {"content": "发错了"}})
    await app.recall(wang.inbox[0].msgid)
    assert wang.inbox == []
    await app.close()


@pytest.mark.parametrize(
    ("code", "word"),
    [
        (40013, "企业 ID"),
        (40001, "Secret"),
        (40091, "Secret"),
        (60020, "可信IP"),
        (301002, "AgentId"),
        (48002, "可见范围"),
        (60011, "可见范围"),
        (45009, "45009"),
    ],
)
async def test_each_misconfiguration_is_a_sentence(fake: FakeWecom, code: int, word: str) -> None:
    fake.fault("agent/get", errcode=code)
    app = application(fake)
    (sentence,) = await doctor.about(app)
    assert word in sentence
    await app.close()


# --- the group's webhook ----------------------------------------------------------------------------------------------


async def test_a_group_that_has_gone_cold_is_reached_by_its_webhook(fake: FakeWecom) -> None:
    room = fake.group("教研组")
    room.webhook_key = "k1"
    ears = channel(fake, webhooks={room.id: Webhook("k1", fake.url)})
    async with listening(ears, Office()):
        await ears.send(place(room), "字" * 3000)
        await ears.send(place(room), CARD)
        await ears.send(place(room), Document("汇总.xlsx", "application/x", b"0123456789"))
    *texts, card, file = room.from_bot
    assert sum(m.text.count("字") for m in texts) == 3000 and len(texts) == 3
    assert "回复 1 选 能到" in card.text and card.via == "webhook"
    assert file.file == ("汇总.xlsx", b"0123456789")


async def test_a_sure_at(fake: FakeWecom) -> None:
    room = fake.group("教研组")
    room.webhook_key = "k1"
    hook = Webhook("k1", fake.url)
    await hook.mention("请看通知", ["wang", "@all"])
    assert room.from_bot[0].mentioned == ["wang", "@all"]
    await hook.close()


async def test_a_webhook_counts_for_itself(fake: FakeWecom) -> None:
    room = fake.group("教研组")
    room.webhook_key = "k1"
    hook = Webhook("k1", fake.url)
    sent = 0
    with pytest.raises(Trouble) as trouble:
        for _each in range(30):
            await hook.mention("x", [])
            sent += 1
    assert trouble.value.wait and sent == 20 == len(room.from_bot)
    assert not [call for call in fake.calls if call.errcode]
    await hook.close()


# --- check ------------------------------------------------------------------------------------------------------------


async def test_check_says_what_to_click(fake: FakeWecom) -> None:
    free: dict[str, Any] = {"in_use": lambda: False}
    assert await channel(fake, **free).check() == []
    nameless = await channel(fake, bot_name="").check()
    assert any("bot_name" in sentence for sentence in nameless)
    corp = WecomChannel("ww0123456789abcdef", fake.secret, bot_name="红烛", url=fake.ws_url)
    assert any("企业 ID" in sentence for sentence in await corp.check())
    wrong = WecomChannel(fake.bot_id, "wrong", bot_name="红烛", url=fake.ws_url, in_use=lambda: False)
    assert any("Secret" in sentence for sentence in await wrong.check())
    fake.fault("aibot_subscribe", errcode=846999, times=1000)
    assert any("长连接" in sentence and "846999" in sentence for sentence in await channel(fake, **free).check())
    fake.stop()
    assert any("443" in sentence for sentence in await quick(channel(fake, **free)))


async def quick(ears: WecomChannel) -> Any:
    before, doctor.SECONDS = doctor.SECONDS, 1.0
    try:
        return await ears.check()
    finally:
        doctor.SECONDS = before


async def test_check_never_throws_out_a_bot_that_runs(fake: FakeWecom) -> None:
    running = channel(fake)
    async with listening(running, Office()):
        assert await channel(fake).check() == []
        assert running.client.is_live
    assert len(fake.calls_of("aibot_subscribe")) == 1


async def test_only_ever_one_voice_smells_of_the_creator_only_trap(fake: FakeWecom) -> None:
    async def one() -> int:
        return 1

    (sentence,) = await channel(fake, voices=one).check()
    assert "可使用的成员" in sentence

"""The long connection when things go wrong: it always comes back, never fights, and knows when it is deaf."""

from __future__ import annotations

import asyncio
import json
import logging.config
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.channels.wecom import client as client_module
from bot.channels.wecom import connection as connection_module
from bot.engine.port import Answer, DeliveryFailed
from bot.kit.event import Tapped
from tests.channels.wecom_office import CARD, Office, channel, listening, place, until
from tests.fakes.wecom import FakeWecom


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake


def subscribes(fake: FakeWecom) -> int:
    return len(fake.calls_of("aibot_subscribe"))


async def works(fake: FakeWecom, office: Office) -> None:
    """Somebody is heard again."""
    before = len(office.heard)
    fake.people["wang"].says("还在吗")
    await until(lambda: len(office.heard) > before)


@pytest.mark.parametrize("how", ["clean", "cut"])
async def test_whatever_ended_it_we_come_back(fake: FakeWecom, how: str) -> None:
    fake.user("wang")
    office = Office()
    async with listening(channel(fake), office):
        for times in range(1, 4):
            fake.close(how)
            await until(lambda n=times: subscribes(fake) > n and fake.connected)
            await works(fake, office)


async def test_we_come_back_however_long_the_platform_is_away(fake: FakeWecom) -> None:
    fake.user("wang")
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        fake.server.refuse_connections = True
        fake.close("cut")
        await until(lambda: ears.client.complaint)
        await asyncio.sleep(0.3)
        assert any("连不上企业微信" in sentence for sentence in await ears.check())
        fake.server.refuse_connections = False
        await until(lambda: fake.connected)
        await works(fake, office)
        assert ears.client.complaint is None


async def test_a_platform_that_was_not_there_yet(fake: FakeWecom) -> None:
    fake.user("wang")
    fake.stop()
    office = Office()
    async with listening(channel(fake), office, live=False):
        await asyncio.sleep(0.2)
        fake.start()
        await until(lambda: fake.connected)
        await works(fake, office)


async def test_whoever_was_thrown_out_waits_and_asks_whether_they_are_the_owner(fake: FakeWecom) -> None:
    fake.user("wang")
    office, told = Office(), []
    owner = asyncio.Event()
    asked: list[float] = []

    async def may_return() -> bool:
        asked.append(time.monotonic())
        return owner.is_set()

    async def tell(sentence: str) -> None:
        told.append(sentence)

    ears = channel(fake, may_return=may_return, tell=tell)
    async with listening(ears, office):
        kicked = time.monotonic()
        fake.close("kick")
        await until(lambda: len(asked) >= 2)
        assert asked[0] - kicked >= 0.1
        assert asked[1] - asked[0] > asked[0] - kicked
        assert subscribes(fake) == 1 and not fake.connected
        owner.set()
        await until(lambda: fake.connected)
        await works(fake, office)
    assert subscribes(fake) == 2
    assert len(told) == 1 and "另一个程序" in told[0]


async def test_two_programs_on_one_bot_do_not_fight(fake: FakeWecom) -> None:
    async def never() -> bool:
        return False

    first, second = channel(fake, may_return=never), channel(fake, may_return=never)
    async with listening(first, Office()), listening(second, Office()):
        await until(lambda: not first.client.is_live)
        await asyncio.sleep(0.5)
        assert second.client.is_live
    assert subscribes(fake) == 2


async def test_wrong_credentials_end_all_tries_and_the_office_is_told_once(fake: FakeWecom) -> None:
    told: list[str] = []

    async def tell(sentence: str) -> None:
        told.append(sentence)

    ears = channel(fake, tell=tell)
    fake.secret = "another"
    async with listening(ears, Office(), live=False):
        await until(lambda: ears.client.complaint)
        await asyncio.sleep(0.4)
        assert any("Secret" in sentence for sentence in await ears.check())
    assert subscribes(fake) == 1 and len(told) == 1


async def test_a_guarded_subscribe_is_not_repeated_at_once(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FREQUENT_SECONDS", 0.5)
    fake.fault("aibot_subscribe", errcode=45009)
    ears = channel(fake)
    began = time.monotonic()
    async with listening(ears, Office(), live=False):
        await until(lambda: ears.client.is_live)
    assert time.monotonic() - began >= 0.5


async def test_a_subscribe_that_is_not_answered_is_tried_anew(fake: FakeWecom) -> None:
    fake.fault("aibot_subscribe", lose="frame")
    fake.fault("aibot_subscribe", close="clean")
    fake.fault("aibot_subscribe", errcode=-1)
    ears = channel(fake, ack_seconds=0.2)
    async with listening(ears, Office(), live=False):
        await until(lambda: ears.client.is_live)


async def test_unsubscribed_is_dead_although_pings_pass(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office()
    ears = channel(fake, ping_seconds=0.05)
    async with listening(ears, office):
        fake.goes_deaf()
        await until(lambda: fake.server.pings > 2)
        assert ears.client.is_live
        with pytest.raises(DeliveryFailed) as failure:
            await ears.send(place(wang), "通知")
        assert failure.value.retry_after and failure.value.everywhere and not failure.value.unknown
        await until(lambda: fake.connected and ears.client.is_live)
        await ears.send(place(wang), "通知")
        await works(fake, office)
    assert [m.text for m in wang.inbox] == ["通知"]


async def test_a_deaf_connection_is_found_out_without_anybody_sending(fake: FakeWecom) -> None:
    fake.user("wang")
    office = Office()
    ears = channel(fake, ping_seconds=0.05, probe_seconds=0.2)
    async with listening(ears, office):
        fake.goes_deaf()
        fake.people["wang"].says("有人听见吗")
        await until(lambda: office.heard)
    assert office.texts == ["有人听见吗"]
    assert all(not person.inbox for person in fake.people.values())


async def test_a_probe_shows_nothing_to_anybody_and_costs_no_connection(fake: FakeWecom) -> None:
    fake.user("wang", known=True)
    ears = channel(fake, ping_seconds=0.05, probe_seconds=0.1)
    async with listening(ears, Office()):
        await until(lambda: len(fake.calls_of("aibot_respond_msg")) > 3)
    assert fake.messages == [] and subscribes(fake) == 1


async def test_a_silence_of_hours_is_not_trusted(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "SILENT_SECONDS", 0.3)
    async with listening(channel(fake, ping_seconds=0.05), Office()):
        await until(lambda: subscribes(fake) >= 2)


async def test_unanswered_pings_end_a_connection(fake: FakeWecom) -> None:
    fake.user("wang")
    office = Office()
    fake.fault("ping", lose="frame", times=2)
    async with listening(channel(fake, ping_seconds=0.05, ack_seconds=0.1), office):
        await until(lambda: subscribes(fake) == 2)
        await works(fake, office)


async def test_a_send_whose_connection_breaks_is_unsure(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    ears = channel(fake)
    async with listening(ears, Office()):
        fake.fault("aibot_send_msg", close="cut", effect=True)
        with pytest.raises(DeliveryFailed) as failure:
            await ears.send(place(wang), "一")
    assert failure.value.unknown and [m.text for m in wang.inbox] == ["一"]


async def test_strange_frames_are_passed_over(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office()
    async with listening(channel(fake), office):
        for frame in (
            "garbage",
            "[]",
            "{}",
            {"cmd": "ww_ai_robot_enter_event", "headers": {"req_id": "x"}, "body": {}},
            {"cmd": "aibot_event_callback", "headers": {}, "body": {"event": {"eventtype": "enter_check_update"}}},
            {"cmd": "aibot_msg_callback"},
            {"headers": {"req_id": "never asked"}, "errcode": 0},
            {"cmd": "ping", "headers": {"req_id": "theirs"}},
        ):
            fake.pushes(frame)
        wang.says_raw("第一\u0001行\u001f")
        await until(lambda: office.heard)
        raw = json.dumps({"cmd": "aibot_msg_callback", "headers": {"req_id": "r"}, "body": {
            "msgid": "raw", "chattype": "single", "from": {"userid": "wang"}, "msgtype": "text",
            "text": {"content": "第TAB行"}}}, ensure_ascii=False)  # fmt: skip
        fake.pushes(raw.replace("TAB", "\t"))  # a control character as it is, which strict JSON refuses
        await until(lambda: len(office.heard) == 2)
        await until(lambda: fake.server.connections and subscribes(fake) == 1)
    assert office.texts[1] == "第\t行"


async def test_the_secret_is_in_no_log_and_no_repr(
    fake: FakeWecom, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})  # as a library may: it wakes all up
    wang = fake.user("wang", known=True)
    ears = channel(fake)
    async with listening(ears, Office()):
        await ears.send(place(wang), "绝密的话")
        fake.close("cut")
        await until(lambda: subscribes(fake) == 2)
    out = capsys.readouterr()
    logged = out.out + out.err + caplog.text + repr(ears) + repr(ears.client)
    assert fake.secret not in logged and "绝密的话" not in logged


# --- the storm --------------------------------------------------------------------------------------------------------


async def test_a_storm_of_every_trouble_loses_no_answered_action_and_doubles_none(fake: FakeWecom) -> None:
    """Kick, clean close, cut, deafness, lost acks, twice the same: what was answered was kept, and kept once."""
    people = [fake.user(f"t{n}", known=True) for n in range(12)]
    room = fake.group("教研组", members=people, known=True)
    kept: list[Any] = []
    office = Office(answer=lambda event: Answer(toast=f"记下了{event.id[-6:]}"), after=kept.append)
    office.unavailable = 20
    ears = channel(fake, ack_seconds=0.3, ping_seconds=0.1, probe_seconds=0.2)
    presses = []
    async with listening(ears, office):
        await ears.send(place(room), CARD)
        (message,) = room.from_bot
        for turn in range(40):
            if turn % 8 == 3:
                fake.close(("kick", "clean", "cut")[turn // 8 % 3])
            if turn % 16 == 9:
                fake.goes_deaf()
            if turn % 5 == 0:
                fake.fault("aibot_respond_update_msg", lose="ack")
            person = people[turn % 12]
            presses.append(person.presses(message, "能到" if turn % 2 else "请假"))
            person.says(f"话{turn}", in_=room, twice=turn % 3 == 0)
            await asyncio.sleep(0.05)
        await until(lambda: fake.connected and ears.client.is_live, 20)
        await until(lambda: not ears.hearing.busy and not fake.server.kept, 20)
        await asyncio.sleep(0.2)
        await until(lambda: not ears.hearing.busy)
    ids = [event.id for event in office.heard]
    assert len(ids) == len(set(ids)) and len(kept) == len(ids)
    answered = [press for press in presses if press.answered]
    assert len(answered) > 10
    tapped = {event.id[-6:] for event in office.heard if isinstance(event, Tapped)}
    assert {press.text.partition("记下了")[2][:6] for press in answered} <= tapped
    assert sorted(office.texts) == sorted({f"话{turn}" for turn in range(40)})

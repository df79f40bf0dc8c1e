"""The mouth against a real loopback server: every word arrives, every failure is told apart, no token is shown."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from bot.channels.telegram import channel as module
from bot.channels.telegram import polling
from bot.channels.telegram.channel import LIMITS, TelegramChannel
from bot.channels.telegram.client import CLOSED, Client, Trouble, Weather
from bot.engine.port import Answer, DeliveryFailed, Document
from bot.kit.card import Button, Card, Quote, Tally
from bot.kit.event import Place, Said, Tapped
from tests.channels.telegram_office import CARD, Office, Rsvp, channel, listening, place, until
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(strict_schema=True) as fake:
        yield fake


# --- sending ----------------------------------------------------------------------------------------------------


async def test_a_card_and_its_edits(fake: FakeTelegram) -> None:
    group = fake.group("教研组")
    mouth = channel(fake)
    (ref,) = await mouth.send(place(group), CARD)
    message = group.from_bot[-1]
    assert (message.text, message.labels) == ("教学例会\n周五 15:30", ["能到", "请假"])
    assert message.entities == [{"type": "bold", "offset": 0, "length": 4}]
    new = Card(CARD.key, CARD.title, [*CARD.body, Tally([("能到", 1)])], CARD.buttons)
    await mouth.edit(place(group), ref, new, final=False)
    await mouth.edit(place(group), ref, new, final=False)  # 'message is not modified' is a success
    assert (message.text, message.edits) == ("教学例会\n周五 15:30\n能到 1", 1)
    await mouth.edit(place(group), ref, Card(CARD.key, "教学例会（已结束）"), final=True)
    assert message.labels == []
    await mouth.close()


async def test_a_file_goes_out_under_its_name(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    (ref,) = await mouth.send(place(wang), Document('汇总"表\r\n 一.xlsx', "application/x", b"\x00\x01PK"))
    message = wang.private.book[int(ref)]
    assert message.document is not None
    assert message.document["file_name"] == "汇总表 一.xlsx"
    assert message.file == b"\x00\x01PK"
    await mouth.close()


async def test_a_long_text_arrives_whole_and_goes_on_after_a_failure(
    fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BETWEEN_PARTS", 0.0)
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    text = "\n".join(f"第{n}条　教师应当按时参加教研活动。" for n in range(600))
    await mouth.client.call("getMe")
    fake.latency = lambda method: 0.02 if method == "sendmessage" else 0.0
    sending = asyncio.create_task(mouth.send(place(wang), text))
    await until(lambda: len(wang.inbox) == 1)
    fake.fault("sendMessage", status=429, retry_after=1)
    with pytest.raises(DeliveryFailed) as failed:
        await sending
    assert failed.value.retry_after == 1
    refs = await mouth.send(place(wang), text)
    assert [m.id for m in wang.inbox] == [int(ref) for ref in refs]
    assert "".join(m.text.partition("）\n")[2] + "\n" for m in wang.inbox) == text + "\n"
    await mouth.close()


async def test_a_card_that_outgrows_its_message(fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BETWEEN_PARTS", 0.0)
    group = fake.group("教研组")
    mouth = channel(fake)
    long = Card("d:1", "征求意见", [Quote("条款。" * 3000), Tally([("意见", 0)])], CARD.buttons)
    refs = await mouth.send(place(group), long)
    assert len(refs) == 4
    assert [bool(m.labels) for m in group.from_bot] == [False, False, False, True]
    more = Card("d:1", "征求意见", [long.body[0], Tally([("意见", 7)])], CARD.buttons)
    await mouth.edit(place(group), refs[-1], more, final=False)
    assert "意见 7" in group.from_bot[-1].text
    with pytest.raises(DeliveryFailed) as failed:
        await mouth.edit(place(group), refs[-1], more, final=True)
    assert failed.value.gone  # its last state was never told in full: it is sent anew
    await mouth.edit(place(group), refs[-1], long, final=True)  # this one was
    await mouth.close()


async def test_a_number_for_a_button_without_a_place(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    office = Office()
    ears = channel(fake)
    many = Card("s:1", "选一位", (), [Button(f"候选{n}", Rsvp(n, "y")) for n in range(1, 121)])
    async with listening(ears, office):
        (ref,) = await ears.send(place(wang), many)
        assert "回复 120 选 候选120" in wang.inbox[-1].text
        wang.says("选 120")
        wang.says("121")
        await until(lambda: len(office.heard) == 2)
    tap, said = office.heard
    assert isinstance(tap, Tapped)
    assert (tap.token, tap.message) == ("nt.rsvp:120:y", ref)
    assert isinstance(said, Said)


async def test_words_before_looks(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    fake.fault("sendMessage", status=400, description="Bad Request: can't parse entities: something new")
    await mouth.send(place(wang), CARD)
    assert [(m.text, m.entities) for m in wang.inbox] == [("教学例会\n周五 15:30", [])]
    await mouth.close()


HOSTILE = [
    "<b>x", "*_`[", "&lt;", "李\u202e老师", "\ud800", "\x00", "👨‍👩‍👧‍👦" * 40, "a\r\nb", "\u200b", "{x} %s",
    "/start @all #x",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
async def test_any_name_arrives(fake: FakeTelegram, name: str) -> None:
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    await mouth.send(place(wang), Card("k", f"{name} 的通知", [Quote(name, name)], [Button(name, Rsvp(1, "y"))]))
    await mouth.send(place(wang), name)
    assert len(wang.inbox) == 2
    await mouth.close()


# --- what may go wrong with a send ------------------------------------------------------------------------------


async def failure(
    mouth: TelegramChannel, to: Place, sending: Callable[[], Awaitable[Any]] | None = None
) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        await (sending() if sending is not None else mouth.send(to, "好"))
    return failed.value


async def test_people_and_groups_that_cannot_be_reached(fake: FakeTelegram) -> None:
    mouth = channel(fake)
    blocked, gone, stranger = fake.user("甲", started=True), fake.user("乙", started=True), fake.user("丙")
    group = fake.group("教研组")
    blocked.blocks()
    gone.deletes_account()
    group.kicks_bot()
    reasons = []
    for who in (blocked, gone, stranger, group):
        failed = await failure(mouth, place(who))
        assert failed.permanent
        assert failed.retry_after is None
        reasons.append(failed.reason)
    assert reasons == ["对方停用了机器人", "对方的帐号已注销", "对方还没有私聊过机器人", "机器人被移出了群"]
    nobody = await failure(mouth, Place("telegram", "424242", True))
    assert nobody.permanent
    await mouth.close()


@pytest.mark.parametrize("phrase", CLOSED)
async def test_every_way_of_saying_never(fake: FakeTelegram, phrase: str) -> None:
    mouth = channel(fake)
    fake.fault("sendMessage", status=403 if "bot" in phrase else 400, description=f"Forbidden: {phrase.upper()} x")
    assert (await failure(mouth, Place("telegram", "5", True))).permanent
    await mouth.close()


async def test_a_group_that_moved(fake: FakeTelegram) -> None:
    group = fake.group("教研组", supergroup=False)
    new = group.upgrades(told="later")
    mouth = channel(fake)
    assert (await failure(mouth, place(group))).moved == str(new.id)
    await mouth.close()


async def test_messages_that_cannot_be_edited(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    said = wang.says("我的话")
    mouth = channel(fake)
    for ref in (str(said.id), "4242"):
        failed = await failure(mouth, place(wang), lambda ref=ref: mouth.edit(place(wang), ref, CARD, final=False))  # type: ignore[misc]
        assert failed.gone
        assert not failed.permanent
    await mouth.close()


async def test_too_fast_in_one_conversation_and_then_everywhere(fake: FakeTelegram) -> None:
    one, other = fake.user("甲", started=True), fake.user("乙", started=True)
    mouth = channel(fake)
    fake.fault("sendMessage", status=429, retry_after=7, times=3)
    first = await failure(mouth, place(one))
    assert (first.retry_after, first.everywhere) == (7.0, False)
    again = await failure(mouth, place(one))
    assert not again.everywhere
    second = await failure(mouth, place(other))
    assert (second.retry_after, second.everywhere) == (7.0, True)
    await mouth.close()


async def test_unknown_whether_it_arrived(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    fake.fault("sendMessage", cut="after")
    failed = await failure(mouth, place(wang))
    assert failed.unknown
    assert not failed.permanent
    assert len(wang.inbox) == 1
    await mouth.close()


async def test_no_connection_counts_against_nobody() -> None:
    mouth = TelegramChannel("7000000001:AAFake-token", api_base="http://127.0.0.1:9")
    pauses = []
    for _ in range(8):
        failed = await failure(mouth, Place("telegram", "5", True))
        assert failed.everywhere
        assert not failed.unknown
        pauses.append(failed.retry_after)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    await mouth.close()


async def test_one_bad_answer_is_a_try_and_two_are_an_outage(fake: FakeTelegram) -> None:
    one, other = fake.user("甲", started=True), fake.user("乙", started=True)
    mouth = channel(fake)
    fake.fault("sendMessage", status=502, times=3)
    first = await failure(mouth, place(one))
    assert (first.retry_after, first.everywhere) == (None, False)
    second = await failure(mouth, place(other))
    assert second.everywhere
    assert second.retry_after is not None
    await failure(mouth, place(other))
    await mouth.send(place(one), "好了")
    fake.fault("sendMessage", status=502)
    assert not (await failure(mouth, place(one))).everywhere
    await mouth.close()


async def test_a_refusal_that_is_our_own_fault_closes_no_address(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    mouth = channel(fake)
    fake.fault("sendMessage", status=400, description="Bad Request: BUTTON_DATA_INVALID 'nt.rsvp:42:y'")
    failed = await failure(mouth, place(wang))
    assert not failed.permanent
    assert "BUTTON_DATA_INVALID" in failed.reason
    assert "rsvp" not in failed.reason
    await mouth.close()


def test_weather_forgets() -> None:
    weather, here, there = Weather(), Place("telegram", "1", True), Place("telegram", "2", True)
    assert not weather.failure(Trouble(429, "", retry_after=0.01), here).everywhere
    time.sleep(0.02)
    assert not weather.failure(Trouble(429, "", retry_after=0.01), there).everywhere


# --- limits -----------------------------------------------------------------------------------------------------


def test_edits_leave_a_group_room_for_messages() -> None:
    minute = next(window for window in LIMITS.group if window.seconds == 60.0)
    assert 60.0 / LIMITS.edit_seconds <= minute.count - 5


# --- the token --------------------------------------------------------------------------------------------------

CANARY = "7000000001:AACanary-that-must-never-be-seen-anywhere_9"


async def test_the_token_is_never_shown(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []

    def note(error: BaseException) -> None:
        seen.extend((repr(error), str(error), "".join(traceback.format_exception(error))))
        if error.__context__ is not None:
            note(error.__context__)

    with FakeTelegram(CANARY, privacy=True) as fake:
        wang = fake.user("王老师", started=True)
        mouth = channel(fake)
        seen += [repr(mouth), repr(mouth.client), str(vars(mouth))]
        office = Office(answer=lambda e: Answer(toast="好"))
        async with listening(mouth, office):
            wang.sends_document("a.docx", b"x")
            await until(lambda: office.heard)
            seen.append(repr(mouth.client._transport))
            troubles: list[dict[str, Any]] = [
                {"status": 502}, {"status": 401}, {"status": 404}, {"status": 400}, {"status": 403}, {"cut": "before"},
                {"cut": "body"}, {"status": 429, "retry_after": 1},
            ]  # fmt: skip
            for trouble in troubles:
                fake.fault("sendMessage", **trouble)
                note(await failure(mouth, place(wang)))
                fake.fault("getMe", **trouble)
                with pytest.raises(Trouble) as raised:
                    await mouth.client.call("getMe")
                note(raised.value)
            fake.fault("file", status=404, times=3)
            with pytest.raises(Trouble) as raised:
                await mouth.client.download(next(iter(fake.files)), 100)
            note(raised.value)
            seen += await mouth.check()
    for base in ("http://127.0.0.1:9", "http://nowhere.invalid", "http://[", "ftp://127.0.0.1", "https://127.0.0.1:9"):
        mouth = TelegramChannel(CANARY, api_base=base)
        with pytest.raises((DeliveryFailed, ValueError)) as broken:
            await mouth.send(Place("telegram", "5", True), "好")
        note(broken.value)
        await mouth.close()
    with pytest.raises(ValueError, match="begins with") as wrong:
        Client(CANARY.partition(":")[2], "http://127.0.0.1")
    note(wrong.value)
    out = capfd.readouterr()
    everything = "\n".join([*seen, caplog.text, out.out, out.err])
    assert "AACanary" not in everything


# --- small things -----------------------------------------------------------------------------------------------


async def test_nothing_heavy_is_loaded_before_the_first_call() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from bot.channels.telegram.channel import TelegramChannel as T; T('1:x');"
        "print([m for m in ('telegram', 'aiohttp', 'httpx') if m in sys.modules])"
    )
    told = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], capture_output=True, check=True)
    assert told.stdout.strip() == b"[]"


def test_pauses_grow_and_end() -> None:
    one = polling.Polling(None, None, 1, 0.5)  # type: ignore[arg-type]
    assert [one._pause(n) <= 0.5 * 2 ** (n - 1) for n in range(1, 8)] == [True] * 7
    assert 30.0 <= one._pause(50) <= 60.0

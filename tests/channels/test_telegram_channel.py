"""The ears against a real loopback server: nothing is confirmed that is not durable, and nothing heard is lost."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from bot.channels.telegram import hearing
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.parse import KINDS
from bot.engine.port import Answer, DeliveryFailed
from bot.kit.event import Event, Joined, Left, Moved, Place, Said, Tapped
from tests.channels.telegram_office import CARD, Office, channel, listening, place, until
from tests.channels.test_telegram_parse import mutated
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(strict_schema=True) as fake:
        yield fake


# --- hearing ----------------------------------------------------------------------------------------------------


async def test_heard_answered_and_only_then_confirmed(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    ears = channel(fake)
    pending_when_heard: list[int] = []
    office = Office(answer=lambda e: Answer(toast="已记下：能到"))
    office.after = lambda e: pending_when_heard.append(fake.pending)
    async with listening(ears, office):
        (ref,) = await ears.send(place(wang), CARD)
        press = wang.presses("教学例会", "能到")
        assert await asyncio.to_thread(press.wait) == "已记下：能到"
        await asyncio.to_thread(fake.quiet)
    (tap,) = office.heard
    assert isinstance(tap, Tapped)
    assert (tap.token, tap.message) == ("nt.rsvp:42:y", ref)
    assert pending_when_heard == [1]
    assert fake.confirmed_offset == press.update_id + 1  # type: ignore[operator]
    assert ears.last_heard is not None


async def test_every_call_says_what_we_want_to_hear(fake: FakeTelegram) -> None:
    office = Office()
    async with listening(channel(fake), office):
        for text in "一二三":
            fake.user(text).says(text)
            await until(lambda: office.texts and fake.pending == 0)
    calls = fake.calls_of("getUpdates")
    assert len(calls) >= 3
    assert all(call.params["allowed_updates"] == list(KINDS) for call in calls)


async def test_a_batch_is_heard_at_once_and_in_order(fake: FakeTelegram) -> None:
    people = [fake.user(f"{n}号老师") for n in range(60)]
    group = fake.group("教研组", members=people)
    for person in people:
        person.says(f"{person.name} 到", in_=group)
    office = Office(delay=0.01)
    async with listening(channel(fake), office):
        await until(lambda: len(office.heard) == 60)
    assert office.texts == [f"{person.name} 到" for person in people]
    assert office.most_at_once == 60


async def test_a_second_thought_waits_for_the_first(fake: FakeTelegram) -> None:
    wang, li = fake.user("王老师"), fake.user("李老师")
    for n in range(3):
        wang.says(f"王{n}")
    li.says("李0")
    office = Office(delay=0.02, unavailable=1)  # the very first hearing fails
    async with listening(channel(fake), office):
        await until(lambda: len(office.heard) == 4)
    assert [text for text in office.texts if text[0] == "王"] == ["王0", "王1", "王2"]


async def test_unavailable_is_not_confirmed_and_comes_again(fake: FakeTelegram) -> None:
    wang, li = fake.user("王老师"), fake.user("李老师")
    office = Office(unavailable=3)
    seen: list[int] = []
    office.after = lambda e: seen.append(fake.confirmed_offset)
    first = wang.says("第一")
    li.says("第二")
    assert first
    async with listening(channel(fake), office):
        await until(lambda: len(office.heard) == 2)
        await asyncio.to_thread(fake.quiet)
    assert sorted(office.texts) == ["第一", "第二"]
    assert fake.pending == 0
    assert seen[0] == 0


async def test_what_follows_a_failure_is_not_confirmed_either(fake: FakeTelegram) -> None:
    wang, li = fake.user("王老师"), fake.user("李老师")
    wang.says("坏")
    li.says("好")
    office = Office(broken=lambda e: isinstance(e, Said) and e.text == "坏")
    ears = channel(fake, retry_seconds=5.0)
    async with listening(ears, office):
        await until(lambda: office.texts == ["好"])
        await asyncio.sleep(0.1)
        assert fake.pending == 2
        assert fake.confirmed_offset == 0


async def test_an_update_that_always_fails_is_let_go(fake: FakeTelegram) -> None:
    wang, li = fake.user("王老师"), fake.user("李老师")
    wang.says("坏")
    li.says("好")
    office = Office(broken=lambda e: isinstance(e, Said) and e.text == "坏")
    async with listening(channel(fake), office):
        await until(lambda: fake.pending == 0)
        li.says("还在")
        await until(lambda: office.texts == ["好", "还在"])


async def test_after_a_restart_what_was_not_confirmed_comes_again(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    stuck = asyncio.Event()

    async def hear(event: Event) -> Answer:
        stuck.set()
        await asyncio.Event().wait()
        return Answer()

    ears = channel(fake)
    wang.says("收到")
    task = asyncio.create_task(ears.listen(hear))
    await stuck.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await ears.close()
    assert fake.pending == 1
    async with listening(channel(fake), office):
        await until(lambda: office.texts == ["收到"] and fake.pending == 0)


async def test_numbers_start_anew_after_a_silent_week(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    async with listening(channel(fake, poll_seconds=1), office):
        wang.says("放假了")
        await until(lambda: office.texts == ["放假了"] and fake.pending == 0)
        high = fake.confirmed_offset
        fake.clock.advance(days=9)
        wang.says("开学了")
        await until(lambda: office.texts == ["放假了", "开学了"] and fake.pending == 0)
        assert fake.confirmed_offset < high
    ids = [event.id for event in office.heard]
    assert len(set(ids)) == 2


async def test_an_offset_is_named_only_until_it_is_confirmed(fake: FakeTelegram) -> None:
    office = Office()
    async with listening(channel(fake, poll_seconds=1), office):
        await until(lambda: fake.is_polled)
        fake.user("王老师").says("在")
        await until(lambda: "offset" in fake.calls_of("getUpdates")[-1].params)
        await until(lambda: "offset" not in fake.calls_of("getUpdates")[-1].params)


async def test_a_slow_file_does_not_hold_back_a_press(fake: FakeTelegram) -> None:
    wang, li = fake.user("王老师", started=True), fake.user("李老师", started=True)
    office = Office(answer=lambda e: Answer(toast="好"))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(li), CARD)
        hang = fake.fault("getFile", hang=True)
        wang.sends_document("草案.docx", b"PK", "征求意见")
        await until(lambda: hang.happened)
        start = time.monotonic()
        press = li.presses("教学例会", "能到")
        await asyncio.to_thread(press.wait)
        assert time.monotonic() - start < 0.5
        assert fake.confirmed_offset == 0
        fake.release(hang)
        await until(lambda: fake.pending == 0)
    assert office.texts == ["征求意见"]


# --- what comes in ----------------------------------------------------------------------------------------------


async def test_a_file_comes_with_its_words(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    async with listening(channel(fake), office):
        wang.sends_document("草案 一.docx", b"PK\x03\x04", "请提意见")
        await until(lambda: office.heard)
    (said,) = office.heard
    assert isinstance(said, Said)
    assert said.upload is not None
    assert (said.text, said.upload.name, said.upload.content) == ("请提意见", "草案 一.docx", b"PK\x03\x04")
    assert type(said) is Said


@pytest.mark.parametrize("lies", [False, True])
async def test_a_file_that_is_too_large_is_refused_in_words(fake: FakeTelegram, lies: bool) -> None:
    wang = fake.user("王老师")
    office = Office()
    async with listening(channel(fake, max_upload=1 << 20), office):
        message = wang.sends_document("大.docx", b"x" * ((1 << 20) + 1)) if not lies else None
        if lies:
            file_id = fake.store_file(b"x" * ((1 << 20) + 1), "大.docx", "application/x")
            document = fake.document(file_id) | {"file_size": 10}
            body = {"message_id": 9, "from": wang.as_dict(), "chat": wang.private.as_dict(), "date": 1795341234}
            wang.started = True
            fake.push({"message": body | {"document": document, "caption": "看看"}})
        await until(lambda: wang.inbox)
        await until(lambda: fake.pending == 0)
    assert message is None or not office.heard
    assert office.texts == (["看看"] if lies else [])
    assert wang.inbox[-1].text == "文件太大了，最多 1 MB。请压缩或拆开后再发。"


async def test_files_nobody_reads_stay_where_they_are(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    group = fake.group("教研组", members=[wang])
    office = Office()
    async with listening(channel(fake, endings=[".DOCX"], max_upload=100), office):
        wang.sends_document("假期照片.zip", b"x" * 500, in_=group)
        wang.sends_document("草案.docx", b"PK", in_=group)
        await until(lambda: fake.pending == 0 and office.heard)
    assert [e.upload.name for e in office.heard if isinstance(e, Said) and e.upload] == ["草案.docx"]
    assert len(fake.calls_of("getFile")) == 1
    assert not wang.inbox


async def test_a_file_that_cannot_be_had_is_told_and_let_go(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    fake.fault("getFile", status=500, times=3)
    fake.fault("getFile", status=400, description="Bad Request: wrong file_id or the file is temporarily unavailable")
    async with listening(channel(fake), office):
        for caption in ("", "请看"):
            wang.sends_document("草案.docx", b"PK", caption)
            await until(lambda: fake.pending == 0)
        await until(lambda: len([m for m in wang.inbox if m.from_bot]) == 2)
    assert {m.text for m in wang.inbox if m.from_bot} == {"这个文件没有取到，请再发一次。"}
    assert office.texts == ["请看"]
    assert len(fake.calls_of("getFile")) == 4


async def test_a_file_comes_after_a_bad_moment(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    fake.fault("file", cut="before")
    async with listening(channel(fake), office):
        wang.sends_document("草案.docx", b"PK")
        await until(lambda: office.heard and fake.pending == 0)
    assert not wang.inbox


async def test_coming_and_going(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    group = fake.group("教研组", members=[wang], supergroup=False)
    office = Office()
    async with listening(channel(fake), office):
        group.kicks_bot(by=wang)
        group.readds_bot(by=wang)  # Telegram tells of it twice
        wang.blocks()
        wang.unblocks()
        new = group.upgrades(by=wang)
        await until(lambda: fake.pending == 0 and office.heard)
        await asyncio.to_thread(fake.quiet)
    kinds = [type(event) for event in office.heard if event.place.private is False]
    assert kinds == [Left, Joined, Moved, Moved]
    moved = office.heard[-1]
    assert isinstance(moved, Moved)
    assert (moved.place.id, moved.to) == (str(group.id), str(new.id))
    assert [type(event) for event in office.heard if event.place.private] == [Left, Joined]


async def test_a_group_learns_at_once_that_we_cannot_hear_it() -> None:
    with FakeTelegram(privacy=True) as fake:
        wang = fake.user("王老师")
        group = fake.group("教研组", members=[wang])
        office = Office()
        ears = channel(fake)
        async with listening(ears, office):
            group.readds_bot(by=wang)
            (told,) = await until(lambda: [m for m in group.from_bot if "听得见" in m.text])
            assert "/setprivacy" in told.text
            assert any("隐私模式" in sentence for sentence in await ears.check())
            fake.privacy = False
            group.kicks_bot(by=wang)
            group.readds_bot(by=wang)
            await until(lambda: len([e for e in office.heard if isinstance(e, Joined)]) == 2)
            await asyncio.sleep(0.1)
        assert len([m for m in group.from_bot if "听得见" in m.text]) == 1
        assert ears.deaf() is None


async def test_an_administrator_hears_in_spite_of_privacy() -> None:
    with FakeTelegram(privacy=True) as fake:
        group = fake.group("教研组", bot_admin=True)
        office = Office()
        async with listening(channel(fake), office):
            by = fake.user("王").as_dict()
            fake.push({"my_chat_member": group._change(by, fake.bot_user(), "left", "administrator")})
            await until(lambda: fake.calls_of("getChatMember"))
            await asyncio.sleep(0.05)
        assert not group.from_bot


async def test_a_reaction_is_a_word(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    group = fake.group("教研组", members=[wang], bot_admin=True)
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        await until(lambda: fake.is_polled)
        (ref,) = await ears.send(place(group), CARD)
        wang.reacts(wang.sees("教学例会"), "👌")
        await until(lambda: office.heard)
    (said,) = office.heard
    assert isinstance(said, Said)
    assert (said.text, said.quotes) == ("👌", ref)


async def test_mutated_updates_hold_up_nobody(fake: FakeTelegram) -> None:
    """They go through the whole loop, between the words of a person who must be heard."""
    wang = fake.user("王老师")
    dice = random.Random(3)
    office = Office()
    fake.strict_schema = False
    async with listening(channel(fake), office):
        for n in range(20):
            for _ in range(50):
                update = mutated(dice)
                update.pop("update_id", None)
                try:
                    msgspec.json.encode(update)
                except (ValueError, OverflowError, msgspec.MsgspecError):
                    continue  # no server could have sent it
                fake.push(update)
            wang.says(f"还在 {n}")
        await until(lambda: [t for t in office.texts if t.startswith("还在")] == [f"还在 {n}" for n in range(20)], 30)
        await until(lambda: fake.pending == 0, 10)


async def test_an_unreadable_batch_is_read_one_by_one(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    deep: Any = []
    for _ in range(30_000):
        deep = [deep]
    wang.says("之前")
    ears = channel(fake)
    await ears.client.call("getMe")
    request = ears.client._transport._request  # type: ignore[union-attr]
    real = request.do_request

    async def do_request(*args: Any, **more: Any) -> tuple[int, bytes]:
        status, payload = await real(*args, **more)
        return status, payload.replace(b'"POISON"', b"[" * 30_000 + b"]" * 30_000)

    request.do_request = do_request  # type: ignore[method-assign]
    fake.push({"message": {"text": "POISON"}})
    wang.says("之后")
    async with listening(ears, office):
        await until(lambda: office.texts == ["之前", "之后"] and fake.pending == 0)


# --- answers ----------------------------------------------------------------------------------------------------


async def test_a_passing_word_in_private_and_silence_in_a_group(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    group = fake.group("教研组", members=[wang])
    office = Office(answer=lambda e: Answer(toast="已私聊回复您。"))
    async with listening(channel(fake), office):
        wang.says("谁还没回")
        wang.says("谁还没回", in_=group)
        await until(lambda: wang.inbox and fake.pending == 0)
        await asyncio.sleep(0.05)
    assert [m.text for m in wang.inbox if m.from_bot] == ["已私聊回复您。"]
    assert not group.from_bot


async def test_a_press_without_a_word_still_ends_its_hourglass(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    ears = channel(fake)
    async with listening(ears, Office()):
        await ears.send(place(wang), CARD)
        assert await asyncio.to_thread(wang.presses("教学例会", "能到").wait) == ""


async def test_a_late_callback_changes_nothing(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    office = Office(answer=lambda e: Answer(toast="已记下"))
    ears = channel(fake)
    await ears.send(place(wang), CARD)
    press = wang.presses("教学例会", "能到")
    fake.clock.advance(seconds=90)
    async with listening(ears, office):
        await until(lambda: len(office.heard) == 1 and fake.pending == 0)
        await until(lambda: fake.calls_of("answerCallbackQuery"))
        wang.says("还听得见吗")
        await until(lambda: office.texts == ["还听得见吗"])
    assert not press.answered
    assert len(fake.calls_of("answerCallbackQuery")) == 1


async def test_an_answer_is_tried_a_second_time_and_no_third(
    fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "SECOND_THOUGHT", 0.01)
    wang = fake.user("王老师", started=True)
    office = Office(answer=lambda e: Answer(toast="已记下"))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        fake.fault("answerCallbackQuery", status=502)
        assert await asyncio.to_thread(wang.presses("教学例会", "能到").wait) == "已记下"
        fake.calls.clear()
        fake.fault("answerCallbackQuery", status=502, times=5)
        wang.presses("教学例会", "请假")
        await until(lambda: len(office.heard) == 2 and fake.pending == 0)
        await until(lambda: len(fake.calls_of("answerCallbackQuery")) == 2)
        await asyncio.sleep(0.05)
    assert len(fake.calls_of("answerCallbackQuery")) == 2


async def test_a_long_answer_to_a_press_comes_whole(fake: FakeTelegram) -> None:
    wang = fake.user("王老师", started=True)
    long = "这一条要请您再看一遍。" * 30
    ears = channel(fake)
    async with listening(ears, Office(answer=lambda e: Answer(toast=long, alert=True))):
        await ears.send(place(wang), CARD)
        press = wang.presses("教学例会", "能到")
        assert (await asyncio.to_thread(press.wait)).endswith("…")
        await until(lambda: wang.inbox[-1].text == long)


# --- trouble with hearing ---------------------------------------------------------------------------------------


async def test_another_poller_is_waited_out_and_told(fake: FakeTelegram) -> None:
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        await until(lambda: fake.is_polled)
        conflict = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
        fake.fault("getUpdates", status=409, description=conflict, times=3)
        fake.user("王老师").says("在吗")
        await until(lambda: ears._polling.complaint)
        assert any("同一个令牌" in sentence for sentence in await ears.check())
        await until(lambda: office.texts == ["在吗"] and fake.pending == 0)
        await until(lambda: ears._polling.complaint is None)
        assert await ears.check() == []


async def test_two_pollers_lose_nothing(fake: FakeTelegram) -> None:
    people = [fake.user(f"{n}号") for n in range(20)]
    one, other = Office(), Office()
    async with listening(channel(fake), one), listening(channel(fake), other):
        for person in people:
            person.says(person.name)
            await asyncio.sleep(0.01)
        await until(lambda: {*one.texts, *other.texts} == {p.name for p in people} and fake.pending == 0, 20)


async def test_a_forgotten_webhook_is_taken_off_and_nothing_dropped(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    ears = channel(fake)
    await ears.client.call("setWebhook", {"url": "http://127.0.0.1:9/x"})
    assert any("webhook" in sentence for sentence in await ears.check())
    wang.says("还在")
    office = Office()
    async with listening(ears, office):
        await until(lambda: office.texts == ["还在"])
    assert fake.webhook.url == ""


async def test_hears_again_after_any_trouble(fake: FakeTelegram) -> None:
    wang = fake.user("王老师")
    office = Office()
    ears = channel(fake, poll_seconds=1)
    async with listening(ears, office):
        await until(lambda: fake.is_polled)
        for n, trouble in enumerate(
            [{"status": 502}, {"status": 500}, {"status": 429, "retry_after": 1}, {"cut": "before"}, {"cut": "body"}]
        ):
            fake.fault("getUpdates", times=2, **trouble)
            wang.says(f"第{n}次")
            await until(lambda n=n: f"第{n}次" in office.texts and fake.pending == 0, 15)  # type: ignore[misc]
        fake.stop()
        await until(lambda: ears._polling.complaint)
        fake.start()
        wang.says("又来了")
        await until(lambda: "又来了" in office.texts, 15)
        assert ears._polling.complaint is None
    assert sorted(set(office.texts)) == sorted(office.texts)


async def test_a_silent_server_is_called_anew(fake: FakeTelegram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.client.SLACK", 0.1)
    office = Office()
    ears = channel(fake, poll_seconds=1)
    resets = []
    reset = ears.client.reset
    ears.client.reset = lambda: resets.append(1) or reset()  # type: ignore[method-assign,func-returns-value]
    fake.fault("getUpdates", hang=3.0, times=3)
    async with listening(ears, office):
        await until(lambda: resets, 10)
        fake.clear_faults()
        fake.user("王老师").says("醒醒")
        await until(lambda: office.texts == ["醒醒"], 10)


async def test_a_dead_token_is_told(fake: FakeTelegram) -> None:
    ears = TelegramChannel("7000000001:AAFake-token-that-was-taken-back-by-botfather", api_base=fake.url)
    async with listening(ears, Office()):
        await until(lambda: ears._polling.complaint)
        (sentence,) = await ears.check()
        assert "令牌" in sentence
        with pytest.raises(DeliveryFailed) as failed:
            await ears.send(Place("telegram", "5", True), "好")
        assert failed.value.everywhere
        assert failed.value.retry_after == 60
        assert not failed.value.permanent


async def test_no_connection_is_told() -> None:
    ears = TelegramChannel("7000000001:AAFake-token", api_base="http://127.0.0.1:9")
    assert any("连不上" in sentence for sentence in await ears.check())
    await ears.close()

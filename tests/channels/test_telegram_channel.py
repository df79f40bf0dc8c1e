"""The channel against a real loopback server: only what is durable is confirmed, and no token is ever shown."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from bot.channels.telegram import channel as module
from bot.channels.telegram import hearing, polling
from bot.channels.telegram.channel import LIMITS, TelegramChannel
from bot.channels.telegram.client import CLOSED, Client, Trouble, Weather
from bot.channels.telegram.parse import KINDS
from bot.engine.port import Answer, DeliveryFailed, Document, Unavailable
from bot.kit.action import Action
from bot.kit.card import Button, Card, Line, Quote, Tally
from bot.kit.event import Event, Joined, Left, Moved, Place, Said, Tapped
from tests.channels.test_telegram_parse import NASTY, mutated
from tests.fakes.telegram import FakeTelegram, Person

SECRET = "a-secret-of-the-school_123"


@dataclass(frozen=True)
class Rsvp(Action, verb="nt.rsvp"):
    notice: int
    answer: str


BUTTONS = [Button("能到", Rsvp(42, "y")), Button("请假", Rsvp(42, "n"))]
CARD = Card("notice:42", "教学例会", [Line("周五 15:30")], BUTTONS)


@dataclass
class Office:
    """Stands in for the engine: keeps what is heard, answers by rule, fails when told to."""

    answer: Callable[[Event], Answer] = lambda event: Answer()
    unavailable: int = 0
    broken: Callable[[Event], bool] = lambda event: False
    delay: float = 0.0
    heard: list[Event] = field(default_factory=list)
    under_way: int = 0
    most_at_once: int = 0
    after: Callable[[Event], None] = lambda event: None

    async def hear(self, event: Event) -> Answer:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(self.delay)
            if self.unavailable > 0:
                self.unavailable -= 1
                raise Unavailable
            if self.broken(event):
                raise ValueError("a bug")
            if all(event.id != known.id for known in self.heard):
                self.heard.append(event)
            self.after(event)
            return self.answer(event)
        finally:
            self.under_way -= 1

    @property
    def texts(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, Said)]


@pytest.fixture
def fake() -> Iterator[FakeTelegram]:
    with FakeTelegram(strict_schema=True) as fake:
        yield fake


def channel(fake: FakeTelegram, **more: Any) -> TelegramChannel:
    given: dict[str, Any] = {"api_base": fake.url, "poll_seconds": 2, "retry_seconds": 0.02, "webhook_secret": SECRET}
    return TelegramChannel(fake.token, **(given | more))


@asynccontextmanager
async def listening(ears: TelegramChannel, office: Office) -> AsyncIterator[None]:
    task = asyncio.create_task(ears.listen(office.hear))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await ears.close()


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)
    return found


def place(who: Any) -> Place:
    return Place("telegram", str(who.id), private=isinstance(who, Person))


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


# --- webhook ----------------------------------------------------------------------------------------------------


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

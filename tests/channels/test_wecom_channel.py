"""The channel against a real loopback server: clicks answered in time, committed first; nothing heard twice or lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from bot.channels.wecom import clicks, hearing
from bot.channels.wecom.hearing import ELSEWHERE
from bot.engine.port import Answer, DeliveryFailed, Document
from bot.kit.card import Button, Card, Line
from bot.kit.event import Event, Joined, Place, Said, Tapped
from tests.channels.wecom_office import CARD, Cards, Office, Rsvp, channel, listening, place, until
from tests.fakes.wecom import FakeWecom

SAID = "已记下：能到"


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake
    assert fake.folded == []


def many(count: int, key: str = "ballot:1") -> Card:
    return Card(key, "明星教师", [], [Button(f"{n + 1}号老师", Rsvp(n, "v")) for n in range(count)])


# --- clicks -----------------------------------------------------------------------------------------------------------


async def test_a_click_is_kept_first_and_then_answered_on_the_card(fake: FakeWecom) -> None:
    wang, li = fake.user("wang", "王老师", known=True), fake.user("li", "李老师", known=True)
    room = fake.group("教研组", members=[wang, li], known=True)
    office = Office(answer=lambda event: Answer(toast=SAID))
    answered_when_heard: list[bool] = []
    ears = channel(fake)
    async with listening(ears, office):
        (ref,) = await ears.send(place(room), CARD)
        office.after = lambda event: answered_when_heard.append(bool(fake.calls_of("aibot_respond_update_msg")))
        press = wang.presses("教学例会", "能到")
        assert SAID in await asyncio.to_thread(press.wait)
    (tap,) = office.heard
    assert isinstance(tap, Tapped)
    assert (tap.token, tap.message, tap.sender.id) == ("nt.rsvp:42:y", ref, "wang")
    assert answered_when_heard == [False]
    (message,) = room.from_bot
    assert SAID in message.text_for("wang") and SAID not in message.text_for("li")
    assert press.seconds < 1.0


async def test_the_clicked_card_is_drawn_after_the_commit(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    cards = Cards()
    office = Office(answer=lambda event: Answer(toast=SAID))
    office.after = lambda event: cards.known.update(
        {"notice:42": Card("notice:42", "教学例会", [Line("能到 1")], CARD.buttons)}
    )
    ears = channel(fake, draw=cards)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        press = wang.presses("教学例会", "能到")
        assert "能到 1" in await asyncio.to_thread(press.wait)
    assert cards.drawn == ["notice:42"]


async def test_a_userid_is_answered_as_the_platform_spells_it(fake: FakeWecom) -> None:
    wang = fake.user("WangLaoShi", known=True)
    office = Office(answer=lambda event: Answer(toast=SAID))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        await asyncio.to_thread(wang.presses("教学例会", "请假").wait)
    assert office.heard[0].sender.id == "wanglaoshi"
    assert fake.calls_of("aibot_respond_update_msg")[0].body["userids"] == ["WangLaoShi"]


async def test_a_refused_update_costs_no_receipt(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    room = fake.group("教研组", members=[wang], known=True)
    fake.fault("aibot_respond_update_msg", errcode=846605)
    office = Office(answer=lambda event: Answer(toast=SAID))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(room), CARD)
        press = wang.presses("教学例会", "能到")
        await until(lambda: wang.inbox)
    assert [m.text for m in wang.inbox] == [SAID]
    assert not press.answered and len(room.from_bot) == 1


async def test_after_five_seconds_the_receipt_is_a_message(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clicks, "UPDATE_SECONDS", 0.05)
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast=SAID), delay=0.1)
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        wang.presses("教学例会", "能到")
        await until(lambda: len(wang.inbox) == 2)
    assert wang.inbox[-1].text == SAID
    assert fake.calls_of("aibot_respond_update_msg") == []


async def test_a_long_word_stands_in_full_in_the_private_talk(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    room = fake.group("教研组", members=[wang], known=True)
    long = "您已经投过这一轮了。" * 30
    ears = channel(fake)
    async with listening(ears, Office(answer=lambda event: Answer(toast=long))):
        await ears.send(place(room), CARD)
        press = wang.presses("教学例会", "能到")
        assert "您已经投过这一轮了" in await asyncio.to_thread(press.wait)
        await until(lambda: wang.inbox)
    assert wang.inbox[0].text == long


async def test_a_slow_face_does_not_cost_the_receipt(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clicks, "DRAW_SECONDS", 0.05)
    wang = fake.user("wang", known=True)
    cards = Cards()
    cards.delay = 5.0
    ears = channel(fake, draw=cards)
    async with listening(ears, Office(answer=lambda event: Answer(toast=SAID))):
        await ears.send(place(wang), CARD)
        assert SAID in await asyncio.to_thread(wang.presses("教学例会", "能到").wait)


async def test_a_late_click_gets_the_closed_card(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    room = fake.group("教研组", members=[wang], known=True)
    cards = Cards()
    office = Office(answer=lambda event: Answer(toast="会议已经开始", alert=True))
    ears = channel(fake, draw=cards)
    async with listening(ears, office):
        await ears.send(place(room), CARD)
        cards.known["notice:42"] = Card("notice:42", "教学例会", [Line("到会 12 人")])
    restarted = channel(fake, draw=cards)
    async with listening(restarted, office):
        press = wang.presses("教学例会", "能到")
        text = await asyncio.to_thread(press.wait)
        assert "到会 12 人" in text and "会议已经开始" in text
        assert [label for label, _key in room.from_bot[0].choices_for("wang")] == ["已结束"]
        again = wang.presses(room.from_bot[0], "已结束")
        await asyncio.to_thread(again.wait)
    assert len(office.heard) == 1


async def test_a_vote_without_a_choice_is_told_so(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office()
    ears = channel(fake, draw=Cards(many(12)))
    async with listening(ears, office):
        await ears.send(place(wang), many(12))
        press = wang.submits_nothing(wang.sees("明星教师"))
        assert "请先选一项" in await asyncio.to_thread(press.wait)
    assert office.heard == []


async def test_a_vote(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast="投给了 7号老师"))
    ears = channel(fake, draw=Cards(many(30)))
    async with listening(ears, office):
        await ears.send(place(wang), many(30))
        first, second = (m for m in wang.inbox if m.card)
        assert "投给了 7号老师" in await asyncio.to_thread(wang.presses(first, "7号老师").wait)
        await asyncio.to_thread(wang.presses(second, "27号老师").wait)
    assert [tap.token for tap in office.heard if isinstance(tap, Tapped)] == ["nt.rsvp:6:v", "nt.rsvp:26:v"]


async def test_a_card_that_has_outgrown_its_kind_is_sent_anew(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    cards = Cards(many(3))
    ears = channel(fake, draw=cards)
    async with listening(ears, Office()):
        await ears.send(place(wang), many(3))
        cards.known["ballot:1"] = many(9)
        press = wang.presses("明星教师", "1号老师")
        await asyncio.to_thread(press.wait)
        await until(lambda: len(wang.inbox) == 2)
        assert [label for label, _ in wang.inbox[0].choices_for("wang")] == ["看下面新的"]
        assert len(wang.inbox[1].labels) == 9
        await asyncio.to_thread(wang.presses(wang.inbox[1], "9号老师").wait)


async def test_in_private_words_that_a_face_cannot_hold_are_told(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    long = [Line(f"第 {n} 条：每位老师每学期听课不少于 {n} 节。") for n in range(20)]
    cards = Cards(Card("draft:1", "听课办法", [Line("第一页")], CARD.buttons))
    ears = channel(fake, draw=cards)
    async with listening(ears, Office()):
        await ears.send(place(wang), cards.known["draft:1"])
        cards.known["draft:1"] = Card("draft:1", "听课办法", long, CARD.buttons)
        for _again in range(2):
            await asyncio.to_thread(wang.presses(wang.inbox[0], "能到").wait)
        await until(lambda: len(wang.inbox) == 2 and not ears.hearing.busy)
    assert "第 19 条" in wang.inbox[1].text


async def test_the_last_state_is_told_to_a_group_and_to_nobody_in_private(fake: FakeWecom) -> None:
    """Who pressed and who did not: in private a closed matter says nothing until the card is pressed again."""
    wang, li = fake.user("wang", known=True), fake.user("li", known=True)
    room = fake.group("教研组", members=[wang, li], known=True)
    cards = Cards()
    ears = channel(fake, draw=cards)
    async with listening(ears, Office()):
        refs = [(await ears.send(place(where), CARD))[0] for where in (wang, li, room)]
        await asyncio.to_thread(wang.presses(wang.inbox[0], "能到").wait)
        over = cards.known["notice:42"] = Card("notice:42", "教学例会", [Line("到会 12 人")])
        before = len(fake.calls)
        for where, ref in zip((wang, li), refs, strict=False):
            await ears.edit(place(where), ref, over, final=True)
        assert len(fake.calls) == before and len(wang.inbox) == len(li.inbox) == 1
        with pytest.raises(DeliveryFailed) as told:
            await ears.edit(place(room), refs[2], over, final=True)
        assert told.value.gone
        assert "到会 12 人" in await asyncio.to_thread(li.presses(li.inbox[0], "能到").wait)
        assert "能到" not in [label for label, _key in li.inbox[0].choices_for("li")]


async def test_a_sealed_choice_is_not_named_on_a_card_that_stays(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    ears = channel(fake)
    async with listening(ears, Office(answer=lambda event: Answer(toast="已投：张老师", sealed=True))):
        await ears.send(place(wang), CARD)
        text = await asyncio.to_thread(wang.presses("教学例会", "能到").wait)
    assert "张老师" not in text and "已记上" in text


async def test_a_quoted_card_is_found_by_its_title(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    room = fake.group("教研组", members=[wang], known=True)
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        (ref,) = await ears.send(place(room), CARD)
        await ears.send(place(room), Card("notice:43", "期中质量分析", [], CARD.buttons))
        wang.says("收到", in_=room, quote="教学例会\n周五 15:30")
        wang.says("好的", in_=room, quote="随便什么")
        wang.says("好的", quote="教学例会")
        await until(lambda: len(office.heard) == 3)
    assert [event.quotes for event in office.heard if isinstance(event, Said)] == [ref, ELSEWHERE, ELSEWHERE]


# --- words ------------------------------------------------------------------------------------------------------------


async def test_words_in_a_group_and_in_private(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    room = fake.group("教研组", members=[wang])
    office = Office()
    async with listening(channel(fake), office):
        wang.says("收到", in_=room)
        wang.says("没人听见", in_=room, mention=False)
        wang.says("帮助")
        wang.speaks("我请假")
        wang.sends_mixed("看图", b"png", in_=room)
        await until(lambda: len(office.heard) == 4)
    assert office.texts == ["收到", "帮助", "我请假", "看图"]
    assert [event.place.private for event in office.heard] == [False, True, True, False]


async def test_the_same_message_twice_is_heard_once(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office(answer=lambda event: Answer(toast="好的"))
    ears = channel(fake)
    async with listening(ears, office):
        number = wang.says("请假", twice=True)
        await until(lambda: office.heard)
        fake.close("cut")
        await until(lambda: not fake.connected)
        wang.says("请假", msgid=number)  # brought again on the next connection
        wang.says("还有")
        await until(lambda: len(office.heard) == 2)
        await until(lambda: not ears.hearing.busy)
    assert office.texts == ["请假", "还有"]
    assert [m.text for m in wang.inbox] == ["好的", "好的"]


async def test_what_our_shelves_do_not_take_is_offered_again(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast=SAID), unavailable=3)
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        press = wang.presses("教学例会", "能到")
        wang.says("第二句")
        assert SAID in await asyncio.to_thread(press.wait)
        await until(lambda: len(office.heard) == 2)
    assert isinstance(office.heard[0], Tapped) and isinstance(office.heard[1], Said)


async def test_what_cannot_be_kept_is_said_to_be_not_kept(fake: FakeWecom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "CLICK_TRYING", 0.2)
    wang = fake.user("wang", known=True)
    office = Office(unavailable=10**6)
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        assert "没有记上" in await asyncio.to_thread(wang.presses("教学例会", "能到").wait)
        office.unavailable = 0
        office.answer = lambda event: Answer(toast=SAID)
        assert SAID in await asyncio.to_thread(wang.presses("教学例会", "能到").wait)
    assert len(office.heard) == 1


async def test_a_second_thought_waits_for_the_first(fake: FakeWecom) -> None:
    wang, li = fake.user("wang"), fake.user("li")
    office = Office(delay=0.02, unavailable=2)
    async with listening(channel(fake), office):
        for n in range(3):
            wang.says(f"王{n}")
        li.says("李0")
        await until(lambda: len(office.heard) == 4)
    assert [text for text in office.texts if text[0] == "王"] == ["王0", "王1", "王2"]


async def test_a_passing_word_never_stands_in_the_group(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    room = fake.group("教研组", members=[wang])
    ears = channel(fake)
    async with listening(ears, Office(answer=lambda event: Answer(toast="只给你看"))):
        wang.says("投票", in_=room)
        wang.says("投票")
        await until(lambda: wang.inbox)
        await until(lambda: not ears.hearing.busy)
    assert [m.text for m in wang.inbox] == ["只给你看"] and room.from_bot == []


async def test_what_was_taken_is_heard_out_before_we_go(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast=SAID), delay=0.3)
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        wang.presses("教学例会", "能到")
        await until(lambda: office.under_way)
    assert len(office.heard) == 1


async def test_more_choices_than_can_be_tapped(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast=SAID))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), many(117))
        wang.says("回复 117")
        wang.says("118")
        await until(lambda: len(office.heard) == 2)
    tap, said = office.heard
    assert isinstance(tap, Tapped) and tap.token == "nt.rsvp:116:v"
    assert isinstance(said, Said) and said.text == "118"


# --- coming -----------------------------------------------------------------------------------------------------------


async def test_whoever_opens_the_talk_is_welcomed_although_a_push_is_refused(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        wang.opens()
        await until(lambda: office.heard)
        await ears.send(place(wang), Card("", "您好", [Line("<b>请绑定</b>")]))
        with pytest.raises(DeliveryFailed) as refusal:
            await ears.send(place(wang), "还有一句")
        assert refusal.value.permanent and "还没有给机器人发过消息" in refusal.value.reason
        wang.says("你好")
        await until(lambda: len(office.heard) == 2)
        await ears.send(place(wang), "您好")
    assert isinstance(office.heard[0], Joined) and office.heard[0].place.private
    assert wang.inbox[0].kind == "text" and "**" not in wang.inbox[0].text
    assert len(wang.inbox) == 2


# --- files ------------------------------------------------------------------------------------------------------------


async def test_a_file_is_fetched_opened_and_named(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office()
    content = bytes(range(256)) * 4000
    async with listening(channel(fake), office):
        wang.sends_file("教师考勤办法.docx", content)
        wang.sends_file("plain.docx", b"x" * 31)
        await until(lambda: len(office.heard) == 2)
    uploads = [event.upload for event in office.heard if isinstance(event, Said) and event.upload]
    assert [upload.name for upload in uploads] == ["教师考勤办法.docx", "plain.docx"]
    assert [upload.content for upload in uploads] == [content, b"x" * 31]


async def test_a_file_that_is_too_large_or_gone_is_told(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office()
    async with listening(channel(fake, max_upload=1000), office):
        wang.sends_file("big.docx", b"x" * 5000)
        wang.sends_file("late.docx", b"x" * 500, lives=-1)
        await until(lambda: len(wang.inbox) == 2)
    assert "太大" in wang.inbox[0].text and "再发一次" in wang.inbox[1].text
    assert office.heard == []


async def test_a_file_is_tried_again(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    office = Office()
    fake.fault("media", status=502)
    async with listening(channel(fake), office):
        wang.sends_file("a.docx", b"x" * 500)
        await until(lambda: office.heard)


async def test_a_file_of_ours_is_brought_up_once_for_all(fake: FakeWecom) -> None:
    people = [fake.user(f"t{n}", known=True) for n in range(3)]
    document = Document("汇总.xlsx", "application/x", bytes(range(256)) * 5000)
    ears = channel(fake)
    fake.fault("aibot_upload_media_chunk", errcode=-1)
    async with listening(ears, Office()):
        for person in people:
            await ears.send(place(person), document)
    assert [person.inbox[0].file for person in people] == [("汇总.xlsx", document.content)] * 3
    assert len(fake.calls_of("aibot_upload_media_init")) == 1


# --- what cannot be sent ----------------------------------------------------------------------------------------------


async def failing(ears: object, where: Place, content: object) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failure:
        await ears.send(where, content)  # type: ignore[attr-defined]
    return failure.value


async def test_troubles_by_their_kind(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    room = fake.group("教研组", members=[wang], known=True)
    ears = channel(fake, ack_seconds=0.2)
    async with listening(ears, Office()):
        fake.fault("aibot_send_msg", lose="ack")
        lost = await failing(ears, place(room), "一")
        assert lost.unknown and not lost.permanent and lost.retry_after is None
        assert [m.text for m in room.from_bot] == ["一"]
        for code, pause in ((846607, 60.0), (45009, 60.0), (45033, 5.0)):
            fake.fault("aibot_send_msg", errcode=code)
            assert (await failing(ears, place(room), "二")).retry_after == pause
        fake.fault("aibot_send_msg", errcode=-1)
        busy = await failing(ears, place(room), "三")
        assert not busy.unknown and not busy.permanent and busy.retry_after is None
    gone = await failing(ears, place(room), "四")
    assert gone.retry_after and gone.everywhere and not gone.unknown
    assert all(fake.secret not in str(one) for one in (lost, busy, gone))


async def test_a_cold_group_is_answered_where_it_last_spoke(fake: FakeWecom) -> None:
    wang = fake.user("wang")
    room = fake.group("教研组", members=[wang])
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        wang.says("在吗", in_=room)
        await until(lambda: office.heard)
        fake.talk(room.id).activated_at = None  # it expired overnight, if such a thing exists
        await ears.send(place(room), CARD)
    assert room.from_bot[0].quotes is not None and room.from_bot[0].labels == ["能到", "请假"]


async def test_a_cold_group_is_not_given_up_for_good(fake: FakeWecom) -> None:
    room = fake.group("教研组")
    ears = channel(fake)
    async with listening(ears, Office()):
        for code in (93006, 846605, 999999):
            fake.cold_code = code
            refused = await failing(ears, place(room), "通知")
            assert not refused.permanent and not refused.unknown and "@ 我一次" in refused.reason


async def test_words_before_looks(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    fake.fault("aibot_send_msg", errcode=42038)
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        assert "周五 15:30" in wang.inbox[0].text and "回复 2 选 请假" in wang.inbox[0].text
        wang.says("2")
        await until(lambda: office.heard)
    tap = office.heard[0]
    assert isinstance(tap, Tapped) and tap.token == "nt.rsvp:42:n"


async def test_every_send_has_a_task_id_of_its_own(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    ears = channel(fake, ack_seconds=0.2)
    async with listening(ears, Office()):
        fake.fault("aibot_send_msg", lose="ack")
        await failing(ears, place(wang), CARD)
        refs = {(await ears.send(place(wang), CARD))[0] for _ in range(3)}
    assert len(refs) == 3
    assert len({m.task_id for m in wang.inbox}) == 4


async def test_a_send_that_broke_half_way_goes_on_where_it_stopped(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    long = Card("notice:42", "教学例会", [Line("很长的话。" * 80)], CARD.buttons)
    ears = channel(fake)
    async with listening(ears, Office()):
        fake.fault("aibot_send_msg", effect=True)
        fake.fault("aibot_send_msg", errcode=846607)
        assert (await failing(ears, place(wang), long)).retry_after
        await ears.send(place(wang), long)
    assert [m.kind for m in wang.inbox] == ["markdown", "template_card"]


async def test_edits_wait_for_a_click_and_the_last_state_is_sent_anew(fake: FakeWecom) -> None:
    room = fake.group("教研组", known=True)
    ears = channel(fake)
    async with listening(ears, Office()):
        (ref,) = await ears.send(place(room), CARD)
        before = len(fake.calls)
        await ears.edit(place(room), ref, CARD, final=False)
        with pytest.raises(DeliveryFailed) as refusal:
            await ears.edit(place(room), ref, CARD, final=True)
        assert refusal.value.gone and len(fake.calls) == before


async def test_clicks_do_not_wait_behind_a_broadcast(fake: FakeWecom) -> None:
    fake.server.latency = 0.05
    people = [fake.user(f"t{n}", known=True) for n in range(120)]
    wang = people[0]
    ears = channel(fake)
    office = Office(answer=lambda event: Answer(toast=SAID))
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        gate = asyncio.Semaphore(16)

        async def one(person: object) -> None:
            async with gate:
                await ears.send(place(person), "通知")

        sending = asyncio.gather(*(one(person) for person in people))
        await asyncio.sleep(0.1)
        press = wang.presses("教学例会", "能到")
        await asyncio.to_thread(press.wait)
        await sending
    assert press.seconds < 1.0
    assert sum(len(person.inbox) for person in people) == 121


async def test_events_carry_what_the_engine_needs(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    heard: list[Event] = []
    office = Office(after=heard.append)
    ears = channel(fake)
    began = time.time()
    async with listening(ears, office):
        await ears.send(place(wang), CARD)
        await asyncio.to_thread(wang.presses("教学例会", "能到").wait)
        assert ears.last_heard is not None
    assert heard[0].place == place(wang) and abs(heard[0].at.timestamp() - began) < 5


# --- what nobody could verify may turn out either way -----------------------------------------------------------------


@pytest.mark.parametrize("counts", [False, True])
async def test_fifty_click_at_once_whether_updates_count_or_not(fake: FakeWecom, counts: bool) -> None:
    """Thirty a minute in one conversation: if receipts on cards count, the others stand in private."""
    fake.updates_count = counts
    people = [fake.user(f"t{n}", known=True) for n in range(50)]
    room = fake.group("教研组", members=people, known=True)
    office = Office(answer=lambda event: Answer(toast=f"记下了{event.sender.id}"))
    ears = channel(fake)
    async with listening(ears, office):
        await ears.send(place(room), CARD)
        presses = [person.presses("教学例会", "能到") for person in people]
        await until(lambda: len(office.heard) == 50 and not ears.hearing.busy, 20)
    on_card = [press for press in presses if press.answered]
    assert len(on_card) == (29 if counts else 50)
    for press in presses:
        told = press.text if press.answered else press.person.inbox[-1].text
        assert f"记下了{press.person.id}" in told


@pytest.mark.parametrize("activates", [False, True])
async def test_a_first_visit_whether_it_opens_the_talk_or_not(fake: FakeWecom, activates: bool) -> None:
    fake.enter_activates = activates
    wang = fake.user("wang")
    office = Office()
    ears = channel(fake)
    async with listening(ears, office):
        wang.opens()
        await until(lambda: office.heard)
        await ears.send(place(wang), CARD)
        assert SAID not in await asyncio.to_thread(wang.presses("教学例会", "能到").wait)
    assert len(wang.inbox) == 1

"""No faster than the platform lets through, nothing refused for haste; and the ways a message takes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.channels.wecom.channel import LIMITS, WecomChannel
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.webhook import Webhook
from bot.engine.port import Answer, DeliveryFailed
from bot.kit.card import Card, Line
from bot.kit.event import Place
from tests.channels.wecom_office import CARD, Office, channel, listening, place, until
from tests.fakes.wecom import FakeWecom


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake
    assert fake.folded == [] and fake.dropped == []


async def failing(ears: WecomChannel, where: Place, words: str) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failure:
        await ears.send(where, words)
    return failure.value


async def test_thirty_a_minute_and_no_refusal(fake: FakeWecom) -> None:
    """Two messages a card; what is too much is not tried, and says when it may come again."""
    room = fake.group("教研组", known=True)
    ears = channel(fake, limits=LIMITS)
    long = Card("notice:42", "教学例会", [Line("很长的话。" * 80)], CARD.buttons)
    async with listening(ears, Office()):
        for _card in range(15):
            await ears.send(place(room), long)
        wait = (await failing(ears, place(room), "还有一句")).retry_after
    assert wait is not None and 50 < wait <= 60.1
    assert len(room.from_bot) == 30
    assert not [call for call in fake.calls if call.errcode]


async def test_in_private_a_backlog_leaves_room_for_whoever_is_there(fake: FakeWecom) -> None:
    wang = fake.user("wang", known=True)
    office = Office(answer=lambda event: Answer(toast="已记下"))
    ears = channel(fake, limits=LIMITS)
    async with listening(ears, office):
        wang.says("在吗")
        await until(lambda: len(wang.inbox) == 1)
        for number in range(24):
            await ears.send(place(wang), f"第{number}条")
        assert (await failing(ears, place(wang), "第24条")).retry_after
        for _word in range(5):
            wang.says("收到")
        await until(lambda: len(wang.inbox) == 30)
        await ears.send(place(fake.user("li", known=True)), "别人不用等")
    assert not [call for call in fake.calls if call.errcode]


async def test_respond_then_send_then_the_webhook_then_the_office(fake: FakeWecom) -> None:
    """Each way that is closed leads to the next; what no way takes is a failure that says what to do."""
    wang = fake.user("wang")
    room = fake.group("教研组", members=[wang])
    room.webhook_key = "key-of-the-group"
    office = Office()
    ears = channel(fake, webhooks={room.id: Webhook("key-of-the-group", fake.url)})
    async with listening(ears, office):
        wang.says("在吗", in_=room)
        await until(lambda: office.heard)
        await ears.send(place(room), "推送")
        fake.talk(room.id).activated_at = None
        await ears.send(place(room), "回复")
        fake.reqs.clear()  # that answer is too late, too
        await ears.send(place(room), "网钩")
        await ears.send(place(room), CARD)
        room.webhook_key = None
        lost = await failing(ears, place(room), "没有路了")
    assert [(m.via, m.quotes is not None) for m in room.from_bot[:3]] == [
        ("bot", False),
        ("bot", True),
        ("webhook", False),
    ]
    told = room.from_bot[3]
    assert told.via == "webhook" and "周五 15:30" in told.text and "回复 2 选 请假" in told.text
    assert lost.retry_after is None and "@ 我一次" in lost.reason


async def test_twenty_a_minute_by_the_webhook_and_no_half_message(fake: FakeWecom) -> None:
    room = fake.group("教研组")
    room.webhook_key = "key-of-the-group"
    hook = Webhook("key-of-the-group", fake.url)
    payload = {"msgtype": "markdown", "markdown": {"content": "字" * 3000}}  # three messages there
    for _word in range(6):
        await hook.post(place(room), payload)
    with pytest.raises(Trouble) as full:
        await hook.post(place(room), payload)
    await hook.close()
    assert full.value.wait and len(room.from_bot) == 18
    assert not [call for call in fake.calls if call.errcode]

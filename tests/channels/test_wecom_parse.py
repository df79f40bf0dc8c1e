"""Frames of the long connection -> events: pure, and nothing at all makes it raise."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom.parse import Attached, Incoming, Me, parse, token_of, without_mention
from bot.channels.wecom.task import Task
from bot.kit.event import Account, Joined, Place, Said, Tapped
from tests.channels.test_wecom_crypto import HERE

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ME = Me("aibBOT", "值班助手")
MESSAGE: dict[str, Any] = {
    "cmd": "aibot_msg_callback",
    "headers": {"req_id": "Q"},
    "body": json.loads((HERE / "bot_message.json").read_text()),
}
TASK = Task("00112233445566ff", 1, "notice:42")
CLICK: dict[str, Any] = {
    "cmd": "aibot_event_callback",
    "headers": {"req_id": "E"},
    "body": {
        "msgid": "M2",
        "create_time": 1700000000,
        "aibotid": "aibBOT",
        "chatid": "C1",
        "chattype": "group",
        "from": {"userid": "ZhangSan"},
        "msgtype": "event",
        "event": {
            "eventtype": "template_card_event",
            "template_card_event": {
                "card_type": "vote_interaction",
                "event_key": "submit",
                "task_id": TASK.pack(),
                "selected_items": {
                    "selected_item": [{"question_key": "q1", "option_ids": {"option_id": ["3|nt.rsvp:42:y"]}}]
                },
            },
        },
    },
}


def changed(frame: dict[str, Any], **body: Any) -> dict[str, Any]:
    made = copy.deepcopy(frame)
    made["body"].update(body)
    return made


def read(frame: dict[str, Any], me: Me = ME) -> Incoming:
    found = parse(frame, me, NOW)
    assert found is not None
    return found


def test_a_message_in_a_group() -> None:
    found = read(MESSAGE)
    group = Place("wecom", "C1", private=False)
    assert found.event == Said("wecom:aibBOT:M1", NOW, Account("wecom", "zhangsan"), group, "你好")
    assert (found.kind, found.req_id, found.userid) == ("msg", "Q", "zhangsan")


def test_a_private_message_keeps_its_at() -> None:
    frame = changed(MESSAGE, chattype="single", text={"content": "@值班助手 你好"})
    del frame["body"]["chatid"]
    said = read(frame).event
    assert isinstance(said, Said)
    assert (said.text, said.place) == ("@值班助手 你好", Place("wecom", "zhangsan", private=True))


def test_userids_are_one_whatever_their_case() -> None:
    frame = changed(MESSAGE, **{"from": {"userid": "ZhangSan"}})
    found = read(frame)
    assert found.event.sender == Account("wecom", "zhangsan")
    assert found.userid == "ZhangSan"


@pytest.mark.parametrize(
    ("said", "name", "wanted"),
    [
        ("@值班助手 收到", "值班助手", "收到"),
        ("@值班助手\u2005收到", "值班助手", "收到"),
        ("@值班助手收到", "值班助手", "收到"),
        ("@值班助手，收到", "值班助手", "收到"),
        ("收到 @值班助手", "值班助手", "收到"),
        ("收到 @值班助手 谢谢", "值班助手", "收到 谢谢"),
        ("@值班  助手 收到", "值班 助手", "收到"),
        ("@值班\u00a0助手\u2005\u2005收到", "值班 助手", "收到"),
        ("@HongZhu 收到", "hongzhu", "收到"),
        ("@王老师 请假", "值班助手", "@王老师 请假"),
        ("@值班助手 @王老师 请假", "值班助手", "@王老师 请假"),
        ("@随便谁 收到", "", "收到"),
        ("没有人", "", "没有人"),
        ("@值班助手", "值班助手", ""),
    ],
)
def test_our_name_is_taken_off(said: str, name: str, wanted: str) -> None:
    assert without_mention(said, name).strip() == wanted


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"msgtype": "voice", "voice": {"content": "我请假"}}, "我请假"),
        (
            {
                "msgtype": "mixed",
                "mixed": {
                    "msg_item": [
                        {"msgtype": "text", "text": {"content": "@值班助手 看图"}},
                        {"msgtype": "image", "image": {"url": "https://x"}},
                    ]
                },
            },
            "看图",
        ),
    ],
)
def test_other_kinds_that_hold_words(body: dict[str, Any], text: str) -> None:
    said = read(changed(MESSAGE, **body)).event
    assert isinstance(said, Said) and said.text == text


def test_a_file_is_not_fetched_yet() -> None:
    found = read(changed(MESSAGE, msgtype="file", file={"url": "https://x/y", "aeskey": "k"})).event
    assert isinstance(found, Attached) and found.file is not None
    assert (found.file.url, found.file.aes_key) == ("https://x/y", "k")


def test_a_vote() -> None:
    found = read(CLICK)
    group = Place("wecom", "C1", private=False)
    at = datetime.fromtimestamp(1700000000, UTC)
    tapped = Tapped("wecom:aibBOT:M2", at, Account("wecom", "zhangsan"), group, "nt.rsvp:42:y", TASK.ref)
    assert found.event == tapped
    assert found.click is not None
    assert (found.click.task, found.click.card_type, found.click.chosen) == (TASK, "vote_interaction", 1)
    assert found.userid == "ZhangSan"


def test_the_other_spelling_of_a_click() -> None:
    frame = copy.deepcopy(CLICK)
    items = {"selecteditem": [{"questionkey": "q1", "optionids": {"optionid": ["3|nt.rsvp:42:y"]}}]}
    frame["body"]["event"]["template_card_event"] = {
        "cardtype": "vote_interaction",
        "eventkey": "submit",
        "taskid": TASK.pack(),
        "selecteditems": items,
    }
    assert read(frame) == read(CLICK)


def test_a_button() -> None:
    frame = copy.deepcopy(CLICK)
    event = frame["body"]["event"]["template_card_event"]
    event.update(card_type="button_interaction", event_key="0|nt.rsvp:42:n", selected_items=None)
    tapped = read(frame).event
    assert isinstance(tapped, Tapped) and tapped.token == "nt.rsvp:42:n"


def test_a_vote_without_a_choice_has_no_token() -> None:
    frame = copy.deepcopy(CLICK)
    del frame["body"]["event"]["template_card_event"]["selected_items"]
    found = read(frame)
    assert isinstance(found.event, Tapped) and found.event.token == ""
    assert found.click is not None and found.click.chosen == 0


def test_somebody_opens_the_talk() -> None:
    body = {"msgid": "M3", "from": {"userid": "LiSi"}, "msgtype": "event", "event": {"eventtype": "enter_chat"}}
    found = read({"cmd": "aibot_event_callback", "headers": {"req_id": "W"}, "body": body})
    place = Place("wecom", "lisi", private=True)
    assert found.event == Joined("wecom:aibBOT:M3", NOW, Account("wecom", "lisi"), place)
    assert found.kind == "enter"


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"body": None},
        changed(MESSAGE, msgid=""),
        changed(MESSAGE, msgid=None),
        changed(MESSAGE, **{"from": {}}),
        changed(MESSAGE, **{"from": {"userid": "x" * 65}}),
        changed(MESSAGE, msgtype="image", image={"url": "https://x"}),
        changed(MESSAGE, msgtype="brand_new", brand_new={"content": "?"}),
        changed(MESSAGE, text={"content": "@值班助手 "}),
        changed(MESSAGE, chatid="", chattype="group"),
        changed(CLICK, event={"eventtype": "feedback_event", "feedback_event": {"id": "1"}}),
        changed(CLICK, event={"eventtype": "enter_check_update"}),
    ],
)
def test_what_says_nothing_to_us(frame: dict[str, Any]) -> None:
    assert parse(frame, ME, NOW) is None


def test_lone_surrogates_and_nul_reach_no_shelf() -> None:
    said = read(changed(MESSAGE, text={"content": "a\ud800b\0c"})).event
    assert isinstance(said, Said)
    said.text.encode()
    assert "\0" not in said.text


def test_a_msgid_beyond_our_shelf_is_shortened_but_its_own() -> None:
    one, two = (read(changed(MESSAGE, msgid="M" * 300 + end)).event.id for end in "ab")
    assert one != two and len(one) <= 160


# --- task_ids ---------------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_a_task_id_tells_the_card(key: str) -> None:
    task = Task("0123456789abcdef", 3, key)
    packed = task.pack()
    assert len(packed) <= 128
    assert set(packed) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-@")
    assert Task.unpack(packed) in (task, Task(task.ref, 3, ""))
    if len(key.encode()) <= 80:
        assert Task.unpack(packed) == task


@given(st.text(max_size=200))
def test_any_task_id_is_read(text: str) -> None:
    assert len(Task.unpack(text).ref) <= 64


def test_keys_are_numbered_and_closed_buttons_mean_nothing() -> None:
    assert token_of("12|st.vote:1:2") == "st.vote:1:2"
    assert token_of("closed") == token_of("submit") == ""


# --- anything at all --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def leaves(thing: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    pairs = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, value in pairs:
        found += leaves(value, (*path, key))
    return found


PATHS = [(frame, path) for frame in (MESSAGE, CLICK) for path in leaves(frame)]


@given(st.sampled_from(PATHS), JSON)
def test_no_field_however_broken_makes_it_raise(where: tuple[dict[str, Any], tuple[Any, ...]], value: Any) -> None:
    frame, path = copy.deepcopy(where[0]), where[1]
    node: Any = frame
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    found = parse(frame, ME, NOW)
    assert found is None or len(found.event.id) <= 160


@given(JSON)
def test_no_frame_makes_it_raise(frame: Any) -> None:
    assert parse(frame, ME, NOW) is None

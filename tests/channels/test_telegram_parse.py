"""Recorded updates in, events out; and whatever else comes in, nothing breaks."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.parse import NOBODY, Attached, Me, number_of, parse, query_of
from bot.kit.event import Event, Said, Tapped

HERE = Path(__file__).parent / "payloads" / "telegram"
RECORDED = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))}
ME = Me(7000000001, "hongzhu_bot")
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def shown(event: Event, key: str) -> Any:
    value = getattr(event, key)
    match key:
        case "place":
            return [value.id, value.private]
        case "sender":
            return value.id
        case "at":
            return value.isoformat()
        case "file":
            return [value.id, value.name, value.size]
    return value


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_update_becomes_its_events(name: str) -> None:
    recorded = RECORDED[name]
    events = parse(recorded["update"], ME, NOW)
    assert [type(e).__name__ for e in events] == [wanted["kind"] for wanted in recorded["events"]]
    for event, wanted in zip(events, recorded["events"], strict=True):
        assert {key: shown(event, key) for key in wanted if key != "kind"} == {
            key: value for key, value in wanted.items() if key != "kind"
        }


@pytest.mark.parametrize("name", RECORDED)
def test_every_event_can_be_kept_on_a_shelf(name: str) -> None:
    for event in parse(RECORDED[name]["update"], ME, NOW):
        assert_fit_for_a_shelf(event)


def assert_fit_for_a_shelf(event: Event) -> None:
    assert len(event.id) <= 160
    assert event.at.tzinfo is not None
    assert event.sender.channel == event.place.channel == "telegram"
    assert int(event.sender.id) not in NOBODY
    words = [event.id, event.sender.id, event.place.id, getattr(event, "text", ""), getattr(event, "token", "")]
    if isinstance(event, Attached) and event.file is not None:
        words += [event.file.id, event.file.name]
    for text in words:
        text.encode()
        assert "\0" not in text


def test_a_tap_has_no_time_of_its_own() -> None:
    (tap,) = parse(RECORDED["tapped"]["update"], ME, NOW)
    assert isinstance(tap, Tapped)
    assert tap.at == NOW


def test_the_open_callback_is_found() -> None:
    assert query_of(RECORDED["tapped"]["update"]) == "21480212345678"
    assert query_of(RECORDED["said_private"]["update"]) is None
    assert query_of({"callback_query": {"id": 5}}) is None


def test_before_our_name_is_known_nothing_is_cut_off() -> None:
    (said,) = parse(RECORDED["said_mention"]["update"], Me(ME.id), NOW)
    assert isinstance(said, Said)
    assert said.text.startswith("@Hongzhu_Bot")


def test_an_old_number_after_a_silent_week_is_another_event() -> None:
    first = RECORDED["said_private"]["update"]
    later = copy.deepcopy(first)
    later["message"]["date"] += 8 * 86400
    assert parse(first, ME, NOW)[0].id != parse(later, ME, NOW)[0].id


def test_two_bots_do_not_share_an_event() -> None:
    update = RECORDED["tapped"]["update"]
    assert parse(update, ME, NOW)[0].id != parse(update, replace(ME, id=8), NOW)[0].id


# --- hostile ----------------------------------------------------------------------------------------------------

NASTY: list[Any] = [
    None, True, False, 0, -1, 10**400, -(10**19), 1 << 62, -(1 << 31), 1.5, float("inf"), float("nan"), "", "\ud800",
    "\udfff\ud83d", "\0", "李\u202e老师\u200b", "👨‍👩‍👧‍👦" * 50, "x" * 100_000, "9" * 5000, [], {}, [[]], [{}],
    {"id": None}, {"": ""},
]  # fmt: skip


def nested(depth: int) -> Any:
    found: Any = {}
    for _ in range(depth):
        found = {"chat": [found], "message": {"from": 1}}
    return found


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every container and key in it."""
    found: list[tuple[Any, Any]] = []
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for key in keys:
        found.append((node, key))
        found += places(node[key])
    return found


def mutated(dice: random.Random) -> Any:
    """A recorded update with one to four of its fields broken, swapped, dropped or grafted from another."""
    update = copy.deepcopy(dice.choice(list(RECORDED.values()))["update"])
    for _ in range(dice.randint(1, 4)):
        spots = places(update)
        if not spots:
            break
        node, key = dice.choice(spots)
        match dice.randrange(5):
            case 0:
                node[key] = copy.deepcopy(dice.choice(NASTY))
            case 1 if isinstance(node, dict):
                del node[key]
            case 2:
                node[key] = copy.deepcopy(dice.choice(places(dice.choice(list(RECORDED.values()))))[0])
            case 3:
                node[key] = nested(dice.choice((3, 30)))
            case _:
                other, there = dice.choice(spots)
                if isinstance(other, dict) == isinstance(node, dict):
                    node[key] = copy.deepcopy(other.get(there)) if isinstance(other, dict) else None
    return update


def test_5000_mutated_updates_break_nothing() -> None:
    dice = random.Random(20261122)
    heard = 0
    for _ in range(5000):
        update = mutated(dice)
        events = parse(update, ME, NOW)
        heard += len(events)
        for event in events:
            assert_fit_for_a_shelf(event)
        number_of(update)
        query_of(update)
    assert heard > 500, "the mutations leave nothing to hear: they are too coarse to test anything"


async def test_mutated_updates_do_not_hold_up_the_loop() -> None:
    dice = random.Random(7)
    loop = asyncio.get_running_loop()
    longest = 0.0
    for _ in range(2000):
        update = mutated(dice)
        start = loop.time()
        parse(update, ME, NOW)
        longest = max(longest, loop.time() - start)
    assert longest < 0.1


def test_deep_nesting() -> None:
    deep: Any = "x"
    for _ in range(50_000):
        deep = {"message": deep}
    assert parse({"update_id": 1, "message": deep}, ME, NOW) == []
    while isinstance(deep, dict):  # taken apart by hand: freeing it at once would recurse as deep
        deep = deep.pop("message")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
FIELDS = st.sampled_from(
    "id is_bot type chat from date text data message message_id user title status new_chat_members "
    "migrate_to_chat_id reply_to_message document file_id file_name file_size old_reaction new_reaction emoji "
    "edit_date sender_chat".split()
)
BODIES = st.recursive(
    JSON | st.sampled_from(["private", "supergroup", "/start", "/start x", "@hongzhu_bot", "member", "left"]),
    lambda inner: st.dictionaries(FIELDS, inner, max_size=8) | st.lists(inner, max_size=3),
    max_leaves=30,
)
KIND = st.sampled_from(["message", "edited_message", "callback_query", "my_chat_member", "message_reaction", "poll"])


@given(JSON)
def test_any_json_is_parsed(raw: Any) -> None:
    parse(raw, ME, NOW)


@given(st.integers(), KIND, BODIES)
def test_any_fields_in_any_shape(number: int, kind: str, body: Any) -> None:
    for event in parse({"update_id": number, kind: body}, ME, NOW):
        assert_fit_for_a_shelf(event)


def test_what_was_forwarded_and_when_an_edited_word_was_first_said() -> None:
    update = copy.deepcopy(RECORDED["said_private"]["update"])
    first = update["message"]["date"]
    update["message"]["forward_origin"] = {"type": "hidden_user", "sender_user_name": "某人", "date": first - 60}
    (said,) = parse(update, ME, NOW)
    assert isinstance(said, Said) and said.passed_on
    update = copy.deepcopy(RECORDED["said_private"]["update"])
    update["edited_message"] = update.pop("message") | {"edit_date": first + 600}
    (said,) = parse(update, ME, NOW)
    assert isinstance(said, Said) and said.edited and not said.passed_on
    assert said.first_at == datetime.fromtimestamp(first, UTC)


@given(st.text(st.characters()))
def test_any_text_is_fit_for_a_shelf(text: str) -> None:
    update = copy.deepcopy(RECORDED["said_private"]["update"])
    update["message"]["text"] = text
    for event in parse(update, ME, NOW):
        assert_fit_for_a_shelf(event)


@given(st.text(st.characters(exclude_characters="/@", exclude_categories=["Cs"])))
def test_any_text_is_heard_without_what_cannot_be_kept(text: str) -> None:
    update = copy.deepcopy(RECORDED["said_private"]["update"])
    update["message"]["text"] = text
    for event in parse(update, ME, NOW):
        if isinstance(event, Said):
            assert event.text == text.replace("\0", "")


@pytest.mark.parametrize(
    ("text", "heard"), [("a\ud800b", "a\ufffdb"), ("\udc00", "\ufffd"), ("\ud83d\ude00", "\U0001f600")]
)
def test_half_a_pair_is_heard_as_the_sign_for_it(text: str, heard: str) -> None:
    update = copy.deepcopy(RECORDED["said_private"]["update"])
    update["message"]["text"] = text
    (event,) = parse(update, ME, NOW)
    assert isinstance(event, Said)
    assert event.text == heard

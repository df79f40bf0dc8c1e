"""What a browser may send, and everything it may not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.web import parse
from bot.channels.web.parse import Unreadable
from bot.kit.event import Account, Event, Place

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ID = "0123456789abcdef"


def said(**facts: Any) -> Any:
    body = json.dumps({"id": ID, "place": "all", "text": "收到", **facts}).encode()
    return parse.said(body, "p3", NOW, member=True)


def test_words_in_the_group_become_an_event() -> None:
    event = said(text=" 收到\r\n谢谢 ", quotes="42")
    assert (event.id, event.at, event.text, event.quotes) == (f"web:{ID}", NOW, "收到\n谢谢", "42")
    assert event.sender == Account("web", "p3")
    assert event.place == Place("web", "all", private=False)


def test_the_private_talk_is_always_ones_own() -> None:
    assert said(place="me").place == Place("web", "p3", private=True)


@pytest.mark.parametrize("place", ["p4", "", "ALL", None, 3, ["me"]])
def test_nobody_can_name_another_talk(place: object) -> None:
    with pytest.raises(Unreadable):
        said(place=place)


def test_who_is_not_on_the_roster_is_not_in_the_group() -> None:
    body = json.dumps({"id": ID, "place": "all", "text": "你好"}).encode()
    with pytest.raises(Unreadable) as refused:
        parse.said(body, "gabcdef01", NOW, member=False)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "short"},
        {"id": "x" * 65},
        {"id": "一二三四五六七八九"},
        {"id": None},
        {"text": ""},
        {"text": "   \n "},
        {"text": "\x00\x01"},
        {"text": 5},
        {"text": "好" * 4001},
        {"more": 1},
    ],
)
def test_what_our_page_does_not_send_is_refused_with_a_sentence(facts: dict[str, Any]) -> None:
    with pytest.raises(Unreadable) as refused:
        said(**facts)
    assert refused.value.sentence.endswith("。")


def test_four_thousand_characters_are_fine() -> None:
    assert len(said(text="好" * 4000).text) == 4000


def test_no_control_character_comes_through() -> None:
    assert said(text="a\x00b\x1b[31mc\td").text == "ab[31mc\td"


@pytest.mark.parametrize("quotes", ["", "m1", "-1", "9" * 19, "１"])
def test_a_quotation_is_a_number_or_nothing(quotes: str) -> None:
    assert said(quotes=quotes).quotes is None


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b"\xff", b'{"id":"' + b"[" * 50_000, b"[" * 50_000])
def test_rubbish_is_refused(body: bytes) -> None:
    for read in (parse.said, parse.tapped, parse.submitted):
        with pytest.raises(Unreadable) as refused:
            read(body, "p3", NOW, member=True)
        assert refused.value.status == 400


@given(st.binary(max_size=300))
def test_any_bytes_become_an_event_or_a_refusal(body: bytes) -> None:
    for read in (parse.said, parse.tapped, parse.submitted):
        try:
            assert isinstance(read(body, "p3", NOW, member=True), Event)
        except Unreadable:
            continue


@given(st.text(max_size=60))
def test_any_words_can_be_kept(text: str) -> None:
    body = json.dumps({"id": ID, "place": "me", "text": text}).encode("utf-8", "surrogatepass")
    try:
        kept = parse.said(body, "p3", NOW, member=True).text
    except Unreadable:
        return
    assert kept.encode() and "\x00" not in kept


def test_a_tap_carries_its_token_and_its_card() -> None:
    body = json.dumps({"id": ID, "place": "all", "token": "nt.rsvp:42:y", "message": "7"}).encode()
    tap = parse.tapped(body, "p3", NOW, member=True)
    assert (tap.token, tap.message) == ("nt.rsvp:42:y", "7")


@pytest.mark.parametrize("token", ["", "x" * 65, "好" * 22])
def test_a_token_is_at_most_64_bytes(token: str) -> None:
    body = json.dumps({"id": ID, "place": "all", "token": token}).encode()
    with pytest.raises(Unreadable):
        parse.tapped(body, "p3", NOW, member=True)


def test_a_form_comes_whole() -> None:
    body = json.dumps({"id": ID, "place": "me", "form": "notices.announce", "values": {"topic": " 例会\x00 "}}).encode()
    form = parse.submitted(body, "p3", NOW, member=True)
    assert (form.form, dict(form.values)) == ("notices.announce", {"topic": "例会"})


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("名单.xlsx", "名单.xlsx"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\桌面\\意见 稿.DOCX", "意见 稿.DOCX"),
        ("a\nb\x00.csv", "a b.csv"),
        ("长" * 300 + ".md", "长" * 120 + ".md"),
    ],
)
def test_a_file_keeps_its_name_without_its_folders(name: str, kept: str) -> None:
    event = parse.uploaded(ID, "me", name, b"x", "p3", NOW, member=True)
    assert event.upload is not None
    assert event.upload.name == kept


@pytest.mark.parametrize(("name", "status"), [("a.exe", 415), ("a.docx.html", 415), ("docx", 415), ("", 415)])
def test_other_files_are_refused(name: str, status: int) -> None:
    with pytest.raises(Unreadable) as refused:
        parse.uploaded(ID, "me", name, b"x", "p3", NOW, member=True)
    assert refused.value.status == status

"""The platform's envelopes: the published vectors byte for byte, and nothing that is not from it gets through."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom import crypto, plainxml
from bot.channels.wecom.crypto import Forged, Seal

HERE = Path(__file__).parent / "payloads" / "wecom"
TOKEN, KEY, CORP = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7"
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
POST = (HERE / "official_post.xml").read_text()
SEALED = re.search(r"<Encrypt><!\[CDATA\[(.*?)\]\]>", POST)[1]  # type: ignore[index]
SIGNED = "477715d11cdb4164915debcba66cb864d751f3e6"
seal = Seal(TOKEN, KEY, CORP)


# --- the published vectors --------------------------------------------------------------------------------------------


def test_the_address_is_verified() -> None:
    signature = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert seal.open(signature, "1409659589", "263014780", ECHO) == b"1616140317555161061"


def test_the_sample_message_opens() -> None:
    wanted = (HERE / "official_plain.xml").read_bytes()
    assert seal.open(SIGNED, "1409659813", "1372623149", SEALED) == wanted
    node = plainxml.read(wanted)
    assert (node.get("FromUserName"), node.get("Content"), node.get("MsgId")) == (
        "mycreate",
        "hello",
        "4561255354251345929",
    )


@pytest.mark.parametrize(
    ("message", "random", "sealed", "stamp", "nonce"),
    [
        (b"1616140317555161061", b"c41b64491c2468d0", ECHO, "1409659589", "263014780"),
        ((HERE / "official_plain.xml").read_bytes(), b"0960688932c47ef1", SEALED, "1409659813", "1372623149"),
    ],
)
def test_with_their_random_our_ciphertext_is_theirs(
    message: bytes, random: bytes, sealed: str, stamp: str, nonce: str
) -> None:
    made, signed = seal.close(message, stamp, nonce, random)
    assert made == sealed
    assert seal.open(signed, stamp, nonce, made) == message


def test_the_bots_own_callbacks_have_no_receiver() -> None:
    bot = Seal(TOKEN, KEY, "")
    message = (HERE / "bot_message.json").read_bytes()
    sealed = (HERE / "bot_message.sealed").read_text()
    signed = "8b10233bb038298b6170058cc0a1af9173afbe12"
    assert bot.open(signed, "1700000000", "nonce123", sealed) == message
    assert bot.close(message, "1700000000", "nonce123", b"0123456789abcdef") == (sealed, signed)


def test_a_file_opens_with_its_own_key() -> None:
    content = base64.b64decode("OndPWicVVi6oPKe/3nvr/KwXVAazRtY+grA+oPd2AeM=")
    for key in ("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2A=", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2A"):
        assert crypto.media(key, content) == b"hello wecom media\n"


# --- what is not theirs -----------------------------------------------------------------------------------------------


def flipped(text: str) -> list[str]:
    """The text with one character changed, everywhere."""
    return [text[:n] + ("0" if c != "0" else "1") + text[n + 1 :] for n, c in enumerate(text)]


@pytest.mark.parametrize("field", range(4))
def test_any_one_field_changed_is_refused(field: int) -> None:
    fields = [SIGNED, "1409659813", "1372623149", SEALED]
    for changed in flipped(fields[field]):
        with pytest.raises(Forged) as refusal:
            seal.open(*(changed if n == field else text for n, text in enumerate(fields)))
        assert str(refusal.value) == ""


def test_a_well_signed_message_for_another_corp_is_refused() -> None:
    sealed, signed = Seal(TOKEN, KEY, "wxffffffffffffffff").close(b"hello", "1", "2")
    with pytest.raises(Forged):
        seal.open(signed, "1", "2", sealed)


@pytest.mark.parametrize("sealed", ["", "AAAA", "A" * 43 + "=", "A" * 44, "不", "=" * 8, "A" * 4096])
def test_what_is_signed_but_is_no_message_is_refused(sealed: str) -> None:
    with pytest.raises(Forged):
        seal.open(crypto.signature(TOKEN, "1", "2", sealed), "1", "2", sealed)


@given(st.binary(max_size=200), st.binary(min_size=16, max_size=16), st.text(max_size=40))
def test_what_is_closed_opens(message: bytes, random: bytes, receiver: str) -> None:
    receiver = receiver.encode("utf-8", "replace").decode()
    mine = Seal(TOKEN, KEY, receiver)
    sealed, signed = mine.close(message, "9", "n", random)
    assert mine.open(signed, "9", "n", sealed) == message


@given(st.binary(max_size=300))
def test_padding_of_one_to_thirty_two_is_taken_off_and_no_other(content: bytes) -> None:
    try:
        opened = crypto.unpadded(content)
    except Forged:
        return
    pad = len(content) - len(opened)
    assert 1 <= pad <= 32 and content[-pad:] == bytes([pad]) * pad


@pytest.mark.parametrize("key", ["", "short", KEY + "AAAA", "!" * 43])
def test_a_key_that_is_none_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError) as refusal:
        Seal(TOKEN, key, CORP)
    assert key not in str(refusal.value) or not key


def test_secrets_are_in_no_repr() -> None:
    assert KEY not in repr(seal) and TOKEN not in repr(seal)


# --- XML --------------------------------------------------------------------------------------------------------------

LAUGHS = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><xml><A>&b;</A></xml>'
BLOW_UP = (
    b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 30000 + b'">]><xml><A>' + b"&a;" * 1000 + b"</A></xml>"
)  # 33 KB -> 30 MB
BAD = [
    LAUGHS,
    BLOW_UP,
    b'<!DOCTYPE x SYSTEM "http://127.0.0.1/x.dtd"><xml/>',
    b'<!doctype x [<!entity e SYSTEM "file:///etc/passwd">]><xml>&e;</xml>',
    LAUGHS.decode().encode("utf-16"),
    b"<xml>&unknown;</xml>",
    b"<xml><A></xml>",
    b"",
    b"not xml",
    b"<a>" * 40 + b"</a>" * 40,
    b"<xml>" + b"<a/>" * 5000 + b"</xml>",
    b"\xff\xfe<xml/>",
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_no_document_type_no_entity_no_depth(body: bytes) -> None:
    with pytest.raises(plainxml.Unreadable):
        plainxml.read(body)


def test_what_is_quoted_cannot_leave_its_quotes() -> None:
    said = "a]]><Evil>1</Evil><![CDATA[&amp;"
    node = plainxml.read(f"<xml><A>{plainxml.cdata(said)}</A></xml>".encode())
    assert node.get("A") == said
    assert node.find("Evil") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for given_body in (body, b"<xml><A>" + body + b"</A></xml>"):
        try:
            plainxml.read(given_body)
        except plainxml.Unreadable:
            continue

"""What comes to the application's door from whoever found its address: refused without a word, with memory flat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tests.channels.test_wecom_app import served
from tests.channels.wecom_office import Office
from tests.fakes.wecom import FakeWecom

MOST_GROWTH = 8.0  # MB, in any moment of an attack
TIMES = 25  # what leaks a little each time shows
XXE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><xml><MsgType>&e;</MsgType></xml>'
LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]><xml><MsgType>&a9;</MsgType></xml>"
)
QUADRATIC = b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 20_000 + b'">]><xml><Content>' + b"&a;" * 8_000 + b"</Content></xml>"
DEEP = b"<xml>" + b"<a>" * 15_000 + b"</a>" * 15_000 + b"</xml>"


@pytest.fixture
def fake() -> Iterator[FakeWecom]:
    with FakeWecom() as fake:
        yield fake


class Memory:
    """Of this process, in MB: the most it had at any moment since it was last asked, above what it has had before."""

    def __init__(self) -> None:
        self.before = self._of("VmRSS:")
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the highest mark begins anew

    def growth(self) -> float:
        return self._of("VmHWM:") - self.before

    def _of(self, name: str) -> float:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def signed(fake: FakeWecom, inside: bytes, corp: str = "") -> tuple[str, bytes]:
    """As if the attacker had the platform's key: what is inside must be read as carefully as the envelope."""
    app = fake.http.app
    sealed, stamp = app.encrypt(inside, corp or fake.corp_id), str(int(fake.clock.now()))
    query = urlencode({"msg_signature": app.sign(stamp, "n", sealed), "timestamp": stamp, "nonce": "n"})
    return query, f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()


@pytest.mark.parametrize("inside", [XXE, LAUGHS, QUADRATIC, DEEP], ids=["xxe", "laughs", "quadratic", "deep"])
async def test_what_would_grow_is_refused_outside_and_inside(fake: FakeWecom, inside: bytes) -> None:
    office = Office()
    async with served(fake, office), httpx.AsyncClient(trust_env=False) as client:
        url, (query, sealed) = fake.http.app.callback_url, signed(fake, inside)
        await client.post(f"{url}?{query}", content=b"<xml/>")  # what is loaded on first use is loaded
        memory = Memory()
        for _each in range(TIMES):
            for body in (inside, sealed):
                answer = await client.post(f"{url}?{query}", content=body)
                assert answer.status_code in (403, 413) and answer.content == b""
        assert memory.growth() < MOST_GROWTH
    assert office.heard == []


async def test_a_hundred_megabytes_are_not_taken_in(fake: FakeWecom) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1600):
            yield piece

    piece, office = b"x" * 65536, Office()
    async with served(fake, office), httpx.AsyncClient(trust_env=False) as client:
        query, _body = signed(fake, b"<xml/>")
        memory = Memory()
        for _each in range(3):
            try:
                answer = await client.post(f"{fake.http.app.callback_url}?{query}", content=endless())
                assert (answer.status_code, answer.content) == (413, b"")
            except httpx.TransportError:
                pass  # hung up on: as good
        assert memory.growth() < MOST_GROWTH
    assert office.heard == []


async def test_mail_for_another_corp_is_refused(fake: FakeWecom) -> None:
    office = Office()
    xml = fake.http.app.xml("wang", {"MsgType": "text", "Content": "收到", "MsgId": "5"})
    async with served(fake, office), httpx.AsyncClient(trust_env=False) as client:
        inside = xml.replace(fake.corp_id, "wwffffffffffffffff")
        for query, body in (signed(fake, xml.encode(), "wwffffffffffffffff"), signed(fake, inside.encode())):
            answer = await client.post(f"{fake.http.app.callback_url}?{query}", content=body)
            assert (answer.status_code, answer.content) == (403, b"")
    assert office.heard == []


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=10)], ids=str)
async def test_a_genuine_mail_again_much_later_is_refused(fake: FakeWecom, later: timedelta) -> None:
    """Even by a process that never saw the first, and whose inbox has forgotten it."""
    fake.user("wang")
    app = fake.http.app
    query, body = app.sealed(app.xml("wang", {"MsgType": "text", "Content": "收到", "MsgId": "6"}))
    office, restarted = Office(), Office()
    async with served(fake, office), httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{app.callback_url}?{query}", content=body)).status_code == 200
    async with (
        served(fake, restarted, now=lambda: datetime.now(UTC) + later),
        httpx.AsyncClient(trust_env=False) as client,
    ):
        memory = Memory()
        answers = await asyncio.gather(
            *(client.post(f"{app.callback_url}?{query}", content=body) for _each in range(TIMES))
        )
        assert {(answer.status_code, answer.content) for answer in answers} == {(403, b"")}
        assert memory.growth() < MOST_GROWTH
    assert office.texts == ["收到"] and restarted.heard == []

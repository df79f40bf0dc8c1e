"""A self-built application, where the school has one: a second door to each person, and names for userids.

developer.work.weixin.qq.com/document/path/90236 and 94888. Its cards can be changed once without a click, by the code
that came back when they were sent, within 72 hours; so that code is kept.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

import structlog

from bot.channels.wecom import prose, render
from bot.channels.wecom.api import OFFICIAL, Api
from bot.channels.wecom.callback import Callback
from bot.channels.wecom.client import Trouble
from bot.channels.wecom.contacts import Departments, Member
from bot.channels.wecom.pace import Pace
from bot.channels.wecom.task import Task
from bot.engine.port import Document, Progress, Window
from bot.kit.card import Card
from bot.kit.event import Place

if TYPE_CHECKING:
    from bot.channels.wecom.clicks import Clicks
    from bot.channels.wecom.hearing import Hearing
    from bot.channels.wecom.routes import Routes

log = structlog.get_logger()

MOST_TEXT = 2048  # bytes; what is longer is cut without a word
PER_MEMBER = (Window(15, 60.0), Window(480, 3600.0))
"""Half of what the platform lets through: it drops what is more without a word, and a restart counts anew."""
NOBODY = 81013
AUTHORIZE = "https://open.weixin.qq.com/connect/oauth2/authorize"
Json = dict[str, Any]


async def _silently(done: int, total: int) -> None:
    return


class Codes(Protocol):
    """Where the codes of sent cards outlive a restart: short texts by short keys, for three days."""

    async def keep(self, key: str, code: str) -> None: ...

    async def take(self, key: str) -> str | None:
        """The code, once."""
        ...


class ForgetfulCodes:
    """As long as the process lives."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    async def keep(self, key: str, code: str) -> None:
        self._known[key] = code
        while len(self._known) > 20000:
            self._known.popitem(last=False)

    async def take(self, key: str) -> str | None:
        return self._known.pop(key, None)


class Application:
    """``token`` and ``aes_key`` are those of its 接收消息服务器; without them it sends and hears nothing."""

    def __init__(
        self,
        corp_id: str,
        corp_secret: str,
        agent_id: int,
        *,
        token: str = "",
        aes_key: str = "",
        base: str = OFFICIAL,
        codes: Codes | None = None,
        per_member: Sequence[Window] = PER_MEMBER,
    ) -> None:
        self.api = Api(corp_id, corp_secret, base)
        self.agent_id = agent_id
        self.codes = codes or ForgetfulCodes()
        self.door = Callback(corp_id, agent_id, token, aes_key) if token and aes_key else None
        self._pace = Pace(per_member)
        self._media: OrderedDict[int, tuple[str, float]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Application {self.agent_id} of {self.api.corp_id}>"

    def attach(self, hearing: Hearing, clicks: Clicks, routes: Routes) -> None:
        """The channel's ears, and its answers to clicks."""
        if self.door is not None:
            self.door.attach(hearing, clicks, routes)

    # --- sending ----------------------------------------------------------------------------------------------

    async def post(self, place: Place, payload: Json) -> None:
        """A message body of the bot, to the person of a private talk."""
        if "document" in payload:
            media = await self._brought(payload["document"])
            with self._pace.taken(place.id):
                await self._told(place.id, {"msgtype": "file", "file": {"media_id": media}})
            return
        if payload["msgtype"] == "template_card":
            return await self._card(place.id, payload["template_card"])
        parts = prose.parts(payload["markdown"]["content"].replace("**", ""), MOST_TEXT)
        with self._pace.taken(place.id, len(parts)):
            for part in parts:
                await self._told(place.id, {"msgtype": "text", "text": {"content": part}})

    async def _card(self, userid: str, card: Json) -> None:
        with self._pace.taken(userid):
            told = await self._told(userid, {"msgtype": "template_card", "template_card": card})
        code = told.get("response_code")
        if isinstance(code, str) and code:
            await self._keep(Task.unpack(card["task_id"]), f"{card['card_type']}|{code}")

    async def _keep(self, task: Task, code: str) -> None:
        try:
            await self.codes.keep(f"{task.ref}-{task.part}", code)
        except Exception as error:  # the card is there: without its code its last state is a message of its own
            log.warning("wecom.code_not_kept", error=type(error).__name__)

    async def _told(self, userid: str, body: Json) -> Json:
        """Without an answer it is sent again, byte for byte the same: the platform then delivers it once."""
        interval = random.randint(1200, 1800)  # noqa: S311 so that the same words said twice are two messages
        whole = {"touser": userid, "agentid": self.agent_id, **body, "enable_duplicate_check": 1}
        whole["duplicate_check_interval"] = interval
        try:
            told = await self.api.post("/cgi-bin/message/send", whole)
        except Trouble as trouble:
            if trouble.errcode != 0 or not trouble.written:
                raise
            told = await self.api.post("/cgi-bin/message/send", whole)
        missed = f"{told.get('invaliduser') or ''}|{told.get('unlicenseduser') or ''}".lower().split("|")
        if userid.lower() in missed:
            raise Trouble(NOBODY, "not in the visible range, or without a licence")
        return told

    async def _brought(self, document: Document) -> str:
        mark = hash((document.name, document.content))
        known = self._media.get(mark)
        if known is None or time.monotonic() - known[1] > 48 * 3600:
            told = await self.api.bring(document.name, document.content)
            known = self._media[mark] = (str(told.get("media_id", "")), time.monotonic())
        return known[0]

    # --- afterwards -------------------------------------------------------------------------------------------

    async def settle(self, place: Place, ref: str, card: Card) -> None:
        """Shows the last state on the card itself, where its code is still good; else it waits for a click."""
        for part in range(render.MOST_CARDS):
            kept = await self.codes.take(f"{ref}-{part}")
            if kept is None:
                break
            kind, _bar, code = kept.partition("|")
            await self._update(place.id, code, render.template(card, Task(ref, part, card.key), kind))

    async def _update(self, userid: str, code: str, face: Json) -> None:
        card = {key: value for key, value in face.items() if key != "task_id"}
        body = {"userids": [userid], "agentid": self.agent_id, "response_code": code, "template_card": card}
        try:
            await self.api.post("/cgi-bin/message/update_template_card", body)
        except Trouble as trouble:
            log.info("wecom.not_settled", errcode=trouble.errcode)

    async def recall(self, msgid: str) -> None:
        """Takes a message back, within 24 hours of its sending."""
        await self.api.post("/cgi-bin/message/recall", {"msgid": msgid})

    # --- people -----------------------------------------------------------------------------------------------

    async def members(self, progress: Progress = _silently) -> list[Member]:
        """Everybody in the application's visible range; one call for each department."""
        tree = Departments((await self.api.get("/cgi-bin/department/list")).get("department", []))
        found: dict[str, Member] = {}
        for done, number in enumerate(tree.numbers):
            await progress(done, len(tree.numbers))
            rows = (await self.api.get("/cgi-bin/user/simplelist", department_id=number)).get("userlist", [])
            for row in rows:
                userid = str(row["userid"]).lower()
                found.setdefault(
                    userid, Member(userid, str(row.get("name", "")), tree.names(row.get("department", [])))
                )
        return list(found.values())

    def sign_in_address(self, back: str, state: str) -> str:
        """Where somebody in the workbench goes to come back to ``back`` with a code that says who they are."""
        query = {"appid": self.api.corp_id, "redirect_uri": back, "response_type": "code", "scope": "snsapi_base",
                 "state": state, "agentid": self.agent_id}  # fmt: skip
        return f"{AUTHORIZE}?{urlencode(query)}#wechat_redirect"

    async def who_came(self, code: str) -> str | None:
        """The account behind the code; ``None`` for a stranger, or a code that was used or is old."""
        try:
            told = await self.api.get("/cgi-bin/auth/getuserinfo", code=code[:512])
        except Trouble as trouble:
            if trouble.errcode in (40029, 42003):
                return None
            raise
        userid = told.get("userid")
        return userid.lower() if isinstance(userid, str) and userid else None

    async def close(self) -> None:
        await self.api.close()

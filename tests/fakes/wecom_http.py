"""The HTTP face of the fake: the self-built application's API and the group webhooks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.wecom_app import App
from tests.fakes.wecom_cards import Check
from tests.fakes.wecom_faults import Fault, Faults
from tests.fakes.wecom_world import Call, Json, Refused

if TYPE_CHECKING:
    from tests.fakes.wecom import FakeWecom

HINT = "hint: [1714538355214402498975046], from ip: 127.0.0.1, more info at https://open.work.weixin.qq.com/devtool/query?e="


class Http:
    """Routes under /cgi-bin."""

    def __init__(self, world: FakeWecom, faults: Faults) -> None:
        self.world, self.faults = world, faults
        self.app = App(world)
        self.webhook_times: dict[str, list[float]] = {}
        self.webhook_media: dict[str, tuple[str, str, bytes]] = {}
        self.latency = 0.0

    def routes(self) -> list[tuple[str, str, Any]]:
        return [
            ("GET", "/cgi-bin/gettoken", self._plain(self.app.gettoken)),
            ("POST", "/cgi-bin/message/send", self._authed(self.app.send)),
            ("POST", "/cgi-bin/message/update_template_card", self._authed(self.app.update)),
            ("POST", "/cgi-bin/message/recall", self._authed(self.app.recall)),
            ("POST", "/cgi-bin/media/upload", self._authed(self.app.upload)),
            ("GET", "/cgi-bin/media/get", self._media),
            ("GET", "/cgi-bin/getcallbackip", self._authed(lambda q, b: {"ip_list": ["101.226.103.*"]})),
            ("GET", "/cgi-bin/agent/get", self._authed(self.app.agent)),
            ("GET", "/cgi-bin/department/list", self._authed(self.app.departments)),
            ("GET", "/cgi-bin/user/list", self._authed(self.app.users)),
            ("GET", "/cgi-bin/user/simplelist", self._authed(self.app.users)),
            ("GET", "/cgi-bin/user/get", self._authed(self.app.one_user)),
            ("GET", "/cgi-bin/auth/getuserinfo", self._authed(self.app.who_came)),
            ("POST", "/cgi-bin/webhook/send", self._plain(self.webhook)),
            ("POST", "/cgi-bin/webhook/upload_media", self._plain(self.webhook_upload)),
        ]

    Handler = Callable[[Json, Json], Json | None]

    def _authed(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        def checked(query: Json, body: Json) -> Json | None:
            self.app.check_token(query.get("access_token"))
            return handler(query, body)

        return self._plain(checked)

    def _plain(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            name = "/".join(request.path.split("/")[-2:])
            body = await self._body(request)
            fault = self.faults.next(name, None)
            answer: Json
            if fault is not None and not fault.takes_effect:
                answer = {"errcode": fault.errcode, "errmsg": fault.errmsg}
            else:
                answer = self._run(handler, dict(request.query), body)
            with self.world.changed:
                self.world.calls.append(Call(name, body, self.world.clock.now(), answer["errcode"], answer["errmsg"]))
                self.world.touch()
            return await self._out(request, answer, fault)

        return handle

    async def _out(self, request: web.Request, answer: Json, fault: Fault | None) -> web.Response:
        import asyncio

        pause = self.latency + (fault.delay if fault else 0.0)
        if pause:
            await asyncio.sleep(pause)
        if fault is not None and (fault.lose or fault.close) and request.transport is not None:
            request.transport.abort()
        return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="application/json",
                            status=fault.status if fault and fault.status else 200)  # fmt: skip

    async def _body(self, request: web.Request) -> Json:
        if request.method != "POST":
            return {}
        if request.content_type.startswith("multipart/"):
            form = await request.post()
            part: Any = form["media"]
            return {"name": part.filename, "data": part.file.read()}
        return json.loads(await request.read())  # type: ignore[no-any-return]

    def _run(self, handler: Handler, query: Json, body: Json) -> Json:
        with self.world.changed:
            try:
                return {"errcode": 0, "errmsg": "ok", **(handler(query, body) or {})}
            except Refused as refused:
                return {"errcode": refused.errcode, "errmsg": f"{refused.errmsg}, {HINT}{refused.errcode}"}

    async def _media(self, request: web.Request) -> web.Response:
        stored = self.app.files.get(request.query.get("media_id", ""))
        if stored is None:
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        return web.Response(body=stored[2], headers={"Content-Disposition": f'attachment; filename="{stored[1]}"'})

    # --- group webhooks ---------------------------------------------------------------------------------------

    def webhook(self, query: Json, body: Json) -> None:
        key = query.get("key", "")
        group = next((g for g in self.world.groups.values() if g.webhook_key == key and key), None)
        if group is None:
            raise Refused(93000, "invalid webhook url")
        now = self.world.clock.now()
        times = self.webhook_times[key] = [at for at in self.webhook_times.get(key, []) if now - at < 60]
        if len(times) >= 20:
            raise Refused(45009, "api freq out of limit")
        kind = body.get("msgtype")
        inner = body.get(str(kind)) or {}
        most = {"text": 2048, "markdown": 4096, "markdown_v2": 4096}.get(str(kind))
        if kind == "template_card":
            Check(inner, "webhook", self.world.folded.append).run()
            self.world.say(group.id, "template_card", card=inner, via="webhook")
        elif kind == "file":
            known = self.webhook_media.get(inner.get("media_id", ""))
            if known is None or known[0] != key:
                raise Refused(40007, "invalid media_id")
            self.world.say(group.id, "file", text=known[1], file=known[1:], via="webhook")
        elif most is not None:
            content = inner.get("content")
            if not isinstance(content, str) or not content.strip():
                raise Refused(44004, "empty content")
            if len(content.encode()) > most:
                raise Refused(40058, f"{kind}.content exceed max length {most}. invalid Request Parameter")
            mentioned = list(inner.get("mentioned_list") or [])
            self.world.say(group.id, str(kind), text=content, via="webhook", mentioned=mentioned)
        else:
            raise Refused(40008, "invalid message type")
        times.append(now)

    def webhook_upload(self, query: Json, body: Json) -> Json:
        if len(body["data"]) <= 5 or len(body["data"]) > 20 << 20:
            raise Refused(40006, "invalid media size")
        media = f"whm{len(self.webhook_media) + 1}"
        self.webhook_media[media] = (query.get("key", ""), body["name"], body["data"])
        return {"type": "file", "media_id": media, "created_at": "1380000000"}

"""The commands of the long connection, each with its conditions (reference, 7.5-7.7 and 11)."""

from __future__ import annotations

import base64
import binascii
import copy
import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.wecom_cards import INTERACTIVE, Check
from tests.fakes.wecom_world import Json, Message, Refused, Req, World

MOST_MARKDOWN = 20480
OPEN = {"msg": 86400.0, "card": 5.0, "enter": 5.0}
STREAM_LIVES = 360.0
CHUNK, CHUNKS = 512 * 1024, 100


@dataclass
class Stream:
    message: Message
    begun: float
    finished: bool = False


@dataclass
class Upload:
    type: str
    name: str
    size: int
    total: int
    md5: str
    at: float
    chunks: dict[int, bytes] = field(default_factory=dict)


class Bot:
    """What the server does with a command of a subscribed connection. Raises ``Refused``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.streams: dict[str, Stream] = {}
        self.uploads: dict[str, Upload] = {}
        self.media: dict[str, tuple[str, str, bytes]] = {}
        self.upload_times: list[float] = []

    def execute(self, cmd: str, req_id: str, body: Json) -> Json | None:
        do = {
            "aibot_respond_msg": self._respond,
            "aibot_respond_welcome_msg": self._welcome,
            "aibot_respond_update_msg": self._update,
            "aibot_send_msg": self._send,
            "aibot_upload_media_init": self._upload_init,
            "aibot_upload_media_chunk": self._upload_chunk,
            "aibot_upload_media_finish": self._upload_finish,
        }.get(cmd)
        if do is None:
            raise Refused(40008, "invalid message type")
        return do(req_id, body)

    # --- what opens by a callback -----------------------------------------------------------------------------

    def _req(self, req_id: str, kind: str) -> Req:
        req = self.world.reqs.get(req_id)
        if req is None or req.kind != kind or req.used or self.world.clock.now() - req.at > OPEN[kind]:
            raise Refused(846605, "invalid req_id")
        return req

    def _respond(self, req_id: str, body: Json) -> None:
        req = self._req(req_id, "msg")
        if body.get("msgtype") == "stream":
            return self._stream(req, body.get("stream") or {})
        self._say(req.talk, body, quotes=req_id)

    def _welcome(self, req_id: str, body: Json) -> None:
        req = self._req(req_id, "enter")
        if body.get("msgtype") == "text":
            text = (body.get("text") or {}).get("content")
            if not isinstance(text, str) or not text:
                raise Refused(44004, "empty content")
            self._spend(req.talk)
            self.world.say(req.talk, "text", text=text, quotes=req_id)
        elif body.get("msgtype") == "template_card":
            self._say(req.talk, body, quotes=req_id)
        else:
            raise Refused(40008, "invalid message type")
        req.used = True

    def _update(self, req_id: str, body: Json) -> None:
        req = self._req(req_id, "card")
        card = body.get("template_card")
        if body.get("response_type") != "update_template_card" or not isinstance(card, dict):
            raise Refused(40058, "invalid response_type")
        if card.get("task_id") != req.task_id:
            raise Refused(42014, "Template_Card.TaskId invalid")
        message = self.world.task_ids[req.task_id]
        Check(card, "bot", self.world.folded.append, update=True).run()
        if not self.world.updates_may_change_type and card["card_type"] != (message.card or {})["card_type"]:
            raise Refused(42031, "Template_Card.CardType may not change")
        if self.world.updates_count:
            self._spend(req.talk)
        req.used = True
        for who in body.get("userids") or self.world.viewers(message.talk):
            message.views.pop(who, None)  # the last to be updated stands last
            message.views[who] = copy.deepcopy(card)
        message.updates += 1
        if req.press is not None:
            req.press.answered_with(message.card_for(req.who) or {})
        self.world.diary.note("updated", chat=message.talk, message=message.id, by=req.who, press=req_id,
                              text=message.text_for(req.who), task_id=req.task_id)  # fmt: skip
        self.world.touch()

    def _stream(self, req: Req, stream: Json) -> None:
        number, content = stream.get("id"), stream.get("content", "")
        if not isinstance(number, str) or not number or not isinstance(content, str):
            raise Refused(40058, "invalid stream")
        if len(content.encode()) > MOST_MARKDOWN:
            raise Refused(40058, "stream.content exceed max length 20480")
        known = self.streams.get(number)
        now = self.world.clock.now()
        if known is None:
            self._spend(req.talk)
            known = self.streams[number] = Stream(self.world.say(req.talk, "stream", quotes=req.id), now)
        if known.finished or now - known.begun > STREAM_LIVES:
            raise Refused(846608, "stream message update expired (>10 minutes), cannot update")
        known.message.text = content
        known.finished = bool(stream.get("finish"))

    # --- what needs no callback -------------------------------------------------------------------------------

    def _send(self, req_id: str, body: Json) -> None:
        chatid = body.get("chatid")
        if not isinstance(chatid, str) or not self._is_known(chatid):
            raise Refused(93006, "invalid chatid")
        kind = 2 if chatid in self.world.groups else 1
        if body.get("chat_type", 0) not in (0, kind):
            raise Refused(93006, "invalid chatid for this chat_type")
        if self.world.talk(chatid).activated_at is None:
            raise Refused(self.world.cold_code, "the conversation never wrote to the bot")
        if chatid in self.world.groups and not self.world.groups[chatid].has_bot:
            raise Refused(93006, "invalid chatid")
        self._say(chatid, {key: value for key, value in body.items() if key not in ("chatid", "chat_type")})

    def _is_known(self, chatid: str) -> bool:
        return chatid in self.world.groups or chatid in self.world.people

    def _say(self, talk: str, body: Json, quotes: str | None = None) -> None:
        kind = body.get("msgtype")
        extra = set(body) - {"msgtype", str(kind)}
        if extra:
            raise Refused(40058, f"unknown field {sorted(extra)}")
        if kind == "markdown":
            text = (body.get("markdown") or {}).get("content")
            if not isinstance(text, str) or not text.strip():
                raise Refused(44004, "empty content")
            if len(text.encode()) > MOST_MARKDOWN:
                raise Refused(40058, "markdown.content exceed max length 20480")
            self._spend(talk)
            self.world.say(talk, "markdown", text=text, quotes=quotes)
        elif kind == "template_card":
            self._card(talk, body.get("template_card"), quotes)
        elif kind in ("file", "image", "voice", "video"):
            known = self.media.get(str((body.get(kind) or {}).get("media_id")))
            if known is None or known[0] != kind:
                raise Refused(40007, "invalid media_id")
            self._spend(talk)
            self.world.say(talk, kind, text=known[1], file=known[1:], quotes=quotes)
        else:
            raise Refused(40008, "invalid message type")

    def _card(self, talk: str, card: Any, quotes: str | None) -> None:
        if not isinstance(card, dict):
            raise Refused(40058, "no template_card")
        Check(card, "bot", self.world.folded.append).run()
        task = card.get("task_id")
        if task is not None and task in self.world.task_ids:
            raise Refused(42014, "Template_Card.TaskId duplicate")
        self._spend(talk)
        message = self.world.say(talk, "template_card", card=copy.deepcopy(card), quotes=quotes)
        if card["card_type"] in INTERACTIVE or task:
            self.world.task_ids[str(task)] = message

    def _spend(self, talk: str) -> None:
        """30 a minute and 1000 an hour in one conversation, replies and pushes together."""
        times, now = self.world.talk(talk).sent, self.world.clock.now()
        times[:] = [at for at in times if now - at < 3600]
        if self.world.limited and (len(times) >= 1000 or sum(1 for at in times if now - at < 60) >= 30):
            raise Refused(846607, "aibot send msg frequency limit exceeded")
        times.append(now)

    # --- files ------------------------------------------------------------------------------------------------

    def _upload_init(self, req_id: str, body: Json) -> Json:
        now = self.world.clock.now()
        self.upload_times = [at for at in self.upload_times if now - at < 60]
        if len(self.upload_times) >= 30:
            raise Refused(45009, "upload frequency")
        total, size = body.get("total_chunks"), body.get("total_size")
        if not isinstance(total, int) or not 1 <= total <= CHUNKS or not isinstance(size, int) or size <= 5:
            raise Refused(40058, "invalid total")
        if body.get("type") not in ("file", "image", "voice", "video") or not body.get("filename"):
            raise Refused(40004, "invalid media type")
        if size > {"file": 20, "image": 10, "voice": 2, "video": 10}[body["type"]] << 20:
            raise Refused(40006, "invalid media size")
        self.upload_times.append(now)
        number = f"upload{len(self.uploads) + 1}"
        self.uploads[number] = Upload(body["type"], body["filename"], size, total, body.get("md5", ""), now)
        return {"upload_id": number}

    def _upload(self, body: Json) -> Upload:
        upload = self.uploads.get(str(body.get("upload_id")))
        if upload is None or self.world.clock.now() - upload.at > 1800:
            raise Refused(40058, "invalid upload_id")
        return upload

    def _upload_chunk(self, req_id: str, body: Json) -> None:
        upload = self._upload(body)
        try:
            data = base64.b64decode(body.get("base64_data", ""), validate=True)
        except (binascii.Error, TypeError):
            raise Refused(40058, "invalid base64") from None
        number = body.get("chunk_index")
        if not isinstance(number, int) or not 0 <= number <= upload.total or not 0 < len(data) <= CHUNK:
            raise Refused(40058, "invalid chunk")
        upload.chunks.setdefault(number, data)

    def _upload_finish(self, req_id: str, body: Json) -> Json:
        upload = self._upload(body)
        data = b"".join(upload.chunks[number] for number in sorted(upload.chunks))
        if len(upload.chunks) != upload.total or len(data) != upload.size:
            raise Refused(40058, "chunks missing")
        if upload.md5 and hashlib.md5(data).hexdigest() != upload.md5:
            raise Refused(40058, "md5 wrong")
        media = f"media{len(self.media) + 1}"
        self.media[media] = (upload.type, upload.name, data)
        return {"type": upload.type, "media_id": media, "created_at": str(int(self.world.clock.now()))}

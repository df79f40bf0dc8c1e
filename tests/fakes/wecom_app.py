"""The self-built application on the platform's side: tokens, sends, updates with their codes, contacts, callbacks."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
import struct
import threading
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.fakes.wecom_cards import INTERACTIVE, Check
from tests.fakes.wecom_people import Person, Press, click
from tests.fakes.wecom_world import Json, Message, Refused

if TYPE_CHECKING:
    from tests.fakes.wecom import FakeWecom

CORP_SECRET, AGENT = "app-secret-9876543210zyxwvu", 1000002
TOKEN, AES_KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
MSGID = re.compile(r"<MsgId><!\[CDATA\[(\d+)\]\]></MsgId>")
LIVES_CODE = 72 * 3600
Code = tuple[Message, float, str]  # of which message, since when, "" or the clicker


class App:
    def __init__(self, world: FakeWecom) -> None:
        self.world = world
        self.secret, self.agent_id = CORP_SECRET, AGENT
        self.token, self.aes_key = TOKEN, AES_KEY
        self.access: str | None = None
        self.access_until = 0.0
        self.tokens_given = 0
        self.codes: dict[str, Code] = {}
        self.task_ids: dict[str, Message] = {}
        self.sent: dict[str, tuple[float, Json]] = {}  # duplicate check
        self.per_member: dict[str, list[float]] = {}
        self.files: dict[str, tuple[str, str, bytes]] = {}
        self.oauth: dict[str, tuple[str, float]] = {}
        self.parties = {1: "红烛中学"}
        self.parents: dict[int, int] = {}  # of a department that is not right below the root
        self.callback_url = ""
        self.deliveries: list[tuple[int, float]] = []  # status (0: cut), seconds
        self.patience = 5.0

    # --- tokens -----------------------------------------------------------------------------------------------

    def gettoken(self, query: Json, body: Json) -> Json:
        if query.get("corpid") != self.world.corp_id:
            raise Refused(40013, "invalid corpid")
        if query.get("corpsecret") != self.secret:
            raise Refused(40001, "invalid credential")
        now = self.world.clock.now()
        if self.access is None or now >= self.access_until:
            self.access, self.access_until = f"tok{self.world.random.getrandbits(256):064x}", now + 7200
        self.tokens_given += 1
        return {"access_token": self.access, "expires_in": int(self.access_until - now)}

    def expire_now(self) -> None:
        """The platform takes the token back early."""
        with self.world.changed:
            self.access = None

    def check_token(self, token: Any) -> None:
        if not token:
            raise Refused(41001, "access_token missing")
        if token != self.access:
            raise Refused(42001 if self.access is None else 40014, "access_token expired")
        if self.world.clock.now() >= self.access_until:
            raise Refused(42001, "access_token expired")

    # --- sending ----------------------------------------------------------------------------------------------

    def send(self, query: Json, body: Json) -> Json:
        if body.get("agentid") != self.agent_id:
            raise Refused(301002, "not allow operate another agent")
        names = [name for name in str(body.get("touser", "")).split("|") if name]
        if not names:
            raise Refused(82001, "all touser & toparty & totag invalid")
        if len(names) > 1000:
            raise Refused(40032, "invalid user list size")
        known = {name.lower(): name for name, p in self.world.people.items() if p.in_range}
        invalid = [name.lower() for name in names if name.lower() not in known]
        if len(invalid) == len(names):
            raise Refused(81013, "user & party & tag all invalid")
        self._check(body)
        seen = json.dumps(body, sort_keys=True)
        interval = min(int(body.get("duplicate_check_interval", 1800)), 14400)
        if body.get("enable_duplicate_check") and seen in self.sent:
            at, answer = self.sent[seen]
            if self.world.clock.now() - at < interval:
                return answer
        answer = self._deliver([known[n.lower()] for n in names if n.lower() in known], body)
        told = {"invaliduser": "|".join(invalid), "invalidparty": "", "invalidtag": "", **answer}
        self.sent[seen] = (self.world.clock.now(), told)
        return told

    def _check(self, body: Json) -> None:
        kind = body.get("msgtype")
        inner = body.get(str(kind)) or {}
        if kind in ("text", "markdown"):
            if not inner.get("content"):
                raise Refused(44004, "empty content")
        elif kind == "template_card":
            Check(inner, "app", self.world.folded.append).run()
            if inner.get("card_type") in INTERACTIVE and not self.callback_url:
                raise Refused(43012, "no callback url")
            if inner.get("task_id") in self.task_ids:
                raise Refused(42014, "Template_Card.TaskId duplicate")
        elif kind == "file":
            if inner.get("media_id") not in self.files:
                raise Refused(40007, "invalid media_id")
        else:
            raise Refused(40008, "invalid message type")

    def _deliver(self, names: list[str], body: Json) -> Json:
        kind, now = body["msgtype"], self.world.clock.now()
        inner = body[kind]
        msgid, code = f"msg{self.world.random.getrandbits(128):032x}", f"rc{self.world.random.getrandbits(128):032x}"
        unlicensed, message = [], None
        for name in names:
            if self.world.people[name].unlicensed:
                unlicensed.append(name.lower())
                continue
            times = self.per_member[name] = [at for at in self.per_member.get(name, []) if now - at < 60]
            if self.world.limited and len(times) >= 30:
                self.world.dropped.append(body)
                continue
            times.append(now)
            message = self._say(name, kind, inner)
            message.msgid = msgid
        told: Json = {"msgid": msgid, "unlicenseduser": "|".join(unlicensed)}
        if message is not None and kind == "template_card" and inner["card_type"] in INTERACTIVE:
            self.codes[code] = (message, now, "")
            self.task_ids[inner["task_id"]] = message
            told["response_code"] = code
        return told

    def _say(self, name: str, kind: str, inner: Json) -> Message:
        if kind == "template_card":
            return self.world.say(name, kind, card=copy.deepcopy(inner), via="app")
        if kind == "file":
            stored = self.files[inner["media_id"]]
            return self.world.say(name, kind, text=stored[1], file=stored[1:], via="app")
        cut = inner["content"].encode()[:2048].decode("utf-8", "ignore")
        if cut != inner["content"]:
            self.world.dropped.append({"cut": inner["content"][len(cut) :]})
        return self.world.say(name, kind, text=cut, via="app")

    def update(self, query: Json, body: Json) -> Json:
        known = self.codes.get(str(body.get("response_code")))
        if known is None:
            raise Refused(40058, "invalid response_code")
        message, at, _ = known
        if at < 0 or self.world.clock.now() - at > LIVES_CODE:
            raise Refused(42022, "response_code already used or expired")
        self.codes[body["response_code"]] = (message, -1.0, "")
        names = body.get("userids") or self.world.viewers(message.talk)
        if "template_card" in body:
            Check(body["template_card"], "app", self.world.folded.append, update=True).run()
            self.shows(message, names, body["template_card"])
        else:
            old = message.card_for(message.talk) or {}
            self.shows(message, names, {**old, "replace_text": body["button"]["replace_name"]})
        return {"invaliduser": []}

    def shows(self, message: Message, names: list[str], card: Json) -> None:
        for name in names:
            message.views.pop(name, None)  # the last to be updated stands last
            message.views[name] = copy.deepcopy(card)
        message.updates += 1
        self.world.diary.note("updated", chat=message.talk, message=message.id, text=message.text_for(message.talk))
        self.world.touch()

    def recall(self, query: Json, body: Json) -> None:
        found = [m for m in self.world.messages if m.msgid and m.msgid == body.get("msgid")]
        if not found:
            raise Refused(40058, "invalid msgid")
        if self.world.clock.now() - found[0].at > 86400:
            raise Refused(42052, "msgid expired")
        for message in found:
            message.recalled = True

    def upload(self, query: Json, body: Json) -> Json:
        if not 5 < len(body["data"]) <= 20 << 20:
            raise Refused(40006, "invalid media size")
        media = f"app{len(self.files) + 1}"
        self.files[media] = (query.get("type", "file"), body["name"], body["data"])
        return {"type": "file", "media_id": media, "created_at": "1380000000"}

    # --- contacts ---------------------------------------------------------------------------------------------

    def agent(self, query: Json, body: Json) -> Json:
        if str(query.get("agentid")) != str(self.agent_id):
            raise Refused(301002, "not allow operate another agent")
        return {"agentid": self.agent_id, "name": "红烛", "close": 0}

    def departments(self, query: Json, body: Json) -> Json:
        return {
            "department": [
                {"id": n, "name": name, "parentid": 0 if n == 1 else self.parents.get(n, 1)}
                for n, name in self.parties.items()
            ]
        }

    def users(self, query: Json, body: Json) -> Json:
        number = int(query.get("department_id", 1))
        if number not in self.parties:
            raise Refused(60123, "invalid party id")
        rows = [
            {"userid": p.id, "name": p.name, "department": p.parties, "status": 1 if p.active else 5}
            for p in self.world.people.values()
            if p.in_range and number in p.parties
        ]
        return {"userlist": rows}

    def one_user(self, query: Json, body: Json) -> Json:
        person = self.world.people.get(str(query.get("userid")))
        if person is None:
            raise Refused(60111, "userid not found")
        return {"userid": person.id, "name": person.name, "department": [1], "status": 1}

    def sign_in(self, person: Person) -> str:
        """Somebody opens our page from the workbench; the code their browser brings."""
        code = f"code{self.world.random.getrandbits(64):016x}"
        self.oauth[code] = (person.id, self.world.clock.now())
        return code

    def who_came(self, query: Json, body: Json) -> Json:
        known = self.oauth.pop(str(query.get("code")), None)
        if known is None:
            raise Refused(40029, "invalid code")
        if self.world.clock.now() - known[1] > 300:
            raise Refused(42003, "code expired")
        return {"userid": known[0]}

    # --- callbacks --------------------------------------------------------------------------------------------

    def click(self, person: Person, message: Message, key: str, options: list[str]) -> Press:
        press = Press(self.world, person, message, key, options)
        facts, code = click(message, key, options), f"rc{self.world.random.getrandbits(128):032x}"
        self.codes[code] = (message, self.world.clock.now(), person.id)
        items = "".join(
            f"<SelectedItem><QuestionKey><![CDATA[{item['question_key']}]]></QuestionKey><OptionIds>"
            + "".join(f"<OptionId><![CDATA[{one}]]></OptionId>" for one in item["option_ids"]["option_id"])
            + "</OptionIds></SelectedItem>"
            for item in facts.get("selected_items", {}).get("selected_item", [])
        )
        fields = {
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": key,
            "TaskId": message.task_id,
            "CardType": facts["card_type"],
            "ResponseCode": code,
        }
        self.push(self.xml(person.id, fields, f"<SelectedItems>{items}</SelectedItems>" if items else ""), press)
        return press

    def says(self, person: Person, text: str, msgid: int | None = None) -> None:
        number = msgid or self.world.random.getrandbits(62)
        self.world.diary.note("said", chat=person.id, by=person.id, text=text, via="app", msgid=str(number))
        self.push(self.xml(person.id, {"MsgType": "text", "Content": text, "MsgId": str(number)}))

    def opens(self, person: Person) -> None:
        self.push(self.xml(person.id, {"MsgType": "event", "Event": "enter_agent", "EventKey": ""}))

    def xml(self, who: str, fields: Json, more: str = "") -> str:
        facts = {"ToUserName": self.world.corp_id, "FromUserName": who, "CreateTime": str(int(self.world.clock.now()))}
        facts |= fields | {"AgentID": str(self.agent_id)}
        return "<xml>" + "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in facts.items()) + more + "</xml>"

    def push(self, xml: str, press: Press | None = None) -> None:
        threading.Thread(target=self.deliver, args=(xml, press), daemon=True).start()

    def deliver(self, xml: str, press: Press | None = None) -> int:
        """Posts it, up to three times, each with five seconds of patience; the last status."""
        status = 0
        for _ in range(3):
            status, answer = self.post(xml)
            if status == 200:
                self.world.diary.note("confirmed", msgids=MSGID.findall(xml))
                self._passive(answer, press)
                break
        return status

    def post(self, xml: str, *, corp: str | None = None, ahead: float = 0.0) -> tuple[int, bytes]:
        query, body = self.sealed(xml, corp=corp, ahead=ahead)
        begun = time.monotonic()
        request = urllib.request.Request(
            f"{self.callback_url}?{query}", data=body, headers={"Content-Type": "text/xml"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.patience) as found:
                status, answer = found.status, found.read()
        except urllib.error.HTTPError as error:
            status, answer = error.code, error.read()
        except OSError:
            status, answer = 0, b""
        with self.world.changed:
            self.deliveries.append((status, time.monotonic() - begun))
            self.world.touch()
        return status, answer

    def sealed(self, xml: str, *, corp: str | None = None, ahead: float = 0.0) -> tuple[str, bytes]:
        """The query and the body of a callback."""
        secret = self.encrypt(xml.encode(), corp or self.world.corp_id)
        stamp, nonce = str(int(self.world.clock.now() + ahead)), str(self.world.random.getrandbits(32))
        query = urlencode({"msg_signature": self.sign(stamp, nonce, secret), "timestamp": stamp, "nonce": nonce})
        agent = f"<AgentID><![CDATA[{self.agent_id}]]></AgentID>"
        body = f"<xml><ToUserName><![CDATA[{self.world.corp_id}]]></ToUserName>{agent}"
        return query, f"{body}<Encrypt><![CDATA[{secret}]]></Encrypt></xml>".encode()

    def sign(self, *parts: str) -> str:
        return hashlib.sha1("".join(sorted([self.token, *parts])).encode()).hexdigest()

    def _key(self) -> bytes:
        return base64.b64decode(self.aes_key + "=")

    def encrypt(self, message: bytes, receiver: str) -> str:
        key = self._key()
        plain = self.world.random.randbytes(16) + struct.pack(">I", len(message)) + message + receiver.encode()
        pad = 32 - len(plain) % 32
        box: Any = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        return base64.b64encode(box.update(plain + bytes([pad]) * pad) + box.finalize()).decode()

    def _passive(self, answer: bytes, press: Press | None) -> None:
        if not answer or press is None or answer == b"success":
            return
        from xml.etree import ElementTree

        envelope = ElementTree.fromstring(answer)  # noqa: S314
        secret = envelope.findtext("Encrypt") or ""
        stamp, nonce = envelope.findtext("TimeStamp") or "", envelope.findtext("Nonce") or ""
        assert self.sign(stamp, nonce, secret) == envelope.findtext("MsgSignature"), "the answer's signature is wrong"
        key = self._key()
        box: Any = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = box.update(base64.b64decode(secret)) + box.finalize()
        length = struct.unpack(">I", plain[16:20])[0]
        inner = ElementTree.fromstring(plain[20 : 20 + length])  # noqa: S314
        card = inner.find("TemplateCard")
        with self.world.changed:
            if card is not None:
                self.shows(press.message, [press.person.id], read_card(card))
                press.answered_with(press.message.card_for(press.person.id) or {})
            self.world.touch()


def read_card(element: Any) -> Json:
    """The XML spelling of a card -> the JSON one."""
    title = element.find("MainTitle")
    card: Json = {
        "card_type": element.findtext("CardType"),
        "sub_title_text": element.findtext("SubTitleText") or "",
        "main_title": {"title": title.findtext("Title") or "", "desc": title.findtext("Desc") or ""},
    }
    card["horizontal_content_list"] = [
        {"keyname": row.findtext("KeyName"), "value": row.findtext("Value")}
        for row in element.findall("HorizontalContentList")
    ]
    if element.findall("ButtonList"):
        card["button_list"] = [
            {"text": b.findtext("Text"), "key": b.findtext("Key")} for b in element.findall("ButtonList")
        ]
    box = element.find("CheckBox")
    if box is not None:
        options = [{"id": o.findtext("Id"), "text": o.findtext("Text")} for o in box.findall("OptionList")]
        card["checkbox"] = {
            "question_key": box.findtext("QuestionKey"),
            "option_list": options,
            "disable": box.findtext("Disable") == "true",
        }
        card["submit_button"] = {
            "text": element.findtext("SubmitButton/Text"),
            "key": element.findtext("SubmitButton/Key"),
        }
    if element.findtext("ReplaceText"):
        card["replace_text"] = element.findtext("ReplaceText")
    return card

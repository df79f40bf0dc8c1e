"""Presses as Telegram's webhook brings them: about 1.1 kB of JSON each, every one with a number of its own."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

TEXT = (
    "明星教师评选（2026 年 11 月）\n请从候选人里选一位。投票是秘密的，截止以前可以改。\n截止：12月2日 周三 17:00\n"
    "候选人：王老师（语文组）、张老师（数学组）、周建国（教务处）、吴秀兰（德育处）、陈静怡（语文组）"
)
DATE = 1_795_000_000


class Presses:
    """An endless row of presses: somebody of ``voters`` presses one of ``tokens``, from ``number`` on.

    ``chat`` is the group the card stands in; without one everybody presses in the private talk.
    """

    def __init__(
        self, *, voters: Sequence[int], tokens: Sequence[str], number: int, chat: int | None = None, message: int = 77
    ) -> None:
        self.number = number
        self._dice = random.Random(number)
        self._voters = voters
        self._tokens = [token.encode() for token in tokens]
        self._template = _template(tokens, chat, message)

    def __next__(self) -> bytes:
        self.number += 1
        who = self._dice.choice(self._voters)
        facts = {b"update": self.number, b"who": who, b"token": self._dice.choice(self._tokens)}
        return self._template % facts


def _template(tokens: Sequence[str], chat: int | None, message: int) -> bytes:
    keyboard = [[{"text": f"选项 {n}", "callback_data": token}] for n, token in enumerate(tokens, 1)][:5]
    room: dict[str, Any] = {"id": chat, "type": "supergroup", "title": "全体教职工群"}
    place = room if chat is not None else {"id": "WHO", "type": "private", "first_name": "老师"}
    bot = {"id": 7000000001, "is_bot": True, "first_name": "红烛", "username": "hongzhu_bot"}
    body = {
        "update_id": "UPDATE",
        "callback_query": {
            "id": "Q-UPDATE-",
            "from": {"id": "WHO", "is_bot": False, "first_name": "老师", "language_code": "zh-hans"},
            "message": {
                "message_id": message, "from": bot, "chat": place, "date": DATE, "text": TEXT,
                "entities": [{"type": "bold", "offset": 0, "length": 18}],
                "reply_markup": {"inline_keyboard": keyboard},
            },
            "chat_instance": "-3900000000000000001",
            "data": "TOKEN",
        },
    }  # fmt: skip
    text = json.dumps(body, ensure_ascii=False).replace("%", "%%")
    for name in ("UPDATE", "WHO"):
        text = text.replace(f'"{name}"', f"%({name.lower()})d")
    return text.replace("-UPDATE-", "-%(update)d").replace('"TOKEN"', '"%(token)s"').encode()

"""Checking what a message carries: text, caption, keyboard."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.telegram_markup import BadText
from tests.fakes.telegram_params import Params, bad
from tests.fakes.telegram_text import formatted, units
from tests.fakes.telegram_world import Json, World


class Content:
    """Every function raises Refused."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _formatted(self, p: Params, text: str, entities: str) -> tuple[str, list[Json]]:
        given = p.json(entities, "can't parse entities JSON object")
        try:
            text, found = formatted(text, p.text("parse_mode"), given)
        except BadText as problem:
            raise bad(str(problem)) from None
        return text, [e for e in (self._known_user(e) for e in found) if e is not None]

    def _known_user(self, entity: Json) -> Json | None:
        if entity["type"] != "text_mention":
            return entity
        user = entity.get("user")
        number = int(user["id"] if isinstance(user, dict) else user or 0)
        return entity | {"user": self._world.people[number].as_dict()} if number in self._world.people else None

    def text(self, p: Params) -> tuple[str, list[Json]]:
        if not p.text("text"):
            raise bad("message text is empty")
        text, entities = self._formatted(p, p.text("text"), "entities")
        if units(text) > 4096:
            raise bad("message is too long")
        return text, entities

    def caption(self, p: Params) -> tuple[str, list[Json]]:
        if not p.text("caption").strip():
            return "", []
        text, entities = self._formatted(p, p.text("caption"), "caption_entities")
        if units(text) > 1024:
            raise bad("message caption is too long")
        return text, entities

    def markup(self, p: Params, inline_only: bool = False) -> Json | None:
        markup = p.json("reply_markup", "can't parse reply keyboard markup JSON object")
        if markup is None:
            return None
        if not isinstance(markup, dict):
            raise bad("object expected as reply markup")
        if "inline_keyboard" not in markup:
            if inline_only:
                raise bad("inline keyboard expected")
            return markup
        return {"inline_keyboard": self._rows(markup["inline_keyboard"])} if markup["inline_keyboard"] else None

    def _rows(self, rows: Any) -> list[list[Json]]:
        if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
            raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        if sum(len(row) for row in rows) > 100:
            raise bad("reply markup is too long")
        return [[self._button(b) for b in row] for row in rows if row]

    def _button(self, button: Any) -> Json:
        problem = "can't parse inline keyboard button: "
        if not isinstance(button, dict):
            raise bad(problem + "InlineKeyboardButton must be an Object")
        if not isinstance(button.get("text"), str):
            raise bad(problem + 'Can\'t find field "text"')
        if not button["text"].strip():
            raise bad("BUTTON_TEXT_INVALID")
        if "callback_data" in button and not isinstance(button["callback_data"], str):
            raise bad(problem + 'Field "callback_data" must be of type String')
        kinds = (
            "url",
            "callback_data",
            "switch_inline_query",
            "switch_inline_query_current_chat",
            "web_app",
            "login_url",
            "copy_text",
        )
        if button.get("callback_data") == "" or not any(button.get(k) is not None for k in kinds):
            raise bad(
                "BUTTON_DATA_INVALID"
                if "callback_data" in button
                else problem + "Text buttons are unallowed in the inline keyboard"
            )
        if len(button.get("callback_data", "").encode()) > 64:
            raise bad("BUTTON_DATA_INVALID")
        if button.get("url") and not re.match(r"(?i)(https?://|tg://)?[\w.-]+", button["url"]):
            raise bad(f"inline keyboard button URL '{button['url']}' is invalid: Wrong HTTP URL")
        return {k: v for k, v in button.items() if v is not None}

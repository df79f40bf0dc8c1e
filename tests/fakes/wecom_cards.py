"""What the platform accepts as a template card (reference, section 4.2). Errors as numbers, advice as a note."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.fakes.wecom_world import Json, Refused

TYPES = ("text_notice", "news_notice", "button_interaction", "vote_interaction", "multiple_interaction")
INTERACTIVE = TYPES[2:]
TASK_ID = re.compile(r"[0-9A-Za-z_\-@]{1,128}")
ADVICE = {  # 字: the app's, the bot's
    "source.desc": (20, 13), "main_title.title": (36, 26), "main_title.desc": (44, 30), "sub_title_text": (160, 112),
    "emphasis.title": (14, 10), "emphasis.desc": (22, 15), "horizontal.keyname": (5, 5), "horizontal.value": (30, 26),
    "vertical.title": (38, 26), "vertical.desc": (160, 112), "button.text": (10, 10), "selection.title": (13, 13),
    "selection.option": (16, 10), "checkbox.option": (17, 11), "submit.text": (10, 10),
}  # fmt: skip
FIELDS = {
    "card_type", "source", "action_menu", "main_title", "quote_area", "emphasis_content", "sub_title_text", "task_id",
    "horizontal_content_list", "vertical_content_list", "jump_list", "card_action", "card_image", "image_text_area",
    "button_selection", "button_list", "checkbox", "select_list", "submit_button", "replace_text", "feedback",
}  # fmt: skip


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class Check:
    """One card on its way in. ``side``: bot | app | webhook."""

    def __init__(self, card: Json, side: str, fold: Callable[[str], None], update: bool = False) -> None:
        self.card, self.side, self.fold, self.update = card, side, fold, update

    def run(self) -> None:
        kind = self.card.get("card_type")
        if kind not in TYPES or (self.side == "webhook" and kind in INTERACTIVE):
            raise Refused(42031, "Template_Card.CardType invalid")
        unknown = set(self.card) - FIELDS
        if unknown:
            raise Refused(40058, f"unknown field {sorted(unknown)}")
        self._texts()
        self._rows()
        if kind in ("text_notice", "news_notice"):
            self._notice()
        elif kind == "button_interaction":
            self._buttons()
        elif kind == "vote_interaction":
            self._vote()
        else:
            self._multiple()
        self._menu()

    def _long(self, field: str, text: Any) -> None:
        if text is None:
            return
        if not isinstance(text, str):
            raise Refused(40058, f"{field} is no text")
        most = ADVICE[field][0 if self.side == "app" else 1]
        if units(text) > most:
            self.fold(f"{field}: {units(text)} > {most}: {text}")

    def _texts(self) -> None:
        title = self.card.get("main_title") or {}
        self._long("source.desc", (self.card.get("source") or {}).get("desc"))
        self._long("main_title.title", title.get("title"))
        self._long("main_title.desc", title.get("desc"))
        self._long("sub_title_text", self.card.get("sub_title_text"))
        emphasis = self.card.get("emphasis_content") or {}
        self._long("emphasis.title", emphasis.get("title"))
        self._long("emphasis.desc", emphasis.get("desc"))
        if self.card["card_type"] in INTERACTIVE and not title.get("title"):
            raise Refused(41016, "missing title")

    def _rows(self) -> None:
        rows = self.card.get("horizontal_content_list") or []
        if len(rows) > 6:
            raise Refused(42035, "Template_Card.HorizontalContentList too long")
        for row in rows:
            if not row.get("keyname") or row.get("type", 0) not in ((0, 1, 2, 3) if self.side == "app" else (0, 1, 3)):
                raise Refused(42035, "Template_Card.HorizontalContentList invalid")
            self._long("horizontal.keyname", row["keyname"])
            self._long("horizontal.value", row.get("value"))
        if len(self.card.get("vertical_content_list") or []) > 4:
            raise Refused(42036, "Template_Card.VerticalContentList too long")
        if len(self.card.get("jump_list") or []) > 3:
            raise Refused(42042, "Template_Card.JumpList too long")

    def _notice(self) -> None:
        title = self.card.get("main_title") or {}
        if self.card["card_type"] == "text_notice" and not (title.get("title") or self.card.get("sub_title_text")):
            raise Refused(41016, "missing title")
        action = self.card.get("card_action") or {}
        if action.get("type") not in (1, 2) or (action["type"] == 1 and not action.get("url")):
            raise Refused(42045, "Template_Card.CardAction invalid")

    def _buttons(self) -> None:
        buttons = self.card.get("button_list") or []
        if not 1 <= len(buttons) <= 6:
            raise Refused(42038, "Template_Card.ButtonList length invalid")
        self._unique([b.get("key") for b in buttons if b.get("type", 0) == 0], 1024, 42039)
        for button in buttons:
            if not button.get("text"):
                raise Refused(42038, "Template_Card.ButtonList text missing")
            self._long("button.text", button["text"])
            if button.get("style", 1) not in (1, 2, 3, 4):
                raise Refused(42038, "Template_Card.ButtonList style invalid")
        if "button_selection" in self.card:
            self._selection(self.card["button_selection"])
        self._task_id()

    def _vote(self) -> None:
        box = self.card.get("checkbox") or {}
        options = box.get("option_list") or []
        if not 1 <= len(options) <= 20 or not box.get("question_key"):
            raise Refused(42043, "Template_Card.CheckBox invalid")
        self._unique([o.get("id") for o in options], 128, 42041)
        for option in options:
            if not option.get("text"):
                raise Refused(42043, "Template_Card.CheckBox option without text")
            self._long("checkbox.option", option["text"])
        self._submit()
        self._task_id()

    def _multiple(self) -> None:
        lists = self.card.get("select_list") or []
        if not 1 <= len(lists) <= 3:
            raise Refused(42047, "Template_Card.SelectList invalid")
        for one in lists:
            self._selection(one)
        self._submit()
        self._task_id()

    def _selection(self, one: Json) -> None:
        options = one.get("option_list") or []
        if not one.get("question_key") or not 1 <= len(options) <= 10:
            raise Refused(42040, "Template_Card selection invalid")
        self._long("selection.title", one.get("title"))
        self._unique([o.get("id") for o in options], 128, 42041)
        for option in options:
            self._long("selection.option", option.get("text"))

    def _submit(self) -> None:
        button = self.card.get("submit_button") or {}
        if not button.get("key") or len(button["key"].encode()) > 1024 or not button.get("text"):
            raise Refused(42046, "Template_Card.SubmitButton invalid")
        self._long("submit.text", button["text"])

    def _menu(self) -> None:
        menu = self.card.get("action_menu")
        if menu is None:
            return
        if self.side == "webhook" or not 1 <= len(menu.get("action_list") or []) <= 3:
            raise Refused(42051, "Template_Card.ActionMenu invalid")
        self._unique([a.get("key") for a in menu["action_list"]], 1024, 42051)
        self._task_id()

    def _unique(self, keys: Iterable[Any], most: int, code: int) -> None:
        seen: set[str] = set()
        for key in keys:
            if not isinstance(key, str) or not key or len(key.encode()) > most or key in seen:
                raise Refused(code, "key missing, too long or not unique")
            seen.add(key)

    def _task_id(self) -> None:
        if self.update and self.side == "app":
            return
        task = self.card.get("task_id")
        if not isinstance(task, str) or not TASK_ID.fullmatch(task):
            raise Refused(42014, "Template_Card.TaskId invalid")

"""How Telegram reads the text of a message: parse modes, entities in UTF-16 units, trimming, length.

Follows tdlib (td/telegram/MessageEntity.cpp: parse_html, parse_markdown, parse_markdown_v2, fix_formatted_text),
error sentences included. Nested markup of one kind and exotic entities (tg-time) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.fakes.telegram_markup import BadText, Entity, parse_html, parse_markdown, parse_markdown_v2

FORMATTING = {
    "bold", "italic", "underline", "strikethrough", "spoiler", "blockquote", "expandable_blockquote",
    "code", "pre", "text_link", "text_mention", "custom_emoji",
}  # fmt: skip
FOUND = [
    ("bot_command", re.compile(r"(?<![\w/<>])/[a-zA-Z0-9_]{1,64}(?:@[a-zA-Z0-9_]{3,32})?(?![\w/<>])")),
    ("mention", re.compile(r"(?<!\w)@[a-zA-Z0-9_]{3,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<!\w)#(?=\w*[^\W\d_])\w{1,256}")),
    ("url", re.compile(r"https?://[^\s<>\"，。）】]+")),
]


def units(text: str) -> int:
    """Length in UTF-16 code units, the unit of every Telegram offset."""
    return len(text) + sum(1 for c in text if c > "\uffff")


def formatted(text: str, parse_mode: str, given: Any, find: bool = True) -> tuple[str, list[Entity]]:
    """The text and entities as the server would keep them. Raises BadText."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadText("strings must be encoded in UTF-8") from None
    if size > 1 << 15:
        raise BadText("text is too long")
    parser = _parser(parse_mode)
    if text and parser is not None:
        try:
            text, entities = parser(text)
        except BadText as problem:
            raise BadText(f"can't parse entities: {problem}") from None
    else:
        entities = checked(text, given) if isinstance(given, list) and given else []
    text, entities = _trimmed(*_cleaned(text, entities))
    if not text:
        raise BadText("text must be non-empty")
    entities = sorted((e for e in entities if e["length"] > 0), key=lambda e: (e["offset"], -e["length"]))[:100]
    return text, with_found(text, entities) if find else entities


def _parser(parse_mode: str) -> Callable[[str], tuple[str, list[Entity]]] | None:
    if parse_mode.lower() in ("", "none"):
        return None
    parsers = {"html": parse_html, "markdown": parse_markdown, "markdownv2": parse_markdown_v2}
    if parse_mode.lower() not in parsers:
        raise BadText("unsupported parse_mode")
    return parsers[parse_mode.lower()]


# entities given by hand


def checked(text: str, given: list[Any]) -> list[Entity]:
    bounds = _boundaries(text)
    end = units(text)
    kept = [e for e in (_one(g) for g in given) if e is not None]
    for e in kept:
        first, last = e["offset"], e["offset"] + e["length"]
        if first < 0 or first > 1_000_000:
            raise BadText(f"receive an entity with incorrect offset {first}")
        if e["length"] < 0 or e["length"] > 1_000_000:
            raise BadText(f"receive an entity with incorrect length {e['length']}")
        if e["length"] == 0:
            continue
        if first >= end:
            raise BadText(f"entity begins after the end of the text at UTF-16 offset {first}")
        if last > end:
            raise BadText(
                f"entity beginning at UTF-16 offset {first} ends after the end of the text at UTF-16 offset {last}"
            )
        if first not in bounds:
            raise BadText(f"entity begins in a middle of a UTF-16 symbol at byte offset {first}")
        if last not in bounds:
            raise BadText(
                f"entity beginning at UTF-16 offset {first} ends in a middle of a UTF-16 symbol at byte offset {last}"
            )
    return kept


def _one(given: Any) -> Entity | None:
    if not isinstance(given, dict):
        raise BadText("can't parse MessageEntity: expected an Object")
    for name, kind in (("type", str), ("offset", int), ("length", int)):
        if not isinstance(given.get(name), kind):
            raise BadText(f"can't parse MessageEntity: can't find field \"{name}\"")
    if given["type"] not in FORMATTING:
        return None
    return {k: v for k, v in given.items() if v is not None}


def _boundaries(text: str) -> set[int]:
    places, at = {0}, 0
    for c in text:
        at += 2 if c > "\uffff" else 1
        places.add(at)
    return places


def _cleaned(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Control characters become spaces, carriage returns vanish (and entities move with them)."""
    if "\r" in text:
        for e in entities:
            first = _cut16(text, e["offset"])
            last = _cut16(text, e["offset"] + e["length"])
            e["offset"] -= first.count("\r")
            e["length"] -= last.count("\r") - first.count("\r")
        text = text.replace("\r", "")
    return "".join(" " if c < " " and c != "\n" else c for c in text), entities


def _cut16(text: str, end: int) -> str:
    return text.encode("utf-16-le")[: end * 2].decode("utf-16-le", "ignore")


def _trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    text = text.rstrip(" \n")
    end = units(text)
    entities = [e for e in entities if e["offset"] < end]
    for e in entities:
        e["length"] = min(e["length"], end - e["offset"])
    start = min((e["offset"] for e in entities), default=len(text))
    lead = 0
    while lead < min(start, len(text)) and text[lead] in " \n":
        lead += 1
    for e in entities:
        e["offset"] -= lead
    return text[lead:], entities


def with_found(text: str, entities: list[Entity]) -> list[Entity]:
    """Adds what the server finds by itself: commands, mentions, tags, links."""
    if not any(mark in text for mark in "/@#"):
        return entities
    taken = [(e["offset"], e["offset"] + e["length"]) for e in entities if e["type"] in ("code", "pre", "text_link")]
    found = list(entities)
    for kind, pattern in FOUND:
        for match in pattern.finditer(text):
            first = units(text[: match.start()])
            last = first + units(match.group())
            if any(first < b and a < last for a, b in taken):
                continue
            taken.append((first, last))
            found.append({"type": kind, "offset": first, "length": last - first})
    return sorted(found, key=lambda e: (e["offset"], -e["length"]))

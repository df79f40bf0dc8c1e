"""The platform's XML, read without ever meeting a document type or an entity of its own.

ElementTree stops the billion laughs but was seen to let 50 KB grow to 5 MB (quadratic blow-up); so a DTD is refused by
its first bytes, and again by the parser, whatever the encoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn
from xml.parsers import expat

MOST_DEPTH = 12
MOST_NODES = 2000
Json = dict[str, Any]


class Unreadable(Exception):
    """Not the XML that the platform writes."""


@dataclass(slots=True)
class Node:
    """An element: its text, and its children in order."""

    name: str
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def find(self, *path: str) -> Node | None:
        node: Node | None = self
        for name in path:
            node = next((child for child in node.children if child.name == name), None) if node else None
        return node

    def all(self, name: str) -> Iterable[Node]:
        return [child for child in self.children if child.name == name]

    def get(self, *path: str) -> str:
        """The text at the end of the path; "" where there is none."""
        found = self.find(*path)
        return found.text.strip() if found else ""


class _Builder:
    def __init__(self) -> None:
        self.stack: list[Node] = []
        self.root: Node | None = None
        self.nodes = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES or len(self.stack) >= MOST_DEPTH:
            raise Unreadable
        node = Node(name)
        if self.stack:
            self.stack[-1].children.append(node)
        else:
            self.root = node
        self.stack.append(node)

    def end(self, name: str) -> None:
        self.stack.pop()

    def text(self, text: str) -> None:
        if self.stack:
            self.stack[-1].text += text


def _refuse(*_: object) -> NoReturn:
    raise Unreadable


def read(body: bytes) -> Node:
    """The root. ``Unreadable`` for anything with a document type, an entity, or no XML at all."""
    if b"<!DOCTYPE" in (upper := body.upper()) or b"<!ENTITY" in upper:
        raise Unreadable
    builder = _Builder()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = parser.SkippedEntityHandler = _refuse
    try:
        parser.Parse(body, True)
    except expat.ExpatError:
        raise Unreadable from None
    if builder.root is None:
        raise Unreadable
    return builder.root


# --- writing --------------------------------------------------------------------------------------------------

NAMES = {"horizontal_content_list": "HorizontalContentList", "keyname": "KeyName", "checkbox": "CheckBox"}


def card_xml(face: Json) -> str:
    """A card's JSON in the spelling of passive answers: names run together, lists repeat their element."""
    return f"<TemplateCard>{_inside({k: v for k, v in face.items() if k != 'task_id'})}</TemplateCard>"


def _inside(fields: Json) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: object) -> str:
    tag = NAMES.get(name) or "".join(word.capitalize() for word in name.split("_"))
    match value:
        case list():
            return "".join(_element(name, one) for one in value)
        case dict():
            return f"<{tag}>{_inside(value)}</{tag}>"
        case bool():
            return f"<{tag}>{'true' if value else 'false'}</{tag}>"
        case int():
            return f"<{tag}>{value}</{tag}>"
        case _:
            return f"<{tag}>{cdata(str(value))}</{tag}>"


def cdata(text: str) -> str:
    """Text that nothing in it can leave."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"

"""The three parse modes, as strict as tdlib's (td/telegram/MessageEntity.cpp), sentences of refusal included."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Entity = dict[str, Any]
HTML_TAGS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic", "s": "strikethrough", "strike": "strikethrough",
    "del": "strikethrough", "u": "underline", "ins": "underline", "tg-spoiler": "spoiler", "span": "spoiler",
    "pre": "pre", "code": "code", "a": "text_link", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}  # fmt: skip
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


class BadText(Exception):
    """The sentence after `Bad Request: `."""


@dataclass(slots=True)
class Open:
    kind: str
    offset: int
    begin: int
    at: int
    tag: str = ""
    argument: str = ""


@dataclass(slots=True)
class Paper:
    """What has been written so far, and where we are in UTF-16 units."""

    out: list[str] = field(default_factory=list)
    offset: int = 0
    entities: list[Entity] = field(default_factory=list)

    def write(self, c: str) -> None:
        self.out.append(c)
        self.offset += 2 if c > "\uffff" else 1

    def close(self, kind: str, offset: int, **more: str) -> None:
        if self.offset > offset:
            self.entities.append({"type": kind, "offset": offset, "length": self.offset - offset, **more})

    def done(self) -> tuple[str, list[Entity]]:
        return "".join(self.out), self.entities


def _bytes_before(text: str, i: int) -> int:
    return len(text[:i].encode())


def _link(paper: Paper, offset: int, url: str) -> None:
    user = re.fullmatch(r"tg://user\?id=(\d+)", url)
    if user:
        paper.close("text_mention", offset, user=user.group(1))
    elif re.match(r"(?i)(https?|tg|ton|mailto|tel):", url) or re.match(r"[\w-]+(\.[\w-]+)+", url):
        paper.close("text_link", offset, url=url if ":" in url else f"http://{url}")


def parse_html(text: str) -> tuple[str, list[Entity]]:
    paper, nested, i = Paper(), list[Open](), 0
    while i < len(text):
        if text[i] == "&":
            char, end = _html_char(text, i)
            if char:
                paper.write(char)
                i = end
                continue
        if text[i] != "<":
            paper.write(text[i])
            i += 1
        elif text[i + 1 : i + 2] == "/":
            i = _html_end(text, i, paper, nested)
        else:
            i = _html_start(text, i, paper, nested)
    if nested:
        raise BadText(f'Can\'t find end tag corresponding to start tag "{nested[-1].tag}"')
    return paper.done()


def _html_char(text: str, i: int) -> tuple[str, int]:
    match = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z]+));?").match(text, i)
    if not match:
        return "", i
    if match.group(3):
        return NAMED.get(match.group(3), ""), match.end()
    code = int(match.group(1), 16) if match.group(1) else int(match.group(2))
    usable = 0 < code < 0x10FFFF and not 0xD800 <= code <= 0xDFFF
    return (chr(code) if usable else ""), match.end()


ATTRIBUTE = re.compile(r"""\s*([^\s=>/"']+)(?:\s*=\s*("[^"]*"|'[^']*'|[A-Za-z0-9.-]+))?""")


def _html_start(text: str, i: int, paper: Paper, nested: list[Open]) -> int:
    at = _bytes_before(text, i)
    name = re.compile(r"[^\s>]*").match(text, i + 1)
    assert name is not None
    tag, pos = name.group().lower(), name.end()
    if pos >= len(text):
        raise BadText(f"Unclosed start tag at byte offset {at}")
    if tag not in HTML_TAGS:
        raise BadText(f'Unsupported start tag "{tag}" at byte offset {at}')
    values: dict[str, str] = {}
    while True:
        pos += len(text[pos:]) - len(text[pos:].lstrip())
        if pos >= len(text):
            raise BadText(f'Unclosed start tag "{tag}" at byte offset {at}')
        if text[pos] == ">":
            break
        match = ATTRIBUTE.match(text, pos)
        if match is None:
            raise BadText(f'Empty attribute name in the tag "{tag}" at byte offset {at}')
        value = match.group(2)
        values[match.group(1)] = _unquoted(value) if value is not None else "1"
        pos = match.end()
    kind, argument = _html_meaning(tag, values, at)
    nested.append(Open(kind, paper.offset, len(paper.out), at, tag, argument))
    return pos + 1


def _unquoted(value: str) -> str:
    if value[0] not in "\"'":
        return value.lower()
    return re.sub(
        r"&(?:#x[0-9a-fA-F]+|#[0-9]+|[a-zA-Z]+);?", lambda m: _html_char(m.group(), 0)[0] or m.group(), value[1:-1]
    )


def _html_meaning(tag: str, values: dict[str, str], at: int) -> tuple[str, str]:
    if tag == "span" and values.get("class") != "tg-spoiler":
        raise BadText(f'Tag "span" must have class "tg-spoiler" at byte offset {at}')
    if tag == "blockquote" and "expandable" in values:
        return "expandable_blockquote", ""
    if tag == "tg-emoji":
        if not values.get("emoji-id", "").isdigit():
            raise BadText("Invalid custom emoji identifier specified")
        return "custom_emoji", values["emoji-id"]
    language = values.get("class", "").removeprefix("language-") if tag == "code" else ""
    return HTML_TAGS[tag], values.get("href", "") if tag == "a" else language


def _html_end(text: str, i: int, paper: Paper, nested: list[Open]) -> int:
    at = _bytes_before(text, i)
    if not nested:
        raise BadText(f"Unexpected end tag at byte offset {at}")
    match = re.compile(r"</([^\s>]*)\s*").match(text, i)
    assert match is not None
    if text[match.end() : match.end() + 1] != ">":
        raise BadText(f"Unclosed end tag at byte offset {at}")
    top, name = nested[-1], match.group(1).lower()
    if name and name != top.tag:
        raise BadText(f'Unmatched end tag at byte offset {at}, expected "</{top.tag}>", found "</{name}>"')
    nested.pop()
    if top.kind == "text_link":
        _link(paper, top.offset, top.argument or "".join(paper.out[top.begin :]))
    elif top.kind == "custom_emoji":
        paper.close("custom_emoji", top.offset, custom_emoji_id=top.argument)
    elif top.kind == "pre":
        _close_pre(paper, top)
    else:
        paper.close(
            top.kind, top.offset, **({"_language": top.argument} if top.kind == "code" and top.argument else {})
        )
    if not nested:
        for e in paper.entities:
            e.pop("_language", None)
    return match.end() + 1


def _close_pre(paper: Paper, top: Open) -> None:
    inner = paper.entities[-1] if paper.entities else None
    if (
        inner
        and inner["type"] == "code"
        and inner["offset"] == top.offset
        and inner["length"] == paper.offset - top.offset
    ):
        paper.entities[-1] = {k: v for k, v in inner.items() if k != "_language"} | {"type": "pre"}
        if inner.get("_language"):
            paper.entities[-1]["language"] = inner["_language"]
    else:
        paper.close("pre", top.offset)


LEGACY = {"_": "italic", "*": "bold", "`": "code", "[": "text_link"}


def parse_markdown(text: str) -> tuple[str, list[Entity]]:
    paper, i = Paper(), 0
    while i < len(text):
        c = text[i]
        if c == "\\" and text[i + 1 : i + 2] in ("_", "*", "`", "["):
            paper.write(text[i + 1])
            i += 2
            continue
        if c not in LEGACY:
            paper.write(c)
            i += 1
            continue
        mark = "```" if text.startswith("```", i) else "]" if c == "[" else c
        offset, begin, out = paper.offset, i, len(paper.out)
        i += len(mark)
        language, i = _language(text, i) if mark == "```" else ("", i)
        end = text.find(mark, i)
        if end < 0:
            raise BadText(f"Can't find end of the entity starting at byte offset {_bytes_before(text, begin)}")
        for inner in text[i:end]:
            paper.write(inner)
        i = end + len(mark)
        if c == "[":
            url = "".join(paper.out[out:])
            if text[i : i + 1] == "(":
                close = text.find(")", i)
                close = len(text) if close < 0 else close
                url, i = text[i + 1 : close], close + 1
            _link(paper, offset, url)
        elif mark == "```":
            paper.close("pre", offset, **({"language": language} if language else {}))
        else:
            paper.close(LEGACY[c], offset)
    return paper.done()


def _language(text: str, i: int) -> tuple[str, int]:
    match = re.compile(r"([^\s`]*)(?=\s)").match(text, i)
    name = match.group(1) if match else ""
    i += len(name)
    newline = re.compile(r"\r\n|\n\r|\n|\r").match(text, i)
    return name, newline.end() if newline else i


RESERVED = set("_*[]()~`>#+-=|{}.!")
OPENERS = [
    ("```", "pre"), ("__", "underline"), ("||", "spoiler"), ("![", "custom_emoji"), ("_", "italic"), ("*", "bold"),
    ("~", "strikethrough"), ("`", "code"), ("[", "text_link"),
]  # fmt: skip
CLOSERS = {kind: mark for mark, kind in OPENERS} | {"text_link": "]", "custom_emoji": "]"}
NAMES = {
    "bold": "Bold", "italic": "Italic", "underline": "Underline", "strikethrough": "Strikethrough", "code": "Code",
    "spoiler": "Spoiler", "pre": "Pre", "text_link": "TextUrl", "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}  # fmt: skip


def parse_markdown_v2(text: str) -> tuple[str, list[Entity]]:
    paper, nested, i, fresh = Paper(), list[Open](), 0, True
    while i < len(text):
        c = text[i]
        if c == "\\" and "\0" < text[i + 1 : i + 2] <= "~":
            paper.write(text[i + 1])
            fresh, i = text[i + 1] == "\n", i + 2
            continue
        quoting = any(o.kind == "blockquote" for o in nested)
        if quoting and c == "\n" and text[i + 1 : i + 2] != ">":
            paper.write("\n")
            _end_quote(text, paper, nested)
            fresh, i = True, i + 1
            continue
        if nested and _closes(text, i, nested[-1].kind):
            i = _v2_end(text, i, paper, nested)
            continue
        in_code = bool(nested) and nested[-1].kind in ("code", "pre")
        if in_code or c not in RESERVED:
            paper.write(c)
            fresh, i = c == "\n" or (fresh and c == "\r"), i + 1
            continue
        if c == ">" and fresh:
            if not quoting:
                nested.append(Open("blockquote", paper.offset, len(paper.out), _bytes_before(text, i)))
            i += 1
            continue
        i = _v2_start(text, i, paper, nested)
        fresh = False
    if any(o.kind == "blockquote" for o in nested):
        _end_quote(text, paper, nested)
    if nested:
        raise BadText(f"Can't find end of {NAMES[nested[-1].kind]} entity at byte offset {nested[-1].at}")
    return paper.done()


def _closes(text: str, i: int, kind: str) -> bool:
    if kind == "italic":
        return text[i] == "_" and text[i + 1 : i + 2] != "_"
    return kind in CLOSERS and text.startswith(CLOSERS[kind], i)


def _v2_start(text: str, i: int, paper: Paper, nested: list[Open]) -> int:
    for mark, kind in OPENERS:
        if text.startswith(mark, i):
            opened = Open(kind, paper.offset, len(paper.out), _bytes_before(text, i))
            i += len(mark)
            if kind == "pre":
                opened.argument, i = _language(text, i)
            nested.append(opened)
            return i
    raise BadText(f"Character '{text[i]}' is reserved and must be escaped with the preceding '\\'")


def _v2_end(text: str, i: int, paper: Paper, nested: list[Open]) -> int:
    top = nested.pop()
    i += len(CLOSERS[top.kind])
    if top.kind in ("text_link", "custom_emoji"):
        url, i = _v2_url(text, i)
        if top.kind == "text_link":
            _link(paper, top.offset, "".join(paper.out[top.begin :]) if url is None else url)
            return i
        emoji = re.fullmatch(r"tg://emoji\?id=(\d+)", url or "")
        if not emoji:
            raise BadText("The entity must contain a tg://emoji or tg://time URL")
        paper.close("custom_emoji", top.offset, custom_emoji_id=emoji.group(1))
        return i
    paper.close(top.kind, top.offset, **({"language": top.argument} if top.argument else {}))
    return i


def _v2_url(text: str, i: int) -> tuple[str | None, int]:
    if text[i : i + 1] != "(":
        return None, i
    url, begin, i = "", i + 1, i + 1
    while i < len(text) and text[i] != ")":
        if text[i] == "\\" and "\0" < text[i + 1 : i + 2] <= "~":
            i += 1
        url += text[i]
        i += 1
    if i >= len(text):
        raise BadText(f"Can't find end of a URL at byte offset {_bytes_before(text, begin)}")
    return url, i + 1


def _end_quote(text: str, paper: Paper, nested: list[Open]) -> None:
    kind = "blockquote"
    if nested[-1].kind == "spoiler" and nested[-1].offset >= paper.offset - 1:
        nested.pop()
        kind = "expandable_blockquote"
    if not nested or nested[-1].kind != "blockquote":
        raise BadText(f"Can't find end of {NAMES[nested[-1].kind]} entity at byte offset {nested[-1].at}")
    paper.close(kind, nested.pop().offset)

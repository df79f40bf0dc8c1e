"""What we say -> message bodies. Pure.

A card with buttons is a template card: up to six of them are its buttons, more are the options of votes of twenty, and
what is behind a hundred is chosen by number. What does not fit into the few words that the platform shows of a card
(developer.work.weixin.qq.com/document/path/101032: 26, 30 and 112 字, counted here in UTF-16 units, the strictest
reading) is told in full first, as text; the card then says what fits. A card without buttons is text alone: it can
never be changed, and a text has room.

``multiple_interaction`` is read (``parse``) but not written: its lists choose their first entry by themselves, so a
vote nobody meant would be cast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from bot.channels import choices, clean
from bot.channels.graphemes import split, units
from bot.channels.wecom import prose
from bot.channels.wecom.task import Task
from bot.engine.port import Content, Document
from bot.kit.card import Button, Card, Facts, Tone
from bot.kit.words import _

BUTTONS, VOTE = "button_interaction", "vote_interaction"
MOST_BUTTONS, MOST_OPTIONS, MOST_CARDS = 6, 20, 5
REACHED = MOST_OPTIONS * MOST_CARDS  # buttons that can be tapped
TITLE, DESC, SUBTITLE = 26, 30, 112
KEYNAME, VALUE, MOST_ROWS = 5, 26, 6
LABEL = {BUTTONS: 10, VOTE: 11}
ROOM = {BUTTONS: SUBTITLE, VOTE: DESC}
MOST_TEXT = 20480
STYLES = {Tone.MAIN: 1, Tone.PLAIN: 2, Tone.DANGER: 3}  # which colour is which, the documents only show in a picture
QUESTION, SUBMIT, CLOSED = "q", "submit", "closed"
NO_REF = "0" * 16
Payload = dict[str, Any]


def render(content: Content, ref: str = NO_REF, most: int = MOST_TEXT) -> list[Payload]:
    """The messages to send, in order; those of a card end with its template cards. ``most``: bytes of a text."""
    match content:
        case Document():
            return [{"document": content}]
        case str():
            return [text(part) for part in prose.parts(prose.harmless(clean.text(content)), most)]
        case Card():
            faces = [template(content, Task(ref, part, content.key)) for part in range(cards(content))]
            told = [] if is_whole(content) else prose.parts(prose.markdown(full(content)), most)
            return [*map(text, told), *({"msgtype": "template_card", "template_card": face} for face in faces)]
        case _:
            assert_never(content)


def text(words: str) -> Payload:
    return {"msgtype": "markdown", "markdown": {"content": words}}


def cards(card: Card) -> int:
    """How many template cards it takes to show every button."""
    if len(card.buttons) <= MOST_BUTTONS:
        return 1 if card.buttons else 0
    return min(MOST_CARDS, -(-len(card.buttons) // MOST_OPTIONS))


def full(card: Card) -> list[prose.Said]:
    """The whole card in words: labels that a button cuts short, and the numbers that stand for the rest."""
    said = prose.paragraphs(card)
    kind = _kind(card)
    cut = [f"{n}. {_label(b)}" for n, b in enumerate(card.buttons[:REACHED], 1) if units(_label(b)) > LABEL[kind]]
    said += [prose.Said(line) for line in cut]
    numbered = choices.words(choices.spare(card.buttons, REACHED))
    return [*said, prose.Said(numbered)] if numbered else said


def is_whole(card: Card) -> bool:
    """Whether its template card says everything."""
    if not card.buttons or len(card.buttons) > REACHED:
        return False
    kind = _kind(card)
    if any(units(_label(button)) > LABEL[kind] for button in card.buttons):
        return False
    layout = _layout(card, kind)
    return units(layout.rest) <= ROOM[kind]


def fits(card: Card, kind: str, part: int) -> bool:
    """Whether a card of that kind on the screen can become this one: nobody knows if a kind may be changed."""
    if not card.buttons:
        return True
    if kind == BUTTONS:
        return part == 0 and len(card.buttons) <= MOST_BUTTONS
    return part < max(1, cards(card))


def template(card: Card, task: Task, kind: str = "", note: str = "", ended: str = "", task_id: str = "") -> Payload:
    """The template card; ``note`` is a word to whoever pressed. Without buttons it says that all is over."""
    kind = kind if kind in ROOM else _kind(card)
    buttons = _slice(card, kind, task.part)
    layout = _layout(card, kind)
    room, desc = ROOM[kind], clean.line(note)
    rest = layout.rest
    if desc and (kind == VOTE or units(desc) > DESC):
        rest, desc = (desc if kind == VOTE else f"{desc}\n{rest}"), ""
    made: Payload = {"card_type": kind, "main_title": {"title": layout.title}, "task_id": task_id or task.pack()}
    words = shortened(rest, room, cut_off=_("…（见全文）"))
    if kind == VOTE:
        desc = words.replace("\n", " ")
        made |= _vote(buttons, task.part, ended)
    else:
        made |= {"sub_title_text": words} if words else {}
        made |= {"horizontal_content_list": layout.rows} if layout.rows else {}
        made["button_list"] = _buttons(buttons, ended)
    if desc:
        made["main_title"]["desc"] = shortened(desc, DESC)
    return made


def says(note: str, kind: str) -> bool:
    """Whether a card has room for the whole word."""
    return units(clean.line(note)) <= ROOM.get(kind, DESC)


def shortened(words: str, most: int, cut_off: str = "…") -> str:
    """At most ``most`` UTF-16 units, cut between graphemes."""
    if units(words) <= most:
        return words
    return split(words, most - units(cut_off))[0].rstrip() + cut_off


# --- where the words go ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layout:
    """The words of a card in the order of its fields."""

    title: str
    rows: list[Payload]
    rest: str


def _layout(card: Card, kind: str) -> _Layout:
    rows = _rows(card) if kind == BUTTONS else []
    blocks = [block for block in card.body if not (rows and isinstance(block, Facts))]
    bare = Card(card.key, card.title, blocks, (), card.foot)
    said = "\n".join(one.text for one in prose.paragraphs(bare)).strip() or _("（空）")
    title, _break, rest = said.partition("\n")
    if units(title) > TITLE:
        first = split(title, TITLE)[0]
        title, rest = first, "\n".join(filter(None, (title[len(first) :], rest)))
    return _Layout(title.strip(), rows, rest.strip())


def _rows(card: Card) -> list[Payload]:
    """The facts as the platform's own rows, if all of them fit there."""
    pairs = [pair for block in card.body if isinstance(block, Facts) for pair in block.pairs]
    rows = [{"keyname": clean.line(name), "value": clean.line(value)} for name, value in pairs]
    whole = all(0 < units(r["keyname"]) <= KEYNAME and 0 < units(r["value"]) <= VALUE for r in rows)
    single = all("\n" not in clean.text(value) for _name, value in pairs)
    seen = not any(clean.is_blank(word) for row in rows for word in row.values())
    return rows if whole and single and seen and len(rows) <= MOST_ROWS else []


def _kind(card: Card) -> str:
    return BUTTONS if len(card.buttons) <= MOST_BUTTONS else VOTE


def _slice(card: Card, kind: str, part: int) -> list[tuple[int, Button]]:
    """The buttons of one card, with their numbers."""
    most = MOST_BUTTONS if kind == BUTTONS else MOST_OPTIONS
    numbered = list(enumerate(card.buttons[:REACHED]))
    return numbered[part * most : (part + 1) * most]


def _buttons(buttons: Sequence[tuple[int, Button]], ended: str) -> list[Payload]:
    made = [
        {"text": _short(n, button, BUTTONS), "style": STYLES[button.tone], "key": f"{n}|{button.action.pack()}"}
        for n, button in buttons
    ]
    return made or [{"text": ended or _("已结束"), "style": STYLES[Tone.PLAIN], "key": CLOSED}]


def _vote(options: Sequence[tuple[int, Button]], part: int, ended: str) -> Payload:
    """``mode`` 0: one of them."""
    made = [{"id": f"{n}|{button.action.pack()}", "text": _short(n, button, VOTE)} for n, button in options]
    over = ended or _("已结束")
    box: Payload = {"question_key": f"{QUESTION}{part}", "mode": 0, "option_list": made}
    if made:
        return {"checkbox": box, "submit_button": {"text": _("提交"), "key": SUBMIT}}
    box |= {"option_list": [{"id": CLOSED, "text": over}], "disable": True}
    return {"checkbox": box, "submit_button": {"text": over, "key": CLOSED}}


def _short(number: int, button: Button, kind: str) -> str:
    """A label that is too long carries its number, under which the text before the card has it in full."""
    label = _label(button)
    return label if units(label) <= LABEL[kind] else shortened(f"{number + 1}. {label}", LABEL[kind])


def _label(button: Button) -> str:
    label = clean.line(button.label)
    return label if label.strip() else "…"

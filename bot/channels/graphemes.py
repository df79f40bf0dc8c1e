"""Cutting text where a reader would: never inside what is seen as one character (a grapheme cluster, UAX #29).

The standard library has no table of grapheme breaks. ``joined`` errs on one side only: it may keep two clusters
together, it never parts one. A text is therefore cut at real borders, if sometimes at slightly fewer of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence

ZWJ, ZWNJ = "\u200d", "\u200c"
VIRAMA = 9  # canonical combining class: joins two consonants in Indic scripts
PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a3a\U00011a84\U00011a85\U00011a86\U00011a87\U00011a88\U00011a89\U00011d46\U00011f02"
)
JOINING = frozenset("\u200c\u200d\u0e33\u0eb3\uff9e\uff9f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
SENTENCE_ENDS = frozenset("。！？；…!?;")


def units(text: str) -> int:
    """Length in UTF-16 code units, in which Telegram counts lengths and offsets."""
    return len(text) + sum(1 for c in text if c > "\uffff")


def joined(text: str, at: int) -> bool:
    """Whether a reader may see the characters before and after ``at`` as one."""
    if at <= 0 or at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return before == "\r" and after == "\n"
    if after in JOINING or "\U000e0020" <= after <= "\U000e007f" or unicodedata.category(after) in ("Mn", "Me", "Mc"):
        return True
    if before == ZWJ or before in PREPENDED:
        return True
    if unicodedata.combining(before) == VIRAMA and unicodedata.category(after) == "Lo":
        return True
    return _hangul(before, after) or _flag(text, at)


def _hangul(before: str, after: str) -> bool:
    if "\u1160" <= after <= "\u11ff" or "\ud7b0" <= after <= "\ud7fb":  # a vowel or a final
        return "\u1100" <= before <= "\u11ff" or "\ua960" <= before <= "\ua97c" or "\uac00" <= before <= "\ud7fb"
    leading = "\u1100" <= before <= "\u115f" or "\ua960" <= before <= "\ua97c"
    return leading and ("\u1100" <= after <= "\u115f" or "\ua960" <= after <= "\ua97c" or "\uac00" <= after <= "\ud7a3")


def _flag(text: str, at: int) -> bool:
    """A flag is two regional letters; of a longer run every second border is one."""
    if not (_regional(text[at - 1]) and _regional(text[at])):
        return False
    run = 0
    while run < at and _regional(text[at - 1 - run]):
        run += 1
    return run % 2 == 1


def _regional(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


def clusters(text: str) -> Iterator[str]:
    """What a reader sees as characters, one after another."""
    start = 0
    for at in range(1, len(text) + 1):
        if not joined(text, at):
            yield text[start:at]
            start = at


def shorten(text: str, most: int) -> str:
    """At most ``most`` visible characters, the last of them ``…`` where something was left out."""
    if len(text) <= most:
        return text
    seen = list(clusters(text))
    return text if len(seen) <= most else "".join(seen[: most - 1]) + "…"


def split(text: str, most: int, size: Callable[[str], int] = units, whole: Sequence[tuple[int, int]] = ()) -> list[str]:
    """The text in parts of at most ``most`` by ``size``; joined they are the text again.

    Cut after a line, else after a sentence or a space, else between graphemes, and not inside a span of ``whole``
    (start and end by code points). Only a single cluster longer than a whole part is parted, between code points.
    """
    parts, done = [], 0
    while size(text[done:]) > most:
        end = _fitting(text, done, most, size)
        cut = _border(text, done, end, whole)
        parts.append(text[done:cut])
        done = cut
    return [*parts, text[done:]]


def _fitting(text: str, start: int, most: int, size: Callable[[str], int]) -> int:
    """The furthest end with ``size(text[start:end]) <= most``; always some progress."""
    low, high = start + 1, min(len(text), start + most)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if size(text[start:middle]) <= most else (low, middle - 1)
    return low


def _border(text: str, start: int, end: int, whole: Sequence[tuple[int, int]]) -> int:
    def good(at: int) -> bool:
        return not joined(text, at) and not any(a < at < b for a, b in whole)

    for wanted in (_after_line, _after_sentence, _after_space):
        for at in range(end, start + (end - start) // 2, -1):
            if wanted(text[at - 1]) and good(at):
                return at
    for at in range(end, start, -1):
        if good(at):
            return at
    return next((at for at in range(end, start, -1) if not joined(text, at)), end)


def _after_line(c: str) -> bool:
    return c == "\n"


def _after_sentence(c: str) -> bool:
    return c in SENTENCE_ENDS


def _after_space(c: str) -> bool:
    return c.isspace()

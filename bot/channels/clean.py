"""What may be shown of what people wrote: stored raw, displayed cleaned, the same in every channel.

A name with a right-to-left override turns the rest of a line around; a name with a line break forges a line of its own;
a name of zero-width characters is invisible. Nothing here changes what is stored.
"""

from __future__ import annotations

import unicodedata

from bot.channels.graphemes import ZWJ, ZWNJ, shorten

NAME_LENGTH = 32  # graphemes
FSI, PDI = "\u2068", "\u2069"
NAMELESS = "（无名）"
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
UNSEEN = frozenset("\u200b\u2060\ufeff\u00ad\u180e\u2061\u2062\u2063\u2064\u115f\u1160\u3164\uffa0\u2800")


def text(raw: str) -> str:
    """Somebody's words, every visible one of them: without what reorders other words, controls and lone surrogates."""
    if raw.isprintable():  # nothing of the kinds below is
        return raw
    kept = "".join(c for c in raw.replace("\r\n", "\n").replace("\r", "\n") if _is_kept(c))
    return kept.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _is_kept(c: str) -> bool:
    if c in "\n\t":
        return True
    return c not in TURNING and unicodedata.category(c) != "Cc"


def is_blank(shown: str) -> bool:
    """Whether a reader would see nothing at all."""
    return not any(_is_seen(c) and c not in UNSEEN for c in shown)


def line(raw: str) -> str:
    """The words on one line."""
    return " ".join(text(raw).split())


def name(raw: str, instead: str = NAMELESS) -> str:
    """A display name: one line, no invisible characters, at most 32 graphemes, unable to reorder its neighbours."""
    plain = "".join(c for c in text(raw) if c not in UNSEEN and not _is_format(c))
    plain = _without_stray_joiners(" ".join(plain.split()))
    if is_blank(plain):
        return instead
    plain = shorten(plain, NAME_LENGTH)
    return f"{FSI}{plain}{PDI}" if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in plain) else plain


def _is_format(c: str) -> bool:
    return unicodedata.category(c) in ("Cf", "Co", "Zl", "Zp") and c not in (ZWJ, ZWNJ)


def _is_seen(c: str) -> bool:
    return c not in (ZWJ, ZWNJ) and (unicodedata.category(c)[0] not in "MZC" or unicodedata.category(c) == "Cn")


def _without_stray_joiners(plain: str) -> str:
    """Joiners stay only where they join: inside an emoji family or a word."""
    return "".join(
        c
        for at, c in enumerate(plain)
        if c not in (ZWJ, ZWNJ) or (0 < at < len(plain) - 1 and _joins(plain[at - 1]) and _joins(plain[at + 1]))
    )


def _joins(c: str) -> bool:
    return unicodedata.category(c) in ("So", "Sk", "Sm", "Mn", "Mc", "Lo") and not "\u2e80" <= c <= "\u9fff"

"""Sentences for people: the zh_CN sentence is the key, catalogues hold zh_TW and en.

``_("将发给 {n} 人", n=38)`` looks the sentence up in the language of this event and fills it in afterwards,
so a name with braces or percent signs in it can never break a sentence.
"""

from __future__ import annotations

import gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).resolve().parents[2] / "locale"
SOURCE = "zh_CN"

_language: ContextVar[str] = ContextVar("language", default=SOURCE)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == SOURCE:
        return gettext.NullTranslations()
    return gettext.translation("hongzhu", LOCALES, languages=[language], fallback=True)


class speaking:
    """A word, not a thing: ``with speaking("en"):`` sentences come out in ``zh_CN``, ``zh_TW`` or ``en``."""

    __slots__ = ("_language", "_token")

    def __init__(self, language: str) -> None:
        self._language = language

    def __enter__(self) -> None:
        self._token = _language.set(self._language)

    def __exit__(self, *error: object) -> None:
        _language.reset(self._token)


def _(sentence: str, /, **facts: object) -> str:
    """The sentence in the reader's language, with ``{name}`` filled from ``facts``."""
    found = _catalogue(_language.get()).gettext(sentence) if _language.get() != SOURCE else sentence
    return found.format(**facts) if facts else found


def N_(sentence: str) -> str:
    """Marks a sentence for the catalogues where it must not be looked up yet (module level)."""
    return sentence

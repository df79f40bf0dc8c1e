"""The catalogues: nothing missing, nothing stale, and every placeholder of a sentence in its translation."""

from __future__ import annotations

from string import Formatter

import pytest

from bot.kit.words import _, speaking
from tests.catalogue import LANGUAGES, compiled, po_file, read, sentences


def fields(text: str) -> set[str]:
    return {name for _text, name, _spec, _conversion in Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_and_none_is_left_over(language: str) -> None:
    known = {str(message.id): str(message.string) for message in read(language) if message.id}
    wanted = set(sentences())
    assert wanted - {text for text, said in known.items() if said} == set()
    assert set(known) - wanted == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placeholder_is_in_the_translation(language: str) -> None:
    wrong = [m.id for m in read(language) if m.id and fields(str(m.id)) != fields(str(m.string))]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_comes_out_in_the_readers_language(language: str) -> None:
    with speaking(language):
        assert _("没有找到。") != "没有找到。"
    assert _("没有找到。") == "没有找到。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_program_reads_is_what_was_translated(language: str) -> None:
    assert po_file(language).with_suffix(".mo").read_bytes() == compiled(language), "python -m tests.catalogue"


def test_a_name_with_braces_breaks_no_sentence() -> None:
    assert "{x}" in _("没有“{name}”。", name="{x}")

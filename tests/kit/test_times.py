"""Some 1900 phrases as teachers and secretaries type them, and any number made at random: none is taken for another."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kit import when
from tests.kit import phrases, times
from tests.kit.times import Phrase, Verdict

TABLE = times.phrases()
READ = [phrase for phrase in TABLE if phrase.yet]


@pytest.mark.parametrize("phrase", READ, ids=lambda phrase: phrase.text)
def test_a_phrase_is_read_as_the_table_says(phrase: Phrase) -> None:
    got = times.read(phrase)
    assert times.judge(phrase, got) is Verdict.RIGHT, f"{phrase.text} | {phrase.expected}, read as {got}"


@pytest.mark.parametrize("phrase", [one for one in TABLE if not one.yet], ids=lambda phrase: phrase.text)
def test_what_is_not_read_yet_is_at_least_asked_for(phrase: Phrase) -> None:
    """When one of these is read, take the ~ away."""
    assert times.judge(phrase, times.read(phrase)) is Verdict.ASKED


def test_the_table_is_as_long_as_we_say() -> None:
    traps = [phrase for phrase in TABLE if phrase.expected == "-"]
    assert len(TABLE) >= 1200 and len(traps) >= 300


def test_a_wrong_reading_would_be_noticed() -> None:
    """The judge itself: the wrong hour is wrong, the right one that asks is only asked."""
    phrase = Phrase("周五三点", "2026-11-27 15:00", TABLE[0].now, "")
    said = ("2026-11-27 15:00", "2026-11-27 15:00?", "-", "2026-11-27 03:00", "2026-11-27 15:00 + 2026-11-28")
    verdicts = [times.judge(phrase, got) for got in said]
    assert verdicts == [Verdict.RIGHT, Verdict.ASKED, Verdict.ASKED, Verdict.WRONG, Verdict.WRONG]


# A weekday's midday: which of two weeks a Sunday means, and which day the small hours mean, is asked (see the table).
MOMENTS = st.datetimes(datetime(2026, 1, 5), datetime(2029, 12, 20)).filter(  # noqa: DTZ001
    lambda at: at.weekday() < 6 and 6 <= at.hour < 23
)


@settings(max_examples=1500, deadline=None)
@given(MOMENTS, st.integers(0, 2**32))
def test_a_time_put_into_words_is_that_time(naive: datetime, seed: int) -> None:
    now = naive.replace(tzinfo=times.ZONE)
    said = phrases.some_time(Random(seed), now)
    found = when.find(said.text, now)
    assert [times.written(one).removesuffix("?") for one in found] == [said.expected], said.text


@settings(max_examples=300, deadline=None)
@given(MOMENTS, st.integers(0, 2**32))
def test_the_echo_is_read_as_what_it_echoes(naive: datetime, seed: int) -> None:
    """``words`` go back to people, who copy them: 10月10日 周六（调休上班） 15:00."""
    now = naive.replace(tzinfo=times.ZONE)
    (reading,) = when.find(phrases.some_time(Random(seed), now).text, now)
    if reading.rule is None:
        (again,) = when.find(reading.words, now)
        assert (again.kind, again.start, again.end) == (reading.kind, reading.start, reading.end), reading.words


MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual" / "secretary.md"


def manual() -> list[str]:
    """What the table in the manual says may be typed."""
    part = MANUAL.read_text(encoding="utf-8").split("## 时间怎么写")[1].split("\n## ")[0]
    cells = [line.split("|")[2] for line in part.splitlines() if line.startswith("| ") and "---" not in line]
    return [said.strip() for cell in cells[1:] for said in cell.split("，")]


@pytest.mark.parametrize("text", manual())
def test_what_the_manual_offers_is_read(text: str) -> None:
    (reading,) = when.find(text, datetime(2026, 11, 23, 10, tzinfo=times.ZONE), times.SCHOOLS["school"])
    assert reading.span == (0, len(text))

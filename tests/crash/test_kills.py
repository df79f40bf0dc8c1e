"""Killed at every step of the road of one tap and of one send, and at random: what was answered is kept, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, kills

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(900)]
Record = Callable[[str, object], None]


@pytest.mark.xdist_group("crash-sqlite")
def test_500_kills_on_sqlite(tmp_path: Path, record_property: Record) -> None:
    campaign = Campaign(lambda number: f"sqlite:///{tmp_path}/school{number}.db", tmp_path, kills(500)).run()
    settle(campaign, record_property)


@pytest.mark.postgres
@pytest.mark.xdist_group("crash-postgres")
def test_100_kills_on_postgresql(tmp_path: Path, fresh_database: Callable[[], str], record_property: Record) -> None:
    campaign = Campaign(lambda number: fresh_database(), tmp_path, kills(100)).run()
    settle(campaign, record_property)


def settle(campaign: Campaign, record_property: Record) -> None:
    record_property("crash", campaign.figures)
    assert not campaign.trouble, campaign.trouble
    if campaign.total >= 2 * len(campaign.deck.hits):
        assert not campaign.deck.never, f"never killed at {campaign.deck.never}"

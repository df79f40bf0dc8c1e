"""Killed at every step of 企业微信's two roads, the long connection and the application's callback; and its mutants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign, kills
from tests.crash.mutants import WECOM
from tests.crash.test_kills import settle

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("crash-wecom")]
Record = Callable[[str, object], None]
MOST = 60  # kills in which a mutant must be caught


def test_60_kills_on_wecom(tmp_path: Path, record_property: Record) -> None:
    campaign = Campaign(lambda n: f"sqlite:///{tmp_path}/school{n}.db", tmp_path, kills(60), channel="wecom").run()
    settle(campaign, record_property)


@pytest.mark.postgres
def test_20_kills_on_wecom_and_postgresql(
    tmp_path: Path, fresh_database: Callable[[], str], record_property: Record
) -> None:
    campaign = Campaign(lambda n: fresh_database(), tmp_path, kills(20), channel="wecom").run()
    settle(campaign, record_property)


@pytest.mark.parametrize("name", WECOM)
def test_a_mutant_is_caught(name: str, tmp_path: Path, record_property: Record) -> None:
    mutant = WECOM[name]
    campaign = Campaign(lambda n: f"sqlite:///{tmp_path}/school{n}.db", tmp_path, MOST, name, "wecom").run()
    found = [violation for checker in campaign.checkers for violation in checker.violations]
    kinds = {violation.split(":")[0] for violation in found}
    record_property("crash", {"caught after kills": campaign.deck.kills, "by": ", ".join(sorted(kinds))})
    assert kinds & mutant.caught_by, f"the mutant lives: {mutant.says} ({campaign.deck.kills} kills, {found[:3]})"

"""Each promise broken on purpose: the harness must see it, by the right kind of violation, in a bounded time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.campaign import Campaign
from tests.crash.mutants import KILLED

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("crash-sqlite")]
MOST = 120  # kills in which a mutant must be caught


@pytest.mark.parametrize("name", KILLED)
def test_a_mutant_is_caught(name: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    mutant = KILLED[name]
    campaign = Campaign(lambda number: f"sqlite:///{tmp_path}/school{number}.db", tmp_path, MOST, name).run()
    found = [violation for checker in campaign.checkers for violation in checker.violations]
    kinds = {violation.split(":")[0] for violation in found}
    kills = campaign.deck.kills
    record_property("crash", {"caught after kills": kills, "by": ", ".join(sorted(kinds)), "violations": len(found)})
    assert kinds & mutant.caught_by, f"the mutant lives: {mutant.says} ({kills} kills, {found[:3]})"

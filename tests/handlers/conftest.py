"""Where a dialogue is played. Every dialogue is played on paper; what is marked ``stages`` on every scene below.

    @pytest.fixture
    def office(open_office: OpenOffice) -> Office:
        return open_office(feature, staff=8)

``stages(both=True)``: also on a wire and on PostgreSQL at once, here 企业微信. ``HONGZHU_STAGES=all`` plays all of them
everywhere, ``HONGZHU_STAGES=web`` all of them on paper and there. A dialogue that must look behind the scene is marked
``paper``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from bot.kit.feature import Feature
from tests.office import Office, sqlite_url
from tests.stages import STAGES

PAPER, POSTGRES = "paper", "postgresql"
WECOM_ON_POSTGRES = f"wecom-{POSTGRES}"  # a real wire and the other database at once
SCENES = (*STAGES, POSTGRES, WECOM_ON_POSTGRES)


class OpenOffice(Protocol):
    """Opens an office of these features, and closes it after the test; ``more`` is handed to ``Office``."""

    def __call__(self, *features: Feature, **more: Any) -> Office: ...


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scene" not in metafunc.fixturenames:
        return
    asked = os.environ.get("HONGZHU_STAGES", "marked")
    mark = metafunc.definition.get_closest_marker("stages")
    everywhere = asked == "all" or mark is not None
    both = asked == "all" or (mark is not None and mark.kwargs.get("both", False))
    scenes = [n for n in SCENES if n in (PAPER, asked) or (both if n == WECOM_ON_POSTGRES else everywhere)]
    if len(scenes) > 1 and metafunc.definition.get_closest_marker("paper") is None:
        marks = {name: [pytest.mark.postgres] for name in (POSTGRES, WECOM_ON_POSTGRES)}
        metafunc.parametrize("scene", [pytest.param(n, marks=marks.get(n, ())) for n in scenes], indirect=True)


@pytest.fixture
def scene(request: pytest.FixtureRequest) -> str:
    """The name of the stage, or of the database (then on paper)."""
    return str(getattr(request, "param", PAPER))


@pytest.fixture
def open_office(request: pytest.FixtureRequest, scene: str, tmp_path: Path) -> Iterator[OpenOffice]:
    opened: list[Office] = []
    # Asked for here, so that the offices close before their databases are dropped.
    fresh: Callable[[], str] | None = request.getfixturevalue("fresh_database") if scene.endswith(POSTGRES) else None

    def url() -> str:
        return fresh() if fresh else sqlite_url(tmp_path / f"school{len(opened) or ''}")

    def open_(*features: Feature, **more: Any) -> Office:
        stage = STAGES.get(scene.removesuffix(f"-{POSTGRES}"), STAGES[PAPER])()
        facts = {"stage": stage, "secrets": tmp_path / "secrets", **more}
        opened.append(Office(url(), features, **facts))
        return opened[-1]

    yield open_
    for office in reversed(opened):
        office.close()

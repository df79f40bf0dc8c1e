"""The floors of the house hold: each is broken on purpose in a copy of the tree, and the build refuses each."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("bot", "handlers", "scheduler", "storage")

BREAKS = [
    # 1: a lower floor leans on a higher one, or two strangers on one another
    ("storage/broken.py", "import bot.kit", "1 Floors"),
    ("bot/kit/broken.py", "import bot.engine", "1 Floors"),
    ("bot/kit/broken.py", "import handlers", "1 Floors"),
    ("bot/engine/broken.py", "import bot.channels", "1 Floors"),
    ("bot/engine/broken.py", "import scheduler", "1 Floors"),
    ("bot/channels/broken.py", "import bot.console", "1 Floors"),
    ("bot/channels/broken.py", "import handlers", "1 Floors"),
    ("scheduler/broken.py", "import bot.channels", "1 Floors"),
    ("bot/console/broken.py", "import handlers", "1 Floors"),
    ("bot/engine/broken.py", "import bot.config", "1 Floors"),
    ("bot/channels/broken.py", "import bot.logs", "1 Floors"),
    ("handlers/broken.py", "import bot.config", "1 Floors"),
    # 2: a feature looks behind the words
    ("handlers/broken.py", "import bot.engine", "2 Features"),
    ("handlers/broken.py", "import bot.channels", "2 Features"),
    ("handlers/broken.py", "import bot.console", "2 Features"),
    ("handlers/broken.py", "import scheduler", "2 Features"),
    ("handlers/broken.py", "def late():\n    import bot.engine", "2 Features"),
    # 3: a platform, the network or the clock's library below the channels
    ("handlers/broken.py", "import telegram", "3 No platform"),
    ("handlers/broken.py", "from httpx import Client", "3 No platform"),
    ("storage/broken.py", "import aiohttp", "3 No platform"),
    ("storage/broken.py", "import websockets", "3 No platform"),
    ("bot/kit/broken.py", "import apscheduler", "3 No platform"),
    ("bot/engine/broken.py", "from starlette.applications import Starlette", "3 No platform"),
    ("bot/engine/broken.py", "import uvicorn", "3 No platform"),
    # 4: a feature knows another
    ("handlers/first/broken.py", "import handlers.second", "4 Features"),
    ("handlers/first/broken.py", "from handlers.second import feature", "4 Features"),
    ("handlers/first/broken.py", "import handlers.contents", "4 Features"),
    ("handlers/helpers.py", "import handlers.second", "4 Features"),
    # 5: somebody opens the ballot box
    ("handlers/second/broken.py", "from storage import ballots", "5 The ballot box"),
    ("handlers/contents.py", "import storage.ballots", "5 The ballot box"),
    ("storage/broken.py", "import storage.ballots", "5 The ballot box"),
    ("bot/engine/broken.py", "from storage.ballots import open_all", "5 The ballot box"),
    ("bot/console/broken.py", "import storage.ballots", "5 The ballot box"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the tree with two more features, so that they can quarrel."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    for name in ("handlers/first", "handlers/second"):
        add(tmp_path, f"{name}/__init__.py", "")
        add(tmp_path, f"{name}/feature.py", "import bot.kit")
    add(tmp_path, "handlers/contents.py", "import handlers.first.feature\nimport handlers.second")
    add(tmp_path, "handlers/stars/__init__.py", "import storage.ballots")
    add(tmp_path, "storage/ballots.py", "")
    return tmp_path


def add(house: Path, name: str, line: str) -> None:
    path = house / name
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", encoding="utf-8")


def build(house: Path) -> tuple[int, str]:
    """What import-linter answers to that tree: its exit code and its words."""
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as main; main()", "--no-cache"],
        cwd=house,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "", "PYTHONPATH": str(house), "COLUMNS": "200"},
    )
    return run.returncode, run.stdout + run.stderr


def test_the_house_as_it_stands_is_accepted(house):
    code, words = build(house)
    assert code == 0, words
    assert "5 kept, 0 broken" in words


@pytest.mark.parametrize(("file", "line", "contract"), BREAKS, ids=[f"{file}: {line}" for file, line, _ in BREAKS])
def test_a_broken_floor_is_refused(house, file, line, contract):
    add(house, file, line)
    code, words = build(house)
    assert code == 1, words
    refused = [row for row in words.splitlines() if "BROKEN" in row]
    assert any(row.startswith(contract) for row in refused), words


def test_the_contracts_are_the_five_of_the_design():
    words = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert words.count("[[tool.importlinter.contracts]]") == 5

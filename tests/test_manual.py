"""The manual names only what exists: words the bot understands, buttons it shows, settings, commands and files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.config import KEYS, SECRETS
from bot.config_sources import variable
from bot.engine.router import Router, build
from handlers.contents import FEATURES
from handlers.notices.questions import read_any
from tests.catalogue import sentences

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs" / "manual").glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
MANUAL = [page for page in PAGES if page.parent.name == "manual"]
HANDS = [page for page in MANUAL if page.stem in ("secretary", "teacher")]  # where bold words are buttons
MADE_LATER = {"config.toml", "data/", "data/secrets", ".venv/bin/python"}  # files that a running school has
BLOCK = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
SETTING = re.compile(r"\[(\w+)\] (\w+)")


@cache
def router() -> Router:
    return build(FEATURES)


@cache
def shown() -> frozenset[str]:
    """Every sentence and label of the program."""
    return frozenset(sentences())


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def quoted(page: Path) -> Iterator[str]:
    """What stands in backticks, but for the names of other people's things (/newbot, @BotFather, git pull)."""
    for word in CODE.findall(prose(page)):
        if not word.startswith(("/", "@", "git ")) and word != "这样的字":
            yield word


def is_understood(word: str) -> bool:
    """A command, or a phrase of some feature; one that takes any words at all (a quoted question) proves nothing."""
    phrases = [phrase for feature in FEATURES for phrase in feature.phrases if phrase.read is not read_any]
    return router().command(word) is not None or any(phrase.read(word) is not None for phrase in phrases)


def exists(word: str) -> bool:
    """A setting, a variable of the environment, a command of the shell, a file; else it must be a word to type."""
    setting = SETTING.fullmatch(word)
    if setting:
        return setting[2] in KEYS.get(setting[1], ())
    if word.startswith("HONGZHU_"):
        names = {variable((section, key)) for section, keys in KEYS.items() for key in keys}
        secret = {variable(key) for key in SECRETS}
        return word in names | secret | {f"{name}_FILE" for name in secret}
    if word.startswith(("python -m bot", "make ")):
        return runs(word)
    if word in MADE_LATER or (ROOT / word).exists():
        return True
    return is_understood(word)


def runs(line: str) -> bool:
    if line.startswith("make "):
        target = line.split()[1]
        return re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE) is not None
    words = line.split()[3:]
    helped = CliRunner().invoke(app, [*words[:1], "--help"], env={"COLUMNS": "200"})
    return helped.exit_code == 0 and all(word in helped.output for word in words if word.startswith("--"))


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
def test_every_word_of_the_manual_exists(page: Path) -> None:
    assert list(quoted(page))
    assert [word for word in quoted(page) if not exists(word)] == []


@pytest.mark.parametrize("page", HANDS, ids=lambda page: page.stem)
def test_every_button_of_the_manual_is_shown_somewhere(page: Path) -> None:
    """But for **打** and its like, at the head of a point, and for whole sentences."""
    bold = [word for head, word in re.findall(r"(^- )?\*\*(.+?)\*\*", prose(page), re.MULTILINE) if not head]
    labels = [word for word in bold if word != "这样的字" and not word.endswith(("。", "上"))]
    assert labels
    assert [label for label in labels if label not in shown()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_line_runs(page: Path) -> None:
    lines = [found.strip() for found in re.findall(r"python -m bot[^`\n|]*", page.read_text(encoding="utf-8"))]
    lines += [f"make {target}" for target in re.findall(r"`make (\w+)", page.read_text(encoding="utf-8"))]
    assert [line for line in lines if not runs(line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_and_every_test_it_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not (page.parent / link).exists()]
    tests = [
        name
        for name in re.findall(r"tests/[\w/]+(?:\.py)?(?:::\w+)?", text)
        if not _is_there(name) and "test_x" not in name
    ]
    assert links + tests == []


def _is_there(name: str) -> bool:
    file, _colons, test = name.partition("::")
    return (ROOT / file).exists() and (not test or f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"))


def test_the_picture_is_small() -> None:
    assert 20_000 < (ROOT / "docs" / "screenshot.png").stat().st_size < 200_000

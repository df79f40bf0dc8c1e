"""Every crash point there is, read from the source: a new ``cp("...")`` is covered by itself."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("bot", "scheduler", "storage")
CALL = re.compile(r"""\bcp\(\s*["']([a-z_.]+)["']\s*\)""")

ONCE = {"desk.owned"}
"""Passed once in the life of a process."""
NOT_THERE = {"wecom": {"postman.edited", "postman.shown"}}
"""A card in a group is never changed there; the end of that road is walked on Telegram."""
RARE = {"wecom": {"postman.editing"}}
"""Passed only with a last state, so that in a short campaign nobody need have been killed there."""


def all_points(channel: str = "telegram") -> list[str]:
    """Of the whole program but the other channels: no update comes by their road here."""
    found: set[str] = set()
    for floor in FLOORS:
        for file in (ROOT / floor).rglob("*.py"):
            parts = file.relative_to(ROOT).parts
            if parts[:2] != ("bot", "channels") or parts[2] in (channel, "clean.py", "choices.py"):
                found |= set(CALL.findall(file.read_text(encoding="utf-8")))
    return sorted(found - NOT_THERE.get(channel, set()))

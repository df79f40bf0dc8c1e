"""How much is measured, and where its databases lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Plan:
    folder: Path
    rounds: int
    quick: bool

    @property
    def complaints(self) -> Path:
        """What the children said on standard error."""
        return self.folder / "complaints.txt"

    def fresh(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

"""Slow work, in a child of its own: a paper's words into files. Bytes in, bytes out."""

from __future__ import annotations

import msgspec

from bot.kit import papers

Note = dict[str, int | str]


def make(payload: bytes, note: Note) -> dict[str, bytes]:
    """The paper as ``docx``, and where the note asks for it as ``xlsx``."""
    paper = msgspec.json.decode(payload, type=papers.Paper)
    made = {"docx": papers.docx(paper)}
    return {**made, "xlsx": papers.xlsx(paper)} if note.get("xlsx") else made

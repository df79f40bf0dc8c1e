"""What has to be translated: every sentence in ``_()`` and ``N_()``, as Babel finds it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
LANGUAGES = ("zh_TW", "en")
KEYWORDS = {"_": None, "N_": None}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]


def sentences() -> Iterator[str]:
    """The Chinese sentences of the program, each once."""
    seen: set[str] = set()
    for package in ("bot", "handlers", "scheduler", "storage"):
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / package), METHODS, keywords=KEYWORDS, directory_filter=lambda path: "__pycache__" not in path
        ):
            for text in [message] if isinstance(message, str) else message:
                if text and text not in seen:
                    seen.add(text)
                    yield text


def po_file(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / "hongzhu.po"


def read(language: str) -> Catalog:
    with open(po_file(language), "rb") as file:
        return read_po(file, locale=language)


def update(language: str, translations: dict[str, str]) -> None:
    """Writes the catalogue anew: today's sentences, with what is known of them."""
    known = {str(m.id): str(m.string) for m in read(language) if m.id} if po_file(language).exists() else {}
    catalogue = Catalog(locale=language, project="hongzhu", fuzzy=False)
    for text in sorted(sentences()):
        catalogue.add(text, translations.get(text, known.get(text, "")))
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=0, omit_header=False, sort_output=False)
    po_file(language).parent.mkdir(parents=True, exist_ok=True)
    po_file(language).write_bytes(buffer.getvalue())


def compiled(language: str) -> bytes:
    """The catalogue as the program reads it."""
    buffer = io.BytesIO()
    write_mo(buffer, read(language))
    return buffer.getvalue()


def main() -> None:
    """``python -m tests.catalogue``: takes up new sentences, drops old ones, compiles, and says what is missing."""
    for language in LANGUAGES:
        update(language, {})
        po_file(language).with_suffix(".mo").write_bytes(compiled(language))
        missing = [str(message.id) for message in read(language) if message.id and not message.string]
        print(f"{language}: {len(missing)} 句还没有译文", *missing, sep="\n  ")


if __name__ == "__main__":
    main()

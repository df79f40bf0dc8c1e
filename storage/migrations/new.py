"""Writes the next migration from the difference between the shelves and a database at the last one. For developers.

python -m storage.migrations.new "notices: a column for the agenda"
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import storage
from storage import migrate


def import_shelves() -> None:
    """Every noun, by name of its file: a tool for developers may discover, the product may not."""
    for module in pkgutil.iter_modules(storage.__path__):
        importlib.import_module(f"storage.{module.name}")


def main(message: str) -> None:
    import_shelves()
    number = f"{int(migrate.HEAD) + 1:04d}" if any((migrate.SCRIPTS / "versions").glob("0*.py")) else migrate.HEAD
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{Path(folder) / 'empty.db'}")
        config = Config()
        config.set_main_option("script_location", str(migrate.SCRIPTS))
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            command.revision(config, message, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1])

"""Run by Alembic: the connection is handed in by ``storage.migrate``."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from storage.base import Instant, metadata


def _plain(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A migration outlives our types: what it makes is written in SQLAlchemy's own."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Instant) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_item=_plain,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()

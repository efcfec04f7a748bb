"""Alembic's entry: run the migrations on the connection that `ingest.storage.state.database` hands over."""

from __future__ import annotations

from alembic import context

from ingest.storage.state import case_rows, warning_tables  # noqa: F401  their tables are on METADATA, too
from ingest.storage.state.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()

"""Alembic's entry: run the migrations on the connection that `ingest.state.database` hands over."""

from __future__ import annotations

from alembic import context

from ingest.state.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()

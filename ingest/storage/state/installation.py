"""The installation a state database belongs to."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state import tables as t
from ingest.storage.state.database import Database


class InstallationStore:
    """The single row of table `installation`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def read(self) -> str | None:
        """The id; None if there is none."""
        found: str | None = self._db.scalar(sa.select(t.installation.c.id))
        return found

    def mark(self, installation: str) -> None:
        """Assign a database without an installation id to that installation."""
        with self._db.write() as connection:
            connection.execute(sa.insert(t.installation), {"id": installation})

    def empty(self) -> bool:
        """Whether no engine ever committed anything here."""
        return not self._db.rows(sa.select(t.engine_state.c.one))

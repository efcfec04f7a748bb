"""Whatever is not as it was written is named, on either system, and nothing else."""

from __future__ import annotations

import sqlalchemy as sa

from ingest.storage.state.config import StateConfig
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.integrity import check_state, rows_of
from ingest.storage.state.read_only import reading
from tests.ingest.storage.state.test_store import event


def test_a_table_that_cannot_be_read_spoils_no_other(state: StateConfig, database: Database) -> None:
    EngineStore(database).commit(7, [event()], [])
    seen: list[int] = []
    with reading(state) as connection:
        assert list(check_state(connection, seen.append)) == []
        assert sum(seen) == rows_of(connection)
    with database.write() as writing:
        writing.execute(sa.text("DROP TABLE outbox"))
    after: list[int] = []
    with reading(state) as connection:
        (fault,) = check_state(connection, after.append)
        assert "outbox" in fault
        assert sum(after) == sum(seen) == rows_of(connection)

"""How far the engine is, read off the state database from outside: nothing is written, migrated or locked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.state.errors import StateUnavailable


@dataclass(frozen=True, slots=True)
class EngineAt:
    """The newest journal entry the engine has committed, and the newest it needs no more for a restart."""

    cursor: int
    snapshot_cursor: int


def engine_at(path: Path) -> EngineAt:
    """How far the engine is; at 0 if it never ran. Raises StateUnavailable if the file is there and cannot be read."""
    if not path.exists():
        return EngineAt(0, 0)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            row = connection.execute("SELECT cursor, snapshot_cursor FROM engine_state").fetchone()
    except sqlite3.Error as error:
        raise StateUnavailable(f"{path}: {error}") from error
    return EngineAt(*row) if row else EngineAt(0, 0)

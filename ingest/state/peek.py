"""How far the engine is, read off the state database from outside: nothing is written, migrated or locked."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest.state.config import StateConfig
from ingest.state.errors import StateUnavailable

_QUERY = "SELECT cursor, snapshot_cursor FROM engine_state"


@dataclass(frozen=True, slots=True)
class EngineAt:
    """The newest journal entry the engine has committed, and the newest it needs no more for a restart."""

    cursor: int
    snapshot_cursor: int


def engine_at(config: StateConfig) -> EngineAt:
    """How far the engine is; at 0 if it never ran.

    Raises:
        StateUnavailable: the database is there and cannot be read.
        LookupError: a secret is not where the settings say.
    """
    row = _in_file(config.path) if config.server is None else _at_server(config)
    return EngineAt(*row) if row else EngineAt(0, 0)


def _in_file(path: Path) -> tuple[int, ...] | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            row: tuple[int, ...] | None = connection.execute(_QUERY).fetchone()
    except sqlite3.Error as error:
        raise StateUnavailable(f"{path}: {error}") from error
    return row


def _at_server(config: StateConfig) -> tuple[int, ...] | None:
    from ingest.state.postgresql import peek  # noqa: PLC0415  only the driver in use is loaded

    return peek(config, _QUERY)

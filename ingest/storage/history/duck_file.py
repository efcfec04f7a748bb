"""One DuckDB file: its settings and tables, transactions, and queries of a consistent committed state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
from numpy.typing import NDArray

from ingest.base.closing import closed_on_failure
from ingest.storage.history.config import DuckDBConfig
from ingest.storage.history.duck_rollups import ROLLUPS, TABLES
from ingest.storage.history.duck_snapshot import MOST_LOG, FileSnapshot
from ingest.storage.history.errors import HistoryUnavailable

Ask = Callable[[str, Mapping[str, object]], dict[str, NDArray[Any]]]
"""Asks a query with its values; the columns of the answer by their names."""

_NEVER: Final = {"wal_autocheckpoint": "999 TB", "auto_checkpoint_skip_wal_threshold": str(1 << 60)}

SPILL: Final = "1GB"
"""Most temporary disk space of a query that does not fit into memory: the journal needs the disk."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS series (
    id INTEGER PRIMARY KEY, plant VARCHAR NOT NULL, point VARCHAR NOT NULL, signal VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS marks (write BIGINT NOT NULL, first_entry BIGINT NOT NULL, received BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS readings (
    write BIGINT NOT NULL, series INTEGER NOT NULL, time BIGINT NOT NULL, value DOUBLE, quality USMALLINT NOT NULL
);
CREATE TABLE IF NOT EXISTS stale (series INTEGER NOT NULL, minute BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (readings BIGINT NOT NULL, rollups BIGINT NOT NULL, rolled_to BIGINT NOT NULL);
ALTER TABLE kept ADD COLUMN IF NOT EXISTS days_to BIGINT DEFAULT 0;
CREATE TABLE IF NOT EXISTS alarms (
    event_id UUID PRIMARY KEY, time BIGINT NOT NULL, plant VARCHAR NOT NULL, point VARCHAR NOT NULL,
    rule VARCHAR NOT NULL, level UTINYINT NOT NULL, event VARCHAR NOT NULL, id UUID NOT NULL, state VARCHAR NOT NULL,
    title VARCHAR NOT NULL, title_en VARCHAR NOT NULL, unit VARCHAR NOT NULL, "limit" DOUBLE NOT NULL, value DOUBLE
);
ALTER TABLE alarms ADD COLUMN IF NOT EXISTS phase VARCHAR;
CREATE TABLE IF NOT EXISTS alarm_metrics (
    position VARCHAR NOT NULL, time BIGINT NOT NULL, raised INTEGER NOT NULL, level_1 INTEGER NOT NULL,
    level_2 INTEGER NOT NULL, hidden INTEGER NOT NULL, flood_s DOUBLE NOT NULL, standing_1 INTEGER, standing_2 INTEGER,
    unacknowledged INTEGER, stale INTEGER, chattering INTEGER, PRIMARY KEY (position, time)
);
CREATE TABLE IF NOT EXISTS phases (
    plant VARCHAR NOT NULL, equipment VARCHAR NOT NULL, time BIGINT NOT NULL, phase VARCHAR NOT NULL,
    number INTEGER NOT NULL, PRIMARY KEY (plant, equipment, time)
);
CREATE TABLE IF NOT EXISTS warnings (
    event_id UUID PRIMARY KEY, time BIGINT NOT NULL, plant VARCHAR NOT NULL, event VARCHAR NOT NULL, id UUID NOT NULL,
    colour VARCHAR, rank UTINYINT NOT NULL, peak VARCHAR NOT NULL, state VARCHAR NOT NULL, step VARCHAR NOT NULL,
    asking VARCHAR, risk DOUBLE NOT NULL
);
CREATE VIEW IF NOT EXISTS readings_by_name AS
    SELECT make_timestamp_ns(time) AS time, plant, point, signal, value, quality
    FROM readings JOIN series ON series.id = readings.series;
"""

_ROLLUPS: Final = """
CREATE TABLE IF NOT EXISTS {0} (
    series INTEGER NOT NULL, time BIGINT NOT NULL, low DOUBLE, mean DOUBLE, high DOUBLE, valued INTEGER NOT NULL,
    count INTEGER NOT NULL
);
CREATE VIEW IF NOT EXISTS {0}_by_name AS
    SELECT make_timestamp_ns(time) AS time, plant, point, signal, low, mean, high, valued, count
    FROM {0} JOIN series ON series.id = {0}.series;
"""


class DuckFile:
    """The file, opened by this process alone. Writes are serialized; every query has a cursor of its own.

    Raises:
        HistoryUnavailable: by every method: a full disk, a locked or broken file. The data are never at fault.
    """

    def __init__(self, config: DuckDBConfig) -> None:
        self._path = config.path
        self._lock = threading.Lock()
        self._hold = FileSnapshot(config.path)
        self._log = config.path.with_name(f"{config.path.name}.wal")
        self._held = self._refused = False
        with self._available():
            config.path.parent.mkdir(parents=True, exist_ok=True)
            self._db = duckdb.connect(str(config.path), config=options(config))
            with closed_on_failure(self._db.close):
                self._db.execute(_SCHEMA)
                for resolution in ROLLUPS:
                    self._db.execute(_ROLLUPS.format(TABLES[resolution]))

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction: everything written in it is committed, or nothing."""
        with self._lock, self._available():
            self._db.execute("BEGIN")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                with suppress(duckdb.Error):  # a COMMIT that failed has rolled back already
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[Ask]:
        """Run several queries on the same committed state; from any thread, also during writes."""
        with self._available(), self._db.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield lambda sql, values: cursor.execute(sql, values).fetchnumpy()

    def query(self, sql: str, values: Mapping[str, object] | None = None) -> dict[str, NDArray[Any]]:
        """The columns of one query's answer, by name."""
        with self.snapshot() as ask:
            return ask(sql, values or {})

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one query's answer, as Python's own types."""
        with self._available(), self._db.cursor() as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(sql).fetchall()
            return found

    def checkpoint(self) -> bool:
        """Write the log into the file, so that deleted data free their space.

        Returns False if that is not possible now: the file is being copied, or a query is running.
        """
        with self._lock, self._available():
            if self._held:
                return False
            try:
                self._db.execute("CHECKPOINT")
            except duckdb.TransactionException as error:
                if "transactions active" not in str(error):
                    raise
                return False
            return True

    def check_for_copy(self) -> None:
        """Stop checkpoints while somebody copies the file (see `duck_snapshot`), unless the copy takes too long."""
        with self._lock, self._available():
            if not self._hold.wanted():
                self._refused = False
                self._set_checkpoints(on=True)
            elif self._held and _size(self._log) > MOST_LOG:
                self._refused = True
                self._set_checkpoints(on=True)
            elif not self._refused and not (self._held and self._hold.announced()):
                self._db.execute("CHECKPOINT")
                self._set_checkpoints(on=False)
                self._hold.announce()

    @contextmanager
    def attached(self, path: Path, name: str) -> Iterator[None]:
        """Attach another file under that name; one transaction writes to one of the files only."""
        with self._lock, self._available():
            self._db.execute(f"ATTACH '{quoted(path)}' AS {name}")
        try:
            yield
        finally:
            with self._lock, self._available():
                self._db.execute(f"DETACH {name}")

    def close(self) -> None:
        """Checkpoint and close the file."""
        with self._lock, self._available():
            self._db.close()

    def _set_checkpoints(self, *, on: bool) -> None:
        if self._held is on:
            for name in _NEVER:
                self._db.execute(f"RESET GLOBAL {name}" if on else f"SET GLOBAL {name} = '{_NEVER[name]}'")
            self._held = not on

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError) as error:
            raise HistoryUnavailable(f"{self._path}: {error}") from error


@contextmanager
def named(db: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, NDArray[Any]]) -> Iterator[None]:
    """Register these columns as a table of that name for the statements inside."""
    db.register(name, columns)
    try:
        yield
    finally:
        db.unregister(name)


def quoted(path: Path) -> str:
    """Escape a path for use between single quotes in a statement."""
    return str(path).replace("'", "''")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def options(config: DuckDBConfig) -> dict[str, str | bool | int | float | list[str]]:
    """The configuration of DuckDB itself."""
    return {
        "autoinstall_known_extensions": "false",  # nothing is fetched from the network, whatever a query names
        "memory_limit": f"{config.memory_mb}MiB",
        "threads": str(config.threads),
        "temp_directory": f"{config.path}.tmp",
        "max_temp_directory_size": SPILL,
    }

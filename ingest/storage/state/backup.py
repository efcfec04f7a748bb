"""Copies a SQLite state database as of one moment, while the service writes to it; prepares a copy for restoring."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from ingest.storage.state import tables as t
from ingest.storage.state.errors import StateUnavailable
from ingest.storage.state.read_only import ENGINE_AT, EngineProgress, open_file
from ingest.storage.state.warning_tables import warning, warning_event

_PAGES: Final = 1024  # copied at a time

BEYOND: Final = 1_000_000
"""Numbers of events skipped after a restore: some of them were given, and seen by others, after the backup."""

_COUNTED: Final = {"alarms": t.alarm, "warnings": warning, "audit": t.audit}


class HeldState:
    """A read transaction on the database: it sees the state of one moment, and later writes go on beside it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def pages(self) -> int:
        """The number of pages to copy."""
        with _translated_errors(self._path):
            return int(self._connection.execute("PRAGMA page_count").fetchone()[0])

    def engine_at(self) -> EngineProgress:
        """The engine's progress in the journal."""
        with _translated_errors(self._path):
            row = self._connection.execute(ENGINE_AT).fetchone()
        return EngineProgress(*row) if row else EngineProgress(0, 0)

    def copy(self, target: Path, seen: Callable[[int], None]) -> None:
        """Copy the database to a new file, synced, without WAL files; `seen` is called with the pages just copied.

        Raises:
            StateUnavailable: it cannot be read, or the new file not be written.
        """
        before = 0

        def progress(_status: int, remaining: int, total: int) -> None:
            nonlocal before
            seen(total - remaining - before)
            before = total - remaining

        with _translated_errors(target), closing(sqlite3.connect(target)) as made:
            self._connection.backup(made, pages=_PAGES, progress=progress)
            made.execute("PRAGMA journal_mode = DELETE")  # such a file can be read where nothing can be written


@contextmanager
def held_state(path: Path) -> Iterator[HeldState]:
    """Begin a read transaction on the database. Raises StateUnavailable."""
    with _translated_errors(path), closing(open_file(path)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a transaction begins with its first read
        yield HeldState(path, connection)


def count_state(path: Path) -> Mapping[str, int]:
    """Count the alarms, warnings and audit rows of a copy. Raises StateUnavailable."""
    with _translated_errors(path), closing(open_file(path)) as connection:
        return {
            name: int(connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608  our names
            for name, table in _COUNTED.items()
        }


def skip_numbers(path: Path) -> None:
    """Make event numbers go on well beyond the last: those given after the backup were seen by others.

    Raises:
        StateUnavailable: the file cannot be written.
    """
    with _translated_errors(path), closing(sqlite3.connect(path)) as connection, connection:
        for table in (t.alarm_event, warning_event):
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            last = found[0] if found else 0
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last + BEYOND))


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateUnavailable(f"{path}: {error}") from error

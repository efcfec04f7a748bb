"""A copy of a SQLite state database as it is at one moment, whoever writes to it meanwhile, and its way back."""

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
"""Numbers of events left out after a restore: some of them were given, and seen by others, after the backup."""

_COUNTED: Final = {"alarms": t.alarm, "warnings": warning, "audit": t.audit}


class HeldState:
    """The database as it was when this was made; later writes go on beside it and are not seen here."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def pages(self) -> int:
        """How many pages there are to copy."""
        with _told(self._path):
            return int(self._connection.execute("PRAGMA page_count").fetchone()[0])

    def engine_at(self) -> EngineProgress:
        """How far the engine had come in the journal."""
        with _told(self._path):
            row = self._connection.execute(ENGINE_AT).fetchone()
        return EngineProgress(*row) if row else EngineProgress(0, 0)

    def copy(self, target: Path, seen: Callable[[int], None]) -> None:
        """Write it to a new file, synced and without companions; `seen` is called with pages copied just now.

        Raises:
            StateUnavailable: it cannot be read, or the new file not be written.
        """
        before = 0

        def progress(_status: int, remaining: int, total: int) -> None:
            nonlocal before
            seen(total - remaining - before)
            before = total - remaining

        with _told(target), closing(sqlite3.connect(target)) as made:
            self._connection.backup(made, pages=_PAGES, progress=progress)
            made.execute("PRAGMA journal_mode = DELETE")  # such a file can be read where nothing can be written


@contextmanager
def held_state(path: Path) -> Iterator[HeldState]:
    """Hold the database as it is now. Raises StateUnavailable."""
    with _told(path), closing(open_file(path)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a transaction begins with its first read
        yield HeldState(path, connection)


def count_state(path: Path) -> Mapping[str, int]:
    """What a copy holds: alarms, warnings, rows of the audit trail. Raises StateUnavailable."""
    with _told(path), closing(open_file(path)) as connection:
        return {
            name: int(connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0])  # noqa: S608  our names
            for name, table in _COUNTED.items()
        }


def leave_out_numbers(path: Path) -> None:
    """Let events go on well beyond the last number: those after the backup were given, too, and others have seen them.

    Raises:
        StateUnavailable: the file cannot be written.
    """
    with _told(path), closing(sqlite3.connect(path)) as connection, connection:
        for table in (t.alarm_event, warning_event):
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table.name,)).fetchone()
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table.name,))
            last = found[0] if found else 0
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table.name, last + BEYOND))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StateUnavailable(f"{path}: {error}") from error

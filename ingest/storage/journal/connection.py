"""Opens connections to the journal's file and translates SQLite's errors.

Several may write, also from other processes (`yujing journal trim`): apsw brings a SQLite of its own, newer than
3.51.3, so it has not the bug by which two connections can damage a WAL database (sqlite.org/wal.html#walresetbug).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import apsw

from ingest.base.closing import closed_on_failure
from ingest.storage.journal.errors import JournalBroken, JournalFull, JournalUnavailable
from ingest.storage.journal.schema import prepare

BUSY_MS: Final = 5000
_WAL_LIMIT: Final = 16 << 20
"""Bytes the write-ahead log keeps once it was checkpointed: it grows with the longest reader and must shrink again."""

_PASSING: Final = (
    apsw.BusyError,
    apsw.LockedError,
    apsw.CantOpenError,
    apsw.ReadOnlyError,
    apsw.PermissionsError,
    apsw.ProtocolError,
    apsw.NoMemError,
)


def open_writer(path: Path) -> apsw.Connection:
    """Open or create the file, update its schema, and sync what a crash left unsynced.

    Raises:
        JournalUnavailable: it cannot be opened or written now, or a newer version wrote it.
        JournalBroken: it is no journal, or damaged.
    """
    with translated_errors(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"{path}: {error}") from error
        connection = apsw.Connection(str(path))
        with closed_on_failure(connection.close):
            connection.set_busy_timeout(BUSY_MS)
            prepare(connection, path)
            connection.pragma("synchronous", "full")
            connection.pragma("journal_size_limit", _WAL_LIMIT)
            # After a failed fsync the system may believe that pages are on disk which are not. Copying the log into the
            # file writes and syncs them anew. On a full disk that waits for the next checkpoint: it is retried then.
            with suppress(apsw.FullError):
                connection.pragma("wal_checkpoint", "truncate")
    return connection


def open_reader(path: Path) -> apsw.Connection:
    """Open the file read-only; it neither writes nor checkpoints. Raises as `open_writer`."""
    with translated_errors(path):
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(BUSY_MS)
    return connection


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Translate SQLite's errors into the journal's, naming the file."""
    try:
        yield
    except apsw.Error as error:
        raise translated(path, error) from error


def translated(path: Path, error: apsw.Error) -> JournalUnavailable | JournalBroken:
    """Return the journal's error that stands for SQLite's."""
    return _meaning(error)(f"{path}: {error}")


def _meaning(error: apsw.Error) -> type[JournalUnavailable | JournalBroken]:
    # A log's index that cannot grow is a full disk, too, and nothing was written yet.
    if isinstance(error, apsw.FullError) or getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_SHMSIZE:
        return JournalFull
    return JournalUnavailable if isinstance(error, _PASSING) else JournalBroken

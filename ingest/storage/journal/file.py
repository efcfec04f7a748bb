"""The journal's file: one writing connection, one reading connection per thread, and translated errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

import apsw

from ingest.storage.journal.connection import open_reader, open_writer, translated, translated_errors
from ingest.storage.journal.errors import JournalBroken

AT_ONCE: Final = 1_000
"""Rows deleted in one transaction: few enough that no commit waits for long and the write-ahead log stays small."""


class JournalFile:
    """Runs transactions and queries on the file. Safe to use from any thread.

    After a failed sync nothing is written any more; `broken` holds the reason.
    """

    def __init__(self, path: Path, rolled_back: Callable[[], None]) -> None:
        """Open or create the file; `rolled_back` is called when a transaction failed.

        Raises:
            JournalUnavailable: it cannot be opened or written now.
            JournalBroken: it is no journal, damaged, or written by a newer version.
        """
        self._path = path
        self._rolled_back = rolled_back
        self._lock = threading.Lock()
        self._local = threading.local()
        self._readers: WeakSet[apsw.Connection] = WeakSet()  # a thread's own ends with it
        self.broken: JournalBroken | None = None
        self._writer = open_writer(path)

    @contextmanager
    def transaction(self) -> Iterator[apsw.Cursor]:
        """Run one transaction: all of it is written and synced to disk, or nothing.

        Raises:
            JournalUnavailable: nothing was written.
            JournalBroken: it may be written or not; nothing is written any more.
        """
        with self._lock:
            if self.broken is not None:
                # SQLite, or the system below it, may take what a failed sync left unwritten for written.
                raise JournalBroken(*self.broken.args)
            try:
                self._writer.execute("BEGIN IMMEDIATE")
                try:
                    yield self._writer.cursor()
                    self._writer.execute("COMMIT")
                except BaseException:
                    self._rolled_back()
                    if self._writer.in_transaction:
                        with suppress(apsw.Error):  # the first error is the one to report
                            self._writer.execute("ROLLBACK")
                    raise
            except JournalBroken as error:
                self.broken = error
                raise
            except apsw.Error as error:
                known = translated(self._path, error)
                self.broken = known if isinstance(known, JournalBroken) else None
                raise known from error

    @contextmanager
    def reading(self) -> Iterator[apsw.Cursor]:
        """A cursor of this thread's read-only connection; closed at the end, since an open one blocks checkpoints."""
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = open_reader(self._path)
            self._local.connection = connection
            self._readers.add(connection)
        cursor = connection.cursor()
        try:
            with translated_errors(self._path):
                yield cursor
        finally:
            cursor.close(force=True)

    def rows(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows of the query."""
        with self.reading() as cursor:
            return cursor.execute(query, values).fetchall()

    def scalar(self, query: str, values: tuple[Any, ...] = ()) -> Any:
        """The single value of the query."""
        return self.rows(query, values)[0][0]

    def delete(self, table: str, condition: str, value: int) -> int:
        """Delete the rows that meet the condition, oldest first, in steps between which others can commit."""
        deleted = 0
        while True:
            with self.transaction() as cursor:
                cursor.execute(
                    f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {condition} ORDER BY id LIMIT ?)",  # noqa: S608
                    (value, AT_ONCE),
                )
                changes = int(self._writer.changes())
            deleted += changes
            if changes < AT_ONCE:
                return deleted

    def give_back(self, *, keep: float) -> None:
        """Release unused space of the file to the disk, except for a share `keep` that is soon needed again."""
        while True:
            with self.transaction(), translated_errors(self._path):
                pages, free = self._writer.pragma("page_count"), self._writer.pragma("freelist_count")
                if free <= keep * pages:
                    return
                self._writer.execute(f"PRAGMA incremental_vacuum({AT_ONCE})").fetchall()
                if self._writer.pragma("freelist_count") == free:
                    return  # a file of an earlier version: `rebuild` converts it

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the file as far as no reader blocks it."""
        with self._lock, translated_errors(self._path):
            self._writer.pragma("wal_checkpoint", "truncate")

    def rebuild(self) -> None:
        """Rewrite the file without unused space; needs as much free space again, and blocks all writers meanwhile."""
        with self._lock, translated_errors(self._path):
            self._writer.pragma("auto_vacuum", "incremental")
            self._writer.execute("VACUUM")

    def close(self) -> None:
        """Close every connection; the log stays."""
        for connection in (*self._readers, self._writer):
            connection.close()

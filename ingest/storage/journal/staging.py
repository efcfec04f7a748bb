"""Table `backfill`: back-fill on disk that no reader has seen yet, and its recovery from damaged pages."""

from __future__ import annotations

import time
from collections.abc import Sequence

import apsw

from ingest.base.telemetry import emit
from ingest.storage.journal.damage import BackfillDamaged
from ingest.storage.journal.errors import JournalBroken
from ingest.storage.journal.file import JournalFile
from ingest.storage.journal.records import Staged
from ingest.storage.journal.schema import TABLES


class Staging:
    """Back-fill staged until no live readings are pending. Safe to use from any thread."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        try:
            self._waiting = self._sum_waiting()
        except JournalBroken:  # a page of it
            self._recover()

    @property
    def waiting(self) -> int:
        """The number of staged readings."""
        return self._waiting

    def write(self, cursor: apsw.Cursor, backfill: Sequence[Staged], fed: Sequence[Staged]) -> None:
        """Add pieces and delete those that became part of an entry; call `written` once that is committed."""
        if fed:
            cursor.executemany("DELETE FROM backfill WHERE id = ?", ((piece.id,) for piece in fed))
        if backfill:
            cursor.executemany(
                "INSERT INTO backfill (received, size, body) VALUES (?, ?, ?)",
                ((piece.received, piece.size, piece.body) for piece in backfill),
            )

    def written(self, backfill: Sequence[Staged], fed: Sequence[Staged]) -> None:
        """Update the count after `write` was committed."""
        if backfill or fed:
            self._waiting += sum(piece.size for piece in backfill) - sum(piece.size for piece in fed)

    def read(self, limit: int) -> list[Staged]:
        """The oldest pieces: at least one if there is any, up to about `limit` readings."""
        found: list[Staged] = []
        size = 0
        try:
            with self._file.reading() as cursor:
                for row in cursor.execute("SELECT id, received, size, body FROM backfill ORDER BY id"):
                    found.append(Staged(*row))
                    size += found[-1].size
                    if size >= limit:
                        break
        except JournalBroken:
            if not found:  # else they are taken first
                self._recover()
        return found

    def _recover(self) -> None:
        """Replace a damaged table by its readable rows; the damaged one is kept under another name, and reported.

        Nothing can be deleted from such a table, nor can it be dropped: both would read its pages. A connection that
        has met one can write no more, so the readers' connection finds them.
        """
        newest = int(self._file.scalar("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'backfill'"))
        sound, lost = [], 0
        for number in range(1, newest + 1):
            try:
                sound += self._file.rows("SELECT id FROM backfill WHERE id = ? AND length(hex(body)) >= 0", (number,))
            except JournalBroken:
                lost += 1
        damaged = f"backfill_damaged_{time.time_ns()}"
        with self._file.transaction() as cursor:
            cursor.execute(f"ALTER TABLE backfill RENAME TO {damaged}")
            cursor.execute(TABLES)
            cursor.executemany(f"INSERT INTO backfill SELECT * FROM {damaged} WHERE id = ?", sound)  # noqa: S608
        emit(BackfillDamaged(damaged, lost))
        self._waiting = self._sum_waiting()

    def _sum_waiting(self) -> int:
        return int(self._file.scalar("SELECT coalesce(sum(size), 0) FROM backfill"))

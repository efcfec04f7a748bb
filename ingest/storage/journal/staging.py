"""Back-fill on disk that no reader has seen yet: table `backfill`, and the way round pages of it that are damaged."""

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
    """What waits until nothing live does. Safe to use from any thread."""

    def __init__(self, file: JournalFile) -> None:
        self._file = file
        try:
            self._waiting = self._sum_waiting()
        except JournalBroken:  # a page of it
            self._renew()

    @property
    def waiting(self) -> int:
        """How many readings are staged."""
        return self._waiting

    def write(self, cursor: apsw.Cursor, backfill: Sequence[Staged], fed: Sequence[Staged]) -> None:
        """Add pieces and take out those that became part of an entry; `written` is to follow once that is on disk."""
        if fed:
            cursor.executemany("DELETE FROM backfill WHERE id = ?", ((piece.id,) for piece in fed))
        if backfill:
            cursor.executemany(
                "INSERT INTO backfill (received, size, body) VALUES (?, ?, ?)",
                ((piece.received, piece.size, piece.body) for piece in backfill),
            )

    def written(self, backfill: Sequence[Staged], fed: Sequence[Staged]) -> None:
        """What `write` did is on disk."""
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
                self._renew()
        return found

    def _renew(self) -> None:
        """Go on with what can be read of back-fill on damaged pages; the rest is kept in a table of its own, and told.

        Nothing can be deleted from such a table, nor can it be dropped: both would read its pages. A connection that
        has met one can write no more, so the readers' looks for them.
        """
        newest = int(self._file.one("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'backfill'"))
        sound, lost = [], 0
        for number in range(1, newest + 1):
            try:
                sound += self._file.rows("SELECT id FROM backfill WHERE id = ? AND length(hex(body)) >= 0", (number,))
            except JournalBroken:
                lost += 1
        aside = f"backfill_damaged_{time.time_ns()}"
        with self._file.transaction() as cursor:
            cursor.execute(f"ALTER TABLE backfill RENAME TO {aside}")
            cursor.execute(TABLES)
            cursor.executemany(f"INSERT INTO backfill SELECT * FROM {aside} WHERE id = ?", sound)  # noqa: S608
        emit(BackfillDamaged(aside, lost))
        self._waiting = self._sum_waiting()

    def _sum_waiting(self) -> int:
        return int(self._file.one("SELECT coalesce(sum(size), 0) FROM backfill"))

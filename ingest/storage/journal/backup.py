"""Copies the journal as of one moment while the service goes on writing to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from ingest.storage.journal.connection import open_reader, translated_errors
from ingest.storage.journal.errors import JournalUnavailable

_PAGES: Final = 1024  # copied at a time
_OLDEST: Final = """SELECT coalesce(min(id), (SELECT max(seq) + 1 FROM sqlite_sequence WHERE name = 'entry'), 1)
    FROM entry"""
_COUNTS: Final = {
    "entries": "SELECT count(*) FROM entry",
    "readings": "SELECT coalesce(sum(readings), 0) FROM entry",
    "quarantined": "SELECT count(*) FROM quarantine",
}


class HeldJournal:
    """A read transaction on the journal: it sees the state of one moment, and later writes go on beside it."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection

    def pages(self) -> int:
        """The number of pages to copy."""
        with translated_errors(self._path):
            return int(self._connection.pragma("page_count"))

    def oldest(self) -> int:
        """The id of the oldest entry, or of the next one if there is none."""
        with translated_errors(self._path):
            return int(self._connection.execute(_OLDEST).get)  # one row, one column

    def copy(self, target: Path, seen: Callable[[int], None]) -> None:
        """Copy the journal to a new file, synced, without WAL files; `seen` is called with the pages just copied.

        Raises:
            JournalUnavailable, JournalBroken: it cannot be read, or the new file not be written.
        """
        with translated_errors(target), closing(apsw.Connection(str(target))) as made:
            with made.backup("main", self._connection, "main") as work:
                before = 0
                while not work.done:
                    work.step(_PAGES)
                    done = work.page_count - work.remaining
                    seen(done - before)
                    before = done
            made.pragma("journal_mode", "delete")  # such a file can be read where nothing can be written


@contextmanager
def held_journal(path: Path) -> Iterator[HeldJournal]:
    """Begin a read transaction on the journal. Raises JournalUnavailable, JournalBroken."""
    if not path.is_file():
        raise JournalUnavailable(f"{path}: no such file")
    with closing(open_reader(path)) as connection:
        with translated_errors(path):
            connection.execute("BEGIN")
            connection.execute(
                "SELECT count(*) FROM sqlite_schema"
            ).fetchall()  # a transaction begins with its first read
        yield HeldJournal(path, connection)


def count_journal(path: Path) -> Mapping[str, int]:
    """Count the entries, readings and quarantined messages of a copy. Raises JournalUnavailable, JournalBroken."""
    with closing(open_reader(path)) as connection, translated_errors(path):
        return {name: int(connection.execute(query).get) for name, query in _COUNTS.items()}

"""A copy of the journal as it is at one moment, whoever writes to it meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import apsw

from ingest.storage.journal.connection import open_reader, told
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
    """The journal as it was when this was made; later writes go on beside it and are not seen here."""

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._path = path
        self._connection = connection

    def pages(self) -> int:
        """How many pages there are to copy."""
        with told(self._path):
            return int(self._connection.pragma("page_count"))

    def oldest(self) -> int:
        """Number of the oldest entry; of the one that comes next if there is none."""
        with told(self._path):
            return int(self._connection.execute(_OLDEST).get)  # one row, one column

    def copy(self, target: Path, seen: Callable[[int], None]) -> None:
        """Write it to a new file, synced and without companions; `seen` is called with pages copied just now.

        Raises:
            JournalUnavailable, JournalBroken: it cannot be read, or the new file not be written.
        """
        with told(target), closing(apsw.Connection(str(target))) as made:
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
    """Hold the journal as it is now. Raises JournalUnavailable, JournalBroken."""
    if not path.is_file():
        raise JournalUnavailable(f"{path}: no such file")
    with closing(open_reader(path)) as connection:
        with told(path):
            connection.execute("BEGIN")
            connection.execute(
                "SELECT count(*) FROM sqlite_schema"
            ).fetchall()  # a transaction begins with its first read
        yield HeldJournal(path, connection)


def count_journal(path: Path) -> Mapping[str, int]:
    """What a copy holds: entries, readings, messages in quarantine. Raises JournalUnavailable, JournalBroken."""
    with closing(open_reader(path)) as connection, told(path):
        return {name: int(connection.execute(query).get) for name, query in _COUNTS.items()}

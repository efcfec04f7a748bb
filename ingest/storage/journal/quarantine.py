"""The quarantine seen by a person: looked through, sent in again, thrown away. The service may run meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import apsw

from ingest.storage.journal.connection import open_reader, open_writer, told
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.schema import QUARANTINED


@dataclass(frozen=True, slots=True)
class Which:
    """Which of the messages are meant. Without anything, all of them."""

    ids: Sequence[int] = ()
    reason: str | None = None
    plant: str | None = None

    def condition(self) -> tuple[str, tuple[object, ...]]:
        """The condition in SQL, and its values."""
        parts: list[tuple[str, tuple[object, ...]]] = []
        if self.ids:
            parts.append((f"id IN ({', '.join('?' * len(self.ids))})", tuple(self.ids)))
        if self.reason is not None:
            parts.append(("reason = ?", (self.reason,)))
        if self.plant is not None:
            prefix = f"yujing/v1/{self.plant}/"
            parts.append(("substr(topic, 1, ?) = ?", (len(prefix), prefix)))
        return " AND ".join(part for part, _ in parts) or "1", tuple(value for _, values in parts for value in values)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in quarantine, and whether it waits to be taken in again."""

    message: Quarantined
    retry: bool


class Quarantine:
    """The quarantine in a journal's file. Use as a context manager.

    Raises:
        JournalUnavailable, JournalBroken: as all of the journal.
    """

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        if not path.is_file():
            raise JournalUnavailable(f"{path}: no such file")
        self._path = path
        self._connection = open_writer(path) if writing else open_reader(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def find(self, which: Which, *, limit: int) -> list[Kept]:
        """Newest first."""
        condition, values = which.condition()
        query = f"SELECT retry, {QUARANTINED} FROM quarantine WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608
        with told(self._path):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, (*values, limit)).fetchall()
        return [Kept(Quarantined(*fields), bool(retry)) for retry, *fields in rows]

    def counts(self, which: Which) -> dict[str, int]:
        """Reason -> messages."""
        condition, values = which.condition()
        query = f"SELECT reason, count(*) FROM quarantine WHERE {condition} GROUP BY reason ORDER BY reason"  # noqa: S608
        with told(self._path):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
        return dict(rows)

    def retry(self, which: Which) -> int:
        """Mark them to be taken in again by the running service, or at its next start; returns how many."""
        return self._write("UPDATE quarantine SET retry = 1 WHERE", which)

    def drop(self, which: Which) -> int:
        """Delete them for good, their bytes too: overwritten in the file, and out of its log; returns how many.

        A reader that is at work keeps the log as it is until the service copies it next.
        """
        with told(self._path):
            self._connection.pragma("secure_delete", "on")
        dropped = self._write("DELETE FROM quarantine WHERE", which)
        with told(self._path), suppress(apsw.BusyError):
            self._connection.pragma("wal_checkpoint", "truncate")
        return dropped

    def _write(self, statement: str, which: Which) -> int:
        condition, values = which.condition()
        with told(self._path):
            self._connection.execute(f"{statement} {condition}", values)
            return int(self._connection.changes())

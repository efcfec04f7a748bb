"""Lets a person list, retry and delete quarantined messages, also while the service runs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import apsw

from ingest.storage.journal.connection import open_reader, open_writer, translated_errors
from ingest.storage.journal.errors import JournalUnavailable
from ingest.storage.journal.records import Quarantined
from ingest.storage.journal.schema import QUARANTINED


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which quarantined messages; with nothing set, all of them."""

    ids: Sequence[int] = ()
    reason: str | None = None
    plant: str | None = None

    def condition(self) -> tuple[str, tuple[object, ...]]:
        """The SQL condition and its parameters."""
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
class QuarantineRow:
    """A quarantined message, and whether it is marked for retry."""

    message: Quarantined
    retry: bool


class Quarantine:
    """The quarantine of a journal file. Use as a context manager.

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

    def find(self, which: QuarantineFilter, *, limit: int) -> list[QuarantineRow]:
        """The messages, newest first."""
        condition, values = which.condition()
        query = f"SELECT retry, {QUARANTINED} FROM quarantine WHERE {condition} ORDER BY id DESC LIMIT ?"  # noqa: S608
        with translated_errors(self._path):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, (*values, limit)).fetchall()
        return [QuarantineRow(Quarantined(*fields), bool(retry)) for retry, *fields in rows]

    def counts(self, which: QuarantineFilter) -> dict[str, int]:
        """The number of messages by reason."""
        condition, values = which.condition()
        query = f"SELECT reason, count(*) FROM quarantine WHERE {condition} GROUP BY reason ORDER BY reason"  # noqa: S608
        with translated_errors(self._path):
            rows: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
        return dict(rows)

    def retry(self, which: QuarantineFilter) -> int:
        """Mark them for retry by the running service, or at its next start; returns their number."""
        return self._write("UPDATE quarantine SET retry = 1 WHERE", which)

    def drop(self, which: QuarantineFilter) -> int:
        """Delete them with their bytes, which are overwritten in file and log; returns their number.

        A reader at work keeps the log as it is until the next checkpoint of the service.
        """
        with translated_errors(self._path):
            self._connection.pragma("secure_delete", "on")
        dropped = self._write("DELETE FROM quarantine WHERE", which)
        with translated_errors(self._path), suppress(apsw.BusyError):
            self._connection.pragma("wal_checkpoint", "truncate")
        return dropped

    def _write(self, statement: str, which: QuarantineFilter) -> int:
        condition, values = which.condition()
        with translated_errors(self._path):
            self._connection.execute(f"{statement} {condition}", values)
            return int(self._connection.changes())

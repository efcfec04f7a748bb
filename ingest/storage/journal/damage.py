"""Handles damaged entries: each is reported once, counted, and read as an empty entry, so that readers go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.base.telemetry import EmittedOnce, Event
from ingest.domain.model.batch import empty_batch
from ingest.storage.journal import body
from ingest.storage.journal.records import Entry


@dataclass(frozen=True, slots=True)
class JournalDamaged(Event, level="error"):
    """An entry of the journal is not what was written: its readings are lost to whoever had not read it before."""

    entry: int
    received: int
    readings: int
    error: str


@dataclass(frozen=True, slots=True)
class BackfillDamaged(Event, level="error"):
    """Pages of staged back-fill cannot be read: they stay in `table`; at most `pieces` pieces are on them."""

    table: str
    pieces: int


COLUMNS = "id, received, readings, size, body, step"
"""The columns of an entry's row that `decode` takes, in order."""


def decode(row: Sequence[Any]) -> Entry:
    """Decode a row into an entry. Raises ValueError if any of it is not as it was written."""
    number, received, readings, size, packed, step = row
    return Entry(number, body.unpack(packed, size=size, received=received, readings=readings, step=step), step)


class Damage:
    """The entries found damaged since the start. Safe to use from any thread."""

    def __init__(self) -> None:
        self._entries: EmittedOnce[int] = EmittedOnce()

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, row: Sequence[Any]) -> Entry:
        """Decode a row into an entry; an empty entry if it is damaged."""
        try:
            return decode(row)
        except ValueError as error:
            return self.report(row[0], row[1], row[2], str(error))

    def report(self, number: int, received: object, readings: object, error: str) -> Entry:
        """Report a damaged entry, once however many read it, and return an empty entry in its place."""
        self._entries.emit(number, JournalDamaged(number, _number(received), _number(readings), error))
        return Entry(number, empty_batch())


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

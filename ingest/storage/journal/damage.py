"""Entries that cannot be read any more: told once each, counted, and read as if they held nothing, so readers go on."""

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
"""What `decode` needs of an entry's row, in its order."""


def decode(row: Sequence[Any]) -> Entry:
    """The entry in a row. Raises ValueError if any of it is not as it was written."""
    number, received, readings, size, packed, step = row
    return Entry(number, body.unpack(packed, size=size, received=received, readings=readings, step=step), step)


class Damage:
    """What was found damaged since the start. Safe to use from any thread."""

    def __init__(self) -> None:
        self._entries: EmittedOnce[int] = EmittedOnce()

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, row: Sequence[Any]) -> Entry:
        """The entry in a row; an empty one if it is damaged."""
        try:
            return decode(row)
        except ValueError as error:
            return self.lost(row[0], row[1], row[2], str(error))

    def lost(self, number: int, received: object, readings: object, error: str) -> Entry:
        """Tell of a damaged entry, once however many read it, and stand in for it."""
        self._entries.emit(number, JournalDamaged(number, _number(received), _number(readings), error))
        return Entry(number, empty_batch())


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0

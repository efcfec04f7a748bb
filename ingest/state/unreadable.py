"""Rows that hold what no version of ours writes: each is told once by table and key, and left out; the rest is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from ingest.telemetry import Event, emit

T = TypeVar("T")

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What making a record, or a value, of such a row raises."""


@dataclass(frozen=True, slots=True)
class RowUnreadable(Event, level="error", labels=("table",)):
    """A row of the state database is not as it was written: it is left out wherever it is asked for."""

    table: str
    key: str
    error: str


class Unreadable:
    """Those found since the start. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[tuple[str, str], None] = {}

    def __str__(self) -> str:
        """The rows, for people; empty if there are none."""
        with self._lock:
            rows = [f"{table} {key}" for table, key in self._rows]
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{len(rows)} rows unreadable: {', '.join(rows[:3])}{more}" if rows else ""

    def note(self, table: str, key: object, error: Exception) -> None:
        """Tell of a row, once however often it is read."""
        row = (table, str(key))
        with self._lock:
            if row in self._rows:
                return
            self._rows[row] = None
        emit(RowUnreadable(*row, f"{type(error).__name__}: {error}"))

    def records(
        self, table: sa.FromClause, rows: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], T]
    ) -> list[T]:
        """What the rows hold, without those that cannot be read."""
        found = []
        for row in rows:
            try:
                found.append(make(row))
            except UNREADABLE as error:
                self.note(name_of(table), next(iter(row.values()), ""), error)
        return found


def name_of(table: sa.FromClause) -> str:
    """The table's name."""
    return table.name if isinstance(table, sa.Table) else "a query"

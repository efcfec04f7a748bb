"""Handles unreadable rows: each is reported once by table and key, and left out; the others are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from ingest.base.telemetry import EmittedOnce, Event

T = TypeVar("T")

UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""The errors raised by making a record, or a value, of such a row."""

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class RowUnreadable(Event, level="error", labels=("table",)):
    """A row of the state database is not as it was written: it is left out wherever it is asked for."""

    table: str
    key: str
    error: str


class Rows(list[dict[str, Any]]):
    """The rows of a query; `lost` further rows could not be read."""

    lost = 0


class Unreadable:
    """The rows found unreadable since the start. Safe to use from any thread."""

    def __init__(self) -> None:
        self._rows: EmittedOnce[tuple[str, str]] = EmittedOnce()

    def __str__(self) -> str:
        """The rows, for people; empty if there are none."""
        rows = [f"{table} {key}" for table, key in self._rows]
        more = f" and {len(rows) - 3} more" if len(rows) > 3 else ""
        return f"{len(rows)} rows unreadable: {', '.join(rows[:3])}{more}" if rows else ""

    def note(self, table: str, key: object, error: Exception) -> None:
        """Report a row, once however often it is read."""
        row = (table, str(key))
        self._rows.emit(row, RowUnreadable(*row, f"{type(error).__name__}: {error}"))

    def rows(self, connection: sa.Connection, query: sa.Select[Any], given: Mapping[str, Any] = NOTHING) -> Rows:
        """The rows of a query, without those with a value that is not of its column's type."""
        try:
            return Rows(map(dict, connection.execute(query, given).mappings()))
        except UNREADABLE:
            return self._one_by_one(connection, query, given)

    def records(
        self, query: sa.Select[Any], rows: Iterable[Mapping[str, Any]], make: Callable[[Mapping[str, Any]], T]
    ) -> list[T]:
        """Make records of the rows of that query, without those of which none can be made."""
        found = []
        for row in rows:
            try:
                found.append(make(row))
            except UNREADABLE as error:
                self.note(_table(query), next(iter(row.values()), ""), error)
        return found

    def page(
        self,
        query: sa.Select[Any],
        limit: int,
        rows: Callable[[int], Rows],
        make: Callable[[Mapping[str, Any]], T],
    ) -> list[T]:
        """The first `limit` records; fewer only if there are no more. `rows` reads a given number of rows.

        So a page that is not full is the last one, whichever rows are unreadable.
        """
        spare = 0
        while True:
            read = rows(limit + spare)
            found = self.records(query, read, make)
            lost = read.lost + len(read) - len(found)
            if lost <= spare:
                return found[:limit]
            spare = lost

    def _one_by_one(self, connection: sa.Connection, query: sa.Select[Any], given: Mapping[str, Any]) -> Rows:
        found, rows = connection.execute(query, given).mappings(), Rows()
        while True:
            try:
                row = found.fetchone()
            except UNREADABLE as error:
                rows.lost += 1
                self.note(_table(query), f"(row {len(rows) + rows.lost} of a list)", error)
                continue
            if row is None:
                return rows
            rows.append(dict(row))


def _table(query: sa.Select[Any]) -> str:
    table = query.get_final_froms()[0]
    return table.name if isinstance(table, sa.Table) else "a query"

"""Early warnings in the state database: written in the engine's transaction, read by everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.audit import Act
from ingest.domain.model.warning import EarlyWarning, WarningEvent, WarningFilter, WarningState
from ingest.storage.state import warning_tables as t
from ingest.storage.state.case_queries import Before, paged
from ingest.storage.state.database import Database
from ingest.storage.state.unreadable import Rows
from ingest.storage.state.upsert import insert_new, upsert
from ingest.storage.state.warning_inputs import resolve_inputs, store_inputs
from ingest.storage.state.warning_rows import warning_act, warning_event_of, warning_event_row, warning_of

T = TypeVar("T")

_AFTER: Final = (
    sa.select(t.warning_event)
    .where(t.warning_event.c.seq > sa.bindparam("after"))
    .order_by(t.warning_event.c.seq)
    .limit(sa.bindparam("most"))
)
_LAST: Final = sa.select(sa.func.max(t.warning_event.c.seq))
_LIVE: Final = sa.select(t.warning).where(t.warning.c.state != str(WarningState.CLOSED)).order_by(t.warning.c.raised)


def write_warnings(connection: sa.Connection, events: Sequence[WarningEvent]) -> list[Act]:
    """Write these events, and the warnings as of the newest of them.

    Events whose id is already stored are not written again. Returns the new ones, for the audit trail.
    """
    if not events:
        return []
    rows = [warning_event_row(event) for event in events]
    latest = {row["warning"]: row["snapshot"] | {"id": row["warning"]} for row in rows}
    store_inputs(connection, [*latest.values(), *(row["snapshot"] for row in rows)])
    upsert(connection, t.warning, [*latest.values()])
    fresh = [insert_new(connection, t.warning_event, row) for row in rows]
    return [warning_act(event) for event, new in zip(events, fresh, strict=True) if new is not None]


def live_warnings(database: Database) -> list[EarlyWarning]:
    """Every warning that is not closed, oldest first. Raises StateUnavailable."""
    return database.unreadable.records(_LIVE, resolve_inputs(database.rows(_LIVE), database.rows), warning_of)


class WarningStore:
    """Warnings and their events, as committed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def warnings(self, which: WarningFilter, *, limit: int, before: Before = None) -> list[EarlyWarning]:
        """Warnings, newest raised first; `before` = (raised, id) of the last one of the page before."""
        column = t.warning.c
        query = paged(sa.select(t.warning), column.raised, column.id, before)
        for wanted, of in (
            (which.plants, column.plant),
            (which.colours, column.colour),
            (which.peaks, column.peak),
            (which.states, column.state),
        ):
            if wanted is not None:
                query = query.where(of.in_([str(value) for value in wanted]))
        if which.since is not None:
            query = query.where(column.raised >= which.since)
        if which.until is not None:
            query = query.where(column.raised < which.until)
        return self._db.unreadable.page(query, limit, lambda most: self._rows(query.limit(most)), warning_of)

    def warning(self, warning: UUID) -> EarlyWarning | None:
        """One warning, or None."""
        return next(iter(self._records(sa.select(t.warning).where(t.warning.c.id == warning), warning_of)), None)

    def warning_history(self, warning: UUID) -> list[WarningEvent]:
        """Every event of one warning, oldest first."""
        return self._records(_history(warning), warning_event_of)

    def warnings_after(self, seq: int, *, limit: int) -> list[WarningEvent]:
        """Events with a greater sequence number, oldest first."""

        def rows(most: int) -> Rows:
            return self._rows(_AFTER, after=seq, most=most)

        return self._db.unreadable.page(_AFTER, limit, rows, warning_event_of)

    def last_warning(self) -> int:
        """The newest event's sequence number, 0 if there is none."""
        return int(self._db.scalar(_LAST) or 0)

    def _records(self, query: sa.Select[Any], make: Callable[[Mapping[str, Any]], T]) -> list[T]:
        return self._db.unreadable.records(query, self._rows(query), make)

    def _rows(self, query: sa.Select[Any], **given: Any) -> Rows:
        return resolve_inputs(self._db.rows(query, **given), self._db.rows)


def read_history(connection: sa.Connection, warning: UUID) -> list[WarningEvent]:
    """Every event of one warning, oldest first, over a connection of the caller's."""

    def rows(query: sa.Select[Any]) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(query).mappings()]

    return [warning_event_of(row) for row in resolve_inputs(rows(_history(warning)), rows)]


def _history(warning: UUID) -> sa.Select[Any]:
    return sa.select(t.warning_event).where(t.warning_event.c.warning == warning).order_by(t.warning_event.c.seq)

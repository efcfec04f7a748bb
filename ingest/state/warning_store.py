"""Early warnings in the state database: written in the engine's one transaction, read by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from ingest.model.audit import Act
from ingest.model.warning import EarlyWarning, WarningEvent, WarningFilter, WarningState
from ingest.state import warning_tables as t
from ingest.state.case_queries import Before, paged
from ingest.state.database import Database
from ingest.state.once import added
from ingest.state.warning_rows import warning_act, warning_event_of, warning_event_row, warning_of, warning_row

LIVE: Final = sa.select(t.warning).where(t.warning.c.state != str(WarningState.CLOSED)).order_by(t.warning.c.raised)
"""Asks for every warning that is not closed, oldest first."""


def write_warnings(connection: sa.Connection, events: Sequence[WarningEvent]) -> list[Act]:
    """Write warnings as they stand after these events, and the events.

    What was told before, by its id, is not told again. Returns what is new, for the audit trail.
    """
    for row in ({event.warning.id: warning_row(event.warning) for event in events}).values():
        if not connection.execute(sa.update(t.warning).where(t.warning.c.id == row["id"]).values(row)).rowcount:
            connection.execute(sa.insert(t.warning), row)
    fresh = [event for event in events if added(connection, t.warning_event, warning_event_row(event), "id")]
    return [warning_act(event) for event in fresh]


class WarningStore:
    """Warnings and their events, as committed."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def warnings(self, which: WarningFilter, *, limit: int, before: Before = None) -> list[EarlyWarning]:
        """Newest raised first; `before` = (raised, id) of the last one seen, for the next page."""
        column = t.warning.c
        query = paged(sa.select(t.warning), column.raised, column.id, before)
        for asked, of in (
            (which.plants, column.plant),
            (which.colours, column.colour),
            (which.peaks, column.peak),
            (which.states, column.state),
        ):
            if asked is not None:
                query = query.where(of.in_([str(one) for one in asked]))
        if which.since is not None:
            query = query.where(column.raised >= which.since)
        if which.until is not None:
            query = query.where(column.raised < which.until)
        return self._db.page(query, limit, warning_of)

    def warning(self, warning: UUID) -> EarlyWarning | None:
        """One warning, or None."""
        return self._db.record(sa.select(t.warning).where(t.warning.c.id == warning), warning_of)

    def warning_history(self, warning: UUID) -> list[WarningEvent]:
        """Every event of one warning, oldest first."""
        return self._db.records(history_query(warning), warning_event_of)

    def warnings_after(self, seq: int, *, limit: int) -> list[WarningEvent]:
        """Events with a greater sequence number, oldest first."""
        query = sa.select(t.warning_event).where(t.warning_event.c.seq > seq).order_by(t.warning_event.c.seq)
        return self._db.page(query, limit, warning_event_of)

    def last_warning(self) -> int:
        """The newest event's sequence number, 0 if there is none."""
        return int(self._db.scalar(sa.select(sa.func.max(t.warning_event.c.seq))) or 0)


def read_history(connection: sa.Connection, warning: UUID) -> list[WarningEvent]:
    """Every event of one warning, oldest first, by a connection of one's own."""
    return [warning_event_of(dict(row)) for row in connection.execute(history_query(warning)).mappings()]


def history_query(warning: UUID) -> sa.Select[Any]:
    """What asks for every event of one warning, oldest first."""
    return sa.select(t.warning_event).where(t.warning_event.c.warning == warning).order_by(t.warning_event.c.seq)

"""Reads suppressions of alarms as committed."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.storage.state import tables as t
from ingest.storage.state.case_queries import Before, paged
from ingest.storage.state.database import Database
from ingest.storage.state.read_only import ReadOnly
from ingest.storage.state.rows import suppression_of


class SuppressionStore:
    """Suppressions, past and present, with their outcome."""

    def __init__(self, database: Database | ReadOnly) -> None:
        self._db = database

    def suppression(self, suppression: UUID) -> Suppression | None:
        """The suppression of that id, or None."""
        query = sa.select(t.suppression).where(t.suppression.c.id == suppression)
        return next(iter(self._db.records(query, suppression_of)), None)

    def suppressions(
        self,
        *,
        limit: int,
        plants: Collection[str] | None = None,
        point: str | None = None,
        states: Collection[SuppressionState] | None = None,
        before: Before = None,
    ) -> list[Suppression]:
        """Suppressions, newest first; `before` = (applied, id) of the last one seen. None: any."""
        column = t.suppression.c
        query = paged(sa.select(t.suppression), column.applied, column.id, before)
        if plants is not None:
            query = query.where(column.plant.in_(plants))
        if point is not None:
            query = query.where(column.point == point)
        if states is not None:
            query = query.where(column.state.in_([str(state) for state in states]))
        return self._db.page(query, limit, suppression_of)

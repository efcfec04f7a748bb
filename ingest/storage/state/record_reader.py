"""What the stores of records share: one record by its id, all of a query, a page of it."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from ingest.storage.state.case_queries import Before, paged
from ingest.storage.state.case_rows import TABLES, record_of
from ingest.storage.state.database import Database
from ingest.storage.state.read_only import ReadOnly

R = TypeVar("R")


class RecordReader:
    """Reads records from their tables."""

    def __init__(self, database: Database | ReadOnly) -> None:
        self._db = database

    def _record(self, kind: type[R], key: UUID) -> R | None:
        table = TABLES[kind]
        return next(iter(self._records(kind, sa.select(table).where(table.c.id == key))), None)

    def _records(self, kind: type[R], query: sa.Select[Any]) -> list[R]:
        return self._db.records(query, partial(record_of, kind))

    def _page(
        self,
        kind: type[R],
        query: sa.Select[Any],
        time: sa.ColumnElement[int],
        limit: int,
        before: Before,
        *,
        oldest_first: bool = False,
    ) -> list[R]:
        page = paged(query, time, TABLES[kind].c.id, before, oldest_first=oldest_first)
        return self._db.page(page, limit, partial(record_of, kind))

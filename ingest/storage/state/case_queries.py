"""Filters and pages shared by the lists of the closed loop."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

Before = tuple[int, UUID] | None
"""Time and id of the last record seen, for the next page."""


def narrowed(
    table: sa.Table,
    plants: frozenset[str] | None,
    time: sa.ColumnElement[int],
    since: int | None,
    until: int | None,
) -> sa.Select[Any]:
    """Rows of these plants (None: all) from a span of time, its end not included."""
    query = sa.select(table)
    if plants is not None:
        query = query.where(table.c.plant.in_(plants))
    if since is not None:
        query = query.where(time >= since)
    return query if until is None else query.where(time < until)


def equal(query: sa.Select[Any], wanted: dict[sa.ColumnElement[Any], Any]) -> sa.Select[Any]:
    """Rows that have these values; None: any."""
    for column, value in wanted.items():
        if value is not None:
            query = query.where(column == (value if isinstance(value, UUID) else str(value)))
    return query


def paged(
    query: sa.Select[Any],
    time: sa.ColumnElement[int],
    key: sa.ColumnElement[UUID],
    before: Before,
    *,
    oldest_first: bool = False,
) -> sa.Select[Any]:
    """Newest first, or oldest first, from after the last record seen on."""
    query = query.order_by(time, key) if oldest_first else query.order_by(time.desc(), key.desc())
    if before is None:
        return query
    at, last = before
    if oldest_first:
        return query.where((time > at) | ((time == at) & (key > last)))
    return query.where((time < at) | ((time == at) & (key < last)))

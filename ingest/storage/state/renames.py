"""Renames points in the state database.

Past records stay unchanged: alarms' events, the audit trail and messages in the outbox name the former id.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from ingest.domain.model.audit import YUJING, Act
from ingest.plants.numbering import Rename
from ingest.storage.state import case_tables as cases
from ingest.storage.state import tables as t
from ingest.storage.state.bypass_table import bypass

_NAMING: Final = (t.alarm, t.suppression, bypass, cases.hazard, cases.dead_point)
"""The tables whose rows name a point by its present id."""


def rename_points(connection: sa.Connection, renamed: Iterable[Rename], now: int) -> list[Act]:
    """Change the id of these points in every row that names one; returns the acts to audit.

    Repeating it changes nothing.
    """
    acts = []
    for (plant, former), point in renamed:
        if sum(_move(connection, table, plant, former, point) for table in _NAMING):
            detail = {"was": former, "point": point}
            acts.append(Act(now, YUJING, "service", "renamed", "point", point, plant, detail))
    return acts


def _move(connection: sa.Connection, table: sa.Table, plant: str, former: str, point: str) -> int:
    column = table.c
    old = sa.and_(column.plant == plant, column.point == former)
    if table is cases.dead_point and connection.execute(sa.select(table).where(old)).first() is not None:
        # One row per point: another thread may have added one under the new id meanwhile, with less in it.
        connection.execute(sa.delete(table).where(column.plant == plant, column.point == point))
    return connection.execute(sa.update(table).where(old).values(point=point)).rowcount

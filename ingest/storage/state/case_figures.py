"""How many alarms and warnings each plant had in a span of time, and how many of them were handled: counted in SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ingest.domain.cases.summary import Told
from ingest.storage.state import case_tables as c
from ingest.storage.state import tables as t
from ingest.storage.state import warning_tables as w
from ingest.storage.state.database import Database
from ingest.storage.state.read_only import ReadOnly


class CaseFigures:
    """Counts for the yearly summary."""

    def __init__(self, database: Database | ReadOnly) -> None:
        self._db = database

    def told(self, plants: frozenset[str] | None, since: int, until: int) -> dict[str, Told]:
        """By plant: alarms and warnings raised from `since` to `until` (ns, not included). `plants` None: all."""
        found: dict[str, Told] = {}

        def add(plant: str, key: str, count: int) -> None:
            before = found.get(plant, Told())
            found[plant] = replace(before, **{key: getattr(before, key) + count})

        def of(table: sa.Table) -> sa.ColumnElement[bool]:
            column = table.c
            span = (column.raised >= since) & (column.raised < until)
            return span if plants is None else span & column.plant.in_(plants)

        alarm, warning = t.alarm.c, w.warning.c
        for plant, level, count in self._counts([alarm.plant, alarm.level], of(t.alarm)):
            add(plant, f"alarms_{level}", count)
        link, given = c.disposition_alarm.c, c.disposition.c
        handled = sa.select(link.alarm)
        for plant, count in self._counts([alarm.plant], of(t.alarm) & alarm.id.in_(handled)):
            add(plant, "alarms_handled", count)
        false = handled.join(c.disposition, given.id == link.disposition).where(given.false_alarm.is_not(None))
        for plant, count in self._counts([alarm.plant], of(t.alarm) & alarm.id.in_(false)):
            add(plant, "false_alarms", count)
        for plant, colour, count in self._counts([warning.plant, warning.peak], of(w.warning)):
            add(plant, f"warnings_{colour}", count)
        for plant, count in self._counts([warning.plant], of(w.warning) & warning.feedback.is_not(None)):
            add(plant, "warnings_handled", count)
        return found

    def _counts(self, by: list[Any], where: sa.ColumnElement[bool]) -> list[tuple[Any, ...]]:
        query = sa.select(*by, sa.func.count().label("count")).where(where).group_by(*by)
        return [tuple(row.values()) for row in self._db.rows(query)]

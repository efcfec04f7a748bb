"""Counts alarms and warnings, and those that were handled, by plant within a span of time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ingest.domain.cases.summary import AlarmFigures
from ingest.storage.state import case_tables as c
from ingest.storage.state import tables as t
from ingest.storage.state import warning_tables as w
from ingest.storage.state.database import Database
from ingest.storage.state.read_only import ReadOnly


class CaseFigures:
    """Counts for the yearly summary."""

    def __init__(self, database: Database | ReadOnly) -> None:
        self._db = database

    def alarm_figures(self, plants: frozenset[str] | None, since: int, until: int) -> dict[str, AlarmFigures]:
        """By plant: alarms and warnings raised from `since` to `until` (ns, not included). `plants` None: all."""
        found: dict[str, AlarmFigures] = {}

        def add(plant: str, key: str, count: int) -> None:
            before = found.get(plant, AlarmFigures())
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

"""Deletes old events: all those of alarms long over, and mere changes of reasons of warnings long closed.

The records themselves stay, and so does the audit trail, which has every step. A log is scanned from its beginning as
far as it is old, and outside the deleting transaction: no commit of the engine waits for it.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from ingest.domain.model.alarm import OVER
from ingest.domain.model.warning import WarningEventKind, WarningState
from ingest.storage.state import tables as t
from ingest.storage.state import warning_tables as w
from ingest.storage.state.database import Database

PAGE: Final = 2_000
"""Events scanned by one query."""


class EventRetention:
    """Trims the event logs; call its methods repeatedly, from one thread."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._passed: dict[str, int] = {}  # log -> the event up to which all old ones are known to stay

    def trim_alarms(self, before: int, upto: int, limit: int) -> int:
        """Delete up to `limit` events numbered up to `upto` of alarms over before then (ns); returns their number."""
        alarm, event = t.alarm.c, t.alarm_event.c
        over = sa.func.coalesce(alarm.cleared, alarm.returned, alarm.raised) < before
        query = (
            sa.select(event.seq, event.received.label("time"), sa.and_(alarm.state.in_(OVER), over).label("old"))
            .join(t.alarm, alarm.id == event.alarm)
            .where(event.seq <= upto)
        )
        return self._trim(t.alarm_event, query, before, limit)

    def trim_warnings(self, before: int, upto: int, limit: int) -> int:
        """Delete up to `limit` reason changes numbered up to `upto` of warnings closed before then; as `trim_alarms`.

        What raised a warning, its colours, and the steps of people and escalation stay: it can be explained as before.
        """
        warning, event = w.warning.c, w.warning_event.c
        closed = sa.and_(warning.state == str(WarningState.CLOSED), warning.changed < before)
        old = sa.and_(closed, event.kind == str(WarningEventKind.INPUTS_CHANGED))
        query = (
            sa.select(event.seq, event.time.label("time"), old.label("old"))
            .join(w.warning, warning.id == event.warning)
            .where(event.seq <= upto)
        )
        return self._trim(w.warning_event, query, before, limit)

    def _trim(self, log: sa.Table, query: sa.Select[Any], before: int, limit: int) -> int:
        """Delete old events, but never the newest, since readers continue from its number."""
        newest = self._db.scalar(sa.select(sa.func.max(log.c.seq))) or 0
        chosen: list[int] = []
        after = self._passed.get(log.name, 0)
        while len(chosen) < limit:
            page = self._db.rows(query.where(log.c.seq > after, log.c.seq < newest).order_by(log.c.seq).limit(PAGE))
            chosen += [row["seq"] for row in page if row["old"] and row["time"] < before][: limit - len(chosen)]
            if not page or page[-1]["time"] >= before:
                break
            after = page[-1]["seq"]
            if not chosen:  # all of it stays; checked again after the next start
                self._passed[log.name] = after
        if chosen:
            with self._db.write() as connection:
                connection.execute(sa.delete(log).where(log.c.seq.in_(chosen)))
        return len(chosen)

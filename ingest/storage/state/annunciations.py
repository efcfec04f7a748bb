"""Stores annunciations: written with the event that raises each, packed once they can no longer change, and read."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import CALLS, SUPPRESSED_STATES, SUPPRESSIONS
from ingest.domain.model.alarm import OVER, AlarmEvent, AlarmEventKind
from ingest.domain.model.annunciations import Annunciations
from ingest.storage.state import tables as t
from ingest.storage.state.annunciation_packs import (
    Rule,
    annunciations_of,
    columns_of,
    mask,
    pack_of,
    pack_row,
    raise_of,
    rule_of,
)
from ingest.storage.state.database import Database
from ingest.storage.state.prepared import change
from ingest.storage.state.unreadable import Rows
from ingest.storage.state.upsert import insert_missing

_RAISED: Final = sa.insert(t.annunciation)
_NEWEST: Final = sa.update(t.annunciation).where(
    t.annunciation.c.alarm == sa.bindparam("of_alarm"), t.annunciation.c.raises == sa.bindparam("of_raise")
)
_ACKED: Final = _NEWEST.where(t.annunciation.c.acked.is_(None)).values(acked=sa.bindparam("at"))
_RETURNED: Final = _NEWEST.where(t.annunciation.c.returned.is_(None)).values(returned=sa.bindparam("at"))
_HIDDEN: Final = _NEWEST.where(t.annunciation.c.raised == sa.bindparam("at")).values(hidden=True)

_HIDE: Final = frozenset(enter for _, enter, _ in SUPPRESSIONS.values())
_OVER: Final = frozenset({AlarmEventKind.RETURNED, AlarmEventKind.LATCHED, AlarmEventKind.REMOVED})


def record_annunciation(connection: sa.Connection, event: AlarmEvent, seq: int) -> None:
    """Update the alarm's annunciations after a new event, in the transaction that writes the event.

    `seq`: the number of the event.
    """
    alarm = event.alarm
    newest = {"of_alarm": alarm.id, "of_raise": alarm.raises, "at": event.time}
    if event.kind in CALLS:
        if event.kind is not AlarmEventKind.RAISED:  # it calls again, so the raise before is over
            change(connection, _RETURNED, newest | {"of_raise": alarm.raises - 1})
        row = {
            "seq": seq,
            "alarm": alarm.id,
            "raises": alarm.raises,
            "plant": alarm.plant,
            "point": alarm.point,
            "rule": alarm.rule,
            "level": alarm.level,
            "raised": event.time,
            "called": event.received,
            "hidden": alarm.state in SUPPRESSED_STATES,
        }
        change(connection, _RAISED, row)
    elif event.kind is AlarmEventKind.ACKNOWLEDGED:
        change(connection, _ACKED, newest)
    elif event.kind in _OVER:
        change(connection, _RETURNED, newest)
    elif event.kind in _HIDE:
        # A suppression that covers the alarm hides it at the moment it is raised.
        change(connection, _HIDDEN, newest)


class AnnunciationStore:
    """Stored annunciations; caches the rules they refer to. Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._lock = threading.Lock()
        self._rules: dict[int, Rule] = {}  # as committed; only ever added to, by numbers that grow
        self._last = 0

    def read(self, plants: Collection[str] | None, start: int, end: int) -> Annunciations:
        """The annunciations of these plants (None = all) with start <= called < end. Raises StateUnavailable."""
        column, pack = t.annunciation.c, t.annunciation_pack.c
        # The rows first: what is packed meanwhile is read twice, and not missed.
        query = sa.select(t.annunciation).where(column.called >= start, column.called < end)
        raises = self._db.records(query, raise_of)
        query = sa.select(t.annunciation_pack).where(pack.last >= start, pack.first < end)
        rows = self._db.rows(query)
        known = self._known()
        packs = self._db.unreadable.records(query, rows, partial(pack_of, known=mask(known)))
        numbers = {rule: number for number, rule in known.items()} if raises else {}
        beyond = itertools.count(max(known, default=0) + 1)
        fresh = {rule: next(beyond) for rule in dict.fromkeys(rule for rule, _ in raises) if rule not in numbers}
        rules = {**known, **{number: rule for rule, number in fresh.items()}}
        numbers |= fresh
        return annunciations_of([*packs, columns_of(raises, numbers.__getitem__)], rules, plants, start, end)

    def pack(self, count: int) -> int:
        """Move the `count` oldest that can no longer change into one pack; returns 0 if there are fewer.

        Those are all but the newest raise of each alarm, and that too once the alarm is over.

        Raises:
            StateUnavailable, StateBroken: nothing was changed.
        """
        column, alarm = t.annunciation.c, t.alarm.c
        settled = sa.or_(alarm.state.in_(OVER), alarm.raises > column.raises)
        query = sa.select(t.annunciation).join(t.alarm, column.alarm == alarm.id).where(settled)
        query = query.order_by(column.called, column.seq)
        with self._db.write() as connection:

            def rows(most: int) -> Rows:
                return self._db.unreadable.rows(connection, query.limit(most))

            found = self._db.unreadable.page(query, count, rows, raise_of)
            if len(found) < count:
                return 0
            numbers = self._numbers(connection, {rule for rule, _ in found})
            connection.execute(sa.insert(t.annunciation_pack), pack_row(columns_of(found, numbers.__getitem__)))
            connection.execute(sa.delete(t.annunciation).where(column.seq.in_([seq for _, (seq, *_) in found])))
        return len(found)

    def _known(self) -> Mapping[int, Rule]:
        """Every readable rule of packs, by number."""
        query = sa.select(t.annunciation_rule).order_by(t.annunciation_rule.c.number)
        with self._lock:
            fresh = self._db.records(query.where(t.annunciation_rule.c.number > self._last), _numbered)
            if fresh:
                self._rules = {**self._rules, **dict(fresh)}  # others may iterate over the old one
                self._last = fresh[-1][0]
            return self._rules

    def _numbers(self, connection: sa.Connection, rules: Collection[Rule]) -> Mapping[Rule, int]:
        """The numbers of these rules; new ones are given a number."""
        numbers = {rule: number for number, rule in self._known().items()}
        missing = [rule for rule in rules if rule not in numbers]
        if missing:
            column, named = t.annunciation_rule.c, ("plant", "point", "rule")
            fresh = [dict(zip(named, rule, strict=True)) for rule in missing]
            connection.execute(insert_missing(connection, t.annunciation_rule, *named), fresh)
            plants = column.plant.in_({plant for plant, _, _ in missing})
            found = connection.execute(sa.select(t.annunciation_rule).where(plants)).mappings()
            numbers |= {rule: number for number, rule in (_numbered(dict(row)) for row in found)}
        return numbers


def _numbered(row: Mapping[str, Any]) -> tuple[int, Rule]:
    return row["number"], rule_of(row)

"""Reads annunciations as columns: one query of the raises, and the events of those few alarms that have a story."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from ingest.alarms.lifecycle import SUPPRESSIONS
from ingest.model.alarm import AlarmEventKind, AlarmState
from ingest.model.annunciations import OPEN, Annunciations
from ingest.state import tables as t
from ingest.state.database import Database

_HIDE: Final = frozenset(str(enter) for _, enter, _ in SUPPRESSIONS.values())
_OVER: Final = frozenset(map(str, (AlarmEventKind.RETURNED, AlarmEventKind.LATCHED, AlarmEventKind.REMOVED)))
_SHOW: Final = frozenset(
    {*(str(leave) for _, _, leave in SUPPRESSIONS.values()), str(AlarmEventKind.RETURNED), str(AlarmEventKind.REMOVED)}
)
_AT_A_TIME: Final = 500


def read_annunciations(database: Database, plants: Collection[str] | None, start: int, end: int) -> Annunciations:
    """The annunciations of these plants (None = all) with start <= called < end. Raises StateUnavailable."""
    raises = database.rows(_raises(plants, start, end))
    if not raises:
        return Annunciations()
    rules: dict[tuple[str, str, str], int] = {}
    rule = np.array([rules.setdefault((r["plant"], r["point"], r["rule"]), len(rules)) for r in raises], np.int32)
    hidden = np.zeros(len(raises), np.bool_)
    acked = np.array([OPEN if r["acked"] is None else r["acked"] for r in raises], np.int64)
    returned = np.array([OPEN if r["returned"] is None else r["returned"] for r in raises], np.int64)
    told = _stories(database, raises, end)
    for at, row in enumerate(raises if told else ()):
        if row["seq"] in told:
            acked[at], returned[at], hidden[at] = told[row["seq"]]
    return Annunciations(
        tuple(rules),
        rule,
        np.array([row["level"] for row in raises], np.int8),
        np.array([row["time"] for row in raises], np.int64),
        np.array([row["received"] for row in raises], np.int64),
        acked,
        returned,
        hidden,
    )


def _raises(plants: Collection[str] | None, start: int, end: int) -> sa.Select[Any]:
    event, alarm = t.alarm_event.c, t.alarm.c
    query = (
        sa.select(
            event.seq,
            event.alarm,
            event.time,
            event.received,
            alarm.plant,
            alarm.point,
            alarm.rule,
            alarm.level,
            alarm.raises,
            alarm.acked,
            alarm.returned,
            alarm.state,
        )
        .join_from(t.alarm_event, t.alarm, event.alarm == alarm.id)
        .where(event.kind == str(AlarmEventKind.RAISED), event.received >= start, event.received < end)
        .order_by(event.received, event.seq)
    )
    return query if plants is None else query.where(alarm.plant.in_(plants))


def _stories(database: Database, raises: Sequence[Mapping[str, Any]], end: int) -> dict[int, tuple[int, int, bool]]:
    """What the alarm's own row does not tell, by the raise's sequence number: acknowledged, returned, hidden."""
    event = t.alarm_event.c
    hidden = sa.select(event.alarm).distinct().where(event.kind.in_(_HIDE), event.received < end)
    ever_hidden = {row["alarm"] for row in database.rows(hidden)}
    known = {
        row["alarm"]
        for row in raises
        if row["raises"] > 1 or row["alarm"] in ever_hidden or row["state"] == AlarmState.REMOVED
    }
    told: dict[int, tuple[int, int, bool]] = {}
    order = sorted(known)
    for some in (order[at : at + _AT_A_TIME] for at in range(0, len(order), _AT_A_TIME)):
        query = sa.select(event.alarm, event.seq, event.kind, event.time, event.received)
        rows = database.rows(query.where(event.alarm.in_(some)).order_by(event.alarm, event.seq))
        for _, events in groupby(rows, itemgetter("alarm")):
            told |= _walked(list(events))
    return told


def _walked(events: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, tuple[int, int, bool]]]:
    """Each raise among an alarm's events, with what came of it before the next one."""
    hidden = False
    raises = [at for at, event in enumerate(events) if event["kind"] == AlarmEventKind.RAISED]
    for first, last in zip([0, *raises], [*raises, len(events)], strict=True):
        here = events[first:last]
        raised = here[0] if here and here[0]["kind"] == AlarmEventKind.RAISED else None
        acked = next((e["time"] for e in here if e["kind"] == AlarmEventKind.ACKNOWLEDGED), OPEN)
        over = next((e["time"] for e in here if e["kind"] in _OVER), OPEN)
        if raised is not None:
            # A suppression that covers the alarm takes it away in the moment in which it is raised.
            at_once = any(e["kind"] in _HIDE and e["time"] == raised["time"] for e in here)
            yield raised["seq"], (acked, over, hidden or at_once)
        for event in here:
            hidden = event["kind"] in _HIDE or (hidden and event["kind"] not in _SHOW)

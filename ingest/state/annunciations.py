"""Annunciations on record: kept with the event that raised each, let into packs once they cannot change, and read."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final

import sqlalchemy as sa

from ingest.alarms.lifecycle import SUPPRESSED_STATES, SUPPRESSIONS
from ingest.model.alarm import OVER, AlarmEvent, AlarmEventKind
from ingest.model.annunciations import Annunciations
from ingest.state import tables as t
from ingest.state.annunciation_packs import annunciations_of, pack_of, pack_row, packed, raise_of
from ingest.state.database import Database

_HIDE: Final = frozenset(enter for _, enter, _ in SUPPRESSIONS.values())
_OVER: Final = frozenset({AlarmEventKind.RETURNED, AlarmEventKind.LATCHED, AlarmEventKind.REMOVED})


def follow(connection: sa.Connection, event: AlarmEvent) -> None:
    """Keep what a new event says of its alarm's annunciations, in the transaction that keeps the event itself."""
    column, alarm, log = t.annunciation.c, event.alarm, t.alarm_event.c
    if event.kind is AlarmEventKind.RAISED:
        fresh = sa.insert(t.annunciation).values(
            seq=sa.select(log.seq).where(log.id == event.id).scalar_subquery(),
            alarm=alarm.id,
            raises=alarm.raises,
            plant=alarm.plant,
            point=alarm.point,
            rule=alarm.rule,
            level=alarm.level,
            raised=event.time,
            called=event.received,
            hidden=alarm.state in SUPPRESSED_STATES,
        )
        connection.execute(fresh)
        return
    newest = sa.update(t.annunciation).where(column.alarm == alarm.id, column.raises == alarm.raises)
    if event.kind is AlarmEventKind.ACKNOWLEDGED:
        connection.execute(newest.where(column.acked.is_(None)).values(acked=event.time))
    elif event.kind in _OVER:
        connection.execute(newest.where(column.returned.is_(None)).values(returned=event.time))
    elif event.kind in _HIDE:
        # A suppression that covers the alarm takes it away in the moment in which it is raised.
        connection.execute(newest.where(column.raised == event.time).values(hidden=True))


def read_annunciations(database: Database, plants: Collection[str] | None, start: int, end: int) -> Annunciations:
    """The annunciations of these plants (None = all) with start <= called < end. Raises StateUnavailable."""
    column, pack = t.annunciation.c, t.annunciation_pack.c
    # The rows first: what is let into a pack meanwhile is met twice, and not missed.
    rows = sa.select(t.annunciation).where(column.called >= start, column.called < end)
    newest = packed(database.records(rows, raise_of))
    packs = sa.select(t.annunciation_pack).where(pack.last >= start, pack.first < end)
    return annunciations_of([newest, *database.records(packs, pack_of)], plants, start, end)


def pack_annunciations(database: Database, count: int) -> int:
    """Let the `count` oldest that cannot change any more into one pack; returns 0 where there are not so many.

    That is so of all but the newest raise of each alarm, and of that once the alarm is over.

    Raises:
        StateUnavailable, StateBroken: nothing was changed.
    """
    column, alarm = t.annunciation.c, t.alarm.c
    settled = sa.or_(alarm.state.in_(OVER), alarm.raises > column.raises)
    query = sa.select(t.annunciation).join(t.alarm, column.alarm == alarm.id).where(settled)
    query = query.order_by(column.called, column.seq)
    with database.write() as connection:
        found = database.unreadable.page(query, count, partial(database.unreadable.rows, connection), raise_of)
        if len(found) < count:
            return 0
        connection.execute(sa.insert(t.annunciation_pack), pack_row(packed(found)))
        connection.execute(sa.delete(t.annunciation).where(column.seq.in_([seq for _, (seq, *_) in found])))
    return len(found)

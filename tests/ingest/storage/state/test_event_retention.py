"""Old events are deleted, their records stay, and no reader misses an event it still needs."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import Cause, acknowledged, returned
from ingest.domain.model.alarm import AlarmEvent, AlarmFilter
from ingest.domain.model.warning import WarningEvent, WarningEventKind, WarningFilter, WarningState
from ingest.domain.warnings.explain import explain
from ingest.storage.state import tables as t
from ingest.storage.state import warning_tables as w
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.event_retention import EventRetention
from ingest.storage.state.warning_store import WarningStore
from tests.ingest.storage.state.test_store import event
from tests.ingest.storage.state.test_warning_store import life

NEVER = 10**9
DAY = 86_400 * 10**9


def lived(point: str, at: int, *, over: bool) -> list[AlarmEvent]:
    """An alarm that is raised, acknowledged and, if it is `over`, back to normal after 20."""
    first = event(point, at)
    seen = acknowledged(first.alarm, Cause(at + 10, at + 10, "张三", "operator"))
    back = returned(seen.alarm, Cause(at + 20, at + 20)) if over else None
    return [first, seen, *([back] if back is not None else [])]


def test_events_go_only_of_alarms_long_over_that_the_history_has(database: Database) -> None:
    """Against a plain model, with random lives, in pieces, after restarts."""
    rng = np.random.default_rng(3)
    lives = [lived(f"P-{n}", 1_000 * n + int(rng.integers(900)), over=bool(rng.random() < 0.8)) for n in range(60)]
    for number, life_events in enumerate(lives, 1):
        EngineStore(database).commit(number, life_events, [])
    book = AlarmStore(database)
    everything = book.events_after(0, limit=1_000)
    alarms, trail = book.alarms(AlarmFilter(), limit=100), AuditStore(database.rows).acts(limit=1_000)
    last_of = {live[-1].alarm.id: live[-1].alarm for live in lives}

    for before, upto in ((20_000, 30), (40_000, 90), (40_000, NEVER), (NEVER, NEVER)):
        retention, gone = EventRetention(database), 0
        kept_before = book.events_after(0, limit=1_000)
        while trimmed := retention.trim_alarms(before, upto, 7):
            gone += trimmed
        kept = [
            kept_event
            for kept_event in kept_before
            if (ended := last_of[kept_event.alarm.id].returned) is None
            or ended >= before
            or kept_event.received >= before
            or kept_event.seq > upto
            or kept_event.seq == everything[-1].seq
        ]
        assert book.events_after(0, limit=1_000) == kept
        assert gone == len(kept_before) - len(kept) > 0
    assert book.last_event() == everything[-1].seq
    assert book.alarms(AlarmFilter(), limit=100) == alarms
    assert AuditStore(database.rows).acts(limit=1_000) == trail


def test_what_is_over_later_goes_later(database: Database) -> None:
    """Old events that stayed because their alarm still stood are found again after it is over."""
    store, book, retention = EngineStore(database), AlarmStore(database), EventRetention(database)
    first, second = lived("P-1", 100, over=False), event("P-2", 5_000)
    store.commit(1, [*first, second], [])
    assert retention.trim_alarms(1_000, NEVER, 100) == 0
    back = returned(first[-1].alarm, Cause(200, 200))
    assert back is not None
    store.commit(2, [back, event("P-3", 9_000)], [])
    assert EventRetention(database).trim_alarms(1_000, NEVER, 100) == 3
    assert book.alarm_history(first[0].alarm.id) == []


def test_a_closed_warning_lets_go_of_mere_changes_of_reasons_and_can_be_explained_as_before(
    database: Database,
) -> None:
    made = life()
    between = replace(made[1], kind=WarningEventKind.INPUTS_CHANGED)
    noise = [_again(between, number) for number in range(50)]
    open_noise = _again(replace(made[-1], kind=WarningEventKind.INPUTS_CHANGED), 99)
    EngineStore(database).commit(1, [], [], warnings=[made[0], *noise, *made[1:], open_noise, _again(made[-1], 98)])
    book = WarningStore(database)
    (closed,) = (warning for warning in book.warnings(WarningFilter(), limit=9) if warning.state is WarningState.CLOSED)
    before = explain(book.warning_history(closed.id))
    kinds = [
        event.kind for event in book.warning_history(closed.id) if event.kind is not WarningEventKind.INPUTS_CHANGED
    ]
    retention = EventRetention(database)
    assert retention.trim_warnings(closed.changed, NEVER, 100) == 0, "not before it was closed for so long"
    gone = sum(iter(lambda: retention.trim_warnings(NEVER * 10**9, NEVER, 20), 0))
    assert gone >= 50
    after = book.warning_history(closed.id)
    assert [event.kind for event in after] == kinds
    assert explain(after).warning.inputs == before.warning.inputs
    left = database.rows(sa.select(w.warning_event.c.kind).where(w.warning_event.c.kind == "inputs-changed"))
    assert len(left) == 1, "that of the open one"


def _again(event: WarningEvent, number: int) -> WarningEvent:
    return replace(event, id=type(event.id)(int=number + 1))


@pytest.mark.parametrize(("table", "column"), [(t.alarm_event, "received"), (w.warning_event, "time")])
def test_the_database_itself_lets_nobody_delete_a_young_event_or_change_any(
    database: Database, table: sa.Table, column: str
) -> None:
    """Half a year, by its own clock; whoever gets at it with a statement of his own."""
    now = time.time_ns()
    times = young, old = now - 182 * DAY, now - 184 * DAY
    made = [replace(event, received=at) for event, at in zip(lived("P", 100, over=False), times, strict=True)]
    warned = [replace(event, time=at) for event, at in zip(life()[:2], times, strict=True)]
    EngineStore(database).commit(1, made, [], warnings=warned)
    for statement in (sa.delete(table), sa.update(table).values({column: 1})):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), database.write() as connection:
            connection.execute(statement)
    with database.write() as connection:
        connection.execute(sa.delete(table).where(table.c[column] == old))
    assert [row[column] for row in database.rows(sa.select(table.c[column]))] == [young]

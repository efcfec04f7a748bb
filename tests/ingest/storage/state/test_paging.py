"""Every paged list gives each record once, however many share a moment, whichever rows are damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from ingest.domain.model.alarm import AlarmFilter
from ingest.domain.model.audit import Act
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.storage.state import tables as t
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.audit import AuditStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.outbox_store import OutboxStore
from ingest.storage.state.suppressions import SuppressionStore
from tests.ingest.storage.state.test_store import event, message

COUNT, PAGE, MOMENT = 120, 10, 1_000
GUARDS = {
    "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table",
    "postgresql": "SELECT 'ALTER TABLE ' || CAST(:table AS text) || ' DISABLE TRIGGER USER'",
}
"""What gives the statements by which a bad disk goes around what protects the rows."""

DAMAGED = range(30, 75)  # several pages in a row, and parts of two


def fill(database: Database) -> None:
    """So many of each, all of one moment."""
    events = [event(f"CO-{number:03d}", MOMENT) for number in range(COUNT)]
    suppressions = [
        Suppression(
            uuid4(),
            SuppressionKind.SHELVED,
            SuppressionState.IN_FORCE,
            "p",
            "CO-01",
            "H",
            "校准",
            "张三",
            MOMENT,
            0,
            None,
        )
        for _ in range(COUNT)
    ]
    acts = [Act(MOMENT, "张三", "operator", "seen", "alarm", str(number), "p", {}) for number in range(COUNT)]
    EngineStore(database).commit(
        1, events, [message(raised.id) for raised in events], suppressions=suppressions, acts=acts
    )


def damage(database: Database, table: sa.Table, **values: Any) -> None:
    """Write what no version of the service does into some rows."""
    key = next(iter(table.primary_key))
    chosen = [row[key.name] for row in database.rows(sa.select(key).order_by(key))][DAMAGED.start : DAMAGED.stop]
    with database.write() as connection:
        for off in connection.scalars(sa.text(GUARDS[connection.dialect.name]), {"table": table.name}).all():
            connection.execute(sa.text(off))
        connection.execute(sa.update(table).where(key.in_(chosen)).values(values))


def through(page: Callable[[Any], Sequence[Any]], place: Callable[[Any], Any]) -> list[Any]:
    """All pages; the one that is not full is the last."""
    seen: list[Any] = []
    while True:
        found = page(place(seen[-1]) if seen else None)
        seen += found
        if len(found) < PAGE:
            return seen


def suppressions(database: Database) -> list[UUID]:
    store = SuppressionStore(database)
    found = through(
        lambda at: store.suppressions(limit=PAGE, before=at), lambda suppression: (suppression.applied, suppression.id)
    )
    return [suppression.id for suppression in found]


def alarms(database: Database) -> list[UUID]:
    store = AlarmStore(database)
    found = through(
        lambda at: store.alarms(AlarmFilter(), limit=PAGE, before=at), lambda alarm: (alarm.raised, alarm.id)
    )
    return [alarm.id for alarm in found]


def events(database: Database) -> list[int]:
    store = AlarmStore(database)
    return [event.seq for event in through(lambda at: store.events_after(at or 0, limit=PAGE), lambda event: event.seq)]


def acts(database: Database) -> list[int]:
    store = AuditStore(database.rows)
    return [row.seq for row in through(lambda at: store.acts(limit=PAGE, before=at), lambda row: row.seq)]


def waiting(database: Database) -> list[int]:
    store = OutboxStore(database)
    found = through(
        lambda at: store.waiting("inspector", "alarm", at or 0, PAGE), lambda waiting_message: waiting_message.seq
    )
    return [waiting_message.seq for waiting_message in found]


LISTS: list[tuple[Callable[[Database], list[Any]], sa.Table, dict[str, Any], int]] = [
    (suppressions, t.suppression, {"kind": "nobody knows"}, COUNT),
    (alarms, t.alarm, {"state": "nobody knows"}, COUNT),
    (events, t.alarm_event, {"kind": "nobody knows"}, COUNT),
    (acts, t.audit, {"detail": "{"}, 2 * COUNT),
    (waiting, t.outbox, {"urgency": 77}, COUNT),
]


@pytest.mark.parametrize(("listed", "table", "values", "count"), LISTS, ids=[row[0].__name__ for row in LISTS])
def test_every_record_is_on_one_page_though_all_are_of_one_moment_and_some_are_damaged(
    listed: Callable[[Database], list[Any]],
    table: sa.Table,
    values: dict[str, Any],
    count: int,
    database: Database,
) -> None:
    fill(database)
    whole = listed(database)
    assert (len(whole), len(set(whole))) == (count, count)
    damage(database, table, **values)
    assert len(listed(database)) == count - len(DAMAGED)
    assert set(listed(database)) < set(whole)

"""The order of outstanding alarms by urgency, against a plain sort."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from uuid import UUID

import numpy as np
import pytest
import sqlalchemy as sa

from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.alarms.urgency import Order, is_place, place, urgency
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmFilter, AlarmState
from ingest.domain.model.text import Text
from ingest.storage.state.alarm_store import AlarmStore
from ingest.storage.state.database import Database
from ingest.storage.state.engine_store import EngineStore
from ingest.storage.state.tables import alarm as table

NOON = 1_795_000_000 * 10**9
WAITING = ("unacknowledged", "returned-unacknowledged", "latched-unacknowledged")
SEEN = ("acknowledged", "latched-acknowledged")


def plainly(alarms: list[Alarm]) -> list[Alarm]:
    """Nobody has acknowledged it, then level 2, then the newest call; what does not stand is not there."""
    stands = [alarm for alarm in alarms if alarm.state in {*WAITING, *SEEN}]
    return sorted(
        stands,
        key=lambda alarm: (alarm.state in WAITING, alarm.level, alarm.annunciated // 10**6, alarm.id),
        reverse=True,
    )


def made(rng: np.random.Generator, plants: int) -> Alarm:
    """An alarm in any state; many share their time with another."""
    time = NOON - int(rng.integers(200)) * 10**9
    state = list(AlarmState)[int(rng.integers(len(AlarmState)))]
    return Alarm(
        id=UUID(bytes=rng.bytes(16)),
        plant=f"plant-{int(rng.integers(plants))}",
        point="CO-01",
        rule="H",
        level=1 if rng.random() < 0.5 else 2,
        state=state,
        title=Text("报警", "alarm"),
        value=1.0,
        limit=1.0,
        unit="",
        onset=time,
        raised=time - 7,
        annunciated=time,
        raises=2,
    )


def keep(database: Database, alarms: list[Alarm]) -> None:
    events = [AlarmEvent(0, alarm.id, AlarmEventKind.RAISED, alarm.raised, alarm.raised, alarm) for alarm in alarms]
    EngineStore(database).commit(1, events, [])


@pytest.mark.parametrize("seed", range(3))
def test_pages_of_standing_alarms_are_the_plain_order_without_a_gap_or_a_repeat(database: Database, seed: int) -> None:
    """Also for few plants, one level, one state, and with many alarms of one time."""
    rng = np.random.default_rng(seed)
    alarms = [made(rng, 5) for _ in range(300)]
    keep(database, alarms)
    store = AlarmStore(database)
    for which in (
        AlarmFilter(),
        AlarmFilter(plants=frozenset({"plant-1", "plant-3"}), states=OUTSTANDING),
        AlarmFilter(level=1),
        AlarmFilter(states=frozenset({AlarmState.RETURNED})),
    ):
        asked = [
            alarm
            for alarm in alarms
            if (which.plants is None or alarm.plant in which.plants)
            and which.level in {None, alarm.level}
            and (which.states is None or alarm.state in which.states)
        ]
        found: list[Alarm] = []
        while page := store.alarms(
            which, limit=7, before=place(found[-1], Order.URGENCY) if found else None, order=Order.URGENCY
        ):
            found += page
        assert found == plainly(asked)


def test_an_alarm_moves_with_every_step_of_its_life(database: Database) -> None:
    """Acknowledged it stands behind, raised anew in front, back to normal nowhere."""
    engine, store = EngineStore(database), AlarmStore(database)
    rng = np.random.default_rng(7)
    alarm, other = (replace(made(rng, 1), level=1, state=AlarmState.UNACKNOWLEDGED) for _ in range(2))
    keep(database, [alarm, other])
    for state, first in ((AlarmState.ACKNOWLEDGED, other), (AlarmState.UNACKNOWLEDGED, alarm)):
        alarm = replace(alarm, state=state, annunciated=NOON + 10**9)
        engine.commit(2, [AlarmEvent(0, UUID(bytes=rng.bytes(16)), AlarmEventKind.RAISED, 1, 1, alarm)], [])
        assert store.alarms(AlarmFilter(), limit=9, order=Order.URGENCY)[0].id == first.id
    alarm = replace(alarm, state=AlarmState.NORMAL)
    engine.commit(3, [AlarmEvent(0, UUID(int=9), AlarmEventKind.RETURNED, 1, 1, alarm)], [])
    assert store.alarms(AlarmFilter(), limit=9, order=Order.URGENCY) == [other]
    assert store.alarm(alarm.id) == alarm


def test_alarms_of_before_the_migration_have_their_place(database: Database) -> None:
    """The number the migration works out in SQL is the one the service works out."""
    rng = np.random.default_rng(3)
    alarms = [made(rng, 2) for _ in range(100)]
    keep(database, alarms)
    fill = import_module("ingest.storage.state.migrations.versions.0007_urgency").FILL
    with database.write() as connection:
        connection.execute(sa.update(table).values(urgency=None))
        connection.execute(sa.text(fill))
        kept = {row.id: row.urgency for row in connection.execute(sa.select(table.c.id, table.c.urgency))}
    assert kept == {alarm.id: urgency(alarm) for alarm in alarms}


def test_a_place_in_one_order_is_none_in_the_other() -> None:
    alarm = replace(made(np.random.default_rng(1), 1), state=AlarmState.UNACKNOWLEDGED, level=2)
    for order in Order:
        assert [is_place(place(alarm, order)[0], candidate) for candidate in Order] == [
            candidate is order for candidate in Order
        ]

"""The life of an alarm: every state meets every event in a defined way."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from uuid import UUID

import pytest

from ingest.alarms.lifecycle import TRANSITIONS, acknowledged, raised, recorded, returned
from ingest.model.alarm import Alarm, AlarmEventKind, AlarmState, alarm_id, event_id, historical_id
from ingest.model.plant import Text


def alarm(state: AlarmState = AlarmState.NORMAL) -> Alarm:
    """An alarm of a CO point."""
    name = alarm_id("p", "CO-01", "H", 100)
    title = Text("一氧化碳 高报", "CO high")
    return Alarm(name, "p", "CO-01", "H", 1, state, title, 25.0, 24.0, "ppm", onset=100, raised=110)


def test_every_pair_of_state_and_event_is_defined() -> None:
    assert set(TRANSITIONS) == set(product(AlarmState, AlarmEventKind))


def test_an_unacknowledged_alarm_does_not_vanish_when_the_value_returns() -> None:
    standing = raised(alarm(), time=110, received=110, value=25.0)
    assert standing is not None
    back = returned(standing.alarm, time=200, received=200)
    assert back is not None
    assert back.alarm.state is AlarmState.RETURNED
    seen = acknowledged(back.alarm, time=300, by="张三", comment="已到现场")
    assert seen is not None
    assert seen.alarm.state is AlarmState.NORMAL
    assert (seen.alarm.acked, seen.alarm.acked_by, seen.alarm.comment) == (300, "张三", "已到现场")


def test_an_acknowledged_alarm_ends_when_the_value_returns() -> None:
    standing = acknowledged(alarm(AlarmState.UNACKNOWLEDGED), time=120, by="op", comment=None)
    assert standing is not None
    assert standing.alarm.state is AlarmState.ACKNOWLEDGED
    back = returned(standing.alarm, time=200, received=200)
    assert back is not None
    assert (back.alarm.state, back.alarm.returned) == (AlarmState.NORMAL, 200)


def test_an_alarm_that_comes_back_before_anyone_looked_is_the_same_alarm() -> None:
    again = raised(alarm(AlarmState.RETURNED), time=250, received=250, value=30.0)
    assert again is not None
    assert again.alarm.id == alarm().id
    assert (again.alarm.state, again.alarm.returned) == (AlarmState.UNACKNOWLEDGED, None)


@pytest.mark.parametrize(
    "event",
    [
        raised(alarm(AlarmState.ACKNOWLEDGED), time=1, received=1, value=1.0),
        returned(alarm(AlarmState.RETURNED), time=1, received=1),
        returned(alarm(AlarmState.NORMAL), time=1, received=1),
        acknowledged(alarm(AlarmState.ACKNOWLEDGED), time=1, by="x", comment=None),
        acknowledged(alarm(AlarmState.NORMAL), time=1, by="x", comment=None),
        recorded(alarm(), received=1),
        recorded(replace(alarm(AlarmState.UNACKNOWLEDGED), historical=True, returned=9), received=1),
    ],
)
def test_an_event_that_means_nothing_makes_no_record(event: object) -> None:
    assert event is None


def test_a_historical_alarm_is_told_again_under_another_id_when_it_proves_longer() -> None:
    known = replace(alarm(), historical=True, returned=200)
    told, again = recorded(known, received=500), recorded(known, received=900)
    longer = recorded(replace(known, returned=300), received=900)
    assert told is not None
    assert again is not None
    assert longer is not None
    assert (told.alarm.state, told.time, told.received) == (AlarmState.NORMAL, 200, 500)
    assert told.id == again.id != longer.id
    assert historical_id("p", "CO-01", "H", 100) != alarm_id("p", "CO-01", "H", 100)


def test_ids_are_the_same_on_every_machine_and_every_replay() -> None:
    name = alarm_id("p", "CO-01", "H", 100)
    assert name == UUID("d21d093f-ca0d-5d46-a0a5-77374802d5aa")
    assert event_id(name, AlarmEventKind.RAISED, 5) == UUID("3832ad8e-1c6c-5cb0-b52d-7a3b6037d450")
    assert name != alarm_id("p", "CO-01", "H", 101)
    assert event_id(name, AlarmEventKind.RAISED, 5) != event_id(name, AlarmEventKind.RETURNED, 5)

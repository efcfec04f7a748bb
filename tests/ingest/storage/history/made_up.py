"""A sample plant, its readings and its alarm events, for tests of history stores and dashboards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal
from uuid import UUID

import numpy as np

from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState, alarm_id, event_id
from ingest.domain.model.batch import Batch
from ingest.domain.model.plant import GATEWAY_SIGNAL, Point
from ingest.domain.model.text import Text
from ingest.domain.model.warning import WarningEvent
from ingest.plants.configuration import PlantConfiguration
from ingest.storage.history.store import HistoryStore, Trend, TrendQuery
from tests.ingest.domain.warnings.small import episodes_of_plant, fact

SECOND = 1_000_000_000
NOON = 1_763_884_800 * SECOND
PLANT = "demo-aluminium"

EVENT_OF: dict[AlarmEventKind, AlarmState] = {
    AlarmEventKind.RAISED: AlarmState.UNACKNOWLEDGED,
    AlarmEventKind.ACKNOWLEDGED: AlarmState.ACKNOWLEDGED,
    AlarmEventKind.RETURNED: AlarmState.RETURNED,
    AlarmEventKind.RECORDED: AlarmState.NORMAL,
}


def point(index: int, name: str, *, signal: str = "ALC_CW_IN_P", plant: str = PLANT) -> Point:
    return Point(
        index=index,
        plant=plant,
        id=name,
        signal=signal,
        name=Text(f"测点 {name}", f"Point {name}"),
        unit="MPa",
        equipment=None,
        gateway="GW-01",
        low=0.0,
        high=1.0,
        silence_s=15,
        setpoint=None,
        rules=(),
        not_evaluated=(),
    )


def trend_of(
    store: HistoryStore, plant: str, name: str, start: int, end: int, buckets: int, *, was: str | None = None
) -> Trend:
    """The trend of one point."""
    (found,) = store.trends([TrendQuery(plant, name, start, end, buckets, was)])
    return found


def configuration(*points: Point | None, version: int = 1) -> PlantConfiguration:
    """A configuration of these points; by default three measuring points and their gateway."""
    known = points or (point(0, "CW-01"), point(1, "CW-02"), point(2, "T-01"), point(3, "GW-01", signal=GATEWAY_SIGNAL))
    return PlantConfiguration(
        version=version,
        plants={},
        points=known,
        rules=(),
        gateways={},
        low=np.array([np.nan if p is None else p.low for p in known]),
        high=np.array([np.nan if p is None else p.high for p in known]),
        carrier=np.arange(len(known), dtype=np.int32),
        tables={},
    )


def batch(
    points: Sequence[int],
    times: Sequence[int],
    values: Sequence[float],
    flags: Sequence[int] | None = None,
    *,
    received: int | None = None,
) -> Batch:
    """Readings; `times` in ns."""
    n = len(points)
    return Batch(
        np.array(points, np.int32),
        np.array(times, np.int64),
        np.array(values, np.float64),
        np.array([0] * n if flags is None else flags, np.uint16),
        np.full(n, max(times, default=0) if received is None else received, np.int64),
    )


def steady(n: int, *, start: int = NOON, points: int = 3, step: int = SECOND) -> Batch:
    """So many readings, the points alternating, every reading with a time of its own."""
    at = start + np.arange(n) * step
    value = np.round(0.3 + 0.05 * np.sin(np.arange(n)), 6)
    return Batch((np.arange(n) % points).astype(np.int32), at, value, np.zeros(n, np.uint16), at + 5_000_000)


def alarm_event(
    seq: int,
    kind: AlarmEventKind = AlarmEventKind.RAISED,
    *,
    at: int = NOON,
    onset: int = NOON,
    where: str = "CW-01",
    rule: str = "LL",
    level: Literal[1, 2] = 2,
    value: float | None = 0.27,
) -> AlarmEvent:
    """One event of an alarm that began at `onset`."""
    alarm = Alarm(
        id=alarm_id(PLANT, where, rule, onset),
        plant=PLANT,
        point=where,
        rule=rule,
        level=level,
        state=EVENT_OF.get(kind, AlarmState.UNACKNOWLEDGED),
        title=Text("结晶器冷却水进水压力 低低报", "Mould cooling water inlet pressure low-low"),
        value=value,
        limit=0.28,
        unit="MPa",
        onset=onset,
        raised=onset,
        annunciated=onset,
        raises=1,
    )
    return AlarmEvent(seq=seq, id=event_id(alarm.id, kind, at), kind=kind, time=at, received=at, alarm=alarm)


def warning_events() -> list[WarningEvent]:
    """Raised, reminded, escalated, ended."""
    made = episodes_of_plant(100)
    cause = fact("A", 100, 2)
    found = made.learn(100 * SECOND, known=[cause])
    found += made.learn(105 * SECOND, over=[cause.key])
    found += made.pass_time(111 * SECOND)
    return [replace(event, seq=number) for number, event in enumerate(found, 1)]


def titled(event: AlarmEvent, zh: str) -> AlarmEvent:
    """The same event with another title."""
    return replace(event, alarm=replace(event.alarm, title=Text(zh, "")))


def named(event: AlarmEvent, number: int) -> AlarmEvent:
    """The same event under another id."""
    return replace(event, id=UUID(int=number))


def until(true: Callable[[], bool], timeout_s: float = 20) -> None:
    """Return once it is true; fail if it does not become true in time."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.01)

"""Alarms and suppressions as the facts warnings are derived from, by plant files in force and newest readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ingest.model.alarm import Alarm, AlarmState
from ingest.model.plant import SERVICE, Gate, Point
from ingest.model.suppression import Suppression
from ingest.model.warning import Fact
from ingest.warnings import risk
from ingest.warnings.facts import alarm_fact, counts, service_fact

if TYPE_CHECKING:  # the memory holds the watches
    from ingest.pipeline.memory import Memory


def gate_of(memory: Memory, plant: str, equipment: str | None) -> Gate | None:
    """What says whether that equipment runs; None: nothing does, and it is always taken to."""
    known = memory.roster.plants.get(plant)
    machines = known.equipment if known is not None else ()
    return next((machine.running for machine in machines if machine.id == equipment), None)


def runs(memory: Memory, plant: str, gate: Gate | None) -> bool:
    """Whether it runs by the newest reading of its gate; while that is not known it is taken to."""
    point = memory.roster.find(plant, gate.point) if gate is not None else None
    if gate is None or point is None:
        return True
    value = float(memory.value[point.index])
    return bool(np.isnan(value)) or gate.holds(value)


def of_alarm(memory: Memory, alarm: Alarm, since: int, bypass_signals: Collection[str]) -> Fact:
    """An alarm as a fact."""
    point = memory.roster.find(alarm.plant, alarm.point)
    rules = point.rules if point is not None else ()
    rule = next((one for one in rules if one.code == alarm.rule), None)
    return alarm_fact(alarm, point, rule, since=since, running=_running(memory, point), bypass_signals=bypass_signals)


def of_suppression(memory: Memory, suppression: Suppression) -> Fact | None:
    """A point out of service as a fact; None: it is not."""
    point = memory.roster.find(suppression.plant, suppression.point)
    return service_fact(suppression, point, running=_running(memory, point))


def standing(
    memory: Memory, learnt: Mapping[str, int], now: int, bypass_signals: Collection[str]
) -> Iterator[tuple[str, Fact]]:
    """Every fact there is, with its plant; those that were over but lately too.

    `learnt`: when the service learnt of them, by key, as far as that was kept; else what the alarm says stands in.
    """
    for alarm in [*memory.alarms.values(), *memory.recent.values()]:
        if alarm.historical or alarm.plant == SERVICE:
            continue
        since = learnt.get(str(alarm.id), min(alarm.annunciated, now))
        fact = of_alarm(memory, alarm, since, bypass_signals)
        if counts(alarm):
            yield alarm.plant, fact
        elif alarm.returned is not None and alarm.state is not AlarmState.OUT_OF_SERVICE:
            over = replace(fact, gone=max(since, min(alarm.returned, now)))
            if not risk.forgotten(over, now):
                yield alarm.plant, over
    for suppression in memory.suppressions.records():
        service = of_suppression(memory, suppression)
        if service is not None:
            yield suppression.plant, service


def _running(memory: Memory, point: Point | None) -> bool:
    return point is None or runs(memory, point.plant, gate_of(memory, point.plant, point.equipment))

"""Alarms and suppressions as the facts warnings are derived from, by plant files in force and newest readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.model.alarm import Alarm, AlarmState
from ingest.model.plant import SERVICE, Point
from ingest.model.suppression import Suppression
from ingest.model.warning import Fact
from ingest.plants.view import PlantView
from ingest.warnings import risk
from ingest.warnings.facts import alarm_fact, counts, service_fact

if TYPE_CHECKING:  # the memory holds the watches
    from ingest.pipeline.memory import Memory


def of_alarm(memory: Memory, view: PlantView, alarm: Alarm, since: int, bypass_signals: Collection[str]) -> Fact:
    """An alarm as a fact."""
    point = memory.roster.find(alarm.plant, alarm.point)
    rules = point.rules if point is not None else ()
    rule = next((one for one in rules if one.code == alarm.rule), None)
    return alarm_fact(alarm, point, rule, since=since, running=_running(view, point), bypass_signals=bypass_signals)


def of_suppression(memory: Memory, view: PlantView, suppression: Suppression) -> Fact | None:
    """A point out of service as a fact; None: it is not."""
    point = memory.roster.find(suppression.plant, suppression.point)
    return service_fact(suppression, point, running=_running(view, point))


def standing(
    memory: Memory, learnt: Mapping[str, int], now: int, bypass_signals: Collection[str]
) -> Iterator[tuple[str, Fact]]:
    """Every fact there is, with its plant; those that were over but lately too.

    `learnt`: when the service learnt of them, by key, as far as that was kept; else what the alarm says stands in.
    """
    view = memory.view(now)
    for alarm in [*memory.alarms.values(), *memory.recent.values()]:
        if alarm.historical or alarm.plant == SERVICE:
            continue
        since = learnt.get(str(alarm.id), min(alarm.annunciated, now))
        fact = of_alarm(memory, view, alarm, since, bypass_signals)
        if counts(alarm):
            yield alarm.plant, fact
        elif alarm.returned is not None and alarm.state is not AlarmState.OUT_OF_SERVICE:
            over = replace(fact, gone=max(since, min(alarm.returned, now)))
            if not risk.forgotten(over, now):
                yield alarm.plant, over
    for suppression in memory.suppressions.records():
        service = of_suppression(memory, view, suppression)
        if service is not None:
            yield suppression.plant, service


def _running(view: PlantView, point: Point | None) -> bool:
    return point is None or view.runs(point)

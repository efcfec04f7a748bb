"""Alarms and suppressions as the facts warnings are derived from, by plant files in force and newest readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.plant import SERVICE, Point
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.warning import Fact
from ingest.domain.warnings import risk
from ingest.domain.warnings.facts import alarm_fact, counts, service_fact
from ingest.plants.view import PlantView

if TYPE_CHECKING:  # the memory holds the watches
    from ingest.engine.engine_state import EngineState


def of_alarm(
    engine_state: EngineState, view: PlantView, alarm: Alarm, since: int, bypass_signals: Collection[str]
) -> Fact:
    """An alarm as a fact."""
    point = engine_state.configuration.find(alarm.plant, alarm.point)
    rules = point.rules if point is not None else ()
    rule = next((rule for rule in rules if rule.code == alarm.rule), None)
    return alarm_fact(alarm, point, rule, since=since, running=_running(view, point), bypass_signals=bypass_signals)


def of_suppression(engine_state: EngineState, view: PlantView, suppression: Suppression) -> Fact | None:
    """A point out of service as a fact; None: it is not."""
    point = engine_state.configuration.find(suppression.plant, suppression.point)
    return service_fact(suppression, point, running=_running(view, point))


def standing(
    engine_state: EngineState, learnt: Mapping[str, int], now: int, bypass_signals: Collection[str]
) -> Iterator[tuple[str, Fact]]:
    """Every fact there is, with its plant; those that were over but lately too.

    `learnt`: when the service learnt of them, by key, as far as that was kept; else what the alarm says stands in.
    """
    view = engine_state.view(now)
    for alarm in [*engine_state.alarms.values(), *engine_state.recent.values()]:
        if alarm.historical or alarm.plant == SERVICE:
            continue
        since = learnt.get(str(alarm.id), min(alarm.annunciated, now))
        fact = of_alarm(engine_state, view, alarm, since, bypass_signals)
        if counts(alarm):
            yield alarm.plant, fact
        elif alarm.returned is not None and alarm.state is not AlarmState.OUT_OF_SERVICE:
            over = replace(fact, gone=max(since, min(alarm.returned, now)))
            if not risk.forgotten(over, now):
                yield alarm.plant, over
    for suppression in engine_state.suppressions.records():
        service = of_suppression(engine_state, view, suppression)
        if service is not None:
            yield suppression.plant, service


def _running(view: PlantView, point: Point | None) -> bool:
    return point is None or view.runs(point)

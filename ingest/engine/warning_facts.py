"""Converts alarms and suppressions to the facts that warnings are derived from."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.domain.model.alarm import Alarm, AlarmState
from ingest.domain.model.plant import SERVICE
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.warning import Fact
from ingest.domain.warnings import risk
from ingest.domain.warnings.facts import alarm_fact, counts, service_fact
from ingest.plants.view import PlantView

if TYPE_CHECKING:  # it holds the episodes
    from ingest.engine.engine_state import EngineState


def of_alarm(
    engine_state: EngineState, view: PlantView, alarm: Alarm, since: int, bypass_signals: Collection[str]
) -> Fact:
    """Convert an alarm to a fact, by its rule in force and the newest readings."""
    point = engine_state.configuration.find(alarm.plant, alarm.point)
    rule = engine_state.configuration.rule(alarm.plant, alarm.point, alarm.rule)
    return alarm_fact(alarm, point, rule, since=since, state=view.state_of(point), bypass_signals=bypass_signals)


def of_suppression(engine_state: EngineState, view: PlantView, suppression: Suppression) -> Fact | None:
    """Convert a point out of service to a fact; None: it is not out of service."""
    point = engine_state.configuration.find(suppression.plant, suppression.point)
    return service_fact(suppression, point, view.state_of(point))


def active_facts(
    engine_state: EngineState, learnt: Mapping[str, int], now: int, bypass_signals: Collection[str]
) -> Iterator[tuple[str, Fact]]:
    """Every present fact with its plant, and those that ended recently.

    `learnt`: when the service learnt of them, by key, where stored; else the alarm's time of annunciation.
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

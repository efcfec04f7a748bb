"""Ends alarms whose rules a new configuration no longer has."""

from __future__ import annotations

from ingest.domain.alarms.lifecycle import Cause, removed
from ingest.domain.model.alarm import Alarm
from ingest.engine.alarm_transitions import apply_transition
from ingest.engine.cycle import Cycle
from ingest.engine.engine_state import EngineState
from ingest.plants.configuration import PlantConfiguration


def end_removed(cycle: Cycle, engine_state: EngineState, now: int) -> None:
    """End alarms of removed rules as removed at `now` (ns), since nothing evaluates them any more."""
    configuration = cycle.configuration
    for key, alarm in list(engine_state.alarms.items()):
        if configuration.has_rule(*key):
            continue
        cause = Cause(now, now, detail={"comment": _reason(configuration, alarm)})
        if (event := removed(alarm, cause)) is not None:
            apply_transition(cycle, engine_state, event)
            engine_state.excursions.close_span(alarm.rule_key, now)


def _reason(configuration: PlantConfiguration, alarm: Alarm) -> str:
    if alarm.plant not in configuration.plants:
        return "企业已移出配置 plant removed from configuration"
    if configuration.find(alarm.plant, alarm.point) is None:
        return "测点已移出配置 point removed from configuration"
    return "规则已移出配置 rule removed from configuration"

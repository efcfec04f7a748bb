"""Turns findings, and limits that late readings violate, into alarm transitions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from detectors import Findings
from detectors.contributions import Aspect, Contributor
from ingest.domain.alarms.lifecycle import Cause, raised, recorded, returned
from ingest.domain.alarms.retrospective_alarms import Span, Violation
from ingest.domain.model import display_value
from ingest.domain.model.alarm import Alarm, AlarmState, alarm_id, historical_id
from ingest.domain.model.contribution import ASPECTS, Contribution, PointAspect
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import PhaseName, Point, Rule, rule_key
from ingest.domain.model.text import Text
from ingest.engine.alarm_transitions import apply_transition
from ingest.engine.bypasses import noted, pass_time
from ingest.engine.cycle import Cycle, LateUnjudged
from ingest.engine.engine_state import EngineState
from ingest.engine.late_data import HOLD_BACK, RETROSPECTIVE_KINDS, SETTLE_AFTER, LimitRule
from ingest.engine.phase_at_raise import PhaseAtRaise, phase_long_ago
from ingest.plants.configuration import PlantConfiguration

_NO_ROWS: Final = np.empty(0, np.intp)


def advance_alarms(cycle: Cycle, engine_state: EngineState) -> None:
    """Turn findings, and limits that late readings violate, into alarm transitions, in the order of arrival.

    In that order, so that the transitions do not depend on how the stream is cut into batches.
    """
    if len(cycle.batch):
        cycle.arrived_until = int(cycle.batch.received.max())
    findings = cycle.findings
    past = engine_state.limits.beyond(cycle.batch) if cycle.live is not cycle.batch else _NO_ROWS
    if not len(findings) and not len(past):
        _settle_excursions(cycle, engine_state, cycle.arrived_until)
        return
    phases = PhaseAtRaise(cycle, engine_state)
    order = np.argsort(findings.received, kind="stable") if len(findings) > 1 else range(len(findings))
    waiting = [int(at) for at in reversed(order)]
    for at in past.tolist():
        received = int(cycle.batch.received[at])
        while waiting and findings.received[waiting[-1]] <= received:
            _apply_finding(cycle, engine_state, phases, waiting.pop())
        _apply_late_reading(cycle, engine_state, at)
    while waiting:
        _apply_finding(cycle, engine_state, phases, waiting.pop())
    _settle_excursions(cycle, engine_state, cycle.arrived_until)


def _apply_finding(cycle: Cycle, engine_state: EngineState, phases: PhaseAtRaise, at: int) -> None:
    """Apply one finding to its live alarm."""
    findings = cycle.findings
    rule = cycle.configuration.rules[findings.rule[at]]
    value = None if np.isnan(findings.value[at]) else display_value.at(float(findings.value[at]), rule.limit)
    time, received = int(findings.time[at]), int(findings.received[at])
    _settle_excursions(cycle, engine_state, min(received, cycle.arrived_until))
    pass_time(cycle, engine_state, received)
    name = (rule.plant, rule.point, rule.code)
    alarm = engine_state.alarms.get(name)
    key = rule_key(*name) if rule.kind in RETROSPECTIVE_KINDS else None
    cause, event = Cause(time, received), None
    if findings.raised[at]:
        onset = int(findings.onset[at])
        known = alarm or engine_state.reopenable(name, time, cycle.policy.reopen)
        title = _title(rule, _causing_point(cycle.configuration, rule, int(findings.cause[at])))
        fresh = replace(known, title=title) if known else _alarm(rule, onset, time, title)
        fresh = noted(engine_state, cycle.configuration.find(rule.plant, rule.point), rule, fresh)
        event = raised(
            fresh,
            cause,
            value=value,
            phase=phases.of(rule.plant, rule.point, (time, received)),
            contributions=_contributions(cycle.configuration, findings, at),
        )
        if key:
            _record_historical(
                cycle, engine_state, [(key, received, span) for span in engine_state.excursions.open_span(key, onset)]
            )
    else:
        if key:
            engine_state.excursions.close_span(key, time)
        if alarm:
            event = returned(alarm, cause, latch=rule.latch)
    if event:
        apply_transition(cycle, engine_state, event)


def _apply_late_reading(cycle: Cycle, engine_state: EngineState, at: int) -> None:
    """Add a late reading beyond a limit to an excursion, unless an alarm covers it."""
    batch = cycle.batch
    time, value, received = int(batch.time[at]), float(batch.value[at]), int(batch.received[at])
    _settle_excursions(cycle, engine_state, received)
    for limit in engine_state.limits.of(int(batch.point[at])):
        if not limit.violated(value):
            continue
        if not engine_state.excursions.remembers(limit.key, time):
            point = cycle.configuration.points[batch.point[at]]
            gateway = point.gateway if point is not None else ""
            cycle.not_evaluated.append(LateUnjudged("before what is remembered", gateway, limit.key, time))
            continue
        violation = Violation(limit.key, time, value, limit.gap, SETTLE_AFTER + limit.on_delay)
        if batch.flags[at] & Flag.LATE:
            lost = engine_state.excursions.add(violation, received)
            _record_historical(cycle, engine_state, [(limit.key, received, span) for span in lost])
        else:
            engine_state.excursions.hold(violation, received + HOLD_BACK)
            _settle_excursions(cycle, engine_state, received)


def _settle_excursions(cycle: Cycle, engine_state: EngineState, now: int) -> None:
    if now >= engine_state.excursions.due:
        _record_historical(cycle, engine_state, engine_state.excursions.settle(now))


def _record_historical(cycle: Cycle, engine_state: EngineState, spans: Iterable[tuple[str, int, Span]]) -> None:
    """Record settled excursions as historical alarms: (rule's key, when it was settled, span)."""
    for key, received, span in spans:
        limit = engine_state.limits.named(key)
        if limit is None:
            cycle.not_evaluated.append(LateUnjudged("its rule is gone", "", key, span.start))
            continue
        if span.end - span.start < limit.on_delay:
            continue
        span.reported = span.reported or span.start
        phase = phase_long_ago(cycle.configuration, limit.rule.plant, limit.rule.point)
        event = recorded(_historical(limit, span, phase), received=received)
        if event is not None:
            cycle.events.append(event)


def _causing_point(configuration: PlantConfiguration, rule: Rule, point: int) -> Point | None:
    """The point that caused a finding over several points, if it is not the rule's own."""
    cause = configuration.points[point] if 0 <= point < len(configuration.points) else None
    return None if cause is None or cause.id == rule.point else cause


def _contributions(configuration: PlantConfiguration, findings: Findings, at: int) -> tuple[Contribution, ...]:
    """How much the points of a group, or aspects of one, contribute to a finding, the largest share first."""
    if findings.contributions is None:
        return ()
    named = [(configuration.points[each.point], each) for each in findings.contributions.of(at)]
    return tuple(_contribution(point, each) for point, each in named if point)


def _contribution(point: Point, contributor: Contributor) -> Contribution:
    share = round(100 * contributor.share, 1)
    if contributor.aspect is Aspect.WHOLE:
        return Contribution(point.id, point.name, share)
    aspect = PointAspect[contributor.aspect.name]
    return Contribution(point.id, ASPECTS[aspect], share, aspect)


def _title(rule: Rule, cause: Point | None) -> Text:
    title = rule.title
    if cause is None:
        return title
    return Text(f"{title.zh}（主因 {cause.name.zh}）", f"{title.en} (due to {cause.name.en})")


def _alarm(rule: Rule, onset: int, time: int, title: Text) -> Alarm:
    return Alarm(
        id=alarm_id(rule.plant, rule.point, rule.code, onset),
        plant=rule.plant,
        point=rule.point,
        rule=rule.code,
        level=rule.level,
        state=AlarmState.NORMAL,
        title=title,
        value=None,
        limit=rule.limit,
        unit=rule.unit,
        onset=onset,
        raised=time,
        annunciated=time,
    )


def _historical(limit: LimitRule, span: Span, phase: PhaseName | None) -> Alarm:
    rule = limit.rule
    plant, point, code = (span.reported_key or limit.key).split("/")
    return replace(
        _alarm(rule, span.start, span.start + limit.on_delay, rule.title),
        id=historical_id(plant, point, code, span.reported),
        value=display_value.at(span.value, rule.limit),
        returned=span.end,
        historical=True,
        phase=phase,
    )

"""Runs a cycle through the stages in their order; no stage knows another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

import numpy as np

from detectors import Readings
from ingest.base.telemetry import Event, emit
from ingest.domain.alarms.report import alarm_body, readings_body
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import CHECKED, NOT_LIVE, UNUSABLE, Flag, unusable
from ingest.domain.model.outbox import Message, Urgency
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.warning import WarningEvent, WarningEventKind
from ingest.domain.quality.late import flag_late, follow, stranded
from ingest.domain.warnings.report import warning_body
from ingest.engine import urgency as rank
from ingest.engine.advance_alarms import advance_alarms
from ingest.engine.alarm_transitions import advance_suppressions
from ingest.engine.bypasses import advance_bypasses
from ingest.engine.cycle import Cycle, Policy
from ingest.engine.engine_state import EngineState
from ingest.engine.raise_warnings import raise_warnings

__all__ = ["STAGES", "Cycle", "Policy", "advance"]

_UNUSABLE: Final = np.uint16(UNUSABLE)
_FAILURE: Final = np.uint16(Flag.FAILURE)
_CHECK: Final = np.uint16(Flag.FUNCTION_CHECK)
_CHECKED: Final = np.uint16(CHECKED)
_SEEN_APART: Final = _FAILURE | _CHECK
"""Of readings with these flags rules on instruments see something other than the value."""

_REPORTS: Final = UUID("0d9d4c0e-56b0-5b32-8f5b-3f1f6a1f4f52")


@dataclass(frozen=True, slots=True)
class TimesForgotten(Event, level="warning", amount="points"):
    """Points whose newest reading was kept far in the future: their rules begin anew, so that they are judged again."""

    points: int


def check(cycle: Cycle, engine_state: EngineState) -> None:
    """Flag each reading by its value, its order and the contacts of its instrument, and select the live ones."""
    checked = cycle.configuration.checked(cycle.batch)
    if not follow(checked, engine_state.newest):  # else nothing is late, and so no newest time lies in the future
        wrong = stranded(checked, engine_state.newest)
        if len(wrong):
            engine_state.forget_times(wrong)
            emit(TimesForgotten(len(wrong)))
        checked = flag_late(checked, engine_state.newest)
    checked = engine_state.contacts.marked(checked)
    checks, live = engine_state.function_checks, _live(checked)
    timed = checks.marked(checks.timed(live, cycle.policy.function_check_max))
    cycle.batch, cycle.live = timed if live is checked else checks.marked(checked), timed


def detect(cycle: Cycle, engine_state: EngineState) -> None:
    """Run the detectors on the live readings. Unusable values count as NaN; rules on instruments see a failure's.

    Of an instrument under function check they see nothing; where that is overdue, its signal counts as bad and the
    value is judged all the same.
    """
    live, value, raw = cycle.live, cycle.live.value, None
    if np.count_nonzero(live.flags):
        value = np.where(unusable(live.flags), np.nan, live.value)
        if np.count_nonzero(live.flags & _SEEN_APART):
            raw = np.where(live.flags & _UNUSABLE == _FAILURE, live.value, value)
            raw[live.flags & _CHECKED == _CHECK] = np.inf
            raw[live.flags & _CHECKED == _CHECKED] = np.nan
    carrier = cycle.configuration.carrier.take(live.point)
    readings = Readings(live.point, live.time, value, live.received, carrier, raw)
    cycle.findings = engine_state.bank.update(readings, cycle.now)


def remember(cycle: Cycle, engine_state: EngineState) -> None:
    """Keep the newest reading of every point; until here the state is that of before the batch."""
    live = cycle.live
    engine_state.time[live.point] = live.time
    engine_state.value[live.point] = live.value
    engine_state.flags[live.point] = live.flags
    engine_state.received[live.point] = live.received


def address(cycle: Cycle, engine_state: EngineState) -> None:  # noqa: ARG001  every stage has this shape
    """Write each event into the outbox, once for every connector that wants it."""
    for warning_event in cycle.warnings:
        cycle.messages += _warning_messages(cycle, warning_event)
    for event in cycle.events:
        alarm = event.alarm
        recipients = cycle.policy.recipients("alarm", alarm.plant, alarm.severity)
        if not recipients:
            continue
        point, key = cycle.configuration.find(alarm.plant, alarm.point), (alarm.plant, alarm.point, alarm.rule)
        work = cycle.policy.work(alarm, point.equipment if point is not None else None)
        body = alarm_body(event, cycle.plant(alarm.plant), cycle.configuration.rule(*key), work)
        urgency, subject = rank.of_alarm(event), str(alarm.id)
        cycle.messages += [
            Message(0, to, event.id, "alarm", alarm.plant, body, event.received, event.received, 0, urgency, subject)
            for to in recipients
        ]


COALESCED: Final = 15
"""Of so many reports only one is made while the platform has not taken any for long."""


@dataclass(frozen=True, slots=True)
class ReportsCoalesced(Event, level="debug", amount="reports"):
    """Reports of readings were not made while the platform is unreachable, since later ones contain their content."""

    reports: int


def report(cycle: Cycle, engine_state: EngineState) -> None:
    """Once an interval, write each plant's newest readings into the outbox, once for every connector that wants them.

    While deliveries have failed for long, once in `COALESCED` intervals: a platform can catch up on a day of those.
    """
    every = cycle.policy.report_every
    if every is None or not report_due(every, engine_state, cycle.now):
        return
    interval = (cycle.now - engine_state.stepped) // every
    if interval % COALESCED and cycle.policy.reports_late():
        engine_state.reported = interval
        emit(ReportsCoalesced(len(cycle.configuration.plants)))
        return
    for plant in cycle.configuration.plants.values():
        body = readings_body(plant, cycle.now, _latest(plant, engine_state))
        if not body["readings"]:
            continue
        engine_state.reported = interval
        number = uuid5(_REPORTS, f"{plant.id}/{engine_state.reported}")
        cycle.messages += [
            Message(0, connector, number, "readings", plant.id, body, cycle.now, cycle.now, 0, Urgency.BULK)
            for connector in cycle.policy.recipients("readings", plant.id, None)
        ]


def report_due(every: int | None, engine_state: EngineState, now: int) -> bool:
    """Whether a readings report is due, of those made at that interval (None: none is)."""
    return every is not None and (now - engine_state.stepped) // every > engine_state.reported


STAGES: Final = (
    check,
    detect,
    advance_alarms,
    advance_bypasses,
    advance_suppressions,
    remember,
    raise_warnings,
    address,
    report,
)


def advance(cycle: Cycle, engine_state: EngineState, *, uneventful: bool = False) -> Cycle:
    """Run the cycle through every stage that it has not passed yet.

    With `uneventful` only while nothing has come of it: what follows may have to wait for the state database.
    """
    while cycle.passed < len(STAGES) and not (uneventful and (len(cycle.findings) or cycle.has_results)):
        STAGES[cycle.passed](cycle, engine_state)
        cycle.passed += 1
    return cycle


def _warning_messages(cycle: Cycle, event: WarningEvent) -> list[Message]:
    """Messages of a warning's event; a change of its inputs is kept for explanations, and not sent."""
    plant = event.warning.plant
    if event.kind is WarningEventKind.INPUTS_CHANGED:
        return []
    body = warning_body(event, cycle.plant(plant))
    urgency, subject = rank.of_warning(event), str(event.warning.id)
    return [
        Message(0, to, event.id, "warning", plant, body, event.time, cycle.now, 0, urgency, subject)
        for to in cycle.policy.warned(event.warning)
    ]


def _live(batch: Batch) -> Batch:
    if not np.count_nonzero(batch.flags):
        return batch
    live = (batch.flags & NOT_LIVE) == 0
    return batch if np.count_nonzero(live) == len(live) else batch.take(live)


def _latest(plant: Plant, engine_state: EngineState) -> list[tuple[Point, int, float | None, int]]:
    seen = [(point, point.index) for point in plant.points if not point.is_device and engine_state.time[point.index]]
    return [
        (
            point,
            int(engine_state.time[at]),
            None if np.isnan(engine_state.value[at]) else float(engine_state.value[at]),
            int(engine_state.flags[at]),
        )
        for point, at in seen
    ]

"""THE order of stages. Each takes the turn one step further; none knows another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

import numpy as np

from detectors import Readings
from ingest.alarms.report import alarm_body, readings_body
from ingest.model.alarm import Alarm
from ingest.model.batch import Batch
from ingest.model.flags import NOT_LIVE, UNUSABLE
from ingest.model.outbox import Message, Urgency
from ingest.model.plant import Plant, Point, Text
from ingest.model.warning import WarningEvent, WarningEventKind
from ingest.pipeline import urgency as rank
from ingest.pipeline.advance_alarms import advance_alarms
from ingest.pipeline.alarm_steps import advance_suppressions
from ingest.pipeline.memory import Memory
from ingest.pipeline.raise_warnings import raise_warnings
from ingest.pipeline.turn import Terms, Turn
from ingest.plants.roster import Roster
from ingest.quality.check import check_quality
from ingest.quality.late import flag_late, follow, stranded
from ingest.telemetry import Event, emit
from ingest.warnings.report import warning_body

__all__ = ["STAGES", "Terms", "Turn", "advance"]

_UNUSABLE: Final = np.uint16(UNUSABLE)
_REPORTS: Final = UUID("0d9d4c0e-56b0-5b32-8f5b-3f1f6a1f4f52")


@dataclass(frozen=True, slots=True)
class TimesForgotten(Event, level="warning", amount="points"):
    """Points whose newest reading was kept far in the future: their rules begin anew, so that they are judged again."""

    points: int


def check(turn: Turn, memory: Memory) -> None:
    """Add the flags a reading earns by itself and by coming out of order."""
    checked = check_quality(turn.batch, *turn.roster.ranges(turn.batch.point))
    if not follow(checked, memory.newest):  # else nothing is late, and so no newest time is of the future
        wrong = stranded(checked, memory.newest)
        if len(wrong):
            memory.forget_times(wrong)
            emit(TimesForgotten(len(wrong)))
        checked = flag_late(checked, memory.newest)
    turn.batch, turn.live = checked, _live(checked)


def remember(turn: Turn, memory: Memory) -> None:
    """Keep the newest reading of every point."""
    live = turn.live
    memory.time[live.point] = live.time
    memory.value[live.point] = live.value
    memory.flags[live.point] = live.flags
    memory.received[live.point] = live.received


def detect(turn: Turn, memory: Memory) -> None:
    """Let the detectors judge what came in order. Values that are no measurement are judged as NaN."""
    live = turn.live
    value = np.where(live.flags & _UNUSABLE, np.nan, live.value) if np.count_nonzero(live.flags) else live.value
    readings = Readings(live.point, live.time, value, live.received, turn.roster.carrier.take(live.point))
    turn.findings = memory.bank.update(readings, turn.now)


def address(turn: Turn, memory: Memory) -> None:  # noqa: ARG001  every stage has this shape
    """Write each event into the outbox of everyone who wants it."""
    for told in turn.warnings:
        turn.messages += _of_warning(turn, told)
    for event in turn.events:
        alarm = event.alarm
        plant = turn.plant(alarm.plant)
        body = alarm_body(event, plant, _reason(turn.roster, alarm))
        urgency, subject = rank.of_alarm(event), str(alarm.id)
        turn.messages += [
            Message(0, to, event.id, "alarm", alarm.plant, body, event.received, event.received, 0, urgency, subject)
            for to in turn.terms.recipients("alarm", alarm.plant, alarm.level)
        ]


COALESCED: Final = 15
"""Reports for which one stands while the platform has not taken any for long."""


@dataclass(frozen=True, slots=True)
class ReportsCoalesced(Event, level="debug", amount="reports"):
    """The platform is away: readings reports that were not made, since later ones stand for them."""

    reports: int


def report(turn: Turn, memory: Memory) -> None:
    """Once an interval, write the newest readings of each plant into the outbox of everyone who wants them.

    While they have waited for long, once in `COALESCED` intervals: a day of them is what a platform can take up again.
    """
    every = turn.terms.report_every
    if every is None or (interval := (turn.now - memory.stepped) // every) <= memory.reported:
        return
    if interval % COALESCED and turn.terms.reports_late():
        memory.reported = interval
        emit(ReportsCoalesced(len(turn.roster.plants)))
        return
    for plant in turn.roster.plants.values():
        body = readings_body(plant, turn.now, _latest(plant, memory))
        if not body["readings"]:
            continue
        memory.reported = interval
        number = uuid5(_REPORTS, f"{plant.id}/{memory.reported}")
        turn.messages += [
            Message(0, connector, number, "readings", plant.id, body, turn.now, turn.now, 0, Urgency.BULK)
            for connector in turn.terms.recipients("readings", plant.id, None)
        ]


STAGES: Final = (check, remember, detect, advance_alarms, advance_suppressions, raise_warnings, address, report)


def advance(turn: Turn, memory: Memory) -> Turn:
    """Take the turn through every stage."""
    for stage in STAGES:
        stage(turn, memory)
    return turn


def _of_warning(turn: Turn, event: WarningEvent) -> list[Message]:
    """A warning's event for everyone who wants it; that its inputs changed is kept for explanations, and not sent."""
    plant = event.warning.plant
    if event.kind is WarningEventKind.INPUTS_CHANGED:
        return []
    body = warning_body(event, turn.plant(plant))
    urgency, subject = rank.of_warning(event), str(event.warning.id)
    return [
        Message(0, to, event.id, "warning", plant, body, event.time, turn.now, 0, urgency, subject)
        for to in turn.terms.warned(event.warning)
    ]


def _live(batch: Batch) -> Batch:
    if not np.count_nonzero(batch.flags):
        return batch
    live = (batch.flags & NOT_LIVE) == 0
    return batch if np.count_nonzero(live) == len(live) else batch.take(live)


def _reason(roster: Roster, alarm: Alarm) -> Text | None:
    """What the alarm's rule finds, or None if it is no longer configured."""
    point = roster.find(alarm.plant, alarm.point)
    return next((rule.reason for rule in point.rules if rule.code == alarm.rule), None) if point else None


def _latest(plant: Plant, memory: Memory) -> list[tuple[Point, int, float | None, int]]:
    seen = [(point, point.index) for point in plant.points if not point.is_device and memory.time[point.index]]
    return [
        (
            point,
            int(memory.time[at]),
            None if np.isnan(memory.value[at]) else float(memory.value[at]),
            int(memory.flags[at]),
        )
        for point, at in seen
    ]

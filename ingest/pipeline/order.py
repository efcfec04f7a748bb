"""THE order of stages. Each takes the turn one step further; none knows another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

import numpy as np

from detectors import Findings, Readings
from detectors.readings import nothing
from ingest.alarms.excursions import Span, Violation
from ingest.alarms.lifecycle import raised, recorded, returned
from ingest.alarms.report import alarm_body, readings_body
from ingest.model.alarm import Alarm, AlarmEvent, AlarmState, alarm_id, historical_id
from ingest.model.batch import Batch
from ingest.model.flags import UNUSABLE, Flag
from ingest.model.outbox import Message, MessageKind
from ingest.model.plant import Plant, Point, Rule, Text
from ingest.pipeline.lookback import AHEAD, LOOKED_BACK, NOT_LIVE, QUIET, LimitRule
from ingest.pipeline.memory import Memory
from ingest.plants.roster import Roster
from ingest.quality.check import check_quality
from ingest.quality.late import flag_late
from ingest.telemetry import Event, emit

_REPORTS: Final = UUID("0d9d4c0e-56b0-5b32-8f5b-3f1f6a1f4f52")


@dataclass(frozen=True, slots=True)
class LateUnjudged(Event, level="warning", labels=("reason",)):
    """A reading beyond a limit came so late that it cannot be told whether an alarm covered it: kept, not judged."""

    reason: str
    rule: str
    time: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What the stages are told once.

    Attributes:
        recipients: the connectors that want a message of this kind, from this plant, at this level (None: readings).
        report_every: interval of the readings report, ns; None = nobody wants one.
    """

    recipients: Callable[[MessageKind, str, int | None], Sequence[str]] = lambda _kind, _plant, _level: ()
    report_every: int | None = None


@dataclass(slots=True)
class Turn:
    """One go of the engine: a batch, the moment it is judged at, and what comes of it.

    `seen` matters while the batch is empty: everything that arrived before it (ns) was judged.
    """

    now: int
    batch: Batch
    roster: Roster
    terms: Terms
    seen: int = 0
    findings: Findings = field(default_factory=nothing)
    events: list[AlarmEvent] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)


def check(turn: Turn, memory: Memory) -> None:
    """Add the flags a reading earns by itself and by coming out of order."""
    checked = check_quality(turn.batch, *turn.roster.ranges(turn.batch.point))
    turn.batch = flag_late(checked, memory.newest)


def remember(turn: Turn, memory: Memory) -> None:
    """Keep the newest reading of every point."""
    live = _live(turn.batch)
    memory.time[live.point] = live.time
    memory.value[live.point] = live.value
    memory.flags[live.point] = live.flags
    memory.received[live.point] = live.received


def detect(turn: Turn, memory: Memory) -> None:
    """Let the detectors judge what came in order. Values that are no measurement are judged as NaN."""
    live = _live(turn.batch)
    value = np.where(live.flags & UNUSABLE, np.nan, live.value)
    readings = Readings(live.point, live.time, value, live.received, turn.roster.carrier[live.point])
    turn.findings = memory.bank.update(readings, turn.now)


def advance_alarms(turn: Turn, memory: Memory) -> None:
    """Turn findings, and limits that late readings violate, into steps of alarms' lives, in the order of arrival.

    That order, and not the one in which a batch happens to hold them, so that the steps do not depend on how the stream
    is cut.
    """
    if len(turn.batch):
        turn.seen = int(turn.batch.received.max())
    found, past = turn.findings, memory.limits.beyond(turn.batch)
    order = np.argsort(found.received, kind="stable") if len(found) > 1 else range(len(found))
    waiting = [int(at) for at in reversed(order)]
    for at in past.tolist():
        received = int(turn.batch.received[at])
        while waiting and found.received[waiting[-1]] <= received:
            _take(turn, memory, waiting.pop())
        _look_back(turn, memory, at)
    while waiting:
        _take(turn, memory, waiting.pop())
    _tell(turn, memory, turn.seen)


def address(turn: Turn, memory: Memory) -> None:  # noqa: ARG001  every stage has this shape
    """Write each event into the outbox of everyone who wants it."""
    for event in turn.events:
        alarm = event.alarm
        plant = turn.roster.plants.get(alarm.plant)
        body = alarm_body(event, plant, _reason(turn.roster, alarm))
        turn.messages += [
            Message(0, connector, event.id, "alarm", alarm.plant, body, event.received, event.received, 0)
            for connector in turn.terms.recipients("alarm", alarm.plant, alarm.level)
        ]


def report(turn: Turn, memory: Memory) -> None:
    """Once an interval, write the newest readings of each plant into the outbox of everyone who wants them."""
    every = turn.terms.report_every
    if every is None or (interval := (turn.now - memory.stepped) // every) <= memory.reported:
        return
    for plant in turn.roster.plants.values():
        body = readings_body(plant, turn.now, _latest(plant, memory))
        if not body["readings"]:
            continue
        memory.reported = interval
        number = uuid5(_REPORTS, f"{plant.id}/{memory.reported}")
        turn.messages += [
            Message(0, connector, number, "readings", plant.id, body, turn.now, turn.now, 0)
            for connector in turn.terms.recipients("readings", plant.id, None)
        ]


STAGES: Final = (check, remember, detect, advance_alarms, address, report)


def advance(turn: Turn, memory: Memory) -> Turn:
    """Take the turn through every stage."""
    for stage in STAGES:
        stage(turn, memory)
    return turn


def _live(batch: Batch) -> Batch:
    live = (batch.flags & NOT_LIVE) == 0
    return batch if live.all() else batch.take(live)


def _take(turn: Turn, memory: Memory, at: int) -> None:
    """One finding: the next step of a live alarm."""
    found = turn.findings
    rule = turn.roster.rules[found.rule[at]]
    value = None if np.isnan(found.value[at]) else float(found.value[at])
    time, received = int(found.time[at]), int(found.received[at])
    _tell(turn, memory, min(received, turn.seen))
    alarm = memory.alarms.get((rule.plant, rule.point, rule.code))
    key = f"{rule.plant}/{rule.point}/{rule.code}" if rule.kind in LOOKED_BACK else None
    event = None
    if found.raised[at]:
        onset = int(found.onset[at])
        fresh = alarm or _alarm(rule, onset, time, _cause(turn.roster, rule, int(found.cause[at])))
        event = raised(fresh, time=time, received=received, value=value)
        if key:
            _record(turn, memory, [(key, received, span) for span in memory.excursions.began(key, onset)])
    else:
        if key:
            memory.excursions.ended(key, time)
        if alarm:
            event = returned(alarm, time=time, received=received)
    if event:
        memory.settle(event)
        turn.events.append(event)


def _look_back(turn: Turn, memory: Memory, at: int) -> None:
    """One reading that is not live and lies beyond a limit: part of an excursion, unless an alarm covers it."""
    batch = turn.batch
    time, value, received = int(batch.time[at]), float(batch.value[at]), int(batch.received[at])
    _tell(turn, memory, received)
    for limit in memory.limits.of(int(batch.point[at])):
        if not limit.violated(value):
            continue
        if not memory.excursions.judged(limit.key, time):
            emit(LateUnjudged("before what is remembered", limit.key, time))
            continue
        violation = Violation(limit.key, time, value, limit.gap, QUIET + limit.on_delay)
        if batch.flags[at] & Flag.LATE:
            lost = memory.excursions.late(violation, received)
            _record(turn, memory, [(limit.key, received, span) for span in lost])
        else:
            memory.excursions.hold(violation, received + AHEAD)
            _tell(turn, memory, received)


def _tell(turn: Turn, memory: Memory, now: int) -> None:
    if now >= memory.excursions.due:
        _record(turn, memory, memory.excursions.settle(now))


def _record(turn: Turn, memory: Memory, spans: Iterable[tuple[str, int, Span]]) -> None:
    """Tell settled excursions as historical alarms: (rule's key, when it was settled, span)."""
    for key, received, span in spans:
        limit = memory.limits.named(key)
        if limit is None or span.end - span.start < limit.on_delay:
            continue
        span.told = span.told or span.start
        event = recorded(_historical(limit, span), received=received)
        if event is not None:
            turn.events.append(event)


def _cause(roster: Roster, rule: Rule, point: int) -> Point | None:
    """The point behind a finding over several points, if it is another than the judged one."""
    cause = roster.points[point] if 0 <= point < len(roster.points) else None
    return None if cause is None or cause.id == rule.point else cause


def _reason(roster: Roster, alarm: Alarm) -> Text | None:
    """What the alarm's rule finds, or None if it is no longer configured."""
    point = _points(roster).get((alarm.plant, alarm.point))
    return next((rule.reason for rule in point.rules if rule.code == alarm.rule), None) if point else None


@lru_cache(maxsize=1)  # one roster is in force at a time
def _points(roster: Roster) -> Mapping[tuple[str, str], Point]:
    return {(point.plant, point.id): point for point in roster.points if point is not None}


def _alarm(rule: Rule, onset: int, time: int, cause: Point | None) -> Alarm:
    title = rule.title
    if cause is not None:
        title = Text(f"{title.zh}（主因 {cause.name.zh}）", f"{title.en} (due to {cause.name.en})")
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
    )


def _historical(limit: LimitRule, span: Span) -> Alarm:
    rule = limit.rule
    return replace(
        _alarm(rule, span.start, span.start + limit.on_delay, None),
        id=historical_id(rule.plant, rule.point, rule.code, span.told),
        value=span.value,
        returned=span.end,
        historical=True,
    )


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

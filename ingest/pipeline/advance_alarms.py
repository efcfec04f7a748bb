"""Alarms: from findings, and from limits that late readings violate, to steps of alarms' lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from ingest.alarms.excursions import Span, Violation
from ingest.alarms.lifecycle import Cause, raised, recorded, returned
from ingest.model import shown
from ingest.model.alarm import Alarm, AlarmState, alarm_id, historical_id
from ingest.model.flags import Flag
from ingest.model.plant import Point, Rule, Text, rule_key
from ingest.pipeline.alarm_steps import take_step
from ingest.pipeline.lookback import AHEAD, LOOKED_BACK, QUIET, LimitRule
from ingest.pipeline.memory import Memory
from ingest.pipeline.turn import LateUnjudged, Turn
from ingest.plants.roster import Roster

_NOWHERE: Final = np.empty(0, np.intp)


def advance_alarms(turn: Turn, memory: Memory) -> None:
    """Turn findings, and limits that late readings violate, into steps of alarms' lives, in the order of arrival.

    That order, and not the one in which a batch happens to hold them, so that the steps do not depend on how the stream
    is cut.
    """
    if len(turn.batch):
        turn.seen = int(turn.batch.received.max())
    found = turn.findings
    past = memory.limits.beyond(turn.batch) if turn.live is not turn.batch else _NOWHERE
    if not len(found) and not len(past):
        _tell(turn, memory, turn.seen)
        return
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


def _take(turn: Turn, memory: Memory, at: int) -> None:
    """One finding: the next step of a live alarm."""
    found = turn.findings
    rule = turn.roster.rules[found.rule[at]]
    value = None if np.isnan(found.value[at]) else shown.at(float(found.value[at]), rule.limit)
    time, received = int(found.time[at]), int(found.received[at])
    _tell(turn, memory, min(received, turn.seen))
    name = (rule.plant, rule.point, rule.code)
    alarm = memory.alarms.get(name)
    key = rule_key(*name) if rule.kind in LOOKED_BACK else None
    cause, event = Cause(time, received), None
    if found.raised[at]:
        onset = int(found.onset[at])
        known = alarm or memory.lately(name, time, turn.terms.reopen)
        fresh = known or _alarm(rule, onset, time, _cause(turn.roster, rule, int(found.cause[at])))
        event = raised(fresh, cause, value=value)
        if key:
            _record(turn, memory, [(key, received, span) for span in memory.excursions.began(key, onset)])
    else:
        if key:
            memory.excursions.ended(key, time)
        if alarm:
            event = returned(alarm, cause, latch=rule.latch)
    if event:
        take_step(turn, memory, event)


def _look_back(turn: Turn, memory: Memory, at: int) -> None:
    """One reading that is not live and lies beyond a limit: part of an excursion, unless an alarm covers it."""
    batch = turn.batch
    time, value, received = int(batch.time[at]), float(batch.value[at]), int(batch.received[at])
    _tell(turn, memory, received)
    for limit in memory.limits.of(int(batch.point[at])):
        if not limit.violated(value):
            continue
        if not memory.excursions.judged(limit.key, time):
            point = turn.roster.points[batch.point[at]]
            gateway = point.gateway if point is not None else ""
            turn.unjudged.append(LateUnjudged("before what is remembered", gateway, limit.key, time))
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
        if limit is None:
            turn.unjudged.append(LateUnjudged("its rule is gone", "", key, span.start))
            continue
        if span.end - span.start < limit.on_delay:
            continue
        span.told = span.told or span.start
        event = recorded(_historical(limit, span), received=received)
        if event is not None:
            turn.events.append(event)


def _cause(roster: Roster, rule: Rule, point: int) -> Point | None:
    """The point behind a finding over several points, if it is another than the judged one."""
    cause = roster.points[point] if 0 <= point < len(roster.points) else None
    return None if cause is None or cause.id == rule.point else cause


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
        annunciated=time,
    )


def _historical(limit: LimitRule, span: Span) -> Alarm:
    rule = limit.rule
    plant, point, code = (span.named or limit.key).split("/")
    return replace(
        _alarm(rule, span.start, span.start + limit.on_delay, None),
        id=historical_id(plant, point, code, span.told),
        value=shown.at(span.value, rule.limit),
        returned=span.end,
        historical=True,
    )

"""Alarms, warnings, suppressions and the audit trail in memory, queried as the state database is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import numpy as np

from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.alarms.urgency import Order, place
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmFilter, AlarmState
from ingest.domain.model.annunciations import OPEN, Annunciations
from ingest.domain.model.audit import Act, ActKind
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.warning import EarlyWarning, WarningEvent, WarningFilter
from ingest.storage.state.audit import AuditRow, Verification


class MemoryBooks:
    """What was committed, with the queries of its ports."""

    def __init__(self) -> None:
        self.book: dict[UUID, Alarm] = {}
        self.log: list[AlarmEvent] = []
        self.warned: list[WarningEvent] = []
        self.hidden: dict[UUID, Suppression] = {}
        self.trail: list[AuditRow] = []

    def warnings(
        self, which: WarningFilter, *, limit: int, before: tuple[int, UUID] | None = None
    ) -> Sequence[EarlyWarning]:
        found = [
            warning
            for warning in {event.warning.id: event.warning for event in self.warned}.values()
            if (which.plants is None or warning.plant in which.plants)
            and (which.colours is None or warning.colour in which.colours)
            and (which.peaks is None or warning.peak in which.peaks)
            and (which.states is None or warning.state in which.states)
            and (which.since is None or warning.raised >= which.since)
            and (which.until is None or warning.raised < which.until)
            and (before is None or (warning.raised, warning.id) < before)
        ]
        return sorted(found, key=lambda warning: (warning.raised, warning.id), reverse=True)[:limit]

    def warning(self, warning: UUID) -> EarlyWarning | None:
        return next((event.warning for event in reversed(self.warned) if event.warning.id == warning), None)

    def warning_history(self, warning: UUID) -> Sequence[WarningEvent]:
        return [event for event in self.warned if event.warning.id == warning]

    def warnings_after(self, seq: int, *, limit: int) -> Sequence[WarningEvent]:
        return self.warned[seq : seq + limit]

    def last_warning(self) -> int:
        return len(self.warned)

    def alarms(
        self,
        which: AlarmFilter,
        *,
        limit: int,
        before: tuple[int, UUID] | None = None,
        order: Order = Order.RAISED,
    ) -> Sequence[Alarm]:
        found = [
            alarm
            for alarm in self.book.values()
            if (which.plants is None or alarm.plant in which.plants)
            and (which.states is None or alarm.state in which.states)
            and (which.level is None or alarm.level == which.level)
            and (which.point is None or alarm.point == which.point)
            and (which.historical is None or alarm.historical == which.historical)
            and (which.cleared is None or which.cleared == (alarm.cleared is not None))
            and which.assigned in {None, alarm.assigned}
            and (which.since is None or alarm.raised >= which.since)
            and (which.until is None or alarm.raised < which.until)
            and (before is None or place(alarm, order) < before)
            and (order is Order.RAISED or alarm.state in OUTSTANDING)
        ]
        return sorted(found, key=lambda alarm: place(alarm, order), reverse=True)[:limit]

    def counts(self, which: AlarmFilter) -> Mapping[tuple[str, int, AlarmState], int]:
        return Counter((alarm.plant, alarm.level, alarm.state) for alarm in self.alarms(which, limit=10**9))

    def alarm(self, alarm: UUID) -> Alarm | None:
        return self.book.get(alarm)

    def alarm_history(self, alarm: UUID) -> Sequence[AlarmEvent]:
        return [event for event in self.log if event.alarm.id == alarm]

    def events_after(self, seq: int, *, limit: int) -> Sequence[AlarmEvent]:
        return self.log[seq : seq + limit]

    def annunciations(self, start: int, end: int, plants: Collection[str] | None = None) -> Annunciations:
        raises = [event for event in self.log if event.kind is AlarmEventKind.RAISED and start <= event.received < end]
        raises = sorted(raises, key=lambda event: event.received)
        found = [self.book[event.alarm.id] for event in raises if plants is None or event.alarm.plant in plants]
        raises = [event for event in raises if plants is None or event.alarm.plant in plants]
        rules = tuple(dict.fromkeys((alarm.plant, alarm.point, alarm.rule) for alarm in found))
        return Annunciations(
            rules,
            np.array([rules.index((alarm.plant, alarm.point, alarm.rule)) for alarm in found], np.int32),
            np.array([alarm.level for alarm in found], np.int8),
            np.array([event.time for event in raises], np.int64),
            np.array([event.received for event in raises], np.int64),
            np.array([alarm.acked or OPEN for alarm in found], np.int64),
            np.array([alarm.returned or OPEN for alarm in found], np.int64),
            np.zeros(len(found), np.bool_),
        )

    def last_event(self) -> int:
        return len(self.log)

    def suppression(self, suppression: UUID) -> Suppression | None:
        return self.hidden.get(suppression)

    def suppressions(
        self,
        *,
        limit: int,
        plants: Collection[str] | None = None,
        point: str | None = None,
        states: Collection[SuppressionState] | None = None,
        before: tuple[int, UUID] | None = None,
    ) -> Sequence[Suppression]:
        found = [
            suppression
            for suppression in self.hidden.values()
            if (plants is None or suppression.plant in plants)
            and point in {None, suppression.point}
            and (states is None or suppression.state in states)
            and (before is None or (suppression.applied, suppression.id) < before)
        ]
        return sorted(found, key=lambda suppression: (suppression.applied, suppression.id), reverse=True)[:limit]

    def acts(
        self,
        *,
        limit: int,
        before: int | None = None,
        plants: frozenset[str] | None = None,
        kind: ActKind | None = None,
        subject: str | None = None,
        actor: str | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> Sequence[AuditRow]:
        found = [
            row
            for row in self.trail
            if (before is None or row.seq < before)
            and (plants is None or row.act.plant in plants)
            and kind in {None, row.act.kind}
            and subject in {None, row.act.subject}
            and actor in {None, row.act.actor}
            and (since is None or row.act.time >= since)
            and (until is None or row.act.time < until)
        ]
        return found[::-1][:limit]

    def record(self, act: Act) -> None:
        self.trail.append(AuditRow(len(self.trail) + 1, act, "0" * 64))

    def verify(self) -> Verification:
        return Verification(len(self.trail), "0" * 64, None)

"""The list of alarms in its sections: outstanding by equipment, hidden, waiting for feedback, past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from ingest.domain.alarms.display import Group, Shown, fold
from ingest.domain.alarms.lifecycle import OUTSTANDING, SUPPRESSED_STATES
from ingest.domain.alarms.urgency import Order, place
from ingest.domain.cases.work import Work
from ingest.domain.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.domain.model.suppression import Suppression, SuppressionState
from ingest.domain.model.text import Text
from ingest.services import caller_scope
from ingest.services.access import Principal
from ingest.services.alarm_display import show_among
from ingest.services.cases import works
from ingest.services.ports import Ports
from ingest.web.console.alarm_rows import AlarmRow, alarm_row
from ingest.web.paging import cut, read_token

OUTSTANDING_SHOWN: Final = 500
HIDDEN_SHOWN: Final = 200
WAITING_SHOWN: Final = 20
PAST_SHOWN: Final = 50

OUTSTANDING_SECTION: Final = "standing"
HIDDEN: Final = "hidden"
WAITING: Final = "awaiting-feedback"
"""Filters beside the states: all outstanding alarms, all hidden ones, those back to normal without feedback."""

AnyLevel = Literal["", "1", "2"]
AnyState = AlarmState | Literal["", "standing", "hidden", "awaiting-feedback", "historical"]


@dataclass(frozen=True, slots=True)
class FoldedRow:
    """An alarm with the alarms folded under it."""

    row: AlarmRow
    folded: tuple[AlarmRow, ...]


@dataclass(frozen=True, slots=True)
class GroupRows:
    """The alarms of an equipment; those in `folded` are expected, because it is not in production."""

    plant: str
    name: Text
    equipment: Text | None
    key: str
    lines: tuple[FoldedRow, ...]
    folded: tuple[AlarmRow, ...]

    @property
    def count(self) -> int:
        """Number of alarms in the group."""
        return len(self.lines) + sum(len(line.folded) for line in self.lines) + len(self.folded)


@dataclass(frozen=True, slots=True)
class HiddenRow:
    """An alarm that a suppression hides."""

    row: AlarmRow
    by: Suppression | None


@dataclass(frozen=True, slots=True)
class AlarmLists:
    """The sections of the page.

    Attributes:
        groups: outstanding alarms by equipment; None: the filters ask for one state, or it is a further page.
        count: number of outstanding alarms, shown or not.
        more_outstanding: token of the page after the outstanding alarms shown.
        hidden, hidden_count: hidden alarms shown, and how many there are.
        waiting, more_waiting: alarms without feedback shown, and whether there are more.
        past: alarms that are over, or those the filters ask for.
        older: token of the next page of `past`.
        further: whether this is not the first page of the state asked for.
    """

    groups: tuple[GroupRows, ...] | None
    past: tuple[AlarmRow, ...]
    older: str | None
    count: caller_scope.OutstandingCounts = field(default_factory=caller_scope.OutstandingCounts)
    more_outstanding: str | None = None
    hidden: tuple[HiddenRow, ...] = ()
    hidden_count: int = 0
    waiting: tuple[AlarmRow, ...] = ()
    more_waiting: bool = False
    further: bool = False


def alarm_lists(
    ports: Ports, caller: Principal, plant: str, level: AnyLevel, state: AnyState, cursor: str
) -> AlarmLists:
    """Return every section; or a page of the state asked for."""
    query = _Query(ports, caller, plant, level)
    before = read_token(cursor or None)
    further = before is not None
    if state:
        size = OUTSTANDING_SHOWN if state == OUTSTANDING_SECTION else PAST_SHOWN
        order = _order(state)
        page, older = _cut(query.of(state, size + 1, before), size, order)
        shown = show_among(ports, caller, page) if order is Order.URGENCY else {}
        return AlarmLists(None, tuple(query.row(alarm, shown.get(alarm.id)) for alarm in page), older, further=further)
    past, older = _cut(query.past(before), PAST_SHOWN)
    past_rows = tuple(map(query.row, past))
    if further:
        return AlarmLists(None, past_rows, older, further=True)
    outstanding, more_outstanding = _cut(
        query.of(OUTSTANDING_SECTION, OUTSTANDING_SHOWN + 1), OUTSTANDING_SHOWN, Order.URGENCY
    )
    waiting = query.of(WAITING, WAITING_SHOWN + 1)
    return AlarmLists(
        groups=tuple(query.group(group) for group in fold(query.shown(outstanding))),
        past=past_rows,
        older=older,
        count=query.count(),
        more_outstanding=more_outstanding,
        hidden=query.hidden(),
        hidden_count=query.hidden_count(),
        waiting=tuple(query.row(alarm) for alarm in waiting[:WAITING_SHOWN]),
        more_waiting=len(waiting) > WAITING_SHOWN,
    )


@dataclass(frozen=True, slots=True)
class _Query:
    """A caller's query, with the filters that every section shares."""

    ports: Ports
    caller: Principal
    plant: str
    level: AnyLevel
    work: dict[UUID, list[Work]] = field(default_factory=dict)  # by alarm, of those that were queried

    def filter(
        self,
        states: frozenset[AlarmState],
        *,
        cleared: bool | None = None,
        historical: bool | None = None,
    ) -> AlarmFilter:
        return AlarmFilter(
            plants=caller_scope.narrowed(self.caller, self.plant or None),
            states=states,
            level=int(self.level) if self.level else None,
            cleared=cleared,
            historical=historical,
        )

    def of(self, state: AnyState, limit: int, before: _Before = None) -> Sequence[Alarm]:
        """Return the alarms of a state or section: outstanding ones by urgency, others newest first."""
        return self._with_work(
            self.ports.alarms.alarms(self._which(state), limit=limit, before=before, order=_order(state))
        )

    def _with_work(self, alarms: Sequence[Alarm]) -> Sequence[Alarm]:
        """Return these alarms once it is known which declared work they were raised during."""
        self.work.update(works.during(self.ports, alarms))
        return alarms

    def _which(self, state: AnyState) -> AlarmFilter:
        """Return the filter of a state (`AlarmRow.word`) or section."""
        if state == WAITING:
            return self.filter(_NORMAL, cleared=False, historical=False)
        if state == AlarmState.NORMAL:
            return self.filter(_NORMAL, cleared=True, historical=False)
        if state == "historical":
            return self.filter(_NORMAL, historical=True)
        if state in _SECTIONS:
            return self.filter(_SECTIONS[state])
        return self.filter(frozenset({AlarmState(state)}))

    def count(self) -> caller_scope.OutstandingCounts:
        """Count the outstanding alarms."""
        counts = caller_scope.counts_by_plant(self.ports.alarms.counts(self._which(OUTSTANDING_SECTION)))
        return sum(counts.values(), start=caller_scope.OutstandingCounts())

    def hidden_count(self) -> int:
        """Count the hidden alarms."""
        return sum(self.ports.alarms.counts(self._which(HIDDEN)).values())

    def past(self, before: _Before) -> Sequence[Alarm]:
        """Return alarms that are cleared, removed or retrospective; newest first, one more than a page."""
        found = [
            alarm
            for which in (
                self.filter(_NORMAL, cleared=True, historical=False),
                self.filter(_NORMAL, historical=True),
                self.filter(_REMOVED),
            )
            for alarm in self.ports.alarms.alarms(which, limit=PAST_SHOWN + 1, before=before)
        ]
        newest = sorted(found, key=lambda alarm: (alarm.raised, alarm.id), reverse=True)
        return self._with_work(newest[: PAST_SHOWN + 1])

    def hidden(self) -> tuple[HiddenRow, ...]:
        """Return the hidden alarms, each with the suppression that hides it."""
        found = self.of(HIDDEN, HIDDEN_SHOWN)
        plants = frozenset(alarm.plant for alarm in found)
        by = caller_scope.suppressions(self.ports, plants, _IN_FORCE) if found else ()
        now = self.ports.now()
        return tuple(HiddenRow(self.row(alarm), _hiding(alarm, by, now)) for alarm in found)

    def shown(self, outstanding: Sequence[Alarm]) -> list[Shown]:
        """Return how each is shown among all outstanding alarms in the caller's scope."""
        found = show_among(self.ports, self.caller, outstanding)
        return [found[alarm.id] for alarm in outstanding]

    def row(self, alarm: Alarm, shown: Shown | None = None) -> AlarmRow:
        return alarm_row(self.ports, alarm, self.caller, shown, self.work.get(alarm.id, ()))

    def group(self, group: Group) -> GroupRows:
        plant = self.ports.live.configuration().plants.get(group.plant)
        machines = plant.equipment if plant else ()
        machine = next((machine.name for machine in machines if machine.id == group.equipment), None)
        return GroupRows(
            group.plant,
            plant.name if plant else Text(group.plant, group.plant),
            machine,
            f"{group.plant}-{group.equipment or ''}",
            tuple(
                FoldedRow(self.row(row.shown.alarm, row.shown), tuple(self.row(f.alarm, f) for f in row.folded))
                for row in group.rows
            ),
            tuple(self.row(shown.alarm, shown) for shown in group.folded),
        )


_Before = tuple[int, UUID] | None
_NORMAL: Final = frozenset({AlarmState.NORMAL})
_REMOVED: Final = frozenset({AlarmState.REMOVED})
_SECTIONS: Final[Mapping[str, frozenset[AlarmState]]] = {
    OUTSTANDING_SECTION: OUTSTANDING,
    HIDDEN: frozenset(SUPPRESSED_STATES),
}
_IN_FORCE: Final = frozenset({SuppressionState.IN_FORCE})


def _hiding(alarm: Alarm, among: Sequence[Suppression], now: int) -> Suppression | None:
    """Return the strongest suppression that covers the alarm now."""
    over = [
        suppression
        for suppression in among
        if suppression.holds(now) and suppression.covers(alarm.plant, alarm.point, alarm.rule)
    ]
    return max(over, key=lambda suppression: suppression.kind.strength, default=None)


def _order(state: AnyState) -> Order:
    return Order.URGENCY if state == OUTSTANDING_SECTION or state in OUTSTANDING else Order.RAISED


def _cut(found: Sequence[Alarm], page: int, order: Order = Order.RAISED) -> tuple[Sequence[Alarm], str | None]:
    return cut(found, page, lambda alarm: place(alarm, order))

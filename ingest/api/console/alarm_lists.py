"""The list of alarms in its sections: standing by equipment, hidden, waiting for feedback, over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from ingest.alarms.display import Group, Shown, fold
from ingest.alarms.lifecycle import STANDING, SUPPRESSED_STATES
from ingest.api import reach
from ingest.api.access import Principal
from ingest.api.console import rows
from ingest.api.ports import Ports
from ingest.api.rest.paging import cut, read_token
from ingest.api.showing import show_among
from ingest.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.model.plant import Text
from ingest.model.suppression import Suppression, SuppressionKind, SuppressionState

STANDING_SHOWN: Final = 500
HIDDEN_SHOWN: Final = 200
WAITING_SHOWN: Final = 20
PAST_SHOWN: Final = 50

WAITING: Final = "awaiting-feedback"
"""Not a state of its own: back to normal, and nobody has said what it was."""

AnyLevel = Literal["", "1", "2"]
AnyState = AlarmState | Literal["", "awaiting-feedback"]


@dataclass(frozen=True, slots=True)
class FoldedRow:
    """An alarm with those folded under it."""

    row: rows.AlarmRow
    folded: tuple[rows.AlarmRow, ...]


@dataclass(frozen=True, slots=True)
class GroupRows:
    """The alarms of one equipment; those in `folded` say nothing new, because it stands still."""

    plant: str
    name: Text
    equipment: Text | None
    key: str
    lines: tuple[FoldedRow, ...]
    folded: tuple[rows.AlarmRow, ...]

    @property
    def count(self) -> int:
        """All of them."""
        return len(self.lines) + sum(len(one.folded) for one in self.lines) + len(self.folded)


@dataclass(frozen=True, slots=True)
class HiddenRow:
    """An alarm that a suppression hides."""

    row: rows.AlarmRow
    by: Suppression | None


@dataclass(frozen=True, slots=True)
class AlarmLists:
    """What the page shows. `groups` None: the filters ask for one state, or it is a further page."""

    groups: tuple[GroupRows, ...] | None
    count: int
    full: bool
    hidden: tuple[HiddenRow, ...]
    waiting: tuple[rows.AlarmRow, ...]
    more_waiting: bool
    past: tuple[rows.AlarmRow, ...]
    older: str | None


def alarm_lists(
    ports: Ports, caller: Principal, plant: str, level: AnyLevel, state: AnyState, cursor: str
) -> AlarmLists:
    """Return every section; or one page of the state asked for."""
    ask = _Ask(ports, caller, plant, level)
    before = read_token(cursor or None)
    if state or before is not None:
        found = ask.past(before) if not state else ask.of(state, PAST_SHOWN + 1, before)
        page = tuple(ask.row(alarm) for alarm in found[:PAST_SHOWN])
        return AlarmLists(None, 0, False, (), (), False, page, _next(found, PAST_SHOWN))
    standing = rows.by_urgency(ports.alarms.alarms(ask.filter(STANDING), limit=STANDING_SHOWN))
    waiting = ask.of(WAITING, WAITING_SHOWN + 1)
    past = ask.past(None)
    return AlarmLists(
        groups=tuple(ask.group(group) for group in fold(ask.shown(standing))),
        count=len(standing),
        full=len(standing) == STANDING_SHOWN,
        hidden=ask.hidden(),
        waiting=tuple(ask.row(alarm) for alarm in waiting[:WAITING_SHOWN]),
        more_waiting=len(waiting) > WAITING_SHOWN,
        past=tuple(ask.row(alarm) for alarm in past[:PAST_SHOWN]),
        older=_next(past, PAST_SHOWN),
    )


@dataclass(frozen=True, slots=True)
class _Ask:
    """One caller's question, with the filters that every section shares."""

    ports: Ports
    caller: Principal
    plant: str
    level: AnyLevel

    def filter(
        self,
        states: frozenset[AlarmState],
        *,
        cleared: bool | None = None,
        historical: bool | None = None,
    ) -> AlarmFilter:
        return AlarmFilter(
            plants=reach.narrowed(self.caller, self.plant or None),
            states=states,
            level=int(self.level) if self.level else None,
            cleared=cleared,
            historical=historical,
        )

    def of(self, state: AnyState, limit: int, before: _Before = None) -> Sequence[Alarm]:
        """Those of one state, newest first."""
        if state == WAITING:
            which = self.filter(_NORMAL, cleared=False, historical=False)
        else:
            which = self.filter(frozenset({AlarmState(state)}))
        return self.ports.alarms.alarms(which, limit=limit, before=before)

    def past(self, before: _Before) -> Sequence[Alarm]:
        """What is over: cleared, or found in readings that came late; newest first, one more than a page."""
        found = [
            alarm
            for which in (self.filter(_NORMAL, cleared=True, historical=False), self.filter(_NORMAL, historical=True))
            for alarm in self.ports.alarms.alarms(which, limit=PAST_SHOWN + 1, before=before)
        ]
        return sorted(found, key=lambda alarm: (alarm.raised, alarm.id), reverse=True)[: PAST_SHOWN + 1]

    def hidden(self) -> tuple[HiddenRow, ...]:
        """What is hidden, each with what hides it."""
        found = self.ports.alarms.alarms(self.filter(frozenset(SUPPRESSED_STATES)), limit=HIDDEN_SHOWN)
        plants = frozenset(alarm.plant for alarm in found)
        by = self.ports.suppressions.suppressions(limit=1000, plants=plants, states=_IN_FORCE) if found else ()
        return tuple(HiddenRow(self.row(alarm), _hiding(alarm, by)) for alarm in found)

    def shown(self, standing: Sequence[Alarm]) -> list[Shown]:
        """How each is to be shown, among all that stands in the caller's scope."""
        found = show_among(self.ports, self.caller, standing)
        return [found[alarm.id] for alarm in standing]

    def row(self, alarm: Alarm, shown: Shown | None = None) -> rows.AlarmRow:
        return rows.alarm_row(self.ports, alarm, self.caller, shown)

    def group(self, group: Group) -> GroupRows:
        plant = self.ports.live.roster().plants.get(group.plant)
        machines = plant.equipment if plant else ()
        machine = next((one.name for one in machines if one.id == group.equipment), None)
        return GroupRows(
            group.plant,
            plant.name if plant else Text(group.plant, group.plant),
            machine,
            f"{group.plant}-{group.equipment or ''}",
            tuple(
                FoldedRow(self.row(one.shown.alarm, one.shown), tuple(self.row(f.alarm, f) for f in one.folded))
                for one in group.rows
            ),
            tuple(self.row(one.alarm, one) for one in group.folded),
        )


_Before = tuple[int, UUID] | None
_NORMAL: Final = frozenset({AlarmState.NORMAL})
_IN_FORCE: Final = frozenset({SuppressionState.IN_FORCE})
_STRENGTH: Final = tuple(SuppressionKind)


def _hiding(alarm: Alarm, among: Sequence[Suppression]) -> Suppression | None:
    """The strongest suppression that covers the alarm."""
    over = [one for one in among if one.covers(alarm.plant, alarm.point, alarm.rule)]
    return max(over, key=lambda one: _STRENGTH.index(one.kind), default=None)


def _next(found: Sequence[Alarm], page: int) -> str | None:
    return cut(found, page, lambda one: (one.raised, one.id))[1]

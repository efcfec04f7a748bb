"""What the console's tables show, worked out before the template: templates only place it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.display import Shown
from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import GATEWAY_SIGNAL, SERVICE, Equipment, Plant, Point, ServicePoint
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning
from ingest.domain.warnings.risks import PlantRisk
from ingest.plants.view import Latest
from ingest.services.access import Principal
from ingest.services.alarm_display import MOST
from ingest.services.caller_scope import GatewayView, Standing
from ingest.services.ports import Ports
from ingest.web.console.trend_svg import Limit
from ingest.web.console.wording import NOTHING, decimals, limit, number
from ingest.web.texts import FLAGS, TEXTS

_NOT_OVER: Final = frozenset(AlarmState) - {AlarmState.NORMAL, AlarmState.REMOVED}
_SAID_BY_TITLE: Final = frozenset({GATEWAY_SIGNAL, ServicePoint.BROKER.signal})
"""Their 0 or 1 would say less than the alarm's title."""


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """An alarm in a list; `limit` comes with its unit, `reason` is None once the rule is gone."""

    alarm: Alarm
    plant: Text
    value: Text
    limit: str
    reason: Text | None
    can_acknowledge: bool
    shown: Shown | None = None

    @property
    def word(self) -> str:
        """What its state is called: that of the alarm, or of what is missing although it is back to normal."""
        alarm = self.alarm
        if alarm.historical:
            return "historical"
        if alarm.state is AlarmState.NORMAL and alarm.cleared is None:
            return "awaiting-feedback"
        return alarm.state.value


@dataclass(frozen=True, slots=True)
class PlantRow:
    """A plant in a list."""

    plant: Plant
    standing: Standing
    online: int


@dataclass(frozen=True, slots=True)
class InAlarm:
    """What a point is in alarm for.

    Attributes:
        rows: the gravest alarm that stands, and the gravest whose condition holds if that is another one; the graver
            first.
        besides: how many there are besides these.
    """

    rows: tuple[AlarmRow, ...]
    besides: int

    @property
    def row(self) -> AlarmRow:
        """The gravest."""
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point in a list.

    Attributes:
        tone: how the value may be looked at: "alarm", "good", "poor", "gone", or "hidden": nobody is called for it.
        hidden: what hides its alarms now, the strongest first.
    """

    point: Point
    value: Text
    quality: tuple[Text, ...]
    tone: str
    time: int
    limits: tuple[Limit, ...]
    alarm: InAlarm | None = None
    hidden: tuple[Suppression, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its value; words have none."""
        return "" if self.point.word(1.0) else self.point.unit


def alarm_row(ports: Ports, alarm: Alarm, caller: Principal, shown: Shown | None = None) -> AlarmRow:
    """Return the alarm with its numbers written as its instrument deserves."""
    configuration = ports.live.configuration()
    plant = configuration.plants.get(alarm.plant)
    point = configuration.find(alarm.plant, alarm.point)
    digits = decimals(point) if point and point.unit == alarm.unit else None
    device = point is not None and point.signal in _SAID_BY_TITLE
    word = point.word(alarm.value) if point is not None and point.unit == alarm.unit else None
    value = NOTHING if device else number(alarm.value, digits, [alarm.limit])
    rule = next((rule for rule in point.rules if rule.code == alarm.rule), None) if point else None
    return AlarmRow(
        alarm,
        plant.name if plant else Text(alarm.plant, alarm.plant),
        Text(value, value) if device or not word else word,
        "" if device or word else f"{limit(alarm.limit, digits)} {alarm.unit}".rstrip(),
        rule.reason if rule else None,
        caller.may_act and alarm.state in UNSEEN,
        shown,
    )


def plant_rows(
    plants: Iterable[Plant], standing: Mapping[str, Standing], views: Sequence[GatewayView]
) -> list[PlantRow]:
    """Return the plants with the most pressing first."""
    rows = [
        PlantRow(
            plant,
            standing.get(plant.id, Standing()),
            sum(view.online is True for view in views if view.plant == plant.id and view.name),
        )
        for plant in plants
    ]
    return sorted(rows, key=lambda row: (-row.standing.level_2, -row.standing.level_1, row.plant.id))


def by_colour(
    found: Iterable[PlantRow], warned: Mapping[str, EarlyWarning], risks: Mapping[str, PlantRisk]
) -> list[PlantRow]:
    """Return the plants with the gravest colour first, then the highest risk index; else the order is kept."""

    def grave(row: PlantRow) -> tuple[int, float]:
        warning, risk = warned.get(row.plant.id), risks.get(row.plant.id)
        return -(warning.colour.rank if warning and warning.colour else -1), -(risk.index if risk else 0.0)

    return sorted(found, key=grave)


def shown_points(plant: Plant) -> list[Point]:
    """Return what is measured; gateways' own points have a table of their own. Of the service all is its own."""
    return [point for point in plant.points if plant.id == SERVICE or not point.is_device]


def point_groups(plant: Plant, rows: Iterable[PointRow]) -> list[tuple[Equipment | None, list[PointRow]]]:
    """Return the points by machine, in the order of the plant file; those of no machine last."""
    kept = list(rows)
    groups = [(machine, [r for r in kept if r.point.equipment == machine.id]) for machine in plant.equipment]
    known = {machine.id for machine in plant.equipment}
    rest = [row for row in kept if row.point.equipment not in known]
    return [(machine, of) for machine, of in [*groups, (None, rest)] if of]


def in_alarm(ports: Ports, caller: Principal, plant: Plant, point: str | None = None) -> dict[str, InAlarm]:
    """Return what stands of a plant's points (or of one), and what would stand if it were not hidden; by point."""
    which = AlarmFilter(plants=frozenset({plant.id}), states=_NOT_OVER, point=point)
    found: dict[str, list[Alarm]] = {}
    for alarm in ports.alarms.alarms(which, limit=MOST):
        if alarm.active or alarm.state in OUTSTANDING:
            found.setdefault(alarm.point, []).append(alarm)
    return {key: _in_alarm(ports, caller, alarms) for key, alarms in found.items()}


def _in_alarm(ports: Ports, caller: Principal, alarms: Sequence[Alarm]) -> InAlarm:
    """One that has returned never conceals that the value is over a limit, nor a hidden one another that calls."""
    of_each = ([alarm for alarm in alarms if alarm.state in OUTSTANDING], [alarm for alarm in alarms if alarm.active])
    gravest = {alarm.id: alarm for alarm in (max(of, key=_gravity) for of in of_each if of)}
    marked = sorted(gravest.values(), key=lambda alarm: (alarm.level, alarm.active), reverse=True)
    return InAlarm(tuple(alarm_row(ports, alarm, caller) for alarm in marked), len(alarms) - len(marked))


def _gravity(alarm: Alarm) -> tuple[int, bool, bool, int]:
    return alarm.level, alarm.state in UNSEEN, alarm.active, alarm.annunciated


def point_row(
    point: Point, latest: Latest, alarm: InAlarm | None = None, hidden: tuple[Suppression, ...] = ()
) -> PointRow:
    """Return the point with its newest value (a dash and why, if none), what it is in alarm for, and what hides it."""
    trusted = latest.trusted
    flags = tuple(text for flag, text in FLAGS.items() if latest.flags & flag)
    if latest.time == 0:
        quality: tuple[Text, ...] = (TEXTS["quality.never"],)
    elif latest.stale:
        quality = (TEXTS["quality.stale"],)
    else:  # nobody is told that a value is well which is in alarm, or would call nobody if it were
        quality = flags or (() if alarm or hidden else (TEXTS["quality.good"],))
    limits = limits_of(point)
    value = number(trusted, decimals(point), [one.value for one in limits])
    tone = "poor" if latest.flags & ~Flag.LATE else "alarm" if alarm else "hidden" if hidden else "good"
    if value == NOTHING:
        tone = "gone"
    return PointRow(point, point.word(trusted) or Text(value, value), quality, tone, latest.time, limits, alarm, hidden)


def limits_of(point: Point) -> tuple[Limit, ...]:
    """Return the limits that can be drawn on the point's own axis, highest first."""
    digits = decimals(point)
    found = [
        Limit(f"{rule.code} {limit(rule.limit, digits)}", rule.limit, rule.level)
        for rule in point.rules
        if rule.kind == "limit" and not rule.of and math.isfinite(rule.limit)
    ]
    return tuple(sorted(found, key=lambda one: -one.value))

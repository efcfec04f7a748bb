"""Rows of the console's tables, computed before the template, which only lays them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.lifecycle import OUTSTANDING, UNSEEN
from ingest.domain.model.alarm import Alarm, AlarmFilter, AlarmState
from ingest.domain.model.device_status import DeviceStatus
from ingest.domain.model.flags import Flag
from ingest.domain.model.plant import SERVICE, Equipment, Plant, Point
from ingest.domain.model.suppression import Suppression
from ingest.domain.model.text import Text
from ingest.domain.model.warning import EarlyWarning
from ingest.domain.warnings.risks import PlantRisk
from ingest.plants.view import Latest
from ingest.services.access import Principal
from ingest.services.alarm_display import MOST
from ingest.services.caller_scope import GatewayView, OutstandingCounts
from ingest.services.ports import Ports
from ingest.web.console.alarm_rows import AlarmRow, alarm_row
from ingest.web.console.trend_svg import Limit
from ingest.web.console.wording import NOTHING, decimals, limit, number
from ingest.web.texts import FLAGS, TEXTS

_NOT_OVER: Final = frozenset(AlarmState) - {AlarmState.NORMAL, AlarmState.REMOVED}


@dataclass(frozen=True, slots=True)
class PlantRow:
    """A plant in a list."""

    plant: Plant
    outstanding: OutstandingCounts
    online: int


@dataclass(frozen=True, slots=True)
class InAlarm:
    """A point's gravest alarms.

    Attributes:
        rows: the gravest outstanding alarm, and the gravest whose condition holds if that is another; the graver
            first.
        besides: number of further alarms.
    """

    rows: tuple[AlarmRow, ...]
    besides: int

    @property
    def row(self) -> AlarmRow:
        """The gravest alarm."""
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class PointRow:
    """A point in a list.

    Attributes:
        tone: how the value is coloured: "alarm", "good", "poor", "gone" (unknown), or "hidden" (its alarms are hidden).
        hidden: suppressions of its alarms in force, the strongest first.
        status: of its instrument; None: not known.
    """

    point: Point
    value: Text
    quality: tuple[Text, ...]
    tone: str
    time: int
    limits: tuple[Limit, ...]
    alarm: InAlarm | None = None
    hidden: tuple[Suppression, ...] = ()
    status: DeviceStatus | None = None

    @property
    def unit(self) -> str:
        """The unit of its value; empty for a value shown as a word."""
        return "" if self.point.word(1.0) else self.point.unit


def plant_rows(
    plants: Iterable[Plant], outstanding: Mapping[str, OutstandingCounts], views: Sequence[GatewayView]
) -> list[PlantRow]:
    """Return the rows of plants, those with the gravest and most outstanding alarms first."""
    rows = [
        PlantRow(
            plant,
            outstanding.get(plant.id, OutstandingCounts()),
            sum(view.online is True for view in views if view.plant == plant.id and view.name),
        )
        for plant in plants
    ]
    return sorted(rows, key=lambda row: (-row.outstanding.level_2, -row.outstanding.level_1, row.plant.id))


def by_colour(
    found: Iterable[PlantRow], warned: Mapping[str, EarlyWarning], risks: Mapping[str, PlantRisk]
) -> list[PlantRow]:
    """Sort plants by colour, the gravest first, then by risk index; otherwise the order is kept."""

    def grave(row: PlantRow) -> tuple[int, float]:
        warning, risk = warned.get(row.plant.id), risks.get(row.plant.id)
        return -(warning.colour.rank if warning and warning.colour else -1), -(risk.index if risk else 0.0)

    return sorted(found, key=grave)


def shown_points(plant: Plant) -> list[Point]:
    """Return a plant's measured points, without those of gateways; of the service itself, all points."""
    return [point for point in plant.points if plant.id == SERVICE or not point.is_device]


def point_groups(plant: Plant, rows: Iterable[PointRow]) -> list[tuple[Equipment | None, list[PointRow]]]:
    """Group points by equipment, in the order of the plant file; those without equipment last."""
    kept = list(rows)
    groups = [(machine, [r for r in kept if r.point.equipment == machine.id]) for machine in plant.equipment]
    known = {machine.id for machine in plant.equipment}
    rest = [row for row in kept if row.point.equipment not in known]
    return [(machine, of) for machine, of in [*groups, (None, rest)] if of]


def in_alarm(ports: Ports, caller: Principal, plant: Plant, point: str | None = None) -> dict[str, InAlarm]:
    """Return by point the outstanding alarms of a plant (or of one point), also those that are hidden."""
    which = AlarmFilter(plants=frozenset({plant.id}), states=_NOT_OVER, point=point)
    found: dict[str, list[Alarm]] = {}
    for alarm in ports.alarms.alarms(which, limit=MOST):
        if alarm.active or alarm.state in OUTSTANDING:
            found.setdefault(alarm.point, []).append(alarm)
    return {key: _in_alarm(ports, caller, alarms) for key, alarms in found.items()}


def _in_alarm(ports: Ports, caller: Principal, alarms: Sequence[Alarm]) -> InAlarm:
    """A returned alarm never hides one whose condition holds, nor a suppressed alarm one that calls."""
    of_each = ([alarm for alarm in alarms if alarm.state in OUTSTANDING], [alarm for alarm in alarms if alarm.active])
    gravest = {alarm.id: alarm for alarm in (max(of, key=_gravity) for of in of_each if of)}
    marked = sorted(gravest.values(), key=lambda alarm: (alarm.level, alarm.active), reverse=True)
    return InAlarm(tuple(alarm_row(ports, alarm, caller) for alarm in marked), len(alarms) - len(marked))


def _gravity(alarm: Alarm) -> tuple[int, bool, bool, int]:
    return alarm.level, alarm.state in UNSEEN, alarm.active, alarm.annunciated


def point_row(
    point: Point, latest: Latest, alarm: InAlarm | None = None, hidden: tuple[Suppression, ...] = ()
) -> PointRow:
    """Return the row of a point: newest value (a dash and the reason, if none), alarms, and suppressions."""
    trusted = latest.trusted
    flags = tuple(text for flag, text in FLAGS.items() if latest.flags & flag)
    if latest.time == 0:
        quality: tuple[Text, ...] = (TEXTS["quality.never"],)
    elif latest.stale:
        quality = (TEXTS["quality.stale"],)
    else:  # a value is not called good while it is in alarm or its alarms are hidden
        quality = flags or (() if alarm or hidden else (TEXTS["quality.good"],))
    limits = limits_of(point)
    value = number(trusted, decimals(point), [limit.value for limit in limits])
    tone = "poor" if latest.flags & ~Flag.LATE else "alarm" if alarm else "hidden" if hidden else "good"
    if value == NOTHING:
        tone = "gone"
    shown = point.word(trusted) or Text(value, value)
    return PointRow(point, shown, quality, tone, latest.time, limits, alarm, hidden, latest.status)


def limits_of(point: Point) -> tuple[Limit, ...]:
    """Return the limits that can be drawn on the point's own axis, highest first."""
    digits = decimals(point)
    found = [
        Limit(f"{rule.code} {limit(rule.limit, digits)}", rule.limit, rule.level)
        for rule in point.rules
        if rule.kind == "limit" and not rule.of and math.isfinite(rule.limit)
    ]
    return tuple(sorted(found, key=lambda limit: -limit.value))

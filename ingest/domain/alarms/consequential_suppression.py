"""Finds the common cause of an alarm: equipment not in production, a gateway offline, the broker unreachable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import OUTSTANDING
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.plant import GATEWAY_SIGNAL, SERVICE, Point, ServicePoint

INSTRUMENT: Final = frozenset({"bad", "silence", "range", "current", "stuck", "pinned", "noise", "neighbour"})
"""Kinds of rule that evaluate the instrument and not the process: stopped equipment does not explain them."""


class CommonCauseKind(StrEnum):
    """The kinds of common cause."""

    EQUIPMENT = "equipment"  # it is not in production: alarms of the process there carry no information
    GATEWAY = "gateway"  # it is offline: nothing of its points can arrive
    SERVICE = "service"  # the broker is unreachable: nothing of any gateway can arrive


@dataclass(frozen=True, slots=True)
class CommonCause:
    """The outermost cause that an alarm is listed under.

    Attributes:
        plant, id: the equipment, the gateway, or the service's own point.
        alarm: the alarm that reports the cause; None for equipment, which has none.
    """

    kind: CommonCauseKind
    plant: str
    id: str
    alarm: UUID | None


class ConsequentialSuppression:
    """Finds the common cause of each alarm among the alarms that are active and the equipment that is stopped."""

    def __init__(
        self,
        alarms: Sequence[Alarm],
        points: Mapping[tuple[str, str], Point | None],
        stopped: Mapping[tuple[str, str], str],
        *,
        level_2: bool,
    ) -> None:
        self._points = points
        self._stopped = stopped
        self._level_2 = level_2
        self._broker: Alarm | None = None
        self._gateways: dict[tuple[str, str], Alarm] = {}
        for alarm in sorted(alarms, key=lambda alarm: alarm.rule != "OFFLINE"):  # a gateway's own alarm comes first
            point = points[alarm.plant, alarm.point]
            if point is None or not alarm.active or alarm.state not in OUTSTANDING:
                continue
            if (alarm.plant, alarm.point) == (SERVICE, ServicePoint.BROKER):
                self._broker = self._broker or alarm
            elif point.signal == GATEWAY_SIGNAL:
                self._gateways.setdefault((alarm.plant, alarm.point), alarm)

    def of(self, alarm: Alarm) -> CommonCause | None:
        """Return the outermost common cause of an alarm, or None."""
        cause, current = None, alarm
        while (found := self._direct_cause(current)) is not None:
            cause, reporting = found
            if reporting is None:
                break
            current = reporting
        return cause

    def _direct_cause(self, alarm: Alarm) -> tuple[CommonCause, Alarm | None] | None:
        """Return its direct cause, and the alarm that reports that cause."""
        point = self._points[alarm.plant, alarm.point]
        if point is None or (alarm.severity == 2 and not self._level_2):
            return None
        if point.signal == GATEWAY_SIGNAL:
            own = self._gateways.get((alarm.plant, alarm.point), alarm)
            return (
                _reported_by(CommonCauseKind.GATEWAY, own)
                if own is not alarm
                else _reported_by(CommonCauseKind.SERVICE, self._broker)
            )
        kind = next((rule.kind for rule in point.rules if rule.code == alarm.rule), None)
        if point.is_device or kind is None:
            return None
        if kind == "silence":
            return _reported_by(CommonCauseKind.GATEWAY, self._gateways.get((alarm.plant, point.gateway)))
        return self._stopped_equipment(point) if kind not in INSTRUMENT else None

    def _stopped_equipment(self, point: Point) -> tuple[CommonCause, None] | None:
        """Return the point's equipment if stopped, unless this point is the one that reports so: it may be faulty."""
        witness = self._stopped.get((point.plant, point.equipment)) if point.equipment is not None else None
        if point.equipment is None or witness in {None, point.id}:
            return None
        return CommonCause(CommonCauseKind.EQUIPMENT, point.plant, point.equipment, None), None


def _reported_by(kind: CommonCauseKind, alarm: Alarm | None) -> tuple[CommonCause, Alarm] | None:
    return (CommonCause(kind, alarm.plant, alarm.point, alarm.id), alarm) if alarm is not None else None

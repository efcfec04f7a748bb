"""What explains an alarm: a gateway that is offline, a broker that is gone, a machine that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from ingest.domain.alarms.lifecycle import STANDING
from ingest.domain.model.alarm import Alarm
from ingest.domain.model.plant import GATEWAY_SIGNAL, SERVICE, Point, ServicePoint

INSTRUMENT: Final = frozenset({"bad", "silence", "range", "current", "stuck", "pinned", "noise", "neighbour"})
"""Kinds of rule that judge the instrument and not the process: a machine that stands does not explain them."""


class CommonCauseKind(StrEnum):
    """What explains an alarm that it is folded under."""

    EQUIPMENT = "equipment"  # it is not in production: alarms of the process there say nothing new
    GATEWAY = "gateway"  # it is offline: nothing of its points can arrive
    SERVICE = "service"  # the broker is gone: nothing of any gateway can arrive


@dataclass(frozen=True, slots=True)
class CommonCause:
    """What an alarm is folded under, the outermost.

    Attributes:
        plant, id: the equipment, the gateway, or the service's own point.
        alarm: the alarm that tells of it; None for an equipment, which stands without one.
    """

    kind: CommonCauseKind
    plant: str
    id: str
    alarm: UUID | None


class ConsequentialSuppression:
    """What stands, by what it explains."""

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
        for alarm in sorted(
            alarms, key=lambda alarm: alarm.rule != "OFFLINE"
        ):  # what a gateway says of itself comes first
            point = points[alarm.plant, alarm.point]
            if point is None or not alarm.active or alarm.state not in STANDING:
                continue
            if (alarm.plant, alarm.point) == (SERVICE, ServicePoint.BROKER):
                self._broker = self._broker or alarm
            elif point.signal == GATEWAY_SIGNAL:
                self._gateways.setdefault((alarm.plant, alarm.point), alarm)

    def of(self, alarm: Alarm) -> CommonCause | None:
        """The outermost cover of an alarm, or None."""
        cover, met = None, alarm
        while (found := self._over(met)) is not None:
            cover, by = found
            if by is None:
                break
            met = by
        return cover

    def _over(self, alarm: Alarm) -> tuple[CommonCause, Alarm | None] | None:
        """What covers it directly, and the alarm that tells of that."""
        point = self._points[alarm.plant, alarm.point]
        if point is None or (alarm.level == 2 and not self._level_2):
            return None
        if point.signal == GATEWAY_SIGNAL:
            own = self._gateways.get((alarm.plant, alarm.point), alarm)
            return (
                _told(CommonCauseKind.GATEWAY, own)
                if own is not alarm
                else _told(CommonCauseKind.SERVICE, self._broker)
            )
        kind = next((rule.kind for rule in point.rules if rule.code == alarm.rule), None)
        if point.is_device or kind is None:
            return None
        if kind == "silence":
            return _told(CommonCauseKind.GATEWAY, self._gateways.get((alarm.plant, point.gateway)))
        return self._stands(point) if kind not in INSTRUMENT else None

    def _stands(self, point: Point) -> tuple[CommonCause, None] | None:
        """The equipment of a point, if it is not in production; what says so may itself be the trouble."""
        witness = self._stopped.get((point.plant, point.equipment)) if point.equipment is not None else None
        if point.equipment is None or witness in {None, point.id}:
            return None
        return CommonCause(CommonCauseKind.EQUIPMENT, point.plant, point.equipment, None), None


def _told(kind: CommonCauseKind, alarm: Alarm | None) -> tuple[CommonCause, Alarm] | None:
    return (CommonCause(kind, alarm.plant, alarm.point, alarm.id), alarm) if alarm is not None else None

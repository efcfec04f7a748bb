"""What leaves the house about an alarm or about readings, as JSON-ready data. Receivers rely on these shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ingest.domain.model.alarm import Alarm, AlarmEvent
from ingest.domain.model.flags import UNUSABLE
from ingest.domain.model.payload import enterprise_fields, iso, localized
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.text import Text


def alarm_body(event: AlarmEvent, plant: Plant | None, reason: Text | None = None) -> dict[str, Any]:
    """An alarm event as told to inspectors and to the province.

    `reason` is what its rule finds, None once the rule is gone; `plant` is None once it was removed.
    """
    return {
        "event": str(event.kind),
        "time": iso(event.time),
        "by": event.by,
        "detail": dict(event.detail),
        "alarm": alarm_fields(event.alarm),
        "reason": localized(reason) if reason else None,
        "enterprise": enterprise_fields(plant),
    }


def alarm_fields(alarm: Alarm) -> dict[str, Any]:
    """An alarm as it stands: the same shape by webhook, stream and API."""
    return {
        "id": str(alarm.id),
        "plant": alarm.plant,
        "point": alarm.point,
        "rule": alarm.rule,
        "level": alarm.level,
        "state": str(alarm.state),
        "title": localized(alarm.title),
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "onset": iso(alarm.onset),
        "raised": iso(alarm.raised),
        "returned": iso(alarm.returned),
        "acknowledged": iso(alarm.acked),
        "acknowledged_by": alarm.acked_by,
        "comment": alarm.comment,
        "assigned": alarm.assigned,
        "raises": alarm.raises,
        "annunciated": iso(alarm.annunciated),
        "disposed": iso(alarm.disposed),
        "cleared": iso(alarm.cleared),
        "historical": alarm.historical,
    }


def readings_body(plant: Plant, time: int, latest: Iterable[tuple[Point, int, float | None, int]]) -> dict[str, Any]:
    """The newest reading of each point of a plant: (point, device time, value, flags)."""
    return {
        "time": iso(time),
        "enterprise": enterprise_fields(plant),
        "readings": [
            {
                "point": point.id,
                "signal": point.signal,
                "gateway": point.gateway,
                "time": iso(at),
                "value": value,
                "valid": not flags & UNUSABLE,
            }
            for point, at, value, flags in latest
        ],
    }

"""The JSON form in which alarms and readings leave the service. Receivers rely on these shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ingest.domain.model.alarm import Alarm, AlarmEvent
from ingest.domain.model.device_status import device_status
from ingest.domain.model.flags import UNUSABLE, unusable
from ingest.domain.model.payload import enterprise_fields, iso, localized, phase_fields
from ingest.domain.model.plant import Plant, Point, Rationalization, Rule


def alarm_body(
    event: AlarmEvent,
    plant: Plant | None,
    rule: Rule | None = None,
    work: Sequence[Mapping[str, Any]] | None = (),
) -> dict[str, Any]:
    """Return the body of an alarm event for inspectors and the province.

    `rule` is None once it was removed, `plant` likewise. What to do is told while the condition holds. `work`: the
    declared work it was raised during (`work_fields`); None: not known any more.
    """
    return {
        "event": str(event.kind),
        "time": iso(event.time),
        "by": event.by,
        "detail": dict(event.detail),
        "alarm": alarm_fields(event.alarm),
        "reason": localized(rule.reason) if rule else None,
        "rationalization": rationalization_fields(rule.rationalization) if rule and event.alarm.active else None,
        "work": None if work is None else [*work],
        "enterprise": enterprise_fields(plant),
    }


def alarm_fields(alarm: Alarm) -> dict[str, Any]:
    """Return an alarm in its present state, in the shape shared by webhooks, streams and the API."""
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
        "phase": phase_fields(alarm.phase),
        "contributions": [contribution.fields() for contribution in alarm.contributions],
        "bypass": alarm.bypass.fields() if alarm.bypass else None,
    }


def rationalization_fields(asked: Rationalization | None) -> dict[str, Any] | None:
    """Return what an alarm asks of people; None: no instruction is on file."""
    if asked is None:
        return None
    return {
        "cause": localized(asked.cause),
        "consequence": localized(asked.consequence),
        "action": localized(asked.action),
        "respond_s": asked.respond_s,
        "source": asked.source,
        "confidence": str(asked.confidence),
    }


def readings_body(plant: Plant, time: int, latest: Iterable[tuple[Point, int, float | None, int]]) -> dict[str, Any]:
    """Return the body with a plant's newest readings, given as (point, device time, value, flags).

    `connected` is whether the link to the instruments holds: every gateway with points has one whose newest reading is
    usable and no older than the point may be silent. Points that records drive have no gateway, and do not count.
    """
    latest = list(latest)
    gateways = {point.gateway for point in plant.points if not point.is_device} | {
        point.gateway for point, *_ in latest
    }
    gateways.discard("")
    linked = {
        point.gateway
        for point, at, _, flags in latest
        if point.gateway and not flags & UNUSABLE and time - at <= point.silence_s * 1_000_000_000
    }
    return {
        "time": iso(time),
        "connected": gateways == linked,
        "enterprise": enterprise_fields(plant),
        "readings": [
            {
                "point": point.id,
                "signal": point.signal,
                "gateway": point.gateway,
                "time": iso(at),
                "value": value,
                "valid": not unusable(flags),
                "status": str(device_status(flags)),
            }
            for point, at, value, flags in latest
        ],
    }

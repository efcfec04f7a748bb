"""Converts alarms, events, suppressions and messages to rows of the state database and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from ingest.domain.alarms.urgency import urgency
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState
from ingest.domain.model.audit import YUJING, Act
from ingest.domain.model.bypass import registered_bypass
from ingest.domain.model.contribution import contributions_of
from ingest.domain.model.outbox import Message, Urgency
from ingest.domain.model.plant import PhaseName
from ingest.domain.model.suppression import Suppression, SuppressionKind, SuppressionState
from ingest.domain.model.text import Text

_NOT_FIELDS: Final = frozenset(
    {"id", "state", "title_zh", "title_en", "urgency", "phase", "phase_zh", "phase_en", "contributions", "bypass"}
)
"""Columns of an alarm that are not passed to its fields unchanged."""


def alarm_row(alarm: Alarm) -> dict[str, Any]:
    """The alarm as a row of table `alarm`."""
    return _alarm_fields(alarm) | {"urgency": urgency(alarm)}


def _alarm_fields(alarm: Alarm) -> dict[str, Any]:
    return {
        "id": alarm.id,
        "plant": alarm.plant,
        "point": alarm.point,
        "rule": alarm.rule,
        "level": alarm.level,
        "state": str(alarm.state),
        "title_zh": alarm.title.zh,
        "title_en": alarm.title.en,
        "value": alarm.value,
        "limit": alarm.limit,
        "unit": alarm.unit,
        "onset": alarm.onset,
        "raised": alarm.raised,
        "annunciated": alarm.annunciated,
        "raises": alarm.raises,
        "returned": alarm.returned,
        "acked": alarm.acked,
        "acked_by": alarm.acked_by,
        "comment": alarm.comment,
        "assigned": alarm.assigned,
        "disposed": alarm.disposed,
        "cleared": alarm.cleared,
        "historical": alarm.historical,
        "phase": alarm.phase.code if alarm.phase else None,
        "phase_zh": alarm.phase.text.zh if alarm.phase else None,
        "phase_en": alarm.phase.text.en if alarm.phase else None,
        "contributions": [contribution.fields() for contribution in alarm.contributions] or None,
        "bypass": alarm.bypass.row() if alarm.bypass else None,
    }


def alarm_of(row: Mapping[str, Any]) -> Alarm:
    """The alarm in a row, or in an event's snapshot, also of an earlier version."""
    rest: dict[str, Any] = {"annunciated": row["raised"], "raises": 1}
    rest |= {key: value for key, value in row.items() if key not in _NOT_FIELDS}
    return Alarm(
        id=row["id"] if isinstance(row["id"], UUID) else UUID(row["id"]),
        state=AlarmState(row["state"]),
        title=Text(row["title_zh"], row["title_en"]),
        phase=_phase_of(row) if row.get("phase") else None,
        contributions=contributions_of(row.get("contributions")),
        bypass=registered_bypass(row["bypass"]) if row.get("bypass") else None,
        **rest,
    )


def _phase_of(row: Mapping[str, Any]) -> PhaseName:
    return PhaseName(row["phase"], Text(row["phase_zh"], row["phase_en"]))


def event_row(event: AlarmEvent) -> dict[str, Any]:
    """The event as a row of table `alarm_event`, without its sequence number."""
    return {
        "id": event.id,
        "alarm": event.alarm.id,
        "kind": str(event.kind),
        "time": event.time,
        "received": event.received,
        "by": event.by,
        "role": event.role,
        "detail": dict(event.detail),
        "snapshot": _alarm_fields(event.alarm) | {"id": str(event.alarm.id)},
    }


def event_of(row: Mapping[str, Any]) -> AlarmEvent:
    """The event in a row."""
    kind = AlarmEventKind(row["kind"])
    alarm = alarm_of(row["snapshot"])
    by, role, detail = row["by"], row["role"], row["detail"] or {}
    return AlarmEvent(row["seq"], row["id"], kind, row["time"], row["received"], alarm, by, role, detail)


def act_of(event: AlarmEvent) -> Act:
    """The event as an act of the audit trail."""
    alarm = event.alarm
    detail = {"state": str(alarm.state), "point": alarm.point, "rule": alarm.rule, "level": alarm.level, **event.detail}
    actor, role = event.by or YUJING, event.role or "service"
    return Act(event.time, actor, role, str(event.kind), "alarm", str(alarm.id), alarm.plant, detail)


def suppression_row(suppression: Suppression) -> dict[str, Any]:
    """The suppression as a row of table `suppression`."""
    return {
        **{name: getattr(suppression, name) for name in Suppression.__dataclass_fields__},
        "kind": str(suppression.kind),
        "state": str(suppression.state),
    }


def suppression_of(row: Mapping[str, Any]) -> Suppression:
    """The suppression in a row."""
    return Suppression(**{**row, "kind": SuppressionKind(row["kind"]), "state": SuppressionState(row["state"])})


def message_row(message: Message) -> dict[str, Any]:
    """The message as a new row of table `outbox`."""
    return {
        "connector": message.connector,
        "id": message.id,
        "kind": message.kind,
        "plant": message.plant,
        "body": dict(message.body),
        "received": message.received,
        "created": message.created,
        "subject": message.subject,
        "urgency": int(message.urgency),
    }


def message_of(row: Mapping[str, Any]) -> Message:
    """The message in a row."""
    names = ("seq", "connector", "id", "kind", "plant", "body", "received", "created", "attempts", "subject")
    return Message(**{name: row[name] for name in names}, urgency=Urgency(row["urgency"]))

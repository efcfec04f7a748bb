"""Made-up messages for a trial of a platform: each says that it is a test, and what begins ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from ingest.delivery.platform.model import Section
from ingest.domain.alarms.report import alarm_body, readings_body
from ingest.domain.model.alarm import Alarm, AlarmEvent, AlarmEventKind, AlarmState
from ingest.domain.model.outbox import Message, MessageKind
from ingest.domain.model.payload import localized
from ingest.domain.model.plant import Plant, Point
from ingest.domain.model.text import Text
from ingest.domain.model.warning import (
    Asked,
    Colour,
    EarlyWarning,
    Feedback,
    Step,
    WarningEvent,
    WarningEventKind,
    WarningState,
)
from ingest.domain.warnings.report import warning_body

TITLE: Final = Text("联调测试，请忽略", "test of the connection, please ignore")
SECOND: Final = 10**9


def trial_messages(kind: MessageKind, section: Section, plant: Plant, point: Point, now: int) -> list[Message]:
    """Messages of that kind about a point: of an alarm and a warning also their end, in this order.

    Args:
        kind: of message.
        section: what the profile says of it.
        plant: a real one, since the platform knows no other.
        point: one of its points.
        now: ns since the epoch.
    """
    bodies: list[Mapping[str, Any]] = [readings_body(plant, now, [(point, now, _value(point), 0)])]
    if kind == "alarm":
        bodies = _alarm_bodies(section, plant, point, now)
    elif kind == "warning":
        bodies = _warning_bodies(plant, now)
    return [Message(at, "platform", uuid4(), kind, plant.id, body, now, now, 0) for at, body in enumerate(bodies, 1)]


def _alarm_bodies(section: Section, plant: Plant, point: Point, now: int) -> list[Mapping[str, Any]]:
    began = now - SECOND
    taken = [code for code in ("H", "HH", "L", "LL") if code in section.rules or not section.rules]
    alarm = Alarm(
        id=uuid4(),
        plant=plant.id,
        point=point.id,
        rule=taken[0] if taken else min(section.rules),
        level=1,
        state=AlarmState.UNACKNOWLEDGED,
        title=TITLE,
        value=_value(point),
        limit=point.high,
        unit=point.unit,
        onset=began,
        raised=began,
        annunciated=began,
        raises=1,
        comment=TITLE.zh,
    )
    ended = replace(alarm, state=AlarmState.NORMAL, returned=now)
    events = (
        AlarmEvent(1, uuid4(), AlarmEventKind.RAISED, began, now, alarm),
        AlarmEvent(2, uuid4(), AlarmEventKind.RETURNED, now, now, ended),
    )
    return [alarm_body(event, plant) for event in events]


def _warning_bodies(plant: Plant, now: int) -> list[Mapping[str, Any]]:
    began = now - SECOND
    warning = EarlyWarning(
        id=uuid4(),
        plant=plant.id,
        colour=Colour.BLUE,
        peak=Colour.BLUE,
        since=began,
        raised=began,
        state=WarningState.OPEN,
        step=Step.ENTERPRISE,
        asking=Asked.ACKNOWLEDGEMENT,
        asked=began,
        reminded=0,
        risk=0.0,
        rules="test",
        inputs=(),
    )
    feedback = Feedback(TITLE.zh, TITLE.zh, TITLE.zh, now)
    over = replace(warning, colour=None, state=WarningState.CLOSED, asking=None, ended=now, feedback=feedback)
    events = (
        WarningEvent(1, uuid4(), WarningEventKind.RAISED, began, warning),
        WarningEvent(2, uuid4(), WarningEventKind.CLOSED, now, over),
    )
    return [{**warning_body(event, plant), "title": localized(TITLE)} for event in events]


def _value(point: Point) -> float:
    """A value in the point's range that calls for nothing: what 0 stands for, or the middle."""
    return 0.0 if point.states is not None else (point.low + point.high) / 2

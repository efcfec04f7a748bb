"""Checks whether a broker meets the service's needs; pure but for the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from paho.mqtt.reasoncodes import ReasonCode

from ingest.base.telemetry import Event
from ingest.intake.wire.frame import MAX_BYTES

WHOLE_FRAME: Final = MAX_BYTES + 1024
"""Bytes of a packet with the largest frame allowed, and its topic."""


class Unmet(StrEnum):
    """A need that the broker does not meet, with what is to be changed there."""

    QOS = "QoS 0 was granted where 1 is needed: frames may be lost under load (max_qos of the broker)"
    RETAIN = "it keeps no retained messages: a gateway that connects is not told what is on disk (retain_available)"


@dataclass(frozen=True, slots=True)
class BrokerUnfit(Event, level="error", labels=("what",)):
    """The broker does not do what is needed of it; until it is mended, the service promises less."""

    host: str
    what: str
    expected: str


@dataclass(frozen=True, slots=True)
class BrokerTakesLess(Event, level="warning"):
    """The broker takes no frame of the largest size: it ends the connection of a gateway that sends one."""

    host: str
    most_bytes: int
    expected_bytes: int


def keeps_retained(properties: Any, *, wanted: bool) -> bool:
    """Whether the broker keeps retained messages, by its CONNACK (MQTT 5, 3.2.2.3.5) and our setting."""
    return wanted and getattr(properties, "RetainAvailable", 1) != 0


def granted_too_little(reasons: Sequence[ReasonCode]) -> bool:
    """Whether a subscription was granted, and only QoS 0 for it."""
    return any(reason.value == 0 for reason in reasons)

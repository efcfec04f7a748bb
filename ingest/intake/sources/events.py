"""What happens between the service and the broker, as typed events."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class BrokerConnected(Event):
    """Connected; subscribing."""

    host: str
    port: int
    session_present: bool


@dataclass(frozen=True, slots=True)
class BrokerDisconnected(Event, level="warning"):
    """The connection ended; it is tried again with a growing, jittered pause."""

    reason: str


@dataclass(frozen=True, slots=True)
class BrokerUnreachable(Event, level="warning"):
    """No connection could be made; it is tried again."""

    host: str
    port: int
    reason: str


@dataclass(frozen=True, slots=True)
class SessionLost(Event, level="warning"):
    """The broker no longer knew our session: what it held for us may be gone. Gateways resend what is not committed."""

    host: str


@dataclass(frozen=True, slots=True)
class SubscriptionRefused(Event, level="error"):
    """The broker does not let us read: its access list must allow frames and statuses of all gateways to us."""

    host: str
    reason: str


@dataclass(frozen=True, slots=True)
class FramesUnassured(Event, level="warning"):
    """A gateway sends frames with QoS 0, which may be lost, or retained, so that old ones come again: reported once."""

    plant: str
    gateway: str
    how: str


@dataclass(frozen=True, slots=True)
class AnnouncementTooLarge(Event, level="error"):
    """The broker takes no packet for a gateway's acknowledgement or refusal: it never gets one."""

    plant: str
    gateway: str
    most_bytes: int

"""What intake reports of messages and gateways, as typed events."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.base.telemetry import Event


@dataclass(frozen=True, slots=True)
class MessageQuarantined(Event, level="warning", labels=("reason",), amount="messages"):
    """Messages of one commit and topic, or what could not be taken of them, put into quarantine for one reason.

    Attributes:
        topic, detail: of the first; of gateways that no plant file has, all topics count as one.
    """

    topic: str
    reason: str
    detail: str
    messages: int


@dataclass(frozen=True, slots=True)
class GatewayClockStepped(Event, level="warning"):
    """A gateway's clock was set: its readings are kept under corrected times until it is right again."""

    plant: str
    gateway: str
    shift_s: float

"""What the platform connector passes over, as a counted event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.base.telemetry import Event

NO_CODE: Final = "no code by the authority"
NOT_CODED: Final = "not in the file of codes"
NO_VALUE: Final = "no value"
NOT_VALID: Final = "not valid"
EVENT_NOT_TAKEN: Final = "event not taken"
RULE_NOT_TAKEN: Final = "rule not taken"
KIND_NOT_TAKEN: Final = "kind not taken"  # put into the outbox under another profile
REASONS: Final = (NO_CODE, NOT_CODED, NO_VALUE, NOT_VALID, EVENT_NOT_TAKEN, RULE_NOT_TAKEN, KIND_NOT_TAKEN)
"""Why an item is not reported."""


@dataclass(frozen=True, slots=True)
class NotReported(Event, level="debug", labels=("connector", "reason"), amount="items"):
    """Items that the platform has no form for, or no code by the authority: passed over, and kept here as ever."""

    connector: str
    kind: str
    reason: str
    items: int


@dataclass(frozen=True, slots=True)
class PointsUncoded(Event, level="warning", labels=("connector",), amount="points"):
    """Points that readings reports leave out, since the file of codes lacks them: each is told once a start."""

    connector: str
    points: int
    first: str

"""Lead (线索): something an inspector should look into. Leads of the service have ids that cannot double.

Its steps are in `lead_steps`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid5

_LEADS: Final = UUID("c2f0a3de-53b1-5c56-8a54-1f0e5b0c9a33")


class LeadSource(StrEnum):
    """Where it comes from."""

    OVERDUE_HAZARD = "overdue-hazard"
    WARNING = "warning"
    HAND = "by-hand"


class LeadState(StrEnum):
    """How far it has come."""

    OPEN = "open"
    TAKEN = "taken"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead as it stands. Times are ns since the epoch, UTC.

    Attributes:
        subject: the hazard or warning it is about; None for one by hand.
        taken_by: the inspector who looks into it.
        inspection: the inspection it led to, if any.
        remark: what came of it.
    """

    id: UUID
    plant: str
    source: LeadSource
    text: str
    opened: int
    opened_by: str
    version: int = 1
    state: LeadState = LeadState.OPEN
    subject: str | None = None
    taken: int | None = None
    taken_by: str | None = None
    inspection: UUID | None = None
    closed: int | None = None
    closed_by: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads. None = any."""

    plants: frozenset[str] | None = None
    states: frozenset[LeadState] | None = None
    source: LeadSource | None = None
    subject: str | None = None
    since: int | None = None  # on `opened`
    until: int | None = None


def lead_of_deadline(hazard: UUID, deadline: dt.date) -> UUID:
    """The id of the lead that a missed deadline gives: one for each deadline of a hazard."""
    return uuid5(_LEADS, f"hazard/{hazard}/{deadline.isoformat()}")


def lead_of_warning(warning: UUID) -> UUID:
    """The id of the lead that a warning nobody handles gives: one for each warning."""
    return uuid5(_LEADS, f"warning/{warning}")

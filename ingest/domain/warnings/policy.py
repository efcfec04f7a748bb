"""The warning policy of all plants, the context of one plant, and the actor of an action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.domain.model.audit import ActRole
from ingest.domain.warnings.escalation import Deadlines, Duty
from ingest.domain.warnings.rules import ColourRules


@dataclass(frozen=True, slots=True)
class WarningPolicy:
    """How warnings of every plant are derived, reopened and escalated. Times in ns.

    Attributes:
        fall_after: how long a lower colour must hold before the colour falls.
        reopen: how soon after its end a recurrence is the same episode.
        duty_of: who answers for a plant, by its id and its region.
    """

    rules: ColourRules
    deadlines: Deadlines
    fall_after: int
    reopen: int
    duty_of: Callable[[str, str], Duty] = lambda _plant, _region: Duty()


@dataclass(frozen=True, slots=True)
class PlantContext:
    """What warning episodes need to know of their plant.

    Attributes:
        inherent: S of its risk index.
    """

    plant: str
    inherent: float
    duty: Duty


@dataclass(frozen=True, slots=True)
class Actor:
    """The author and time (ns) of an action."""

    by: str
    role: ActRole
    time: int

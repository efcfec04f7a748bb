"""What holds for the warnings of every plant, what is to be known of one, and who acts on one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.domain.model.audit import ActRole
from ingest.domain.warnings.escalation import Deadlines, Duty
from ingest.domain.warnings.rules import ColourRules


@dataclass(frozen=True, slots=True)
class WarningPolicy:
    """What holds for every plant. Times in ns.

    Attributes:
        fall_after: a colour falls when the lower one has held for so long.
        reopen: what comes back so soon after its end is the same episode.
        duty_of: who answers for a plant, by its id and its region.
    """

    rules: ColourRules
    pace: Deadlines
    fall_after: int
    reopen: int
    duty_of: Callable[[str, str], Duty] = lambda _plant, _region: Duty()


@dataclass(frozen=True, slots=True)
class PlantContext:
    """What a watch needs to know of its plant.

    Attributes:
        inherent: S of its risk index.
    """

    plant: str
    inherent: float
    duty: Duty


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and when (ns)."""

    by: str
    role: ActRole
    time: int

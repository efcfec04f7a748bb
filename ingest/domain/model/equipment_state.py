"""How an equipment stands: in production or not, and in which phase of its process."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from ingest.domain.model.plant import Phase, PhaseName


class Running(Enum):
    """Whether an equipment is in production."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # the point that reports it is bad, stale or missing


@dataclass(frozen=True, slots=True)
class EquipmentState:
    """The state of one equipment.

    Attributes:
        phase: unknown if its points do not tell, and critical then if any of its phases is; None: it has no phases.
    """

    running: Running
    phase: Phase | None = None

    @property
    def in_production(self) -> bool:
        """Whether it must be taken to run: unknown is not stopped, so that cutting a wire disables no rule."""
        return self.running is not Running.NO

    @property
    def critical(self) -> bool:
        """Whether it must be taken to be in a critical phase: unknown is not harmless, for the same reason."""
        return self.phase is not None and self.phase.critical

    @property
    def called(self) -> PhaseName | None:
        """What its phase is called."""
        return self.phase.called if self.phase is not None else None


UNTOLD: Final = EquipmentState(Running.YES)
"""Of a point that belongs to no equipment, or is not configured any more."""

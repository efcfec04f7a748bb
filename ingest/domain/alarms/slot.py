"""The alarm figures of an operator position over ten minutes, as the history stores them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.metrics import SLOT_S, measure
from ingest.domain.alarms.operator_load import OperatorLoad
from ingest.domain.model.annunciations import Annunciations

SLOT: Final = SLOT_S * 10**9


@dataclass(frozen=True, slots=True)
class AlarmSlot:
    """The alarm figures of a position in one slot.

    Attributes:
        end: when the slot ended, ns since the epoch.
        raised: annunciations.
        level_1, level_2: the same by level.
        hidden: raises while shelved, suppressed or out of service.
        flood_s: seconds in flood.
        present: the load at its end; None where the slot is computed so late that it is not known any more.
    """

    position: str
    end: int
    raised: int
    level_1: int
    level_2: int
    hidden: int
    flood_s: float
    present: OperatorLoad | None

    def numbers(self) -> dict[str, float]:
        """Return its figures by name; those of `present` only where they are known."""
        found: dict[str, float] = {
            "raised": self.raised,
            "level_1": self.level_1,
            "level_2": self.level_2,
            "hidden": self.hidden,
            "flood_s": self.flood_s,
        }
        now = self.present
        if now is not None:
            found |= {f"standing_{level}": count for level, count in now.levels.items()}
            found |= {"unacknowledged": now.unacknowledged, "stale": now.stale, "chattering": now.chattering}
        return found


def slot_of(
    position: str, annunciations: Annunciations, end: int, config: AlarmsConfig, present: OperatorLoad | None
) -> AlarmSlot:
    """Compute the slot that ended at `end` from the position's annunciations since `lead` before its start."""
    found = measure(annunciations, end - SLOT, end, config)
    seconds = found.flood_share * SLOT_S
    return AlarmSlot(position, end, found.raised, found.levels[1], found.levels[2], found.hidden, seconds, present)

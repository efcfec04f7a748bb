"""One accident for the fleet to play: its plant, in motion until shortly before, and a labelled fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway_sim.accidents import PLANTS, Accident
from gateway_sim.faults import Fault, Slot, Where
from gateway_sim.simulated_plant import SimulatedPlant
from gateway_sim.sites import sites

HEALTHY_S: Final = 30.0
"""How long the plant is seen in good health before the accident begins."""


@dataclass(frozen=True, slots=True)
class Performance:
    """An accident in the fleet's own time.

    Attributes:
        plant: its plant, `HEALTHY_S` before the accident begins.
        slot: the accident as a fault, until the scenario ends.
        no_return_s: its point of no return.
    """

    plant: SimulatedPlant
    slot: Slot
    no_return_s: float


def performance(accident: Accident, seed: int) -> Performance:
    """Prepare an accident to be played from shortly before it begins."""
    physics = accident.physics(seed)
    physics.run(max(int(accident.begins_s - HEALTHY_S), 0), 1.0)
    start = min(HEALTHY_S, accident.begins_s)
    shift = start - accident.begins_s
    fault = Fault(
        id=accident.id,
        plant=accident.plant,
        name=accident.name,
        where=Where.PROCESS,
        points=tuple(accident.says),
        rules=tuple(sorted({code for codes in accident.says.values() for code in codes})),
        needed_s=accident.needed_s or accident.most_lead_s,
        begin_s=start,
        lasts_s=accident.ends_s - accident.begins_s,
    )
    slot = Slot(fault, start, accident.ends_s + shift)
    plant = SimulatedPlant(sites(PLANTS)[accident.plant], seed, physics)
    return Performance(plant, slot, accident.no_return_s + shift)

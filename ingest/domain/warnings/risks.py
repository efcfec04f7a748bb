"""Assesses the risk of equipment, plants and regions: the index and the band of each (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.domain.model.plant import Phase, Plant
from ingest.domain.model.text import Text
from ingest.domain.model.warning import Colour, Fact
from ingest.domain.warnings import risk

PhaseOf = Callable[[str, str | None], Phase | None]
"""Returns the phase of an equipment of a plant."""

REGIONS: Final = (2, 4, 6, 9)
"""Digits of a region's code (GB/T 2260): province, city, county, township."""


@dataclass(frozen=True, slots=True)
class EquipmentRisk:
    """The risk of one equipment, in the phase it is in; None: it has none."""

    id: str
    name: Text
    inherent: float
    index: float
    band: Colour
    phase: Phase | None


@dataclass(frozen=True, slots=True)
class PlantRisk:
    """The risk of one plant and its equipment; `facts` is the number of facts that count now."""

    plant: Plant
    inherent: float
    index: float
    band: Colour
    facts: int
    equipment: tuple[EquipmentRisk, ...]


@dataclass(frozen=True, slots=True)
class RegionRisk:
    """The risk of one region, from the plants assessed."""

    region: str
    index: float
    band: Colour
    plants: int


def assess(plant: Plant, facts: Sequence[Fact], phase: PhaseOf, now: int) -> PlantRisk:
    """Assess a plant at `now` (ns), each equipment in its `phase`."""
    machines = []
    for machine in plant.equipment:
        inherent = risk.inherent(plant, machine)
        own = [fact for fact in facts if fact.equipment == machine.id]
        index, band = risk.index(inherent, own, now), risk.band_at(inherent, own, now)
        machines.append(EquipmentRisk(machine.id, machine.name, inherent, index, band, phase(plant.id, machine.id)))
    inherent = risk.inherent(plant)
    index, band = risk.index(inherent, facts, now), risk.band_at(inherent, facts, now)
    weighing = sum(not risk.forgotten(fact, now) for fact in facts)
    return PlantRisk(plant, inherent, index, band, weighing, tuple(machines))


def regions(plants: Iterable[PlantRisk]) -> list[RegionRisk]:
    """Return every region these plants lie in, the largest first; none is in a lower band than any of its plants."""
    members: dict[str, list[PlantRisk]] = {}
    for plant in plants:
        for digits in REGIONS:
            if len(plant.plant.region) >= digits:
                members.setdefault(plant.plant.region[:digits], []).append(plant)
    found = []
    for region, of in sorted(members.items(), key=lambda item: (len(item[0]), item[0])):
        index = risk.region_index(plant_risk.index for plant_risk in of)
        found.append(RegionRisk(region, index, max(risk.band(index), *(plant_risk.band for plant_risk in of)), len(of)))
    return found

"""How risky things stand by the index: every equipment, plant and region, with the band each is in (pure)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingest.model.plant import Plant, Text
from ingest.model.warning import Colour, Fact
from ingest.warnings import risk

REGIONS: Final = (2, 4, 6, 9)
"""Digits of a region's code (GB/T 2260): province, city, county, township."""


@dataclass(frozen=True, slots=True)
class EquipmentRisk:
    """One equipment."""

    id: str
    name: Text
    inherent: float
    index: float
    band: Colour


@dataclass(frozen=True, slots=True)
class PlantRisk:
    """One plant and its equipment; `facts` weigh on it now."""

    plant: Plant
    inherent: float
    index: float
    band: Colour
    facts: int
    equipment: tuple[EquipmentRisk, ...]


@dataclass(frozen=True, slots=True)
class RegionRisk:
    """One region, by the plants looked at."""

    region: str
    index: float
    band: Colour
    plants: int


@dataclass(slots=True)
class Bands:
    """The band each thing was in when it was last looked at: it leaves it only well below where it came in."""

    known: dict[Hashable, Colour] = field(default_factory=dict)

    def of(self, thing: Hashable, index: float) -> Colour:
        """The band it is in now."""
        found = self.known[thing] = risk.band(index, self.known.get(thing, Colour.BLUE))
        return found


def assess(plant: Plant, facts: Sequence[Fact], now: int, bands: Bands) -> PlantRisk:
    """A plant as it stands at `now` (ns)."""
    machines = []
    for machine in plant.equipment:
        inherent = risk.inherent(plant, machine)
        index = risk.index(inherent, (fact for fact in facts if fact.equipment == machine.id), now)
        machines.append(
            EquipmentRisk(machine.id, machine.name, inherent, index, bands.of((plant.id, machine.id), index))
        )
    inherent = risk.inherent(plant)
    index = risk.index(inherent, facts, now)
    weighing = sum(not risk.forgotten(fact, now) for fact in facts)
    return PlantRisk(plant, inherent, index, bands.of(plant.id, index), weighing, tuple(machines))


def regions(plants: Iterable[PlantRisk], band: Callable[[str, float], Colour]) -> list[RegionRisk]:
    """Every region these plants lie in, the largest first."""
    indices: dict[str, list[float]] = {}
    for one in plants:
        for digits in REGIONS:
            if len(one.plant.region) >= digits:
                indices.setdefault(one.plant.region[:digits], []).append(one.index)
    found = []
    for region, of in sorted(indices.items(), key=lambda item: (len(item[0]), item[0])):
        index = risk.region_index(of)
        found.append(RegionRisk(region, index, band(region, index), len(of)))
    return found

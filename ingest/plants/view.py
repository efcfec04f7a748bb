"""The present state of plants: which values can be trusted, and which equipment is in production.

The one place that decides both, from the engine's state, for warnings, alarm display, casework and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from ingest.domain.model.flags import UNUSABLE
from ingest.domain.model.plant import Gate, Point
from ingest.plants.configuration import PlantConfiguration


@dataclass(frozen=True, slots=True)
class Latest:
    """A point's newest live reading.

    Attributes:
        time: device time, ns; 0 = never received.
        value: None if it is not a number.
        stale: silent for longer than its allowed silence.
        resuming: stale only because the service was down: it has not been receiving for that long yet.
    """

    time: int
    value: float | None
    flags: int
    stale: bool
    resuming: bool = False

    @property
    def trusted(self) -> float | None:
        """The value if it can be trusted now; None if it is stale, bad or missing."""
        return None if self.stale else self.usable

    @property
    def usable(self) -> float | None:
        """The value if it could be trusted when it came."""
        if self.time == 0 or self.flags & UNUSABLE or self.value is None:
            return None
        return self.value if self.value == self.value else None


NEVER: Latest = Latest(0, None, 0, stale=True)
"""The state of a point that was never received."""


class Running(Enum):
    """Whether an equipment is in production."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"  # the point that reports it is bad, stale or missing


class PlantView:
    """A view of one configuration's plants at one moment."""

    def __init__(self, configuration: PlantConfiguration, latest: Callable[[int], Latest]) -> None:
        """`latest` returns the newest reading of a point by its configuration index."""
        self._configuration = configuration
        self._latest = latest

    def gate(self, plant: str, equipment: str | None) -> Gate | None:
        """Return the gate that decides whether that equipment runs; None: it is always taken to run."""
        known = self._configuration.plants.get(plant)
        machines = known.equipment if known is not None else ()
        return next((machine.running for machine in machines if machine.id == equipment), None)

    def running(self, plant: str, equipment: str | None) -> Running:
        """Whether that equipment is in production.

        Right after a start of the service the value from before counts until its point is silent for its own time: a
        stopped machine does not begin to run because the service was down.
        """
        gate = self.gate(plant, equipment)
        if gate is None:
            return Running.YES
        point = self._configuration.find(plant, gate.point)
        latest = self._latest(point.index) if point is not None else NEVER
        value = latest.usable if not latest.stale or latest.resuming else None
        if value is None:
            return Running.UNKNOWN
        return Running.YES if gate.holds(value) else Running.NO

    def in_production(self, plant: str, equipment: str | None) -> bool:
        """Whether it must be taken to run: unknown is not stopped, so that cutting a wire disables no rule."""
        return self.running(plant, equipment) is not Running.NO

    def runs(self, point: Point) -> bool:
        """Whether the equipment of that point must be taken to run."""
        return self.in_production(point.plant, point.equipment)

    def stopped(self, plants: Iterable[str]) -> dict[tuple[str, str], str]:
        """Return equipment known not to be in production, by plant and id, with the point that reports so."""
        found = {}
        for key in plants:
            plant = self._configuration.plants.get(key)
            for equipment in plant.equipment if plant is not None else ():
                if equipment.running is not None and self.running(key, equipment.id) is Running.NO:
                    found[key, equipment.id] = equipment.running.point
        return found

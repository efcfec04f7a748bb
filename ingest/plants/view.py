"""The present state of plants: which values can be trusted, which equipment is in production, and in which phase.

The one place that decides all three, from the engine's state, for warnings, alarm display, automations and the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import numpy as np

from detectors import compile_expression
from ingest.domain.model.device_status import DeviceStatus, device_status
from ingest.domain.model.equipment_state import UNTOLD, EquipmentState, Running
from ingest.domain.model.flags import unusable
from ingest.domain.model.plant import UNKNOWN_PHASE, Gate, Phase, Point
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
    def status(self) -> DeviceStatus | None:
        """The status of the instrument; None: it is not known, since nothing was received for too long."""
        return None if self.stale else device_status(self.flags)

    @property
    def usable(self) -> float | None:
        """The value if it could be trusted when it came."""
        if self.time == 0 or unusable(self.flags) or self.value is None:
            return None
        return self.value if self.value == self.value else None


NEVER: Latest = Latest(0, None, 0, stale=True)
"""The state of a point that was never received."""


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
        value = self._shown(plant, gate.point)
        if value is None:
            return Running.UNKNOWN
        return Running.YES if gate.holds(value) else Running.NO

    def phase(self, plant: str, equipment: str | None) -> Phase | None:
        """Return its phase; where nothing tells it, unknown, and critical if one of them is; None: it has none.

        Never guessed: a point that is bad, stale or missing leaves it unknown, unless the others decide alone.
        """
        phases = self._phases(plant, equipment)
        if not phases:
            return None
        for phase in reversed(phases[1:]):
            holds = self._holds(plant, phase)
            if holds is None:
                return replace(UNKNOWN_PHASE, critical=any(each.critical for each in phases))
            if holds:
                return phase
        return phases[0]

    def state(self, plant: str, equipment: str | None) -> EquipmentState:
        """Return both: what warnings, display, automations and the API ask for."""
        return EquipmentState(self.running(plant, equipment), self.phase(plant, equipment))

    def state_of(self, point: Point | None) -> EquipmentState:
        """Return the state of a point's equipment; None: the point is not configured any more."""
        return self.state(point.plant, point.equipment) if point is not None else UNTOLD

    def witnesses(self, plant: str, equipment: str) -> tuple[str, ...]:
        """Return the points that show the state of an equipment; none if it always runs and has no phases."""
        gate = self.gate(plant, equipment)
        by = [gate.point] if gate is not None else []
        return tuple(dict.fromkeys([*by, *(name for phase in self._phases(plant, equipment) for name in phase.points)]))

    def bypassed(self, interlock: Point) -> bool | None:
        """Whether that point shows its interlock as bypassed; None: it is bad, stale or missing, so nobody knows."""
        value = self._shown(interlock.plant, interlock.id)
        return None if value is None else value > 0

    def stopped(self, plants: Iterable[str]) -> dict[tuple[str, str], str]:
        """Return equipment known not to be in production, by plant and id, with the point that reports so."""
        found = {}
        for key in plants:
            plant = self._configuration.plants.get(key)
            for equipment in plant.equipment if plant is not None else ():
                if equipment.running is not None and self.running(key, equipment.id) is Running.NO:
                    found[key, equipment.id] = equipment.running.point
        return found

    def _phases(self, plant: str, equipment: str | None) -> tuple[Phase, ...]:
        known = self._configuration.plants.get(plant)
        machines = known.equipment if known is not None else ()
        return next((machine.phases for machine in machines if machine.id == equipment), ())

    def _holds(self, plant: str, phase: Phase) -> bool | None:
        """Whether the condition of a phase holds; None: not known (Kleene's logic, as gates have it)."""
        shown = (self._shown(plant, point) for point in phase.points)
        values = [np.array([np.nan if value is None else value]) for value in shown]
        truth = float(_compiled(phase.when).evaluate(values)[0])
        return None if np.isnan(truth) else truth > 0

    def _shown(self, plant: str, point: str) -> float | None:
        """Return what a point shows of its equipment; None: it is bad, stale or missing."""
        found = self._configuration.find(plant, point)
        latest = self._latest(found.index) if found is not None else NEVER
        return latest.usable if not latest.stale or latest.resuming else None


_compiled: Final = lru_cache(256)(compile_expression)

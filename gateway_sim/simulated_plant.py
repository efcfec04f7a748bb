"""A plant as its gateways see it: the physics, and instruments that may stick or die."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_sim.faults import Fault, Where
from gateway_sim.physics import PHYSICS
from gateway_sim.sites import Site


class SimulatedPlant:
    """Physics and channels of one plant, reproducible by seed; no clock, no network."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self._physics = PHYSICS[site.kind](seed)
        self._last: dict[str, float] = {}

    def sample(self, dt_s: float, faults: Iterable[Fault] = ()) -> dict[str, float]:
        """One value a point after `dt_s` seconds under those of the faults that are this plant's.

        A stuck instrument repeats itself; a dead one is not among the points.
        """
        ours = [fault for fault in faults if fault.plant == self.site.plant]
        row = self._physics.advance(dt_s, {fault.id for fault in ours if fault.where is Where.PROCESS})
        for fault in ours:
            if fault.where is Where.STUCK:
                row |= {point: self._last[point] for point in fault.points if point in self._last}
        self._last = row
        dead = {point for fault in ours if fault.where is Where.DEAD for point in fault.points}
        return {point: value for point, value in row.items() if point not in dead}

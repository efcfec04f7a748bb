"""A plant as its gateways see it: the physics, and instruments that may stick, die, lie or fall asleep."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway_sim.faults import Fault, Where
from gateway_sim.physics import PHYSICS
from gateway_sim.physics.signals import DECIMALS, Physics
from gateway_sim.sites import Site

SMOOTHED_TAU_S: Final = 60.0


class SimulatedPlant:
    """Physics and channels of one plant, reproducible by seed; no clock, no network."""

    def __init__(self, site: Site, seed: int, physics: Physics | None = None) -> None:
        """`physics` replaces the usual one of the plant's kind."""
        self.site = site
        self._physics = physics or PHYSICS[site.kind](seed)
        self._rng = random.Random(seed)
        self._last: dict[str, float] = {}
        self._followed: dict[str, float] = {}  # what smoothed instruments have come to, unrounded

    @property
    def points(self) -> tuple[str, ...]:
        """Its points in the order in which `run` tells them."""
        return self._physics.points

    def sample(self, dt_s: float, faults: Iterable[Fault] = ()) -> dict[str, float]:
        """One value a point after `dt_s` seconds under those of the faults that are this plant's.

        A dead instrument is not among the points.
        """
        ours = [fault for fault in faults if fault.plant == self.site.plant]
        row = self._physics.advance(dt_s, {fault.id for fault in ours if fault.where is Where.PROCESS})
        followed = self._followed
        self._followed = {}
        for fault in ours:
            row |= self._instrument(fault, row, dt_s, followed)
        self._last = row
        dead = {point for fault in ours if fault.where is Where.DEAD for point in fault.points}
        return {point: value for point, value in row.items() if point not in dead}

    def run(self, steps: int, dt_s: float) -> NDArray[np.float64]:
        """`steps` samples of healthy running at once: float64[steps, points], in the order of `points`."""
        return self._physics.run(steps, dt_s)

    def _instrument(
        self, fault: Fault, row: Mapping[str, float], dt_s: float, followed: Mapping[str, float]
    ) -> dict[str, float]:
        """What the instruments of a fault show instead of their measurement."""
        match fault.where:
            case Where.STUCK:
                return {point: self._last[point] for point in fault.points if point in self._last}
            case Where.SHOWS if fault.shows is not None:
                shown, spread = fault.shows.value, fault.shows.spread
                return {point: round(self._rng.gauss(shown, spread), DECIMALS) for point in fault.points}
            case Where.SMOOTHED:
                keep = math.exp(-dt_s / SMOOTHED_TAU_S)
                for point in fault.points:
                    before = followed.get(point, self._last.get(point, row[point]))
                    self._followed[point] = row[point] + keep * (before - row[point])
                return {point: round(self._followed[point], DECIMALS) for point in fault.points}
            case _:
                return {}

"""A converter's water-cooled lance: its water, the heats, and a tip that burns through.

The numbers are those of a made-up converter; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

FLOW: Final = 200.0  # m3/h
WATER_MPA: Final = 1.4
WATER_IN_T: Final = 28.0
HEAT_S: Final = 2400.0
BLOW_S: Final = 960.0
BLOWING_K: Final = 10.0
IDLE_K: Final = 5.0
GROWTH_M3H_S: Final = 0.1  # of the leak

_NOISE: Final = {
    "FLOW_IN-01": Noise(0.8, 0.4, 30),
    "FLOW_OUT-01": Noise(0.8, 0.4, 30),
    "DFLOW-01": Noise(0.3, 0.25, 30, low=-50.0),
    "OUT_T-01": Noise(0.15, 0.15, 60),
    "DT-01": Noise(0.15, 0.15, 60),
    "WATER_P-01": Noise(0.004, 0.002, 30),
}


class Lance(Plant):
    """One lance. Accidents it knows: `typical-lance-leak` (the tip burns through and water runs into the vessel)."""

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, (), seed)
        self._pumps = Wander(0.008, 60.0, self.rng)  # of the pressure
        self._leak = 0.0
        self._power = BLOWING_K

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        pressure = 1.0 + self._pumps.advance(dt_s)
        self._leak = self._leak + GROWTH_M3H_S * dt_s if "typical-lance-leak" in faults else 0.0
        inlet = FLOW * math.sqrt(pressure) + 0.3 * self._leak  # a leak is a shorter way
        outlet = inlet - self._leak
        self._power = lag(self._power, BLOWING_K if self._time % HEAT_S < BLOW_S else IDLE_K, dt_s, 90.0)
        warming = self._power * FLOW / outlet
        return [
            inlet,
            outlet,
            self._leak,
            WATER_IN_T + 2.0 * warmth(self._time) + warming,
            warming,
            WATER_MPA * pressure - 0.002 * self._leak,
        ]

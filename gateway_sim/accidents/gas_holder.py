"""A dry gas holder: its piston moves with what comes in and goes out, until it sticks.

The numbers are those of a made-up holder; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

STROKE_M: Final = 24.0
SET_PERCENT: Final = 60.0
SWING_M_MIN: Final = 0.5  # by which the heats of the converters move the piston
HEAT_S: Final = 2400.0
KPA: Final = 8.0  # under the free piston
STUCK_M_MIN: Final = 0.7  # what goes on coming in
STUCK_KPA_S: Final = 0.006  # by which it presses under a piston that does not move
CREEP: Final = 0.25  # share by which the free side still moves
TILT_MM: Final = 30.0  # of a healthy piston
TILT_MM_S: Final = 0.5

_NOISE: Final = {
    "GH_LEVEL-01": Noise(0.1, 0.05, 60),
    "GH_LEVEL-02": Noise(0.1, 0.05, 60),
    "GH_RATE-01": Noise(0.06, 0.04, 20, low=-5.0),
    "GH_P-01": Noise(0.02, 0.02, 60),
    "GH_TILT-01": Noise(0.6, 1.5, 120),
    "GAS_O2-01": Noise(0.015, 0.02, 200),
    "CO-01": Noise(0.5, 0.4, 120),
}


class GasHolder(Plant):
    """One holder. Accidents it knows: `typical-gas-holder` (the piston sticks and tilts, gas goes on coming in)."""

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, (), seed)
        self._level = SET_PERCENT
        self._rate = self._pressed = 0.0
        self._tilt = TILT_MM
        self._air = Wander(0.25, 900.0, self.rng)
        self._phase = self.rng.uniform(0.0, HEAT_S)

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        sticks = "typical-gas-holder" in faults
        swing = SWING_M_MIN * math.sin(2.0 * math.pi * (self._time + self._phase) / HEAT_S)
        back = 0.02 * (SET_PERCENT - self._level)
        self._rate = lag(self._rate, CREEP * STUCK_M_MIN if sticks else swing + back, dt_s, 10.0)
        self._level += self._rate / 60.0 * dt_s / STROKE_M * 100.0
        if sticks:
            self._pressed += STUCK_KPA_S * dt_s
            self._tilt += TILT_MM_S * dt_s
        return [
            self._level,
            self._level,
            self._rate,
            KPA + 0.04 * self._rate + self._pressed,
            self._tilt + 4.0 * abs(self._rate) + 2.0 * warmth(self._time),
            0.3,
            3.5 * math.exp(self._air.advance(dt_s)),
        ]

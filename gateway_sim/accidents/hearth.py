"""A blast furnace's hearth: thermocouples in its bricks, the heat its staves take away, a cable that burns.

The numbers are those of a made-up furnace; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

BRICK_T: Final = (420.0, 405.0, 395.0, 410.0)  # of each side; the first two are those of the east taphole
TAP_S: Final = 5400.0  # from one tap to the next, by turns of the two tapholes
TAP_K: Final = 12.0  # by which a tap warms its side
BURNOUT_T: Final = 1263.0  # what a transmitter shows without its thermocouple: 21 mA of 0 to 1200
STAVE_HEAT: Final = 6.0  # kW/m2 that the staves of the hearth take away
STAVE_TAU_S: Final = 1800.0
FLOW: Final = 1200.0  # m3/h
THINNING: Final = (4.0, 8.0)  # kW/m2 more by the end of the 16 h of one-sided taps, by seed
THINNING_S: Final = 57_600.0

_NOISE: Final = {
    **{f"HEARTH_T-{side:02}": Noise(0.5, 2.0, 900) for side in (1, 2, 3, 4)},
    "HEAT-01": Noise(0.08, 0.12, 600),
    "HEAT-02": Noise(0.08, 0.12, 600),
    "FLOW-01": Noise(2.0, 3.0, 120),
}


class Hearth(Plant):
    """One hearth. Accidents it knows: `yingkou-2023` (the cable of the thermocouples burns, taps go on at one side)."""

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, (), seed)
        self._pumps = Wander(0.004, 300.0, self.rng)
        self._taps = [0.0] * len(BRICK_T)
        self._heat = [STAVE_HEAT, STAVE_HEAT]
        self._worn = self.rng.uniform(*THINNING)
        self._since_s = 0.0
        self._phase_s = self.rng.uniform(0.0, 2.0 * TAP_S)

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        burnt = "yingkou-2023" in faults
        self._since_s = self._since_s + dt_s if burnt else 0.0
        east = burnt or (self._time + self._phase_s) % (2.0 * TAP_S) < TAP_S
        for side in range(len(BRICK_T)):
            self._taps[side] = lag(self._taps[side], TAP_K if (side < 2) == east else 0.0, dt_s, 1800.0)
        # Thinner bricks let more heat through, and the thinner they are the faster they go.
        worn = self._worn * math.expm1(3.0 * self._since_s / THINNING_S) / math.expm1(3.0)
        for place, more in enumerate((worn, 0.0)):
            target = STAVE_HEAT + 0.2 * warmth(self._time) + more
            self._heat[place] = lag(self._heat[place], target, dt_s, STAVE_TAU_S)
        bricks = [BURNOUT_T if burnt else brick + tap for brick, tap in zip(BRICK_T, self._taps, strict=True)]
        return [*bricks, *self._heat, FLOW * (1.0 + self._pumps.advance(dt_s))]

"""A platform where gas mains meet: CO heads at three places, people who come on their rounds, a leak.

The numbers are those of a made-up works; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

ROUND_EVERY_S: Final = 7200.0
ROUND_S: Final = 600.0
ROUND_PEOPLE: Final = 2.0
CREW: Final = 6.0
BACKGROUND: Final = (4.0, 3.5, 3.0)  # ppm at the valves, on the next platform, in the control room
LEAK: Final = (600.0, 220.0, 45.0)  # ppm the leak adds in the end, by distance
LEAK_TAU_S: Final = (40.0, 70.0, 180.0)
LEAK_OPENS_S: Final = 60.0
MAIN_KPA: Final = 11.0
LOSS_KPA: Final = 0.25  # of the main's pressure through the leak

_CO: Final = Noise(0.5, 0.4, 120)
_NOISE: Final = {
    "CO-01": _CO,
    "CO-02": _CO,
    "CO-03": _CO,
    "MAIN_P-01": Noise(0.03, 0.05, 120),
    "O2-01": Noise(0.04, 0.05, 300),
}


class GasArea(Plant):
    """One area. Accidents it knows: `xingtai-2021` (gas is let into a new main, which leaks among the crew)."""

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, ("PEOPLE-01",), seed)
        self._air = Wander(0.25, 900.0, self.rng)  # how well the place is aired, as a logarithm
        self._open = 0.0
        self._added = [0.0] * len(LEAK)
        self._wind = self.rng.uniform(0.5, 1.2)

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        leaks = "xingtai-2021" in faults
        aired = math.exp(self._air.advance(dt_s))
        self._open = min(self._open + dt_s / LEAK_OPENS_S, 1.0) if leaks else 0.0
        for place, most in enumerate(LEAK):
            self._added[place] = lag(self._added[place], self._open * self._wind * most, dt_s, LEAK_TAU_S[place])
        rounds = ROUND_PEOPLE if self._time % ROUND_EVERY_S < ROUND_S else 0.0
        return [
            *(background * aired + added for background, added in zip(BACKGROUND, self._added, strict=True)),
            MAIN_KPA + 0.2 * warmth(self._time) - LOSS_KPA * self._open,
            20.8,
            CREW if leaks else rounds,
        ]

"""Dust collection: a dry collector that loads and is pulse-cleaned, and a wet one with its water.

The numbers are those of made-up collectors; they are nobody's regulation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from gateway_sim.physics.signals import Channels, Noise, lag

CLEAN_PA: Final = 780.0  # over freshly cleaned bags
PULSE_AT_PA: Final = 1120.0  # the cleaning starts here
LOADING_PA_S: Final = 3.5
BLOCKED_PA: Final = 2200.0
TORN_PA: Final = 110.0
DUCT_V: Final = 26.5  # m/s at CLEAN_PA
PULSE_P: Final = 0.48  # MPa
HOPPER_T: Final = 37.0
SMOULDER_K_S: Final = 4.0
SMOULDER_T: Final = 96.0
WET_FULL_M: Final = 1.42
WET_REFILL_M: Final = 1.33
WET_LOSS_M_S: Final = 0.0002
WET_FLOW: Final = 20.6  # m3/h

_NOISE: Final = {
    "HOPPER_T-01": Noise(0.12, 0.6, 300, low=-20.0),
    "DP-01": Noise(9.0, 6.0, 15),
    "IN_T-01": Noise(0.15, 0.6, 200),
    "OUT_T-01": Noise(0.15, 0.5, 200),
    "DUCT_V-01": Noise(0.3, 0.12, 20),
    "PULSE_P-01": Noise(0.004, 0.003, 60),
    "WET_LVL-01": Noise(0.004, 0.002, 60),
    "WET_FLOW-01": Noise(0.15, 0.12, 30),
    "H2-01": Noise(0.25, 0.4, 300),
    "CONC-01": Noise(0.3, 0.5, 120),
}
_HEALTHY: Final = {"FAN-01": 1.0, "FAN-02": 1.0, "PROC-01": 1.0, "LOCK-01": 0.0, "SPARK-01": 0.0, "VENT-01": 0.0}


class DustCollectors:
    """Two collectors. Faults it knows: `hopper-smouldering`, `filter-blocked`, `filter-torn`."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._channels = Channels(_NOISE, self._rng)
        self.points = (*self._channels.names, *_HEALTHY)
        self._cake = 0.3 * (PULSE_AT_PA - CLEAN_PA)  # Pa the dust on the bags costs
        self._dp = CLEAN_PA + self._cake
        self._air = PULSE_P
        self._hopper = HOPPER_T
        self._wet = WET_FULL_M
        self._refilling = False

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""
        self._load_and_pulse(dt_s)
        self._dp = lag(self._dp, self._bag_resistance(faults), dt_s, 1.5)
        if "hopper-smouldering" in faults:
            self._hopper = min(self._hopper + SMOULDER_K_S * dt_s, SMOULDER_T)
        else:
            self._hopper = lag(self._hopper, HOPPER_T, dt_s, 4.0)
        self._keep_water(dt_s)
        truth = {
            "HOPPER_T-01": self._hopper,
            "DP-01": self._dp,
            "IN_T-01": 33.0,
            "OUT_T-01": 31.5,
            "DUCT_V-01": DUCT_V - 0.0035 * (self._dp - CLEAN_PA),  # the fan's curve, straightened
            "PULSE_P-01": self._air,
            "WET_LVL-01": self._wet,
            "WET_FLOW-01": WET_FLOW,
            "H2-01": 2.0,
            "CONC-01": 3.5,
        }
        return self._channels.measure(truth, dt_s) | _HEALTHY

    def _load_and_pulse(self, dt_s: float) -> None:
        """The sawtooth: dust builds up, a row of bags is blown clean, the compressed air dips."""
        self._air = lag(self._air, PULSE_P, dt_s, 3.0)
        self._cake += LOADING_PA_S * dt_s * float(self._rng.uniform(0.7, 1.3))
        if CLEAN_PA + self._cake >= PULSE_AT_PA:
            self._cake *= float(self._rng.uniform(0.05, 0.2))
            self._air -= 0.05

    def _bag_resistance(self, faults: Collection[str]) -> float:
        if "filter-blocked" in faults:
            return BLOCKED_PA
        if "filter-torn" in faults:
            return TORN_PA
        return CLEAN_PA + self._cake

    def _keep_water(self, dt_s: float) -> None:
        """Evaporation lowers the tank; a float valve fills it again."""
        self._refilling = self._wet < WET_FULL_M if self._refilling else self._wet < WET_REFILL_M
        self._wet += (0.002 if self._refilling else -WET_LOSS_M_S) * dt_s

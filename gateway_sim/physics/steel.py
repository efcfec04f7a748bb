"""Steel: a furnace's cooling water, a gas holder between production and consumption, CO around both, a furnace top.

The numbers are those of a made-up works; they are nobody's regulation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np

from gateway_sim.physics.signals import Channels, Noise, lag

WATER_FLOW: Final = 420.0  # m3/h into the wall panels
WATER_IN_T: Final = 30.0
WATER_P: Final = 0.45
PANEL_HEAT: Final = 9.0 * WATER_FLOW  # K times m3/h
LEAK_FLOW: Final = 16.0  # m3/h through a cracked jacket
STROKE_M: Final = 24.0  # of the gas holder's piston
HOLDER_SET: Final = 62.0  # %
DRAIN_M_MIN: Final = -4.4
CO_POINTS: Final = ("CO-01", "CO-02", "CO-03", "CO-04")
CO_BACKGROUND: Final = np.array([5.0, 4.0, 4.5, 3.5])  # ppm
CO_LEAK: Final = np.array([420.0, 190.0, 1.0, 0.5])  # ppm a leak at the furnace platform adds, by distance
CO_TAU_S: Final = np.array([2.0, 3.0, 15.0, 20.0])

_CO: Final = Noise(0.5, 0.6, 120)
_NOISE: Final = {
    "CW_OUT_T-01": Noise(0.15, 0.2, 60),
    "CW_DT-01": Noise(0.15, 0.2, 60),
    "CW_DFLOW-01": Noise(0.3, 0.25, 30, low=-50.0),
    "CW_FLOW-01": Noise(1.5, 1.5, 30),
    "CW_P-01": Noise(0.003, 0.002, 30),
    "O2-01": Noise(0.04, 0.05, 300),
    **dict.fromkeys(CO_POINTS, _CO),
    "GH_LEVEL-01": Noise(0.12, 0.05, 60),
    "GH_RATE-01": Noise(0.08, 0.05, 20, low=-5.0),
    "GH_P-01": Noise(0.03, 0.03, 60),
    "GAS_O2-01": Noise(0.015, 0.02, 200),
    "TOP_P-01": Noise(1.6, 1.2, 60),
    "TOP_T-01": Noise(1.5, 6.0, 300),
}


class SteelWorks:
    """A small works. Faults it knows: `co-leak`, `cooling-jacket-leak`, `gas-holder-drain`."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._channels = Channels(_NOISE, self._rng)
        self.points = self._channels.names
        self._time = 0.0
        self._leak = 0.0
        self._warming = 9.0
        self._holder = HOLDER_SET
        self._rate = 0.0
        self._imbalance = 0.0
        self._co = CO_BACKGROUND.copy()

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""
        self._time += dt_s
        self._leak = lag(self._leak, LEAK_FLOW if "cooling-jacket-leak" in faults else 0.0, dt_s, 1.5)
        # Melting and tapping: the heat to the panels follows the furnace's hour.
        power = 1.0 + 0.15 * np.sin(2 * np.pi * self._time / 3000.0)
        self._warming = lag(self._warming, PANEL_HEAT * power / (WATER_FLOW - self._leak), dt_s, 8.0)
        self._move_holder(dt_s, drained="gas-holder-drain" in faults)
        leaked = CO_LEAK if "co-leak" in faults else 0.0
        self._co += (CO_BACKGROUND + leaked - self._co) * -np.expm1(-dt_s / CO_TAU_S)
        truth = {
            "CW_OUT_T-01": WATER_IN_T + self._warming,
            "CW_DT-01": self._warming,
            "CW_DFLOW-01": self._leak,
            "CW_FLOW-01": WATER_FLOW,
            "CW_P-01": WATER_P,
            "O2-01": 20.8,
            **dict(zip(CO_POINTS, self._co.tolist(), strict=True)),
            "GH_LEVEL-01": self._holder,
            "GH_RATE-01": self._rate,
            "GH_P-01": 7.9,
            "GAS_O2-01": 0.3,
            "TOP_P-01": 182.0,
            "TOP_T-01": 180.0,
        }
        return self._channels.measure(truth, dt_s)

    def _move_holder(self, dt_s: float, *, drained: bool) -> None:
        """The piston moves with what is produced less what is consumed, and the dispatcher steers to the set-point."""
        self._imbalance = lag(self._imbalance, float(self._rng.normal(0.0, 0.6)), dt_s, 40.0)
        steering = float(np.clip(0.04 * (HOLDER_SET - self._holder), -1.0, 1.0))
        target = DRAIN_M_MIN if drained else self._imbalance + steering
        self._rate = lag(self._rate, target, dt_s, 1.5)
        self._holder = float(np.clip(self._holder + self._rate / 60.0 * dt_s / STROKE_M * 100.0, 0.0, 100.0))

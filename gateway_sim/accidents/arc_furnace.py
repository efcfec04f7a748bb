"""An electric arc furnace: its heats, the water of its panels and roof, hydrogen in its off-gas, a panel that leaks.

The numbers are those of a made-up furnace of 150 t; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag

CHARGE_S: Final = 240.0  # roof open, power off
MELT_S: Final = 1140.0  # each of two buckets
REFINE_S: Final = 600.0  # flat bath, to the temperature of tapping
TAP_S: Final = 360.0
HEAT_S: Final = 2.0 * (CHARGE_S + MELT_S) + REFINE_S + TAP_S
HEAT_MWH: Final = 60.0

FLOW: Final = 600.0  # m3/h into the panels of the shell
WATER_MPA: Final = 0.55
WATER_IN_T: Final = 30.0
SHELL_K: Final = {"charge": 2.0, "melt": 7.0, "refine": 9.0, "tap": 5.0}
ROOF_K: Final = {"charge": 1.0, "melt": 8.0, "refine": 11.0, "tap": 4.0}
WARM_TAU_S: Final = 120.0

HYDROGEN: Final = {"charge": 0.3, "melt": 4.0, "refine": 1.5, "tap": 0.5}  # %vol of the off-gas
OIL: Final = 3.5  # %vol that a fresh bucket adds while its oil burns off
OIL_S: Final = 150.0
GAS_TAU_S: Final = 25.0  # of the way to the analyser

LEAK: Final = (6.0, 15.0)  # m3/h through the hole that the arc burnt
LEAK_OPENS_S: Final = 60.0
REDUCED: Final = (0.6, 1.4)  # %vol of hydrogen by m3/h of water; most of it lies on the slag

_NOISE: Final = {
    "FLOW_OUT-01": Noise(1.5, 0.6, 30),
    "DFLOW-01": Noise(0.4, 0.35, 30, low=-50.0),
    "SHELL_T-01": Noise(0.15, 0.2, 60),
    "SHELL_DT-01": Noise(0.15, 0.15, 60),
    "ROOF_T-01": Noise(0.15, 0.2, 60),
    "WATER_P-01": Noise(0.002, 0.001, 30),
    "H2-01": Noise(0.08, 0.25, 60),
}


class ArcFurnace(Plant):
    """One furnace, heat after heat, from the charging of the first.

    Accidents it knows: `isg-plate-2007` (the arc burns through a panel; the taphole is blocked, so the heat stays).
    """

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, ("ENERGY-01",), seed)
        self._pumps = Wander(0.006, 60.0, self.rng)  # of the pressure
        self._scrap = Wander(0.25, 400.0, self.rng)  # how oily and wet it is, as a logarithm
        self._most = self.rng.uniform(*LEAK)
        self._reduced = self.rng.uniform(*REDUCED)
        self._leak = self._hydrogen = self._energy = 0.0
        self._shell, self._roof = SHELL_K["charge"], ROOF_K["charge"]
        self._heat_s = 0.0

    def _phase(self) -> str:
        """What goes on `_heat_s` seconds into the heat."""
        begin = 0.0
        for phase, lasts_s in (("charge", CHARGE_S), ("melt", MELT_S)) * 2:
            begin += lasts_s
            if self._heat_s < begin:
                return phase
        return "refine" if self._heat_s < begin + REFINE_S else "tap"

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        burnt = "isg-plate-2007" in faults
        self._heat_s += dt_s
        blocked = burnt and self._phase() == "tap"
        if blocked:
            self._heat_s -= dt_s  # it cannot be tapped: nothing goes on
        elif self._heat_s >= HEAT_S:
            self._heat_s = self._energy = 0.0
        phase = self._phase()
        powered = phase in {"melt", "refine"} and not blocked
        self._energy += HEAT_MWH * dt_s / (2.0 * MELT_S + REFINE_S) if powered else 0.0
        self._leak = min(self._leak + self._most * dt_s / LEAK_OPENS_S, self._most) if burnt else 0.0
        pressure = 1.0 + self._pumps.advance(dt_s)
        inlet = FLOW * math.sqrt(pressure) + 0.3 * self._leak  # a leak is a shorter way
        outlet = inlet - self._leak
        self._shell = lag(self._shell, SHELL_K[phase], dt_s, WARM_TAU_S)
        self._roof = lag(self._roof, ROOF_K[phase], dt_s, WARM_TAU_S)
        warming = self._shell * FLOW / outlet
        return [
            outlet,
            self._leak,
            WATER_IN_T + warming,
            warming,
            WATER_IN_T + self._roof,
            WATER_MPA * pressure - 0.0002 * self._leak,
            self._gas(dt_s, phase),
            round(self._energy, 2),
        ]

    def _gas(self, dt_s: float, phase: str) -> float:
        """Hydrogen at the analyser, %vol."""
        scrap = math.exp(self._scrap.advance(dt_s))
        since_charge = self._heat_s % (CHARGE_S + MELT_S) - CHARGE_S
        oil = OIL * math.exp(-since_charge / OIL_S) if phase == "melt" else 0.0
        made = (HYDROGEN[phase] + oil) * scrap + self._reduced * self._leak
        self._hydrogen = lag(self._hydrogen, made, dt_s, GAS_TAU_S)
        return self._hydrogen

"""Steel: a furnace's cooling water, a gas holder between production and consumption, CO around both, a furnace top.

The numbers are those of a made-up works; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

HEAT_S: Final = 3000.0  # from tap to tap
MELT_S: Final = 2400.0  # power on; then tapping and charging
WATER_FLOW: Final = 420.0  # m3/h into the wall panels
WATER_IN_T: Final = 30.0
WATER_P: Final = 0.45
PANEL_HEAT: Final = 9.0 * WATER_FLOW  # K times m3/h
LEAK_FLOW: Final = 16.0  # m3/h through a cracked jacket of the wall
SEEP_GROWTH: Final = 0.05  # m3/h every second through a seeping one of the roof
STROKE_M: Final = 24.0  # of the gas holder's piston
HOLDER_SET: Final = 62.0  # %
HOLDER_SWING: Final = 0.3  # m/min the furnaces' hours move the piston by
DRAIN_M_MIN: Final = -4.4
STOVE_S: Final = 2700.0  # from one change of hot blast stoves to the next
STOVE_CHANGE_S: Final = 30.0
STOVE_DIP_KPA: Final = 7.0
CHARGE_S: Final = 360.0  # the top cools with every charge and warms until the next
CHARGE_K: Final = 24.0
CO_POINTS: Final = ("CO-01", "CO-02", "CO-03", "CO-04", "CO-05")
CO_BACKGROUND: Final = (5.0, 4.0, 4.5, 3.5, 4.4)  # ppm
CO_LEAK: Final = (420.0, 190.0, 1.0, 0.5, 4.0)  # ppm a leak at the furnace platform adds, by distance
CO_TAPPING: Final = (6.0, 4.5, 0.2, 0.2, 4.5)  # ppm a heavy tapping adds
CO_TAU_S: Final = (2.0, 3.0, 15.0, 20.0, 6.0)
CO_HALL: Final = {0: 15.0, 1: 15.0, 4: 15.0}  # ppm in a furnace hall that is badly aired, by place in CO_POINTS
SERVICE_CONTACT: Final = "CO-03-MAINT"
SERVICE_S: Final = 10.0  # when the filter of that head asks for service: nobody comes
POISONED: Final = 1  # which of them a poisoned sensor is
POISONED_GAIN: Final = 0.06

_DFLOW: Final = Noise(0.3, 0.25, 30, low=-50.0)
_CO: Final = Noise(0.5, 0.4, 120)
_NOISE: Final = {
    "CW_OUT_T-01": Noise(0.15, 0.15, 60),
    "CW_DT-01": Noise(0.15, 0.15, 60),
    "CW_DFLOW-01": _DFLOW,
    "CW_DFLOW-02": _DFLOW,
    "CW_FLOW-01": Noise(1.5, 0.5, 30),
    "CW_P-01": Noise(0.002, 0.0005, 30),
    "O2-01": Noise(0.04, 0.05, 300),
    **dict.fromkeys(CO_POINTS, _CO),
    "GH_LEVEL-01": Noise(0.12, 0.05, 60),
    "GH_RATE-01": Noise(0.08, 0.05, 20, low=-5.0),
    "GH_P-01": Noise(0.03, 0.03, 60),
    "GAS_O2-01": Noise(0.015, 0.02, 200),
    "TOP_P-01": Noise(1.6, 1.2, 60),
    "TOP_T-01": Noise(1.5, 6.0, 300),
}


class SteelWorks(Plant):
    """A small works.

    Faults it knows: `co-leak`, `cooling-jacket-leak`, `jacket-seep`, `gas-holder-drain`, `co-neighbour`.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, (SERVICE_CONTACT,), seed)
        self._pumps = Wander(0.008, 60.0, self.rng)  # of the pressure
        self._air = Wander(0.2, 900.0, self.rng)  # how well the halls are aired, as a logarithm
        self._tapping = 0.0  # how heavy the present tapping is
        self._power = 1.08
        self._leak = 0.0
        self._seep = 0.0
        self._warming = 9.7
        self._holder = HOLDER_SET
        self._rate = 0.0
        self._imbalance = 0.0
        self._co = list(CO_BACKGROUND)
        self._poisoned = 1.0

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        pressure = WATER_P * (1.0 + self._pumps.advance(dt_s))
        flow = WATER_FLOW * math.sqrt(pressure / WATER_P)
        self._open_jacket(dt_s, faults)
        lost = self._leak + self._seep
        self._melt(dt_s)
        self._warming = lag(self._warming, PANEL_HEAT * self._power / (flow - lost), dt_s, 8.0)
        self._move_holder(dt_s, drained="gas-holder-drain" in faults)
        return [
            WATER_IN_T + 2.0 * warmth(self._time) + self._warming,
            self._warming,
            self._leak,
            self._seep,
            flow + 0.3 * lost,  # a leak is a shorter way: the pumps give a little more, at a little less pressure
            pressure - 0.0004 * lost,
            20.8,
            *self._gas(dt_s, faults),
            self._holder,
            self._rate,
            7.9 + 0.04 * self._rate,
            0.3,
            182.0 - self._stove_dip(),
            180.0 + CHARGE_K * (self._time % CHARGE_S / CHARGE_S - 0.5),
            float(self._time >= SERVICE_S),
        ]

    def _open_jacket(self, dt_s: float, faults: Collection[str]) -> None:
        self._leak = lag(self._leak, LEAK_FLOW if "cooling-jacket-leak" in faults else 0.0, dt_s, 1.5)
        if "jacket-seep" in faults:
            self._seep += SEEP_GROWTH * dt_s
        else:
            self._seep = lag(self._seep, 0.0, dt_s, 1.5)

    def _melt(self, dt_s: float) -> None:
        """The furnace's hour: power while it melts, little while it is tapped, each tapping with more or less smoke."""
        if self._time % HEAT_S < MELT_S:
            self._power, self._tapping = lag(self._power, 1.08, dt_s, 90.0), 0.0
        else:
            self._power = lag(self._power, 0.55, dt_s, 90.0)
            self._tapping = self._tapping or self.rng.uniform(0.2, 1.0)

    def _gas(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """CO at each sensor: the background as the halls are aired, tapping smoke, a leak."""
        aired = math.exp(self._air.advance(dt_s))
        stuffy = "co-neighbour" in faults
        for place, background in enumerate(CO_BACKGROUND):
            target = background * aired + self._tapping * CO_TAPPING[place]
            tau_s = CO_TAU_S[place]
            if "co-leak" in faults:
                target += CO_LEAK[place]
            elif stuffy and place in CO_HALL:
                target, tau_s = CO_HALL[place], 10.0
            self._co[place] = lag(self._co[place], target, dt_s, tau_s)
        self._poisoned = lag(self._poisoned, POISONED_GAIN if stuffy else 1.0, dt_s, 3.0)
        return [co * self._poisoned if place == POISONED else co for place, co in enumerate(self._co)]

    def _stove_dip(self) -> float:
        """How much pressure the blast loses while the stoves change, kPa."""
        into = self._time % STOVE_S
        return STOVE_DIP_KPA * math.sin(math.pi * into / STOVE_CHANGE_S) if into < STOVE_CHANGE_S else 0.0

    def _move_holder(self, dt_s: float, *, drained: bool) -> None:
        """The piston moves with what is produced less what is consumed, and the dispatcher steers to the set-point."""
        self._imbalance = lag(self._imbalance, self.rng.gauss(0.0, 0.6), dt_s, 40.0)
        swing = HOLDER_SWING * math.sin(2 * math.pi * self._time / HEAT_S)
        steering = min(max(0.04 * (HOLDER_SET - self._holder), -1.0), 1.0)
        target = DRAIN_M_MIN if drained else self._imbalance + swing + steering
        self._rate = lag(self._rate, target, dt_s, 1.5)
        self._holder = min(max(self._holder + self._rate / 60.0 * dt_s / STROKE_M * 100.0, 0.0), 100.0)

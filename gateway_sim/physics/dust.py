"""Dust collection: a dry collector that loads and is pulse-cleaned, a wet one with its water, the shifts, and sparks.

The numbers are those of made-up collectors; they are nobody's regulation. What is known of the ordinary sparks of
work, and what is assumed, is said in `gateway_sim.physics.sparks`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, lag, of_day, warmth
from gateway_sim.physics.sparks import SPARKS_A_DAY, OrdinarySparks

SHIFTS: Final = ((6.0 * 3600, 12.0 * 3600), (12.75 * 3600, 22.0 * 3600))  # s since midnight
FAN_LEAD_S: Final = 60.0  # the fans start this long before the work and
FAN_TRAIL_S: Final = 120.0  # stop this long after it
CLEAN_PA: Final = 780.0  # over freshly cleaned bags
PULSE_AT_PA: Final = 1120.0  # the cleaning starts here
LOADING_PA_S: Final = 3.5
BLOCKED_PA: Final = 2200.0
TORN_PA: Final = 110.0
DUCT_V: Final = 26.5  # m/s at CLEAN_PA
SLIPPING: Final = 0.1  # share of the air a fan moves whose belt slips
PULSE_P: Final = 0.48  # MPa
AMBIENT_T: Final = 24.0
AMBIENT_SWING_K: Final = 4.0
HOPPER_K: Final = 13.0  # above ambient, at work
SMOULDER_K_S: Final = 4.0
SMOULDER_T: Final = 96.0
HEATING_K_S: Final = 0.18  # what a slow fire begins with, and
HEATING_K_S2: Final = 0.0011  # how it gathers way
HEATING_T: Final = 74.0
WARM_TAU_S: Final = 900.0
WET_FULL_M: Final = 1.42
WET_REFILL_M: Final = 1.33
WET_LOSS_M_S: Final = 0.0002
WET_FLOW: Final = 20.6  # m3/h
SPARK_EVERY_S: Final = 6.0

_HOPPER: Final = Noise(0.12, 0.6, 300, low=-20.0)
_NOISE: Final = {
    "HOPPER_T-01": _HOPPER,
    "HOPPER_T-02": _HOPPER,
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
_CONTACTS: Final = ("FAN-01", "FAN-02", "PROC-01", "LOCK-01", "SPARK-01", "VENT-01")


def working_at(time_s: float) -> bool:
    """Whether the polishing lines work, `time_s` seconds after the simulation began."""
    now = of_day(time_s)
    return any(begin <= now < end for begin, end in SHIFTS)


def _fans_at(time_s: float) -> bool:
    now = of_day(time_s)
    return any(begin - FAN_LEAD_S <= now < end + FAN_TRAIL_S for begin, end in SHIFTS)


class DustCollectors(Plant):
    """Two collectors, one of them with a spark detector that sees ordinary sparks, `sparks_a_day` in 24 h of work.

    Faults it knows: `hopper-smouldering`, `hopper-heating`, `filter-blocked`, `filter-torn`, `fan-belt`, `spark-burst`.
    """

    def __init__(self, seed: int, sparks_a_day: float = SPARKS_A_DAY) -> None:
        super().__init__(_NOISE, _CONTACTS, seed)
        self._ordinary = OrdinarySparks(seed, sparks_a_day)
        self._cake = 0.3 * (PULSE_AT_PA - CLEAN_PA)  # Pa the dust on the bags costs
        self._resistance = CLEAN_PA + self._cake
        self._spin = 1.0  # share of its air each fan moves
        self._belt = 1.0  # what of it the first fan's belt transmits
        self._air = PULSE_P
        self._warm = 1.0  # 0 cold, 1 as warm as work makes it
        self._hoppers = [AMBIENT_T + AMBIENT_SWING_K * warmth(0.0) + HOPPER_K] * 2
        self._heating_s = 0.0
        self._wet = WET_FULL_M
        self._refilling = False
        self._conc = 3.5
        self._spark_s = 0.0  # until the next one of a burst

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        working, fans = working_at(self._time), _fans_at(self._time)
        self._spin = lag(self._spin, float(fans), dt_s, 4.0)
        self._belt = lag(self._belt, SLIPPING if "fan-belt" in faults else 1.0, dt_s, 2.0)
        self._warm = lag(self._warm, float(working), dt_s, WARM_TAU_S)
        self._conc = lag(self._conc, 3.5 if working else 0.8, dt_s, 60.0)
        moved = self._spin * self._belt
        self._load_and_pulse(dt_s, working=working)
        self._resistance = lag(self._resistance, self._bags(faults), dt_s, 1.5)
        ambient = AMBIENT_T + AMBIENT_SWING_K * warmth(self._time)
        self._heat_hoppers(dt_s, faults, ambient + HOPPER_K * self._warm)
        self._keep_water(dt_s, evaporating=fans)
        ordinary = self._ordinary.advance(dt_s, working=working)
        burst = self._burst(dt_s, burst="spark-burst" in faults)
        return [
            *self._hoppers,
            self._resistance * moved**2,
            ambient + 9.0 * self._warm,
            ambient + 7.5 * self._warm,
            moved * (DUCT_V - 0.0035 * (self._resistance - CLEAN_PA)),  # the fan's curve, straightened
            self._air,
            self._wet,
            WET_FLOW * self._spin,
            2.0,
            self._conc,
            float(fans),
            float(fans),
            float(working),
            0.0,
            float(ordinary or burst),
            0.0,
        ]

    def _load_and_pulse(self, dt_s: float, *, working: bool) -> None:
        """The sawtooth: dust builds up, a row of bags is blown clean, the compressed air dips."""
        self._air = lag(self._air, PULSE_P, dt_s, 3.0)
        if working:
            self._cake += LOADING_PA_S * dt_s * self.rng.uniform(0.7, 1.3)
        if CLEAN_PA + self._cake >= PULSE_AT_PA:
            self._cake *= self.rng.uniform(0.05, 0.2)
            self._air -= 0.05

    def _bags(self, faults: Collection[str]) -> float:
        """What the bags cost, Pa at full air."""
        if "filter-blocked" in faults:
            return BLOCKED_PA
        if "filter-torn" in faults:
            return TORN_PA
        return CLEAN_PA + self._cake

    def _heat_hoppers(self, dt_s: float, faults: Collection[str], healthy: float) -> None:
        """The first hopper catches fire, the second one heats slowly."""
        first, second = self._hoppers
        self._heating_s = self._heating_s + dt_s if "hopper-heating" in faults else 0.0
        if "hopper-smouldering" in faults:
            first = min(first + SMOULDER_K_S * dt_s, SMOULDER_T)
        else:
            first = lag(first, healthy, dt_s, 4.0)
        if self._heating_s:
            rate = HEATING_K_S + HEATING_K_S2 * self._heating_s
            second = min(second + rate * dt_s, HEATING_T)
        else:
            second = lag(second, healthy, dt_s, 4.0)
        self._hoppers = [first, second]

    def _keep_water(self, dt_s: float, *, evaporating: bool) -> None:
        """Evaporation lowers the tank; a float valve fills it again."""
        self._refilling = self._wet < WET_FULL_M if self._refilling else self._wet < WET_REFILL_M
        if self._refilling:
            self._wet += 0.002 * dt_s
        elif evaporating:
            self._wet -= WET_LOSS_M_S * dt_s

    def _burst(self, dt_s: float, *, burst: bool) -> bool:
        """Whether the contact is closed by a burst: for one sample a spark."""
        if not burst:
            self._spark_s = 0.0
            return False
        self._spark_s -= dt_s
        if self._spark_s > 0:
            return False
        self._spark_s = SPARK_EVERY_S
        return True

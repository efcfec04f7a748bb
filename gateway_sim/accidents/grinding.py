"""A grinding hall with a wet collector: what runs, how warm it is, and a fire that was put out and lives on as embers.

The numbers are those of a made-up hall; they are nobody's regulation.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, lag, of_day, warmth
from gateway_sim.physics.sparks import SPARKS_A_DAY, OrdinarySparks

SHIFTS: Final = ((8.0 * 3600, 19.5 * 3600), (20.0 * 3600, 31.0 * 3600))  # s since midnight, the second until 07:00
FAN_LEAD_S: Final = 60.0
FAN_TRAIL_S: Final = 120.0
AMBIENT_T: Final = 18.0
AMBIENT_SWING_K: Final = 3.0
WORK_K: Final = 6.0  # by which work warms the air it sends
WORK_TAU_S: Final = 900.0
WATER_K: Final = -2.0  # of the washed air against what comes in

FIRE_K: Final = 90.0  # of the air drawn in while the fire burns
FIRE_S: Final = 90.0
SPARKS_S: Final = 20.0  # for so long after the flash the detector sees sparks every few seconds
STOP_S: Final = 60.0  # after the flash people stop the machines and
RESTART_S: Final = 900.0  # this long after it they start again
EMBERS_K_S: Final = 0.0045  # by which smouldering warms the inside of the collector; faster
EMBERS_K_S2: Final = 0.8e-6  # the longer it lasts
HYDROGEN: Final = 0.0012  # %LEL a second, of aluminium in warm sludge

WET_LEVEL_M: Final = 1.4
WET_FLOW: Final = 20.0  # m3/h
DP_PA: Final = 1000.0
DUCT_V: Final = 25.8  # m/s

_NOISE: Final = {
    "WET_T-01": Noise(0.15, 0.5, 600, low=-20.0),
    "IN_T-01": Noise(0.15, 0.5, 200),
    "OUT_T-01": Noise(0.15, 0.4, 200),
    "WET_LVL-01": Noise(0.004, 0.003, 300),
    "WET_FLOW-01": Noise(0.12, 0.1, 60),
    "DP-01": Noise(8.0, 8.0, 120),
    "DUCT_V-01": Noise(0.2, 0.1, 60),
    "H2-01": Noise(0.25, 0.4, 300),
}
_CONTACTS: Final = ("FAN-01", "PROC-01", "SPARK-01", "INSPECTED-01")


def _working(time_s: float, lead_s: float = 0.0, trail_s: float = 0.0) -> bool:
    now = of_day(time_s)
    return any(begin - lead_s <= at < end + trail_s for begin, end in SHIFTS for at in (now, now + 86_400.0))


class GrindingHall(Plant):
    """One hall, one wet collector, two shifts, ordinary sparks (`sparks_a_day` in 24 h of work).

    Accidents it knows: `changzhou-dust-2024` (a flash fire is put out, work begins again, embers smoulder on).
    """

    def __init__(self, seed: int, sparks_a_day: float = SPARKS_A_DAY) -> None:
        super().__init__(_NOISE, _CONTACTS, seed)
        self._ordinary = OrdinarySparks(seed, sparks_a_day)
        self._warm = 1.0
        self._fire = 0.0
        self._spin = 1.0
        self._embers_k = self._hydrogen = 0.0
        self._since_s = 0.0  # the flash
        self._restart_s = RESTART_S * self.rng.uniform(0.7, 1.3)

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        burnt = "changzhou-dust-2024" in faults
        self._since_s = self._since_s + dt_s if burnt else 0.0
        since_s = self._since_s
        stopped = burnt and STOP_S <= since_s < self._restart_s
        working = _working(self._time) and not stopped
        fan = _working(self._time, FAN_LEAD_S, FAN_TRAIL_S) and not stopped
        self._warm = lag(self._warm, float(working), dt_s, WORK_TAU_S)
        self._spin = lag(self._spin, float(fan), dt_s, 4.0)
        self._fire = lag(self._fire, FIRE_K if burnt and since_s < FIRE_S else 0.0, dt_s, 15.0)
        if burnt:
            self._embers_k += (EMBERS_K_S + EMBERS_K_S2 * since_s) * dt_s
            self._hydrogen += HYDROGEN * dt_s
        ambient = AMBIENT_T + AMBIENT_SWING_K * warmth(self._time)
        drawn = ambient + WORK_K * self._warm + self._fire * self._spin
        inside = drawn + WATER_K * self._spin - 0.9 * self._fire * self._spin + self._embers_k
        ordinary = self._ordinary.advance(dt_s, working=working)
        sparks = ordinary or (burnt and since_s < SPARKS_S and since_s % 3.0 < 1.0)
        return [
            inside,
            drawn,
            inside - 0.5 * self._embers_k,
            WET_LEVEL_M,
            WET_FLOW * self._spin,
            DP_PA * self._spin**2,
            DUCT_V * self._spin,
            2.0 + self._hydrogen,
            float(fan),
            float(working),
            float(sparks),
            0.0,
        ]

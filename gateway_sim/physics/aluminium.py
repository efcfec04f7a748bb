"""Deep-well casting of aluminium: idle and filling, start-up, steady casting, end; water, metal levels, platform.

The numbers are those of a made-up machine; they are nobody's regulation.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import numpy as np

from gateway_sim.physics.signals import Channels, Noise, lag

CAST_SPEED: Final = 60.0  # mm/min, so one millimetre a second
CAST_S: Final = 6500.0  # a cast is as many millimetres long
IDLE_S: Final = 900.0  # furnace filling, between casts
FIRST_S: Final = 1200.0  # where in its cast the plant stands when the simulation starts
STARTUP_S: Final = 500.0
END_S: Final = 200.0

WATER_P: Final = 0.35  # MPa, inlet
WATER_F: Final = 180.0  # m3/h
IDLE_WATER: Final = 0.45  # share of the full pressure kept between casts
WATER_LEAD_S: Final = 120.0  # full water this long before the platform moves, and this long after it stopped
WATER_IN_T: Final = 26.0
MOULD_HEAT_K: Final = 8.0 * WATER_F  # K times m3/h: the heat the mould gives to the water
FURNACE_LEVEL: Final = 150.0  # mm in the launder at the furnace outlet
MOULD_LEVEL: Final = 120.0  # mm at the inlet of the mould table
METAL_T: Final = 702.0
SURGE: Final = 30.0  # mm/s of metal the level loop cannot hold back
LOOP_GAIN: Final = 0.8  # 1/s
LOOP_INTEGRAL: Final = 0.05  # 1/s2

_NOISE: Final = {
    "CW_IN_P-01": Noise(0.0015, 0.002, 20),
    "CW_IN_F-01": Noise(0.8, 0.8, 20),
    "CW_IN_T-01": Noise(0.08, 0.5, 600),
    "CW_OUT_T-01": Noise(0.12, 0.3, 60),
    "LVL_FURN-01": Noise(0.4, 0.8, 4),
    "LVL_MOLD-01": Noise(0.4, 0.6, 4),
    "CAST_SPEED-01": Noise(0.35, 0.2, 10),
    "METAL_T-01": Noise(0.6, 1.5, 300),
    "PIT_LVL-01": Noise(0.006, 0.02, 300),
    "EMG_LVL-01": Noise(0.15, 0.4, 300),
}


class Phase(StrEnum):
    """Where a machine stands in its cycle."""

    IDLE = "idle"
    STARTUP = "startup"
    STEADY = "steady"
    END = "end"


def phase_at(time_s: float) -> Phase:
    """The phase `time_s` seconds after the simulation started."""
    into = _into_cycle(time_s)
    if into >= CAST_S:
        return Phase.IDLE
    if into < STARTUP_S:
        return Phase.STARTUP
    return Phase.STEADY if into < CAST_S - END_S else Phase.END


def _into_cycle(time_s: float) -> float:
    return (time_s + FIRST_S) % (CAST_S + IDLE_S)


class LevelLoop:
    """A metal level held by a proportional-integral loop on the inflow; what it cannot hold shows as an offset."""

    def __init__(self, set_mm: float) -> None:
        self._set = set_mm
        self._integral = 0.0
        self.level = set_mm

    def advance(self, dt_s: float, *, filled: bool, disturbance: float) -> float:
        """The level in mm after `dt_s` seconds with so many mm/s too much metal."""
        if not filled:
            self._integral = 0.0
            self.level = lag(self.level, 0.0, dt_s, 15.0)
            return self.level
        target = self._set + (disturbance - LOOP_INTEGRAL * self._integral) / LOOP_GAIN
        self.level = lag(self.level, target, dt_s, 1 / LOOP_GAIN)
        # Anti-windup: the stopper's travel is short, so a surge cannot be trimmed away.
        self._integral = float(np.clip(self._integral + (self.level - self._set) * dt_s, -20.0, 20.0))
        return self.level


class CastingShop:
    """One casting machine. Faults it knows: `cooling-water-lost`, `launder-level-surge`."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._channels = Channels(_NOISE, self._rng)
        self.points = (*self._channels.names, "CAST_LEN-01", "CUTOFF_V-01", "DUMP_V-01")
        self._time = 0.0
        self._length = FIRST_S
        self._water = 1.0  # share of the full pressure
        self._out_t = WATER_IN_T + 8.0
        self._furnace = LevelLoop(FURNACE_LEVEL)
        self._mould = LevelLoop(MOULD_LEVEL)

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""
        self._time += dt_s
        phase = phase_at(self._time)
        casting = phase is not Phase.IDLE
        flow = self._run_water(dt_s, lost="cooling-water-lost" in faults)
        heat = MOULD_HEAT_K if casting else 0.0
        # Boiling bounds what heat over flow would give when hardly any water is left.
        self._out_t = lag(self._out_t, min(WATER_IN_T + heat / max(flow, 1.0), 95.0), dt_s, 6.0)
        push = self._rng.normal(0.0, 0.4, 2)
        surge = SURGE if "launder-level-surge" in faults else 0.0
        truth = {
            "CW_IN_P-01": WATER_P * self._water,
            "CW_IN_F-01": flow,
            "CW_IN_T-01": WATER_IN_T,
            "CW_OUT_T-01": self._out_t,
            "LVL_FURN-01": self._furnace.advance(dt_s, filled=casting, disturbance=float(push[0])),
            "LVL_MOLD-01": self._mould.advance(dt_s, filled=casting, disturbance=float(push[1]) + surge),
            "CAST_SPEED-01": CAST_SPEED,
            "METAL_T-01": METAL_T,
            "PIT_LVL-01": 3.0,
            "EMG_LVL-01": 94.0,
        }
        sample = self._channels.measure(truth, dt_s)
        if not casting:
            sample["CAST_SPEED-01"] = 0.0
        # The encoder counts what the platform did, and is reset when the cast is lifted out.
        self._length = self._length + sample["CAST_SPEED-01"] / 60.0 * dt_s if casting else 0.0
        return sample | {"CAST_LEN-01": round(self._length, 1), "CUTOFF_V-01": 1.0, "DUMP_V-01": 1.0}

    def _run_water(self, dt_s: float, *, lost: bool) -> float:
        """Move the inlet pressure to what the pumps give and return the flow, m3/h (as the root of the pressure)."""
        into = _into_cycle(self._time)
        full = into < CAST_S + WATER_LEAD_S or into > CAST_S + IDLE_S - WATER_LEAD_S
        target = 0.03 if lost else 1.0 if full else IDLE_WATER
        self._water = lag(self._water, target, dt_s, 1.5)
        return WATER_F * float(np.sqrt(self._water))

"""Deep-well casting of aluminium: idle and filling, start-up, steady casting, end; water, metal levels, platform.

The numbers are those of a made-up machine; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from enum import StrEnum
from typing import Final

from gateway_sim.physics.signals import Noise, Plant, Wander, lag, warmth

CAST_SPEED: Final = 60.0  # mm/min, so one millimetre a second
CAST_S: Final = 6500.0  # a cast is as many millimetres long
IDLE_S: Final = 900.0  # furnace filling, between casts
FIRST_S: Final = 1200.0  # where in its cast the plant stands when the simulation starts
STARTUP_S: Final = 500.0
END_S: Final = 200.0

WATER_P: Final = 0.35  # MPa, inlet
WATER_F: Final = 180.0  # m3/h
EMERGENCY_WATER: Final = 0.18  # share of the full pressure the emergency tank gives when the pumps fail
IDLE_WATER: Final = 0.45  # share of the full pressure kept between casts
WATER_LEAD_S: Final = 120.0  # full water this long before the platform moves, and this long after it stopped
WATER_IN_T: Final = 26.0
MOULD_HEAT_K: Final = 8.0 * WATER_F  # K times m3/h: the heat the mould gives to the water
FURNACE_LEVEL: Final = 150.0  # mm in the launder at the furnace outlet
MOULD_LEVEL: Final = 120.0  # mm at the inlet of the mould table
METAL_T: Final = 704.0
METAL_COOLING: Final = 6.0  # K the furnace loses over a cast
PROBE_IDLE_T: Final = 640.0  # what the probe shows in an empty, hot launder
PROBE_LEAD_S: Final = 60.0  # the launder is filled this long before the platform moves
PIT_LOW_M: Final = 2.85  # the pit's pump stops here
PIT_HIGH_M: Final = 3.1  # and starts here
SURGE: Final = 30.0  # mm/s of metal the level loop cannot hold back
DRIFT_MM_S: Final = 0.04  # of a level sensor that loses its calibration
SCALE_K_S: Final = 0.22  # what scale in the mould adds to the outlet water, and
SCALE_K_S2: Final = 0.0012  # how it gathers way
SCALE_MOST_K: Final = 33.0
LOOP_GAIN: Final = 0.8  # 1/s
LOOP_INTEGRAL: Final = 0.05  # 1/s2

_NOISE: Final = {
    "CW_IN_P-01": Noise(0.0015, 0.0006, 20),
    "CW_IN_F-01": Noise(0.8, 0.3, 20),
    "CW_IN_T-01": Noise(0.08, 0.05, 600),
    "CW_OUT_T-01": Noise(0.12, 0.3, 60),
    "LVL_FURN-01": Noise(0.4, 0.8, 4),
    "LVL_MOLD-01": Noise(0.4, 0.6, 4),
    "CAST_SPEED-01": Noise(0.35, cutoff=5.0),  # an encoder: a platform at rest is at rest
    "METAL_T-01": Noise(0.6, 1.2, 300),
    "PIT_LVL-01": Noise(0.006, 0.01, 300),
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
        self._integral = min(max(self._integral + (self.level - self._set) * dt_s, -20.0), 20.0)
        return self.level


class CastingShop(Plant):
    """One casting machine.

    Faults it knows: `cooling-water-lost`, `launder-level-surge`, `outlet-heating`, `level-drift`.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(_NOISE, ("CAST_LEN-01", "CUTOFF_V-01", "DUMP_V-01"), seed)
        self._length = FIRST_S
        self._pumps = Wander(0.006, 40.0, self.rng)  # of the pressure
        self._inlet = Wander(0.4, 900.0, self.rng)  # of the water's temperature
        self._drive = Wander(0.2, 10.0, self.rng)
        self._water = 1.0  # share of the full pressure
        self._warming = 8.0  # K
        self._scale_s = 0.0  # for how long scale has grown
        self._metal = METAL_T
        self._pit = 3.0
        self._pumping = False
        self._furnace = LevelLoop(FURNACE_LEVEL)
        self._mould = LevelLoop(MOULD_LEVEL)
        self._drift = 0.0  # mm the furnace level sensor is off

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        casting = phase_at(self._time) is not Phase.IDLE
        filled = casting or _into_cycle(self._time) > CAST_S + IDLE_S - PROBE_LEAD_S
        pressure = self._run_water(dt_s, lost="cooling-water-lost" in faults)
        flow = WATER_F * math.sqrt(pressure)
        inlet_t = WATER_IN_T + 1.5 * warmth(self._time) + self._inlet.advance(dt_s)
        self._warm_water(dt_s, faults, MOULD_HEAT_K / max(flow, 1.0) if casting else 0.0)
        self._drift = self._drift + DRIFT_MM_S * dt_s if "level-drift" in faults else 0.0
        surge = SURGE if "launder-level-surge" in faults else 0.0
        speed = CAST_SPEED + self._drive.advance(dt_s) if casting else 0.0
        # The encoder counts what the platform did, and is reset when the cast is lifted out.
        self._length = self._length + speed / 60.0 * dt_s if casting else 0.0
        self._run_pit(dt_s, flow)
        return [
            WATER_P * pressure,
            flow,
            inlet_t,
            min(inlet_t + self._warming, 95.0),  # it boils
            self._furnace.advance(dt_s, filled=filled, disturbance=self.rng.gauss(0.0, 0.4)) + self._drift,
            self._mould.advance(dt_s, filled=filled, disturbance=self.rng.gauss(0.0, 0.4) + surge),
            speed,
            self._metal_t(dt_s),
            self._pit,
            94.0,
            round(self._length, 1),
            1.0,
            1.0,
        ]

    def _run_water(self, dt_s: float, *, lost: bool) -> float:
        """Move the inlet pressure to what the pumps give; its share of the full one (flow goes as the root of it)."""
        into = _into_cycle(self._time)
        full = into < CAST_S + WATER_LEAD_S or into > CAST_S + IDLE_S - WATER_LEAD_S
        target = EMERGENCY_WATER if lost else 1.0 if full else IDLE_WATER
        self._water = lag(self._water, target, dt_s, 1.5)
        return self._water * (1.0 + self._pumps.advance(dt_s))

    def _warm_water(self, dt_s: float, faults: Collection[str], heat_k: float) -> None:
        """The heat over the flow, and what scale in the mould adds; boiling bounds what little water would reach."""
        self._scale_s = self._scale_s + dt_s if "outlet-heating" in faults else 0.0
        scale_k = min(self._scale_s * (SCALE_K_S + SCALE_K_S2 / 2 * self._scale_s), SCALE_MOST_K)
        self._warming = lag(self._warming, min(heat_k + scale_k, 69.0), dt_s, 6.0)

    def _metal_t(self, dt_s: float) -> float:
        """The furnace cools over a cast; between casts the probe hangs in an empty launder."""
        into = _into_cycle(self._time)
        if into < CAST_S:
            target = METAL_T - METAL_COOLING * into / CAST_S
        elif into > CAST_S + IDLE_S - PROBE_LEAD_S:
            target = METAL_T
        else:
            target = PROBE_IDLE_T
        self._metal = lag(self._metal, target, dt_s, 20.0)
        return self._metal

    def _run_pit(self, dt_s: float, flow: float) -> None:
        """Mould water fills the pit, a pump empties it by level."""
        self._pumping = self._pit > PIT_LOW_M if self._pumping else self._pit > PIT_HIGH_M
        self._pit += (flow / WATER_F * 0.0008 - (0.0016 if self._pumping else 0.0)) * dt_s

"""A deep-well casting machine from the empty pit to the lifted billets: water, metal, platform, and what carries it.

The numbers are those of a made-up machine; they are nobody's regulation.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from gateway_sim.physics.aluminium import (
    CAST_SPEED,
    FURNACE_LEVEL,
    METAL_T,
    MOULD_HEAT_K,
    MOULD_LEVEL,
    PROBE_IDLE_T,
    WATER_F,
    WATER_IN_T,
    WATER_P,
    LevelLoop,
)
from gateway_sim.physics.signals import Noise, Plant, Wander, lag

PREPARE_S: Final = 180.0
"""Water on, self-check of the valves; the launder is empty."""
FILL_S: Final = 60.0
"""Metal runs into the moulds; the platform stands."""
BEGIN_S: Final = PREPARE_S + FILL_S
"""The platform begins to go down."""
ORDERED_MM: Final = 5000.0
COOL_S: Final = 240.0
"""After the cast, before the billets are lifted out."""
LIFT_S: Final = 420.0
STOP_S: Final = BEGIN_S + 60.0 * ORDERED_MM / CAST_SPEED
"""The metal is cut off and the platform stops."""
CAST_S: Final = STOP_S + COOL_S + LIFT_S
"""One cast, from the preparation to the empty pit."""

BLOCKS_T: Final = 2.0  # t, the starter blocks on the platform
BILLETS_T_MM: Final = 0.0016  # t of metal a millimetre of cast
EMPTY_MPA: Final = 3.0  # cylinder pressure under the bare platform
MPA_T: Final = 0.4  # and a tonne on it

_NOISE: Final = {
    "CW_IN_P": Noise(0.0015, 0.0006, 20),
    "CW_IN_F": Noise(0.8, 0.3, 20),
    "CW_IN_T": Noise(0.08, 0.05, 600),
    "CW_OUT_T": Noise(0.12, 0.3, 60),
    "LVL_FURN": Noise(0.4, 0.8, 4),
    "LVL_MOLD": Noise(0.4, 0.6, 4),
    "CAST_SPEED": Noise(0.35, cutoff=5.0),
    "METAL_T": Noise(0.6, 1.2, 300),
    "PIT_LVL": Noise(0.006, 0.01, 300),
    "EMG_LVL": Noise(0.15, 0.4, 300),
    "LOAD": Noise(0.02, 0.03, 60),
    "CYL_P": Noise(0.015, 0.02, 60),
}
_EXACT: Final = ("CAST_LEN", "CUTOFF_V", "DUMP_V")


@dataclass(slots=True)
class Platform:
    """What carries the billets, and how far it went."""

    length_mm: float = 0.0
    load_t: float = 0.0
    hung: bool = False

    def advance(self, dt_s: float, speed: float, *, blocks: bool) -> None:
        """Let the platform go down by `speed` mm/min for `dt_s` seconds."""
        self.length_mm += speed / 60.0 * dt_s
        carried = BLOCKS_T + BILLETS_T_MM * self.length_mm if blocks else 0.0
        self.load_t = lag(self.load_t, 0.0 if self.hung else carried, dt_s, 1.5)


class CastingPit(Plant):
    """One machine with a hydraulic cylinder.

    Accidents it knows: `haian-2024` (the starter blocks stay in the moulds while the platform goes on down).
    """

    def __init__(self, seed: int, suffix: str = "01") -> None:
        super().__init__(
            {f"{name}-{suffix}": noise for name, noise in _NOISE.items()},
            tuple(f"{name}-{suffix}" for name in _EXACT),
            seed,
        )
        self._platform = Platform()
        self._pumps = Wander(0.006, 40.0, self.rng)
        self._inlet = Wander(0.4, 900.0, self.rng)
        self._drive = Wander(0.2, 10.0, self.rng)
        self._water = 1.0
        self._warming = 0.0
        self._metal = PROBE_IDLE_T
        self._furnace = LevelLoop(FURNACE_LEVEL)
        self._mould = LevelLoop(MOULD_LEVEL)
        self._furnace.level = self._mould.level = 0.0

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        platform = self._platform
        poured = PREPARE_S <= self._time < STOP_S
        moving = BEGIN_S <= self._time < STOP_S
        lifted = self._time >= CAST_S - LIFT_S
        speed = CAST_SPEED + self._drive.advance(dt_s) if moving else 0.0
        platform.hung = "haian-2024" in faults
        if lifted:
            platform.length_mm = 0.0
        platform.advance(dt_s, speed, blocks=not lifted)
        pressure = self._water * (1.0 + self._pumps.advance(dt_s))
        flow = WATER_F * math.sqrt(max(pressure, 0.0))
        inlet_t = WATER_IN_T + self._inlet.advance(dt_s)
        self._warming = lag(self._warming, MOULD_HEAT_K / max(flow, 1.0) if poured else 0.0, dt_s, 20.0)
        self._metal = lag(self._metal, METAL_T if poured else PROBE_IDLE_T, dt_s, 20.0)
        return [
            WATER_P * pressure,
            flow,
            inlet_t,
            inlet_t + self._warming,
            self._furnace.advance(dt_s, filled=poured, disturbance=self.rng.gauss(0.0, 0.4)),
            self._mould.advance(dt_s, filled=poured, disturbance=self.rng.gauss(0.0, 0.4)),
            speed,
            self._metal,
            3.0,
            94.0,
            platform.load_t,
            EMPTY_MPA + MPA_T * platform.load_t,
            round(platform.length_mm, 1),
            1.0,
            1.0,
        ]

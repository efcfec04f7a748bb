"""A deep-well casting machine from the empty pit to the lifted billets: water, metal, the platform, who watches.

The numbers are those of a made-up machine; they are nobody's regulation. What carries the platform, and what goes wrong
in an accident, is for the machines built on it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

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
ROPES_PERCENT: Final = 5.0  # difference of the tensions of sound ropes

UNWATCHED_EVERY_S: Final = 900.0  # on average, who watches turns round
UNWATCHED_S: Final = (1.0, 8.0)  # for so long, and then looks as long at least

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
}
_EXACT: Final = ("CAST_LEN", "CUTOFF_V", "DUMP_V", "WATCHER", "LEAK")


@dataclass(slots=True)
class Trouble:
    """What an accident does to the machine.

    Attributes:
        drain_mm_s: metal lost at the moulds, as mm/s of the launder's level there.
        heat_k: warming of the outlet water beside the mould's own.
        choked: share of the water's way that steam or metal takes.
        hung: the billets do not rest on the platform.
        tilt_deg: of the platform.
        ropes_percent: what it adds to the difference of the rope tensions.
        unwatched: nobody is at the panel.
    """

    drain_mm_s: float = 0.0
    heat_k: float = 0.0
    choked: float = 0.0
    hung: bool = False
    tilt_deg: float = 0.0
    ropes_percent: float = 0.0
    unwatched: bool = False

    @property
    def leaking(self) -> bool:
        """Whether there is enough metal in the water to be heard."""
        return self.heat_k > 1.0


class CastingPit(Plant):
    """One machine, from the start of its preparation; `late_s` seconds later than the simulation begins."""

    carried: ClassVar[Mapping[str, Noise]] = {}
    """The instruments of what carries the platform."""

    def __init__(self, seed: int, suffix: str = "01", late_s: float = 0.0) -> None:
        self._names = (*_NOISE, *self.carried, *_EXACT)
        super().__init__(
            {f"{name}-{suffix}": noise for name, noise in (_NOISE | dict(self.carried)).items()},
            tuple(f"{name}-{suffix}" for name in _EXACT),
            seed,
        )
        self._time = -late_s
        self._since_s = 0.0  # how long the accident lasts
        self.trouble = Trouble()
        self.length_mm = self.load_t = 0.0
        self._pumps = Wander(0.006, 40.0, self.rng)
        self._inlet = Wander(0.4, 900.0, self.rng)
        self._drive = Wander(0.2, 10.0, self.rng)
        self._warming = self._extra_k = 0.0
        self._unwatched_s = -UNWATCHED_S[1]
        self._metal = PROBE_IDLE_T
        self._furnace = LevelLoop(FURNACE_LEVEL)
        self._mould = LevelLoop(MOULD_LEVEL)
        self._furnace.level = self._mould.level = 0.0

    def harm(self, since_s: float) -> Trouble:  # noqa: ARG002  for the machines it happens to
        """What the accident does `since_s` seconds after it began."""
        return Trouble()

    def carrying(self) -> Mapping[str, float]:
        """The truth about what carries the platform."""
        return {}

    def _step(self, dt_s: float, faults: Collection[str]) -> list[float]:
        """Let `dt_s` seconds pass and tell the truth about every point."""
        self._since_s = self._since_s + dt_s if faults else 0.0
        self.trouble = trouble = self.harm(self._since_s) if faults else Trouble()
        poured = PREPARE_S <= self._time < STOP_S
        speed = CAST_SPEED + self._drive.advance(dt_s) if BEGIN_S <= self._time < STOP_S else 0.0
        self._lower(dt_s, speed)
        pressure = 1.0 + self._pumps.advance(dt_s)
        flow = WATER_F * math.sqrt(max(pressure, 0.0)) * (1.0 - trouble.choked)
        inlet_t = WATER_IN_T + self._inlet.advance(dt_s)
        self._warming = lag(self._warming, MOULD_HEAT_K / max(flow, 1.0) if poured else 0.0, dt_s, 20.0)
        self._extra_k = lag(self._extra_k, trouble.heat_k, dt_s, 15.0)  # the way from the pit to the thermometer
        self._metal = lag(self._metal, METAL_T if poured else PROBE_IDLE_T, dt_s, 20.0)
        drain = trouble.drain_mm_s
        truth = {
            "CW_IN_P": WATER_P * pressure * (1.0 + 0.3 * trouble.choked),
            "CW_IN_F": flow,
            "CW_IN_T": inlet_t,
            "CW_OUT_T": min(inlet_t + self._warming + self._extra_k, 99.0),
            # The furnace's launder feels half of what runs out at the moulds.
            "LVL_FURN": self._furnace.advance(dt_s, filled=poured, disturbance=self.rng.gauss(0.0, 0.4) - 0.5 * drain),
            "LVL_MOLD": self._mould.advance(dt_s, filled=poured, disturbance=self.rng.gauss(0.0, 0.4) - drain),
            "CAST_SPEED": speed,
            "METAL_T": self._metal,
            "PIT_LVL": 3.0,
            "EMG_LVL": 94.0,
            "CAST_LEN": round(self.length_mm, 1),
            "CUTOFF_V": 1.0,
            "DUMP_V": 1.0,
            "WATCHER": float(self._watched(dt_s)),
            "LEAK": float(trouble.leaking),
            **self.carrying(),
        }
        return [truth[name] for name in self._names]

    def _lower(self, dt_s: float, speed: float) -> None:
        """Let the platform go down by `speed` mm/min, or empty it when the billets are lifted out."""
        lifted = self._time >= CAST_S - LIFT_S
        self.length_mm = 0.0 if lifted else self.length_mm + speed / 60.0 * dt_s
        carried = 0.0 if lifted or self.trouble.hung else BLOCKS_T + BILLETS_T_MM * self.length_mm
        self.load_t = lag(self.load_t, carried, dt_s, 1.5)

    def _watched(self, dt_s: float) -> bool:
        """Return whether the operator watches now: always, but for moments."""
        self._unwatched_s -= dt_s
        looks_away, for_s = self.rng.random() < dt_s / UNWATCHED_EVERY_S, self.rng.uniform(*UNWATCHED_S)
        if looks_away and self._unwatched_s <= -UNWATCHED_S[1]:
            self._unwatched_s = for_s
        return self._unwatched_s <= 0.0 and not self.trouble.unwatched


class HydraulicPit(CastingPit):
    """A machine whose platform stands on a hydraulic cylinder."""

    carried: ClassVar[Mapping[str, Noise]] = {"LOAD": Noise(0.02, 0.03, 60), "CYL_P": Noise(0.015, 0.02, 60)}

    def carrying(self) -> Mapping[str, float]:
        """The load, and the pressure that carries it."""
        return {"LOAD": self.load_t, "CYL_P": EMPTY_MPA + MPA_T * self.load_t}


class RopePit(CastingPit):
    """A machine whose platform hangs on the ropes of a winch."""

    carried: ClassVar[Mapping[str, Noise]] = {"TILT": Noise(0.02, 0.05, 60), "ROPE_DIFF": Noise(0.6, 1.5, 30)}

    def carrying(self) -> Mapping[str, float]:
        """How it hangs."""
        return {"TILT": 0.1 + self.trouble.tilt_deg, "ROPE_DIFF": ROPES_PERCENT + self.trouble.ropes_percent}

"""What every simulated plant shares: exact first-order lags, coloured noise, and the channels that add it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

DECIMALS: Final = 4


class Physics(Protocol):
    """A plant in motion. No clock inside: time passes only through `advance`."""

    points: tuple[str, ...]

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How a channel departs from the truth: white noise of the instrument, and slow wandering of the process.

    Attributes:
        white: standard deviation of the instrument's noise, in the point's unit.
        wander: standard deviation of the process's own wandering, in the point's unit.
        tau_s: correlation time of the wandering.
        low: the physical floor (a concentration is never negative).
    """

    white: float
    wander: float = 0.0
    tau_s: float = 60.0
    low: float = 0.0


class Channels:
    """Analogue channels of one plant: all noise of a sample is drawn as one vector.

    The wandering is an Ornstein-Uhlenbeck process stepped exactly, so its spread does not depend on the step.
    """

    def __init__(self, noise: Mapping[str, Noise], rng: np.random.Generator) -> None:
        self.names = tuple(noise)
        self._rng = rng
        self._white = np.array([n.white for n in noise.values()])
        self._wander = np.array([n.wander for n in noise.values()])
        self._tau = np.array([n.tau_s for n in noise.values()])
        self._low = np.array([n.low for n in noise.values()])
        self._drift = self._wander * rng.standard_normal(len(self.names))

    def measure(self, truth: Mapping[str, float], dt_s: float) -> dict[str, float]:
        """The truth as the instruments show it `dt_s` seconds after the last time."""
        keep = np.exp(-dt_s / self._tau)
        draws = self._rng.standard_normal((2, len(self.names)))
        self._drift = keep * self._drift + self._wander * np.sqrt(1 - keep**2) * draws[0]
        shown = np.array([truth[name] for name in self.names]) + self._drift + self._white * draws[1]
        return dict(zip(self.names, np.round(np.maximum(shown, self._low), DECIMALS).tolist(), strict=True))


def lag(value: float, target: float, dt_s: float, tau_s: float) -> float:
    """A first-order lag, stepped exactly: stable for any step."""
    return target + (value - target) * math.exp(-dt_s / tau_s)

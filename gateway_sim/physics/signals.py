"""What every simulated plant shares: first-order lags, wandering, the day, and the channels that add noise."""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

DECIMALS: Final = 4
DAY_S: Final = 86_400.0
BEGIN_S: Final = 9 * 3600.0
"""The simulation begins at nine in the morning."""
WARMEST_S: Final = 16 * 3600.0

SPIKE_AT: Final = 4.0
"""Of a normal draw: a channel has a spike in one sample of 16 000, some five a day at 1 Hz."""
SPIKE_LEAST: Final = 6.0
SPIKE_GROWTH: Final = 16.0
"""A spike is 6 standard deviations of the instrument's noise or more, 10 on average: interference, no more."""


class Physics(Protocol):
    """A plant in motion. No clock inside: time passes only through `advance` and `run`."""

    points: tuple[str, ...]

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""

    def run(self, steps: int, dt_s: float, faults: Collection[str] = ()) -> NDArray[np.float64]:
        """As `advance`, `steps` times: float64[steps, points], in the order of `points`."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How a channel departs from the truth: white noise of the instrument with rare spikes, and slow wandering.

    Attributes:
        white: standard deviation of the instrument's noise, in the point's unit.
        wander: standard deviation of the wandering, in the point's unit.
        tau_s: correlation time of the wandering.
        low: the physical floor (a concentration is never negative).
        cutoff: what is nearer to zero than this is shown as zero.
    """

    white: float
    wander: float = 0.0
    tau_s: float = 60.0
    low: float = 0.0
    cutoff: float = 0.0


class Channels:
    """Analogue channels of one plant: all noise of a block of samples is drawn at once.

    The wandering is an Ornstein-Uhlenbeck process stepped exactly, so its spread does not depend on the step. A block
    gives the same values as its samples one by one.
    """

    def __init__(self, noise: Mapping[str, Noise], rng: np.random.Generator) -> None:
        self.names = tuple(noise)
        self._rng = rng
        self._white = np.array([n.white for n in noise.values()])
        self._wander = np.array([n.wander for n in noise.values()])
        self._tau = np.array([n.tau_s for n in noise.values()])
        self._low = np.array([n.low for n in noise.values()])
        self._cutoff = np.array([n.cutoff for n in noise.values()])
        self._drift = self._wander * rng.standard_normal(len(self.names))

    def measure(self, truth: NDArray[np.float64], dt_s: float) -> NDArray[np.float64]:
        """The truth, float64[n, channels], as the instruments show it every `dt_s` seconds."""
        keep = np.exp(-dt_s / self._tau)
        draws = self._rng.standard_normal((len(truth), 3, len(self.names)))
        drift = self._wander * np.sqrt(1 - keep**2) * draws[:, 0]
        drift[0] += keep * self._drift
        accumulate(drift, keep)
        self._drift = drift[-1].copy()
        beyond = np.abs(draws[:, 2]) - SPIKE_AT
        spikes = np.where(beyond > 0, np.sign(draws[:, 2]) * (SPIKE_LEAST + SPIKE_GROWTH * beyond), 0.0)
        shown: NDArray[np.float64] = np.maximum(truth + drift + self._white * (draws[:, 1] + spikes), self._low)
        shown[np.abs(shown) < self._cutoff] = 0.0
        return np.round(shown, DECIMALS)


def accumulate(pushes: NDArray[np.float64], keep: NDArray[np.float64]) -> None:
    """Turn pushes, float64[n, channels], into x[t] = keep * x[t-1] + push[t] in place, in log2(n) passes."""
    shift = 1
    while shift < len(pushes):
        pushes[shift:] += keep**shift * pushes[:-shift]
        shift *= 2


class Plant(ABC):
    """The truth, stepped in plain numbers, and instruments that show it."""

    def __init__(self, noise: Mapping[str, Noise], exact: Sequence[str], seed: int) -> None:
        """`exact` are the points that have no noise: contacts and counters."""
        self.points = (*noise, *exact)
        self.rng = random.Random(seed)
        self._analogue = len(noise)
        self._channels = Channels(noise, np.random.default_rng(seed))
        self._time = 0.0

    @abstractmethod
    def _step(self, dt_s: float, faults: Collection[str]) -> Sequence[float]:
        """Let `dt_s` seconds pass and tell the truth about every point, in the order of `points`."""

    def advance(self, dt_s: float, faults: Collection[str] = ()) -> dict[str, float]:
        """Let `dt_s` seconds pass under the named faults and return one sample of every point."""
        self._time += dt_s
        shown = self._measure(np.array([self._step(dt_s, faults)]), dt_s)
        return dict(zip(self.points, shown[0].tolist(), strict=True))

    def run(self, steps: int, dt_s: float, faults: Collection[str] = ()) -> NDArray[np.float64]:
        """As `advance`, `steps` times: float64[steps, points], in the order of `points`."""
        truth = np.empty((steps, len(self.points)))
        for row in truth:
            self._time += dt_s
            row[:] = self._step(dt_s, faults)
        return self._measure(truth, dt_s)

    def _measure(self, truth: NDArray[np.float64], dt_s: float) -> NDArray[np.float64]:
        truth[:, : self._analogue] = self._channels.measure(truth[:, : self._analogue], dt_s)
        return truth


class Wander:
    """A process that wanders about zero: Ornstein-Uhlenbeck, stepped exactly."""

    def __init__(self, spread: float, tau_s: float, rng: random.Random) -> None:
        self._spread = spread
        self._tau_s = tau_s
        self._rng = rng
        self.now = rng.gauss(0.0, spread)

    def advance(self, dt_s: float) -> float:
        """Where it is `dt_s` seconds later."""
        keep = math.exp(-dt_s / self._tau_s)
        self.now = keep * self.now + self._spread * math.sqrt(1.0 - keep * keep) * self._rng.gauss(0.0, 1.0)
        return self.now


def lag(value: float, target: float, dt_s: float, tau_s: float) -> float:
    """A first-order lag, stepped exactly: stable for any step."""
    return target + (value - target) * math.exp(-dt_s / tau_s)


def of_day(time_s: float) -> float:
    """Seconds since midnight, `time_s` seconds after the simulation began."""
    return (time_s + BEGIN_S) % DAY_S


def warmth(time_s: float) -> float:
    """The day's share in any temperature: 1 in the afternoon, -1 before dawn."""
    return math.cos(2.0 * math.pi * (of_day(time_s) - WARMEST_S) / DAY_S)

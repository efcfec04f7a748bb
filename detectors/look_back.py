"""Remembers what calls that look back need: `lag(x, seconds)`, x as it was, and `mean(x, seconds)`, its moving mean."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.expression import Remembered
from detectors.feed import NEVER
from detectors.ring import Parts, Ring
from detectors.runs import Runs
from detectors.trip import Arrays

_PARTS: Final = 16
"""A call that looks back keeps the first value in each of this many parts of its time."""


class LookBackState:
    """The state of one call that looks back."""

    def __init__(self, call: Remembered, rows: int) -> None:
        self._mean = call.function == "mean"
        self._span = round(call.seconds * 1e9)
        self._part = max(self._span // _PARTS, 1)
        self._parts = Parts(np.full(rows, self._part))
        self._ring = Ring(rows, _PARTS + 2, {"time": int(NEVER), "value": math.nan})

    def at_pairs(self, runs: Runs, now: NDArray[np.float64]) -> NDArray[np.float64]:
        """The value of the call at each pair."""
        kept = self._parts.choose(runs, ~np.isnan(now))
        past = self._ring.push(runs, kept, {"time": runs.time[kept], "value": now[kept]})
        places = np.arange(len(runs))
        age = runs.time[:, None] - np.asarray(past.windows("time", places), np.int64)
        value = np.asarray(past.windows("value", places), np.float64)
        return self._average(age, value, now) if self._mean else self._lagged(age, value)

    def arrays(self) -> Arrays:
        """The kept values, one entry a channel."""
        return {"end": self._parts.end, **self._ring.arrays()}

    def _average(
        self, age: NDArray[np.int64], value: NDArray[np.float64], now: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        fits = (age >= 0) & (age < self._span)
        total, many = np.zeros(len(now)), fits.sum(axis=1)
        for column in range(value.shape[1]):  # added up in one order, so that it is the same to the last bit
            total = total + np.where(fits[:, column], value[:, column], 0.0)
        return np.where(np.isnan(now) | (many == 0), np.nan, total / np.maximum(many, 1))

    def _lagged(self, age: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        old = (age >= self._span) & (age <= self._span + 2 * self._part + self._span // 2)
        newest = old.shape[1] - 1 - np.argmax(old[:, ::-1], axis=1)
        return np.where(old.any(axis=1), value[np.arange(len(value)), newest], np.nan)

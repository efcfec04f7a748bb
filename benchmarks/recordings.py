"""Evaluates recordings of a group of sensors with a bank: one rule on all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from detectors import Bank, Readings
from detectors.examples import tables

Alarmed = NDArray[np.bool_]
Floats = NDArray[np.float64]

BATCH = 1000
"""Readings handed over at once; the verdicts are the same for any number."""
KEY = "example"
"""What `detectors.examples` calls its rule."""


def bank_of(kind: str, sensors: int, param: Mapping[str, float], on: float = 1.0) -> Bank:
    """Return a bank with one rule on sensors 0, 1, ...: off at the parameter `release`, if there is one."""
    return Bank(tables(kind, on, param.get("release"), sensors - 1, **param))


def frames(time_s: Floats, rows: Floats) -> Iterator[Readings]:
    """Yield the rows (float64[n, d]) in batches; sensor 0, whose readings trigger evaluation, is last of each time."""
    vectors, sensors = rows.shape
    point = np.tile(np.roll(np.arange(sensors, dtype=np.int32), -1), vectors)
    time = np.repeat(np.round(time_s * 1e9).astype(np.int64), sensors)
    value = np.roll(rows, -1, axis=1).ravel()
    for begin in range(0, len(point), BATCH):
        batch = slice(begin, begin + BATCH)
        yield Readings(point[batch], time[batch], value[batch], time[batch], point[batch])


def alarmed(bank: Bank, time_s: Floats, rows: Floats) -> Alarmed:
    """Return bool[n]: whether the alarm is active after each row, if it was not before the first."""
    changes = np.zeros(len(rows), np.int64)
    time = np.round(time_s * 1e9).astype(np.int64)
    for readings in frames(time_s, rows):
        found = bank.update(readings, int(readings.time[-1]))
        changes[np.searchsorted(time, found.time)] += np.where(found.raised, 1, -1)
    return np.asarray(np.cumsum(changes) > 0, np.bool_)

"""Recordings of a group of sensors judged by a bank: one rule on all of them together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from detectors import Bank, Readings
from detectors.examples import tables

Said = NDArray[np.bool_]
Floats = NDArray[np.float64]

BATCH = 1000
"""Readings handed over at once; the verdicts are the same for any number."""
KEY = "example"
"""What `detectors.examples` calls its rule."""


def bank_of(kind: str, sensors: int, param: Mapping[str, float]) -> Bank:
    """A bank with one rule on sensors 0, 1, ... together: on at 1, off at the parameter `release`, if there is one."""
    return Bank(tables(kind, 1.0, param.get("release"), sensors - 1, **param))


def frames(time_s: Floats, rows: Floats) -> Iterator[Readings]:
    """The rows (float64[n, d]) in batches; at one time sensor 0, at whose readings is judged, comes last."""
    vectors, sensors = rows.shape
    point = np.tile(np.roll(np.arange(sensors, dtype=np.int32), -1), vectors)
    time = np.repeat(np.round(time_s * 1e9).astype(np.int64), sensors)
    value = np.roll(rows, -1, axis=1).ravel()
    for begin in range(0, len(point), BATCH):
        batch = slice(begin, begin + BATCH)
        yield Readings(point[batch], time[batch], value[batch], time[batch], point[batch])


def said(bank: Bank, time_s: Floats, rows: Floats) -> Said:
    """bool[n], whether the alarm stands after each row, if none stood before."""
    changes = np.zeros(len(rows), np.int64)
    time = np.round(time_s * 1e9).astype(np.int64)
    for readings in frames(time_s, rows):
        found = bank.update(readings, int(readings.time[-1]))
        changes[np.searchsorted(time, found.time)] += np.where(found.raised, 1, -1)
    return np.asarray(np.cumsum(changes) > 0, np.bool_)

"""Assembles many frames to one batch of readings; consecutive frames of the same shape become arrays together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch, concat
from ingest.domain.model.flags import Flag
from ingest.intake.wire.decode import Decoded
from ingest.intake.wire.frame import QUALITIES

_times, _points, _values = attrgetter("times"), attrgetter("points"), attrgetter("values")
_shift, _received = attrgetter("shift"), attrgetter("received")
_NO_VALUE: Final = np.uint16(Flag.NO_VALUE)
_QUALITY_FLAGS: Final = np.array([*QUALITIES.values()], np.uint16)


class Arrival(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A frame with what its receiver adds.

    Attributes:
        received: time of arrival, ns since the epoch.
        shift: ns to add to its times, 0 if its device's clock is trusted.
        flags: bits of `Flag` for each of its readings.
    """

    frame: Decoded
    received: int
    shift: int = 0
    flags: int = 0


def assemble(arrivals: Iterable[Arrival]) -> Batch:
    """The readings in order of arrival; within a frame in order of time, then of column."""
    return concat([_block([*run], *shape) for shape, run in groupby(arrivals, _shape) if shape[1]])


def _shape(arrival: Arrival) -> tuple[int, int, bool]:
    frame = arrival.frame
    return len(frame.times), len(frame.points), frame.packed


def _block(run: Sequence[Arrival], times: int, columns: int, packed: bool) -> Batch:  # noqa: FBT001  part of the shape
    frames = [arrival.frame for arrival in run]
    count, each = len(run), times * columns
    value = _flat_values(frames, count * each, packed=packed).reshape(count, columns, times)
    stamps = np.fromiter(chain.from_iterable(map(_times, frames)), np.int64, count * times)
    time = stamps.reshape(count, times) * 1_000_000
    shifts = [*map(_shift, run)]
    if any(shifts):
        time += np.array(shifts)[:, None]
    flags = np.isnan(value) * _NO_VALUE
    for at, arrival in enumerate(run):
        for place, marks in arrival.frame.quality.items():
            flags[at, place] |= _QUALITY_FLAGS[marks]
        if arrival.flags:
            flags[at] |= np.uint16(arrival.flags)
    point = np.fromiter(chain.from_iterable(map(_points, frames)), np.int32, count * columns).reshape(count, 1, columns)
    return Batch(
        point=point.repeat(times, axis=1).ravel(),
        time=time.repeat(columns),
        value=value.transpose(0, 2, 1).ravel(),
        flags=flags.transpose(0, 2, 1).ravel(),
        received=np.array([*map(_received, run)], np.int64).repeat(each),
    )


def _flat_values(frames: Sequence[Decoded], readings: int, *, packed: bool) -> NDArray[np.float64]:
    columns = chain.from_iterable(map(_values, frames))
    if packed:
        return np.frombuffer(b"".join(columns), "<f8")
    return np.fromiter(chain.from_iterable(columns), np.float64, readings)  # None becomes NaN

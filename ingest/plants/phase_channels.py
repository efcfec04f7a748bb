"""What the phases of equipment depend on, in columns over all equipment, and which of them a batch can change at all.

A phase is decided by comparisons of points with numbers. As long as no point of an equipment passes such a number,
falls silent, comes back or sends out of order, its phase is what it was; that is found for all equipment at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import Expression
from detectors.expression import constant
from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import unusable
from ingest.domain.model.phase_record import HEARTBEAT

_UNSURE: Final = 1e-6
"""A value so near to a number, relative to it, may count as equal: more than `detectors.precision` allows."""


@dataclass(frozen=True, slots=True, eq=False)
class Newest:
    """The newest of the points of one equipment, to be written: `PhaseChannels` has it, too; `at`: int64[1]."""

    time: NDArray[np.int64]
    moment: NDArray[np.int64]
    value: NDArray[np.float64]
    heard: NDArray[np.bool_]
    at: NDArray[np.int64]


class PhaseChannels:
    """The newest of each point that tells the phase of an equipment (a channel); those of one equipment lie together.

    Attributes:
        point: int32[c], configuration index; -1: not configured.
        silence: int64[c], ns.
        time, moment: int64[c], device time of its newest reading, and the moment of its arrival, ns.
        value: float64[c], NaN where it cannot be used.
        heard: bool[c], and not silent for too long since.
        at: int64[m], the newest time of each equipment, ns.
    """

    def __init__(
        self,
        point: Sequence[NDArray[np.int32]],
        silence: Sequence[NDArray[np.int64]],
        numbers: Sequence[Sequence[NDArray[np.float64] | None]],
    ) -> None:
        """Prepare for the channels of each equipment; `numbers`: of each channel as `compared_with` returns them."""
        self.point, self.silence = np.concatenate([*point, _NO_POINT]), np.concatenate([*silence, _NO_TIME])
        sizes = [len(points) for points in point]
        self._of = [slice(end - size, end) for size, end in zip(sizes, np.cumsum(sizes).tolist(), strict=True)]
        self._equipment = np.repeat(np.arange(len(sizes)), sizes)
        self._numbers = [of_channel for of_equipment in numbers for of_channel in of_equipment]
        self.time, self.moment = np.zeros((2, len(self.point)), np.int64)
        self.value = np.full(len(self.point), np.nan)
        self.heard = np.zeros(len(self.point), np.bool_)
        self.at = np.zeros(len(sizes), np.int64)
        # Between these a value compares as the newest does.
        self._low, self._high = np.full((2, len(self.point)), np.nan)
        by_point = np.argsort(self.point, kind="stable")
        self._by_point, self._sorted = by_point, self.point[by_point]

    def take_in(self, readings: Batch, moment: NDArray[np.int64], now: int) -> NDArray[np.intp]:
        """Take in the readings of all equipment whose phase they cannot change, each with the moment of its arrival.

        Returns:
            The other equipment, for which nothing was taken in; in their order.
        """
        row, channel = self._pairs(readings.point)
        value = np.where(unusable(readings.flags), np.nan, readings.value)[row]
        time, moment = readings.time[row], moment[row]
        first = np.diff(channel, prepend=-1) != 0
        last = np.append(first[1:], True)[: len(first)]
        before = np.where(first, self.time[channel], np.roll(time, 1))
        arrived = np.where(first, self.moment[channel], np.roll(moment, 1))
        gap = np.maximum(moment - arrived, time - before) > self.silence[channel]
        stirs = (time <= before) | gap | ~self._compares_alike(channel, value)
        newest, at = channel[last], self.at.copy()
        heard = self.moment.copy()
        heard[newest] = moment[last]
        np.maximum.at(at, self._equipment[channel], time)
        stirred = at // HEARTBEAT > self.at // HEARTBEAT
        stirred[self._equipment[channel[stirs]]] = True
        stirred[self._equipment[self.heard & (now - heard > self.silence)]] = True
        calm = ~stirred[self._equipment[newest]]
        newest = newest[calm]
        self.time[newest], self.moment[newest] = time[last][calm], moment[last][calm]
        self.value[newest] = value[last][calm]
        self.at[~stirred] = at[~stirred]
        return np.flatnonzero(stirred)

    def newest(self, equipment: int) -> Newest:
        """What is known of the points of one equipment; once it was written, `settle` it."""
        of, own = self._of[equipment], slice(equipment, equipment + 1)
        return Newest(self.time[of], self.moment[of], self.value[of], self.heard[of], self.at[own])

    def settle(self, equipment: int) -> None:
        """Find between which values the points of an equipment compare as they do now."""
        for channel in range(self._of[equipment].start, self._of[equipment].stop):
            value, numbers = self.value[channel], self._numbers[channel]
            low = high = value  # only what is equal compares alike for sure
            if numbers is not None and not np.isnan(value):
                reach = _UNSURE * np.abs(numbers)
                if not (np.abs(value - numbers) <= reach).any():
                    low = (numbers + reach)[numbers < value].max(initial=-np.inf)
                    high = (numbers - reach)[numbers > value].min(initial=np.inf)
            self._low[channel], self._high[channel] = low, high

    def _pairs(self, point: NDArray[np.int32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Each reading with each channel of its point: rows and channels, by channel in the order of arrival."""
        begin, end = (np.searchsorted(self._sorted, point, side) for side in ("left", "right"))
        many = end - begin
        row = np.repeat(np.arange(len(point)), many)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(many) - many, many)
        channel = self._by_point[np.repeat(begin, many) + nth]
        order = np.argsort(channel, kind="stable")
        return row[order], channel[order]

    def _compares_alike(self, channel: NDArray[np.intp], value: NDArray[np.float64]) -> NDArray[np.bool_]:
        known = self.value[channel]
        between = (value > self._low[channel]) & (value < self._high[channel])
        alike = between | (value == known) | (np.isnan(value) & np.isnan(known))
        return np.asarray(alike & self.heard[channel], np.bool_)


def compared_with(
    conditions: Sequence[tuple[Expression, Sequence[int]]], channels: int
) -> list[NDArray[np.float64] | None]:
    """Return the numbers with which each of so many channels is compared; None: any change of it may count.

    `conditions`: each with the channels of its names.
    """
    found: list[list[float] | None] = [[] for _ in range(channels)]

    def add(channel: int, number: float | None) -> None:
        before = found[channel]
        found[channel] = None if number is None or before is None else [*before, number]

    for condition, places in conditions:
        if not condition.decided:
            for place in places:
                add(place, None)
            continue
        numbers = [np.array(number) for number in condition.numbers]
        for comparison in condition.comparisons:
            for side, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
                if isinstance(side, int):
                    add(places[side], None if isinstance(other, int) else float(constant(other, numbers)))
    return [None if of_channel is None else np.array(of_channel) for of_channel in found]


_NO_POINT: Final = np.empty(0, np.int32)
_NO_TIME: Final = np.empty(0, np.int64)

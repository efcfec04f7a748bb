"""Derived points: channels that get their readings from an expression over other points.

A channel is an index like a point's, after all real ones; rules judge it, gates look at it. It gets a reading whenever
one of its drivers does, at that reading's time, from the driver's own value and the newest usable ones of the others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import State, take_over
from detectors.expression import Remembered, compile_expression
from detectors.feed import NEVER, Columns, Feed, S
from detectors.ring import Parts, Ring
from detectors.runs import Runs, Watch
from detectors.trip import Arrays

_PARTS: Final = 16
"""A look back is kept as the first values of so many parts of its time."""


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived point.

    Attributes:
        key: its identity; memory follows it.
        text: the expression.
        inputs: the points its names stand for, in the order of `Expression.names`.
        drivers: the points whose readings give it one. A channel that rules judge has one driver, so that its time
            increases; one that only gates look at may have several.
        channel: its index.
        fresh_s: a value of another point that is older than this, s, is not known any more.
    """

    key: str
    text: str
    inputs: tuple[int, ...]
    drivers: tuple[int, ...]
    channel: int
    fresh_s: float = math.inf


@dataclass(frozen=True, slots=True, eq=False)
class _Driven:
    """Channels (by row) with the readings (places in the batch) and the points that drive them; their numbers."""

    row: NDArray[np.intp]
    at: NDArray[np.intp]
    driver: NDArray[np.int32]
    channel: NDArray[np.int32]
    numbers: list[NDArray[np.float64]]
    inputs: NDArray[np.int32]
    newest: list[NDArray[np.intp]] | None  # where each input's newest reading stands, where that is so in every batch


class Derivation:
    """All derived points whose expressions do the same arithmetic, on different points and with different numbers.

    >>> from detectors.examples import series
    >>> from detectors.feed import Known, make_feed
    >>> rise = Derivation([Derived("rise", "OUT - IN", (0, 1), (0,), 2)], 3)
    >>> feed = make_feed(series([30.0, 31.0, 45.0], others=[[25.0, 25.0, 26.0]]), Known(3))
    >>> rise.readings(feed).value.tolist()
    [5.0, 6.0, 19.0]
    """

    def __init__(self, derived: Sequence[Derived], points: int) -> None:
        """Compile for channels whose expressions have one shape. Raises ExpressionError."""
        expressions = [compile_expression(one.text) for one in derived]
        self._of = expressions[0]
        self.shape = self._of.shape
        self.key = tuple(one.key for one in derived)
        self._inputs = np.array([one.inputs for one in derived], np.int32)
        self._numbers = np.array([one.numbers for one in expressions], np.float64).T
        self._channel = np.array([one.channel for one in derived], np.int32)
        self._fresh = np.array([min(one.fresh_s, 1e9) * 1e9 for one in derived]).astype(np.int64)
        pairs = sorted((driver, one.channel, row) for row, one in enumerate(derived) for driver in one.drivers)
        self._driver = np.array([driver for driver, _, _ in pairs], np.int32)
        self._row = np.array([row for _, _, row in pairs], np.intp)
        self._in_order = bool((np.diff(self._channel[self._row]) > 0).all())
        self._ages = bool(np.isfinite([one.fresh_s for one in derived]).any())
        self._own = [  # whether an input is what drives, in all channels
            all(one.drivers == (one.inputs[column],) for one in derived) for column in range(self._inputs.shape[1])
        ]
        self._watch = Watch(self._driver, points)
        self._layout: object | None = None  # of the batch that `_last` was found for
        self._place = np.empty(0, np.intp)
        self._last: _Driven | None = None
        self._looks = [_Look(call, len(derived)) for call in self._of.calls]

    def readings(self, feed: Feed) -> Feed:
        """The channels' readings for a batch; sorted as a feed is."""
        driven = self._driven(feed)
        runs = Runs.made(feed, driven.row, driven.at)
        values = [self._input(runs, driven, column) for column in range(self._inputs.shape[1])]
        value = self._of.evaluate(values, lambda call, now: self._looks[call].back(runs, now), driven.numbers)
        columns = Columns(driven.channel, feed.time[driven.at], value, feed.received[driven.at])
        return Feed(columns, feed.known, place=feed.place[driven.at])

    def _driven(self, feed: Feed) -> _Driven:
        """Which channels get a reading at which of the batch's; kept while batches hold one each of the same points."""
        same = feed.tile and feed.single and feed.complete and feed.layout is self._layout is not None
        if self._last is not None and same and np.array_equal(feed.place, self._place):
            return self._last
        driven = self._watch.runs(feed)
        row, at, driver = self._row[driven.row], driven.at, self._driver[driven.row]
        if not self._in_order:  # several drivers of a channel: their readings in the order of arrival
            order = np.lexsort((feed.place[at], self._channel[row]))
            row, at, driver = row[order], at[order], driver[order]
        inputs, newest = self._inputs[row], None
        if feed.tile and feed.single and feed.complete:
            newest = [feed.newest_here(inputs[:, column], feed.place[at]) for column in range(inputs.shape[1])]
        numbers = [number[row] for number in self._numbers]
        found = _Driven(row, at, driver, self._channel[row], numbers, inputs, newest)
        settled = feed.single and feed.tile and feed.complete and self._in_order
        self._layout, self._place = feed.layout if settled else None, feed.place
        self._last = found
        return found

    def state(self) -> State:
        """What its looks back remember."""
        arrays: Arrays = {}
        for number, look in enumerate(self._looks):
            arrays |= {f"{number}_{name}": array for name, array in look.arrays().items()}
        return State(self.key, arrays)

    def restore(self, state: State) -> None:
        """Take over what is remembered of every channel known by its key."""
        take_over(self.state(), state)

    def _input(self, runs: Runs, driven: _Driven, column: int) -> NDArray[np.float64]:
        if self._own[column]:
            return runs.value
        point = driven.inputs[:, column]
        feed, newest = runs.feed, driven.newest
        value, time = runs.newest(point) if newest is None else feed.newest_at(newest[column], point)
        if self._ages:
            value = np.where(runs.time - time <= self._fresh[runs.row], value, np.nan)
        return np.where(point == driven.driver, runs.value, value)


def extend(feed: Feed, derivations: Sequence[Derivation]) -> Feed:
    """The batch with the readings of all derived points: their channels come after all points."""
    parts = [part for part in (one.readings(feed) for one in derivations) if len(part)]
    if not parts:
        return feed
    order = np.argsort(np.concatenate([part.point for part in parts]), kind="stable")

    def joined(own: NDArray[S], derived: Sequence[NDArray[S]]) -> NDArray[S]:
        return np.concatenate((own, np.concatenate(derived)[order]))

    columns = Columns(
        joined(feed.point, [part.point for part in parts]),
        joined(feed.time, [part.time for part in parts]),
        joined(feed.value, [part.value for part in parts]),
        joined(feed.received, [part.received for part in parts]),
    )
    place = joined(feed.place, [part.place for part in parts])
    # Where every point and every channel has one reading, the batch still is a tile of one step.
    single = feed.single and all(part.single for part in parts)
    return Feed(columns, feed.known, place=place, tile=len(place) if single else 0)


def derivations(derived: Sequence[Derived], points: int) -> list[Derivation]:
    """Channels grouped by what their expressions do: the same arithmetic, whatever the points and the numbers."""
    shapes: dict[str, list[Derived]] = {}
    for one in derived:
        shapes.setdefault(compile_expression(one.text).shape, []).append(one)
    return [Derivation(ones, points) for ones in shapes.values()]


class _Look:
    """The memory of one call that looks back."""

    def __init__(self, call: Remembered, rows: int) -> None:
        self._mean = call.function == "mean"
        self._span = round(call.seconds * 1e9)
        self._part = max(self._span // _PARTS, 1)
        self._parts = Parts(np.full(rows, self._part))
        self._ring = Ring(rows, _PARTS + 2, {"time": int(NEVER), "value": math.nan})

    def back(self, runs: Runs, now: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the call is worth at each pair."""
        kept = self._parts.choose(runs, ~np.isnan(now))
        past = self._ring.push(runs, kept, {"time": runs.time[kept], "value": now[kept]})
        places = np.arange(len(runs))
        age = runs.time[:, None] - np.asarray(past.windows("time", places), np.int64)
        value = np.asarray(past.windows("value", places), np.float64)
        return self._average(age, value, now) if self._mean else self._lagged(age, value)

    def arrays(self) -> Arrays:
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

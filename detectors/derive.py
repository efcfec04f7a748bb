"""Derived points: channels whose readings are computed by an expression over other points.

A channel is an index like a point's, after all real ones; rules and gates use it alike. It gets a reading whenever one
of its drivers does, at that reading's time, from the driver's own value and the newest usable ones of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.comparisons import Chosen, ComparisonTable, Made, Side
from detectors.detector import State, take_over
from detectors.expression import Part, compile_expression, constant
from detectors.feed import Feed, S
from detectors.lazy import lazy
from detectors.look_back import LookBackState
from detectors.masks import anywhere, everywhere
from detectors.rules import NO_POINT
from detectors.runs import RuleIndex, Runs
from detectors.trip import Arrays

_FEW: Final = 4096
"""Up to this many channels in a batch, all their comparisons are made at once."""


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived point.

    Attributes:
        key: its identity, by which state is kept.
        text: the expression.
        inputs: the points that its names mean, in the order of `Expression.names`.
        drivers: the points whose readings trigger one of it. A channel that rules evaluate has one driver, so that its
            time increases; one that only gates use may have several.
        channel: its index.
        fresh_s: age, s, beyond which a value of another point counts as unknown.
    """

    key: str
    text: str
    inputs: tuple[int, ...]
    drivers: tuple[int, ...]
    channel: int
    fresh_s: float = math.inf


class Derivation:
    """All derived points whose expressions have one shape, with different points and numbers."""

    def __init__(self, derived: Sequence[Derived]) -> None:
        """Compile for channels whose expressions have one shape. Raises ExpressionError."""
        expressions = [compile_expression(spec.text) for spec in derived]
        self._of = expressions[0]
        self.shape = self._of.shape
        self.derived = tuple(derived)
        self.key = tuple(spec.key for spec in derived)
        self.fresh = np.array([min(spec.fresh_s, 1e9) * 1e9 for spec in derived]).astype(np.int64)
        """int64[r], ns: how old a value of another point may be."""
        if not any(math.isfinite(spec.fresh_s) for spec in derived):
            self.fresh[:] = np.iinfo(np.int64).max  # also one of which only the value is known, not the time
        self.number = np.array([expression.numbers for expression in expressions], np.float64).T
        """float64[n, r], the numbers in the channels' expressions, in their order."""
        self.comparisons: list[Made] = [
            (self._side(comparison.left), self._side(comparison.right), comparison.test)
            for comparison in self._of.comparisons
        ]
        """Those of its comparisons that are made for many expressions at once: sides and test each."""
        self.decided = self._of.decided
        """Whether what those give decides its values."""
        self._look_backs = [LookBackState(call, len(derived)) for call in self._of.calls]

    def values(
        self,
        runs: Callable[[], Runs],
        inputs: NDArray[np.float64],
        numbers: Sequence[NDArray[np.float64]],
        compared: NDArray[np.float64] | None,
        *,
        known: bool,
    ) -> NDArray[np.float64]:
        """Values of channels (float64[k]) for these `inputs` of the points they name (float64[names or more, k]).

        A result that is not finite is unknown, and returned as it is. `runs` pairs channels with the readings that
        drive them, for expressions that look back; `compared`: what `comparisons` give (float64[comparisons or more,
        k]), None = they are still to be made; `known`: no input is NaN.
        """
        return self._of.worth(
            [*inputs],
            lambda call, now: self._look_backs[call].at_pairs(runs(), now),
            numbers,
            None if compared is None else [*compared],
            known=known,
        )

    def _side(self, side: int | Part) -> Side:
        """A side of a comparison in all channels."""
        return side if isinstance(side, int) else constant(side, self.number)

    def state(self) -> State:
        """The state of its calls that look back."""
        arrays: Arrays = {}
        for number, look_back in enumerate(self._look_backs):
            arrays |= {f"{number}_{name}": array for name, array in look_back.arrays().items()}
        return State(self.key, arrays)

    def restore(self, state: State) -> None:
        """Restore the state of every channel known by its key."""
        take_over(self.state(), state)


@dataclass(frozen=True, slots=True, eq=False)
class _Driven:
    """The channels that a batch drives, sorted by channel within each part, and their inputs.

    Attributes:
        row, at: intp[k], the channels among all and the readings that drive them.
        channel: int32[k], their indices in their final order.
        order: intp[k], sorts them into it; None = they are sorted.
        parts: each derivation involved, its part of the above, its first channel among all, and the numbers
            in its expressions.
        other: where in the inputs ([most, k], by row and column, intp[m] each) another point than the driver is.
        point: int32[m], those points; `newest`: intp[m], index of their newest readings in the batch, -1 = before.
        by: intp[m], the driving readings at which they are read; `fresh`: int64[m], ns, how old they may be.
        compared: their comparisons; None = they are so many that each is better made by itself.
    """

    row: NDArray[np.intp]
    at: NDArray[np.intp]
    channel: NDArray[np.int32]
    order: NDArray[np.intp] | None
    parts: list[tuple[Derivation, slice, int, list[NDArray[np.float64]]]]
    other: tuple[NDArray[np.intp], NDArray[np.intp]]
    point: NDArray[np.int32]
    newest: NDArray[np.intp]
    by: NDArray[np.intp]
    fresh: NDArray[np.int64]
    compared: Chosen | None


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The values of a batch's channels, and the results of comparisons that led to them.

    Attributes:
        driven: what the batch drove; None = there was none.
        truth: the results, as bytes.
        value: float64[k] for each part.
    """

    driven: _Driven | None
    truth: bytes
    value: list[NDArray[np.float64]]


class _Joined:
    """The columns of a batch followed by those of the readings it drives, each built on first use."""

    def __init__(self, feed: Feed, driven: _Driven, value: NDArray[np.float64]) -> None:
        self._feed, self._driven, self._value = feed, driven, value

    @lazy
    def point(self) -> NDArray[np.int32]:
        return np.concatenate((self._feed.point, self._driven.channel))

    @lazy
    def time(self) -> NDArray[np.int64]:
        return self._followed(self._feed.time)

    @lazy
    def value(self) -> NDArray[np.float64]:
        order = self._driven.order
        return np.concatenate((self._feed.value, self._value if order is None else self._value[order]))

    @lazy
    def raw(self) -> NDArray[np.float64] | None:
        if not self._feed.failing:
            return None
        order = self._driven.order
        return np.concatenate((self._feed.raw, self._value if order is None else self._value[order]))

    @lazy
    def received(self) -> NDArray[np.int64]:
        return self._followed(self._feed.received)

    @lazy
    def place(self) -> NDArray[np.intp]:
        return self._followed(self._feed.place)

    def materialise(self) -> None:
        """Build all columns now and release the batch, so that a long one is not held twice."""
        _ = self.point, self.time, self.value, self.raw, self.received, self.place
        del self._feed, self._driven, self._value

    def _followed(self, own: NDArray[S]) -> NDArray[S]:
        """A column followed by that of the driving readings."""
        at, order = self._driven.at, self._driven.order
        return np.concatenate((own, own[at if order is None else at[order]]))


class Derivations:
    """All derived points, looked up together whatever their shapes.

    >>> from detectors.examples import series
    >>> from detectors.feed import Known, make_feed
    >>> rise = Derivations([Derived("rise", "OUT - IN", (0, 1), (0,), 2)], 3)
    >>> feed = rise.extend(make_feed(series([30.0, 31.0, 45.0], others=[[25.0, 25.0, 26.0]]), Known(3)))
    >>> feed.value[feed.point == 2].tolist()
    [5.0, 6.0, 19.0]
    """

    def __init__(self, derived: Sequence[Derived], points: int) -> None:
        """Compile for channels over `points` points. Raises ExpressionError."""
        shapes: dict[str, list[Derived]] = {}
        for spec in derived:
            shapes.setdefault(compile_expression(spec.text).shape, []).append(spec)
        self.parts = tuple(Derivation(specs) for specs in shapes.values())
        ordered = [spec for part in self.parts for spec in part.derived]
        self._begin = np.cumsum([0, *(len(part.key) for part in self.parts)])
        self._channel = np.array([spec.channel for spec in ordered], np.int32)
        self._fresh = np.concatenate([np.empty(0, np.int64), *(part.fresh for part in self.parts)])
        self._ages = any(math.isfinite(spec.fresh_s) for spec in ordered)
        most = max((len(spec.inputs) for spec in ordered), default=0)
        inputs = [[*spec.inputs, *[NO_POINT] * (most - len(spec.inputs))] for spec in ordered]
        self._inputs = np.ascontiguousarray(np.array(inputs, np.int32).reshape(len(ordered), most).T)
        pairs = [(driver, row) for row, spec in enumerate(ordered) for driver in spec.drivers]
        self._driver = np.array([driver for driver, _ in pairs], np.int32)
        self._row = np.array([row for _, row in pairs], np.intp)
        self._several = len(pairs) > len(ordered)
        self._is_other = (self._inputs[:, self._row] != self._driver) & (self._inputs[:, self._row] != NO_POINT)
        self._number = np.zeros((max((len(part.number) for part in self.parts), default=0), len(ordered)))
        for part, begin in zip(self.parts, self._begin.tolist(), strict=False):
            self._number[: len(part.number), begin : begin + len(part.key)] = part.number
        self._comparisons = ComparisonTable([(len(part.key), part.comparisons) for part in self.parts], most)
        self._index = RuleIndex(self._driver, points)
        self._layouts: tuple[object | None, object | None] = (None, None)  # of the last batch, and of it extended
        self._last_layout: object | None = None  # layout of the batch that `_last` was found for
        self._last: _Driven | None = None
        self._before = _Values(None, b"", [])

    def extend(self, feed: Feed) -> Feed:
        """The batch with the readings of all derived points appended, since channels come after all points."""
        driven = self._driven(feed) if self.parts else None
        if driven is None:
            return feed
        with np.errstate(all="ignore"):
            value = np.concatenate(self._values(feed, driven))
        finite = np.isfinite(value)
        if not (all_finite := everywhere(finite)):
            value[~finite] = np.nan
        columns = _Joined(feed, driven, value)
        if not feed.single:
            columns.materialise()
        # Where every point and every channel has one reading, the batch still is a tile of one step.
        single = feed.single and (not self._several or everywhere(driven.channel[1:] > driven.channel[:-1]))
        place = None if feed.together else lambda: columns.place
        extended = Feed(columns, feed.known, place=place, tile=len(columns.point) if single else 0)
        extended.together, extended.complete = feed.together, feed.complete and all_finite
        if feed.layout is None or self._layouts[0] is not feed.layout:
            self._layouts = feed.layout, object()
        extended.layout = self._layouts[1]
        return extended

    def _values(self, feed: Feed, driven: _Driven) -> list[NDArray[np.float64]]:
        """The values of each part; those that comparisons decide are made anew only when one of these changes."""
        given, before, compared = self._given(feed, driven), self._before, None
        known, bits = not anywhere(np.isnan(given)), b""
        if driven.compared is not None:
            truth = driven.compared.truths(given, known=known and self._comparisons.known)
            compared, bits = driven.compared.by_channel(truth), truth.tobytes()
        same = before.driven is driven and before.truth == bits
        values = [
            before.value[nth]
            if same and part.decided
            else part.values(
                partial(Runs.made, feed, driven.row[of] - first, driven.at[of]),
                given[:, of],
                numbers,
                None if compared is None else compared[:, of],
                known=known,
            )
            for nth, (part, of, first, numbers) in enumerate(driven.parts)
        ]
        if not same and driven is self._last and compared is not None:
            self._before = _Values(driven, bits, values)
        return values

    def _given(self, feed: Feed, driven: _Driven) -> NDArray[np.float64]:
        """float64[most, k], the input values: the driver's own, and the newest ones of other points."""
        given = np.empty((len(self._inputs), len(driven.at)))
        given[:] = feed.value[driven.at]
        if len(driven.point):
            value, time = feed.shown(driven.newest, driven.point)
            if self._ages:
                value[feed.time[driven.by] - time > driven.fresh] = np.nan
            given[driven.other] = value
        return given

    def _driven(self, feed: Feed) -> _Driven | None:
        """What a batch drives, None = nothing; reused while batches hold one reading each of the same points."""
        lasting = feed.layout is not None and feed.single and feed.complete and feed.together
        if lasting and feed.layout is self._last_layout:
            return self._last
        runs = self._index.runs(feed)
        driven = self._find(feed, runs) if len(runs) else None
        self._last_layout, self._last = (feed.layout, driven) if lasting else (None, None)
        return driven

    def _find(self, feed: Feed, runs: Runs) -> _Driven:
        pair, at = runs.row, runs.at
        row = self._row[pair]
        if self._several:  # several drivers of a channel: their readings in the order of arrival
            order = np.lexsort((feed.place[at], row))
            pair, row, at = pair[order], row[order], at[order]
            if not everywhere(telling := _telling(feed, row, at)):
                pair, row, at = pair[telling], row[telling], at[telling]
        elif not everywhere(row[1:] >= row[:-1]):
            order = row.argsort(kind="stable")
            pair, row, at = pair[order], row[order], at[order]
        bounds, number = row.searchsorted(self._begin).tolist(), self._number[:, row]
        parts = [
            (part, slice(begin, end), first, [*number[: len(part.number), begin:end]])
            for part, first, (begin, end) in zip(self.parts, self._begin.tolist(), pairwise(bounds), strict=False)
            if end > begin
        ]
        other = self._is_other[:, pair].nonzero()
        name, nth = other
        point, by = self._inputs[name, row[nth]], at[nth]
        newest = feed.newest_here(point, feed.place[by]) if len(point) else nth
        channel, final = self._channel[row], None
        if not everywhere(channel[1:] >= channel[:-1]):
            final = np.argsort(channel, kind="stable")
            channel = channel[final]
        return _Driven(
            row,
            at,
            channel,
            final,
            parts,
            other,
            point,
            newest,
            by,
            self._fresh[row[nth]],
            self._comparisons.choose(row) if len(row) <= _FEW else None,
        )


def _telling(feed: Feed, row: NDArray[np.intp], at: NDArray[np.intp]) -> NDArray[np.bool_]:
    """bool[k], of readings (`at`, intp[k]) that drive channels (`row`, intp[k], sorted) all but those repeated.

    Usable readings of one moment see the same of all points, so that the last of them tells what each would.
    """
    moment, usable = feed.place[at], ~np.isnan(feed.value[at])
    telling = np.ones(len(at), bool)
    telling[:-1] = (row[1:] != row[:-1]) | (moment[1:] != moment[:-1]) | ~(usable[1:] & usable[:-1])
    return telling

"""What a group of points is learnt from: which members it tells of, how finely, and limits that do not flatter.

A lesson in which no member moved teaches nothing. A member that was missing in more than half of it is not judged. One
that stood still all the while is judged as if its standard deviation were 1 % of where it stood, or the rounding error
of its last digit if that is more: once it moves, nobody knows what is normal. One that went one way all the while, so
that nearly all of its variance lies between the fifths of the lesson, has no level that could be known, and is not
judged as long as others are left.

A lesson may be finer than what comes later, or than the instruments are. So every reading may be off by the rounding
error of the least step between the values of its member and by `ACCURACY` of their mean, and the standard deviation of
a member is that at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Parts = Sequence[Floats]
"""Stretches, float64[n_i, d], of vectors that follow each other."""

M = TypeVar("M")

FOLDS: Final = 5
LEAST_SCALE: Final = 1e-9  # relative to the mean: below it, a point stood still while the group was learnt
STILL_SCALE: Final = 0.01  # relative to the mean: the scale of a point that stood still
ACCURACY: Final = 0.0005
"""Of its mean: standard deviation of an instrument of accuracy class 0.1 (GB/T 13283), half of what it may be off."""
ROUNDING: Final = 12**-0.5
"""Of a step: standard deviation of what is lost by rounding to it."""
MOST_DIGITS: Final = 9
DRIFTED: Final = 0.9
"""Share of its variance between the fifths of a lesson beyond which a member has no level; a straight line has .96."""
UNSETTLED: Final = 0.4
"""The same share of any member beyond which the lesson is not settled."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What single members do.

    Attributes:
        mean: float64[d].
        scale: float64[d], standard deviation; inf = not judged.
        still: bool[d], stood still all the while.
        inexact: float64[d], standard deviation by which a reading may be off, in those of the member.
    """

    mean: Floats
    scale: Floats
    still: NDArray[np.bool_]
    inexact: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Vectors to learn from, in order of time.

    Attributes:
        rows: float64[n, d], NaN where a value is missing.
        begins: bool[n], the vector does not follow the one before.
    """

    rows: Floats
    begins: NDArray[np.bool_]

    def parts(self, which: NDArray[np.intp] | None = None) -> list[Floats]:
        """The stretches of all vectors, or of some of them (increasing)."""
        at = np.arange(len(self.rows)) if which is None else which
        cuts = np.flatnonzero(self.begins[at[1:]] | (np.diff(at) > 1)) + 1
        return [self.rows[piece] for piece in np.split(at, cuts) if len(piece)]


def usual_of(rows: Floats, *, part: bool = False) -> Usual:
    """What is usual in these vectors (float64[n, d]); from `part` of a lesson, what stood still is left out."""
    present = ~np.isnan(rows)
    count = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, rows, 0.0).sum(axis=0) / count
    scale = np.sqrt(np.where(present, (rows - mean) ** 2, 0.0).sum(axis=0) / count)
    still = scale <= LEAST_SCALE * np.abs(mean)
    if still.any():
        digits = np.array([ROUNDING * last_digit(value) for value in mean.tolist()])
        least = np.maximum(np.maximum(STILL_SCALE * np.abs(mean), digits), LEAST_SCALE)
        scale = np.where(still, np.inf if part else least, scale)
    inexact = np.hypot(ACCURACY * mean, ROUNDING * steps(rows))
    scale = np.where(2 * present.sum(axis=0) >= len(rows), np.maximum(scale, inexact), np.inf)
    return Usual(mean, scale, still, inexact / scale)


def drift_of(rows: Floats) -> Floats:
    """The share of each member's variance that lies between fifths of a lesson (float64[n, d]), float64[d].

    >>> level = np.column_stack((np.arange(100.0), np.arange(100.0) % 2, np.ones(100)))
    >>> drift_of(level).round(2).tolist()
    [0.96, 0.0, 0.0]
    """
    known = ~np.isnan(rows)
    off = np.where(known, rows - np.where(known, rows, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), 0.0)
    level = np.array([fifth.mean(axis=0) for fifth in np.array_split(off, FOLDS)])
    total = (off**2).mean(axis=0)
    level -= level.mean(axis=0)
    return np.asarray(np.where(total > 0, (level**2).mean(axis=0) / np.where(total > 0, total, 1.0), 0.0))


def with_levels(rows: Floats, moves: NDArray[np.bool_]) -> Floats:
    """The vectors of a lesson, NaN for members without a level, unless all that move (bool[d]) are without."""
    lost = moves & (drift_of(rows) > DRIFTED)
    return rows if (lost == moves).all() else np.where(lost, np.nan, rows)


def steps(rows: Floats) -> Floats:
    """The least step between values of each member (float64[n, d], NaN = missing), float64[d]; 0 where it has none.

    >>> steps(np.array([[0.5, 7.0], [2.0, 7.0], [0.75, np.nan]])).tolist()
    [0.25, 0.0]
    """
    apart = np.diff(np.sort(rows, axis=0), axis=0)  # NaN comes last
    real = apart > LEAST_SCALE * np.abs(np.nan_to_num(rows)).max(axis=0)
    least: Floats = np.where(real, apart, np.inf).min(axis=0, initial=np.inf)
    return np.where(np.isinf(least), 0.0, least)


def last_digit(value: float) -> float:
    """What one in the last decimal of a number is worth, at most 1; 0 for a number without digits, as 0 is.

    >>> last_digit(12.5), last_digit(-300.0), last_digit(0.0)
    (0.1, 1.0, 0.0)
    """
    for digits in range(MOST_DIGITS + 1):
        if abs(round(value, digits) - value) <= LEAST_SCALE * abs(value):
            return 10.0**-digits if value else 0.0
    return 0.0


def scatter(parts: Parts) -> Floats:
    """Mean outer product (float64[d, d]) of the rows of all stretches; added up row by row, not by a library."""
    rows = np.concatenate(parts)
    return np.stack([(rows[:, [i]] * rows).sum(axis=0) for i in range(rows.shape[1])]) / max(len(rows), 1)


def left_out(lesson: Lesson, fit: Callable[[Parts], M], measure: Callable[[Parts, M], Floats]) -> Floats:
    """The statistics ([n] or [n, s]) of vectors, each measured by a model learnt without the block it is in.

    `fit` learns from the rest, `part` of the lesson: a member that moves in the block alone must not set the limit.
    Measured on the vectors it was learnt from, a statistic of many dimensions comes out far too small.
    """
    found: list[Floats] = []
    everything = np.arange(len(lesson.rows))
    for block in np.array_split(everything, FOLDS):
        model = fit(lesson.parts(np.setdiff1d(everything, block)))
        found.append(measure(lesson.parts(block), model))
    return np.concatenate(found)

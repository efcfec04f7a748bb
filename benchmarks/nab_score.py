"""The score of the Numenta Anomaly Benchmark, rewritten from its description.

A row inside a labelled window earns more the earlier it is; only the best alarmed row of a window counts, and a window
without one costs a miss. An alarmed row outside costs a false alarm, less just behind a window. The first rows of a
file are probation and count for nothing. One threshold serves the whole corpus, the one that scores best. 100 is every
window found at its first row and no false alarm, 0 is never alarming.

Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms: the Numenta Anomaly Benchmark", ICMLA 2015. Where
the published scorer (NAB v1.1) says more, it is followed: a window's first row earns exactly its weight, and its last
row is a step short of the right edge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PROBATION: Final = 0.15
PROBATION_MOST_ROWS: Final = 5_000
NEVER: Final = 1.1
"""The threshold no score in [0, 1] reaches."""
_STEEPNESS: Final = 5.0
_FAR: Final = 3.0
OUTSIDE: Final = -1

_FULL: Final = 2.0 / (1.0 + math.exp(-_STEEPNESS)) - 1.0
"""What a window's left edge is worth."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What a found window, a false alarm and a missed window count."""

    found: float = 1.0
    false: float = 0.11
    missed: float = 1.0


PROFILES: Final = {
    "standard": Weights(),
    "reward_low_fp": Weights(false=0.22),
    "reward_low_fn": Weights(missed=2.0),
}
"""NAB's `config/profiles.json`."""


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A file's rows as the scorer sees them.

    Attributes:
        worth: float64[n], unweighted: 1 to 0 inside a window, -1 to 0 outside.
        window: int64[n], the window's number in the file, -1 = outside.
        counts: bool[n], behind the probation.
        windows: how many windows the file has.
    """

    worth: Floats
    window: NDArray[np.int64]
    counts: NDArray[np.bool_]
    windows: int


@dataclass(frozen=True, slots=True)
class Scored:
    """A corpus's score in points and as normalised, and the threshold it was had at."""

    threshold: float
    points: float
    normalised: float


def probation(rows: int) -> int:
    """How many rows at the beginning of a file count for nothing."""
    return min(int(PROBATION * rows), int(PROBATION * PROBATION_MOST_ROWS))


def worth(position: Floats) -> Floats:
    """From 1 towards -1: position -1 is a window's left edge, 0 its right edge, 3 far behind."""
    near = 2.0 / (1.0 + np.exp(_STEEPNESS * np.minimum(position, _FAR))) - 1.0
    return np.where(position >= _FAR, -1.0, near)


def mark(rows: int, windows: Sequence[tuple[int, int]], exempt: int | None = None) -> Marked:
    """Mark a file's rows.

    Args:
        rows: how many.
        windows: first and last row of each, in order and apart.
        exempt: rows of probation; NAB's rule if not given.
    """
    row = np.arange(rows, dtype=np.float64)
    inside = np.full(rows, OUTSIDE, np.int64)
    position = np.full(rows, _FAR)
    for first, last in windows:
        behind = row > last
        position[behind] = (row[behind] - last) / max(last - first, 1)
    value = worth(position)
    for number, (first, last) in enumerate(windows):
        here = slice(first, last + 1)
        inside[here] = number
        value[here] = worth(np.asarray((row[here] - last - 1.0) / (last - first + 1.0), np.float64)) / _FULL
    return Marked(value, inside, row >= (probation(rows) if exempt is None else exempt), len(windows))


def sweep(files: Sequence[tuple[Marked, Floats]], weights: Weights) -> Scored:
    """The best threshold over all files and the score there; of equally good ones the highest."""
    worths, windows, scores, total = _joined(files)
    order = np.argsort(-scores, kind="stable")
    worths, windows, scores = worths[order], windows[order], scores[order]
    gain = np.where(windows == OUTSIDE, weights.false * worths, 0.0)
    reached = windows[windows != OUTSIDE]
    for number in np.unique(reached):
        rows = np.flatnonzero(windows == number)
        best = np.maximum.accumulate(np.append(-weights.missed, weights.found * worths[rows]))
        gain[rows] = np.diff(best)
    start = -weights.missed * len(np.unique(reached))
    points = np.append(start, start + np.cumsum(gain))
    whole = np.ones(len(points), np.bool_)
    whole[1:-1] = np.diff(scores) != 0
    taken = int(np.argmax(np.where(whole, points, -np.inf)))
    threshold = NEVER if taken == 0 else float(scores[taken - 1])
    return Scored(threshold, float(points[taken]), normalised(float(points[taken]), total, weights))


def points_at(marked: Marked, scores: Floats, threshold: float, weights: Weights) -> float:
    """A file's points if scores at or above the threshold are alarms."""
    alarms = (scores >= threshold) & marked.counts
    points = weights.false * float(marked.worth[alarms & (marked.window == OUTSIDE)].sum())
    for number in np.unique(marked.window[marked.counts & (marked.window != OUTSIDE)]):
        found = marked.worth[alarms & (marked.window == number)]
        points += max(-weights.missed, weights.found * float(found.max())) if len(found) else -weights.missed
    return points


def score_at(files: Sequence[tuple[Marked, Floats]], threshold: float, weights: Weights) -> Scored:
    """The corpus's score at a threshold that is given."""
    points = sum(points_at(marked, scores, threshold, weights) for marked, scores in files)
    return Scored(threshold, points, normalised(points, sum(marked.windows for marked, _ in files), weights))


def normalised(points: float, windows: int, weights: Weights) -> float:
    """Points on the scale where never alarming is 0 and perfection 100; 0 where there is nothing to find."""
    if windows == 0:
        return 0.0
    null = -weights.missed * windows
    return 100.0 * (points - null) / (weights.found * windows - null)


def _joined(files: Sequence[tuple[Marked, Floats]]) -> tuple[Floats, NDArray[np.int64], Floats, int]:
    """The counting rows of all files: worth, window (numbered through), score; and how many windows there are."""
    total = 0
    worths, windows, scores = [np.empty(0)], [np.empty(0, np.int64)], [np.empty(0)]
    for marked, score in files:
        keep = marked.counts
        worths.append(marked.worth[keep])
        windows.append(np.where(marked.window == OUTSIDE, OUTSIDE, marked.window + total)[keep])
        scores.append(score[keep])
        total += marked.windows
    return np.concatenate(worths), np.concatenate(windows), np.concatenate(scores), total

"""Evaluates single rules on short series, for doctests and the pictures of the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.bank import Bank
from detectors.detector import Hearing, ScoringDetector
from detectors.feed import Known, make_feed
from detectors.readings import Findings, Readings
from detectors.rules import GATE_OPS, NO_GATE, GateTable, RuleTable
from detectors.runs import RuleIndex

SECOND: Final = 1_000_000_000


def tables(kind: str, on: float, off: float | None = None, others: int = 0, **param: float) -> dict[str, RuleTable]:
    """One rule of that kind on point 0, without delays, gates or deadband, with `others` points 1, 2, ... as inputs."""
    return {
        kind: RuleTable(
            key=("example",),
            rule=np.array([0], np.int32),
            point=np.array([0], np.int32),
            on=np.array([on]),
            off=np.array([on if off is None else off]),
            on_delay=np.zeros(1, np.int64),
            off_delay=np.zeros(1, np.int64),
            gate=GateTable(np.array([NO_GATE], np.int32), np.array([GATE_OPS.index("==")], np.int8), np.zeros(1)),
            param={name: np.array([value]) for name, value in param.items()},
            inputs=np.arange(1, others + 1, dtype=np.int32)[None, :] if others else None,
        )
    }


def series(
    values: Sequence[float] | NDArray[np.float64],
    others: Sequence[Sequence[float] | NDArray[np.float64]] = (),
    step_s: float = 1.0,
) -> Readings:
    """Point 0's values, one every `step_s` seconds; those of the other points come just before, at the same time."""
    columns = np.array([*others, values], np.float64)
    point = np.tile(np.array([*range(1, len(columns)), 0], np.int32), columns.shape[1])
    time = np.repeat((np.arange(columns.shape[1]) * step_s * SECOND).astype(np.int64), len(columns))
    return Readings(point, time, columns.T.ravel(), time, point)


def find(made: Mapping[str, RuleTable], readings: Readings) -> Findings:
    """Evaluate a series in one batch."""
    return Bank(made).update(readings, int(readings.time[-1]))


def scores(kind: str, rules: RuleTable, readings: Readings) -> list[NDArray[np.float64]]:
    """The scores of each rule for the readings of its point, one array a rule; NaN = cannot tell.

    To inspect scores; a `Bank` evaluates plants. Readings of a point that are not newer than its
    newest are not scored.
    """
    (detector,) = (found for found in Bank({kind: rules}).detectors() if isinstance(found, ScoringDetector))
    points = rules.points()
    feed = make_feed(readings, Known(points))
    if isinstance(detector.scorer, Hearing):
        detector.scorer.hear(feed)
    runs = RuleIndex(rules.point, points).runs(feed)
    score = detector.scorer.score(runs)
    return [score[runs.row == row] for row in range(len(rules))]


def evaluate(
    kind: str,
    values: Sequence[float],
    on: float,
    off: float | None = None,
    others: Sequence[Sequence[float]] = (),
    step_s: float = 1.0,
    **param: float,
) -> list[str]:
    """The findings of one rule in a short series, in words."""
    found = find(tables(kind, on, off, len(others), **param), series(values, others, step_s))
    return [
        f"{'trips' if raised else 'returns'} at {time / SECOND:g} s: {value:.4g}"
        for raised, time, value in zip(found.raised.tolist(), found.time.tolist(), found.value.tolist(), strict=True)
    ]

"""Every detector by the name rules call it. Add one here, and the conformance tests and the docs walk it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from detectors.bad import Bad
from detectors.detector import Detector, Scorer, ScoringDetector
from detectors.limit import Limit
from detectors.out_of_range import OutOfRange
from detectors.rate import Rate
from detectors.rules import RuleTable
from detectors.silence import Silence
from detectors.stuck import Stuck

SCORERS: Final[Mapping[str, Callable[[RuleTable], Scorer]]] = {
    "limit": Limit,
    "rate": Rate,
    "stuck": Stuck,
    "range": OutOfRange,
    "bad": Bad,
}
"""Kinds whose verdict a reading decides."""

JUDGES: Final[Mapping[str, Callable[[RuleTable, int], Detector]]] = {"silence": Silence}
"""Kinds whose verdict time alone decides."""

KINDS: Final = (*SCORERS, *JUDGES)
"""The names rules may use."""


def build(kind: str, rules: RuleTable, points: int = 0) -> Detector:
    """The detector of that kind for those rules, over at least `points` points. Raises KeyError for an unknown kind."""
    points = max(points, rules.points())
    if kind in JUDGES:
        return JUDGES[kind](rules, points)
    return ScoringDetector(rules, SCORERS[kind](rules), points)

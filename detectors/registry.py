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

_SCORERS: Final[Mapping[str, Callable[[RuleTable], Scorer]]] = {
    "limit": Limit,
    "rate": Rate,
    "stuck": Stuck,
    "range": OutOfRange,
    "bad": Bad,
}
_JUDGES: Final[Mapping[str, Callable[[RuleTable], Detector]]] = {"silence": Silence}

KINDS: Final = (*_SCORERS, *_JUDGES)
"""The names rules may use."""


def build(kind: str, rules: RuleTable) -> Detector:
    """The detector of that kind for those rules. Raises KeyError for an unknown kind."""
    if kind in _JUDGES:
        return _JUDGES[kind](rules)
    return ScoringDetector(rules, _SCORERS[kind](rules))

"""All detectors by kind. One added here is covered by the conformance tests and the docs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from detectors.detector import Detector, Scorer, ScoringDetector
from detectors.kinds.bad import Bad
from detectors.kinds.count import Count
from detectors.kinds.current import Current
from detectors.kinds.cusum import Cusum
from detectors.kinds.deviation import Deviation
from detectors.kinds.ewma import Ewma
from detectors.kinds.first_out import FirstOut
from detectors.kinds.forecast import Forecast
from detectors.kinds.limit import Limit
from detectors.kinds.mahalanobis import Mahalanobis
from detectors.kinds.neighbour import Neighbour
from detectors.kinds.noise import Noise
from detectors.kinds.out_of_range import OutOfRange
from detectors.kinds.page_hinkley import PageHinkley
from detectors.kinds.pca import T2, Spe
from detectors.kinds.phase import Phase
from detectors.kinds.pinned import Pinned
from detectors.kinds.profile import Profile
from detectors.kinds.rate import Rate
from detectors.kinds.restart import Restart
from detectors.kinds.robust_z import RobustZ
from detectors.kinds.sequence import Sequence
from detectors.kinds.silence import Silence
from detectors.kinds.spike import Spike
from detectors.kinds.step import Step
from detectors.kinds.stuck import Stuck
from detectors.kinds.surprise import Surprise
from detectors.kinds.votes import Votes
from detectors.kinds.zscore import ZScore
from detectors.precision import lenient
from detectors.rules import RuleTable

SCORERS: Final[Mapping[str, Callable[[RuleTable], Scorer]]] = {
    "limit": Limit,
    "rate": Rate,
    "stuck": Stuck,
    "range": OutOfRange,
    "bad": Bad,
    "deviation": Deviation,
    "step": Step,
    "spike": Spike,
    "count": Count,
    "pinned": Pinned,
    "noise": Noise,
    "current": Current,
    "neighbour": Neighbour,
    "votes": Votes,
    "first_out": FirstOut,
    "restart": Restart,
    "sequence": Sequence,
    "ewma": Ewma,
    "cusum": Cusum,
    "page_hinkley": PageHinkley,
    "zscore": ZScore,
    "robust_z": RobustZ,
    "profile": Profile,
    "phase": Phase,
    "surprise": Surprise,
    "forecast": Forecast,
    "t2": T2,
    "spe": Spe,
    "mahalanobis": Mahalanobis,
}
"""Kinds whose verdict a reading decides."""

JUDGES: Final[Mapping[str, Callable[[RuleTable, int], Detector]]] = {"silence": Silence}
"""Kinds whose verdict time alone decides."""

EXACT: Final = frozenset({"range"})
"""Kinds whose limit lies just beyond the good range; their score handles values at its end itself."""

KINDS: Final = (*SCORERS, *JUDGES)
"""The names rules may use."""


def build(kind: str, rules: RuleTable, points: int = 0) -> Detector:
    """The detector of that kind for those rules, over at least `points` points. Raises KeyError for an unknown kind."""
    points = max(points, rules.points())
    if kind in JUDGES:
        return JUDGES[kind](rules, points)
    if kind not in EXACT:
        rules = lenient(rules)
    return ScoringDetector(rules, SCORERS[kind](rules), points)

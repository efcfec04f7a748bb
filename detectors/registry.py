"""Every detector by the name rules call it. Add one here, and the conformance tests and the docs walk it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from detectors.bad import Bad
from detectors.count import Count
from detectors.current import Current
from detectors.cusum import Cusum
from detectors.detector import Detector, Scorer, ScoringDetector
from detectors.deviation import Deviation
from detectors.ewma import Ewma
from detectors.first_out import FirstOut
from detectors.forecast import Forecast
from detectors.limit import Limit
from detectors.mahalanobis import Mahalanobis
from detectors.neighbour import Neighbour
from detectors.noise import Noise
from detectors.out_of_range import OutOfRange
from detectors.page_hinkley import PageHinkley
from detectors.pca import T2, Spe
from detectors.phase import Phase
from detectors.pinned import Pinned
from detectors.profile import Profile
from detectors.rate import Rate
from detectors.robust_z import RobustZ
from detectors.rules import RuleTable
from detectors.silence import Silence
from detectors.spike import Spike
from detectors.step import Step
from detectors.stuck import Stuck
from detectors.surprise import Surprise
from detectors.votes import Votes
from detectors.zscore import ZScore

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

KINDS: Final = (*SCORERS, *JUDGES)
"""The names rules may use."""


def build(kind: str, rules: RuleTable, points: int = 0) -> Detector:
    """The detector of that kind for those rules, over at least `points` points. Raises KeyError for an unknown kind."""
    points = max(points, rules.points())
    if kind in JUDGES:
        return JUDGES[kind](rules, points)
    return ScoringDetector(rules, SCORERS[kind](rules), points)

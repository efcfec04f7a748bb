"""The kinds of rule: what a person may write for each, and the score they become in the detector's own units."""

from collections.abc import Mapping
from typing import Any, Final

from ingest.plants.kinds.changes import ForecastSpec, RateSpec, SpikeSpec, StepSpec
from ingest.plants.kinds.drift import CusumSpec, EwmaSpec, PageHinkleySpec, ProfileSpec, RobustZSpec, ZScoreSpec
from ingest.plants.kinds.groups import MahalanobisSpec, SpeSpec, T2Spec
from ingest.plants.kinds.instruments import (
    BadSpec,
    CurrentSpec,
    NoiseSpec,
    PinnedSpec,
    RangeSpec,
    SilenceSpec,
    StuckSpec,
)
from ingest.plants.kinds.labels import LABELS, label_of
from ingest.plants.kinds.rule import Measure, RuleSpec, Score, Taken, Unfit
from ingest.plants.kinds.several import FirstOutSpec, NeighbourSpec, PhaseSpec, VotesSpec
from ingest.plants.kinds.surprise import SurpriseSpec
from ingest.plants.kinds.values import CountSpec, DeviationSpec, LimitSpec

__all__ = [
    "KINDS",
    "LABELS",
    "NUMBERS",
    "LimitSpec",
    "Measure",
    "RuleSpec",
    "Score",
    "Taken",
    "Unfit",
    "label_of",
    "overlay",
]

KINDS: Final[Mapping[str, type[RuleSpec]]] = {
    "limit": LimitSpec,
    "deviation": DeviationSpec,
    "rate": RateSpec,
    "step": StepSpec,
    "spike": SpikeSpec,
    "count": CountSpec,
    "stuck": StuckSpec,
    "pinned": PinnedSpec,
    "noise": NoiseSpec,
    "range": RangeSpec,
    "current": CurrentSpec,
    "bad": BadSpec,
    "silence": SilenceSpec,
    "forecast": ForecastSpec,
    "neighbour": NeighbourSpec,
    "votes": VotesSpec,
    "first_out": FirstOutSpec,
    "ewma": EwmaSpec,
    "cusum": CusumSpec,
    "page_hinkley": PageHinkleySpec,
    "zscore": ZScoreSpec,
    "robust_z": RobustZSpec,
    "profile": ProfileSpec,
    "phase": PhaseSpec,
    "surprise": SurpriseSpec,
    "t2": T2Spec,
    "spe": SpeSpec,
    "mahalanobis": MahalanobisSpec,
}
"""Every kind, by the name of its detector."""

_TEXTS: Final = {"kind", "level", "when", "unless", "of", "unit", "dust", "label", "label_en", "source", "confidence"}
_CHOICES: Final = {"latch", "red", "side", "nonzero", "edges", "bad_votes"}
_NAMES: Final = {"setpoint", "of_limit", "peers", "phase"}

NUMBERS: Final = frozenset(name for spec in KINDS.values() for name in spec.model_fields) - _TEXTS - _CHOICES - _NAMES
"""Keys whose numbers have a source."""

_FORMS: Final = (
    frozenset({"on", "on_percent", "on_offset", "on_span_percent"}),
    frozenset({"off", "off_percent", "off_offset"}),
    frozenset({"of_limit", "limit", "at"}),
    frozenset({"floor", "floor_span_percent"}),
)
"""Keys that say the same in different forms."""


def overlay(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A default rule with single keys of it changed; a rule of another kind replaces it.

    A number given in another form (absolute or percent) takes the default's away with it; a limit's new form also its
    return.
    """
    if own.get("kind", default.get("kind")) != default.get("kind"):
        return dict(own)
    gone: set[str] = set()
    for forms in _FORMS:
        if forms & own.keys():
            gone |= forms
    if not _FORMS[0] & own.keys() <= default.keys():
        gone |= _FORMS[1]
    return {key: value for key, value in default.items() if key not in gone} | dict(own)

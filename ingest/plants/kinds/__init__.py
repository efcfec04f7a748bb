"""The kinds of rule: the keys a person may write for each, and their score in the detector's units."""

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
from ingest.plants.kinds.restart import RestartSpec
from ingest.plants.kinds.rule import BorrowedLimit, Measure, RuleSpec, Score, Unfit
from ingest.plants.kinds.several import FirstOutSpec, NeighbourSpec, PhaseSpec, VotesSpec
from ingest.plants.kinds.steps import SequenceSpec
from ingest.plants.kinds.surprise import SurpriseSpec
from ingest.plants.kinds.values import CountSpec, DeviationSpec, LimitSpec

__all__ = [
    "KINDS",
    "LABELS",
    "NUMBERS",
    "OWN_INSTRUCTIONS",
    "BorrowedLimit",
    "LimitSpec",
    "Measure",
    "RuleSpec",
    "Score",
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
    "restart": RestartSpec,
    "sequence": SequenceSpec,
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

_CONDITIONS: Final = {"when", "unless", "phases", "dust"}
_TEXTS: Final = {"kind", "level", "of", "unit", "label", "label_en", "source", "confidence"}
OWN_INSTRUCTIONS: Final = frozenset(
    {"cause", "cause_en", "consequence", "consequence_en", "action", "action_en", "respond_s"}
)
"""Keys by which a plant file says itself what an alarm asks of people."""

_CHOICES: Final = {"latch", "signed", "red", "side", "nonzero", "edges", "bad_votes"}
_NAMES: Final = {"setpoint", "of_limit", "peers", "phase", "inspected", "enters", "single"}

NUMBERS: Final = (
    frozenset(name for spec in KINDS.values() for name in spec.model_fields)
    - _CONDITIONS
    - _TEXTS
    - _CHOICES
    - _NAMES
    - OWN_INSTRUCTIONS
)
"""Keys whose numbers have a source."""

_FORMS: Final = (
    frozenset({"on", "on_percent", "on_offset", "on_span_percent"}),
    frozenset({"off", "off_percent", "off_offset"}),
    frozenset({"of_limit", "limit", "at"}),
    frozenset({"floor", "floor_span_percent"}),
)
"""Groups of keys that give the same number in different forms."""


def overlay(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Overlay a default rule with a plant's own keys; a rule of another kind replaces it.

    A number given in another form (absolute or percent) replaces the default's; a limit's new form also replaces its
    return, and other points that trip also replace which of them are `single`.
    """
    if own.get("kind", default.get("kind")) != default.get("kind"):
        return dict(own)
    replaced: set[str] = set()
    for forms in _FORMS:
        if forms & own.keys():
            replaced |= forms
    if not _FORMS[0] & own.keys() <= default.keys():
        replaced |= _FORMS[1]
    if "after" in own:
        replaced.add("single")
    return {key: value for key, value in default.items() if key not in replaced} | dict(own)

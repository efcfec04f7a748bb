"""Rules of every kind that learns, for records of any pace: settings in readings, floors in what a point spans."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.healthy_records import DAY_S, HealthyRecord
from detectors import NO_GATE, NO_POINT, GateTable, RuleTable
from detectors.kinds.mahalanobis import USUAL as USUAL_GROUP
from detectors.kinds.surprise import USUAL as USUAL_SURPRISE

FLOOR: Final = 0.001
"""Of what a point spans."""
_TRAIN: Final = 300.0
_PCA: Final[Mapping[str, float]] = {"train": _TRAIN, "share": 0.9, "quantile": 0.99, "smoothing": 1.0}


@dataclass(frozen=True, slots=True)
class Learning:
    """How a kind is measured.

    Attributes:
        on, off: its limits; in readings of the record if `in_steps`.
        param: parameters, as they are.
        steps: parameters that are times, in readings of the record.
        span: parameters in the point's unit, in what the point spans.
        group: one rule on all points, instead of one on each.
        budgeted: whether its limits can be learnt for a budget.
    """

    on: float
    off: float
    param: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, float] = field(default_factory=dict)
    span: Mapping[str, float] = field(default_factory=dict)
    in_steps: bool = False
    group: bool = False
    budgeted: bool = True


LEARNING: Final[Mapping[str, Learning]] = {
    "forecast": Learning(-60, -120, {"side": 1.0}, {"window_s": 60, "lead_s": 60}, {"limit": 0.25}, in_steps=True),
    "stuck": Learning(30, 30, {"nonzero": 0.0}, {}, {"band": FLOOR}, in_steps=True),
    "noise": Learning(5, 3, {}, {"window_s": 60}),
    "spike": Learning(6, 4, {}, {}, {"floor": FLOOR}),
    "ewma": Learning(3, 1.5, {"train": _TRAIN, "weight": 0.05}, {}, {"floor": FLOOR}),
    "cusum": Learning(5, 2.5, {"train": _TRAIN, "slack": 0.5}, {}, {"floor": FLOOR}),
    "page_hinkley": Learning(1, 0.5, {"alpha": 0.9999, "least": _TRAIN}, {}, {"delta": 0.01}),
    "zscore": Learning(4, 3, {"least": _TRAIN}, {}, {"floor": FLOOR}),
    "robust_z": Learning(6, 4, {}, {"window_s": 160}, {"floor": FLOOR}),
    "profile": Learning(6, 4, {"period_s": DAY_S, "offset_s": 0.0, "least": 7.0}, {}, {"floor": FLOOR}),
    "surprise": Learning(0.5, 0.5, USUAL_SURPRISE),
    "mahalanobis": Learning(
        1,
        USUAL_GROUP["release"],
        {**USUAL_GROUP, "train": _TRAIN},
        {"fresh_s": 2, "gap_s": 20},
        group=True,
    ),
    "t2": Learning(1, 1, _PCA, {"fresh_s": 2}, group=True),
    "spe": Learning(1, 1, _PCA, {"fresh_s": 2}, group=True),
}
"""Every kind that learns, but `neighbour`."""


def rules(kind: str, record: HealthyRecord, budget: float = math.inf) -> RuleTable:
    """The rules of one kind on a record: one a point, or one a plant; with a budget if the kind can keep one."""
    of = LEARNING[kind]
    point = np.arange(record.points, dtype=np.int32).reshape(record.plants if of.group else record.points, -1)
    first, count = point[:, 0], len(point)
    low, high = np.nanmin(record.rows, axis=0)[first], np.nanmax(record.rows, axis=0)[first]
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    param = {name: np.full(count, value) for name, value in of.param.items()}
    param |= {name: np.full(count, steps * record.step_s) for name, steps in of.steps.items()}
    param |= {name: share * span for name, share in of.span.items()}
    if "limit" in of.span:
        param["limit"] += high
    scale = np.full(count, record.step_s if of.in_steps else 1.0)
    if kind == "page_hinkley":  # its score is in the point's unit
        scale = span
    each, none = np.arange(count, dtype=np.int32), np.zeros(count, np.int64)
    others = point[:, 1:] if point.shape[1] > 1 else np.full((count, 1), NO_POINT, np.int32)
    return RuleTable(
        key=tuple(map(str, each)),
        rule=each,
        point=first,
        on=of.on * scale,
        off=of.off * scale,
        on_delay=none,
        off_delay=none,
        gate=GateTable(np.full(count, NO_GATE, np.int32), np.zeros(count, np.int8), np.zeros(count)),
        param=param,
        inputs=others if of.group else None,
        budget=np.full(count, budget) if of.budgeted else None,
    )

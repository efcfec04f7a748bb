"""Rules for the detector tests: every kind, with and without gates and delays, in the fast and the plain form."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from detectors import GATE_OPS, NO_GATE, NO_POINT, GateTable, RuleTable
from tests.reference.plain import PlainRule

SECOND = 1_000_000_000
POINTS = 3


@dataclass(frozen=True)
class Specimen:
    """A kind as the tests use it: numbers at which short streams of small values make it trip and return.

    Attributes:
        on, off: score limits.
        param: the kind's parameters.
        inputs: how many of the other points it looks at.
        changed: parameters that half of the rules of a point have otherwise.
    """

    on: float
    off: float
    param: dict[str, float]
    inputs: int = 0
    changed: dict[str, float] = field(default_factory=dict)


_DISTANCE = {"train": 8.0, "smoothing": 0.4, "ridge": 0.1, "adaptation": 0.1, "clip": 4.0, "limit": 6.0}
_DISTANCE |= {"quantile": 0.9, "release": 0.85, "culprit": 0.2, "shrink": 0.2, "fresh_s": 5.0, "gap_s": 10.0}
_RESTART = {"level": 1.0, "hold_s": 5.0, "single": 0.0, "times": 2.0, "within_s": 3.0, "stop_s": 2.0}
_SURPRISE = {
    "short": 2.0,
    "middle": 8.0,
    "slow": 6.0,
    "long": 30.0,
    "day_gain": 0.15,
    "week_gain": 0.3,
    "hold": 5.0,
    "rise": 1.1,
}
_SURPRISE |= {"offset_s": 28800.0, "least": 8.0, "one_in": 250.0}

SPECIMENS = {
    "limit": Specimen(1.0, 0.5, {"side": 1.0}),
    "rate": Specimen(30.0, 30.0, {"side": 1.0, "window_s": 4.0}),
    "stuck": Specimen(3.0, 3.0, {"band": 0.05, "nonzero": 0.0}),
    "range": Specimen(1.0000001, 1.0, {"low": -2.0, "high": 2.0}),
    "bad": Specimen(1.0, 1.0, {}),
    "deviation": Specimen(150.0, 100.0, {"side": 0.0, "relative": 1.0, "setpoint": math.nan, "fresh_s": 30.0}, 1),
    "step": Specimen(0.5, 0.2, {"side": 1.0, "window_s": 6.0}),
    "spike": Specimen(3.0, 2.0, {"floor": 0.2}),
    "count": Specimen(2.0, 1.0, {"above": 1.0, "window_s": 5.0, "edges": 1.0}),
    "pinned": Specimen(50.0, 40.0, {"at": 0.55, "band": 0.06, "window_s": 8.0}),
    "noise": Specimen(5.0, 2.0, {"window_s": 8.0}),
    "current": Specimen(9.5, 9.0, {"low": -2.0, "high": 2.0}),
    "neighbour": Specimen(5.0, 2.0, {"floor": 0.1, "fresh_s": 60.0}, 2),
    "votes": Specimen(3.0, 2.0, {"level": 1.0, "bad_votes": 1.0, "fresh_s": 5.0}, 2),
    "first_out": Specimen(1.0, 0.0, {"level": 1.0}, 2),
    "restart": Specimen(1.0, 0.0, _RESTART | {"at_0": 1.0, "at_1": math.nan}, 2, {"single": 1.0}),
    "sequence": Specimen(1.0, 0.0, {"enters": 2.0, "after": 2.0, "within_s": 3.0}),
    "silence": Specimen(5.0, 5.0, {}),
    "ewma": Specimen(3.0, 1.0, {"train": 4.0, "weight": 0.5, "floor": 0.2}),
    "cusum": Specimen(3.0, 1.0, {"train": 4.0, "slack": 0.5, "floor": 0.3}),
    "page_hinkley": Specimen(1.5, 1.0, {"delta": 0.1, "alpha": 0.9, "least": 3.0}),
    "zscore": Specimen(3.0, 2.0, {"least": 3.0, "floor": 0.2}),
    "robust_z": Specimen(3.0, 2.0, {"window_s": 16.0, "floor": 0.2}),
    "profile": Specimen(3.0, 2.0, {"period_s": 6.0, "offset_s": 28800.0, "least": 2.0, "floor": 0.2}),
    "phase": Specimen(3.0, 2.0, {"low": -0.5, "high": 2.0, "least": 1.0, "floor": 0.2, "fresh_s": 3.0}, inputs=1),
    "t2": Specimen(2.5, 1.5, {"train": 8.0, "share": 0.77, "quantile": 0.5, "smoothing": 0.5, "fresh_s": 5.0}, 2),
    "spe": Specimen(9.0, 5.0, {"train": 8.0, "share": 0.4, "quantile": 0.6, "smoothing": 0.5, "fresh_s": 5.0}, 2),
    "mahalanobis": Specimen(1.0, 0.85, _DISTANCE, 2),
    "surprise": Specimen(0.5, 0.4, _SURPRISE),
    "forecast": Specimen(-4.0, -8.0, {"limit": 0.7, "side": 1.0, "window_s": 16.0, "lead_s": 4.0}),
}


def rule(kind: str, number: int, point: int, on: float, off: float | None = None, **more: Any) -> PlainRule:
    """One rule; delays in seconds. What is not named here is a parameter of the kind."""
    return PlainRule(
        kind=kind,
        number=number,
        point=point,
        on=on,
        off=on if off is None else off,
        on_delay=int(more.pop("on_delay", 0) * SECOND),
        off_delay=int(more.pop("off_delay", 0) * SECOND),
        gate=more.pop("gate", None),
        inputs=more.pop("inputs", ()),
        need=more.pop("need", 1),
        of=more.pop("of", 1),
        param=more,
    )


def specimen(kind: str, number: int = 0, point: int = 0, **more: Any) -> PlainRule:
    """One rule of that kind with its specimen's numbers, some of them changed."""
    of = SPECIMENS[kind]
    inputs = tuple((point + 1 + place) % POINTS for place in range(of.inputs))
    return rule(kind, number, point, of.on, of.off, **{"inputs": inputs, **of.param, **more})


def rules_of(kind: str, points: int = POINTS) -> list[PlainRule]:
    """Four rules a point: plain, delayed, gated by the next point, two of three; the latter two with what changes."""
    made: list[PlainRule] = []
    changed = SPECIMENS[kind].changed
    for point in range(points):
        gate = ((point + 1) % points, ">=", 0.0)
        variants: list[dict[str, Any]] = [{}, {"on_delay": 2, "off_delay": 3}, {"gate": gate, "on_delay": 1} | changed]
        variants += [{"need": 2, "of": 3} | changed]
        made += [specimen(kind, len(made) + place, point, **more) for place, more in enumerate(variants)]
    return made


def table(rules: list[PlainRule]) -> RuleTable:
    """The same rules as arrays."""
    gates = [r.gate or (NO_GATE, "==", 0.0) for r in rules]
    most = max((len(r.inputs) for r in rules), default=0)
    inputs = [[*r.inputs, *[NO_POINT] * (most - len(r.inputs))] for r in rules]
    return RuleTable(
        key=tuple(f"p{r.point}/r{r.number}" for r in rules),
        rule=np.array([r.number for r in rules], np.int32),
        point=np.array([r.point for r in rules], np.int32),
        on=np.array([r.on for r in rules]),
        off=np.array([r.off for r in rules]),
        on_delay=np.array([r.on_delay for r in rules], np.int64),
        off_delay=np.array([r.off_delay for r in rules], np.int64),
        gate=GateTable(
            np.array([g[0] for g in gates], np.int32),
            np.array([GATE_OPS.index(g[1]) for g in gates], np.int8),
            np.array([g[2] for g in gates]),
        ),
        param={name: np.array([r.param[name] for r in rules]) for name in (rules[0].param if rules else {})},
        inputs=np.array(inputs, np.int32).reshape(len(rules), most) if most else None,
        need=np.array([r.need for r in rules]) if any(r.of > 1 for r in rules) else None,
        of=np.array([r.of for r in rules]) if any(r.of > 1 for r in rules) else None,
    )

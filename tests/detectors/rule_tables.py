"""Rules for the detector tests: every kind, with and without gates and delays, in the fast and the plain form."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors import GATE_OPS, NO_GATE, GateTable, RuleTable
from tests.reference.detectors import PlainRule

SECOND = 1_000_000_000


def rule(kind: str, number: int, point: int, on: float, off: float | None = None, **more: Any) -> PlainRule:
    """One rule; delays in seconds."""
    return PlainRule(
        kind=kind,
        number=number,
        point=point,
        on=on,
        off=on if off is None else off,
        on_delay=int(more.pop("on_delay", 0) * SECOND),
        off_delay=int(more.pop("off_delay", 0) * SECOND),
        gate=more.pop("gate", None),
        param=more,
    )


PARAMS = {
    "limit": {"side": 1.0},
    "rate": {"side": 1.0, "window_s": 4.0},
    "stuck": {"band": 0.25, "nonzero": 0.0},
    "range": {"low": -2.0, "high": 2.0},
    "bad": {},
    "silence": {},
}
ON = {"limit": 1.0, "rate": 30.0, "stuck": 3.0, "range": 1.0000001, "bad": 1.0, "silence": 5.0}
OFF = {"limit": 0.5, "rate": 30.0, "stuck": 3.0, "range": 1.0, "bad": 1.0, "silence": 5.0}


def rules_of(kind: str, points: int) -> list[PlainRule]:
    """Three rules a point: plain, delayed, and gated by the next point."""
    made: list[PlainRule] = []
    for point in range(points):
        gate = ((point + 1) % points, ">=", 0.0)
        for delays in ({}, {"on_delay": 2, "off_delay": 3}, {"gate": gate, "on_delay": 1}):
            made.append(rule(kind, len(made), point, ON[kind], OFF[kind], **PARAMS[kind], **delays))
    return made


def table(rules: list[PlainRule]) -> RuleTable:
    """The same rules as arrays."""
    gates = [r.gate or (NO_GATE, "==", 0.0) for r in rules]
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
    )

"""Scores and causes equal those of plain loops over long streams, whatever the parameters and the batches."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.detectors.rule_tables import POINTS, SECOND, specimen
from tests.detectors.scored import START, Row, Scored, plain_rows, scored_rows

NAN, INF = math.nan, math.inf
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("deviation", {}),
    ("deviation", {"side": -1.0, "relative": 0.0, "fresh_s": INF}),
    ("deviation", {"side": 1.0, "setpoint": 0.5}),
    ("deviation", {"setpoint": 0.0}),
    ("step", {}),
    ("step", {"side": 0.0, "window_s": 16.0}),
    ("step", {"side": -1.0, "window_s": 5.0}),
    ("spike", {}),
    ("spike", {"floor": 1e-6}),
    ("count", {}),
    ("count", {"edges": 0.0, "window_s": 60.0, "above": 0.4}),
    ("pinned", {}),
    ("pinned", {"at": 1.2, "band": 0.0, "window_s": 30.0}),
    ("noise", {}),
    ("noise", {"window_s": 12.0}),
    ("current", {}),
    ("current", {"low": 2.0, "high": -2.0}),
    ("neighbour", {}),
    ("neighbour", {"fresh_s": 1.0}),
    ("votes", {}),
    ("votes", {"bad_votes": 0.0, "fresh_s": 2.0}),
    ("votes", {"fresh_s": INF}),
    ("first_out", {}),
    ("first_out", {"level": 0.5}),
]


@cache
def stream(seed: int) -> list[Row]:
    """Readings with calm stretches, values missing, and a gap now and then."""
    random = np.random.default_rng(seed)
    times, rows = [START] * POINTS, []
    for place, point in enumerate(random.integers(0, POINTS, 2000).tolist()):
        times[point] += int(random.choice([1, 1, 1, 1, 1, 2, 2, 3, 40], p=[0.12] * 8 + [0.04])) * SECOND // 2
        calm = place // 100 % 3 == 2
        values = [0.4, 0.5, 0.5, 0.5] if calm else [0.0, 0.4, 0.5, 1.2, 2.5, 0.4, 0.5] * 8 + [-2.5, NAN, NAN, NAN]
        rows.append((point, times[point], float(random.choice(values))))
    return rows


def same(ours: list[Scored], theirs: list[Scored]) -> bool:
    mine, other = (
        np.array([(scored.time, scored.score, scored.cause) for scored in found]) for found in (ours, theirs)
    )
    return np.allclose(mine, other, rtol=1e-12, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize(("kind", "param"), VARIANTS)
def test_they_do(kind: str, param: dict[str, Any], *, gated: bool) -> None:
    gate = (1, ">=", -1.0) if gated else None
    rows = stream(seed=2)
    rules = [specimen(kind, gate=gate, **param) for _ in range(4)]
    expected = plain_rows(rules[0], rows)
    for rule, cuts in zip(rules[1:], ([], [3, 40, 41, 500, 900, 1600], range(1, len(rows))), strict=True):
        assert same(scored_rows(rule, rows, cuts), expected)
    assert not np.isnan([scored.score for scored in expected]).all() or (kind, param) == (
        "deviation",
        {"setpoint": 0.0},
    )

"""Many points under one rule each: what the tests of the statistical kinds judge their random series with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors import Bank, Readings
from tests.detectors.rule_tables import SECOND, rule, table


def seconds(
    kind: str, values: NDArray[np.float64], on: float, off: float | None = None, step_s: float = 1.0, **param: float
) -> list[list[tuple[bool, float]]]:
    """What a rule of that kind finds in each row of values: (tripped, second); one reading every `step_s` seconds."""
    rows, many = values.shape
    bank = Bank({kind: table([rule(kind, row, row, on, off, **param) for row in range(rows)])})
    point = np.repeat(np.arange(rows, dtype=np.int32), many)
    time = np.tile((np.arange(many) * step_s * SECOND).astype(np.int64), rows)
    found = bank.update(Readings(point, time, values.ravel(), time, point), int(time[-1]))
    findings: list[list[tuple[bool, float]]] = [[] for _ in range(rows)]
    for row, raised, at in zip(found.rule.tolist(), found.raised.tolist(), found.time.tolist(), strict=True):
        findings[row].append((raised, at / SECOND))
    return findings


def first(found: list[tuple[bool, float]]) -> float:
    """The second of the first finding; never = infinity."""
    return found[0][1] if found else float("inf")

"""A detector's rules as arrays: one row a rule, in the units the detector scores in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

GATE_OPS: Final = ("==", "!=", "<", "<=", ">", ">=")
"""Comparisons a gate may use; `GateTable.op` is the index into this."""

NO_GATE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class GateTable:
    """`when` conditions, one row a rule: judge only while `value[point] op threshold`.

    Attributes:
        point: int32[r], the point looked at, or `NO_GATE`.
        op: int8[r], index into `GATE_OPS`.
        threshold: float64[r].
    """

    point: NDArray[np.int32]
    op: NDArray[np.int8]
    threshold: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RuleTable:
    """The rules of one detector, one row each, sorted by nothing in particular.

    Attributes:
        key: identity of each row; state follows it when rules are added, removed or re-tuned.
        rule: int32[r], the caller's number of the rule, handed back in findings.
        point: int32[r], the point judged.
        on: float64[r], score at which the condition begins (>=).
        off: float64[r], score at which it ends (<=, and below `on`): the deadband is between the two.
        on_delay: int64[r], ns of event time the condition must hold before the rule trips.
        off_delay: int64[r], ns of event time it must be gone before the rule returns.
        gate: when the rule is judged at all.
        param: float64[r] columns of the detector's own parameters, by name.
    """

    key: tuple[str, ...]
    rule: NDArray[np.int32]
    point: NDArray[np.int32]
    on: NDArray[np.float64]
    off: NDArray[np.float64]
    on_delay: NDArray[np.int64]
    off_delay: NDArray[np.int64]
    gate: GateTable
    param: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.key)

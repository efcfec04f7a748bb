"""A detector's rules as arrays: one row a rule, in the units the detector scores in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

GATE_OPS: Final = ("==", "!=", "<", "<=", ">", ">=")
"""Comparisons a gate may use; `GateTable.op` is the index into this."""

NO_GATE: Final = -1
NO_POINT: Final = -1


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
    """The rules of one detector, one row each, in any order.

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
        inputs: int32[r, m], further points the rule looks at, `NO_POINT` where it has fewer.
        need, of: int64[r], the condition begins when `need` of the last `of` judged readings are at or above `on`;
            1 of 1 where not given. At most 64.
        budget: float64[r], the most findings on 100 points in 30 days; limits are raised until it is kept, see
            `detectors.calibration`. inf = none.
    """

    key: Sequence[str]
    rule: NDArray[np.int32]
    point: NDArray[np.int32]
    on: NDArray[np.float64]
    off: NDArray[np.float64]
    on_delay: NDArray[np.int64]
    off_delay: NDArray[np.int64]
    gate: GateTable
    param: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    inputs: NDArray[np.int32] | None = None
    need: NDArray[np.int64] | None = None
    of: NDArray[np.int64] | None = None
    budget: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.key)

    def budgeted(self) -> NDArray[np.bool_]:
        """bool[r], the rules that have a budget of findings."""
        return np.zeros(len(self), bool) if self.budget is None else np.isfinite(self.budget)

    def points(self) -> int:
        """One more than the highest point these rules name."""
        named = (self.point, self.gate.point, self.inputs if self.inputs is not None else self.point)
        return 1 + max((int(points.max(initial=-1)) for points in named), default=-1)

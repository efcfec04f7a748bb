"""Compares late and historical readings with the limits, for retrospective alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors import NO_GATE, RuleTable
from detectors.precision import below
from ingest.domain.model.batch import Batch
from ingest.domain.model.display_value import at
from ingest.domain.model.flags import NOT_LIVE, unusable
from ingest.domain.model.plant import Rule
from ingest.plants.configuration import PlantConfiguration

RETROSPECTIVE_KINDS: Final = frozenset({"limit"})
"""Kinds of rules that readings which are not live are compared with."""

SETTLE_AFTER: Final = 30 * 10**9
"""An excursion is complete once no late reading has extended it for this long, ns of arrival time."""

HOLD_BACK: Final = 600 * 10**9
"""How long a back-filled reading newer than anything live is held back, ns of arrival time."""


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A limit that late readings can be compared with. Times in ns."""

    rule: Rule
    key: str
    high: bool
    on: float
    on_delay: int
    gap: int

    def violated(self, value: float) -> bool:
        """Whether the value is at or beyond the limit, as far as single precision tells."""
        value = at(value, self.on)
        return value >= self.on if self.high else value <= self.on


class Limits:
    """The limits of every point of a configuration that need nothing but the reading itself.

    Rules with a condition on another point, of a formula, or that count N of M are left out: their inputs at that time
    are no longer known.
    """

    def __init__(self, configuration: PlantConfiguration) -> None:
        points = len(configuration.points)
        self._configuration = configuration
        self._of: dict[int, list[LimitRule]] = {}
        self._named: dict[str, LimitRule] = {}
        self._table = table = configuration.tables.get("limit")
        self._high, self._low = np.full(points, np.inf), np.full(points, -np.inf)
        self._rows: NDArray[np.intp] = np.empty(0, np.intp)
        self._point: NDArray[np.int32] = np.empty(0, np.int32)
        if table is None:
            return
        self._rows = np.flatnonzero(_by_itself(table, points))
        self._rows = self._rows[np.argsort(table.point[self._rows], kind="stable")]
        self._point = table.point[self._rows]
        point, side, on = self._point, table.param["side"][self._rows], below(table.on[self._rows])
        np.minimum.at(self._high, point[side > 0], on[side > 0])
        np.maximum.at(self._low, point[side < 0], -on[side < 0])

    def beyond(self, batch: Batch) -> NDArray[np.intp]:
        """Rows of the batch whose reading is not live and lies beyond any limit of its point."""
        if not len(self._rows):
            return self._rows
        (past,) = (batch.flags & NOT_LIVE).nonzero()
        if not len(past):
            return past
        point, value = batch.point[past], batch.value[past]
        beyond: NDArray[np.bool_] = ((value >= self._high[point]) | (value <= self._low[point])) & (
            ~unusable(batch.flags[past])
        )
        rows: NDArray[np.intp] = past[beyond]
        return rows

    def of(self, point: int) -> list[LimitRule]:
        """The limits of one point."""
        if point not in self._of:
            self._of[point] = self._limits_of(point)
            self._named |= {limit.key: limit for limit in self._of[point]}
        return self._of[point]

    def named(self, key: str) -> LimitRule | None:
        """The limit of that key, "plant/point/code", or None if there is none."""
        if key not in self._named:
            plant, _, rest = key.partition("/")
            point = self._configuration.find(plant, rest.rpartition("/")[0])
            if point is not None:
                self.of(point.index)
        return self._named.get(key)

    def _limits_of(self, point: int) -> list[LimitRule]:
        first, last = np.searchsorted(self._point, [point, point + 1])
        known = self._configuration.points[point]
        if self._table is None or known is None:
            return []
        table, gap = self._table, int(known.silence_s * 1e9)
        return [
            LimitRule(
                self._configuration.rules[table.rule[row]],
                table.key[row],
                bool(table.param["side"][row] > 0),
                float(table.param["side"][row] * table.on[row]),
                int(table.on_delay[row]),
                gap,
            )
            for row in self._rows[first:last]
        ]


def _by_itself(table: RuleTable, points: int) -> NDArray[np.bool_]:
    """bool[r], rules that need nothing but a point's own reading."""
    own: NDArray[np.bool_] = (table.point < points) & (table.gate.point == NO_GATE)
    if table.of is not None:
        own &= table.of <= 1
    return own

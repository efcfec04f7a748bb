"""Channels: indices after all points for the values of expressions, which rules evaluate and gates read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from detectors import NO_GATE, Derived
from ingest.plants.formula import BoundFormula
from ingest.plants.point_rules import EvaluatedRule

TRUE: Final = 0.5
"""A condition holds while its channel is at least this: it is 1 or 0."""


class Channels:
    """Assigns each expression a channel; equal expressions over the same points share one."""

    def __init__(self, index: Mapping[tuple[str, str], int]) -> None:
        """`index` are the points' indices by (plant, id)."""
        self._index = index
        self._first = max(index.values(), default=-1) + 1
        self._derived: dict[str, Derived] = {}

    @property
    def derived(self) -> tuple[Derived, ...]:
        """All expressions with their channels."""
        return tuple(self._derived.values())

    def evaluated_index(self, plant: str, point: str, rule: EvaluatedRule) -> int:
        """Return the index the rule evaluates: its point, or its expression's channel, driven by the point."""
        if rule.of is None:
            return self._index[plant, point]
        return self._channel(plant, rule.of, (point,), rule.fresh_s)

    def gate_index(self, plant: str, rule: EvaluatedRule) -> int:
        """Return the index the rule's gate reads, or `NO_GATE`."""
        if rule.when is None:
            return NO_GATE
        if rule.gate is not None:
            return self._index[plant, rule.gate.point]
        return self._channel(plant, rule.when, tuple(dict.fromkeys(rule.when.points)), math.inf)

    def _channel(self, plant: str, of: BoundFormula, drivers: tuple[str, ...], fresh_s: float) -> int:
        key = f"{plant}/{of.text} ({', '.join(of.points)}) at {', '.join(drivers)}"
        known = self._derived.get(key)
        if known is None:
            inputs, driving = (tuple(self._index[plant, p] for p in points) for points in (of.points, drivers))
            channel = self._first + len(self._derived)
            known = self._derived[key] = Derived(key, of.text, inputs, driving, channel, fresh_s)
        return known.channel

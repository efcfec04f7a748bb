"""Channels: the indices after all points under which rules judge, and gates look at, what expressions give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from detectors import NO_GATE, Derived
from ingest.plants.formula import Tied
from ingest.plants.point_rules import Judged

TRUE: Final = 0.5
"""A condition holds while its channel is at least this: it is 1 or 0."""


class Channels:
    """Gives each expression its channel; the same one over the same points shares it."""

    def __init__(self, index: Mapping[tuple[str, str], int]) -> None:
        """`index` are the points' indices by (plant, id)."""
        self._index = index
        self._first = max(index.values(), default=-1) + 1
        self._derived: dict[str, Derived] = {}

    @property
    def derived(self) -> tuple[Derived, ...]:
        """All of them."""
        return tuple(self._derived.values())

    def judged(self, plant: str, point: str, rule: Judged) -> int:
        """What the rule judges: its point, or the channel of its expression at each reading of its point."""
        if rule.of is None:
            return self._index[plant, point]
        return self._channel(plant, rule.of, (point,), rule.fresh_s)

    def gate(self, plant: str, rule: Judged) -> int:
        """What the rule's gate looks at."""
        if rule.when is None:
            return NO_GATE
        if rule.gate is not None:
            return self._index[plant, rule.gate.point]
        return self._channel(plant, rule.when, tuple(dict.fromkeys(rule.when.points)), math.inf)

    def _channel(self, plant: str, of: Tied, drivers: tuple[str, ...], fresh_s: float) -> int:
        key = f"{plant}/{of.text} ({', '.join(of.points)}) at {', '.join(drivers)}"
        known = self._derived.get(key)
        if known is None:
            inputs, driving = (tuple(self._index[plant, p] for p in points) for points in (of.points, drivers))
            channel = self._first + len(self._derived)
            known = self._derived[key] = Derived(key, of.text, inputs, driving, channel, fresh_s)
        return known.channel

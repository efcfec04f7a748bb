"""Annunciations as columns: one for each time an alarm was raised; an alarm that recurs soon has several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

OPEN: Final = 2**63 - 1
"""The time of an event that has not happened: not acknowledged, not returned."""


def _times() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Annunciations:
    """Raises of alarms, in the order in which the service raised them. Times are ns since the epoch, UTC.

    Attributes:
        rules: the rules that occur: plant, point, code.
        rule: int32[n], the rule of each, by its place in `rules`.
        level: int8[n], 1 or 2.
        raised: int64[n], when its on-delay had elapsed, in device time.
        called: int64[n], when the service learnt of it and annunciated it.
        acked: int64[n], the first acknowledgement before the alarm was raised again; `OPEN` = none.
        returned: int64[n], when the condition was gone; `OPEN` = it holds.
        hidden: bool[n], raised while shelved, suppressed or out of service: recorded, but not annunciated.
    """

    rules: tuple[tuple[str, str, str], ...] = ()
    rule: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    level: NDArray[np.int8] = field(default_factory=lambda: np.empty(0, np.int8))
    raised: NDArray[np.int64] = field(default_factory=_times)
    called: NDArray[np.int64] = field(default_factory=_times)
    acked: NDArray[np.int64] = field(default_factory=_times)
    returned: NDArray[np.int64] = field(default_factory=_times)
    hidden: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))

    def __len__(self) -> int:
        return len(self.called)

    def where(self, chosen: NDArray[Any] | slice) -> Annunciations:
        """Select rows by mask, indices or slice; `rules` stays whole."""
        names = ("rule", "level", "raised", "called", "acked", "returned", "hidden")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})

    def between(self, start: int, end: int) -> Annunciations:
        """Select those with start <= called < end."""
        first, last = np.searchsorted(self.called, [start, end])
        return self.where(slice(first, last))

    def renamed(self, now: Mapping[tuple[str, str], str]) -> Annunciations:
        """Attribute raises under former point ids to the present ones; `now`: (plant, former id) -> id."""
        rules = [(plant, now.get((plant, point), point), code) for plant, point, code in self.rules]
        place = {rule: at for at, rule in enumerate(dict.fromkeys(rules))}
        number = np.array([place[rule] for rule in rules], np.int32)
        return replace(self, rules=tuple(place), rule=number[self.rule])

    def visible(self) -> Annunciations:
        """Select those that are not hidden."""
        return self.where(~self.hidden)

"""What the page shows of a kind of rule: a made-up series and the rule on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A rule and what it is shown.

    Attributes:
        values: of the judged point.
        on, off, param: the rule.
        label, score: what the two vertical axes show.
        said: the picture in a sentence.
        others: the other points' values.
        beside: what the others show, where they have axes of their own.
        step_s: s between readings.
        drawn: limits drawn on the values.
        minus: the score is shown with its sign turned (a time that is left).
        clip: the score is cut off there in the picture.
        step: the score is told once a bucket and stands until the next.
    """

    values: NDArray[np.float64]
    on: float
    label: str
    score: str
    caption: str
    off: float | None = None
    param: Mapping[str, float] = field(default_factory=dict)
    others: Sequence[NDArray[np.float64]] = ()
    beside: str = ""
    step_s: float = 1.0
    drawn: Sequence[float] = ()
    minus: bool = False
    clip: tuple[float, float] | None = None
    step: bool = False


def pulse(many: int, begin: int, end: int, height: float) -> NDArray[np.float64]:
    """Return `height` from `begin` until `end`, else 0."""
    return np.where((np.arange(many) >= begin) & (np.arange(many) < end), height, 0.0)

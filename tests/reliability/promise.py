"""What a promise is: how it is tested, how often, and which figures keep it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Figures = dict[str, int | float | str]
"""What one run measured. `done` is how many of the promised repetitions there were."""

Report = Callable[[int], None]
"""Told of every repetition done, for a progress bar."""

Run = Callable[[int, int, Path, Report], Figures]
"""run(count, seed, folder, report)"""


class CannotTest(Exception):
    """This machine does not allow the test; the message says what is wanting."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the service.

    Attributes:
        name: on the command line and in the results.
        title: what is promised, as the table says it.
        how: how it is tested.
        proves, leaves_open: what a kept promise shows, and what it does not.
        count, unit: the full count, and of what.
        run: does it.
        limits: figure -> (operator, bound); the promise is kept if every one holds.
    """

    name: str
    title: str
    how: str
    proves: str
    leaves_open: str
    count: int
    unit: str
    run: Run
    limits: Mapping[str, tuple[str, float]]


NOTHING_LOST: Final[Mapping[str, tuple[str, float]]] = {"lost": ("=", 0), "twice": ("=", 0), "wrong": ("=", 0)}
"""Every reading is there once, and as it was sent."""

_HOLDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": lambda seen, bound: seen == bound,
    "<=": lambda seen, bound: seen <= bound,
    ">=": lambda seen, bound: seen >= bound,
}


def broken(promise: Promise, figures: Figures) -> list[str]:
    """Every limit that does not hold, in words; a figure that is missing holds nothing."""
    faults = []
    for name, (operator, bound) in promise.limits.items():
        seen = figures.get(name)
        if not isinstance(seen, int | float) or not _HOLDS[operator](seen, bound):
            faults.append(f"{name} = {seen}; expected {operator} {bound:g}")
    return faults


def dice(seed: object) -> random.Random:
    """Chance that is the same every time."""
    return random.Random(str(seed))  # noqa: S311  not a secret


def nobody(_done: int) -> None:
    """A report nobody reads."""

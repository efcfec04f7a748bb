"""Defines how close to a limit a value counts as at it, since values may come in single precision.

Controllers mostly send single precision: 60.1 leaves them as 60.09999847. People see 60.1 on every screen, the limit
they wrote is 60.1, and "at or above" has to hold. So what single precision cannot tell from a limit is at the limit: a
relative 2^-24 (IEEE 754 binary32, half a unit in the last place), far below what any instrument resolves. It moves
limits, not values: what is remembered, averaged and told elsewhere stays as it was sent, and nothing that is at or
beyond a limit by its full value ever ceases to be.

>>> sent = float(np.float32(60.1))
>>> bool(sent >= 60.1), bool(sent >= below(np.array(60.1)))
(False, True)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable

SINGLE: Final = 2.0**-24
"""Largest relative rounding error of single precision."""


def below(limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest values that count as at these limits."""
    return np.asarray(limit * (1 - np.sign(limit) * SINGLE), np.float64)


def above(limit: NDArray[np.float64]) -> NDArray[np.float64]:
    """The highest values that count as at these limits."""
    return np.asarray(limit * (1 + np.sign(limit) * SINGLE), np.float64)


def lenient(rules: RuleTable) -> RuleTable:
    """The rules with limits that scores reach as soon as single precision cannot tell them apart."""
    return replace(rules, on=below(rules.on), off=above(rules.off))


def settled(score: NDArray[np.float64], limit: NDArray[np.float64], unsure: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores (float64[k]), but the limit where they are at most `unsure` from it: what they are made of is rounded.

    >>> settled(np.array([55.1 - 50.0, 5.3]), np.array([5.1, 5.1]), np.array([1e-5, 1e-5])).tolist()
    [5.1, 5.3]
    """
    return np.where(np.abs(score - limit) <= unsure, limit, score)

"""Rounds a value for display without moving it across a limit that it has not reached.

Single precision, which most controllers send, makes 60.09999847 of 60.1. What it cannot tell from a limit is judged to
be at the limit (`detectors.precision`), and shown so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SINGLE: Final = 2.0**-24  # as in `detectors.precision`; the simulator, which uses these nouns, has no detectors

_DECIMALS: Final = 12
_DIGITS: Final = 15


def at(value: float, limit: float) -> float:
    """Return the value, or the limit where single precision cannot tell the two apart.

    >>> at(60.09999847, 60.1), at(60.09, 60.1)
    (60.1, 60.09)
    """
    return limit if abs(value - limit) <= SINGLE * abs(limit) else value


def decimals(value: float, least: int, limits: Iterable[float] = ()) -> str:
    """Format the value with `least` decimals, or as many more as keep it on its side of every limit.

    >>> [decimals(value, 1, [60.1]) for value in (60.09999847, 60.07, 60.14, 59.0)]
    ['60.1', '60.07', '60.14', '59.0']
    """
    return _written(value, (f".{many}f" for many in range(least, _DECIMALS)), limits)


def digits(value: float, least: int = 4, limits: Iterable[float] = ()) -> str:
    """Format the value with `least` significant digits, or as many more as keep it on its side of every limit.

    >>> digits(60.09999847, 4, [60.1]), digits(60.0999, 4, [60.1]), digits(1013.2, 4)
    ('60.1', '60.0999', '1013')
    """
    return _written(value, (f".{many}g" for many in range(least, _DIGITS)), limits)


def _written(value: float, forms: Iterable[str], limits: Iterable[float]) -> str:
    known = list(limits)
    for limit in known:
        value = at(value, limit)
    for form in forms:
        text = format(value, form)
        if all(_side(float(text), limit) == _side(value, limit) for limit in known):
            return text
    return repr(value)


def _side(value: float, limit: float) -> int:
    return (value > limit) - (value < limit)

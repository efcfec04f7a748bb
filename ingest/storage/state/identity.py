"""What was made of a thing that does not change, kept for the next time the same thing is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST: Final = 1024
"""Things remembered at once, then all are made anew: far more than are told of together."""


class ByIdentity(Generic[T, R]):
    """Calls `make` once for each thing. By identity, not by value: 0.0 equals -0.0, and is written otherwise.

    >>> made = ByIdentity(repr)
    >>> zero, other = 0.0, -0.0
    >>> made(zero), made(other), made(zero) is made(zero)
    ('0.0', '-0.0', True)
    """

    def __init__(self, make: Callable[[T], R]) -> None:
        self._make = make
        self._known: dict[int, tuple[T, R]] = {}  # it holds the things, so that none is taken for another

    def __call__(self, thing: T) -> R:
        """What is made of it."""
        known = self._known.get(id(thing))
        if known is None:
            if len(self._known) >= _MOST:
                self._known = {}
            known = self._known[id(thing)] = thing, self._make(thing)
        return known[1]

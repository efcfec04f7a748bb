"""A cache of values computed from immutable objects, keyed by identity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_MOST: Final = 1024
"""Most cached values; beyond that the cache is emptied."""


class ByIdentity(Generic[T, R]):
    """Calls `make` once for each object. By identity, not by value: 0.0 equals -0.0, and is encoded differently.

    >>> made = ByIdentity(repr)
    >>> zero, other = 0.0, -0.0
    >>> made(zero), made(other), made(zero) is made(zero)
    ('0.0', '-0.0', True)
    """

    def __init__(self, make: Callable[[T], R]) -> None:
        self._make = make
        self._known: dict[int, tuple[T, R]] = {}  # holds the objects, so that no id is reused

    def __call__(self, thing: T) -> R:
        """The value made of that object."""
        known = self._known.get(id(thing))
        if known is None:
            if len(self._known) >= _MOST:
                self._known = {}
            known = self._known[id(thing)] = thing, self._make(thing)
        return known[1]

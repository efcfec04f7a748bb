"""Permanent indices for points: a point keeps its place in the arrays for ever."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Numbering(Protocol):
    """Gives every (plant, point id) its index, the same one each time it is asked."""

    def __call__(self, points: Sequence[tuple[str, str]], /) -> Sequence[int]:
        """One index a point; a new point gets one never given before."""


class MemoryNumbering:
    """A numbering that lasts as long as the object: for checks and tests."""

    def __init__(self) -> None:
        self._index: dict[tuple[str, str], int] = {}

    def __call__(self, points: Sequence[tuple[str, str]], /) -> Sequence[int]:
        """Indices in the order in which points were first seen."""
        return [self._index.setdefault(point, len(self._index)) for point in points]

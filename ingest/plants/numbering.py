"""Permanent indices for points: a point keeps its place in the arrays for ever, also under another id."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

PointKey = tuple[str, str]
"""(plant, point id)"""

Rename = tuple[PointKey, str]
"""A point by its former id, and the id it has now."""

NONE_RENAMED: Final[Mapping[PointKey, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Numbered:
    """What a numbering answers.

    Attributes:
        index: one a point, in their order.
        renamed: of the points with a former id, those that have the index of it, now or since long: (plant, id) ->
            former id. The others are points of their own: both ids had an index before anybody said they were one, or
            none of the plant ever had the former id.
    """

    index: Sequence[int]
    renamed: Mapping[PointKey, str]


class Numbering(Protocol):
    """Gives every (plant, point id) its index, the same one each time it is asked."""

    def __call__(self, points: Sequence[PointKey], was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        """One index a point.

        A point without one takes over that of its former id, which `was` tells, or gets one never given before.
        """


def taken_over(known: Mapping[PointKey, int], was: Mapping[PointKey, str]) -> list[tuple[PointKey, PointKey]]:
    """The (former, new) keys of points that are to take over the index of their former id.

    >>> taken_over({("p", "A"): 0, ("p", "B"): 1}, {("p", "C"): "A", ("p", "B"): "A", ("p", "D"): "X"})
    [(('p', 'A'), ('p', 'C'))]
    """
    pairs = [((plant, former), (plant, point)) for (plant, point), former in was.items()]
    return [(former, new) for former, new in pairs if former in known and new not in known]


def one_now(
    known: Mapping[PointKey, int], was: Mapping[PointKey, str], slips: Container[PointKey]
) -> dict[PointKey, str]:
    """Of `was` what holds: nothing goes by the former id any more, and it is none of the slips."""
    return {new: former for new, former in was.items() if (new[0], former) not in known and new not in slips}


def unheard_of(known: Mapping[PointKey, int], was: Mapping[PointKey, str]) -> set[PointKey]:
    """Of `was` new points whose former id no point of their plant ever had, though the plant is known: a slip.

    >>> unheard_of({("p", "A"): 0}, {("p", "B"): "A", ("p", "C"): "X", ("q", "C"): "X"})
    {('p', 'C')}
    """
    plants = {plant for plant, _ in known}
    new = [(key, former) for key, former in was.items() if key not in known and key[0] in plants]
    return {key for key, former in new if (key[0], former) not in known}


class MemoryNumbering:
    """A numbering that lasts as long as the object: for checks and tests."""

    def __init__(self, known: Mapping[PointKey, int] = MappingProxyType({})) -> None:
        """Go on from the indices that are known."""
        self._index = dict(known)

    def __call__(self, points: Sequence[PointKey], was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        """Indices in the order in which points were first seen."""
        known, slips = self._index, unheard_of(self._index, was)
        for former, new in taken_over(known, was):
            known[new] = known.pop(former)
        return Numbered([known.setdefault(point, len(known)) for point in points], one_now(known, was, slips))

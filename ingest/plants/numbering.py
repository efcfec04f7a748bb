"""Assigns permanent indices to points: a point keeps its array index for ever, also when it is renamed."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

PointKey = tuple[str, str]
"""(plant, point id)"""

Rename = tuple[PointKey, str]
"""A point by its former id, and its present id."""

NONE_RENAMED: Final[Mapping[PointKey, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Numbered:
    """The result of a numbering.

    Attributes:
        index: one index per point, in their order.
        renamed: the points that have the index of their former id: (plant, id) -> former id. Others are separate
            points: both ids had an index before the rename, or the plant never had the former id.
    """

    index: Sequence[int]
    renamed: Mapping[PointKey, str]


class Numbering(Protocol):
    """Returns the index of every (plant, point id), always the same one."""

    def __call__(self, points: Sequence[PointKey], was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        """Return one index per point.

        A point without one takes over that of its former id, given in `was`, or gets a new one.
        """


def taken_over(known: Mapping[PointKey, int], was: Mapping[PointKey, str]) -> list[tuple[PointKey, PointKey]]:
    """Return the (former, new) keys of points that take over the index of their former id.

    >>> taken_over({("p", "A"): 0, ("p", "B"): 1}, {("p", "C"): "A", ("p", "B"): "A", ("p", "D"): "X"})
    [(('p', 'A'), ('p', 'C'))]
    """
    pairs = [((plant, former), (plant, point)) for (plant, point), former in was.items()]
    return [(former, new) for former, new in pairs if former in known and new not in known]


def valid_renames(
    known: Mapping[PointKey, int], was: Mapping[PointKey, str], slips: Container[PointKey]
) -> dict[PointKey, str]:
    """Return the entries of `was` whose former id is no longer in use and which are not among `slips`."""
    return {new: former for new, former in was.items() if (new[0], former) not in known and new not in slips}


def unknown_former_ids(known: Mapping[PointKey, int], was: Mapping[PointKey, str]) -> set[PointKey]:
    """Return the new points in `was` whose former id their known plant never had: probably a typing error.

    >>> unknown_former_ids({("p", "A"): 0}, {("p", "B"): "A", ("p", "C"): "X", ("q", "C"): "X"})
    {('p', 'C')}
    """
    plants = {plant for plant, _ in known}
    new = [(key, former) for key, former in was.items() if key not in known and key[0] in plants]
    return {key for key, former in new if (key[0], former) not in known}


class MemoryNumbering:
    """A numbering in memory, for checks and tests."""

    def __init__(self, known: Mapping[PointKey, int] = MappingProxyType({})) -> None:
        """Continue from the indices already known."""
        self._index = dict(known)

    def __call__(self, points: Sequence[PointKey], was: Mapping[PointKey, str] = NONE_RENAMED, /) -> Numbered:
        """Return indices in the order in which points were first seen."""
        known, slips = self._index, unknown_former_ids(self._index, was)
        for former, new in taken_over(known, was):
            known[new] = known.pop(former)
        return Numbered([known.setdefault(point, len(known)) for point in points], valid_renames(known, was, slips))

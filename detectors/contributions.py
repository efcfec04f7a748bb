"""What explains a finding most, and with what share each: members of a group, or aspects of one point, ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from detectors.rules import NO_POINT

MOST: Final = 5
"""Contributors named with a finding."""
LEAST_SHARE: Final = 0.01
"""A contributor with a smaller share is not named."""


class Aspect(IntEnum):
    """What of a point's readings contributes to a finding, where its kind judges several aspects of one point."""

    WHOLE = 0
    """The point as such: its kind judges a group of points."""
    SEASON = 1
    """How far the reading is from what is usual at this hour."""
    SHIFT = 2
    """How far the newest readings together are from the long average."""
    JUMP = 3
    """How far the reading is from those just before it."""
    DRIFT = 4
    """How far the signal has slowly gone from its long average."""


class Contributor(NamedTuple):
    """What explains a finding in part: a point, the share (0 to 1), and which aspect of the point."""

    point: int
    share: float
    aspect: Aspect = Aspect.WHOLE


@runtime_checkable
class Grouping(Protocol):
    """A scorer that judges a group of points as one, and sets in `Runs.blame` how much each is to blame."""

    member: NDArray[np.int32]
    """int32[r, d], the points of each rule's group, in the columns of `Runs.blame`."""


@runtime_checkable
class Discerning(Protocol):
    """A scorer that judges several aspects of one point, and sets in `Runs.blame` how much each is to blame."""

    aspect: NDArray[np.int8]
    """int8[d], the `Aspect` in each column of `Runs.blame`."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What explains each of some findings, the largest share first.

    Attributes:
        point: int32[m, MOST], `NO_POINT` where fewer are named.
        share: float64[m, MOST], of what all contribute, 0 to 1; 0 where fewer are named.
        aspect: int8[m, MOST], an `Aspect` each.
    """

    point: NDArray[np.int32]
    share: NDArray[np.float64]
    aspect: NDArray[np.int8]

    @classmethod
    def none(cls, many: int) -> Contributions:
        """The contributions of so many findings of which none names anything."""
        shape = many, MOST
        return cls(np.full(shape, NO_POINT, np.int32), np.zeros(shape), np.zeros(shape, np.int8))

    @classmethod
    def joined(cls, parts: Sequence[Contributions]) -> Contributions:
        """Those of all findings of the parts, in their order."""
        return cls(
            np.concatenate([part.point for part in parts]),
            np.concatenate([part.share for part in parts]),
            np.concatenate([part.aspect for part in parts]),
        )

    def __getitem__(self, at: NDArray[np.intp]) -> Contributions:
        """Those of some findings."""
        return Contributions(self.point[at], self.share[at], self.aspect[at])

    def of(self, at: int) -> list[Contributor]:
        """What explains one finding, the largest share first."""
        many = int(np.count_nonzero(self.point[at] != NO_POINT))
        point, share, aspect = (array[at, :many].tolist() for array in (self.point, self.share, self.aspect))
        return [Contributor(*named) for named in zip(point, share, map(Aspect, aspect), strict=True)]


def explained(
    scorer: object, row: NDArray[np.intp], point: NDArray[np.int32], blame: NDArray[np.float64]
) -> Contributions | None:
    """What explains findings of these rules (their rows and points, [m] each), by how much each column is to blame."""
    if isinstance(scorer, Grouping):
        return ranked(scorer.member[row], blame)
    if isinstance(scorer, Discerning):
        return ranked(np.broadcast_to(point[:, np.newaxis], blame.shape), blame, scorer.aspect)
    return None


def ranked(
    member: NDArray[np.int32], blame: NDArray[np.float64], aspect: NDArray[np.int8] | None = None
) -> Contributions:
    """Rank members (int32[m, d]) by how much each is to blame (float64[m, d], -inf = no member).

    A member that is to blame for nothing, or lessens the score, has no share. `aspect` (int8[d]): which aspect of its
    member each column is about, if not the whole.

    >>> found = ranked(np.array([[7, 8, 9]], np.int32), np.array([[1.0, 3.0, -2.0]])).of(0)
    >>> [(each.point, each.share) for each in found]
    [(8, 0.75), (7, 0.25)]
    """
    positive = np.maximum(blame, 0.0)
    total = np.add.accumulate(positive, axis=1)[:, -1:]  # term by term: the same last bit whatever the width
    order = np.argsort(-positive, axis=1, kind="stable")[:, :MOST]
    share = np.take_along_axis(positive, order, axis=1) / np.where(total > 0, total, 1.0)
    named = share >= LEAST_SHARE
    found, many = Contributions.none(len(member)), order.shape[1]
    found.point[:, :many] = np.where(named, np.take_along_axis(member, order, axis=1), NO_POINT)
    found.share[:, :many] = np.where(named, share, 0.0)
    if aspect is not None:
        found.aspect[:, :many] = np.where(named, aspect[order], Aspect.WHOLE)
    return found

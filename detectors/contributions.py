"""Which members of a group explain a finding most, and with what share each: the ranked contributions of a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import NO_POINT

MOST: Final = 5
"""Members named with a finding."""
LEAST_SHARE: Final = 0.01
"""A member with a smaller share is not named."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """The members that explain each of some findings, the largest share first.

    Attributes:
        point: int32[m, MOST], `NO_POINT` where fewer are named.
        share: float64[m, MOST], of what all members contribute, 0 to 1; 0 where fewer are named.
    """

    point: NDArray[np.int32]
    share: NDArray[np.float64]

    @classmethod
    def none(cls, many: int) -> Contributions:
        """The contributions of so many findings of which none names a member."""
        return cls(np.full((many, MOST), NO_POINT, np.int32), np.zeros((many, MOST)))

    @classmethod
    def joined(cls, parts: Sequence[Contributions]) -> Contributions:
        """Those of all findings of the parts, in their order."""
        return cls(np.concatenate([part.point for part in parts]), np.concatenate([part.share for part in parts]))

    def __getitem__(self, at: NDArray[np.intp]) -> Contributions:
        """Those of some findings."""
        return Contributions(self.point[at], self.share[at])

    def of(self, at: int) -> list[tuple[int, float]]:
        """Points and shares of one finding, the largest first."""
        many = int(np.count_nonzero(self.point[at] != NO_POINT))
        return list(zip(self.point[at, :many].tolist(), self.share[at, :many].tolist(), strict=True))


def ranked(member: NDArray[np.int32], blame: NDArray[np.float64]) -> Contributions:
    """Rank members (int32[m, d]) by how much each is to blame (float64[m, d], -inf = no member).

    A member that is to blame for nothing, or lessens the score, has no share.

    >>> ranked(np.array([[7, 8, 9]], np.int32), np.array([[1.0, 3.0, -2.0]])).of(0)
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
    return found

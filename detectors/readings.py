"""Readings and findings as structures of arrays, the input and output of detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.contributions import Contributions

NO_CAUSE: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Readings in the order of their arrival; for one point, `time` increases strictly.

    Neighbours of one `time` and one `received` came together, as a frame's columns do: each is evaluated with all
    of them known, whatever their order. A batch holds all of them.

    Attributes:
        point: int32[n], index of the point.
        time: int64[n], event time, ns.
        value: float64[n], NaN where the instrument gave nothing usable.
        received: int64[n], arrival time, ns: what silence is measured by.
        carrier: int32[n], index of the device that carried the reading: hearing a point is hearing its device.
        raw: float64[n], what rules on instruments see instead of `value`: what an instrument showed that signals its
            own failure; NaN beside a value that is judged though nothing vouches for it; infinite where the instrument
            is tested, so that they judge nothing. None: the same as `value`.
    """

    point: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    received: NDArray[np.int64]
    carrier: NDArray[np.int32]
    raw: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.point)


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Changes of verdict: a rule tripped, or returned to normal.

    Attributes:
        rule: int32[m], the rule's number as given in its `RuleTable`.
        raised: bool[m], True = tripped, False = returned.
        time: int64[m], when the verdict changed, ns.
        onset: int64[m], when the condition behind it began, ns: `time` less the delay.
        received: int64[m], arrival of the reading that decided it, ns.
        value: float64[m], what was judged, in the unit of the rule's limit: that reading's value, or the rate or time
            computed from it. NaN where there is none (silence, some returns).
        cause: int32[m], the point that explains the finding most where several are judged together, else `NO_CAUSE`.
        contributions: of kinds that judge a group as one, or several aspects of one point, how much each of them
            contributes to what tripped; None: no finding is of such a kind.
    """

    rule: NDArray[np.int32]
    raised: NDArray[np.bool_]
    time: NDArray[np.int64]
    onset: NDArray[np.int64]
    received: NDArray[np.int64]
    value: NDArray[np.float64]
    cause: NDArray[np.int32]
    contributions: Contributions | None = None

    def __len__(self) -> int:
        return len(self.rule)


def moments(time: NDArray[np.int64], received: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the number of each reading's moment (intp[n]), in the order of arrival.

    >>> moments(np.array([5, 5, 6, 6]), np.array([9, 9, 9, 10])).tolist()
    [0, 0, 1, 2]
    """
    later = np.zeros(len(time), np.intp)
    later[1:] = (time[1:] != time[:-1]) | (received[1:] != received[:-1])
    return np.cumsum(later)


def merge(parts: Sequence[Findings]) -> Findings:
    """All findings of at least one part in the order of their time; at one time, a return comes before a trip."""
    if len(parts) == 1 and len(parts[0]) == 1:
        return parts[0]
    rule = np.concatenate([part.rule for part in parts])
    raised = np.concatenate([part.raised for part in parts])
    time = np.concatenate([part.time for part in parts])
    order = np.lexsort((rule, raised, time))
    return Findings(
        rule[order],
        raised[order],
        time[order],
        np.concatenate([part.onset for part in parts])[order],
        np.concatenate([part.received for part in parts])[order],
        np.concatenate([part.value for part in parts])[order],
        np.concatenate([part.cause for part in parts])[order],
        _joined(parts, order),
    )


def _joined(parts: Sequence[Findings], order: NDArray[np.intp]) -> Contributions | None:
    if all(part.contributions is None for part in parts):
        return None
    return Contributions.joined([part.contributions or Contributions.none(len(part)) for part in parts])[order]


def nothing() -> Findings:
    """No findings."""
    return _NOTHING


_NONE: Final = np.empty(0, np.int64)
_NOTHING: Final = Findings(
    _NONE.astype(np.int32),
    _NONE.astype(np.bool_),
    _NONE,
    _NONE,
    _NONE,
    _NONE.astype(np.float64),
    _NONE.astype(np.int32),
)

"""Where a group of points stands: at the level of its lesson, or at one that no lesson held.

A process that is taken to another operating point is found for it. Once it has kept still there for as many vectors as
`STAY` of a lesson has, its vectors are centred there: the alarm ends, and whatever leaves the level, breaks the
relations learnt or trembles is found as before. So a process that goes on moving stays in alarm, and a point that no
lesson held is reported once and hides nothing that happens there. The rule reports that it stands at one until it is
back at the lesson's level, or learns anew because somebody has accepted the point.

There are two levels at most, that of the lesson and the newest other one, and the nearer one counts, as with several
local models (Zhao, Zhang & Xu, "Monitoring of processes with multiple operating modes through multiple principle
component analysis models", Ind. Eng. Chem. Res. 43, 2004). The other one is forgotten with the first vector back at the
lesson's level, and with a new stretch of vectors: come to again, it is found again, for it may be a fault. Relations
are those of the lesson everywhere: what was seen of another point is too little, and nobody has accepted it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.trip import Arrays

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

STAY: Final = 0.75
"""Of a lesson's vectors: how many a process must keep still for at another level."""
STILL: Final = 0.5
"""Of the limit of the distance: how far an average that keeps still may be from its own average."""
SLOWER: Final = 5.0
"""How many times as long as the average its own average remembers."""
NO_ALARM: Final = -1


class OperatingPoints:
    """Levels of the rules of a kind, and how long each process has kept still in alarm; values are standardised."""

    def __init__(
        self,
        train: NDArray[np.int64],
        smoothing: Floats,
        clip: Floats,
        width: int,
        foretell: Callable[[Rows, Floats], Floats],
        reach: Callable[[Rows, Floats], Floats],
    ) -> None:
        """Start at the lesson's level.

        Args:
            train: int64[r], vectors of a lesson.
            smoothing: float64[r, 1], weight of the newest vector in an average.
            clip: float64[r, 1], how far from a level a value may count for.
            width: members of the widest rule.
            foretell: gives what values (float64[k, width]) of these rules foretell.
            reach: gives the distance that such errors have from 0, over its limit, float64[k].
        """
        rows = len(train)
        self._stay, self._smoothing, self._clip = np.ceil(STAY * train).astype(np.int64), smoothing, clip
        self._foretell, self._reach = foretell, reach
        self.unknown = np.zeros(rows, bool)  # at a level that no lesson held
        self.centre = np.zeros((rows, width))  # values at that level
        self._home = np.zeros((rows, width))  # the baseline at the lesson's level
        self._homeward = np.zeros((rows, width))  # average of what values would be at the lesson's level
        self._value, self._level = np.zeros((2, rows, width))  # averages in alarm: of values, and of averaged errors
        self._kept_still = np.full(rows, NO_ALARM, np.int64)
        self.stood = np.zeros(rows, np.int64)  # vectors since the alarm began

    def begin(self, row: Rows, baseline: Floats) -> None:
        """Let these rules begin at the level of the lesson (`baseline`: float64[r, width], of all)."""
        if len(row):
            self._kept_still[row], self.stood[row] = NO_ALARM, 0
            away = row[self.unknown[row]]
            baseline[away] = self._home[away]
            self.unknown[away], self.centre[away] = False, 0.0

    def forget(self, row: int) -> None:
        """Let a rule that has learnt stand at the level of its lesson."""
        self.unknown[row], self.centre[row], self._kept_still[row], self.stood[row] = False, 0.0, NO_ALARM, 0

    def away(self, row: Rows) -> Rows:
        """Places in `row` (intp[m]) of rules that are at a level that no lesson held."""
        return np.flatnonzero(self.unknown[row])

    def from_home(self, rules: Rows, value: Floats) -> tuple[Floats, Floats]:
        """How far rules that are away are from the level of the lesson, or from where that had drifted.

        Args:
            rules: intp[k].
            value: float64[k, width], about the lesson's level; NaN = missing.

        Returns:
            The averages of errors they would have there (float64[k, width]), and the distances of these over their
            limits.
        """
        before = self._homeward[rules]
        step = np.clip(value, -self._clip[rules], self._clip[rules]) - before
        average = self._homeward[rules] = before + self._smoothing[rules] * _known(step)
        errors = average - self._foretell(rules, before)
        drifted, learnt = self._reach(rules, errors - self._home[rules]), self._reach(rules, errors)
        self._home[rules[learnt < drifted]] = 0.0
        return errors, np.minimum(drifted, learnt)

    def follow(self, row: Rows, alarm: Flags, value: Floats, average: Floats, baseline: Floats) -> Rows:
        """Count how long these rules' processes keep still in alarm.

        Args:
            row: intp[m].
            alarm: bool[m].
            value: float64[m, width], about the lesson's level; NaN = missing.
            average: float64[m, width], of errors.
            baseline: float64[m, width].

        Returns:
            Places of the rules (intp[k]) that have kept still for long enough: `centre` is where they stand now.
        """
        kept = self._kept_still[row]
        at = np.flatnonzero(alarm)
        if not len(at):
            if (kept != NO_ALARM).any():
                self._kept_still[row], self.stood[row] = NO_ALARM, 0
            return at
        rules, new = row[at], kept[at] == NO_ALARM
        gain = self._smoothing[rules]
        self._value[rules[new]], self._level[rules[new]] = self.centre[rules[new]], average[at[new]]
        self._value[rules] += gain * _known(value[at] - self._value[rules])
        apart = average[at] - self._level[rules]
        self._level[rules] += gain / SLOWER * apart
        counted = np.full(len(row), NO_ALARM, np.int64)
        counted[at] = np.maximum(kept[at], 0) + (self._reach(rules, apart) <= STILL)
        self._kept_still[row], self.stood[row] = counted, np.where(alarm, self.stood[row] + 1, 0)
        done: Rows = at[counted[at] >= self._stay[rules]]
        self._leave(row[done], baseline[done])
        return done

    def _leave(self, rules: Rows, baseline: Floats) -> None:
        """Centre these rules where they stand; remember what is needed to find back, where they were at home."""
        home = ~self.unknown[rules]
        left = rules[home]
        self._home[left] = baseline[home]
        self._homeward[left] = np.clip(self._value[left], -self._clip[left], self._clip[left])
        self.centre[rules], self.unknown[rules] = self._value[rules], True
        self._kept_still[rules], self.stood[rules] = NO_ALARM, 0

    def arrays(self) -> Arrays:
        """What is remembered."""
        return {
            "unknown_point": self.unknown,
            "centre": self.centre,
            "home": self._home,
            "homeward": self._homeward,
            "value": self._value,
            "level": self._level,
            "kept_still": self._kept_still,
            "stood": self.stood,
        }


def _known(step: Floats) -> Floats:
    return np.where(np.isnan(step), 0.0, step)

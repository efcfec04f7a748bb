"""Events: from the trip of a rule to its return, with how far it went and what contributed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.contributions import Aspect
from detectors.workbench.rules import Rule


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one column has to do with an event: its share, 0 to 1, and which aspect of the column, if not the whole."""

    column: str
    share: float
    aspect: Aspect = Aspect.WHOLE


@dataclass(frozen=True, slots=True)
class Event:
    """A rule was tripped.

    Attributes:
        rule: its name.
        kind: of the rule.
        column: the column judged, or the one that explains it most.
        begin, end: times, UTC; no end: it stands at the end of the data.
        row: of its begin.
        value: of the column at its begin; NaN = none.
        score: at its begin; `peak`: the highest while it stood.
        on: the score at which the rule trips.
        contributions: the columns, or aspects of the column, by their shares, largest first.
    """

    rule: str
    kind: str
    column: str
    begin: np.datetime64
    end: np.datetime64 | None
    row: int
    value: float
    score: float
    peak: float
    on: float
    contributions: tuple[Contribution, ...]


@dataclass(frozen=True, slots=True)
class Learning:
    """How far a rule has come with what it learns.

    Attributes:
        rule, column: which; no column: a group.
        needed: readings it learns from before it judges; 0: it learns nothing.
        judges_from: the time of its first score; None: it is still learning.
        why: in one word why it does not judge, if it does not: a `Reason`.
    """

    rule: str
    column: str | None
    needed: int
    judges_from: np.datetime64 | None
    why: str = ""

    def __str__(self) -> str:
        of = self.rule if self.column else f"{self.rule} (all columns)"
        if self.judges_from is not None:
            return f"{of}: judges from {np.datetime_as_string(self.judges_from, 's')}Z"
        return f"{of}: still learning until {self.needed} readings were usable ({self.why})"


@dataclass(slots=True)
class OpenEvent:
    """An event that has no end yet."""

    rule: Rule
    name: str
    column: str
    begin: int
    row: int
    value: float
    score: float
    peak: float
    contributions: tuple[Contribution, ...]

    def closed(self, end: int | None) -> Event:
        """Return the event with its end, ns; None: it stands."""
        return Event(
            self.name, self.rule.kind, self.column, np.datetime64(self.begin, "ns"),
            None if end is None else np.datetime64(end, "ns"), self.row, self.value, self.score, self.peak,
            self.rule.on, self.contributions,
        )  # fmt: skip

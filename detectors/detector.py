"""A detector: readings in, findings out; state as arrays over its rules, kept by their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from detectors.gate import Gates
from detectors.pairs import Pairing, Pairs
from detectors.readings import Findings, Readings
from detectors.rules import RuleTable
from detectors.trip import Arrays, Trip


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A detector's memory: arrays with one entry a rule, and the keys of those rules."""

    key: tuple[str, ...]
    arrays: Arrays


class Detector(Protocol):
    """What every detector does."""

    rules: RuleTable

    def update(self, readings: Readings, now: int) -> Findings:
        """Judge readings; `now` (ns) is the only clock. The split into batches changes nothing."""

    def state(self) -> State:
        """The memory, to be kept or handed to the detector's successor."""

    def restore(self, state: State) -> None:
        """Take over the memory of every rule known by its key; others stay fresh."""


class Scorer(Protocol):
    """Gives each reading a score in the eyes of each rule: higher = worse, NaN = cannot tell."""

    @property
    def judges(self) -> Literal["value", "score"]:
        """What a finding tells people: the value, or the score where the limit is about that (a rate, a time)."""

    def score(
        self, pairs: Pairs, time: NDArray[np.int64], value: NDArray[np.float64], judged: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Score every pair, remembering what the next batch needs.

        Args:
            pairs: who is scored.
            time: int64[k], ns.
            value: float64[k], NaN = none.
            judged: bool[k], False where a gate is closed: what happens then must not count once it opens.
        """

    def arrays(self) -> Arrays:
        """The memory, one entry a rule."""


class ScoringDetector:
    """A scorer, the gates before it and the trip behind it."""

    def __init__(self, rules: RuleTable, scorer: Scorer) -> None:
        self.rules = rules
        self._pairing = Pairing(rules.point)
        self._scorer = scorer
        self._gates = Gates(rules)
        self._trip = Trip(rules)

    def update(self, readings: Readings, now: int) -> Findings:  # noqa: ARG002  readings bring their own time
        """Judge readings."""
        pairs = self._pairing.pair(readings.point)
        time, value = readings.time[pairs.reading], readings.value[pairs.reading]
        passage = self._gates.look(pairs, readings)
        score = passage.close(self._scorer.score(pairs, time, value, passage.open))
        at, raised, since = self._trip.judge(pairs, time, score)
        return Findings(
            rule=self.rules.rule[pairs.row[at]],
            raised=raised,
            time=time[at],
            onset=since,
            received=readings.received[pairs.reading[at]],
            value=np.where(raised, score[at], np.nan) if self._scorer.judges == "score" else value[at],
        )

    def state(self) -> State:
        """The memory of scorer, gates and trip."""
        return State(self.rules.key, {**self._scorer.arrays(), **self._gates.arrays(), **self._trip.arrays()})

    def restore(self, state: State) -> None:
        """Take over the memory of every rule known by its key."""
        take_over(self.state(), state)


def take_over(ours: State, theirs: State) -> None:
    """Copy `theirs` into the arrays of `ours`, rule by rule, where the keys agree and the array is known to both."""
    place = {key: at for at, key in enumerate(theirs.key)}
    both = [(at, place[key]) for at, key in enumerate(ours.key) if key in place]
    if not both:
        return
    mine, source = np.array(both, np.intp).T
    for name, array in ours.arrays.items():
        kept = theirs.arrays.get(name)
        if kept is not None and kept.shape[1:] == array.shape[1:]:
            array[mine] = kept[source]

"""The detector: evaluates readings to findings, with its state in arrays over its rules, kept by their keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from detectors.calibration import Calibration, Spending
from detectors.contributions import Contributions, explained
from detectors.feed import NEVER, Feed, Known
from detectors.gate import Gates, Passage
from detectors.masks import everywhere
from detectors.readings import NO_CAUSE, Findings, nothing
from detectors.rules import RuleTable
from detectors.runs import RuleIndex, Runs
from detectors.trip import Arrays, Bounded, Trip, joined

_NOTHING: Final = np.empty(0)
_SIGN: Final = {"value": None, "score": 1.0, "minus score": -1.0}


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A detector's state: arrays with one entry a rule, and the keys of those rules."""

    key: Sequence[str]
    arrays: Arrays

    def renamed(self, now: Mapping[str, str]) -> State:
        """The same state under new keys; `now` maps old keys to new ones."""
        return State([now.get(key, key) for key in self.key], self.arrays) if now else self

    def without(self, keys: Collection[str]) -> State:
        """The state of all other rules."""
        return self._of([at for at, key in enumerate(self.key) if key not in keys], [*self.arrays])

    def verdicts(self, keys: Collection[str]) -> State:
        """Of these rules only which are tripped."""
        tripped = self._of([at for at, key in enumerate(self.key) if key in keys], ["tripped"])
        if tripped.arrays:
            tripped.arrays["condition"] = tripped.arrays["tripped"]
        return tripped

    def _of(self, rows: Sequence[int], names: Sequence[str]) -> State:
        at = np.array(rows, np.intp)
        return State(
            [self.key[row] for row in rows], {name: self.arrays[name][at] for name in names if name in self.arrays}
        )


class Reason(IntEnum):
    """Why a rule cannot tell, in whole or in part."""

    NEVER_HEARD = 1
    """Its point has not been heard yet."""
    NO_VALUE = 2
    """Its point's newest reading is no usable value."""
    GATE_UNKNOWN = 3
    """The point its gate looks at has not been heard yet."""
    GATE_CLOSED = 4
    """Its process is not in the phase in which it is judged."""
    WARMING_UP = 5
    """It has not enough past, or does not know enough of the other points it looks at."""
    LESSON_REFUSED = 6
    """Nothing moved in what it should have learnt from: it learns anew."""
    MEMBER_UNKNOWN = 7
    """A point of its group was missing in most of what it learnt from, or drifted through it: it judges the others."""
    BUDGET_LEARNING = 8
    """It has not heard enough yet to keep its budget of findings."""
    BUDGET_OUT_OF_REACH = 9
    """What is ordinary at its point would be found more often than its budget allows: it does not judge."""
    OVER_BUDGET = 10
    """It judges, and finds more than its budget allows: its limit may not be raised further."""
    OPERATING_POINT_UNKNOWN = 11
    """Its process stands where it did not when the rule learnt first: it judges what happens there."""
    OPERATING_POINT_LEARNING = 12
    """Its process has left for an operating point it had not learnt: it does not judge before it has learnt there."""


@dataclass(frozen=True, slots=True, eq=False)
class NotEvaluated:
    """Rules that cannot tell, in whole or in part.

    Attributes:
        rule: int32[m], the rules' numbers.
        reason: int8[m], a `Reason` each.
    """

    rule: NDArray[np.int32]
    reason: NDArray[np.int8]

    @classmethod
    def none(cls) -> NotEvaluated:
        """All rules can tell."""
        return cls(np.empty(0, np.int32), np.empty(0, np.int8))


class Detector(Protocol):
    """The interface of a detector."""

    rules: RuleTable

    def update(self, feed: Feed, now: int) -> Findings:
        """Evaluate a batch; `now` (ns) is the only clock.

        How readings are split into batches changes nothing, as long as those that came together stay together
        (`Readings`).
        """

    def not_evaluated(self, known: Known, now: int) -> NotEvaluated:
        """The rules that cannot tell at `now` (ns), with the reason."""

    def state(self) -> State:
        """The state, to be stored or handed to the detector's successor."""

    def restore(self, state: State) -> None:
        """Restore the state of every rule known by its key; others stay fresh."""


Interval = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Low and high ends of intervals, one a rule, the ends included."""


def beyond(middle: NDArray[np.float64], reach: NDArray[np.float64], value: NDArray[np.float64]) -> Interval:
    """Values more than `reach` from the middle, on the side of `value` (float64[r] all); NaN: none."""
    above, below = value > middle, value < middle
    return (
        np.where(above, np.nextafter(middle + reach, np.inf), np.where(below, -np.inf, np.inf)),
        np.where(above, np.inf, np.where(below, np.nextafter(middle - reach, -np.inf), -np.inf)),
    )


class Scorer(Protocol):
    """Scores each reading by each rule: higher = worse, NaN = cannot tell."""

    @property
    def reports(self) -> Literal["value", "score", "minus score"]:
        """What a finding reports: the value, or the score where the limit is about that (a rate, a time).

        "minus score" where less is worse, as for a remaining time.
        """

    def score(self, runs: Runs) -> NDArray[np.float64]:
        """Score every pair (float64[k]), and keep the state that the next batch needs."""

    def blind(self, now: int) -> NDArray[np.bool_]:
        """bool[r], rules that have too little past to tell."""

    def arrays(self) -> Arrays:
        """The state, one entry a rule."""


@runtime_checkable
class ValueScorer(Protocol):
    """A scorer without state, whose score depends on the value alone and is low throughout an interval."""

    def quiet(self) -> Interval:
        """Intervals of values whose score is surely below `on`; never of NaN."""

    def loud(self, row: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:
        """Intervals around `value` where these rules (k of them) surely score above `off`; empty if there are none."""


@runtime_checkable
class Skimming(Protocol):
    """A scorer with a cheap test for readings that cannot trip their rule, as nearly all are."""

    def skim(self, runs: Runs, awake: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        """Process readings of single runs whose score would be NaN or below `on`; leave the others.

        Args:
            runs: the batch.
            awake: bool[k], pairs to be left: their rule is not at rest, its gate is not open, or the reading has no
                value. None = there are none.

        Returns:
            bool[k], the pairs that were left and have to be scored; None = there are none.
        """


@runtime_checkable
class Blaming(Protocol):
    """A scorer over several points that can name the point that caused a score."""

    cause: NDArray[np.int32]
    """int32[k], for each pair of the last `score`: the point that explains the score most, -1 = none."""


@runtime_checkable
class TakesNoValue(Protocol):
    """A scorer that also scores readings without a usable value."""

    @property
    def scores_no_value(self) -> bool:
        """Always true."""


@runtime_checkable
class Hearing(Protocol):
    """A scorer that must not miss any reading of its rules' other points, however short what it shows."""

    def hear(self, feed: Feed) -> None:
        """Take note of a batch, before `score` sees the readings of the rules' own points in it, if there are any."""


@runtime_checkable
class Padded(Protocol):
    """A scorer whose arrays are as wide as its widest rule, so that their width differs between tables."""

    @property
    def padded(self) -> bool:
        """Always true."""


@runtime_checkable
class Teachable(Protocol):
    """A scorer whose rules learn a model, and can also be trained at once."""

    def teach(self, row: int, vectors: NDArray[np.float64]) -> None:
        """Train one rule on float64[n, d]. Raises ValueError for vectors from which nothing can be learnt."""

    def caveat(self) -> NDArray[np.int8]:
        """int8[r], the `Reason` for which a rule's training limits what it can tell; 0 = none."""


Observe = Callable[[Runs, NDArray[np.float64]], None]
"""Takes pairs of rules and readings, and their scores (float64[k], NaN = cannot tell) as the trip gets them."""


class ScoringDetector:
    """A detector made of gates, a scorer and a trip."""

    def __init__(self, rules: RuleTable, scorer: Scorer, points: int) -> None:
        self.rules = rules
        self.scorer = scorer
        self.gates = Gates(rules.gate, points)
        self._index = RuleIndex(rules.point, points)
        self._trip = Trip(rules, bounded=isinstance(scorer, Bounded))
        self._by_value = scorer if isinstance(scorer, ValueScorer) else None
        if self._by_value and rules.budgeted().any():
            raise ValueError(f"{type(scorer).__name__}: hard limits have no budget of findings; expected none")
        self._quiet = self._by_value.quiet() if self._by_value else (_NOTHING, _NOTHING)
        self._blames = isinstance(scorer, Blaming)
        self._takes_none = isinstance(scorer, TakesNoValue)
        self._skims = scorer if isinstance(scorer, Skimming) else None
        self._observe: Observe | None = None

    def observe(self, observe: Observe) -> None:
        """Call `observe` with every score from now on; no reading is skimmed over any more."""
        self._observe, self._skims = observe, None

    def update(self, feed: Feed, now: int) -> Findings:  # noqa: ARG002  readings bring their own time
        """Evaluate a batch."""
        return self.evaluate(self._index.runs(feed))

    def evaluate(self, runs: Runs, *, all_open: bool = False) -> Findings:
        """Evaluate pairs of rules and readings; `all_open`: their gates are known to be open."""
        if not len(runs):
            return nothing()
        self._trip.mark_resting(runs)
        passage = None if all_open else self.gates.passage(runs)
        if passage is not None:
            runs.open, runs.gated = passage.open, True
        if self._skims is not None and runs.single:
            left = self._skims.skim(runs, runs.awake())
            if left is None:
                return nothing()
            if not everywhere(left):
                runs = runs.take(left)
                passage = None if passage is None else Passage(passage.open[left], passage.known[left])
        score = self._scored(runs, passage)
        feed = runs.feed
        runs, at, raised, since, worth = self._trip.evaluate(runs, score)
        if not len(at):
            return nothing()
        place = runs.at[at]
        value, sign = feed.value[place], _SIGN[self.scorer.reports]
        if feed.failing:
            raw = feed.raw[place]
            value = np.where(np.isnan(value) & np.isfinite(raw), raw, value)
        return Findings(
            rule=self.rules.rule[runs.row[at]],
            raised=raised,
            time=feed.time[place],
            onset=since,
            received=feed.received[place],
            value=value if sign is None else np.where(raised, sign * worth, np.nan),
            cause=np.where(raised, runs.cause[at], NO_CAUSE) if runs.cause is not None else np.full(len(at), NO_CAUSE),
            contributions=self._contributions(runs, at, raised),
        )

    def _contributions(self, runs: Runs, at: NDArray[np.intp], raised: NDArray[np.bool_]) -> Contributions | None:
        if runs.blame is None:
            return None
        row, blame = runs.row[at], np.where(raised[:, np.newaxis], runs.blame[at], 0.0)
        return explained(self.scorer, row, self.rules.point[row], blame)

    def _scored(self, runs: Runs, passage: Passage | None) -> NDArray[np.float64]:
        """Score every pair; NaN where its gate is closed."""
        score = self.scorer.score(runs)
        if passage is not None:
            score = passage.close(score)
        if self._observe is not None:
            self._observe(runs, score)
        if self._blames:
            runs.cause = cast("Blaming", self.scorer).cause
        return score

    def rows_for(self, feed: Feed) -> NDArray[np.intp]:
        """The rules that evaluate any of these readings."""
        return self._index.rows(feed)

    def steady(self, rows: NDArray[np.intp], value: NDArray[np.float64]) -> Interval:
        """Intervals of values that change nothing for these rules (intp[k]) after `value` (float64[k])."""
        if self._by_value is None:
            raise TypeError(f"{type(self.scorer).__name__} does not judge by the value alone")
        loud = self._by_value.loud(rows, value)
        tripped, moving = self._trip.status(rows)
        low, high = (np.where(tripped, loud[end], self._quiet[end][rows]) for end in (0, 1))
        return np.where(moving, np.inf, low), np.where(moving, -np.inf, high)

    def busy(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        """bool[k], which of these rules are not at rest."""
        return self._trip.busy[rows]

    def not_evaluated(self, known: Known, now: int) -> NotEvaluated:
        """The rules that cannot tell; of several reasons the one closest to the reading."""
        point = self.rules.point
        gate = self.gates.at(known.value)
        usable = known.time[point] == known.newest[point]
        reason = np.where(self.scorer.blind(now), Reason.WARMING_UP, 0).astype(np.int8)
        if isinstance(self.scorer, Teachable):
            caveat = self.scorer.caveat()
            reason = np.where(caveat > 0, caveat, reason)
        if self._trip.calibration is not None:
            reason = np.where(reason == 0, _of_budget(self._trip.calibration), reason)
        if not self._takes_none:
            reason[~usable] = Reason.NO_VALUE
        reason[~gate.open] = Reason.GATE_CLOSED
        reason[~gate.known] = Reason.GATE_UNKNOWN
        reason[known.newest[point] == NEVER] = Reason.NEVER_HEARD
        return NotEvaluated(self.rules.rule[reason > 0], reason[reason > 0])

    def spending(self) -> Spending | None:
        """What its rules with a budget have found and may find; None if there are none."""
        return None if self._trip.calibration is None else self._trip.calibration.spending()

    def teach(self, key: str, vectors: NDArray[np.float64]) -> None:
        """Train a rule at once. Raises KeyError for an unknown rule, or one that learns no model."""
        if not isinstance(self.scorer, Teachable) or key not in self.rules.key:
            raise KeyError(key)
        self.scorer.teach(self.rules.key.index(key), vectors)

    def state(self) -> State:
        """The state of scorer and trip."""
        return State(self.rules.key, joined(self.scorer.arrays(), self._trip.arrays()))

    def restore(self, state: State) -> None:
        """Restore the state of every rule known by its key."""
        take_over(self.state(), state, padded=isinstance(self.scorer, Padded))
        self._trip.sync()


def _of_budget(calibration: Calibration) -> NDArray[np.int8]:
    """int8[r], the `Reason` for which a rule's budget limits what it can tell; 0 = none."""
    reason = np.where(calibration.over(), Reason.OVER_BUDGET, 0)
    reason[calibration.out_of_reach()] = Reason.BUDGET_OUT_OF_REACH
    reason[calibration.learning()] = Reason.BUDGET_LEARNING
    return reason.astype(np.int8)


def take_over(ours: State, theirs: State, *, padded: bool = False) -> None:
    """Copy `theirs` into the arrays of `ours`, rule by rule, where the keys agree and the array is known to both.

    Arrays of another width are left as they are, or if `padded`, taken as far as both are wide.
    """
    place = {key: at for at, key in enumerate(theirs.key)}
    both = [(at, place[key]) for at, key in enumerate(ours.key) if key in place]
    if not both:
        return
    mine, source = np.array(both, np.intp).T
    for name, array in ours.arrays.items():
        kept = theirs.arrays.get(name)
        if kept is not None and kept.shape[1:] == array.shape[1:]:
            array[mine] = kept[source]
        elif kept is not None and padded and kept.ndim == array.ndim:
            both_wide = tuple(slice(min(pair)) for pair in zip(kept.shape[1:], array.shape[1:], strict=True))
            array[(mine, *both_wide)] = kept[(source, *both_wide)]

"""Groups: several points as one vector, the lesson a model of them is learnt from, and what a distance is made of.

What the kinds share that look at a group of points as one: `mahalanobis`, `t2` and `spe`. A group is a rule's own point
and its inputs. A vector is taken whenever the own point is heard: its value and the newest of the others, missing where
that is bad, never came, or is older than `fresh_s` seconds. The first `train` vectors, in which missing values count as
the mean, are the lesson; nothing is told before it is over. Then the model stands: a rule learns anew only when
its members change, or a parameter the model was made with does. A closed gate, or a pause longer than `gap_s`, breaks
the stretch of vectors that belong together, in the lesson and after it; behind a closed gate nothing is learnt.

A lesson has at least one vector more than the group has members. One in which no member moved is refused, and the next
begins; what else cannot be learnt from it, see `detectors.lesson`. A lesson in which any member drifted may not be what
is usual: its rule is `unsettled`, and may be told to learn anew where its process is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Reason
from detectors.feed import NEVER
from detectors.lesson import FOLDS, LEAST_SCALE, UNSETTLED, Floats, Lesson, drift_of, usual_of, with_levels
from detectors.peers import Peers, channels
from detectors.readings import NO_CAUSE
from detectors.rules import RuleTable
from detectors.runs import Runs
from detectors.trip import Arrays, joined

MOST: Final = 1e6  # standard deviations any value may count for: so no wild value leaves infinity in a memory


class Group(ABC):
    """A scorer of groups: gathers vectors and training data; the kind defines the model and its score."""

    reports: Final = "score"
    scores_no_value: Final = True
    padded: Final = True
    model: Arrays
    """What was learnt and what is remembered since; overwritten with what it held at first when a rule learns anew."""

    settings: ClassVar[Sequence[str]]
    """The parameters a model is made with."""
    setting: Floats
    """Float64[r, s + 1], their values, and the number of members."""

    def __init__(self, rules: RuleTable) -> None:
        self.rules, self.member = rules, channels(rules)
        self.there = self.member >= 0
        rows, width = self.member.shape
        self._peers = Peers(self.member, rules.param["fresh_s"])
        self._gap_s = rules.param.get("gap_s", np.full(rows, np.inf))
        self._train = np.maximum(rules.param["train"], self._least()).astype(np.int64)
        made_with = [*(rules.param[name] for name in self.settings), self.there.sum(axis=1)]
        self.setting = np.array(made_with, np.float64).T.copy()
        self._last = np.full(rows, NEVER)  # time of the newest vector of the stretch; NEVER = the next begins one
        self._trained, self._refused = np.zeros((2, rows), bool)
        self.unsettled = np.zeros(rows, bool)
        """bool[r], rules of which a member drifted while they learnt, so that the lesson may not be what is usual."""
        self._elsewhere = np.zeros(rows, bool)  # learns anew, or did, where its process was not when it learnt first
        self._count = np.zeros(rows, np.int64)
        longest = int(self._train.max(initial=0))
        self._vector, self._begins = np.zeros((rows, longest, width)), np.zeros((rows, longest), bool)
        self._learnt_of, self._learnt_with = self.member.copy(), self.setting.copy()
        self.cause = np.empty(0, np.int32)

    @abstractmethod
    def learn(self, row: int, at: NDArray[np.intp], lesson: Lesson) -> None:
        """Learn the model of one rule, whose members are in the columns `at` (intp[d]) of its arrays."""

    @abstractmethod
    def score_vectors(self, row: NDArray[np.intp], vector: Floats, begins: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Score one vector each of different rules (float64[m, width], 0 where there is no member).

        Returns:
            The scores, float64[m], and how much each member is to blame, float64[m, width].
        """

    def score(self, runs: Runs) -> Floats:
        """The statistic, its limit being 1; NaN during training and where no member has a value."""
        self._forget_changed()
        vector = self._vectors(runs)
        seen = np.asarray((~np.isnan(vector) & self.there[runs.row]).any(axis=1) & runs.open, np.bool_)
        score = np.full(len(runs), np.nan)
        runs.blame = np.full(vector.shape, -np.inf)
        for pairs in runs.rounds():
            if runs.gated:
                closed = pairs[~runs.open[pairs]]
                self._last[runs.row[closed]] = NEVER
            taken = pairs[seen[pairs]]
            if len(taken):
                score[taken], runs.blame[taken] = self._step(runs.row[taken], runs.time[taken], vector[taken])
        most = self.member[runs.row, runs.blame.argmax(axis=1)]
        self.cause = np.where(np.isnan(score), NO_CAUSE, most).astype(np.int32, copy=False)
        return score

    def teach(self, row: int, vectors: Floats) -> None:
        """Make a rule's model from float64[n, d] at once; the next vector it sees begins a new stretch.

        The columns are the own point and the inputs, in their order.
        """
        many, least = int(self.there[row].sum()), int(self._least()[row])
        if vectors.ndim != 2 or vectors.shape[1] != many or len(vectors) < least:
            raise ValueError(f"vectors of shape {vectors.shape}: expected {least} or more of {many} values")
        self._forget_changed()
        if not self._finish(row, Lesson(np.array(vectors, np.float64), np.arange(len(vectors)) == 0)):
            raise ValueError("no member moves in these vectors: expected some from when the process runs")
        self._last[row], self._elsewhere[row] = NEVER, False

    def blind(self, now: int) -> NDArray[np.bool_]:  # noqa: ARG002  counts vectors, not time
        """Rules that are still training."""
        return ~self._trained

    def caveat(self) -> NDArray[np.int8]:
        """int8[r], the `Reason` that speaks from a lesson; 0 = none."""
        unknown = (self.there & np.isinf(self.model["scale"])).any(axis=1)
        found = np.where(self._trained & unknown, Reason.MEMBER_UNKNOWN, 0)
        away = np.where(self._trained, Reason.OPERATING_POINT_UNKNOWN, Reason.OPERATING_POINT_LEARNING)
        found = np.where(self._elsewhere, away, found)
        return np.asarray(np.where(self._refused, Reason.LESSON_REFUSED, found), np.int8)

    def arrays(self) -> Arrays:
        """The lesson so far, what was learnt and from whom, and what is remembered since."""
        lesson = {"count": self._count, "vector": self._vector, "begins": self._begins, "refused": self._refused}
        learnt = {"trained": self._trained, "learnt_of": self._learnt_of, "learnt_with": self._learnt_with}
        learnt |= {"unsettled": self.unsettled, "elsewhere": self._elsewhere}
        return joined({"last": self._last}, lesson, learnt, self.model)

    def _least(self) -> NDArray[np.int64]:
        """int64[r], vectors a lesson has at least."""
        return np.asarray(np.maximum(self.there.sum(axis=1) + 1, FOLDS), np.int64)

    def _vectors(self, runs: Runs) -> Floats:
        """float64[k, width], NaN where a member has no value; 0 where there is no member."""
        value = self._peers.values(runs)
        missing = self._peers.bad(runs) | ~np.isfinite(value)
        return np.where(self.there[runs.row], np.where(missing, np.nan, value), 0.0)

    def _step(self, row: NDArray[np.intp], time: NDArray[np.int64], vector: Floats) -> tuple[Floats, Floats]:
        """One vector each of different rules: scores, and how much each member is to blame (-inf = no member)."""
        last = self._last[row]
        begins = (last == NEVER) | ((time - last) / 1e9 > self._gap_s[row])
        self._last[row] = time
        trained = self._trained[row]
        if not trained.all():
            young = ~trained
            self._add_to_lesson(row[young], vector[young], begins[young])
        score, blame = np.full(len(row), np.nan), np.full(vector.shape, -np.inf)
        if trained.any():
            ready = row[trained]
            score[trained], found = self.score_vectors(ready, vector[trained], begins[trained])
            blame[trained] = np.where(self.there[ready], found, -np.inf)
        return score, blame

    def _add_to_lesson(self, row: NDArray[np.intp], vector: Floats, begins: NDArray[np.bool_]) -> None:
        """Add to the lessons; learn where one is over."""
        place = np.minimum(self._count[row], self._train[row] - 1)
        self._vector[row, place], self._begins[row, place] = vector, begins
        self._count[row] = place + 1
        for done in row[place + 1 == self._train[row]].tolist():  # once in the life of a rule
            many, at = self._train[done], np.flatnonzero(self.there[done])
            self._finish(done, Lesson(self._vector[done, :many][:, at].copy(), self._begins[done, :many].copy()))

    def _finish(self, row: int, lesson: Lesson) -> bool:
        """Learn from a lesson that is over, if it teaches something."""
        usual = usual_of(lesson.rows)
        moves = np.isfinite(usual.scale) & ~usual.still
        teaches = bool(moves.any())
        if teaches:
            self._trained[row], self.unsettled[row] = True, bool((drift_of(lesson.rows) > UNSETTLED).any())
            known = Lesson(with_levels(lesson.rows, moves), lesson.begins)
            self.learn(row, np.flatnonzero(self.there[row]), known)
        self._refused[row] = not teaches
        self._count[row] = self._vector[row] = self._begins[row] = 0
        return teaches

    def _learn_anew(self, row: NDArray[np.intp]) -> None:
        """Let rules learn where their processes are now; until they are taught, they say that nobody accepted it."""
        self._trained[row], self._elsewhere[row] = False, True

    def _forget_changed(self) -> None:
        """Begin again where a memory taken over is of other members, or was made with other parameters."""
        of = (self._learnt_of != self.member).any(axis=1)
        changed = np.flatnonzero(of | (self._learnt_with != self.setting).any(axis=1))
        if len(changed):
            fresh = type(self)(self.rules)  # what every array holds at first
            for name, array in self.arrays().items():
                array[changed] = fresh.arrays()[name][changed]


def ordered_sum(terms: Floats) -> Floats:
    """The sum along the last axis, term by term: no matter how many come with it, the last bit is the same.

    >>> ordered_sum(np.array([[1.0, 2.0, 4.0], [0.5, 0.0, 0.0]])).tolist()
    [7.0, 0.5]
    """
    total: Floats = np.add.accumulate(terms, axis=-1)[..., -1]
    return total


def pulled(matrix: Floats, vector: Floats) -> Floats:
    """Vectors (float64[..., d]) times matrices (float64[..., d, d], contiguous), in fixed order.

    Rows are added up one after the other: no matter how wide the arrays are, the last bit is the same.

    >>> pulled(np.array([[[1.0, 2.0], [0.0, 3.0]]]), np.array([[10.0, 1.0]])).tolist()
    [[10.0, 23.0]]
    """
    total: Floats = np.add.reduce(matrix * vector[..., np.newaxis], axis=-2)
    return total


def blamed(matrix: Floats, pull: Floats) -> Floats:
    """How much of a quadratic form would vanish were each member what the others suggest, float64[..., d].

    `pull` is `matrix` (float64[..., d, d]) times the vectors. Unlike the terms of the sum this is not smeared over
    members that move together (Alcala & Qin, "Reconstruction-based contribution for process monitoring", Automatica
    45, 2009).
    """
    own = np.arange(matrix.shape[-1])
    diagonal = matrix[..., own, own]
    return np.where(diagonal > LEAST_SCALE, pull * pull / np.maximum(diagonal, LEAST_SCALE), 0.0)


def products(matrix: Floats, rows: Floats) -> Floats:
    """One matrix (float64[d, d]) times many vectors (float64[n, d]), added up in the order of `pulled`."""
    total = np.zeros_like(rows)
    for column in range(rows.shape[1]):
        total += matrix[:, column] * rows[:, [column]]
    return total


def filled(vector: Floats, precision: Floats) -> Floats:
    """Put for NaN in vectors (float64[m, d]) what the other members suggest: the conditional mean.

    That is the value that leaves the distance under `precision` (float64[m, d, d]) smallest (Nelson, Taylor &
    MacGregor 1996): a missing member breaks no relation, and explains nothing itself.

    >>> filled(np.array([[1.0, np.nan]]), np.array([[[2.0, -1.0], [-1.0, 2.0]]])).tolist()
    [[1.0, 0.5]]
    """
    missing = np.isnan(vector)
    some = np.flatnonzero(missing.any(axis=1))
    if not len(some):
        return vector
    lost, weights = missing[some], precision[some]
    known = np.where(lost, 0.0, vector[some])
    system = np.where(lost[:, :, np.newaxis] & lost[:, np.newaxis, :], weights, np.eye(vector.shape[1]))
    pull = np.where(lost, -pulled(weights, known), 0.0)
    whole = vector.copy()
    whole[some] = known + np.linalg.solve(system, pull[:, :, np.newaxis])[:, :, 0]
    return whole


def standardised(rows: Floats, mean: Floats, scale: Floats, clip: float | Floats = MOST) -> Floats:
    """Readings in standard deviations from the mean, at most `clip` of them; NaN where there is none."""
    most = np.minimum(clip, MOST)
    return np.clip((rows - mean) / scale, -most, most)

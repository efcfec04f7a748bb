"""Limits that keep a budget of findings: learnt from how often a score goes how high while nothing is wrong.

A budget is the most findings that a rule of this kind may have on 100 points in 30 days. `USUAL_BUDGET`, 30, is one a
day on 100 points: EEMUA 191 takes some 150 alarms a day for what one operator can answer, and with 3000 points before
him a fifth of them may come from rules that learn.

There is a ladder of limits from the rule's own upwards, each an eighth above the one before, and for every rung it is
counted how often a rule with that limit and deadband would have spoken. So nothing has to be assumed of how readings
depend on each other: an excursion counts once on a rung, however long it lasts. The limit is the lowest level at which
the budget is kept:

- at least the first rung that spoke no oftener than the budget allows in the time heard, and
- at least where a Pareto tail through the highest rung with ten excursions leads to the budget (Hill, "A simple general
  approach to inference about the tail of a distribution", Ann. Statist. 3, 1975; Weissman, J. Amer. Statist. Assoc. 73,
  1978). How far an excursion goes is known in whole rungs only: how many further ones it reaches is geometric if the
  tail is Pareto's, and its shape follows from their mean, drawn to `_SHAPE` as by `_WEIGHT` excursions more.

A budget is kept from a fifth of the mean time between two findings that it promises, 20 days of readings for the usual
one, and from a day at least: what is ordinary at a plant comes round with its day. Before that the rule does not judge.
Time is counted from hour to hour in which there was a score, a gap as a day
at most.

What a limit may not do: it is never below the rule's own; excursions raise it, those shown as findings too, but never
beyond twice the first one learnt. So neither a slow fault nor somebody patient talks it up further: it stays there, and
finds more than its budget (`over`). Where even the highest rung speaks too often the rule does not judge
(`out_of_reach`). A fault that was there all through the first lesson is ordinary to it, as to every kind that learns.

Scores that stay below 1 (`surprise`) are taken for what they stand for, the x of x / (1 + x), which has no bound.

Counted are excursions, not what delays or N of M leave of them: rules with those stay further below their budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.rules import RuleTable
from detectors.runs import Runs

USUAL_BUDGET: Final = 30.0
"""Findings on 100 points in 30 days."""
RUNGS: Final = 32
HIGHEST: Final = 2.0 ** ((RUNGS - 1) / 6)
"""The highest rung, in the rule's own limit."""

_LEVELS: Final = 2.0 ** (np.arange(RUNGS) / 6)
_STEP: Final = float(np.log(2.0)) / 6
_HOUR: Final = 3_600 * 10**9
_DAY: Final = 24 * _HOUR
_PER: Final = 100.0 * 30 * _DAY
_NEVER: Final = np.iinfo(np.int64).min
_OPEN: Final = np.iinfo(np.int64).max
_NEEDED: Final = 0.2
"""Findings that the budget allows in the time that must be heard before it is kept."""
_MOST_RAISED: Final = 2.0
_ENOUGH: Final = 10
_SHAPE: Final = 0.15
_WEIGHT: Final = 2.0
_USUAL_RUNGS: Final = 1.0 / float(np.expm1(_STEP / _SHAPE))
"""Rungs that an excursion reaches further on average, with a tail of that shape."""
_MOST_COUNT: Final = np.iinfo(np.uint16).max

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spending:
    """Of rules with a budget, one entry each.

    Attributes:
        rule: int32[m], the rules' numbers.
        budget: float64[m], findings on 100 points in 30 days.
        spent: int64[m], findings since the limit was first learnt.
        expected: float64[m], findings the budget allowed in that time.
        needed_s: float64[m], seconds of readings still needed before the budget can be kept.
        limit: float64[m], the score at which the rule trips now; NaN = it does not judge.
    """

    rule: NDArray[np.int32]
    budget: Floats
    spent: NDArray[np.int64]
    expected: Floats
    needed_s: Floats
    limit: Floats

    @classmethod
    def joined(cls, parts: Sequence[Spending]) -> Spending:
        """Those of all parts."""
        parts = [*parts, cls(*(np.empty(0, kind) for kind in (np.int32, float, np.int64, float, float, float)))]
        names = (field.name for field in fields(cls))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def needed_s(budget: Floats) -> Floats:
    """Return the seconds of readings that rules need before they can keep these budgets, and judge."""
    return np.maximum(_NEEDED * _PER / budget, _DAY) / 1e9


def least_budget(learning_s: float) -> float:
    """Return the smallest budget that is kept after so many seconds of readings, a day or more."""
    return _NEEDED * _PER / learning_s / 1e9


class Calibration:
    """Learns the limits of the rules that have a budget; 120 bytes a rule."""

    def __init__(self, rules: RuleTable, *, bounded: bool = False) -> None:
        """Prepare for rules of which some have a budget; `bounded`: scores stay below 1, as s = x / (1 + x).

        Raises:
            ValueError: one of these has a limit of zero, or of 1 and more where scores are bounded.
        """
        rows = len(rules)
        budget = np.full(rows, np.inf) if rules.budget is None else rules.budget
        self._rules, self._budget = rules, budget
        self._has: NDArray[np.bool_] = np.isfinite(budget)
        if (self._has & (rules.on == 0)).any():
            raise ValueError("a rule with a budget has a limit of 0; expected one above or below")
        if bounded and (self._has & ((rules.on >= 1) | (rules.off < 0))).any():
            raise ValueError("a rule with a budget has a limit that no score reaches; expected one between 0 and 1")
        self._bounded = bounded
        self._lowest = self._unbounded(rules.on), self._unbounded(rules.off)
        self._rate = np.where(self._has, budget, 0.0) / _PER  # findings a ns
        self._needed = np.where(self._has, needed_s(budget) * 1e9, np.inf)  # ns
        with np.errstate(divide="ignore", invalid="ignore"):
            on, off = self._lowest
            share = np.where(on > 0, off / on, on / off)
        self._share = np.where(self._has, share, 1.0)  # of a limit at which it returns
        self.limits = rules.on.copy(), rules.off.copy()
        """float64[r] both, `on` and `off` in force; of rules without a budget their own."""
        self.height = np.zeros(rows, np.uint8)
        """uint8[r], how many rungs each rule stands above."""
        self._counts = np.zeros((rows, RUNGS), np.uint16)
        self._mark = np.full(rows, _NEVER)
        self._heard, self._learnt = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
        self._cap, self._limit = np.full(rows, np.inf), np.full(rows, np.inf)
        self._spent = np.zeros(rows, np.uint32)
        self._own = rules.on.copy()
        self.sync()

    def hours(self, runs: Runs, score: Floats) -> NDArray[np.bool_] | None:
        """bool[k], the first scored reading of each hour, of rules that have a budget; None = there is none."""
        row, time = runs.row, runs.time
        late = time >= self._due[row]
        if not np.count_nonzero(late):
            return None
        late &= score > -np.inf  # that is neither unknown nor behind a closed gate
        if not runs.single:
            hour = time // _HOUR
            before = self._due // _HOUR - 1
            late &= hour > runs.previous(runs.fill(hour, late, before), before)
        return late if np.count_nonzero(late) else None

    def pass_hours(self, runs: Runs, hours: NDArray[np.bool_]) -> None:
        """Count the time up to these first scored readings of an hour (bool[k]); limits are learnt anew at each."""
        if np.count_nonzero(hours):
            begun = runs if runs.single and hours.all() else runs.take(hours)
            for pairs in begun.rounds():
                self._pass_hour(begun.row[pairs], begun.time[pairs])

    def _pass_hour(self, row: NDArray[np.intp], time: NDArray[np.int64]) -> None:
        """The same for readings of different rules."""
        mark = self._mark[row]
        self._heard[row] += np.where(mark == _NEVER, 0, np.minimum(time - np.maximum(mark, time - _DAY), _DAY))
        self._mark[row], self._due[row] = time, (time // _HOUR + 1) * _HOUR
        ready = self._heard[row] >= self._needed[row]
        if not ready.any():
            return
        row = row[ready]
        wanted = self._wanted(row)
        first = self._learnt[row] == 0
        self._learnt[row] = np.where(first, self._heard[row], self._learnt[row])
        cap = np.where(first, _MOST_RAISED * wanted, self._cap[row])
        cap = np.where(cap == np.inf, np.where(wanted < np.inf, _MOST_RAISED * wanted, np.inf), cap)
        self._cap[row], self._limit[row] = cap, np.minimum(wanted, cap)
        self._put(row)

    def count(self, runs: Runs, score: Floats) -> None:
        """Count what these scores reach; every rule of the runs with its readings in order."""
        row = runs.row
        own, share = self._lowest[0][row], self._share[row]
        score = self._unbounded(score)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            level = np.where(own > 0, score / own, np.where(score < 0, own / score, np.inf))
            stays = np.where(level > 0, level / share, 0.0)
        unknown = np.isnan(score) | ~self._has[row]
        reached = np.where(unknown, 0, _LEVELS.searchsorted(level, "right")).astype(np.uint8)
        kept = np.where(unknown, RUNGS, np.maximum(_LEVELS.searchsorted(stays, "left"), reached)).astype(np.uint8)
        for pairs in runs.rounds():
            at, high = row[pairs], reached[pairs]
            before = self.height[at]
            self.height[at] = np.maximum(np.minimum(before, kept[pairs]), high)
            rising = high > before
            if np.count_nonzero(rising):
                rose, rung = at[rising], np.arange(RUNGS)
                new = (rung >= before[rising, None]) & (rung < high[rising, None])
                self._counts[rose] += new & (self._counts[rose] < _MOST_COUNT)

    def spend(self, row: NDArray[np.intp]) -> None:
        """Count findings of these rules; a rule may occur several times."""
        np.add.at(self._spent, row, 1)

    def learning(self) -> NDArray[np.bool_]:
        """bool[r], rules that have not heard enough to keep their budget."""
        return np.asarray(self._has & (self._learnt == 0), np.bool_)

    def out_of_reach(self) -> NDArray[np.bool_]:
        """bool[r], rules whose budget no limit keeps."""
        return np.asarray(self._has & (self._learnt > 0) & (self._limit == np.inf), np.bool_)

    def over(self) -> NDArray[np.bool_]:
        """bool[r], rules that go over their budget, since their limit may not be raised further."""
        over = np.zeros(len(self._has), bool)
        row = np.flatnonzero(self._has & np.isfinite(self._limit) & (self._limit >= self._cap))
        over[row] = self._wanted(row) > self._cap[row]
        return over

    def spending(self) -> Spending:
        """Of every rule with a budget, what it has found and may find."""
        row = np.flatnonzero(self._has)
        heard, learnt, rate = self._heard[row], self._learnt[row], self._rate[row]
        return Spending(
            rule=self._rules.rule[row],
            budget=self._budget[row],
            spent=self._spent[row].astype(np.int64),
            expected=np.where(learnt > 0, rate * (heard - learnt), 0.0),
            needed_s=np.where(learnt > 0, 0.0, np.maximum(needed_s(self._budget[row]) - heard / 1e9, 0.0)),
            limit=np.where(np.isfinite(self._limit[row]), self.limits[0][row], np.nan),
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What was heard and learnt, one entry a rule; after writing into it, `sync`."""
        return {
            "budget_counts": self._counts,
            "budget_height": self.height,
            "budget_mark": self._mark,
            "budget_heard": self._heard,
            "budget_learnt": self._learnt,
            "budget_cap": self._cap,
            "budget_limit": self._limit,
            "budget_spent": self._spent,
            "budget_own": self._own,
        }

    def sync(self) -> None:
        """Recompute derived state; what was counted from another limit of a rule's own is forgotten."""
        other = np.flatnonzero(self._own != self._rules.on)
        if len(other):
            fresh = Calibration(self._rules, bounded=self._bounded).arrays()
            for name, array in self.arrays().items():
                array[other] = fresh[name][other]
        known = self._mark != _NEVER
        self._due = np.where(known, (np.where(known, self._mark, 0) // _HOUR + 1) * _HOUR, _NEVER)
        self._due[~self._has] = _OPEN
        self._put(np.flatnonzero(self._has))

    def _put(self, row: NDArray[np.intp]) -> None:
        """Put the limits of these rules in force."""
        limit, on, off = self._limit[row], self._lowest[0][row], self._lowest[1][row]
        judges = np.isfinite(limit)
        factor = np.where(judges, np.where(on > 0, limit, 1 / limit), 1.0)
        self.limits[0][row] = np.where(judges, self._scores(on * factor), np.inf)
        self.limits[1][row] = self._scores(off * factor)

    def _unbounded(self, score: Floats) -> Floats:
        """What bounded scores stand for."""
        if not self._bounded:
            return score
        with np.errstate(invalid="ignore"):  # those behind a closed gate
            return np.where(np.isneginf(score), score, score / (1.0 - score))

    def _scores(self, unbounded: Floats) -> Floats:
        """The scores of what bounded ones stand for."""
        return unbounded / (1.0 + unbounded) if self._bounded else unbounded

    def _wanted(self, row: NDArray[np.intp]) -> Floats:
        """The limits that keep these rules' budgets, in their own limits; inf = none does."""
        spoke = np.maximum.accumulate(self._counts[row, ::-1], axis=1)[:, ::-1].astype(np.float64)
        allowed = self._rate[row] * self._heard[row]
        quiet = np.count_nonzero(spoke > allowed[:, None], axis=1)
        rung = np.maximum(np.count_nonzero(spoke >= _ENOUGH, axis=1) - 1, 0)
        often = spoke[np.arange(len(row)), rung]
        beyond = np.where(np.arange(RUNGS) > rung[:, None], spoke, 0.0).sum(axis=1)
        further = (beyond + _WEIGHT * _USUAL_RUNGS) / (often + _WEIGHT)
        shape = np.minimum(_STEP / np.log1p(1.0 / further), 1.0)
        tail = _LEVELS[rung] * np.maximum(often / allowed, 1.0) ** shape
        return np.where(quiet == RUNGS, np.inf, np.maximum(tail, _LEVELS[np.minimum(quiet, RUNGS - 1)]))

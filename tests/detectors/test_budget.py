"""A budget of findings is kept in good health, exactly under any cut and restart, and cannot be talked up for ever."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors import Bank, Readings, RuleTable
from detectors.calibration import HIGHEST, USUAL_BUDGET
from detectors.detector import Reason
from detectors.examples import tables
from tests.detectors.rule_tables import POINTS, SECOND, rules_of, table
from tests.detectors.test_conformance import START, Row, judge, listed, readings
from tests.reference.budget import BudgetRule
from tests.reference.plain import PlainRule, run
from tests.reference.scores import SCORES

KINDS = (
    "stuck",
    "spike",
    "noise",
    "ewma",
    "zscore",
    "robust_z",
    "forecast",
    "profile",
    "page_hinkley",
    "surprise",
    "neighbour",
)
BUDGET = 60_000.0
"""For the tests: 20 findings a day and rule, so that a budget is kept after a day, the least there is."""


def budgeted(kind: str, budget: float = BUDGET) -> RuleTable:
    """The specimens of a kind, all but every fifth with a budget."""
    made = table(rules_of(kind))
    return replace(made, budget=np.where(made.rule % 5 == 4, np.inf, budget))


def plain(kind: str) -> list[PlainRule]:
    """The same as plain loops."""
    return [rule if rule.number % 5 == 4 else BudgetRule(**vars(rule), budget=BUDGET) for rule in rules_of(kind)]


def a_value(random: np.random.Generator) -> float:
    """Mostly 0.5 and small numbers, a few far out, some none."""
    return float(random.choice([0.0, 0.5, 0.5, 0.5, 1.2, -2.5, math.nan, random.standard_t(1.5)]))


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Readings that make rules speak at many heights, over hours and days, with gaps and values that are none."""
    random, times = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), [START] * POINTS
    rows = []
    for point in random.integers(0, POINTS, draw(st.integers(1, 150))).tolist():
        times[point] += int(random.choice([1, 1, 1, 2, 400, 3_000, 90_000])) * SECOND
        rows.append((point, times[point], a_value(random)))
    return rows


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40)
@given(rows=streams(), cuts=st.lists(st.integers(0, 150), max_size=5))
def test_findings_equal_those_of_a_plain_ladder_however_the_stream_is_cut(
    kind: str, rows: list[Row], cuts: list[int]
) -> None:
    expected = run(plain(kind), rows, SCORES)
    whole, cut, single = Bank({kind: budgeted(kind)}), Bank({kind: budgeted(kind)}), Bank({kind: budgeted(kind)})
    assert judge(whole, rows, []) == expected
    assert judge(cut, rows, cuts) == expected
    assert judge(single, rows, range(len(rows))) == expected
    assert whole.dump() == cut.dump() == single.dump()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(rows=streams(), at=st.integers(0, 150))
def test_a_restart_changes_nothing(kind: str, rows: list[Row], at: int) -> None:
    unbroken, before, after = (Bank({kind: budgeted(kind)}) for _ in range(3))
    expected = judge(unbroken, rows, [at])
    found = listed(before.update(readings(rows[:at]), START))
    after.load(before.dump())
    found += listed(after.update(readings(rows[at:], at), START))
    assert sorted(found, key=lambda f: (f[2], f[1], f[0])) == expected
    assert after.dump() == unbroken.dump()


def test_these_streams_make_rules_with_a_budget_speak_at_learnt_limits() -> None:
    """Otherwise the comparisons above would prove nothing of them."""
    raised = set()
    for kind in KINDS:
        random = np.random.default_rng(7)
        pause = [0 if step < 2000 else 86_400 for step in range(4000)]  # by when they have heard enough
        rows = [
            (step % POINTS, START + (step // POINTS * 10 + pause[step]) * SECOND, a_value(random))
            for step in range(4000)
        ]
        bank = Bank({kind: budgeted(kind)})
        found = judge(bank, rows, [500, 1000])
        spending, own = bank.spending(), budgeted(kind).on
        if any(up and number % 5 != 4 for number, up, _, _ in found) and spending.spent.sum():
            raised |= {kind} if (spending.limit > own[spending.rule] + 1e-6).any() else set()
    assert raised >= {"stuck", "zscore", "ewma", "profile"}


MINUTE = 60 * SECOND


def noisy(budget: float = 3_000.0, on: float = 3.0) -> Bank:
    """One rule of kind `zscore` with a budget; by its own limit it speaks some four times a day of minutes."""
    (rules,) = tables("zscore", on, on / 2, least=30.0, floor=1e-3).values()
    return Bank({"zscore": replace(rules, budget=np.array([budget]))})


def play(bank: Bank, values: NDArray[np.float64] | Sequence[float], begin: int = 0) -> list[int]:
    """Minute values from minute `begin` on; the minutes in which the rule tripped."""
    time = (begin + np.arange(len(values), dtype=np.int64)) * MINUTE
    point = np.zeros(len(values), np.int32)
    found = bank.update(Readings(point, time, np.asarray(values, np.float64), time, point), int(time[-1]))
    return [time // MINUTE for time in found.time[found.raised].tolist()]


def reasons(bank: Bank) -> list[Reason]:
    """Why the rules do not judge, or not fully."""
    return [Reason(reason) for reason in bank.not_evaluated(0).reason]


def test_a_rule_says_what_it_still_has_to_hear_and_is_quiet_until_then() -> None:
    """The usual budget promises a finding in a hundred days and point: it is kept after twenty days of readings."""
    bank, random = noisy(USUAL_BUDGET), np.random.default_rng(1)
    assert play(bank, random.normal(size=10 * 1440)) == []
    assert reasons(bank) == [Reason.BUDGET_LEARNING]
    (needed,) = bank.spending().needed_s / 86_400
    assert needed == pytest.approx(10, abs=0.1)
    play(bank, random.normal(size=12 * 1440), 10 * 1440)
    assert reasons(bank) == []
    assert bank.spending().needed_s.tolist() == [0.0]
    assert play(bank, [50.0], 22 * 1440) == [22 * 1440]


def test_the_budget_is_kept_on_healthy_noise_and_what_it_allows_is_told() -> None:
    """One finding a day is promised for 30 days; by its own limit the rule would have had four times as many."""
    values = np.random.default_rng(2).normal(size=40 * 1440)
    bank, own = noisy(3_000.0), noisy(math.inf)
    found, many = play(bank, values), play(own, values)
    (spending,) = [bank.spending()]
    assert len(many) > 100
    assert spending.spent.tolist() == [len(found)]
    assert spending.expected[0] == pytest.approx(39, abs=0.5), "in the first day it learns"
    assert 0.3 * 40 <= len(found) <= 2 * 40


def test_a_limit_is_never_below_the_rules_own() -> None:
    """However quiet the signal: what the theory calls healthy is no finding."""
    bank = noisy(3_000.0, on=6.0)
    play(bank, np.random.default_rng(3).normal(size=30 * 1440))
    assert bank.spending().limit[0] == pytest.approx(6.0)


def test_a_fault_that_grows_slowly_is_found_all_along_and_said_to_be_over_budget() -> None:
    """Each day's excursions are higher than the last: shown as findings, they raise the limit to twice, no further."""
    bank, random = noisy(3_000.0), np.random.default_rng(4)
    play(bank, random.normal(size=10 * 1440))
    first, found, begin = bank.spending().limit[0], list[int](), 10 * 1440
    for height in np.linspace(4.0, 60.0, 100).tolist():
        values = random.normal(size=1440)
        values[100::200] += height
        found += play(bank, values, begin)
        begin += 1440
    assert first < bank.spending().limit[0] <= 2.05 * first
    assert len(found) > 100
    assert max(found) > begin - 1440, "still found on the last day"
    assert Reason.OVER_BUDGET in reasons(bank)


def test_what_is_ordinary_far_above_every_rung_makes_the_rule_step_back_and_say_so() -> None:
    (rules,) = tables("spike", 3.0, 2.0, floor=1e-4).values()
    bank = Bank({"spike": replace(rules, budget=np.array([3_000.0]))})
    pulses = np.where(np.arange(3 * 1440) % 30 == 0, 5.0, 0.0)
    assert play(bank, pulses) == []
    assert 3.0 * HIGHEST < 5.0 / 1e-4
    assert reasons(bank) == [Reason.BUDGET_OUT_OF_REACH]
    assert np.isnan(bank.spending().limit[0])


def test_a_gap_counts_as_a_day_however_long_it_is() -> None:
    bank = noisy(USUAL_BUDGET)
    play(bank, [1.0] * 60)
    play(bank, [1.0], 1440 * 300)
    assert bank.spending().needed_s[0] / 86_400 == pytest.approx(19, abs=0.1)


def test_another_limit_of_its_own_is_learnt_anew_and_another_budget_is_not() -> None:
    values, bank = np.random.default_rng(5).normal(size=10 * 1440), noisy(3_000.0)
    play(bank, values)
    (rules,) = tables("zscore", 3.0, 1.5, least=30.0, floor=1e-3).values()
    wider = bank.successor({"zscore": replace(rules, budget=np.array([30_000.0]))})
    other = bank.successor({"zscore": replace(rules, on=np.array([3.5]), budget=np.array([3_000.0]))})
    assert wider.spending().needed_s.tolist() == [0.0]
    assert other.spending().needed_s[0] == pytest.approx(86_400)
    assert reasons(other) == [Reason.BUDGET_LEARNING]


def test_what_is_kept_of_a_rule_stays_small() -> None:
    kept = {
        name: array.nbytes for name, array in noisy()._detectors["zscore"].state().arrays.items() if "budget" in name
    }
    assert sum(kept.values()) <= 128


def test_a_rule_with_a_budget_needs_a_limit_of_its_own_and_a_kind_that_learns() -> None:
    with pytest.raises(ValueError, match="limit of 0"):
        noisy(on=0.0)
    (rules,) = tables("limit", 3.0, side=1.0).values()
    with pytest.raises(ValueError, match="hard limits"):
        Bank({"limit": replace(rules, budget=np.array([30.0]))})

"""Every detector of the registry keeps the contract: exact under any batching, resumable, apart from its neighbours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detectors import KINDS, Bank, Findings, Readings
from detectors.detector import Reason
from detectors.kinds.limit import Limit
from detectors.registry import SCORERS
from detectors.runs import Runs
from tests.detectors.rule_tables import POINTS, SECOND, SPECIMENS, rules_of, table
from tests.reference.plain import run
from tests.reference.scores import SCORES

START = 1_700_000_000 * SECOND
VALUES = st.sampled_from([0.0, 0.1, 0.4, 0.6, 0.99, 1.0, 1.2, 2.5, -1.0, -2.5, math.nan])
STEPS = st.sampled_from([1, 1, 1, 1, 2, 3, 0, -2, 40, -500, 100_000])  # also sent twice, late, gaps, a clock set
Row = tuple[int, int, float]


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Readings (point, time, value) in order of arrival, with everything that goes wrong on the way."""
    times = [START] * POINTS
    rows = []
    for point in draw(st.lists(st.integers(0, POINTS - 1), max_size=80)):
        times[point] += draw(STEPS) * SECOND
        rows.append((point, times[point], draw(VALUES)))
    return rows


CUTS = st.lists(st.integers(0, 80), max_size=5)


def readings(rows: Sequence[Row], before: int = 0) -> Readings:
    """The rows as arrays, after so many `before` them; each arrives by itself, whenever it was taken."""
    point = np.array([r[0] for r in rows], np.int32)
    time = np.array([r[1] for r in rows], np.int64)
    return Readings(
        point, time, np.array([r[2] for r in rows], np.float64), START + before + np.arange(len(rows)), point
    )


@cache
def healthy(seconds: int) -> list[Row]:
    """All points once a second: a little wave with noise on it, well within every limit."""
    noise = np.random.default_rng(1).normal(0, 0.02, (seconds, POINTS))
    wave = 0.4 + 0.1 * np.sin(2.4 * np.arange(seconds))
    return [(p, START + t * SECOND, float(wave[t] + noise[t, p])) for t in range(seconds) for p in range(POINTS)]


@cache
def lively(many: int) -> list[Row]:
    """So many readings that make every kind trip and return, and close and open its gates."""
    random = np.random.default_rng(5)
    times, rows = [START] * POINTS, []
    for point in random.integers(0, POINTS, many).tolist():
        times[point] += SECOND
        rows.append((point, times[point], float(random.choice([0.0, 0.4, 0.5, 0.5, 0.5, 1.2, 2.5, -2.5, math.nan]))))
    return rows


def listed(findings: Findings) -> list[tuple[int, bool, int, int]]:
    """Findings as comparable rows."""
    columns = (findings.rule, findings.raised, findings.time, findings.onset)
    return [(int(a), bool(b), int(c), int(d)) for a, b, c, d in zip(*columns, strict=True)]


def judge(bank: Bank, rows: Sequence[Row], cuts: Sequence[int]) -> list[tuple[int, bool, int, int]]:
    """All findings of a stream cut into batches."""
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    found = []
    for begin, end in pairwise(edges):
        found += listed(bank.update(readings(rows[begin:end], begin), START))
    return sorted(found, key=lambda f: (f[2], f[1], f[0]))


def test_every_kind_has_a_specimen_and_a_plain_reference() -> None:
    assert set(SPECIMENS) == set(KINDS)
    assert set(SCORES) == set(SCORERS)


@pytest.mark.parametrize("kind", list(SCORERS))
@settings(max_examples=60)
@given(rows=streams(), cuts=CUTS)
def test_findings_equal_those_of_plain_loops_however_the_stream_is_cut(
    kind: str, rows: list[Row], cuts: list[int]
) -> None:
    expected = run(rules_of(kind), rows, SCORES)
    assert judge(Bank({kind: table(rules_of(kind))}), rows, cuts) == expected
    assert judge(Bank({kind: table(rules_of(kind))}), rows, range(len(rows))) == expected


@pytest.mark.parametrize("kind", list(SCORERS))
def test_the_streams_of_this_suite_make_every_kind_trip_and_return(kind: str) -> None:
    """Otherwise the comparisons above would prove nothing of it."""
    found = judge(Bank({kind: table(rules_of(kind))}), lively(3000), [500])
    assert {True, False} <= {raised for _, raised, _, _ in found}


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20)
@given(rows=streams(), cuts=CUTS)
def test_the_memory_is_the_same_to_the_last_bit_however_the_stream_is_cut(
    kind: str, rows: list[Row], cuts: list[int]
) -> None:
    one_by_one, cut = Bank({kind: table(rules_of(kind))}), Bank({kind: table(rules_of(kind))})
    judge(one_by_one, rows, range(len(rows)))
    judge(cut, rows, cuts)
    assert one_by_one.dump() == cut.dump()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(rows=streams(), cut=st.integers(0, 80))
def test_a_restored_detector_goes_on_as_if_nothing_had_happened(kind: str, rows: list[Row], cut: int) -> None:
    rules = table(rules_of(kind))
    unbroken, before = Bank({kind: rules}), Bank({kind: rules})
    first, second = readings(rows[:cut]), readings(rows[cut:], cut)
    now, later = START + 10 * SECOND, START + 200 * SECOND
    unbroken.update(first, now)
    before.update(first, now)
    after = Bank({kind: rules})
    after.load(before.dump())
    assert after.dump() == before.dump()
    assert listed(after.update(second, later)) == listed(unbroken.update(second, later))


@pytest.mark.parametrize("kind", list(SCORERS))
def test_a_restart_after_every_few_readings_changes_nothing(kind: str) -> None:
    """Gates that closed just before included: what was before them stays forgotten."""
    rules, rows, found = table(rules_of(kind)), lively(400), list[tuple[int, bool, int, int]]()
    bank = Bank({kind: rules})
    for at in range(0, len(rows), 4):
        found += listed(bank.update(readings(rows[at : at + 4]), START))
        dump, bank = bank.dump(), Bank({kind: rules})
        bank.load(dump)
    assert {True, False} == {raised for _, raised, _, _ in found}
    assert sorted(found, key=lambda f: (f[2], f[1], f[0])) == run(rules_of(kind), rows, SCORES)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(rows=streams(), cut=st.integers(0, 80))
def test_a_rule_added_removed_or_retuned_leaves_the_others_as_they_were(kind: str, rows: list[Row], cut: int) -> None:
    every = rules_of(kind)
    fewer = [r for r in every if r.number % 5 != 1]
    more = [replace(r, on_delay=r.on_delay + SECOND) if r.number % 5 == 1 else r for r in rules_of(kind)]
    first, second = readings(rows[:cut]), readings(rows[cut:], cut)
    now, later = START + 10 * SECOND, START + 200 * SECOND
    unchanged, bank = Bank({kind: table(fewer)}), Bank({kind: table(every)})
    unchanged.update(first, now)
    bank.update(first, now)
    expected = listed(unchanged.update(second, later))
    for others in (fewer, more):
        successor = bank.successor({kind: table(others)})
        found = listed(successor.update(second, later))
        assert [f for f in found if f[0] % 5 != 1] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_no_readings_no_rules_and_unknown_points_are_no_trouble(kind: str) -> None:
    rules = table(rules_of(kind))
    assert listed(Bank({kind: rules}).update(readings([]), START)) == []
    assert listed(Bank({kind: table([])}).update(readings([(0, START, 9.0)]), START)) == []
    stranger = readings([(99, START, 9.0)])
    assert listed(Bank({kind: rules}).update(stranger, START)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_moving_signal_gives_no_findings(kind: str) -> None:
    rows = healthy(200)
    bank = Bank({kind: table(rules_of(kind))})
    for at in range(0, len(rows), POINTS):
        batch, now = readings(rows[at : at + POINTS]), rows[at][1]
        assert listed(bank.update(replace(batch, received=batch.time), now)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_rules_say_whether_they_can_tell(kind: str) -> None:
    """Before the first reading a kind that needs a past cannot tell, and after a healthy while every kind can."""
    bank = Bank({kind: table(rules_of(kind))})
    silent = 0 if kind == "silence" else len(rules_of(kind))
    assert [Reason(r) for r in bank.not_evaluated(START).reason] == [Reason.NEVER_HEARD] * silent
    judge(bank, healthy(200), [100])
    assert [Reason(r) for r in bank.not_evaluated(START + 200 * SECOND).reason] == []


def test_the_suite_catches_a_detector_that_looks_only_at_a_batchs_last_reading() -> None:
    """The contract has teeth: a detector that is right one by one and wrong in batches does not pass."""

    class LastOnly(Limit):
        def score(self, runs: Runs) -> NDArray[np.float64]:
            last = np.zeros(len(runs), bool)
            last[runs.last] = True
            return np.where(last, super().score(runs), np.nan)

    rows = [(0, START + t * SECOND, value) for t, value in enumerate([0.0, 2.0, 0.0, 2.0, 0.0])]
    expected = run(rules_of("limit"), rows, SCORES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(cast("dict[str, object]", SCORERS), "limit", LastOnly)
        one_by_one, at_once = (Bank({"limit": table(rules_of("limit"))}) for _ in range(2))
    assert judge(one_by_one, rows, range(len(rows))) == expected
    assert judge(at_once, rows, []) != expected

"""Every detector of the registry keeps the contract: exact under any batching, resumable, apart from its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import KINDS, Bank, Findings, Readings, build
from detectors.detector import Detector
from detectors.registry import _SCORERS
from tests.detectors.rule_tables import SECOND, rules_of, table
from tests.reference import detectors as plain

POINTS = 3
START = 1_700_000_000 * SECOND
VALUES = st.sampled_from([0.0, 0.1, 0.4, 0.6, 0.99, 1.0, 1.2, 2.5, -1.0, -2.5, float("nan")])
Row = tuple[int, int, float]


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Readings (point, time, value) in order of arrival; along each point time increases."""
    times = [START] * POINTS
    rows = []
    for point in draw(st.lists(st.integers(0, POINTS - 1), max_size=60)):
        times[point] += draw(st.integers(1, 3)) * SECOND
        rows.append((point, times[point], draw(VALUES)))
    return rows


def readings(rows: Sequence[Row]) -> Readings:
    """The rows as arrays; they arrive when they say they were taken."""
    point = np.array([r[0] for r in rows], np.int32)
    time = np.array([r[1] for r in rows], np.int64)
    return Readings(point, time, np.array([r[2] for r in rows], np.float64), time, point)


def told(findings: Findings) -> list[tuple[int, bool, int, int]]:
    """Findings as comparable rows."""
    columns = (findings.rule, findings.raised, findings.time, findings.onset)
    return [(int(a), bool(b), int(c), int(d)) for a, b, c, d in zip(*columns, strict=True)]


def judge(detector: Detector, rows: Sequence[Row], cuts: Sequence[int]) -> list[tuple[int, bool, int, int]]:
    """All findings of a stream cut into batches."""
    edges = [0, *sorted(cuts), len(rows)]
    found = []
    for begin, end in pairwise(edges):
        batch = readings(rows[begin:end])
        found += told(detector.update(batch, START))
    return sorted(found, key=lambda f: (f[2], f[1], f[0]))


CUTS = st.lists(st.integers(0, 60), max_size=5)


@pytest.mark.parametrize("kind", list(_SCORERS))
@settings(max_examples=60, deadline=None)
@given(rows=streams(), cuts=CUTS)
def test_findings_equal_those_of_plain_loops_however_the_stream_is_cut(
    kind: str, rows: list[Row], cuts: list[int]
) -> None:
    rules = rules_of(kind, POINTS)
    found = judge(build(kind, table(rules)), rows, [min(cut, len(rows)) for cut in cuts])
    assert found == plain.run(rules_of(kind, POINTS), rows)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(rows=streams(), cut=st.integers(0, 60))
def test_a_restored_detector_goes_on_as_if_nothing_had_happened(kind: str, rows: list[Row], cut: int) -> None:
    rules = table(rules_of(kind, POINTS))
    unbroken, before = Bank({kind: rules}), Bank({kind: rules})
    first, second = readings(rows[:cut]), readings(rows[cut:])
    now, later = START + 10 * SECOND, START + 200 * SECOND
    unbroken.update(first, now)
    before.update(first, now)
    after = Bank({kind: rules})
    after.load(before.dump())
    assert after.dump() == before.dump()
    assert told(after.update(second, later)) == told(unbroken.update(second, later))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30, deadline=None)
@given(rows=streams(), cut=st.integers(0, 60))
def test_a_rule_added_or_removed_leaves_the_others_as_they_were(kind: str, rows: list[Row], cut: int) -> None:
    all_rules = rules_of(kind, POINTS)
    fewer = [r for r in all_rules if r.number % 3 != 1]
    first, second = readings(rows[:cut]), readings(rows[cut:])
    now, later = START + 10 * SECOND, START + 200 * SECOND
    unchanged, bank = Bank({kind: table(fewer)}), Bank({kind: table(all_rules)})
    unchanged.update(first, now)
    bank.update(first, now)
    bank = bank.successor({kind: table(fewer)})
    assert told(bank.update(second, later)) == told(unchanged.update(second, later))


@pytest.mark.parametrize("kind", KINDS)
def test_no_readings_no_rules_and_unknown_points_are_no_trouble(kind: str) -> None:
    rules = table(rules_of(kind, POINTS))
    assert told(build(kind, rules).update(readings([]), START)) == []
    assert told(Bank({kind: table([])}).update(readings([(0, START, 9.0)]), START)) == []
    stranger = readings([(99, START, 9.0)])
    assert told(build(kind, rules).update(stranger, START)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_moving_signal_gives_no_findings(kind: str) -> None:
    rows = [(p, START + t * SECOND, 0.4 * ((t + p) % 2)) for t in range(50) for p in range(POINTS)]
    detector = build(kind, table(rules_of(kind, POINTS)))
    found = [told(detector.update(readings(rows[at : at + 3]), rows[at][1])) for at in range(0, len(rows), 3)]
    assert [f for f in found if f] == []


def test_the_suite_catches_a_detector_that_looks_only_at_a_batchs_last_reading() -> None:
    """The contract has teeth: a detector that is right one by one and wrong in batches does not pass."""
    rules = rules_of("limit", POINTS)
    honest = build("limit", table(rules))

    class LastOnly:
        rules = honest.rules
        state: Callable[[], object] = honest.state
        restore = honest.restore

        def update(self, batch: Readings, now: int) -> Findings:
            point, time, value = batch.point[-1:], batch.time[-1:], batch.value[-1:]
            return honest.update(Readings(point, time, value, batch.received[-1:], batch.carrier[-1:]), now)

    rows = [(0, START + t * SECOND, value) for t, value in enumerate([0.0, 2.0, 0.0, 2.0, 0.0])]
    assert judge(LastOnly(), rows, range(len(rows))) == plain.run(rules_of("limit", POINTS), rows)  # type: ignore[arg-type]
    assert judge(LastOnly(), rows, []) != plain.run(rules_of("limit", POINTS), rows)  # type: ignore[arg-type]

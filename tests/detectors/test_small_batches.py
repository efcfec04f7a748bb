"""What a lone frame costs does not depend on how much else there is, and what it passes over changes no verdict."""

from __future__ import annotations

import tracemalloc
from itertools import islice

import numpy as np
import pytest

from benchmarks.detectors import frames
from benchmarks.park import SECOND, bank, park
from detectors import Bank, Readings
from tests.detectors.rule_tables import rule, table
from tests.detectors.test_conformance import Row, judge

START = 1_700_000_000 * SECOND


def most_taken(points: int, *, empty: bool = False, never_heard: bool = False) -> int:
    """The most memory, bytes, that judging a frame of twenty readings takes for the moment, in a park of some size.

    Work on arrays shows as memory taken for their results, on a loaded machine too. Some points are silent, some stand
    in alarm. The one look at everybody's silence in a while is not meant: half of the frames take no more than this.
    With `never_heard` one point that is watched has never sent anything.
    """
    of = park(points)
    judge, random = bank(of), np.random.default_rng(1)

    unheard = int(of.tables["silence"].point.max()) if never_heard else -1

    def heard(readings: Readings) -> Readings:
        kept = readings.point != unheard
        columns = (readings.point, readings.time, readings.value, readings.received, readings.carrier)
        return Readings(*(column[kept] for column in columns))

    for second in range(3):
        judge.update(heard(of.stream(1, START + second * SECOND, random)), START + second * SECOND)
    taken = []
    tracemalloc.start()
    try:
        nothing = of.stream(0, START, random)
        for frame, now in ((heard(frame), now) for frame, now in islice(frames(of, START + 200 * SECOND, random), 60)):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            judge.update(nothing if empty else frame, now)
            taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return int(np.median(taken))


@pytest.mark.parametrize("never_heard", [False, True])
def test_a_frame_takes_no_more_work_among_many_points_than_among_few(*, never_heard: bool) -> None:
    """Nor where a point waits to be installed, which in most plants one always does."""
    assert most_taken(4000, never_heard=never_heard) <= 1.5 * most_taken(400, never_heard=never_heard)


def test_an_idle_cycle_allocates_next_to_nothing() -> None:
    assert most_taken(4000, empty=True) <= 4096


@pytest.mark.parametrize("setpoint", [850.0, -3.0, 0.001, 0.0])
@pytest.mark.parametrize("relative", [0.0, 1.0])
@pytest.mark.parametrize("side", [-1.0, 0.0, 1.0])
def test_a_deviation_is_the_same_reading_by_reading_and_at_once_to_the_last_digit(
    side: float, relative: float, setpoint: float
) -> None:
    """Most readings are passed over at a glance one by one, and none is in a batch of many."""
    param = {"side": side, "relative": relative, "setpoint": setpoint, "fresh_s": np.inf}
    tables = {"deviation": table([rule("deviation", 0, 0, 5.0, 4.0, **param)])}
    away = (abs(setpoint) / 100 if relative and setpoint else 1.0) * np.array([4.0, 5.0])
    near = np.array([-2e-7, -1e-7, -6e-8, -1e-9, 0.0, 1e-9, 6e-8, 1e-7, 2e-7])
    ends = setpoint + np.concatenate((away, -away))
    values = (ends[:, None] + near * np.maximum(np.abs(ends[:, None]), 1.0)).ravel()
    mixed = np.random.default_rng(1).permutation(np.concatenate((values, np.repeat(setpoint, len(values)))))
    rows: list[Row] = [(0, START + at * SECOND, value) for at, value in enumerate(mixed.tolist())]
    one_by_one, at_once = Bank(tables), Bank(tables)
    found = judge(one_by_one, rows, range(len(rows)))
    assert found == judge(at_once, rows, [])
    assert one_by_one.dump() == at_once.dump()
    assert bool(found) == (not relative or bool(setpoint))

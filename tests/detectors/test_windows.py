"""Rings, parts and buckets hold what plain lists would hold, however the stream is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Readings
from detectors.buckets import COUNT, HIGH, LOW, SUM, Buckets, Statistic
from detectors.feed import Known, make_feed
from detectors.ring import Parts, Ring
from detectors.runs import RuleIndex, Runs
from tests.detectors.rule_tables import SECOND

POINTS, SIZE, WIDTH_S = 2, 3, 4
STATISTICS = {"low": LOW, "high": HIGH, "sum": SUM, "count": COUNT}
JOIN: dict[str, Callable[[list[float]], float]] = {"low": min, "high": max, "count": lambda xs: float(len(xs))}
Row = tuple[int, int, float]  # point, second, value; NaN breaks


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Readings of two points with gaps; the values 0.1 and 0.3 show every wrong order of adding up."""
    times, rows = [100] * POINTS, []
    for point in draw(st.lists(st.integers(0, POINTS - 1), max_size=60)):
        times[point] += draw(st.sampled_from([1, 1, 1, 2, 3, 9, 60]))
        rows.append((point, times[point], draw(st.sampled_from([0.1, 0.3, 0.7, 1e16, -1e16, math.nan]))))
    return rows


CUTS = st.lists(st.integers(0, 60), max_size=4)


def batches(rows: Sequence[Row], cuts: Sequence[int]) -> list[Runs]:
    """The stream in batches; each point has one rule."""
    known, watched = Known(POINTS), RuleIndex(np.arange(POINTS, dtype=np.int32), POINTS)
    made = []
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for begin, end in pairwise(edges):
        part = rows[begin:end]
        point = np.array([row[0] for row in part], np.int32)
        time = np.array([row[1] * SECOND for row in part], np.int64)
        feed = make_feed(Readings(point, time, np.array([row[2] for row in part], np.float64), time, point), known)
        made.append(watched.runs(feed))
        known.learn(feed)
    return made


Seen = tuple[int, int, list[dict[str, float]]]  # point, second of the closing reading, buckets of the window


def closed(rows: Sequence[Row], cuts: Sequence[int]) -> list[Seen]:
    """What the fast buckets show at every closing."""
    buckets = Buckets(np.full(POINTS, WIDTH_S * SECOND), SIZE, STATISTICS)
    seen: list[Seen] = []
    for runs in batches(rows, cuts):
        breaks = np.isnan(runs.value)
        values = dict.fromkeys(("low", "high", "sum"), runs.value) | {"count": np.ones(len(runs))}
        found = buckets.gather(runs, ~breaks, values, breaks)
        if not len(found):
            continue
        valid, age = found.valid(SIZE), found.age()
        columns = {name: found.window(name) for name in STATISTICS}
        for at, place in enumerate(found.places.tolist()):
            window = [
                {name: float(columns[name][at, column]) for name in STATISTICS} | {"age": float(age[at, column])}
                for column in range(SIZE)
                if valid[at, column]
            ]
            seen.append((int(runs.row[place]), int(runs.time[place]) // SECOND, window))
    return sorted(seen, key=lambda row: (row[0], row[1]))


def plain(rows: Sequence[Row]) -> list[Seen]:
    """The same with lists."""
    seen: list[Seen] = []
    for point in range(POINTS):
        done: list[tuple[int, list[float]]] = []
        opened: tuple[int, list[float]] | None = None
        for _, second, value in (row for row in rows if row[0] == point):
            if math.isnan(value):
                done, opened = [], None
                continue
            number = second // WIDTH_S
            if opened is not None and opened[0] == number:
                opened[1].append(value)
                continue
            if opened is not None:
                done.append(opened)
                last = opened[0]
                window = [
                    {name: join(xs) for name, join in JOIN.items()} | {"sum": _added(xs), "age": float(last - n)}
                    for n, xs in done[-SIZE:]
                    if last - n < SIZE
                ]
                seen.append((point, second, window))
            opened = (number, [value])
    return sorted(seen, key=lambda row: (row[0], row[1]))


def _added(values: list[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


@settings(max_examples=150)
@given(rows=streams(), cuts=CUTS)
def test_buckets_are_those_of_plain_lists(rows: list[Row], cuts: list[int]) -> None:
    expected = plain(rows)
    assert closed(rows, cuts) == expected
    assert closed(rows, range(len(rows))) == expected


@settings(max_examples=100)
@given(rows=streams(), cuts=CUTS)
def test_a_ring_shows_each_reading_the_entries_up_to_its_own(rows: list[Row], cuts: list[int]) -> None:
    ring, parts = Ring(POINTS, SIZE, {"value": math.nan}), Parts(np.full(POINTS, WIDTH_S * SECOND))
    seen: dict[tuple[int, int], list[float]] = {}
    for runs in batches(rows, cuts):
        chosen = parts.choose(runs, ~np.isnan(runs.value))
        past = ring.push(runs, chosen, {"value": runs.value[chosen]})
        windows = np.asarray(past.windows("value", np.arange(len(runs))), np.float64)
        for row, time, window in zip(runs.row.tolist(), runs.time.tolist(), windows.tolist(), strict=True):
            seen[row, time // SECOND] = [value for value in window if not math.isnan(value)]
    for point in range(POINTS):
        kept: list[tuple[int, float]] = []
        for _, second, value in (row for row in rows if row[0] == point):
            if not math.isnan(value) and (not kept or kept[-1][0] != second // WIDTH_S):
                kept.append((second // WIDTH_S, value))
            assert seen[point, second] == [x for _, x in kept[-SIZE:]]


@pytest.mark.parametrize("width_s", [WIDTH_S / 4, WIDTH_S * 10])
def test_after_a_window_was_changed_the_old_buckets_do_not_count(width_s: float) -> None:
    """Re-tuning a rule must not compare buckets of one width with those of another."""
    old = Buckets(np.full(POINTS, WIDTH_S * SECOND), SIZE, STATISTICS)
    new = Buckets(np.full(POINTS, int(width_s * SECOND)), SIZE, STATISTICS)
    rows = [(0, 1_000_000 + at, 5.0) for at in range(40)] + [(0, 1_000_040 + at, 1.0) for at in range(200)]
    first, second = batches(rows, [40])
    for buckets, runs in ((old, first), (new, second)):
        values = dict.fromkeys(("low", "high", "sum"), runs.value) | {"count": np.ones(len(runs))}
        if buckets is new:
            for name, array in new.arrays().items():
                array[:] = old.arrays()[name]
        found = buckets.gather(runs, np.ones(len(runs), bool), values)
    assert found.valid(SIZE)[0].sum() == 1, "the bucket just closed, and none of those of the other width"


def test_a_sum_that_is_not_added_in_order_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above has teeth: joining a batch's readings before adding them to the open bucket is found."""
    rows = [(0, 100, 0.7), (0, 101, 1e16), (0, 102, -1e16), (0, 104, 0.1)]
    assert closed(rows, [1]) == plain(rows)
    monkeypatch.setitem(STATISTICS, "sum", Statistic(np.add, 0.0))
    assert closed(rows, [1]) != plain(rows)

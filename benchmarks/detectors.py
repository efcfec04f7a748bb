"""How many readings a second the detectors judge by the full default rule set of the signal catalogue, on one core.

Prints JSON: readings per second of CPU time for wide batches (each point once a batch), deep batches (many readings of
few points) and small ones; CPU time a call for a lone frame of twenty readings in parks of several sizes, for a
county's cycle of eight frames, both also with cold caches as after a pause, and for no readings at all; the memory a
point takes; and against river, a library of streaming detectors, the ratio for the
detectors both have, on the same series in the same run. One point in a hundred stands in alarm. Absolute figures depend
on the machine: compare figures of one run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.park import SECOND, Park, bank, park
from detectors import NO_GATE, Bank, GateTable, Readings, RuleTable

START: Final = 1_700_000_000 * SECOND
SHAPES: Final = {
    "wide_10000": (10_000, 1),
    "wide_100000": (100_000, 1),
    "deep_100": (100, 10_000),
    "small_100": (100, 1),
}
"""Points and seconds a batch."""

RIVER_POINTS: Final = 1_000
RIVER_BATCH_S: Final = 50
"""The engine takes up to 50,000 readings a turn; the figures with one second a batch stand beside."""


FRAME: Final = 20
"""Readings in a lone frame, each of another point of one plant."""
ROUND: Final = 5 * SECOND
"""The time in which every point of a park sends a frame once."""
PARKS: Final = (100, 20_000, 100_000)
"""Points, for lone frames."""
COUNTY: Final = 20_000
"""Points, for cycles of several frames and for cold caches."""
CYCLE: Final = 8
"""Frames in a cycle of a county, each of another gateway."""
PAUSE_S: Final = 0.02
COLD_BYTES: Final = 8_000_000
"""Where caches are cold, a call comes after a pause in which so much other memory was written."""


def warmed(of: Park) -> tuple[Bank, np.random.Generator, int, int]:
    """A bank of the park after twenty minutes at ten-second steps: windows fill, and what is unhealthy trips.

    Also what makes noise, the time it is then (ns), and how many rules are tripped.
    """
    evaluator, random, now, tripped = bank(of), np.random.default_rng(1), START, 0
    for _ in range(120):
        found = evaluator.update(of.stream(1, now, random), now)
        tripped += int(found.raised.sum()) - int((~found.raised).sum())
        now += 10 * SECOND
    return evaluator, random, now, tripped


def frames(of: Park, start: int, random: np.random.Generator, together: int = 1) -> Iterator[tuple[Readings, int]]:
    """Every point of the park once a round, so many frames `together`, and when the last of them comes (ns).

    The frames of a round come in any order, each at its own time.
    """
    starts = np.arange(0, of.points - FRAME + 1, FRAME)
    for cycle_number in count():
        order = random.permutation(starts)
        for at in range(0, len(order), together):
            first = order[at : at + together, None]
            point = (first + np.arange(FRAME)).astype(np.int32).ravel()
            time = start + cycle_number * ROUND + (at + np.arange(len(first)).repeat(FRAME)) * ROUND // len(starts)
            value = of.level[point] + of.noise[point] * random.standard_normal(len(point))
            yield Readings(point, time, value, time, of.carrier[point]), int(time[-1])


def frame_us(points: int, calls: int, together: int = 1, *, cold: bool = False) -> float:
    """CPU time to judge so many frames `together`, µs: the median of that many in a warm park, after as many before.

    `cold`: each after a pause in which other work took the processor's caches.
    """
    of = park(points)
    evaluator, random, now, _ = warmed(of)
    spent, other = [], np.zeros(COLD_BYTES // 8)
    for nth, (frame, at) in enumerate(islice(frames(of, now, random, together), 2 * calls)):
        if cold and nth >= calls:
            time.sleep(PAUSE_S)
            other += 1
        began = time.thread_time_ns()
        evaluator.update(frame, at)
        spent.append(time.thread_time_ns() - began)
    return float(np.median(spent[calls:])) / 1e3


def idle_us(points: int, calls: int) -> float:
    """CPU time of a call without readings at which nothing is due, µs: the median of that many."""
    of = park(points)
    evaluator, _, now, _ = warmed(of)
    nothing = of.stream(0, now, np.random.default_rng(1))
    spent = []
    for _ in range(calls):
        began = time.thread_time_ns()
        evaluator.update(nothing, now - 10 * SECOND)
        spent.append(time.thread_time_ns() - began)
    return float(np.median(spent)) / 1e3


def readings_per_s(points: int, seconds: int, least_s: float) -> tuple[float, float]:
    """Judge batches of so many seconds for `least_s` of CPU time; also the share of rules in alarm at the end."""
    of = park(points)
    evaluator, random, now, tripped = warmed(of)
    judged, spent = 0, 0.0
    while spent < least_s:
        batch = of.stream(seconds, now, random)
        began = time.thread_time()
        found = evaluator.update(batch, now)
        spent += time.thread_time() - began
        tripped += int(found.raised.sum()) - int((~found.raised).sum())
        judged += len(batch)
        now += seconds * SECOND
    return judged / spent, tripped / of.rules()


def bytes_per_point(points: int) -> float:
    """All state of the detectors, by point."""
    of = park(points)
    evaluator = bank(of)
    return evaluator.nbytes() / of.points


def single(kind: str, points: int, on: float, **param: float) -> Bank:
    """One rule of a kind on every point."""
    each = np.arange(points, dtype=np.int32)
    rules = RuleTable(
        key=tuple(map(str, range(points))),
        rule=each,
        point=each,
        on=np.full(points, on),
        off=np.full(points, on),
        on_delay=np.zeros(points, np.int64),
        off_delay=np.zeros(points, np.int64),
        gate=GateTable(np.full(points, NO_GATE, np.int32), np.zeros(points, np.int8), np.zeros(points)),
        param={name: np.full(points, value) for name, value in param.items()},
    )
    return Bank({kind: rules})


def _zscore(series: NDArray[np.float64]) -> int:
    """Score every column by the Gaussian scorer of river; returns how often it was sure."""
    from river import anomaly  # noqa: PLC0415  brings SciPy, and takes longer than all that tests measure here

    make: Any = anomaly.GaussianScorer  # untyped
    scorers = [make(grace_period=30) for _ in range(series.shape[1])]
    sure = 0
    for row in series.tolist():
        for scorer, value in zip(scorers, row, strict=True):
            sure += scorer.score_one(None, value) > 0.9999
            scorer.learn_one(None, value)
    return sure


def _page_hinkley(series: NDArray[np.float64]) -> int:
    """Test every column by river's Page-Hinkley; returns how often it found drift."""
    from river import drift  # noqa: PLC0415  as above

    make: Any = drift.PageHinkley  # untyped
    tests = [make(min_instances=30, delta=0.25, threshold=50.0, alpha=0.9999) for _ in range(series.shape[1])]
    found = 0
    for row in series.tolist():
        for test, value in zip(tests, row, strict=True):
            test.update(value)
            found += test.drift_detected
    return found


RIVER: Final[dict[str, tuple[Callable[[NDArray[np.float64]], int], Callable[[int], Bank]]]] = {
    "zscore": (_zscore, lambda points: single("zscore", points, 3.9, least=30.0, floor=1e-9)),
    "page_hinkley": (
        _page_hinkley,
        lambda points: single("page_hinkley", points, 50.0, delta=0.25, alpha=0.9999, least=30.0),
    ),
}


def vs_river(points: int, seconds: int, batch_s: int) -> dict[str, float]:
    """Our readings a second over river's, by detector, on the same series."""
    series = np.random.default_rng(2).normal(50.0, 1.0, (seconds, points))
    point = np.tile(np.arange(points, dtype=np.int32), seconds)
    at = np.repeat(START + np.arange(seconds) * SECOND, points)
    ratios = {}
    for kind, (theirs, ours) in RIVER.items():
        evaluator, spent = ours(points), 0.0
        for begin in range(0, seconds * points, batch_s * points):
            part = slice(begin, begin + batch_s * points)
            batch = Readings(point[part], at[part], series.ravel()[part], at[part], point[part])
            began = time.thread_time()
            evaluator.update(batch, START)
            spent += time.thread_time() - began
        began = time.thread_time()
        theirs(series)
        ratios[kind] = round((time.thread_time() - began) / spent, 1)
    return ratios


def measure(scale: float = 1.0, report: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """All figures; `scale` < 1 makes a quick run of the same code."""
    figures: dict[str, Any] = {}
    shares = {}
    for name, (points, seconds) in SHAPES.items():
        report(name)
        speed, share = readings_per_s(max(int(points * scale), 10), max(int(seconds * scale), 1), 4.0 * scale)
        figures[name], shares[name] = round(speed), round(share, 4)
    calls = max(int(2000 * scale), 20)
    lone = {}
    for points in PARKS:
        report(f"frames of {FRAME} of {points}")
        lone[points] = frame_us(max(int(points * scale), 10), calls)
        figures[f"frame_{FRAME}_of_{points}_us"] = round(lone[points], 1)
    figures[f"frame_{FRAME}_of_{PARKS[-1]}_vs_of_{PARKS[0]}"] = round(lone[PARKS[-1]] / lone[PARKS[0]], 2)
    county = max(int(COUNTY * scale), 10)
    report("a county's cycles, cold caches")
    figures["county_cycle_us"] = round(frame_us(county, calls, CYCLE), 1)
    cold = max(calls // 10, 2)
    figures[f"frame_{FRAME}_cold_us"] = round(frame_us(county, cold, cold=True), 1)
    figures["county_cycle_cold_us"] = round(frame_us(county, cold, CYCLE, cold=True), 1)
    figures["idle_us"] = round(idle_us(max(int(PARKS[1] * scale), 10), calls), 1)
    figures["wide_100000_vs_wide_10000_time"] = round(figures["wide_10000"] / figures["wide_100000"], 2)
    figures["bytes_per_point"] = round(bytes_per_point(max(int(1000 * scale), 10)))
    report("vs river")
    seconds = max(int(400 * scale), 4)
    figures["vs_river"] = vs_river(max(int(RIVER_POINTS * scale), 10), seconds, RIVER_BATCH_S)
    figures["vs_river_batches_of_1_s"] = vs_river(max(int(RIVER_POINTS * scale), 10), seconds, 1)
    sample = park(1)
    figures["rules_per_point"] = round(sample.rules() / sample.points, 2)
    figures["share_of_rules_in_alarm"] = shares
    return figures


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON (it always does)")
    parser.add_argument("--scale", type=float, default=1.0, help="less than 1: a quick run")
    chosen = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # one core is what is measured
    print(json.dumps(measure(chosen.scale, lambda name: print(name, "...", file=sys.stderr)), indent=2))


if __name__ == "__main__":
    main()

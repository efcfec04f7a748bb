"""How many readings a second the detectors judge, with limits, rate, stuck, range and bad-signal rules on every point.

Prints JSON: readings/s for wide batches (each point once a batch), deep batches (many readings of few points) and small
ones, and the state's bytes a point. Absolute figures depend on the machine: compare figures of one run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Final

import numpy as np

from detectors import NO_GATE, Bank, GateTable, Readings, RuleTable

SECOND: Final = 10**9
KINDS: Final = {
    "limit": ({"side": 1.0}, 60.0),
    "rate": ({"side": 1.0, "window_s": 60.0}, 300.0),
    "stuck": ({"band": 0.1, "nonzero": 0.0}, 1800.0),
    "range": ({"low": 0.0, "high": 100.0}, 1.0000001),
    "bad": ({}, 1.0),
    "silence": ({}, 30.0),
}
LIMITS_A_POINT: Final = 4


def tables(points: int) -> dict[str, RuleTable]:
    """Four limits and one rule of every other kind on every point."""
    made = {}
    for kind, (param, on) in KINDS.items():
        copies = LIMITS_A_POINT if kind == "limit" else 1
        point = np.repeat(np.arange(points, dtype=np.int32), copies)
        rows = len(point)
        made[kind] = RuleTable(
            key=tuple(map(str, range(rows))),
            rule=np.arange(rows, dtype=np.int32),
            point=point,
            on=np.full(rows, on),
            off=np.full(rows, on),
            on_delay=np.full(rows, 2 * SECOND),
            off_delay=np.zeros(rows, np.int64),
            gate=GateTable(np.full(rows, NO_GATE, np.int32), np.zeros(rows, np.int8), np.zeros(rows)),
            param={name: np.full(rows, value) for name, value in param.items()},
        )
    return made


def stream(points: int, times: int, start: int, random: np.random.Generator) -> Readings:
    """Every point once a second for `times` seconds, in order of time."""
    point = np.tile(np.arange(points, dtype=np.int32), times)
    time_ns = np.repeat(start + np.arange(times) * SECOND, points)
    return Readings(point, time_ns, random.normal(30, 1, len(point)), time_ns, point)


def readings_per_s(points: int, times: int, least_s: float) -> float:
    """Judge batches of `times` seconds until `least_s` has passed; the first batch is not counted."""
    bank, random = Bank(tables(points)), np.random.default_rng(1)
    start = 1_700_000_000 * SECOND
    bank.update(stream(points, times, start, random), start)
    judged, spent = 0, 0.0
    while spent < least_s:
        start += times * SECOND
        batch = stream(points, times, start, random)
        began = time.perf_counter()
        bank.update(batch, start)
        spent += time.perf_counter() - began
        judged += len(batch)
    return judged / spent


def measure(scale: float = 1.0, report: Callable[[str], None] = lambda _: None) -> dict[str, float]:
    """All figures; `scale` < 1 makes a quick run of the same code."""
    shapes = {"wide_10000": (10_000, 1), "wide_100000": (100_000, 1), "deep_100": (100, 1_000), "small_100": (100, 1)}
    figures: dict[str, float] = {}
    for name, (points, times) in shapes.items():
        report(name)
        figures[name] = round(readings_per_s(max(int(points * scale), 10), max(int(times * scale), 1), 2.0 * scale))
    bank = Bank(tables(1000))
    bank.update(stream(1000, 1, SECOND, np.random.default_rng(1)), SECOND)
    arrays = [array for detector in bank.detectors() for array in detector.state().arrays.values()]
    figures["bytes_per_point"] = round(sum(array.nbytes for array in arrays) / 1000)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(report=lambda name: print(name, "...", file=sys.stderr)), indent=2))

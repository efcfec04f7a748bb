"""The benchmarks run and print what they promise; what they measure is not asserted."""

from __future__ import annotations

from benchmarks.detectors import measure


def test_the_detectors_benchmark_gives_every_figure() -> None:
    figures = measure(scale=0.01)
    assert set(figures) == {"wide_10000", "wide_100000", "deep_100", "small_100", "bytes_per_point"}
    assert all(value > 0 for value in figures.values())

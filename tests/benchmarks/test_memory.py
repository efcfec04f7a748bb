"""The benchmark of memory runs and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

from tests.benchmarks.printed import printed


def test_the_memory_benchmark_gives_every_figure() -> None:
    """As people start it, with few frames."""
    figures = printed("memory", "--frames", "1200", "--rate", "200", "--stall-every", "4")
    assert figures["stalls"] > 0
    assert figures["points"] == 2000
    assert all(mb > 0 for mb in figures["rss_mb"])
    assert {"growth_mb", "growth_mb_second_half", "mb_per_million_frames", "frames_per_s"} <= figures.keys()

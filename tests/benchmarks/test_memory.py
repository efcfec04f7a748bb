"""The benchmark of memory runs and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

import json
import subprocess
import sys


def test_the_memory_benchmark_gives_every_figure() -> None:
    """As people start it, with few frames."""
    command = [sys.executable, "-m", "benchmarks.memory", "--json", "--frames", "1200", "--rate", "200"]
    figures = json.loads(subprocess.run([*command, "--stall-every", "4"], capture_output=True, check=True).stdout)
    assert figures["stalls"] > 0
    assert figures["points"] == 2000
    assert all(mb > 0 for mb in figures["rss_mb"])
    assert {"growth_mb", "growth_mb_second_half", "mb_per_million_frames", "frames_per_s"} <= figures.keys()

"""The abuse benchmark runs on real servers and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.abuse import ABUSES, FIGURES


@pytest.mark.timeout(600)
def test_the_abuse_benchmark_gives_every_figure() -> None:
    """As people start it, for one moment each, with a fiftieth of the abuse."""
    command = [sys.executable, "-m", "benchmarks.abuse", "--json", "--seconds", "2", "--rounds", "1", "--scale", "0.02"]
    figures = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert {f"alarm_p99_ratio_{name}" for name in ABUSES} | set(FIGURES) < set(figures)
    for name in ABUSES:
        assert figures[f"alarm_p99_ratio_{name}"] > 0
        assert figures["details"][name]["alarms"] == 40

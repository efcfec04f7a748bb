"""The abuse benchmark runs on real servers and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

import pytest

from benchmarks.abuse import ABUSES, FIGURES
from tests.benchmarks.printed import printed


@pytest.mark.timeout(600)
def test_the_abuse_benchmark_gives_every_figure() -> None:
    """As people start it, for one moment each, with a fiftieth of the abuse."""
    figures = printed("abuse", "--seconds", "2", "--rounds", "1", "--scale", "0.02")
    assert {f"alarm_p99_ratio_{name}" for name in ABUSES} | set(FIGURES) < set(figures)
    for name in ABUSES:
        assert figures[f"alarm_p99_ratio_{name}"] > 0
        assert figures["details"][name]["alarms"] == 40

"""The benchmark of growth fills both systems with years and prints what it promises; speed is not asserted."""

from __future__ import annotations

import pytest

from tests.benchmarks.printed import printed


@pytest.mark.timeout(300)  # it starts two services and a server
def test_the_growth_benchmark_gives_every_figure() -> None:
    """As people start it, with few alarms and requests."""
    measured = printed("growth", "--years", "1", "--alarms", "2500", "--requests", "1")
    assert (measured["years"], measured["alarms"]) == (1, 2500)
    for system in ("sqlite", "postgresql"):
        assert len(measured[system]["requests"]) == 7
        for figures in measured[system]["requests"].values():
            assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
        sizes = measured[system]["mb"]
        assert 0 < sizes["annunciation_pack"] < sizes["alarm_event"] < sizes["all"]

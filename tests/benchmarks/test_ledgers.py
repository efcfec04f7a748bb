"""The benchmark of instruments' ledgers runs the service on filled files and prints what it promises, not how fast."""

from __future__ import annotations

import pytest

from tests.benchmarks.printed import printed


@pytest.mark.timeout(300)  # it starts a service
def test_the_benchmark_of_ledgers_gives_every_figure() -> None:
    """As people start it, with few plants and requests."""
    measured = printed("ledgers", "--plants", "2", "--instruments", "3", "--requests", "1")
    assert (measured["instruments"], measured["entries"]) == (6, 36)
    assert {*measured["rounds"]} == {"first_ms", "idle_ms", "after_an_entry_ms", "after_a_restart_ms"}
    assert len(measured["requests"]) == 9
    for figures in measured["requests"].values():
        assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert {*measured["lists_s"]} == {"csv", "json", "xlsx"}
    assert 0 < measured["service_mb"]["before"] <= measured["service_mb"]["after"] * 2

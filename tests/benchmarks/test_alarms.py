"""The benchmark of alarms asks the whole service on both systems and prints what it promises; speed is not asserted."""

from __future__ import annotations

from tests.benchmarks.printed import printed


def test_the_alarm_benchmark_gives_every_figure() -> None:
    """As people start it, with few alarms and requests."""
    measured = printed("alarms", "--alarms", "500", "--requests", "1")
    assert measured["alarms"] == 500
    assert set(measured["sqlite"]["requests"]) == set(measured["postgresql"]["requests"])
    assert len(measured["sqlite"]["requests"]) == 25
    for system in ("sqlite", "postgresql"):
        for figures in measured[system]["requests"].values():
            assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]

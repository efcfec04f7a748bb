"""The benchmark of delivery runs on real servers and prints what it promises; how fast it is is not asserted."""

from __future__ import annotations

from tests.benchmarks.printed import printed


def test_the_delivery_benchmark_gives_every_figure() -> None:
    """As people start it, with few alarms, messages and days."""
    figures = printed("delivery", "--alarms", "200", "--messages", "1500", "--days", "4", "--requests", "2")
    assert {"webhooks_per_s", "latency_p99_ms", "platform_ack_p99_ms", "state_mb_day_4", "metrics_ratio"} <= {*figures}
    assert figures["repeats"] == 0
    assert all(value > 0 for name, value in figures.items() if name not in {"repeats", "load"})

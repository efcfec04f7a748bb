"""The intake benchmark runs on real servers and prints what it promises; how fast it is is not asserted."""

from __future__ import annotations

from tests.benchmarks.printed import printed


def test_the_intake_benchmark_gives_every_figure() -> None:
    """As people start it, with few messages and points."""
    figures = printed("intake", "--messages", "500", "--points", "100", "--rest", "0")
    assert set(figures) == {
        "messages_per_s", "readings_per_s", "mosquitto_sub_ratio", "end_to_end_readings_per_s",
        "end_to_end_readings_per_s_20", "cpu_s_per_million_readings", "latency_p99_ms", "latency_p50_ms",
        "latency_alarms", "rss_mb",
    }  # fmt: skip
    assert set(figures["cpu_s_per_million_readings"]) == {"20", "200"}
    assert figures["latency_alarms"] > 0
    assert all(value > 0 for name, value in figures.items() if name != "cpu_s_per_million_readings")

"""The benchmark of steady loads runs on real servers and prints what it promises; what it measures is not asserted."""

from __future__ import annotations

from tests.benchmarks.printed import printed


def test_the_benchmark_of_steady_loads_gives_every_figure() -> None:
    """As people start it, one shape for a moment."""
    options = ("--only", "plant", "--history", "duckdb", "--seconds", "2", "--warm", "1", "--probe", "4")
    found = printed("steady", *options)["plant"]
    assert found["alarms"] == 40
    assert {"engine", "intake"} <= found["threads"].keys()
    positive = {
        "cpu_percent", "cpu_s_per_million", "broker_ratio", "commits_per_s", "cycles_per_s", "readings_per_s",
        "latency_p50_ms", "latency_p99_ms", "rss_mb",
    }  # fmt: skip
    assert {name for name in positive if found[name] > 0} == positive


def test_the_memory_of_hours_is_seen_hour_by_hour() -> None:
    """Two hours' worth, of which a thousandth is sent."""
    found = printed("steady", "--hours", "2", "--share", "0.001", "--speed", "2")
    assert found["frames"] == 1440
    assert found["alarms"] > 0
    assert len(found["rss_mb"]) == len(found["seconds"]) == 2
    assert found["rss_ratio"] == round(found["rss_mb"][1] / found["rss_mb"][0], 3)


def test_the_cost_of_an_alarm_is_given_by_thread() -> None:
    """A turn of each kind, faster than on an ordinary day, while somebody follows the alarms."""
    found = printed("alarm_cost", "--times", "1", "--rounds", "1", "--rate", "20", "--streams", "1")
    assert found["alarms"] == 20
    assert len(found["ms_by_turn"]) == 1
    assert {"engine", "asyncio", "MainThread"} <= found["ms_by_thread"].keys()
    assert found["ms_per_alarm"] > 0
    assert found["calm_ms"] > 0
    assert found["webhook_p50_ms"] > 0

"""The benchmarks run and print what they promise; what they measure is not asserted."""

from __future__ import annotations

from benchmarks.park import park
from detectors import KINDS
from tests.benchmarks.printed import printed


def test_the_detectors_benchmark_gives_every_figure() -> None:
    """As people start it: one JSON object, all figures positive."""
    figures = printed("detectors", "--scale", "0.01")
    shapes = {"wide_10000", "wide_100000", "deep_100", "small_100"}
    lone = {"frame_20_of_100_us", "frame_20_of_20000_us", "frame_20_of_100000_us", "frame_20_of_100000_vs_of_100"}
    cold = {"county_cycle_us", "frame_20_cold_us", "county_cycle_cold_us"}
    assert shapes | lone | cold | {"idle_us", "bytes_per_point", "vs_river", "rules_per_point"} <= set(figures)
    assert all(figures[name] > 0 for name in shapes | lone)
    assert set(figures["vs_river"]) == {"zscore", "page_hinkley"}
    assert all(ratio > 0 for ratio in figures["vs_river"].values())
    assert set(figures["share_of_rules_in_alarm"]) == shapes


def test_the_cycle_benchmark_gives_every_figure() -> None:
    figures = printed("cycle", "--cycles", "8", "--frames", "1", "3", "--points", "40", "80", "--rest-ms", "1")
    assert set(figures["engine_cycle_us"]) == {"40", "80"}
    for of in figures["engine_cycle_us"].values():
        assert set(of) == {"1", "3", "idle"}
        assert all(cost > 0 for cost in of.values())
    assert figures["ratio"] > 0


def test_the_history_benchmark_gives_every_figure() -> None:
    figures = printed("history", "--readings", "30000")
    assert figures.keys() == {
        "lines_per_s",
        "points_per_s_into_influxdb",
        "our_cpu_s_per_million",
        "influxd_cpu_s_per_million",
    }
    assert all(figure > 0 for figure in figures.values())


def test_the_benchmark_of_the_built_in_store_gives_every_figure() -> None:
    figures = printed("duck", "--millions", "0", "--days", "1", "--points", "5", "--sizes", "500")
    trends = {f"{what}_{span}_ms" for what in ("trend", "trends") for span in ("year", "hour")}
    assert figures.keys() == trends | {"cpu_s_per_million", "rss_mb", "bytes_a_reading", "bytes_a_minute"}
    assert figures["cpu_s_per_million"]["500"] > 0


def test_a_point_of_the_benchmark_bears_the_catalogues_rules() -> None:
    """The speed is that of real rules: of every kind that is a default anywhere, more than five on a point."""
    of = park(1000)
    assert {"limit", "rate", "stuck", "range", "bad", "silence", "forecast", "pinned", "current"} <= set(of.tables)
    assert set(of.tables) <= set(KINDS)
    assert of.points >= 1000
    judged = [key.split("/")[:-1] for table in of.tables.values() for key in table.key]
    measured = [tuple(point) for point in judged if not point[-1].startswith("GW")]  # gateways' own points have few
    assert len(measured) > 5 * len(set(measured))

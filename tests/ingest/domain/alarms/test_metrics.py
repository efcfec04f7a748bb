"""Metrics of an operator position are those that plain loops over its alarms give."""

from __future__ import annotations

import random
from dataclasses import astuple

import pytest

from ingest.domain.alarms.benchmarks import BENCHMARKS
from ingest.domain.alarms.config import AlarmsConfig
from ingest.domain.alarms.metrics import Flood, floods_of, lead, measure
from ingest.domain.model.annunciations import Annunciations
from ingest.domain.model.plant import Confidence
from tests.ingest.domain.alarms.annunciated import Call, S, columns, history, plain

H = ("p", "A", "H")
DEFAULTS = AlarmsConfig()


def calls_at(*seconds: float) -> Annunciations:
    return columns([Call(H, 1, int(at * S), int(at * S)) for at in seconds])


@pytest.mark.parametrize("seed", range(60))
def test_they_are_what_plain_loops_give(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  not a secret
    calls = history(seed)
    start, end = rng.choice([(0, 8 * 3600), (1234, 5678), (600, 1200)])
    config = rng.choice([DEFAULTS, AlarmsConfig(flood_begins_above=3, flood_ends_below=2, flood_window_s=300)])
    expected = plain(calls, start * S, end * S, config)
    found = measure(columns(calls), start * S, end * S, config)
    assert [astuple(flood) for flood in found.floods] == expected.pop("floods")
    assert [rule_load.count for rule_load in found.top] == expected.pop("top")
    assert list(found.chattering) == expected.pop("chattering")
    assert astuple(found.answers) == pytest.approx(expected.pop("answers"))
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value), name


def test_a_position_that_nobody_called_has_figures_too() -> None:
    found = measure(Annunciations(), 0, 3600 * S, DEFAULTS)
    assert (found.raised, found.rate_mean, found.rate_max, found.slots, found.flood_share) == (0, 0.0, 0, 6, 0.0)
    assert (found.floods, found.top, found.top_share, found.chattering) == ((), (), 0.0, ())
    assert astuple(found.answers) == (0, 0, None, None)


def test_a_flood_begins_with_the_eleventh_alarm_in_ten_minutes_and_ends_when_fewer_than_five_are_left() -> None:
    ten = calls_at(*range(0, 600, 60))
    assert floods_of(ten.called, 0, 7200 * S, DEFAULTS) == ()
    eleven = calls_at(*range(0, 600, 60), 599)
    ended = 360 + 600  # then the windows of all but those of 420, 480, 540 and 599 have passed
    assert floods_of(eleven.called, 0, 7200 * S, DEFAULTS) == (Flood(599 * S, ended * S, 11, 11),)


def test_a_flood_that_goes_on_at_the_end_of_the_span_has_no_end() -> None:
    flood = calls_at(*range(0, 600, 30))
    (found,) = floods_of(flood.called, 0, 600 * S, DEFAULTS)
    assert (found.began, found.ended) == (300 * S, None)
    assert measure(flood, 0, 600 * S, DEFAULTS).flood_share == 0.5


def test_a_flood_from_before_the_span_counts_from_where_the_span_begins() -> None:
    flood = calls_at(*range(0, 600, 30))
    found = measure(flood, 600 * S, 1800 * S, DEFAULTS)
    assert found.raised == 0
    assert found.flood_share == pytest.approx((450 + 600 - 600) / 1200)
    assert lead(DEFAULTS) >= 3600 * S


def test_what_was_raised_while_hidden_calls_nobody() -> None:
    calls = columns([Call(H, 1, at * S, at * S, hidden=True) for at in range(20)])
    found = measure(calls, 0, 600 * S, DEFAULTS)
    assert (found.raised, found.hidden, found.floods, found.chattering) == (0, 20, (), ())


def test_a_span_that_is_empty_is_refused() -> None:
    with pytest.raises(ValueError, match="ends after it starts"):
        measure(Annunciations(), 5, 5, DEFAULTS)


def test_every_benchmark_names_its_source_and_is_no_regulation() -> None:
    for benchmark in BENCHMARKS:
        assert benchmark.source
        assert benchmark.confidence is not Confidence.REGULATION
        assert benchmark.good <= benchmark.bad

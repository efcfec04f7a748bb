"""A few lines lead from a table to scores, events and contributions, by the very engine of the service."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors import Rule, analyse
from detectors.examples import evaluate, scores, series, tables
from detectors.registry import KINDS
from detectors.workbench import FORMS, USUAL, InvalidData, InvalidRule
from detectors.workbench.analysis import judged, lesson_of, setting_of
from detectors.workbench.bench import Workbench
from detectors.workbench.frames import table_of
from detectors.workbench.layout import Layout
from ingest.plants.kinds import KINDS as SPECS

Floats = NDArray[np.float64]


def loop(rows: int = 1200) -> dict[str, Floats]:
    """Three instruments that follow one load; from 900 on the second parts from the others."""
    rng = np.random.default_rng(4)
    load = 2.0 * np.sin(np.arange(rows) / 11) + np.sin(np.arange(rows) / 29)
    data = {name: gain * load + rng.normal(0, 0.3, rows) for name, gain in (("flow", 3), ("pressure", 2), ("heat", -1))}
    data["pressure"][900:] += 4.0
    return data


def test_what_parts_from_the_others_is_named_with_its_contribution() -> None:
    found = analyse(loop(), every_s=1)
    event = next(event for event in found.events if event.kind == "mahalanobis")
    assert 900 <= event.row < 930
    assert event.column == "pressure"
    assert event.contributions[0].column == "pressure"
    assert event.contributions[0].share > 0.5
    assert event.peak >= event.score >= event.on


def test_nothing_is_judged_before_the_lesson_is_over_and_that_is_told() -> None:
    found = analyse(loop(), every_s=1, learn=0.5)
    assert found.lesson == 600
    for name, score in found.scores.items():
        assert np.isnan(score[:600]).all(), name
        assert not np.isnan(score[600:]).any(), name
    assert {str(learning.judges_from)[:19] for learning in found.learning} == {"2024-01-01T00:10:00"}


def test_a_rule_that_is_still_learning_says_how_much_it_needs() -> None:
    data = loop() | {"new": np.where(np.arange(1200) < 1150, np.nan, np.arange(1200.0))}
    found = analyse(data, every_s=1, rules=[Rule("surprise", columns=["flow", "new"])])
    flow, new = found.learning
    assert flow.judges_from is not None
    assert new.judges_from is None
    assert str(new) == "new/surprise: still learning until 300 readings were usable (warming up)"


def test_the_score_and_the_events_are_those_of_the_rule_in_the_service() -> None:
    """The same numbers as the doctests of the kinds, which a `Bank` gives."""
    values = loop()["pressure"]
    param: Any = {"train": 300.0, "weight": 0.05, "floor": 0.001}
    found = analyse({"p": values}, every_s=1, rules=[Rule("ewma", on=6, off=4, **param)])
    (wanted,) = scores("ewma", tables("ewma", 6, 4, **param)["ewma"], series(values))
    np.testing.assert_array_equal(found.scores["p/ewma"], wanted)
    begins = [int(line.split()[2]) for line in evaluate("ewma", [*values], 6, 4, **param) if line.startswith("trips")]
    assert begins
    assert [event.row for event in found.events] == begins


@pytest.mark.parametrize("size", [1, 7, 1200])
def test_how_rows_are_cut_changes_nothing(size: int) -> None:
    table = table_of(loop(), Layout(every_s=1))
    rules = [*USUAL, Rule("limit", name="H", side=1, on=8, off=6), Rule("stuck", on=5, band=0.1), Rule("zscore", on=4)]
    whole = analyse(loop(), rules, every_s=1)
    bench = Workbench(table.columns, rules, setting_of(table, lesson_of(table)))
    events, parts = [], []
    for begin in range(0, len(table), size):
        ended, score = bench.feed(table.time[begin : begin + size], table.rows(begin, begin + size))
        events += ended
        parts.append(score)
    joined = np.concatenate(parts)
    for at, placed in enumerate(bench.placed):
        np.testing.assert_array_equal(joined[:, at], whole.scores[placed.name])
    assert sorted([*events, *bench.standing()], key=lambda e: (e.begin, e.rule)) == [*whole.events]
    assert len(whole.events) > 3
    assert {event.kind for event in whole.events} >= {"mahalanobis", "limit"}


def test_an_event_that_has_no_end_says_so_and_keeps_its_peak() -> None:
    values = np.zeros(100)
    values[60:] = np.linspace(5, 9, 40)
    (event,) = analyse({"x": values}, every_s=1, rules=[Rule("limit", side=1, on=5)]).events
    assert event.end is None
    assert (event.row, event.score, event.peak, event.value) == (60, 5.0, 9.0, 5.0)


def test_progress_counts_every_row() -> None:
    table = table_of(loop(), Layout(every_s=1))
    seen: list[int] = []
    for _ in judged(Workbench(table.columns, USUAL, setting_of(table, 300)), table, seen.append):
        pass
    assert sum(seen) == 1200


def test_a_wrong_name_is_told_with_what_is_allowed_and_what_is_nearest() -> None:
    for make, words in (
        (lambda: Rule("suprise"), "kind 'suprise': did you mean 'surprise'? expected one of bad, "),
        (lambda: Rule("ewma", on=4, wieght=1), "ewma: parameter 'wieght' = 1: did you mean 'weight'? expected one"),
        (lambda: Rule("limit", on=4), "limit needs side"),
        (lambda: Rule("rate", side=1), "rate needs window_s, on"),
        (lambda: Rule("surprise", columns=[]), "columns = []: expected the names of columns; leave it out for all"),
        (lambda: Rule("surprise", columns=""), "columns = '': expected the names of columns"),
        (lambda: Rule("votes", on=2), "kind 'votes' needs a plant file"),
        (lambda: analyse(loop(), every_s=1, rules=[Rule("surprise", columns="flwo")]), "did you mean 'flow'?"),
        (lambda: analyse(loop(), every_s=1, rules=[Rule("bad"), Rule("bad")]), "two rules 'flow/bad'"),
        (lambda: analyse(loop(), every_s=1, rules=[Rule("t2", columns="flow")]), "t2: one column"),
    ):
        with pytest.raises(InvalidRule) as error:
            make()
        assert words in str(error.value)


def test_a_lesson_that_is_no_part_of_the_data_is_refused() -> None:
    with pytest.raises(InvalidData, match="3 rows: expected more than 30 rows"):
        analyse({"x": [1.0, 2.0, 3.0]}, every_s=1)
    with pytest.raises(InvalidData, match=r"1200 of 1200 rows: expected a time from 2024-01-01T00:00:30Z"):
        analyse(loop(), every_s=1, learn_until="2025-01-01")
    with pytest.raises(InvalidData, match="a share between 0 and 1"):
        analyse(loop(), every_s=1, learn=1.5)


def test_what_is_no_number_no_time_and_no_rule_is_refused_by_name_and_value() -> None:
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"every_s": 0}, "every_s = 0: expected seconds from 0.001 to 1998648"),
        ({"every_s": -1}, "every_s = -1: expected"),
        ({"every_s": float("nan")}, "every_s = nan: expected"),
        ({"every_s": 1e300}, "every_s = 1e\\+300: expected"),
        ({"every_s": "1"}, "every_s = '1': expected"),
        ({"learn": "x"}, "learn = 'x': expected a share"),
        ({"learn_until": 3}, "learn until 3: expected ISO 8601"),
        ({"learn_until": np.datetime64("2024-01-01T00:05")}, "learn until .*: expected ISO 8601"),
        ({"timezone": None}, "timezone None: expected"),
        ({"timezone": "Asia"}, "timezone 'Asia': expected"),
        ({"rules": "ewma"}, "rule 'e': expected a Rule"),
        ({"rules": ["ewma"]}, "rule 'ewma': expected a Rule"),
        ({"rules": Rule("bad")}, "rules = Rule.*: expected a list of Rule"),
        ({"columns": "flow,heat"}, "column 'flow,heat': did you mean"),
        ({"columns": [3]}, "column 3: expected one of"),
    )
    for given, words in wrong:
        with pytest.raises((InvalidData, InvalidRule), match=words):
            analyse(loop(), **{"every_s": 1, **given})
    rules: tuple[tuple[dict[str, Any], str], ...] = (
        ({"on": float("nan")}, "ewma: on = nan: expected a number"),
        ({"on": "x"}, "ewma: on = 'x': expected a number"),
        ({"on": 4, "weight": None}, "ewma: weight = None: expected"),
        ({"on": 4, "off": 5}, "ewma: off = 5: expected at most on = 4"),
        ({"on": 4, "on_delay_s": -1}, r"ewma: on_delay_s = -1: expected a number at least 0 \(s: "),
    )
    for param, words in rules:
        with pytest.raises(InvalidRule, match=words):
            Rule("ewma", **param)


def test_a_lesson_ends_at_a_text_or_a_datetime_and_a_column_is_named_by_itself() -> None:
    shown = "2024-01-01 08:05"  # in Shanghai
    for until in (shown, dt.datetime.fromisoformat(shown), dt.datetime(2024, 1, 1, 0, 5, tzinfo=dt.UTC)):
        assert analyse(loop(), every_s=1, learn_until=until).lesson == 300
    assert analyse(loop(), every_s=1, columns="flow").table.columns == ("flow",)


@pytest.mark.parametrize("kind", FORMS)
def test_every_kind_takes_the_parameters_of_the_kind_in_a_plant_file(kind: str) -> None:
    assert set(FORMS[kind].param) == set(SPECS[kind].params)
    assert kind in KINDS


@pytest.mark.parametrize("kind", FORMS)
def test_every_kind_judges(kind: str) -> None:
    given = {"low": 0, "high": 1, "at": 0, "band": 1, "limit": 1, "lead_s": 60, "above": 0, "window_s": 60, "delta": 1}
    form = FORMS[kind]
    param: Any = {key: float(given.get(key, 1)) for key, default in form.param.items() if default is None}
    if kind == "profile":
        param = {"period_s": 60.0, "least": 3.0}
    on = {"rate": 3.0, "noise": 1.5, "forecast": 0.0}.get(kind, form.on or 1.0)
    found = analyse(loop(), every_s=1, rules=[Rule(kind, on=on, **param)])
    assert all((~np.isnan(score)).any() for score in found.scores.values())

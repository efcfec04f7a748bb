"""Spans known of a rule, whatever it is called."""

from __future__ import annotations

from ingest.domain.alarms.retrospective_alarms import RetrospectiveAlarms, Violation


def test_a_rule_that_goes_by_another_key_now_keeps_its_spans_and_what_is_held_back() -> None:
    told = RetrospectiveAlarms()
    told.began("p/a/H", 100)
    told.hold(Violation("p/a/H", 200, 9.0, 10, 10), 1_000)
    told.rename({"p/a/H": "p/b/H", "p/c/H": "p/d/H"})
    assert told.late(Violation("p/b/H", 150, 9.0, 10, 10), 500) == []
    assert list(told.settle(10_000)) == [], "all of it lies in the span of the live alarm"
    assert [*told.state()["spans"]] == ["p/b/H"]


def test_an_excursion_that_was_told_is_known_by_the_key_it_was_told_under() -> None:
    told = RetrospectiveAlarms()
    told.late(Violation("p/a/H", 100, 9.0, 10, 10), 500)
    ((_, _, span),) = told.settle(600)
    span.told = span.start
    told.late(Violation("p/a/H", 200, 9.0, 10, 10), 700)
    told.rename({"p/a/H": "p/b/H"})
    told = RetrospectiveAlarms.of(told.state())
    told.rename({"p/b/H": "p/c/H"})
    told.late(Violation("p/c/H", 95, 9.0, 10, 10), 800)
    found = {(key, span.start): span.named for key, _, span in told.settle(10_000)}
    assert found == {("p/c/H", 95): "p/a/H", ("p/c/H", 200): ""}

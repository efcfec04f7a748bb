"""Spans of a rule whose key changes."""

from __future__ import annotations

from ingest.domain.alarms.retrospective_alarms import RetrospectiveAlarms, Violation


def test_a_rule_that_goes_by_another_key_now_keeps_its_spans_and_what_is_held_back() -> None:
    under_test = RetrospectiveAlarms()
    under_test.open_span("p/a/H", 100)
    under_test.hold(Violation("p/a/H", 200, 9.0, 10, 10), 1_000)
    under_test.rename({"p/a/H": "p/b/H", "p/c/H": "p/d/H"})
    assert under_test.add(Violation("p/b/H", 150, 9.0, 10, 10), 500) == []
    assert list(under_test.settle(10_000)) == [], "all of it lies in the span of the live alarm"
    assert [*under_test.state()["spans"]] == ["p/b/H"]


def test_a_sent_excursion_is_recognised_by_its_key() -> None:
    under_test = RetrospectiveAlarms()
    under_test.add(Violation("p/a/H", 100, 9.0, 10, 10), 500)
    ((_, _, span),) = under_test.settle(600)
    span.reported = span.start
    under_test.add(Violation("p/a/H", 200, 9.0, 10, 10), 700)
    under_test.rename({"p/a/H": "p/b/H"})
    under_test = RetrospectiveAlarms.of(under_test.state())
    under_test.rename({"p/b/H": "p/c/H"})
    under_test.add(Violation("p/c/H", 95, 9.0, 10, 10), 800)
    found = {(key, span.start): span.reported_key for key, _, span in under_test.settle(10_000)}
    assert found == {("p/c/H", 95): "p/a/H", ("p/c/H", 200): ""}

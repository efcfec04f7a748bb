"""Spans known of a rule, whatever it is called."""

from __future__ import annotations

from ingest.alarms.excursions import Excursions, Violation


def test_a_rule_that_goes_by_another_key_now_keeps_its_spans_and_what_is_held_back() -> None:
    told = Excursions()
    told.began("p/a/H", 100)
    told.hold(Violation("p/a/H", 200, 9.0, 10, 10), 1_000)
    told.rename({"p/a/H": "p/b/H", "p/c/H": "p/d/H"})
    assert told.late(Violation("p/b/H", 150, 9.0, 10, 10), 500) == []
    assert list(told.settle(10_000)) == [], "all of it lies in the span of the live alarm"
    assert [*told.state()["spans"]] == ["p/b/H"]

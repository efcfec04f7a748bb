"""Histories of readings, cut into batches, the service started again between any two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from detectors import Bank
from detectors.rules import RuleTable
from tests.detectors.rule_tables import SECOND
from tests.detectors.scored import START, as_readings

Rows = list[tuple[int, int, float]]
"""Readings: point, time in ns, value."""


def found_in(rules: Mapping[str, RuleTable], history: Rows, cuts: Sequence[int]) -> list[tuple[int, bool, float]]:
    """What is found by which rule, tripped or not, and at which second."""
    bank, found = Bank(rules), []
    for begin, end in pairwise([0, *cuts, len(history)]):
        findings = bank.update(as_readings(history[begin:end]), 0)
        columns = (findings.rule.tolist(), findings.raised.tolist(), findings.time.tolist())
        found += [(rule, raised, (time - START) / SECOND) for rule, raised, time in zip(*columns, strict=True)]
        dump, bank = bank.dump(), Bank(rules)
        bank.load(dump)
    return found

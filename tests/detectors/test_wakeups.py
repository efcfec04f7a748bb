"""No rule is passed over when its verdict would change: all kinds side by side, with all skips allowed.

Compared with plain loops that look at every rule at every reading.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors import Bank
from detectors.registry import SCORERS
from detectors.rules import RuleTable
from tests.detectors.rule_tables import POINTS, SECOND, rules_of, table
from tests.detectors.test_conformance import START, VALUES, Row, listed, readings
from tests.reference.plain import PlainRule, run
from tests.reference.scores import SCORES

STEPS = st.sampled_from([1, 1, 1, 1, 1, 2, 3, 40, -2])
HISTORIES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, POINTS - 1), STEPS, VALUES), max_size=8),
        st.sampled_from(["", "", "", "", "restart", "change over", "nothing arrives"]),
    ),
    max_size=20,
)


CLOSED_BEFORE_A_RESTART = [
    ([(0, 1, 0.0)], ""),
    ([(2, 1, 1.2)], ""),
    ([(0, 1, -2.5), (2, 1, 0.0), (0, 1, 0.0)], "restart"),
    ([(2, 1, 1.2), (2, 1, 0.0)], ""),
]
"""What a closed gate made a rule forget must not come back."""

A_HAIR_BELOW_THE_LIMIT = [
    ([(2, 1, 0.4), (2, 2, 0.0), (2, 1, 0.0), (2, 3, 0.4), *[(2, 1, 0.0)] * 5], ""),
    ([(2, 1, 1.0), (2, 40, 0.0), (2, 1, 0.0), (2, 1, 0.99)], ""),
]
"""A score of 2.9999999999999996 trips at 3, so it must not teach either."""


def everything() -> dict[str, list[PlainRule]]:
    """The specimens of all kinds, numbered through."""
    of_kind = {kind: rules_of(kind) for kind in SCORERS}
    return {
        kind: [replace(rule, number=100 * at + rule.number) for rule in rules]
        for at, (kind, rules) in enumerate(of_kind.items())
    }


TABLES: dict[str, RuleTable] = {kind: table(rules) for kind, rules in everything().items()}


@settings(max_examples=25)
@example(history=CLOSED_BEFORE_A_RESTART)
@example(history=A_HAIR_BELOW_THE_LIMIT)
@given(history=HISTORIES)
def test_all_kinds_in_one_bank_find_what_plain_loops_find_over_restarts_and_idle_cycles(
    history: list[tuple[list[tuple[int, int, float]], str]],
) -> None:
    bank, rows, found = Bank(TABLES), list[Row](), list[tuple[int, bool, int, int]]()
    times = [START] * POINTS
    for arrivals, then in history:
        batch = []
        for point, step, value in arrivals:
            times[point] += step * SECOND
            batch.append((point, times[point], value))
        found += listed(bank.update(readings(batch, len(rows)), START))
        rows += batch
        match then:
            case "restart":
                dump, bank = bank.dump(), Bank(TABLES)
                bank.load(dump)
            case "change over":
                bank = bank.successor(TABLES)
            case "nothing arrives":
                assert not len(bank.update(readings([]), START + 10**6 * SECOND)), "time alone decides nothing here"
    expected = run([rule for rules in everything().values() for rule in rules], rows, SCORES)
    assert sorted(found, key=lambda f: (f[2], f[1], f[0])) == expected

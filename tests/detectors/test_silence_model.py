"""Every silence is found when it is due, whatever came before: random histories against plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Bank, Readings
from tests.detectors.rule_tables import SECOND, rule, table
from tests.reference.plain import PlainRule
from tests.reference.silence import PlainSilence

START = 1_700_000_000 * SECOND
POINTS, DEVICES = (0, 1, 2), (3, 4)

Arrival = tuple[int, int, float]
"""A point, the device that carried it, and how many seconds ago it arrived (below 0: by a clock that was ahead)."""


def rules(long: float = 60.0) -> list[PlainRule]:
    """Two rules on point 0, one with delays on point 1, one that is rarely due on point 2; both devices.

    Points 0 and 2 wait for a device that was ever heard, point 1 does not.
    """
    return [
        rule("silence", 0, 0, 5.0, inputs=(3,)),
        rule("silence", 1, 0, long, inputs=(3,)),
        rule("silence", 2, 1, 5.0, on_delay=3, off_delay=4),
        rule("silence", 3, 2, 45.0, inputs=(4,)),
        rule("silence", 4, 3, 8.0),
        rule("silence", 5, 4, 5.0),
    ]


@dataclass
class Both:
    """The detector and the plain loops, led through the same history."""

    of: list[PlainRule] = field(default_factory=rules)

    def __post_init__(self) -> None:
        self.now = START
        self.fast, self.plain = Bank({"silence": table(self.of)}), PlainSilence(self.of)

    def go_on(self, step_s: float, arrivals: Sequence[Arrival] = (), cuts: Sequence[int] = ()) -> None:
        """Time goes by, something arrives, and everybody is judged: the verdicts are the same."""
        self.now += int(step_s * SECOND)
        heard = [(point, device, self.now - int(ago * SECOND)) for point, device, ago in arrivals]
        for point, device, received in heard:
            self.plain.read(point, device, received)
        found: list[tuple[int, bool]] = []
        edges = sorted({0, len(heard), *(min(cut, len(heard)) for cut in cuts)})
        for begin, end in zip(edges, edges[1:] or [0], strict=False):
            findings = self.fast.update(arrived(heard[begin:end]), self.now)
            found += zip(findings.rule.tolist(), findings.raised.tolist(), strict=True)
        if len(edges) <= 2:  # cut up, a rule is looked at between the pieces: what it comes to is compared below
            assert sorted(found) == self.plain.update(self.now)
        else:
            self.plain.update(self.now)
        assert self.tripped_rules() == {plain_rule.number for plain_rule in self.plain.rules if plain_rule.tripped}

    def tripped_rules(self) -> set[int]:
        """The rules of which the detector says that they are tripped."""
        (detector,) = self.fast.detectors()
        tripped = detector.state().arrays["tripped"].tolist()
        return {number for number, stands in zip(detector.rules.rule.tolist(), tripped, strict=True) if stands}

    def restart(self, away_s: float, silent: set[int] | None) -> None:
        """Dumped, loaded by a new one, which goes on later; `silent` stand, None = those that did."""
        left = self.now
        dump, self.fast = self.fast.dump(), Bank({"silence": table(self.plain.rules)})
        self.fast.load(dump)
        self.now += int(away_s * SECOND)
        keys = (
            None
            if silent is None
            else {f"p{plain_rule.point}/r{plain_rule.number}" for plain_rule in self.of if plain_rule.number in silent}
        )
        self.fast.resume(left, self.now, keys)
        self.plain.resume(left, self.now, silent)

    def retune(self, new: list[PlainRule]) -> None:
        """Other rules."""
        self.fast, self.plain = self.fast.successor({"silence": table(new)}), self.plain.successor(new)

    def shift(self, step_s: int) -> None:
        """The clock is set, and the journal records it."""
        self.now += step_s * SECOND
        self.fast.shift(step_s * SECOND)
        self.plain.shift(step_s * SECOND)


def arrived(heard: Sequence[tuple[int, int, int]]) -> Readings:
    """Readings (point, device, ns of arrival)."""
    point, device, received = (np.array([arrival[column] for arrival in heard], np.int64) for column in range(3))
    return Readings(point.astype(np.int32), received, np.ones(len(heard)), received, device.astype(np.int32))


STEPS = st.sampled_from([0.0, 0.5, 0.5, 1.0, 1.0, 2.0, 3.0, 6.0, 20.0, 50.0])
ARRIVALS = st.lists(
    st.tuples(st.sampled_from(POINTS), st.sampled_from(DEVICES), st.sampled_from([0.0, 0.0, 0.0, 0.3, 2.0, 7.0, -3.0])),
    max_size=4,
)
EVENTS = st.one_of(
    *[st.tuples(st.just("go_on"), STEPS, ARRIVALS)] * 4,
    st.tuples(st.just("go_on"), STEPS, st.just([])),
    st.tuples(st.just("set"), st.sampled_from([-86_400, -3, -1, 1, 3, 86_400])),  # untold: a step the journal missed
    st.tuples(st.just("shift"), st.sampled_from([-86_400, -3, 1, 3, 86_400])),
    st.tuples(st.just("restart"), st.sampled_from([0.0, 3.0, 100.0]), st.none() | st.sets(st.integers(0, 5))),
    st.tuples(st.just("retune"), st.sampled_from([3.0, 10.0, 60.0]), st.sets(st.integers(0, 5), max_size=3)),
)


@settings(max_examples=150)
@given(history=st.lists(EVENTS, max_size=30))
def test_every_silence_begins_and_ends_as_in_a_plain_model_whatever_came_before(
    history: list[tuple[object, ...]],
) -> None:
    both = Both()
    for what, *how in history:
        match what, how:
            case "go_on", [float(step), list(arrivals)]:
                both.go_on(step, arrivals)
            case "set", [int(step)]:
                both.now += step * SECOND
                both.go_on(0.0)
            case "shift", [int(step)]:
                both.shift(step)
            case "restart", [float(away), silent]:
                both.restart(away, silent if isinstance(silent, set) else None)
            case "retune", [float(long), set(left_out)]:
                both.retune([plain_rule for plain_rule in rules(long) if plain_rule.number not in left_out])
    for _ in range(12):  # whoever is silent now is told in time
        both.go_on(5.5)


@settings(max_examples=60)
@given(steps=st.lists(st.tuples(STEPS, ARRIVALS, st.lists(st.integers(0, 4), max_size=3)), max_size=20))
def test_who_is_silent_does_not_depend_on_how_the_arrivals_are_cut_into_batches(
    steps: list[tuple[float, list[Arrival], list[int]]],
) -> None:
    both = Both(
        [plain_rule for plain_rule in rules() if plain_rule.number != 2]
    )  # a delay counts from the look that began it
    both.go_on(0.0)  # and a watch from the first look
    for step, arrivals, cuts in steps:
        both.go_on(step, arrivals, cuts)


def test_a_second_and_a_third_outage_are_reported_like_the_first() -> None:
    """Also when there is no other point."""
    both = Both([rule("silence", 0, 0, 5.0)])
    for _ in range(3):
        both.go_on(1.0, [(0, 4, 0.0)])
        both.go_on(4.5)
        assert both.tripped_rules() == set()
        both.go_on(0.5)
        assert both.tripped_rules() == {0}, "told when it was due"
        both.go_on(10.0)


@pytest.mark.parametrize("first_heard_after_s", [1.0, 7.0, 1000.0])
def test_an_outage_is_reported_however_late_the_point_was_first_seen(first_heard_after_s: float) -> None:
    both = Both([rule("silence", 0, 0, 5.0), rule("silence", 1, 1, 60.0)])
    both.go_on(0.0)
    both.go_on(first_heard_after_s)
    both.go_on(0.0, [(0, 4, 0.0), (1, 4, 0.0)])
    both.go_on(5.0)
    assert both.tripped_rules() == {0}, "not only when its neighbour with the longer watch is due"


def test_a_rule_that_joins_another_on_its_point_leaves_the_others_watch_as_it_was() -> None:
    both = Both([rule("silence", 0, 0, 5.0)])
    both.go_on(0.0, [(0, 4, 0.0)])
    both.go_on(6.0)
    both.retune([rule("silence", 0, 0, 5.0), rule("silence", 1, 0, 60.0)])
    both.go_on(0.5)
    assert both.tripped_rules() == {0}, "no false return: nothing was heard"


def test_rules_of_two_lengths_on_one_point_both_stand_on_over_a_restart() -> None:
    both = Both([rule("silence", 0, 0, 60.0), rule("silence", 1, 0, 5.0)])
    both.go_on(0.0, [(0, 4, 0.0)])
    both.go_on(61.0)
    both.restart(10.0, {0, 1})
    both.go_on(0.5)
    assert both.tripped_rules() == {0, 1}

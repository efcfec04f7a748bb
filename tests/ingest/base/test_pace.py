"""A part that works in cycles costs a bounded share of a core, and what comes alone after a pause is taken at once."""

from __future__ import annotations

import pytest

from ingest.base.pace import MULTIPLE, Pace
from tests.movable_clock import MovableClock


def cycle(pace: Pace, clock: MovableClock, takes_s: float) -> float:
    """One cycle that takes so long; how long it is rested afterwards."""
    pace.begin()
    clock.pass_s(takes_s)
    pace.end()
    return pace.rest_s()


def test_the_first_and_whatever_comes_after_a_pause_is_taken_at_once() -> None:
    clock = MovableClock()
    pace = Pace(0.04, clock=clock.seconds)
    assert pace.rest_s() == 0
    assert cycle(pace, clock, 0.005) > 0
    clock.pass_s(0.04)
    assert pace.rest_s() == 0


@pytest.mark.parametrize(("takes_s", "begins_again_s"), [(0.0001, 0.004), (0.001, 0.04), (0.01, 0.04), (0.039, 0.04)])
def test_a_cycle_is_followed_after_a_multiple_of_its_cost_and_never_later_than_the_longest(
    takes_s: float, begins_again_s: float
) -> None:
    clock = MovableClock()
    pace = Pace(0.04, clock=clock.seconds)
    for _ in range(3):  # the second and third time as the first
        assert cycle(pace, clock, takes_s) + takes_s == pytest.approx(begins_again_s)
        clock.pass_s(pace.rest_s())


def test_a_part_that_has_all_hands_full_never_waits() -> None:
    clock = MovableClock()
    assert cycle(Pace(0.04, clock=clock.seconds), clock, 0.04) == 0


def test_what_costs_next_to_nothing_still_rests_for_the_least() -> None:
    clock = MovableClock()
    assert cycle(Pace(10, 0.1, clock=clock.seconds), clock, 0.000001) == pytest.approx(0.1, abs=1e-4)


def test_who_is_waited_for_does_not_rest() -> None:
    clock = MovableClock()
    pace = Pace(0.04, clock=clock.seconds)
    assert cycle(pace, clock, 0.001) > 0
    pace.hurry()
    assert pace.rest_s() == 0


@pytest.mark.parametrize("every_s", [0.0005, 0.002, 0.01, 0.05, 0.2])
def test_steady_work_costs_a_bounded_share_however_often_it_comes(every_s: float) -> None:
    """Of a part whose cycle costs 1 ms and 20 µs for each piece of work in it."""
    clock = MovableClock()
    pace = Pace(0.04, clock=clock.seconds)
    began, used, done, waited = clock.seconds(), 0.0, 0, 0.0
    while done < 2_000:
        next_s = began + (done + 1) * every_s
        clock.pass_s(max(next_s - clock.seconds(), pace.rest_s()))
        waiting = min(int((clock.seconds() - began) / every_s + 1e-6) - done, 2_000 - done)
        waited = max(waited, clock.seconds() - next_s)
        took = 0.001 + waiting * 0.00002
        cycle(pace, clock, took)
        used, done = used + took, done + waiting
    assert used / (clock.seconds() - began) <= 1 / MULTIPLE + 0.00002 / every_s + 0.001
    assert waited <= 0.04 + 0.003  # the rest, and the cycle that was under way

"""A broker that lets few messages be unacknowledged is not waited for, and steady ones are gathered all the same."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from ingest.intake.sources.held_back import HeldBack

MS = 1_000_000
REST_S = 0.04
CYCLE = 2 * MS  # what a commit takes
MESSAGE = 600  # bytes


def cycles(arrivals: Iterator[int], window: int, until: int) -> tuple[int, int]:
    """Messages taken and cycles made, of messages that are there at those moments and sent as the window allows."""
    held_back, now, taken, made = HeldBack(), 0, 0, 0
    waits = next(arrivals)
    while now < until:
        began, flying = now, list[int]()
        rest_s = held_back.rest_s(REST_S)
        ended = now + round(rest_s * 1e9)
        if not rest_s:
            ended = max(now, waits + MS)
        while len(flying) < window and waits <= ended:
            flying.append(max(waits, began + len(flying) * MS // 50))
            waits = next(arrivals)
        if rest_s:
            half = (began + ended) // 2
            held_back.rested(MESSAGE * sum(at <= half for at in flying), MESSAGE * len(flying))
        now = ended + CYCLE
        taken, made = taken + len(flying), made + bool(flying)
    return taken, made


def backlog() -> Iterator[int]:
    while True:
        yield 0


def steady(rate: float) -> Iterator[int]:
    draw, now = random.Random(1), 0.0  # noqa: S311  the same arrivals every time
    while True:
        now += draw.expovariate(rate) * 1e9
        yield int(now)


@pytest.mark.parametrize("window", [10, 20, 100])
def test_a_backlog_comes_in_nearly_as_fast_as_without_any_rest(window: int) -> None:
    second = 10**9
    taken, _ = cycles(backlog(), window, 10 * second)
    assert taken > 0.6 * window * 10 * second / (CYCLE + MS)


@pytest.mark.parametrize(("rate", "most"), [(200, 30), (1_000, 30), (5_000, 30)])
def test_what_comes_steadily_is_gathered(rate: float, most: float) -> None:
    """Cycles a second, also right after a backlog; 24 are as many as a rest of 40 ms allows."""
    taken, made = cycles(steady(rate), 100_000, 20 * 10**9)
    assert taken >= 0.95 * rate * 20
    assert made / 20 < most


def test_a_rest_is_tried_again_and_again_and_kept_once_it_gathers_something() -> None:
    """However long a broker held back before."""
    late = HeldBack()
    for _ in range(10):
        while not late.rest_s(REST_S):
            pass
        late.rested(20 * MESSAGE, 20 * MESSAGE)
    while not late.rest_s(REST_S):
        pass
    late.rested(20 * MESSAGE, 21 * MESSAGE)
    assert all(late.rest_s(REST_S) == REST_S for _ in range(100))


def test_a_lone_message_in_a_rest_is_no_evidence_about_the_broker() -> None:
    held_back = HeldBack()
    held_back.rested(MESSAGE, MESSAGE)
    assert held_back.rest_s(REST_S) == REST_S


def test_rests_that_gather_something_are_watched_ever_more_seldom_and_each_again_once_one_was_in_vain() -> None:
    held_back = HeldBack()

    def unwatched() -> int:
        rests = 0
        while not held_back.measured():
            rests += 1
        return rests

    seen = []
    for _ in range(6):
        seen.append(unwatched())
        held_back.rested(20 * MESSAGE, 21 * MESSAGE)
    assert seen == [0, 1, 2, 4, 8, 8]
    assert unwatched() == 8
    held_back.rested(20 * MESSAGE, 20 * MESSAGE)
    assert held_back.measured()

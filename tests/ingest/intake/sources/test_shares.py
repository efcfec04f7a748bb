"""Each gateway has its share of intake, whatever the others send; what is beyond it is counted, and is one long gap."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import pytest

from ingest.intake.sources.shares import MESSAGE, UNKNOWN_GATEWAYS, Shares
from ingest.intake.wire.topics import frame_topic, status_topic
from tests.movable_clock import MovableClock

LOUD: Final = ("p", "loud")
CALM: Final = ("p", "calm")
MB: Final = 1 << 20
RATE: Final = 1.0
BURST: Final = 4.0


class Bench:
    """Shares of two known gateways, with a clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.clock = MovableClock(0)
        self.known = {LOUD, CALM}
        self.shares = Shares(RATE, BURST, lambda: self.known, now=self.clock.seconds)

    def flood(self, seconds: int, a_second: int, size: int, who: tuple[str, str] = LOUD) -> list[bool]:
        """So many messages a second; which of them were read."""
        read = []
        for _ in range(seconds):
            read += [self.shares.admit(frame_topic(*who), size) for _ in range(a_second)]
            self.clock.pass_s(1)
        return read


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize(("a_second", "size"), [(20, MB), (5_000, 10), (2_000, 2_000)])
def test_a_flood_is_read_at_its_rate_and_no_more(bench: Bench, a_second: int, size: int) -> None:
    """Large and tiny messages alike: each has a price besides its bytes."""
    seconds = 60
    read = sum(bench.flood(seconds, a_second, size))
    paid = read * (size + MESSAGE) / MB
    assert BURST + 0.5 * RATE * seconds <= paid <= BURST + RATE * seconds
    assert bench.shares.take_throttled() == [(LOUD, seconds * a_second - read, (seconds * a_second - read) * size)]
    assert bench.shares.take_throttled() == [], "told once"


def test_who_keeps_to_its_share_is_always_read_beside_any_flood(bench: Bench) -> None:
    for _ in range(120):
        bench.flood(1, 50, MB)
        bench.flood(1, 50, MB, ("nobody", "knows"))
        assert all(bench.flood(1, 10, 20_000, CALM))
    assert {who for who, *_ in bench.shares.take_throttled()} == {LOUD, UNKNOWN_GATEWAYS}


def test_what_is_not_read_is_few_long_gaps(bench: Bench) -> None:
    """A position lists 512 gaps at most: a good frame in between them, again and again, would use them up."""
    read = bench.flood(3600, 1_000, 1_024)
    gaps = sum(not taken for taken, _ in groupby(read))
    assert gaps <= 3600 * RATE / (BURST / 2) + 1
    assert sum(read) * (1_024 + MESSAGE) >= 0.9 * RATE * 3600 * MB, "and nothing of its rate is wasted"


def test_a_status_comes_through_beside_the_frames_of_its_own_gateway(bench: Bench) -> None:
    bench.flood(1, 50, MB)
    assert not bench.shares.admit(frame_topic(*LOUD), 10)
    assert bench.shares.admit(status_topic(*LOUD), 10)


def test_strangers_have_one_share_however_many_names_they_take(bench: Bench) -> None:
    read = [bench.shares.admit(frame_topic("p", f"made-up-{number}"), MB) for number in range(50)]
    assert sum(read) <= BURST
    assert [who for who, *_ in bench.shares.take_throttled()] == [UNKNOWN_GATEWAYS]


def test_a_gateway_that_comes_into_a_plant_file_leaves_the_strangers(bench: Bench) -> None:
    new = ("p", "new")
    bench.flood(1, 50, MB, new)
    assert not bench.shares.admit(frame_topic(*new), 10)
    bench.known = {LOUD, CALM, new}
    assert bench.shares.admit(frame_topic(*new), 10)
    bench.known = {LOUD, CALM}
    assert not bench.shares.admit(frame_topic(*new), 10)


def test_what_costs_more_than_its_bytes_is_charged_but_never_for_longer_than_a_burst_takes(bench: Bench) -> None:
    assert bench.shares.admit(frame_topic(*LOUD), 10)
    bench.shares.charge(LOUD, 1_000 * MB)
    assert not bench.shares.admit(frame_topic(*LOUD), 10)
    assert bench.shares.admit(frame_topic(*CALM), 10)
    bench.clock.pass_s(int(BURST / RATE))
    assert bench.shares.admit(frame_topic(*LOUD), 10)

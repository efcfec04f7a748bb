"""No reading passes for another of its point because both bear one time."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ingest.domain.model.batch import Batch
from ingest.domain.quality.distinct_times import DistinctTimes

MS = 10**6


def batch(*rows: tuple[int, int, float]) -> Batch:
    """Readings (point, time in ms, value)."""
    point, time, value = zip(*rows, strict=True)
    received = np.zeros(len(rows), np.int64)
    return Batch(
        np.array(point, np.int32), np.array(time) * MS, np.array(value, float), np.zeros(len(rows), np.uint16), received
    )


def plain(batches: list[Batch]) -> list[list[int]]:
    """The same with a loop."""
    newest: dict[int, tuple[int, float]] = {}
    taken = []
    for frame_batch in batches:
        before: dict[int, tuple[int, float]] = {}
        times = []
        for point, sent, value in zip(
            frame_batch.point.tolist(), frame_batch.time.tolist(), frame_batch.value.tolist(), strict=True
        ):
            time, known = sent, before.get(point) or newest.get(point)
            if known is not None and 0 <= known[0] - sent < MS:
                same = value == known[1] or (np.isnan(value) and np.isnan(known[1]))
                time = known[0] if same else known[0] + 1
            before[point] = time, value
            times.append(time)
        for point, last in before.items():
            if point not in newest or last[0] >= newest[point][0]:
                newest[point] = last
        taken.append(times)
    return taken


def test_a_device_that_stamps_whole_seconds_and_sends_faster_keeps_every_reading() -> None:
    apart = DistinctTimes()
    first = apart(batch((7, 1000, 1.0), (7, 1000, 2.0), (8, 1000, 2.0), (7, 1000, np.nan)))
    second = apart(batch((7, 1000, 3.0), (7, 2000, 3.0)))
    assert (first.time - 1000 * MS).tolist() == [0, 1, 0, 2]
    assert (second.time - 1000 * MS).tolist() == [3, 1000 * MS]


def test_a_reading_sent_again_is_the_same_reading() -> None:
    apart = DistinctTimes()
    for _ in range(3):
        assert apart(batch((7, 1000, 1.0), (7, 1000, 1.0))).time.tolist() == [1000 * MS] * 2


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_a_plain_loop_makes_of_any_order(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a history, no secret
    batches = [
        batch(
            *(
                (chance.randrange(4), chance.randrange(5), float(chance.randrange(3)))
                for _ in range(chance.randint(1, 30))
            )
        )
        for _ in range(20)
    ]
    apart = DistinctTimes()
    assert [apart(frame_batch).time.tolist() for frame_batch in batches] == plain(batches)


@pytest.mark.parametrize("seed", range(20))
def test_frames_that_are_known_to_be_in_order_are_kept_as_the_plain_loop_keeps_them(seed: int) -> None:
    """Whole frames of two gateways, some of which begin before the end of the one before; noted together or at once."""
    chance = random.Random(seed)  # noqa: S311  a history, no secret
    apart, clock, batches, kept = DistinctTimes(), {0: 0, 1: 0}, [], []
    for at in range(200):
        if at == 120:  # points of the one are the other's from now on
            apart.set_gateways("another configuration")
            clock[0] = clock[1] = min(clock.values())
        gateway, rows, in_order = chance.randrange(2), [], True
        for _ in range(chance.randint(1, 3)):
            first = max(clock[gateway] + chance.choice([1, 1, 1, 1, 1, 0, -1]), 0)
            times = range(first, first + chance.randint(1, 3))
            who = ("p", f"g{gateway}")
            in_order &= apart.in_order(who, times[0] * MS, times[-1] * MS)
            clock[gateway] = max(clock[gateway], times[-1])
            pair = gateway if at < 120 else 1 - gateway
            rows += [(2 * pair + point, time, float(chance.randrange(3))) for time in times for point in (0, 1)]
        batches.append(batch(*rows))
        kept.append(apart(batches[-1], in_order=in_order).time.tolist())
    assert kept == plain(batches)


def test_what_came_in_order_is_remembered_however_much_of_it_there_was() -> None:
    apart = DistinctTimes()
    for at in range(3_000):
        whole = batch(*((point, at, float(at)) for point in range(10)))
        assert apart(whole, in_order=apart.in_order(("p", "g"), at * MS, at * MS)).time.tolist() == whole.time.tolist()
    again = batch((3, 2_999, 7.0), (4, 2_999, 2_999.0), (5, 2_998, 7.0))
    assert not apart.in_order(("p", "g"), 2_998 * MS, 2_999 * MS)
    assert (apart(again).time - [2_999 * MS, 2_999 * MS, 2_998 * MS]).tolist() == [1, 0, 0]

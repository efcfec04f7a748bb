"""No reading passes for another of its point because both bear one time."""

from __future__ import annotations

import random

import numpy as np
import pytest

from ingest.model.batch import Batch
from ingest.quality.moments_apart import MomentsApart

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
    told = []
    for one in batches:
        before: dict[int, tuple[int, float]] = {}
        times = []
        for point, sent, value in zip(one.point.tolist(), one.time.tolist(), one.value.tolist(), strict=True):
            time, known = sent, before.get(point) or newest.get(point)
            if known is not None and 0 <= known[0] - sent < MS:
                same = value == known[1] or (np.isnan(value) and np.isnan(known[1]))
                time = known[0] if same else known[0] + 1
            before[point] = time, value
            times.append(time)
        for point, last in before.items():
            if point not in newest or last[0] >= newest[point][0]:
                newest[point] = last
        told.append(times)
    return told


def test_a_device_that_stamps_whole_seconds_and_sends_faster_keeps_every_reading() -> None:
    apart = MomentsApart()
    first = apart(batch((7, 1000, 1.0), (7, 1000, 2.0), (8, 1000, 2.0), (7, 1000, np.nan)))
    second = apart(batch((7, 1000, 3.0), (7, 2000, 3.0)))
    assert (first.time - 1000 * MS).tolist() == [0, 1, 0, 2]
    assert (second.time - 1000 * MS).tolist() == [3, 1000 * MS]


def test_a_reading_that_is_told_again_is_no_other() -> None:
    apart = MomentsApart()
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
    apart = MomentsApart()
    assert [apart(one).time.tolist() for one in batches] == plain(batches)

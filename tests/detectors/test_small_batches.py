"""What a lone frame costs does not depend on how much else there is in the plants."""

from __future__ import annotations

import tracemalloc
from itertools import islice

import numpy as np

from benchmarks.detectors import frames
from benchmarks.park import SECOND, bank, park

START = 1_700_000_000 * SECOND


def most_taken(points: int, *, empty: bool = False) -> int:
    """The most memory, bytes, that judging a frame of twenty readings takes for the moment, in a park of some size.

    Work on arrays shows as memory taken for their results, on a loaded machine too. Some points are silent, some stand
    in alarm. The one look at everybody's silence in a while is not meant: half of the frames take no more than this.
    """
    of = park(points)
    judge, random = bank(of), np.random.default_rng(1)
    for second in range(3):
        judge.update(of.stream(1, START + second * SECOND, random), START + second * SECOND)
    taken = []
    tracemalloc.start()
    try:
        nothing = of.stream(0, START, random)
        for frame, now in islice(frames(of, START + 200 * SECOND, random), 60):
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            judge.update(nothing if empty else frame, now)
            taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return int(np.median(taken))


def test_a_frame_takes_no_more_work_among_many_points_than_among_few() -> None:
    assert most_taken(4000) <= 1.5 * most_taken(400)


def test_a_turn_without_readings_at_which_nothing_is_due_takes_nothing() -> None:
    assert most_taken(4000, empty=True) <= 4096

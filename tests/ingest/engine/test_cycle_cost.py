"""What one cycle of the engine costs does not depend on how many points it knows."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cycle import SECOND, WARM_S, Park


def most_taken(park: Park, frames: int) -> int:
    """The most memory, bytes, that a cycle over so many frames takes for the moment; 0 frames: time alone goes on.

    Work on arrays shows as memory taken for their results, on a loaded machine too. The one look at everybody's silence
    in a while is not meant: half of the cycles take no more than this.
    """
    taken = list[int]()
    tracemalloc.start()
    try:
        for _ in range(21):
            if frames:
                park.send(frames)
            else:
                park.now += SECOND // 100
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            park.run_cycle()
            taken.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    return int(np.median(taken))


MEET = 48_000_000 * 37_500_000_000
"""When the buckets of a trend over ten minutes meet, ns: each point's first reading after it closes one."""


@pytest.mark.parametrize(
    ("after_s", "frames"), [(10, (1, 5, 0)), (0, (1,))], ids=["no bucket closes", "every reading closes one"]
)
def test_a_cycle_takes_no_more_work_among_many_points_than_among_few(
    tmp_path: Path, after_s: int, frames: tuple[int, ...]
) -> None:
    """Of no frame, of one and of five, by an engine that knows 420 points and one that knows 10,500."""
    taken = []
    for gateways in (20, 500):
        folder = tmp_path / str(gateways)
        folder.mkdir()
        park = Park(folder, gateways, MEET + (after_s - WARM_S) * SECOND)
        taken.append([most_taken(park, many) for many in frames])
        park.close()
    for few, many in zip(*taken, strict=True):
        assert many <= 1.1 * few + 512, taken

"""What comes together is judged together: the order of a frame's columns changes no verdict, of any kind of rule."""

from __future__ import annotations

from itertools import accumulate, pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import Bank, Derived, Readings
from detectors.registry import SCORERS
from tests.detectors.rule_tables import POINTS, SECOND, rule, rules_of, table
from tests.detectors.test_conformance import START, VALUES, listed
from tests.reference.plain import run_frames
from tests.reference.scores import SCORES

Frame = list[tuple[int, int, float]]
FRAMES = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 2, 3, 0, 40]), st.dictionaries(st.integers(0, POINTS - 1), VALUES, min_size=1)
    ),
    max_size=30,
)


def frames_of(drawn: list[tuple[int, dict[int, float]]], order: Random) -> list[Frame]:
    """Frames that come one after another, the columns of each in an order of its own."""
    times = accumulate(step for step, _ in drawn)
    made = [
        [(point, START + time * SECOND, value) for point, value in frame.items()]
        for time, (_, frame) in zip(times, drawn, strict=True)
    ]
    for frame in made:
        order.shuffle(frame)
    return made


def arriving(frames: list[Frame], since: int) -> Readings:
    """Frames, each with an arrival of its own."""
    rows = [(*reading, START + since + number) for number, frame in enumerate(frames) for reading in frame]
    point, time, value, received = (np.array([row[column] for row in rows]) for column in range(4))
    carrier = point.astype(np.int32)
    return Readings(carrier, time.astype(np.int64), value.astype(np.float64), received.astype(np.int64), carrier)


@pytest.mark.parametrize("kind", list(SCORERS))
@settings(max_examples=25)
@given(drawn=FRAMES, seed=st.integers(0, 9), cut=st.integers(0, 30))
def test_the_order_of_columns_changes_no_verdict(
    kind: str, drawn: list[tuple[int, dict[int, float]]], seed: int, cut: int
) -> None:
    frames = frames_of(drawn, Random(seed))  # noqa: S311  the same orders every time
    expected = run_frames(rules_of(kind), frames, SCORES)
    for edges in ([0, min(cut, len(frames))], [*range(len(frames))]):
        bank, found = Bank({kind: table(rules_of(kind))}), list[tuple[int, bool, int, int]]()
        for begin, end in pairwise([*edges, len(frames)]):
            found += listed(bank.update(arriving(frames[begin:end], begin), START))
        assert sorted(found, key=lambda f: (f[2], f[1], f[0])) == expected


@pytest.mark.parametrize("seed", range(4))
def test_what_is_derived_from_a_frame_is_derived_from_all_of_it(seed: int) -> None:
    """A difference of two columns is that of the frame's own values, whichever comes first, in batches of any size."""
    order, values = Random(seed), [(30.0, 20.0), (50.0, 40.0), (20.0, 10.0), (60.0, 45.0)]  # noqa: S311
    frames = [[(0, START + n * SECOND, a), (1, START + n * SECOND, b)] for n, (a, b) in enumerate(values)]
    for frame in frames:
        order.shuffle(frame)
    for size in (1, 2, 4):
        rise = Derived("rise", "A - B", (0, 1), (0,), 2)
        bank = Bank({"limit": table([rule("limit", 0, 2, 15.0, side=1.0)])}, [rise])
        found = [listed(bank.update(arriving(frames[at : at + size], at), START)) for at in range(0, 4, size)]
        assert [f for part in found for f in part] == [(0, True, START + 3 * SECOND, START + 3 * SECOND)]

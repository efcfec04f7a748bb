"""A boot's sequence state: which frames are accepted, which are requested, and that its size is bounded."""

from __future__ import annotations

import random

import pytest

from ingest.storage.journal.sequence_state import GAPS, Gap, SequenceState


@pytest.mark.parametrize("reach", [30, 1 << 61])
def test_it_says_of_each_frame_whether_it_is_on_disk_for_any_order_of_arrival(reach: int) -> None:
    """Against a plain set of what came."""
    dice = random.Random(reach)  # noqa: S311
    for _ in range(50):
        position, came = SequenceState(), set[int]()
        for _ in range(60):
            seq = dice.choice([dice.randint(1, reach), position.committed + 1, max(position.committed - 3, 1)])
            after = position.accept(seq)
            assert (after is None) == (seq in came)
            position = after or position
            came.add(seq)
            if dice.random() < 0.1:
                position = position.give_up(dice.choices(position.missing, k=2) if position.missing else ())
            gaps = sorted((*position.missing, *position.lost))
            known = {seq for seq in came if not any(gap.first <= seq <= gap.last for gap in gaps)}
            assert known == came
            assert sum(gap.last - gap.first + 1 for gap in gaps) == position.committed - len(came)


def test_a_wild_counter_makes_it_no_larger_than_its_bound_and_nothing_that_was_taken_is_taken_again() -> None:
    position, given_up = SequenceState(), 0
    for number in range(1, 3 * GAPS):
        after = position.accept(4 * 10**18 + 2 * number)
        assert after is not None
        beyond = after.beyond()
        given_up += len(beyond)
        position = after.give_up(beyond)
        assert len(position.missing) <= GAPS
        assert len(position.lost) <= GAPS
        assert position.accept(4 * 10**18 + 2) is None
    assert given_up == 2 * GAPS - 1
    assert sum(gap.frames for gap in (*position.missing, *position.lost)) < 2 * GAPS + 10**9


def test_a_jump_counts_for_no_more_than_is_believable() -> None:
    assert Gap(1, 4 * 10**18).frames == 10**9

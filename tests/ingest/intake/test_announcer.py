"""Where not all gaps find room in one message, who closes none of those named holds up the rest for a minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from ingest.intake.announcer import PATIENCE_S, Announcer
from ingest.intake.wire.chunks import fitting
from ingest.intake.wire.frame import Committed
from ingest.storage.journal.sequence_state import Gap, SequenceState
from tests.movable_clock import MovableClock

KEY: Final = ("p", "g", "b")
GAPS: Final = tuple(Gap(seq, seq) for seq in range(1, 41, 2))


class Bench:
    """One boot with twenty gaps, a broker that takes some sixty bytes, and a clock that tests move."""

    def __init__(self) -> None:
        self.clock = MovableClock()
        self.most = 60
        self.announced: Committed | None = None
        self.announcer = Announcer(self.announce, self.clock.seconds)
        self.position = SequenceState(40, GAPS)

    def announce(self, sequences: Sequence[tuple[str, str, Committed]]) -> Sequence[Committed | None]:
        for *_, committed in sequences:
            self.announced = fitting(committed, self.most)
        return [self.announced]

    def announce_pending(self) -> None:
        """The gateway connects, or something of it came."""
        self.announcer.mark_due([KEY], at_once=True)
        self.announcer.send({KEY: self.position})

    def named(self) -> tuple[Gap, ...]:
        """The gaps that are in the message the gateway has."""
        assert self.announced is not None
        return tuple(Gap(*gap) for gap in self.announced.missing)

    def in_the_way(self) -> tuple[Gap, ...]:
        return self.announcer.blocking_gaps(KEY, self.position)


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.announce_pending()
    assert 0 < len(bench.named()) < len(GAPS)
    return bench


def test_gaps_that_nobody_begins_to_close_within_a_minute_are_in_the_way_of_the_rest(bench: Bench) -> None:
    bench.clock.pass_s(PATIENCE_S - 1)
    assert bench.in_the_way() == ()
    bench.clock.pass_s(1)
    assert bench.in_the_way() == bench.named()


def test_connecting_again_with_new_frames_begins_no_new_minute(bench: Bench) -> None:
    """A gateway that connects again and again, and sends new frames only."""
    for _ in range(4):
        bench.clock.pass_s(PATIENCE_S / 4)
        bench.position = SequenceState(bench.position.committed + 1, GAPS)
        bench.announce_pending()
    assert bench.in_the_way() == bench.named()


def test_one_frame_of_them_is_a_sign_of_life_and_begins_a_new_minute(bench: Bench) -> None:
    for seq in (1, 3, 5):
        bench.clock.pass_s(PATIENCE_S - 1)
        assert bench.in_the_way() == ()
        filled = bench.position.accept(seq)
        assert filled is not None
        bench.position = filled
        bench.announce_pending()
    bench.clock.pass_s(PATIENCE_S)
    assert bench.in_the_way() == bench.named()


def test_once_they_are_given_up_the_next_have_a_minute_of_their_own(bench: Bench) -> None:
    """Until all were asked for, each for so long."""
    asked = list[Gap]()
    while bench.position.missing:
        bench.announce_pending()
        asked += bench.named()
        bench.clock.pass_s(PATIENCE_S - 1)
        assert bench.in_the_way() == ()
        bench.clock.pass_s(1)
        bench.position = bench.position.give_up(bench.in_the_way() or bench.position.missing)
    assert tuple(asked) == GAPS


def test_nothing_is_in_the_way_where_everything_finds_room(bench: Bench) -> None:
    """The broker that is connected to next takes more."""
    bench.clock.pass_s(PATIENCE_S)
    bench.most = 10_000
    bench.announce_pending()
    assert bench.named() == GAPS
    bench.clock.pass_s(10 * PATIENCE_S)
    assert bench.in_the_way() == ()


def test_what_is_due_waits_a_little_for_the_next_commit_and_goes_with_it_as_soon_as_it_may(bench: Bench) -> None:
    """So that no thread is woken for it alone; a first announcement does not wait."""
    for _ in range(3):
        bench.announcer.mark_due([KEY])
        first, bench.announced = bench.announcer.due_s(), None
        bench.announcer.send({KEY: bench.position})
        assert bench.announced is None, "told again at once"
        bench.clock.pass_s(first - 0.04)
        bench.announcer.send({KEY: bench.position})
        assert bench.named()
    bench.clock.pass_s(1)
    bench.announcer.mark_due([KEY])
    assert bench.announcer.due_s() == 0

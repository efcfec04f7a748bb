"""A gateway's clock may be set as it likes: what is kept goes on, near the arrivals, in the device's own spacing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.quality.clock import HALF, SLACK, SPACING, GatewayClock, keep_time
from ingest.domain.quality.reference import Reference

SECOND = 10**9
HOUR = 3600 * SECOND
YEAR = 365 * 24 * HOUR
TOLERANCE = 60 * SECOND
START = 1_763_884_800 * SECOND


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame: its device times, when it was really made, and when it arrived."""

    first: int
    newest: int
    made: int
    received: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A frame with what was known before and after it."""

    sent: Sent
    before: GatewayClock | None
    after: GatewayClock

    @property
    def first(self) -> int:
        return self.sent.first + self.after.shift

    @property
    def newest(self) -> int:
        return self.sent.newest + self.after.shift


@dataclass(frozen=True, slots=True)
class Gateway:
    """Sends a frame of `rows` readings a second apart, every `rows` seconds, unless it is cut off: then later, all."""

    rows: int
    drift_ppm: int
    seed: int
    jitter: int = SECOND // 5

    def frames(self, offsets: Sequence[int], cut_off: range = range(0)) -> Iterator[Sent]:
        """One frame an offset of its clock; those in `cut_off` arrive at its end."""
        chance = random.Random(self.seed)  # noqa: S311  no secret
        arrived = 0
        for at, offset in enumerate(offsets):
            made = START + (at + 1) * self.rows * SECOND
            newest = made + (made - START) * self.drift_ppm // 10**6 + offset
            sent = max(made, START + cut_off.stop * self.rows * SECOND) if at in cut_off else made
            arrived = max(arrived + 1, sent + chance.randrange(self.jitter))
            yield Sent(newest - (self.rows - 1) * SECOND, newest, made, arrived)


def keep(frames: Iterator[Sent], reference: Reference = Reference()) -> list[Kept]:  # noqa: B008  immutable
    kept: list[Kept] = []
    clock = None
    for sent in frames:
        before, clock = clock, keep_time(clock, sent.first, sent.newest, sent.received, TOLERANCE, reference)
        kept.append(Kept(sent, before, clock))
    return kept


def offsets_of(steps: Sequence[tuple[int, int]], settle: int) -> list[int]:
    """So many frames, then the clock set by so much; at last set right for `settle` frames."""
    offsets, offset = [0], 0
    for frames, step in steps:
        offsets += [offset] * frames
        offset += step
        offsets.append(offset)
    return offsets + [0] * settle


gateways = st.builds(Gateway, st.sampled_from([1, 2, 5, 60]), st.integers(-50, 50), st.integers(0, 2**32))
sizes = st.one_of(
    st.integers(SECOND, TOLERANCE), st.integers(TOLERANCE, 2 * HOUR), st.sampled_from([24 * HOUR, YEAR, 10 * YEAR])
)
steps = st.lists(st.tuples(st.integers(0, 30), st.builds(int.__mul__, sizes, st.sampled_from([1, -1]))), max_size=12)


def forward(steps: Sequence[tuple[int, int]]) -> int:
    """How far steps that are each within tolerance may carry a clock ahead, by way of those back included."""
    return sum(abs(step) for _, step in steps if abs(step) <= TOLERANCE + SECOND)


@given(gateways, steps)
def test_what_is_kept_always_goes_on(gateway: Gateway, steps: list[tuple[int, int]]) -> None:
    """However a clock is set, no frame of a connected gateway is late."""
    kept = keep(gateway.frames(offsets_of(steps, 20)))
    for frame in kept[1:]:
        assert frame.before is not None
        assert frame.first > frame.before.judged
        assert frame.after.judged == frame.newest


@given(gateways, steps)
def test_what_is_kept_stays_near_its_arrival(gateway: Gateway, steps: list[tuple[int, int]]) -> None:
    """Neither in the future nor in the past, by more than the tolerance and steps within it."""
    kept = keep(gateway.frames(offsets_of(steps, 20)))
    witnessed = keep(gateway.frames(offsets_of(steps, 20)), Reference(0, witnessed=True))
    assert all(frame.newest - frame.sent.received <= TOLERANCE + 2 * SECOND for frame in witnessed)
    off = TOLERANCE + forward(steps) + 2 * SECOND
    for frame in kept:
        assert -off <= frame.newest - frame.sent.received <= off


@given(gateways, steps)
def test_a_clock_that_is_right_again_is_believed_again(gateway: Gateway, steps: list[tuple[int, int]]) -> None:
    """The shift goes away, and takes as long as its size asks for: a tenth of the time between frames."""
    most = (TOLERANCE + forward(steps) + 2 * SECOND) * 12 // SECOND
    kept = keep(gateway.frames(offsets_of(steps, most)))
    if abs(gateway.drift_ppm) * len(kept) * gateway.rows < TOLERANCE // 1000:
        assert kept[-1].after.shift == 0


@given(gateways, steps)
def test_rates_are_off_by_a_tenth_at_most_but_across_a_step(gateway: Gateway, steps: list[tuple[int, int]]) -> None:
    """Beside a gateway whose clock is right. What is held at the tolerance follows the arrivals as they jitter."""
    offsets = offsets_of(steps, 100)
    kept = keep(gateway.frames(offsets), Reference(0, witnessed=True))
    for at, frame in enumerate(kept[1:], 1):
        assert frame.before is not None
        if offsets[at] == offsets[at - 1]:
            passed = frame.sent.first - frame.before.device
            assert abs(frame.first - frame.before.judged - passed) <= passed // 10 + gateway.jitter


@given(gateways, st.integers(1, 300), st.integers(-50, 50))
def test_what_was_kept_back_comes_under_its_own_times(gateway: Gateway, length: int, start_s: int) -> None:
    """Oldest first after an outage: no shift, however old it is."""
    kept = keep(gateway.frames([start_s * SECOND] * (length + 60), range(10, 10 + length)))
    assert not any(frame.after.shift for frame in kept)


@given(gateways, st.integers(2, 300), st.data())
def test_a_glitch_among_what_was_kept_back_moves_nothing_else(
    gateway: Gateway, length: int, data: st.DataObject
) -> None:
    """One frame of another century: those behind it come under their own times, however late they are."""
    at = 10 + data.draw(st.integers(0, length - 1))
    offsets = [0] * (10 + length + 60)
    offsets[at] = data.draw(st.integers(24 * HOUR, 50 * YEAR))  # longer than any outage here
    kept = keep(gateway.frames(offsets, range(10, 10 + length)))
    assert [frame.after.shift for frame in kept[:at]] == [0] * at
    assert [frame.after.shift for frame in kept[at + 1 :]] == [0] * (len(kept) - at - 1)


@given(gateways, st.integers(2, 200), st.data())
def test_a_clock_set_during_an_outage(gateway: Gateway, length: int, data: st.DataObject) -> None:
    """The rest of what was kept back follows on, and never runs further ahead than the step."""
    at = data.draw(st.integers(1, length - 1))
    step = data.draw(st.integers(-2 * HOUR, -2 * SECOND).filter(lambda s: s < -2 * gateway.rows * SECOND))
    offsets = [0] * (10 + at) + [step] * (length + 60)
    kept = keep(gateway.frames(offsets, range(10, 10 + length)))
    for frame in kept[1:]:
        assert frame.before is not None
        assert frame.first > frame.before.judged
        assert frame.newest <= frame.sent.received + TOLERANCE
    assert kept[-1].newest >= kept[-1].sent.made - length * gateway.rows * SECOND - TOLERANCE


@given(gateways, st.integers(-HOUR, TOLERANCE - SECOND) | st.integers(TOLERANCE + SECOND, HOUR))
def test_a_clock_that_is_only_wrong_is_followed(gateway: Gateway, offset: int) -> None:
    """Without a step the shift stays: none for one that is behind; for one that is ahead that of its first frame."""
    kept = keep(gateway.frames([offset] * 50))
    shifts = {frame.after.shift for frame in kept}
    assert len(shifts) == 1
    assert (0 in shifts) == (offset < TOLERANCE)
    assert abs(kept[-1].after.offset - offset) <= SECOND // 2


def test_a_delay_is_no_step() -> None:
    """Frames held up on their way, then all at once: nothing is shifted."""
    late = [0, 0, 30, 29, 28, 0, 0, 59, 58]
    clock = None
    for at, delay in enumerate(late):
        time = START + at * SECOND
        clock = keep_time(clock, time, time, time + delay * SECOND, TOLERANCE)
        assert clock.shift == 0


def test_frames_that_overlap_are_no_step() -> None:
    """Two groups of points, each in frames of its own that end at the same time: nothing is shifted, for ever."""
    clock = None
    for at in range(1, 500):
        time = START + at * SECOND
        clock = keep_time(clock, time, time, time + 10**8, TOLERANCE)
        if at % 10 == 0:
            clock = keep_time(clock, time - 9 * SECOND, time, time + 2 * 10**8, TOLERANCE)
        assert (clock.shift, clock.judged) == (0, time)


def test_a_step_of_a_second_is_seen() -> None:
    """One reading a second, set back by one: the same device time comes twice, a second apart."""
    clock = keep_time(None, START, START, START, TOLERANCE)
    clock = keep_time(clock, START, START, START + SECOND, TOLERANCE)
    assert clock.judged == START + SPACING
    same_moment = keep_time(clock, START, START, START + SECOND + SLACK, TOLERANCE)
    assert same_moment.judged == clock.judged + (same_moment.shift - clock.shift)


def test_the_offset_is_the_least_delayed_of_the_last_minute() -> None:
    """A slow frame does not make a clock seem behind; a good one is forgotten after a minute."""
    clock = keep_time(None, START, START, START, TOLERANCE)
    for at in range(1, 200):
        time = START + at * SECOND
        clock = keep_time(clock, time, time, time + 5 * SECOND, TOLERANCE)
        if at < 30:
            assert clock.offset == 0
        if at > 66:
            assert clock.offset == -5 * SECOND


def test_the_offset_after_a_step_is_the_new_one() -> None:
    clock = keep_time(None, START, START, START, TOLERANCE)
    clock = keep_time(clock, START - HOUR, START - HOUR, START + SECOND, TOLERANCE)
    assert clock.offset == -3601 * SECOND
    clock = keep_time(clock, START + 2 * SECOND, START + 2 * SECOND, START + 2 * SECOND, TOLERANCE)
    assert clock.offset == 0


def test_the_offset_after_silence_is_the_new_one() -> None:
    """Two windows without a frame: what was before says nothing now."""
    clock = keep_time(None, START, START, START, TOLERANCE)
    later = START + 3 * HALF
    clock = keep_time(clock, later - 9 * SECOND, later - 9 * SECOND, later, TOLERANCE)
    assert clock.offset == -9 * SECOND


@given(gateways, steps, st.integers(0, 40))
def test_a_restart_changes_nothing(gateway: Gateway, steps: list[tuple[int, int]], at: int) -> None:
    """What is known goes to a file and back whole."""
    frames = list(gateway.frames(offsets_of(steps, 40)))
    kept = keep(iter(frames))
    clock: GatewayClock | None = GatewayClock(*json.loads(json.dumps(msgspec.structs.astuple(kept[at].after))))
    for frame, expected in zip(frames[at + 1 :], kept[at + 1 :], strict=True):
        clock = keep_time(clock, frame.first, frame.newest, frame.received, TOLERANCE)
        assert clock == expected.after


@given(gateways, st.integers(-10 * YEAR, 10 * YEAR))
def test_of_arrivals_only_the_differences_count(gateway: Gateway, service: int) -> None:
    """A service whose own clock is wrong, steadily, takes no gateway that is known to it for one that was set."""
    frames = list(gateway.frames([0] * 50))
    clock = keep_time(None, frames[0].first, frames[0].newest, frames[0].received, TOLERANCE)
    clock = msgspec.structs.replace(clock, received=clock.received + service)
    for frame in frames[1:]:
        clock = keep_time(clock, frame.first, frame.newest, frame.received + service, TOLERANCE)
        assert clock.shift == 0


@pytest.mark.parametrize("offset", [1, -1])
def test_ten_years(offset: int) -> None:
    """Set by ten years and back a minute later: kept as if nothing had been."""
    offsets = [0] * 30 + [offset * 10 * YEAR] * 60 + [0] * 60
    kept = keep(Gateway(1, 0, 7).frames(offsets))
    assert max(abs(frame.newest - frame.sent.made) for frame in kept) < 2 * SECOND


@given(
    st.dictionaries(st.integers(1, 1199), st.integers(4 * SECOND, 100 * SECOND), max_size=6),
    st.sampled_from([SECOND // 10, SECOND]),
)
def test_a_backlog_that_stands_still_on_its_way_is_no_clock_behind(stalls: dict[int, int], spacing: int) -> None:
    """Sent on as fast as the line allows, but for some stalls: every reading keeps the time at which it was made."""
    arrived, frames = START, []
    for at in range(1200):
        arrived += stalls.get(at, SECOND // 500)
        made = START - 2 * HOUR + at * spacing
        frames.append(Sent(made, made, made, arrived))
    kept = keep(iter(frames), Reference(0, witnessed=True))
    assert {frame.after.shift for frame in kept} == {0}
    assert not any(frame.after.steady for frame in kept)

"""Corrects a gateway's wrong clock: its readings keep their order and spacing, near the time they were made.

The kept time of a frame is its device time plus one shift, so the spacing within a frame is always the device's own.
Nothing is kept later than its arrival by more than the tolerance. A clock that is ahead is detected at once, since no
delay makes a frame look newer. One that is behind looks like a gateway that sends stored readings: only a step back, or
readings that keep arriving as fast as they are made (`steady`), distinguish the two. Arrivals are in a frame of time in
which the service's own clock never steps; `ingest.domain.quality.reference` decides the time.
"""

from __future__ import annotations

from typing import Final

import msgspec

from ingest.domain.quality.reference import Reference

EARLIEST: Final = 946_684_800 * 10**9
"""2000-01-01, ns since the epoch: an earlier clock has not been set since it was switched on."""

LATEST: Final = 4_102_444_800 * 10**9
"""2100-01-01, ns since the epoch."""

SPACING: Final = 1_000_000
"""The least step by which the kept timeline advances, ns: one tick of the wire's times."""

SLACK: Final = 500_000_000
"""ns. Frames may overlap in time (two groups of points, each with its own frames): a frame that begins no later than
those before it shows a clock set back only if its newest time has also fallen behind the arrivals by more than this."""

SLEW: Final = 10
"""A shift that is no longer needed shrinks by 1/10 of the time between frames, so rates are off by at most 10 %."""

HALF: Final = 30 * 10**9
"""The offset is the greatest over the last one to two of these, ns: delay can only make a frame look older."""

PACE: Final = 10 * 10**9
"""Ns of arrivals over which an offset must stay the same to be a clock's and not a shrinking delay."""

WAVERS: Final = 10**9
"""Ns by which a constant offset may still vary: delays differ."""

LAGS: Final = 2 * 10**9
"""Ns by which a frame may lag behind the greatest offset and still confirm it. A later frame was held up on its way,
and so were those behind it: a stalled backlog must not look like a wrong clock."""


class GatewayClock(msgspec.Struct, frozen=True, gc=False):
    """The state of a gateway's clock after a frame. All ns; stored with `structs.astuple`.

    Attributes:
        device: newest device time, as sent.
        judged: newest time, as kept.
        received: arrival of the frame, in the service's steady frame of time.
        shift: what is added to the device times of this frame.
        since: arrival at which the present half of the offset's window began; a half after a steady one began with the
            last `PACE` of that.
        ahead: greatest `device time - arrival` since then.
        ahead_before: greatest in the half before; equal to `ahead` if there is none.
        held_up: arrival of the last frame that lagged by more than `LAGS` behind the greatest; 0 = none was seen.
    """

    device: int
    judged: int
    received: int
    shift: int
    since: int
    ahead: int
    ahead_before: int
    held_up: int = 0

    @property
    def offset(self) -> int:
        """How far the clock is ahead of the steady frame, ns; negative if behind, then by at least the least delay."""
        return max(self.ahead, self.ahead_before)

    @property
    def steady(self) -> bool:
        """Whether readings arrive as fast as they are made, so that the offset is the clock's and no delay."""
        passed = self.received - max(self.since, self.held_up)
        return passed >= PACE and abs(self.ahead - self.ahead_before) <= WAVERS


def keep_time(
    known: GatewayClock | None,
    first: int,
    newest: int,
    received: int,
    tolerance: int,
    reference: Reference = Reference(),  # noqa: B008  immutable
) -> GatewayClock:
    """Update a gateway's clock with one more frame; its `shift` corrects the frame's times.

    Only for a frame that is newer, by sequence, than everything of its gateway before, and not marked historical.

    >>> s = 10**9
    >>> now = EARLIEST
    >>> clock = keep_time(None, now, now, now, 60 * s)
    >>> clock = keep_time(clock, now + 3601 * s, now + 3601 * s, now + s, 60 * s)  # set forward by an hour
    >>> clock.shift // s, (clock.judged - now) // s, clock.offset // s
    (-3601, 0, 3600)
    >>> keep_time(clock, now + 2 * s, now + 2 * s, now + 2 * s, 60 * s).shift  # and right again
    0

    Args:
        known: the state after the frame before; None = the gateway's first.
        first: the frame's oldest device time, ns.
        newest: its newest device time, ns.
        received: its arrival in the steady frame, ns.
        tolerance: how far a device clock may be off, ns.
        reference: the trusted time.
    """
    ahead = newest - received
    off = ahead - reference.offset
    if known is None:
        shift = initial_shift(first, off, tolerance)
        return GatewayClock(newest, newest + shift, received, shift, received, ahead, ahead)
    passed, shift = received - known.received, known.shift
    set_back = first <= known.device and newest - known.device < passed - SLACK
    runs_ahead = off + shift > tolerance
    if set_back or (runs_ahead and newest - known.device - passed > tolerance):
        shift = _after_step(known, first, off, received + reference.offset, tolerance)
        return GatewayClock(newest, max(known.judged, newest + shift), received, shift, received, ahead, ahead)
    since, most, before = _offset(known, received, ahead)
    # Conditions where max() would read better: this runs for every frame, and a call costs three times as much.
    kept, device = newest + shift, known.device
    judged = known.judged if known.judged > kept else kept
    held_up = received if (most if most > before else before) - ahead > LAGS else known.held_up
    device = device if device > newest else newest
    clock = GatewayClock(device, judged, received, shift, since, most, before, held_up)
    if not shift and -tolerance <= off <= tolerance:
        return clock  # right, as nearly always
    corrected = _corrected(clock, known, (first, off), tolerance, reference)
    if corrected == shift:
        return clock
    return msgspec.structs.replace(clock, shift=corrected, judged=max(known.judged, newest + corrected))


def initial_shift(first: int, off: int, tolerance: int) -> int:
    """Return the shift of a first frame to the trusted time: 0 if its times may be right, however old.

    Args:
        first: the oldest of them, ns.
        off: how far the newest is ahead of the trusted time, ns.
        tolerance: ns.
    """
    return -off if off > tolerance or first < EARLIEST else 0


def _after_step(known: GatewayClock, first: int, off: int, arrival: int, tolerance: int) -> int:
    """Return the shift after a clock step: none for a clock that is or may be right, else one that keeps the old lag.

    It may be right if its times are after what was kept and before their arrival: a gateway that catches up after an
    outage, its clock corrected after a glitch. The lag is kept because such a gateway must not be shifted to now: what
    it still holds would follow, and run into the future.
    """
    lag = max(arrival - known.judged, 0)
    may_be_right = abs(off) <= tolerance or (off < 0 and first > known.judged)
    wanted = 0 if may_be_right else -off - lag
    return max(wanted, known.judged + SPACING - first)


def _corrected(
    clock: GatewayClock, known: GatewayClock, frame: tuple[int, int], tolerance: int, reference: Reference
) -> int:
    """Return the shift of a frame without a step. `frame`: its oldest device time, and how far it is off."""
    (first, off), shift = frame, clock.shift
    if not shift and not reference.witnessed:  # no step was ever seen: the service's clock may be the wrong one
        return 0
    if off + shift > tolerance:  # set by less than a step; or a delay was taken for its error, and shrinks
        return min(shift, max(tolerance - off, known.judged + SPACING - first))
    late = off + shift < -tolerance
    if abs(off) <= tolerance:  # the clock is right
        return 0 if late else _nearer_to_nothing(shift, max(first - known.device, 0) // SLEW)
    return reference.offset - clock.offset if late and clock.steady else shift


def _nearer_to_nothing(shift: int, most: int) -> int:
    return max(shift - most, 0) if shift > 0 else min(shift + most, 0)


def _offset(known: GatewayClock, received: int, ahead: int) -> tuple[int, int, int]:
    """Return the offset's window including one more frame: since, ahead, ahead_before."""
    age = received - known.since
    if 0 <= age < HALF:
        return known.since, known.ahead if known.ahead > ahead else ahead, known.ahead_before
    if not 0 <= age < 2 * HALF:
        return received, ahead, ahead
    steady = msgspec.structs.replace(known, received=received, ahead=max(known.ahead, ahead)).steady
    return received - PACE if steady else received, ahead, known.ahead

"""A gateway's clock that is set: its readings go on being judged in order, near their arrival, none of them squeezed.

The kept time of a frame is its device time plus one shift, so the spacing within a frame is always the device's own.
Arrivals are compared with each other only, in a frame of time in which the service's own clock never steps: a gateway
that is always ahead or behind, without a step, is judged by its own clock, and only its offset is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPACING: Final = 1_000_000
"""Where the kept timeline cannot go on otherwise it goes on by so much, ns: one tick of the wire's times."""

SLACK: Final = 500_000_000
"""ns. Frames may overlap in time (two groups of points, each with frames of its own): a frame that begins at or before
what was seen shows a clock set back only if its newest time has also fallen behind the arrivals by more than this."""

SLEW: Final = 10
"""A shift that is no longer needed goes by 1/10 of the time that passes between frames, so rates are off by 10 % at
most."""

HALF: Final = 30 * 10**9
"""The offset is the greatest of the last one to two of these, ns: delay can only make a frame look older."""


@dataclass(frozen=True, slots=True)
class GatewayClock:
    """What is known of a gateway's clock after a frame. All ns; `dataclasses.astuple` and back is the way to a file.

    Attributes:
        device: newest device time, as sent.
        judged: newest time, as kept.
        received: arrival of the frame, in the service's steady frame of time.
        shift: what is added to the device times of this frame.
        since: arrival at which the present half of the offset's window began.
        ahead: greatest `device time - arrival` since then.
        ahead_before: greatest in the half before; equal to `ahead` where there is none.
    """

    device: int
    judged: int
    received: int
    shift: int
    since: int
    ahead: int
    ahead_before: int

    @property
    def ahead_s(self) -> float:
        """How far the gateway's clock is ahead of the service's, s; behind: negative, by the least delay at least."""
        return max(self.ahead, self.ahead_before) / 1e9


def keep_time(known: GatewayClock | None, first: int, newest: int, received: int, tolerance: int) -> GatewayClock:
    """What is known after one more frame, and by what its times are to be shifted.

    Only for a frame that is newer, by sequence, than everything of its gateway before, and not marked historical.

    >>> s = 10**9
    >>> clock = keep_time(None, 100 * s, 100 * s, 100 * s, 60 * s)
    >>> clock = keep_time(clock, 3701 * s, 3701 * s, 101 * s, 60 * s)  # set forward by an hour
    >>> clock.shift // s, clock.judged // s, clock.ahead_s
    (-3600, 101, 3600.0)
    >>> keep_time(clock, 102 * s, 102 * s, 102 * s, 60 * s).shift  # and right again
    0

    Args:
        known: after the frame before; None = the gateway's first.
        first: the frame's oldest device time, ns.
        newest: its newest device time, ns.
        received: its arrival in the steady frame, ns.
        tolerance: how far a device clock may be off, ns.
    """
    ahead = newest - received
    if known is None:
        shift = -ahead if ahead > tolerance else 0
        return GatewayClock(newest, newest + shift, received, shift, received, ahead, ahead)
    passed = received - known.received
    set_back = first <= known.device and newest - known.device < passed - SLACK
    set_forward = ahead + known.shift > tolerance and newest - known.device - passed > tolerance
    if set_back or set_forward:
        shift = _after_step(known, first, ahead, tolerance)
        return GatewayClock(newest, max(known.judged, newest + shift), received, shift, received, ahead, ahead)
    shift = known.shift
    if shift and abs(ahead) <= tolerance:
        shift = _nearer_to_nothing(shift, max(first - known.device, 0) // SLEW)
    device, judged = max(known.device, newest), max(known.judged, newest + shift)
    return GatewayClock(device, judged, received, shift, *_offset(known, received, ahead))


def _after_step(known: GatewayClock, first: int, ahead: int, tolerance: int) -> int:
    """The shift that goes on behind what was kept: none for a clock that is right, else by the lag there was.

    The lag, because a gateway that catches up after an outage must not be taken to now: what it still holds would
    follow, and run into the future.
    """
    lag = max(known.received - known.judged, 0)
    wanted = 0 if abs(ahead) <= tolerance else -ahead - lag
    return max(wanted, known.judged + SPACING - first)


def _nearer_to_nothing(shift: int, most: int) -> int:
    return max(shift - most, 0) if shift > 0 else min(shift + most, 0)


def _offset(known: GatewayClock, received: int, ahead: int) -> tuple[int, int, int]:
    """The window of the offset with one more frame in it: since, ahead, ahead_before."""
    age = received - known.since
    if 0 <= age < HALF:
        return known.since, max(known.ahead, ahead), known.ahead_before
    before = known.ahead if 0 <= age < 2 * HALF else ahead
    return received, ahead, before

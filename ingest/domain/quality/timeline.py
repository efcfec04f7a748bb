"""A gateway's line of time over its starts: which frames go on with it, which are old, and when each reading was made.

A frame is cut where its clock was set while it was filled, and each part is kept as `ingest.domain.quality.clock` says:

- A part that goes on with the line moves it. So does a boot nobody has heard of if it is not clearly older.
- What is clearly older than the newest of its gateway is late, whatever boot it is of, and moves nothing. Only when the
  line has been silent for a while, and another boot sends as fast as it reads, is that one the gateway now, its clock
  set back.
- A new boot of now, by the shift there is, goes on with it too: a clock that is wrong stays so over a start.
- A line whose newest time lies far in the future is dropped: nothing could follow it.
- What is sent again or marked historical moves nothing either, and keeps its own times while they may be right.
- Times before the year 2000, and those ahead of the arrival, tell nothing: what bears them is kept near its arrival.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import Enum, auto
from itertools import pairwise
from typing import Final

import msgspec

from ingest.domain.model.flags import Flag
from ingest.domain.quality.clock import EARLIEST, LATEST, SPACING, GatewayClock, believed_shift, keep_time
from ingest.domain.quality.late import FAR
from ingest.domain.quality.reference import Reference

MS: Final = 1_000_000

GONE: Final = 25 * 10**9
"""A boot that was not heard for so long may have been followed by another, ns of arrivals: less than most points may be
silent, and more than lies between the frames of most gateways."""

JUMP: Final = 3600 * 10**9
"""A wrong clock with such a gap within one frame tells no spacing either, ns."""


class _Role(Enum):
    """What a frame is to its gateway's line."""

    LINE = auto()  # goes on with it
    RIVAL = auto()  # of another boot, and older
    OLD = auto()  # sent again, or historical


class TimeLine(msgspec.Struct, frozen=True, gc=False):
    """What is known of a gateway's time.

    Attributes:
        boot: the boot it is in.
        clock: its clock, as of its newest frame; None = not known.
        rival: another boot that was heard since, and its clock: not kept over a restart.
    """

    boot: str
    clock: GatewayClock | None = None
    rival: tuple[str, GatewayClock] | None = None


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """What places a frame in time.

    Attributes:
        boot: its boot.
        times: ms since the epoch as its device has them, increasing.
        received: its arrival in the steady frame, ns.
        newest: whether it is newer, by sequence, than all that came of its boot.
        first: whether its boot was never heard before.
        historical: whether its gateway says that it was recorded earlier.
    """

    boot: str
    times: Sequence[int]
    received: int
    newest: bool
    first: bool = False
    historical: bool = False


class Part(msgspec.Struct, frozen=True, gc=False):
    """Rows `start` up to before `end` of a frame: kept `shift` ns later than stamped, with these bits of `Flag`.

    Attributes:
        base: ms to take off the stamps before; not 0 where they may not fit the arithmetic.
        level: whether the stamps tell nothing and the rows follow each other by `SPACING` up to `base`.
    """

    start: int
    end: int
    shift: int
    flags: int
    base: int = 0
    level: bool = False

    def times(self, times: Sequence[int]) -> list[int]:
        """Their times in ms, to which `shift` is still to be added."""
        if self.level:
            return [*range(1 - self.end + self.start, 1)]
        return [time - self.base for time in times[self.start : self.end]]


def place(line: TimeLine | None, frame: Stamped, tolerance: int, reference: Reference) -> tuple[TimeLine, list[Part]]:
    """The line after the frame, and when its readings were made. At most three parts.

    Args:
        line: what is known; None = nothing.
        frame: the frame.
        tolerance: how far a device's clock may be off, ns.
        reference: which time is believed.
    """
    usual = _goes_on(line, frame, tolerance, reference)
    if usual is not None:
        return usual
    line = _without_future(line, frame, reference)
    role = _role(line, frame, tolerance, reference)
    clock = line.clock if line is not None else None
    if role is _Role.RIVAL and line is not None:
        line = msgspec.structs.replace(line, rival=_follow(line.rival, frame, tolerance, reference))
        if _takes_over(line):
            role, clock = _Role.LINE, _without_lag(line.clock, frame, reference)
    own = role is _Role.LINE
    most = frame.received + reference.offset + tolerance - (clock.shift if clock is not None and own else 0)
    parts = []
    for start, end in _cut(frame.times, most, tolerance):
        level, first, newest = _stamps(frame.times, start, end, most)
        before = clock.judged if clock is not None else 0
        if own:
            clock = keep_time(clock, first, newest, frame.received, tolerance, reference)
            shift = clock.shift
        else:
            shift = _still(line, frame, (first, newest), tolerance, reference)
        flags = (Flag.CLOCK if shift else 0) | (Flag.HISTORICAL if frame.historical else 0)
        if not frame.historical and newest + shift < before - tolerance:
            flags |= Flag.LATE
        if level or first < EARLIEST or newest >= LATEST:
            parts.append(Part(start, end, newest + shift, int(flags), newest // MS, level))
        else:
            parts.append(Part(start, end, shift, int(flags)))
    return TimeLine(frame.boot, clock) if own or line is None else line, parts


def _goes_on(
    line: TimeLine | None, frame: Stamped, tolerance: int, reference: Reference
) -> tuple[TimeLine, list[Part]] | None:
    """What the rules come to for nearly every frame, whose clock was right and still is; None if it is not such."""
    if line is None or line.clock is None or line.boot != frame.boot or frame.historical or not frame.newest:
        return None
    known, now = line.clock, frame.received + reference.offset
    first, newest = frame.times[0] * MS, frame.times[-1] * MS
    behind = known.judged - tolerance
    if known.shift or first < EARLIEST or not behind <= newest <= now + tolerance or now < behind or newest >= LATEST:
        return None
    clock = keep_time(known, first, newest, frame.received, tolerance, reference)
    return None if clock.shift else (TimeLine(frame.boot, clock), [Part(0, len(frame.times), 0, 0)])


def _without_future(line: TimeLine | None, frame: Stamped, reference: Reference) -> TimeLine | None:
    """The line; None if its newest time is far ahead of a frame that is new, and of the frame's arrival."""
    if line is None or line.clock is None or frame.historical or not frame.newest:
        return line
    now = max(frame.received + reference.offset, frame.times[-1] * MS)
    return line if line.clock.judged <= now + FAR else None


def _role(line: TimeLine | None, frame: Stamped, tolerance: int, reference: Reference) -> _Role:
    if frame.historical or not frame.newest:
        return _Role.OLD
    if line is None or line.clock is None or line.boot == frame.boot:
        return _Role.LINE
    newest, clock, now = frame.times[-1] * MS, line.clock, frame.received + reference.offset
    kept = newest + clock.shift  # if its clock is as wrong as its gateway's was
    goes_on = (newest if newest <= now + tolerance else kept) > clock.judged
    if not frame.first:
        return _Role.LINE if goes_on else _Role.RIVAL
    of_now = clock.judged < kept and abs(kept - now) <= tolerance
    # A clock that was not set since it was switched on tells of no order: a boot nobody knows is the newest.
    return _Role.LINE if goes_on or of_now or newest < EARLIEST else _Role.RIVAL


def _follow(
    rival: tuple[str, GatewayClock] | None, frame: Stamped, tolerance: int, reference: Reference
) -> tuple[str, GatewayClock]:
    """The other boot's own clock after this frame."""
    known = rival[1] if rival is not None and rival[0] == frame.boot else None
    first, newest = frame.times[0] * MS, frame.times[-1] * MS
    return frame.boot, keep_time(known, first, newest, frame.received, tolerance, reference)


def _takes_over(line: TimeLine) -> bool:
    """Whether the other boot is the gateway now: it sends as fast as it reads, and the line's has gone."""
    if line.clock is None or line.rival is None:
        return False
    rival = line.rival[1]
    return rival.steady and rival.received - line.clock.received >= GONE


def _without_lag(clock: GatewayClock | None, frame: Stamped, reference: Reference) -> GatewayClock | None:
    """The line as if it had gone on up to the frame: what is sent as it is read has no lag."""
    if clock is None:
        return None
    began = frame.received + reference.offset - (frame.times[-1] - frame.times[0]) * MS
    return msgspec.structs.replace(clock, judged=max(clock.judged, began - SPACING))


def _still(line: TimeLine | None, frame: Stamped, stamps: tuple[int, int], tolerance: int, reference: Reference) -> int:
    """The shift of what moves no clock: none for times that may be right, else its line's or that of arrival."""
    first, newest = stamps
    off = newest - frame.received - reference.offset
    shift = believed_shift(first, off, tolerance)
    if not shift or line is None or line.clock is None or (line.boot != frame.boot and first < EARLIEST):
        return shift
    ours = line.clock.shift
    return ours if off + ours <= tolerance and first + ours >= EARLIEST else shift


def _cut(times: Sequence[int], most: int, tolerance: int) -> list[tuple[int, int]]:
    """Rows (from, to) on one clock each: before it was set at all, then up to a jump beyond `most` (ns), the rest."""
    if times[0] * MS >= EARLIEST and times[-1] * MS <= most:
        return [(0, len(times))]
    unset = bisect_left(times, EARLIEST // MS)
    ahead = bisect_right(times, most // MS, lo=unset)
    jumps = (at for at in range(ahead, len(times)) if (times[at] - times[at - 1]) * MS > tolerance)
    cut = next(jumps, len(times)) if ahead > unset else len(times)
    edges = sorted({0, unset, cut, len(times)})
    return [*pairwise(edges)]


def _stamps(times: Sequence[int], start: int, end: int, most: int) -> tuple[bool, int, int]:
    """Whether rows tell no spacing, and the oldest and newest time of their clock, ns."""
    first, newest = times[start] * MS, times[end - 1] * MS
    if first >= EARLIEST and newest <= most:
        return False, first, newest
    if any((times[at] - times[at - 1]) * MS > JUMP for at in range(start + 1, end)):
        return True, newest - (end - start - 1) * SPACING, newest
    return False, first, newest

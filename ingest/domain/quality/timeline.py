"""Orders a gateway's frames in time over its boots: which continue its timeline, which are old, and their kept times.

A frame is cut where its clock was set while it was filled, and each part is corrected by `ingest.domain.quality.clock`:

- A part that continues the timeline advances it. So does an unknown boot unless it is clearly older.
- What is clearly older than the newest of its gateway is late, whatever its boot, and advances nothing. Only when the
  timeline's boot has been silent for a while and another boot sends as fast as it reads does that one take over, its
  clock set back.
- A new boot whose times are the present under the known shift continues it too: a wrong clock stays wrong over a start.
- A timeline whose newest time is far in the future is dropped: nothing could follow it.
- What is sent again or marked historical advances nothing either, and keeps its own times while they may be right.
- Times before the year 2000, and those ahead of the arrival, are wrong: such readings are kept near their arrival.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from enum import Enum, auto
from itertools import pairwise
from typing import Final

import msgspec

from ingest.domain.model.flags import Flag
from ingest.domain.quality.clock import EARLIEST, LATEST, SPACING, GatewayClock, initial_shift, keep_time
from ingest.domain.quality.late import FAR
from ingest.domain.quality.reference import Reference

MS: Final = 1_000_000

REPLACEABLE: Final = 25 * 10**9
"""A boot silent for this long may have been replaced by another, ns of arrivals: less than most points may be silent,
and more than the interval between the frames of most gateways."""

JUMP: Final = 3600 * 10**9
"""With such a gap within one frame, a wrong clock's spacing is meaningless too, ns."""


class _Role(Enum):
    """The role of a frame in its gateway's timeline."""

    LINE = auto()  # continues it
    RIVAL = auto()  # of another boot, and older
    OLD = auto()  # sent again, or historical


class TimeLine(msgspec.Struct, frozen=True, gc=False):
    """The timeline of a gateway.

    Attributes:
        boot: its present boot.
        clock: its clock, as of its newest frame; None = not known.
        rival: another boot that has sent since, and its clock: not kept over a restart.
    """

    boot: str
    clock: GatewayClock | None = None
    rival: tuple[str, GatewayClock] | None = None


class Stamped(msgspec.Struct, frozen=True, gc=False):
    """What decides a frame's place in time.

    Attributes:
        boot: its boot.
        times: ms since the epoch as its device has them, increasing.
        received: its arrival in the steady frame, ns.
        newest: whether it is newer, by sequence, than all frames of its boot so far.
        first: whether its boot is unknown so far.
        historical: whether its gateway marks it as recorded earlier.
    """

    boot: str
    times: Sequence[int]
    received: int
    newest: bool
    first: bool = False
    historical: bool = False


class Part(msgspec.Struct, frozen=True, gc=False):
    """Rows `start` to `end` (exclusive) of a frame: kept `shift` ns later than stamped, with these bits of `Flag`.

    Attributes:
        base: ms to subtract from the stamps first; not 0 where they may overflow.
        level: whether the stamps are meaningless and the rows are `SPACING` apart up to `base`.
    """

    start: int
    end: int
    shift: int
    flags: int
    base: int = 0
    level: bool = False

    def times(self, times: Sequence[int]) -> list[int]:
        """Return their times in ms, to which `shift` is still to be added."""
        if self.level:
            return [*range(1 - self.end + self.start, 1)]
        return [time - self.base for time in times[self.start : self.end]]


def place(line: TimeLine | None, frame: Stamped, tolerance: int, reference: Reference) -> tuple[TimeLine, list[Part]]:
    """Return the timeline after the frame, and the frame's parts with their corrections, at most three.

    Args:
        line: the timeline; None = nothing is known.
        frame: the frame.
        tolerance: how far a device's clock may be off, ns.
        reference: the trusted time.
    """
    usual = _usual(line, frame, tolerance, reference)
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
            shift = _old_shift(line, frame, (first, newest), tolerance, reference)
        flags = (Flag.CLOCK if shift else 0) | (Flag.HISTORICAL if frame.historical else 0)
        if not frame.historical and newest + shift < before - tolerance:
            flags |= Flag.LATE
        if level or first < EARLIEST or newest >= LATEST:
            parts.append(Part(start, end, newest + shift, int(flags), newest // MS, level))
        else:
            parts.append(Part(start, end, shift, int(flags)))
    return TimeLine(frame.boot, clock) if own or line is None else line, parts


def _usual(
    line: TimeLine | None, frame: Stamped, tolerance: int, reference: Reference
) -> tuple[TimeLine, list[Part]] | None:
    """Return the result for the usual frame, whose clock was right and still is; None for any other."""
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
    """Return the timeline; None if its newest time is far ahead of a new frame and of its arrival."""
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
    kept = newest + clock.shift  # if its clock is as wrong as before
    continues = (newest if newest <= now + tolerance else kept) > clock.judged
    if not frame.first:
        return _Role.LINE if continues else _Role.RIVAL
    of_now = clock.judged < kept and abs(kept - now) <= tolerance
    # A clock that was never set gives no order: an unknown boot is the newest.
    return _Role.LINE if continues or of_now or newest < EARLIEST else _Role.RIVAL


def _follow(
    rival: tuple[str, GatewayClock] | None, frame: Stamped, tolerance: int, reference: Reference
) -> tuple[str, GatewayClock]:
    """Return the other boot's own clock after this frame."""
    known = rival[1] if rival is not None and rival[0] == frame.boot else None
    first, newest = frame.times[0] * MS, frame.times[-1] * MS
    return frame.boot, keep_time(known, first, newest, frame.received, tolerance, reference)


def _takes_over(line: TimeLine) -> bool:
    """Whether the other boot takes over: it sends as fast as it reads, and the timeline's boot is silent."""
    if line.clock is None or line.rival is None:
        return False
    rival = line.rival[1]
    return rival.steady and rival.received - line.clock.received >= REPLACEABLE


def _without_lag(clock: GatewayClock | None, frame: Stamped, reference: Reference) -> GatewayClock | None:
    """Return the clock as if it had continued up to the frame: what is sent as it is read has no lag."""
    if clock is None:
        return None
    began = frame.received + reference.offset - (frame.times[-1] - frame.times[0]) * MS
    return msgspec.structs.replace(clock, judged=max(clock.judged, began - SPACING))


def _old_shift(
    line: TimeLine | None, frame: Stamped, stamps: tuple[int, int], tolerance: int, reference: Reference
) -> int:
    """Return the shift of an old frame: none for times that may be right, else the timeline's or to its arrival."""
    first, newest = stamps
    off = newest - frame.received - reference.offset
    shift = initial_shift(first, off, tolerance)
    if not shift or line is None or line.clock is None or (line.boot != frame.boot and first < EARLIEST):
        return shift
    ours = line.clock.shift
    return ours if off + ours <= tolerance and first + ours >= EARLIEST else shift


def _cut(times: Sequence[int], most: int, tolerance: int) -> list[tuple[int, int]]:
    """Split rows (from, to) by clock: before it was first set, then up to a jump beyond `most` (ns), then the rest."""
    if times[0] * MS >= EARLIEST and times[-1] * MS <= most:
        return [(0, len(times))]
    unset = bisect_left(times, EARLIEST // MS)
    ahead = bisect_right(times, most // MS, lo=unset)
    jumps = (at for at in range(ahead, len(times)) if (times[at] - times[at - 1]) * MS > tolerance)
    cut = next(jumps, len(times)) if ahead > unset else len(times)
    edges = sorted({0, unset, cut, len(times)})
    return [*pairwise(edges)]


def _stamps(times: Sequence[int], start: int, end: int, most: int) -> tuple[bool, int, int]:
    """Return whether the rows' spacing is meaningless, and the oldest and newest time of their clock, ns."""
    first, newest = times[start] * MS, times[end - 1] * MS
    if first >= EARLIEST and newest <= most:
        return False, first, newest
    if any((times[at] - times[at - 1]) * MS > JUMP for at in range(start + 1, end)):
        return True, newest - (end - start - 1) * SPACING, newest
    return False, first, newest

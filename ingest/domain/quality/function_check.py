"""Function check (功能检查, NAMUR NE 107): which readings show a test, as with calibration gas, and no process (pure).

A person begins one for a point until a time, or the gateway flags the readings. Neither may blind an instrument for
longer than a check may last: from then on its readings are judged again, and flagged as overdue until the check ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.domain.model.batch import Batch
from ingest.domain.model.flags import CHECKED, Flag

OPEN: Final = 2**63 - 1
"""The end of a check that nobody has ended, ns."""

_KEPT: Final = 8
"""Checks remembered of a point, for readings that arrive late."""

_CHECK: Final = np.uint16(Flag.FUNCTION_CHECK)
_OVERDUE: Final = np.uint16(CHECKED)


class CheckSpan(NamedTuple):
    """One check that a person began: event times in ns, after `begins` and up to `ended`; overdue from `until` on."""

    begins: int
    until: int
    ended: int = OPEN


class FunctionChecks:
    """The function checks of all points, by configuration index.

    Decided by event times alone, so that it does not matter how readings are cut into batches, and a reading that
    arrives late is judged as it would have been in time.
    """

    def __init__(self, points: int) -> None:
        self._since: NDArray[np.int64] = np.zeros(points, np.int64)  # since when the gateway flags it; 0 = it does not
        self._flagged = 0  # points that it flags
        self._spans: Mapping[int, tuple[CheckSpan, ...]] = {}
        self._newest = _Newest({}, points)

    def keep(self, point: int, span: CheckSpan) -> None:
        """Store the present state of a check that a person began."""
        others = tuple(known for known in self._spans.get(point, ()) if known.begins != span.begins)
        self._spans = {**self._spans, point: (*others, span)[-_KEPT:]}
        self._newest = _Newest(self._spans, len(self._since))

    def marked(self, batch: Batch) -> Batch:
        """Return the readings, those within a check that a person began flagged. From any thread."""
        newest, spans = self._newest, self._spans
        at = newest.rows(batch.point)
        if not len(at):
            return batch
        flags, time, point = batch.flags.copy(), batch.time[at], batch.point[at]
        flags[at] = newest.flagged(flags[at], point, time)
        late = at[newest.before(point, time)]
        for of in np.unique(batch.point[late]).tolist():  # it may belong to an earlier check
            rows = late[batch.point[late] == of]
            for span in spans[of][:-1]:
                flags[rows] = _within(flags[rows], batch.time[rows], *span)
        return batch.with_flags(flags)

    def timed(self, live: Batch, longest: int) -> Batch:
        """Return live readings, those flagged as overdue whose gateway has flagged a check for `longest` ns or more."""
        flagged = (live.flags & _CHECK) != 0
        if not self._flagged and not np.count_nonzero(flagged):
            return live
        touched = np.unique(live.point[flagged])
        rows = np.flatnonzero(np.isin(live.point, touched) | (self._since.take(live.point) != 0))
        rows = rows[np.argsort(live.point[rows], kind="stable")]
        if not len(rows):
            return live
        point, time, here = live.point[rows], live.time[rows], flagged[rows]
        first = np.diff(point, prepend=-1) != 0
        known = self._since[point]
        begins = first | (here & ~np.concatenate(([False], here[:-1])))
        run = np.maximum.accumulate(np.where(begins, np.arange(len(rows)), 0))
        start = np.where(first & (known != 0), known, time)[run]
        last = np.append(np.flatnonzero(first)[1:] - 1, len(rows) - 1)
        of = point[last]
        self._flagged += int(np.count_nonzero(here[last])) - int(np.count_nonzero(self._since[of]))
        self._since[of] = np.where(here[last], start[last], 0)
        over = here & (time - start >= longest)
        if not np.count_nonzero(over):
            return live
        flags = live.flags.copy()
        flags[rows[over]] |= _OVERDUE
        return live.with_flags(flags)

    def successor(self, points: int) -> FunctionChecks:
        """Return the same for another number of points; a point keeps its index."""
        checks = FunctionChecks(points)
        both = min(points, len(self._since))
        checks._since[:both] = self._since[:both]
        checks._settle({point: spans for point, spans in self._spans.items() if point < points})
        return checks

    def state(self) -> dict[str, list[list[int]]]:
        """Return the state, JSON-ready and the same for the same readings and checks."""
        (flagged,) = np.nonzero(self._since)
        return {
            "since": [[int(point), int(self._since[point])] for point in flagged],
            "spans": [[point, *span] for point, spans in sorted(self._spans.items()) for span in spans],
        }

    def load(self, state: Mapping[str, list[list[int]]]) -> None:
        """Load a state, as far as it fits the number of points."""
        points, spans = len(self._since), dict[int, tuple[CheckSpan, ...]]()
        for point, since in state["since"]:
            if point < points:
                self._since[point] = since
        for point, *span in state["spans"]:
            if point < points:
                spans[point] = (*spans.get(point, ()), CheckSpan(*span))
        self._settle(spans)

    def _settle(self, spans: Mapping[int, tuple[CheckSpan, ...]]) -> None:
        self._flagged = int(np.count_nonzero(self._since))
        self._spans, self._newest = spans, _Newest(spans, len(self._since))


class _Newest:
    """The newest check of each point that has any, as columns; never changed once made."""

    def __init__(self, spans: Mapping[int, tuple[CheckSpan, ...]], points: int) -> None:
        self._some = bool(spans)
        self._slot = np.full(points + 1 if spans else 1, -1, np.int32)  # the last entry stands for all further points
        self._slot[[*spans]] = np.arange(len(spans))
        columns = np.array([of[-1] for of in spans.values()], np.int64).reshape(-1, 3).T
        self._begins, self._until, self._ended = columns
        self._earlier = np.array([len(of) > 1 for of in spans.values()], bool)

    def rows(self, point: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return which of these points ever had a check."""
        return np.flatnonzero(self._slot.take(point, mode="clip") >= 0) if self._some else np.empty(0, np.intp)

    def flagged(
        self, flags: NDArray[np.uint16], point: NDArray[np.int32], time: NDArray[np.int64]
    ) -> NDArray[np.uint16]:
        """Return the flags with those of the newest check."""
        slot = self._slot[point]
        return _within(flags, time, self._begins[slot], self._until[slot], self._ended[slot])

    def before(self, point: NDArray[np.int32], time: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether a reading was made before its point's newest check, and there are earlier ones."""
        slot = self._slot[point]
        return self._earlier[slot] & (time <= self._begins[slot])


def _within(
    flags: NDArray[np.uint16],
    time: NDArray[np.int64],
    begins: NDArray[np.int64] | int,
    until: NDArray[np.int64] | int,
    ended: NDArray[np.int64] | int,
) -> NDArray[np.uint16]:
    """Flag by one check: within its time by it alone, whatever the gateway says of its own; then as overdue."""
    during = (time > begins) & (time <= ended)  # so that what was evaluated before a command is so ever after
    over = during & (time >= until)
    granted = (flags & ~np.uint16(Flag.CHECK_OVERDUE)) | _CHECK
    return np.where(over, flags | _OVERDUE, np.where(during, granted, flags))

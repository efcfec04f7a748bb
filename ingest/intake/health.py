"""Reports each gateway's health as readings of its own points.

Reported on change and otherwise every ten minutes, so that a fleet of thousands costs a few readings a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from ingest.domain.model.plant import GatewayPoint

WINDOW: Final = 300 * 10**9
"""Length of a window, ns of arrival; values cover the last one to two of them."""

_CHANGED_EVERY: Final = 30 * 10**9  # shortest interval for changed values; new trouble is reported at once
_REPEAT_EVERY: Final = 600 * 10**9  # interval for unchanged ones; `silence_s` in the catalogue is three times that


class Tally(msgspec.Struct, gc=False):
    """Counts of one gateway's messages in one group, the last of them at `received` (ns).

    Attributes:
        frames: frames that were not on disk already.
        refused: how much of them was refused; a frame refused whole counts 1, one of whose columns half were, 0.5.
        reused: frames under a number that another frame has.
        throttled: messages beyond the gateway's share, which were not read.
    """

    received: int = 0
    frames: int = 0
    refused: float = 0.0
    reused: int = 0
    throttled: int = 0


@dataclass(slots=True)
class Health:
    """Counts of one gateway in the present window, which began at `since` (ns of arrival), and the one before."""

    since: int
    _now: Tally = field(default_factory=Tally)
    _before: Tally | None = None  # the window before; None: the service was not running
    _reported: dict[GatewayPoint, tuple[float, int]] = field(default_factory=dict)  # value, and when
    _due: int = 0  # nothing is reported before, unless there is trouble

    def add(self, tally: Tally) -> list[tuple[GatewayPoint, float]]:
        """Add a tally; returns the values to be reported.

        Zero is reported for whole windows only: after a start the time before is not known.
        """
        now, age = self._now, tally.received - self.since
        if not 0 <= age < WINDOW:
            self._before = now if 0 <= age < 2 * WINDOW else Tally()
            now = self._now = Tally()
            self.since = tally.received
        now.frames += tally.frames
        now.refused += tally.refused
        now.reused += tally.reused
        now.throttled += tally.throttled
        trouble = tally.refused or tally.reused or tally.throttled
        if not trouble and 0 <= self._due - tally.received < _REPEAT_EVERY:
            return []
        return self._changed_values(tally.received)

    def _changed_values(self, now: int) -> list[tuple[GatewayPoint, float]]:
        fresh = []
        for point, value in self._values().items():
            before, at = self._reported.get(point, (0.0, now - _REPEAT_EVERY))
            age = abs(now - at)
            known = value > 0 or self._before is not None
            if known and (
                (value > 0) > (before > 0) or age >= _REPEAT_EVERY or (value != before and age >= _CHANGED_EVERY)
            ):
                self._reported[point] = (value, now)
                fresh.append((point, value))
        troubled = any(value for value, _ in self._reported.values())
        self._due = now + (_CHANGED_EVERY if troubled or self._before is None else _REPEAT_EVERY - 1)
        return fresh

    def _values(self) -> dict[GatewayPoint, float]:
        now, before = self._now, self._before or Tally()
        frames, refused = now.frames + before.frames, now.refused + before.refused
        share = round(100 * refused / frames, 2) if frames else 0.0
        return {
            GatewayPoint.REFUSED: share,
            GatewayPoint.REUSED: float(now.reused + before.reused),
            GatewayPoint.THROTTLED: float(now.throttled + before.throttled),
        }

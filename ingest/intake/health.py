"""What intake knows of each gateway's health, as readings of the gateway's own points.

Told when it changes and otherwise every ten minutes, so that a fleet of thousands costs a few readings a second.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ingest.domain.model.plant import GatewayPoint

WINDOW: Final = 300 * 10**9
"""A share is that of the last one to two of these, ns of arrival."""

_CHANGED: Final = 30 * 10**9  # what has changed is told so often; trouble that is new, at once
_AGAIN: Final = 600 * 10**9  # and what has not, so often: `silence_s` in the catalogue is three times that


@dataclass(slots=True)
class Tally:
    """What came of one gateway in one group, the last of it at `received` (ns).

    Attributes:
        frames: frames that were not there already.
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
    """What is known of one gateway since its first frame at `since` (ns of arrival)."""

    since: int
    _now: Tally = field(default_factory=Tally)
    _before: Tally | None = None  # the window before; None: the service was not there
    _told: dict[GatewayPoint, tuple[float, int]] = field(default_factory=dict)  # value, and when
    _due: int = 0  # nothing is to be told before, unless there is trouble

    def add(self, came: Tally) -> list[tuple[GatewayPoint, float]]:
        """Count it; returns what is to be told.

        That all is well is told of a whole window only: after a start nobody knows what was before.
        """
        now, age = self._now, came.received - self.since
        if not 0 <= age < WINDOW:
            self._before = now if 0 <= age < 2 * WINDOW else Tally()
            now = self._now = Tally()
            self.since = came.received
        now.frames += came.frames
        now.refused += came.refused
        now.reused += came.reused
        now.throttled += came.throttled
        trouble = came.refused or came.reused or came.throttled
        if not trouble and 0 <= self._due - came.received < _AGAIN:
            return []
        return self._tell(came.received)

    def _tell(self, now: int) -> list[tuple[GatewayPoint, float]]:
        fresh = []
        for point, value in self._values().items():
            before, at = self._told.get(point, (0.0, now - _AGAIN))
            age = abs(now - at)
            known = value > 0 or self._before is not None
            if known and ((value > 0) > (before > 0) or age >= _AGAIN or (value != before and age >= _CHANGED)):
                self._told[point] = (value, now)
                fresh.append((point, value))
        troubled = any(value for value, _ in self._told.values())
        self._due = now + (_CHANGED if troubled or self._before is None else _AGAIN - 1)
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
